//! Every renderer over the same plans: what it writes, and what it refuses.
#![expect(clippy::unwrap_used, reason = "a test may")]

use super::samples::{item, plan};
use super::{Fault, Renderer, Unrenderable, renderers};
use crate::plan::{Actuator, Plan, Window};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn of(name: &str) -> &'static dyn Renderer {
    *renderers().iter().find(|renderer| renderer.name() == name).unwrap()
}

fn rendered(name: &str, plan: &Plan) -> String {
    let mut out = Vec::new();
    of(name).render(plan, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn faults(name: &str, plan: &Plan) -> Vec<Fault> {
    let mut out = Vec::new();
    let error = of(name).render(plan, &mut out).unwrap_err();
    assert!(out.is_empty(), "nothing is written in part");
    match error {
        Unrenderable::Plan { renderer, faults } => {
            assert_eq!(renderer, name);
            faults
        }
        Unrenderable::Io(error) => panic!("{error}"),
    }
}

fn machine_form(name: &str, plan: &mut Plan) {
    if name == "cluster-api" {
        for item in &mut plan.items {
            for (key, value) in &mut item.handle.0 {
                if key == "machine" {
                    *value = value.replace("openshift-machine-api", "default");
                }
            }
        }
    }
}

fn scripts() -> impl Iterator<Item = &'static str> {
    renderers().iter().map(|renderer| renderer.name()).filter(|name| *name != "markdown")
}

fn shellcheck(name: &str, script: &str) {
    let mut child = Command::new("shellcheck")
        .args(["-s", "sh", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("apt-get install shellcheck");
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn each_actuator_has_one_renderer_of_its_name() {
    let names: Vec<_> = renderers().iter().map(|renderer| renderer.name()).collect();
    let words: Vec<_> = Actuator::ALL.iter().map(|actuator| actuator.word()).chain(["markdown"]).collect();
    assert_eq!(names, words);
    assert!(renderers().iter().all(|renderer| !renderer.what().is_empty() && renderer.what().len() < 110));
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    for renderer in renderers() {
        let mut plan = plan(None);
        machine_form(renderer.name(), &mut plan);
        let first = rendered(renderer.name(), &plan);
        assert_eq!(first, rendered(renderer.name(), &plan.clone()));
        assert!(first.contains(&plan.id) && first.contains("20261121T023004Z-7c1f"), "{}", renderer.name());
    }
}

#[test]
fn every_script_passes_shellcheck() {
    for name in scripts() {
        let mut plan = plan(None);
        machine_form(name, &mut plan);
        plan.groups[0].windows = vec![
            Window { cron: "0 2 * * 1-5".into(), duration: "3h".into(), tz: "UTC".into() },
            Window { cron: "30 22 1 * 6".into(), duration: "90m".into(), tz: "+02:00".into() },
        ];
        shellcheck(name, &rendered(name, &plan));
    }
}

#[test]
fn an_empty_plan_is_a_script_that_does_nothing() {
    for name in scripts() {
        let mut plan = plan(None);
        (plan.items, plan.waves, plan.groups) = (vec![], vec![], vec![]);
        let script = rendered(name, &plan);
        assert!(script.contains("WAVES=''") && script.contains("nothing is planned"));
        shellcheck(name, &script);
    }
}

/// Texts that the plan may hold where nothing says which form they have.
const HOSTILE: [&str; 6] = [
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    "a\" && touch pwned #",
    "x\n touch pwned\n# shellcheck disable=all",
    "-rf",
];

#[test]
fn hostile_texts_stay_texts() {
    for name in scripts() {
        for text in HOSTILE {
            let mut plan = plan(None);
            machine_form(name, &mut plan);
            plan.groups[0].name = text.into();
            plan.groups[0].health_command = Some(text.into());
            plan.items[0].host = format!("web{text}");
            plan.items[0].codes = vec![text.into()];
            plan.items[0].address = text.into();
            for item in &mut plan.items {
                item.group = text.into();
            }
            for wave in &mut plan.waves {
                (wave.group, wave.zone) = (text.into(), Some(text.into()));
            }
            plan.waves[0].hosts = vec![format!("web{text}")];
            plan.deferred[0].host = text.into();
            plan.refused[0].group = text.into();
            plan.based_on.tool = text.into();
            let script = rendered(name, &plan);
            if text == HOSTILE[4] {
                shellcheck(name, &script);
            }
            let folder = tempfile::tempdir().unwrap();
            for shell in [&["sh"][..], &["bash"], &["busybox", "sh"]] {
                for words in [&["list"][..], &["all"]] {
                    let out = Command::new(shell[0])
                        .args(&shell[1..])
                        .args(["-s", "--"])
                        .args(words)
                        .current_dir(folder.path())
                        .stdin(Stdio::from(file(&script)))
                        .output()
                        .unwrap();
                    // The plan of the samples has expired, which ends `all` before anything else.
                    assert_eq!(out.status.success(), words == ["list"], "{name} {text} {out:?}");
                    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{name} {shell:?} {text}");
                }
            }
        }
    }
}

fn file(text: &str) -> std::fs::File {
    use std::io::Seek as _;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn handles_that_are_not_there_are_told_all_at_once_with_the_word_to_add() {
    let mut plan = plan(None);
    plan.items[0].handle.0.clear();
    plan.items[2].handle.0.clear();
    plan.groups[0].refs.clear();
    assert_eq!(
        of("aws-asg").render(&plan, &mut Vec::new()).unwrap_err().to_string(),
        "the plan can not be rendered for aws-asg:\n  \
         no instance= on web-01 web-03: add the word in the hosts file, such as instance=i-0123456789abcdef0\n  \
         group web has no asg, the auto scaling group: add it in the settings, such as ref = { asg = \"web-prod\" }\n  \
         group web has no region, which the command would guess: add it in the settings, such as ref = { region = \"eu-west-1\" }"
    );
    for (name, key) in [("terraform", "tf"), ("kubectl", "node"), ("cluster-api", "machine"), ("openshift", "machine")]
    {
        let told = faults(name, &plan);
        let hosts = vec!["web-01".to_owned(), "web-03".to_owned()];
        assert!(
            told.iter().any(|fault| matches!(fault, Fault::Handle { key: own, hosts: own_hosts, .. } if *own == key && *own_hosts == hosts)),
            "{name} {told:?}"
        );
    }
}

#[test]
fn a_handle_that_a_platform_would_misread_is_refused() {
    for (name, key, value) in [
        ("aws-asg", "instance", "i-0123456789abcdef0 i-0123456789abcdef1"),
        ("aws-asg", "instance", "--should-decrement-desired-capacity"),
        ("terraform", "tf", "-target=x.y"),
        ("terraform", "tf", "data.aws_ami.x"),
        ("kubectl", "node", "--all"),
        ("cluster-api", "machine", "web-1"),
        ("openshift", "machine", "other/web-1"),
        ("openshift", "machine", "--all"),
    ] {
        let mut plan = plan(None);
        machine_form(name, &mut plan);
        for (own, old) in &mut plan.items[0].handle.0 {
            if own == key {
                *old = value.into();
            }
        }
        let told = faults(name, &plan);
        assert!(matches!(&told[..], [Fault::Unfit { of, key: own, .. }] if of == "web-01" && *own == key), "{told:?}");
    }
}

#[test]
fn deleting_a_node_is_not_the_end_of_its_machine() {
    let mut plan = plan(None);
    plan.groups[0].refs.retain(|(key, _)| key != "machine_command");
    let told = of("kubectl").render(&plan, &mut Vec::new()).unwrap_err().to_string();
    assert!(
        told.contains("group web has no machine_command, and `kubectl delete node` does not end the machine"),
        "{told}"
    );
}

#[test]
fn what_nothing_can_prove_is_refused() {
    let mut plan = plan(None);
    for item in &mut plan.items {
        (item.jump, item.machine_id) = (true, None);
        item.handle.0.retain(|(key, _)| key != "instance");
    }
    for name in ["terraform", "kubectl", "openshift"] {
        let told = faults(name, &plan);
        assert!(matches!(&told[..], [Fault::Unprovable { hosts, .. }] if hosts.len() == 3), "{name} {told:?}");
    }
    // An id that two members share tells nothing.
    let mut plan = self::plan(None);
    for (item, number) in plan.items.iter_mut().zip(0..) {
        (item.jump, item.machine_id) = (true, Some("00".repeat(32)));
        plan.groups[0].members[number].machine_id = Some("00".repeat(32));
    }
    assert!(matches!(&faults("kubectl", &plan)[..], [Fault::Unprovable { .. }]));
    assert!(rendered("aws-asg", &plan).contains("asg_same web-01 i-0123456789abcde01 22 - -"));
}

#[test]
fn a_group_of_another_actuator_is_named_and_not_rendered() {
    let mut plan = plan(Some(Actuator::AwsAsg));
    let mut other = plan.groups[0].clone();
    (other.name, other.actuator, other.refs) = ("db".into(), Some(Actuator::Terraform), vec![]);
    plan.groups[0].refs.retain(|(key, _)| key == "asg" || key == "region");
    plan.groups.push(other);
    plan.waves[1].group = "db".into();
    for number in [1, 2] {
        plan.items[number].group = "db".into();
    }
    let script = rendered("aws-asg", &plan);
    assert!(script.contains("#   not here  wave 2, group db: terraform replaces it\n"), "{script}");
    assert!(script.contains("wave_2() { elsewhere 2 db terraform; }"));
    assert!(!script.contains("aws_instance.web"));
    shellcheck("aws-asg", &script);
    let script = rendered("terraform", &plan);
    assert!(script.contains("wave_1() { elsewhere 1 web aws-asg; }") && script.contains("terraform_replace any"));
    assert_eq!(
        faults("kubectl", &plan),
        [Fault::Elsewhere { groups: vec![("web".into(), "aws-asg"), ("db".into(), "terraform")] }]
    );
}

#[test]
fn a_key_of_a_group_that_means_nothing_is_refused() {
    let mut plan = plan(Some(Actuator::Kubectl));
    plan.groups[0].refs = [("context", "prod"), ("drain_timout", "2h"), ("machine_command", "x"), ("rollback_to", "y")]
        .map(|(key, value)| (key.into(), value.into()))
        .to_vec();
    assert_eq!(
        of("kubectl").render(&plan, &mut Vec::new()).unwrap_err().to_string(),
        "the plan can not be rendered for kubectl:\n  drain_timout under ref of group web means nothing here: it takes \
         context machine_command drain_timeout rollback_to"
    );
}

#[test]
fn a_broken_plan_is_refused() {
    let mut plan = plan(None);
    plan.waves[0].hosts = vec!["web-99".into()];
    plan.waves[1].group = "nowhere".into();
    (plan.created, plan.expires) = ("yesterday".into(), "1e9".into());
    plan.groups[0].windows = vec![Window { cron: "0 25 * * *".into(), duration: "3h".into(), tz: "UTC".into() }];
    let told = faults("aws-asg", &plan);
    assert!(
        matches!(
            &told[..],
            [Fault::Broken { .. }, Fault::Broken { .. }, Fault::Time { .. }, Fault::Time { .. }, Fault::Window { .. }]
        ),
        "{told:?}"
    );
    let mut plan = self::plan(None);
    plan.id = String::new();
    assert_eq!(faults("aws-asg", &plan), [Fault::Broken { detail: "it has no id".into() }]);
    let mut plan = self::plan(None);
    plan.groups[0].health_command = Some("a\u{1b}[2Jb".into());
    assert_eq!(faults("aws-asg", &plan), [Fault::Control { code: 0x1b }]);
    let mut plan = self::plan(None);
    plan.items[0].host.push('\0');
    plan.waves[0].hosts[0].push('\0');
    assert_eq!(faults("aws-asg", &plan), [Fault::Control { code: 0 }]);
}

#[test]
fn traps_of_the_platforms() {
    let asg = rendered("aws-asg", &plan(None));
    assert!(asg.contains("--no-should-decrement-desired-capacity"));
    assert!(!asg.contains("start-instance-refresh"));
    let terraform = rendered("terraform", &plan(None));
    assert!(
        terraform.contains(r#"terraform_replace any 'aws_instance.web["2"]' 'aws_instance.web["3"]'"#),
        "{terraform}"
    );
    let commands = |script: &str| -> String {
        script.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
    };
    assert!(!commands(&terraform).contains("-target") && !commands(&terraform).contains("-destroy"));
    let mut capi = plan(None);
    machine_form("cluster-api", &mut capi);
    let capi = commands(&rendered("cluster-api", &capi));
    assert!(capi.contains("cluster.x-k8s.io/remediate-machine= --overwrite") && !capi.contains("delete-machine"));
    let openshift = commands(&rendered("openshift", &plan(None)));
    assert!(!openshift.contains("annotate") && openshift.contains("master/* | control-plane/*) stop"));
    let kubectl = commands(&rendered("kubectl", &plan(None)));
    assert!(!kubectl.contains("--force") && !kubectl.contains("--disable-eviction"));
    let green = commands(&rendered("blue-green", &plan(None)));
    assert!(!green.contains("--allow-outdated"));
}

#[test]
fn the_ticket_holds_hostile_texts_in_code() {
    let mut plan = plan(None);
    plan.items[0] = item(1);
    plan.items[0].evidence =
        vec!["<script>alert(1)</script> @octocat #1 | `x` [a](http://b) ![i](http://c)".into(), "a\n# heading".into()];
    plan.waves[0].hosts = vec!["web|01`<img src=x>".into()];
    let ticket = rendered("markdown", &plan);
    assert!(
        ticket.contains("- ``<script>alert(1)</script> @octocat #1 | `x` [a](http://b) ![i](http://c)``\n"),
        "{ticket}"
    );
    assert!(ticket.contains("| 1 (canary) | `web` | `eu-west-1a` | ``web\\|01`<img src=x>`` |"), "{ticket}");
    assert!(ticket.contains("- `a\u{fffd}# heading`"));
    // Outside of code spans there is no character of the plan that Markdown or HTML reads.
    for line in ticket.lines() {
        let outside = outside_of_code(line);
        assert!(!outside.contains(['<', '@', '!', '&']), "{line}");
    }
}

/// A line without its code spans, by the rule of `CommonMark` 6.1: a run of backticks ends at the next run of its length.
fn outside_of_code(line: &str) -> String {
    let mut rest = line;
    let mut out = String::new();
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        rest = &rest[at + run..];
        let mut from = 0;
        loop {
            let found = from + rest[from..].find('`').expect("a span that does not end");
            let length = rest[found..].len() - rest[found..].trim_start_matches('`').len();
            from = found + length;
            if length == run {
                break;
            }
        }
        rest = &rest[from..];
    }
    out + rest
}

#[test]
fn the_ticket_says_what_is_signed() {
    let ticket = rendered("markdown", &plan(Some(Actuator::AwsAsg)));
    for part in [
        "# Replacement of 3 hosts in 2 waves\n",
        "| Expires | `2026-11-22T02:31:00Z`; it is not run after that |\n",
        "| 2 | `web` | `eu-west-1a` | `web-02` `web-03` | 30 min |\n",
        "- `user deploy2 added with uid 0`\n",
        "| `db-01` | `db` | `drain-first` | `it holds state that a replacement would lose` At risk: `/var/lib/postgresql 80 GB, newest 2026-11-20` |\n",
        "| `api` | `mass-drift` | `62 % of the group is drifted` | `api-01` `api-02` |\n",
        "- Planned no more: `web-07`, now `clean`\n",
        "## The way back\n",
        "- [ ] Nothing that these hosts hold is needed, or it was moved\n",
        "| Approved by | | |\n",
    ] {
        assert!(ticket.contains(part), "{part}\n{ticket}");
    }
}
