//! The scripts of a plan, run under three shells against stand-ins of the platforms' commands.
//!
//! *Invariant:* a script is judged by what it called, in which order, and by what it left alone.

mod clouds;
mod clusters;
mod platforms;
mod stage;
mod world;

use crate::lab::{Options, Scene};
use driftscan::plan::{Plan, Window};
use stage::{SHELLS, Stage, changes};
use world::{plan, time};

const SCRIPTS: [&str; 6] = ["terraform", "aws-asg", "kubectl", "cluster-api", "openshift", "blue-green"];

fn each(mut act: impl FnMut(&str, &'static [&'static str])) {
    for renderer in SCRIPTS {
        for shell in SHELLS {
            act(renderer, shell);
        }
    }
}

#[test]
fn a_dry_run_calls_nothing_at_all() {
    each(|renderer, shell| {
        let stage = Stage::new(renderer, &plan(renderer), shell);
        let listed = stage.run(&[]);
        assert!(listed.ok && listed.calls.is_empty(), "{renderer} {shell:?} {}", listed.err);
        assert!(listed.out.contains("\nwave 1, group web, the canary: web-01\n"), "{}", listed.out);
        let ran = stage.run(&["all"]);
        assert!(ran.ok && ran.err.is_empty(), "{renderer} {shell:?} {} {}", ran.out, ran.err);
        assert_eq!(ran.calls, [""; 0]);
        assert!(ran.out.contains("would run: ") && ran.out.contains("would prove: driftscan "), "{}", ran.out);
        assert!(ran.out.ends_with("all waves are through\n"));
    });
}

#[test]
fn what_a_dry_run_prints_can_be_typed() {
    let ran = Stage::new("terraform", &plan("terraform"), &["dash"]).run(&["wave", "2"]);
    assert!(
        ran.out.contains(
            "would run: terraform -chdir=. plan -input=false -no-color -lock-timeout=120s \
             '-replace=aws_instance.web[\"2\"]' '-replace=aws_instance.web[\"3\"]' -out=/tmp/wave.tfplan\n"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn verifying_only_reads() {
    each(|renderer, shell| {
        let stage = Stage::new(renderer, &plan(renderer), shell);
        let ran = stage.run(&["verify", "2"]);
        assert!(ran.ok, "{renderer} {shell:?} {} {}", ran.out, ran.err);
        assert_eq!(ran.changes(), [""; 0]);
        assert_eq!(ran.calls.is_empty(), renderer == "blue-green");
    });
}

/// A failure of any call, whichever it is, ends the script there.
#[test]
fn the_first_call_that_fails_is_the_last() {
    for renderer in SCRIPTS {
        let stage = Stage::new(renderer, &plan(renderer), &["dash"]).real();
        let whole = stage.run(&["all"]);
        assert!(whole.ok, "{renderer} {} {}", whole.out, whole.err);
        for number in 1..=whole.calls.len() {
            stage.reset();
            stage.fail_at(number);
            let ran = stage.run(&["all"]);
            let failed = &whole.calls[number - 1];
            if failed.starts_with("healthy") && ran.ok {
                // The health command is asked again until the time is over.
                assert_eq!(ran.calls.len(), whole.calls.len() + again(&whole.calls, number), "{renderer} {failed}");
                continue;
            }
            assert!(!ran.ok && ran.err.starts_with("stopped: "), "{renderer} {failed}: {} {}", ran.out, ran.err);
            assert_eq!(ran.calls, whole.calls[..number], "{renderer} {failed}");
        }
    }
}

/// How many calls more a run has where a health command failed once: the proof is asked for from its beginning.
fn again(calls: &[String], number: usize) -> usize {
    let from = calls[..number].iter().rposition(|call| call.starts_with("driftscan")).unwrap();
    number - from
}

#[test]
fn an_expired_plan_stops() {
    each(|renderer, shell| {
        for (created, expires, told) in [
            (-90_000, -3_600, "the plan expired at "),
            (-90_000, -1, "the plan expired at "),
            (172_800, 259_200, "the clock is behind the plan"),
        ] {
            let mut plan = plan(renderer);
            (plan.created, plan.expires) = (time(created), time(expires));
            let stage = Stage::new(renderer, &plan, shell).real();
            let ran = stage.run(&["all"]);
            assert!(!ran.ok && ran.err.contains(told), "{renderer} {shell:?} {}", ran.err);
            assert_eq!(ran.calls, [""; 0]);
        }
    });
}

fn with_window(cron: &str, duration: &str, tz: &str) -> Plan {
    let mut plan = plan("aws-asg");
    plan.groups[0].windows = vec![Window { cron: cron.into(), duration: duration.into(), tz: tz.into() }];
    plan
}

#[test]
fn a_wave_begins_in_a_window_alone() {
    // A leap day six months away or more is in no window of a minute today.
    let closed = with_window("0 0 31 2 *", "1m", "UTC");
    let open = with_window("* * * * *", "1m", "+02:00");
    for shell in SHELLS {
        assert!(Stage::new("aws-asg", &open, shell).real().run(&["wave", "1"]).ok);
        let stage = Stage::new("aws-asg", &closed, shell);
        let dry = stage.run(&["wave", "1"]);
        assert!(dry.ok && dry.out.contains("a real run would stop here: no window of web is open now"), "{}", dry.err);
        let stage = stage.real();
        let ran = stage.run(&["wave", "1"]);
        assert!(!ran.ok && ran.calls.is_empty(), "{}", ran.out);
        assert_eq!(ran.err, "stopped: no window of web is open now\n");
        let ran = stage.env("IGNORE_WINDOWS", "1").run(&["wave", "1"]);
        assert!(ran.ok && ran.out.contains("going on, by IGNORE_WINDOWS=1"), "{}", ran.err);
        let unknown = with_window("* * * * *", "1m", "Middle/Earth");
        let ran = Stage::new("aws-asg", &unknown, shell).real().run(&["wave", "1"]);
        assert!(!ran.ok && ran.err.contains("does not know the time zone Middle/Earth"), "{}", ran.err);
    }
}

/// The calendar of the script against one that was not written here.
#[test]
fn windows_open_when_a_calendar_says_so() {
    let stage = Stage::new("aws-asg", &with_window("30 22 1,15 * 6", "3h", "UTC"), &["dash"]);
    let script = stage.script();
    let from = script.find("in_window() {").unwrap();
    let function = &script[from..from + script[from..].find("\n}\n").unwrap() + 3];
    let call = script.lines().find(|line| line.contains("if in_window")).unwrap().trim();
    let starts = |at: jiff::Zoned| {
        let day = at.day() == 1 || at.day() == 15 || at.weekday() == jiff::civil::Weekday::Saturday;
        day && at.hour() == 22 && at.minute() == 30
    };
    let mut times = Vec::new();
    let mut expected = String::new();
    let from: jiff::Timestamp = "2027-12-28T00:07:00Z".parse().unwrap();
    for step in 0..260 {
        let at = (from + jiff::SignedDuration::from_mins(step * 317)).to_zoned(jiff::tz::TimeZone::UTC);
        let open = (0..180).any(|back| starts(&at - jiff::SignedDuration::from_mins(back)));
        times.push(at.strftime("%Y_%m_%d_%H_%M").to_string());
        expected.push(if open { '1' } else { '0' });
    }
    assert!(expected.contains('1') && expected.contains('0'));
    let program = format!(
        "stop() {{ exit 9; }}\ndate() {{ echo \"$AT\" | tr _ ' '; }}\n{function}\nopen() {{ {call}\nreturn 1; }}\n\
         for AT in {}; do if open; then printf 1; else printf 0; fi; done",
        times.join(" ")
    );
    for shell in [&["dash"][..], &["bash", "--posix"]] {
        let out = std::process::Command::new(shell[0]).args(&shell[1..]).args(["-c", &program]).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), expected, "{}", String::from_utf8_lossy(&out.stderr));
    }
}

#[test]
fn the_gate_waits_for_proof_and_gives_up_in_time() {
    for renderer in SCRIPTS {
        let once = "[ -e \"$STATE/once\" ] || { : >\"$STATE/once\"; exit 3; }";
        let ran = Stage::new(renderer, &plan(renderer), &["dash"]).real().answer("driftscan", once).run(&["wave", "1"]);
        assert!(ran.ok && ran.out.contains("waiting: "), "{renderer} {} {}", ran.out, ran.err);
        let stage = Stage::new(renderer, &plan(renderer), &["dash"]).real().answer("driftscan", "exit 2");
        let ran = stage.run(&["all"]);
        assert!(!ran.ok && ran.err.starts_with("stopped: not within 2 seconds: "), "{renderer} {}", ran.err);
        assert!(!ran.out.contains("== wave 2"), "{renderer} {}", ran.out);
        // 1 says that it could not judge: no waiting makes that better.
        let ran = Stage::new(renderer, &plan(renderer), &["dash"]).real().answer("driftscan", "exit 1").run(&["all"]);
        assert!(
            !ran.ok && ran.err.contains("could not judge") && !ran.out.contains("waiting: "),
            "{renderer} {}",
            ran.err
        );
    }
}

#[test]
fn what_does_not_stand_stops_the_waves() {
    // The new machine is clean at first, and drifted after it stood for a while.
    let drifts = "[ ! -e \"$STATE/once\" ] || exit 2; : >\"$STATE/once\"";
    let ran = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().answer("driftscan", drifts).run(&["all"]);
    assert!(!ran.ok && ran.err.contains("it did not stand: wave 1 "), "{}", ran.err);
    assert_eq!(ran.changes().len(), 1, "{:?}", ran.calls);
}

#[test]
fn a_script_does_not_run_without_what_it_needs() {
    for (name, value, told) in [
        ("PLAN", "", "set PLAN to the plan's JSON document"),
        ("FLEET", "nowhere.txt", "set PLAN to the plan's JSON document"),
        ("PLAN", "hosts.txt", "hosts.txt is not the plan that this script was made of"),
        ("DRY_RUN", "no", "DRY_RUN, IGNORE_WINDOWS and HOST_KEYS are 0 or 1"),
        ("POLL_SECONDS", "0", "POLL_SECONDS is at least 1"),
        ("POLL_SECONDS", "1;id", "POLL_SECONDS and BAKE_SECONDS are numbers"),
        ("DRIFTSCAN", "no-such-driftscan", "no-such-driftscan is not here"),
    ] {
        let ran = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().env(name, value).run(&["all"]);
        assert!(!ran.ok && ran.err.contains(told), "{name} {}", ran.err);
        assert_eq!(ran.calls, [""; 0]);
    }
    for words in [
        &["wave"][..],
        &["wave", "3"],
        &["wave", "1 2"],
        &["from", "9"],
        &["everything"],
        &["all", "1"],
        &["rollback", "1"],
    ] {
        let ran = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().run(words);
        assert!(!ran.ok && ran.calls.is_empty(), "{words:?} {}", ran.out);
    }
}

#[test]
fn waves_go_on_from_where_they_are() {
    let stage = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real();
    let ran = stage.run(&["from", "2"]);
    assert!(ran.ok && ran.changes().iter().all(|call| !call.contains("de01")), "{}", ran.err);
    let ran = stage.run(&["gate", "2"]);
    assert!(ran.ok && ran.changes().is_empty(), "{}", ran.err);
    assert_eq!(
        ran.calls[..3],
        ["driftscan plan status plan.json --fleet hosts.txt --wave 2", "healthy web-02 web", "healthy web-03 web"]
    );
}

#[test]
fn the_fleet_is_brought_up_to_date_before_each_proof() {
    let stage = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().env("REFRESH", "echo new >>hosts.txt");
    assert!(stage.run(&["gate", "1"]).ok);
    assert_eq!(std::fs::read_to_string(stage.path("work/hosts.txt")).unwrap(), "web-01\nnew\nnew\n");
    let ran = stage.env("REFRESH", "exit 5").run(&["gate", "1"]);
    assert!(!ran.ok && ran.calls.is_empty(), "{}", ran.err);
}

#[test]
fn a_wave_of_another_platform_is_passed_over_and_said() {
    let mut plan = plan("aws-asg");
    let mut other = plan.groups[0].clone();
    (other.name, other.actuator) = ("db".into(), driftscan::plan::Actuator::of("terraform"));
    plan.groups.push(other);
    plan.waves[0].group = "db".into();
    plan.items[0].group = "db".into();
    let stage = Stage::new("aws-asg", &plan, &["dash"]).real();
    let ran = stage.run(&["all"]);
    assert!(
        ran.ok && ran.out.contains("== wave 1, group db: not in this script, terraform replaces it\n"),
        "{}",
        ran.err
    );
    assert!(ran.calls.iter().all(|call| !call.contains("de01") && !changes(call) || call.contains("terminate")));
    let ran = stage.run(&["wave", "1"]);
    assert!(!ran.ok && ran.err.contains("wave 1 is of group db, which terraform replaces"), "{}", ran.err);
}

/// What a scan writes down of a machine is what a script can ask for again: by the system's own ssh-keyscan, and by a
/// machine id.
#[test]
fn a_script_knows_the_machine_that_was_scanned_again() {
    let id = "0123456789abcdef0123456789abcdef";
    let scene = Scene::new();
    let tree = scene.host("web-01");
    tree.write("etc/machine-id", format!("{id}\n"));
    let run = scene.run();
    let host = run.host("web-01");
    let text = |value: &serde_json::Value| Some(value.as_str().unwrap().to_owned());
    let mut plan = plan("terraform");
    plan.items[0].address = text(&host["address"]).unwrap();
    plan.items[0].host_key = text(&host["host_key"]);
    let stage = |plan: &Plan| {
        let stage = Stage::new("terraform", plan, &["dash"]).real();
        std::fs::remove_file(stage.path("bin/ssh-keyscan")).unwrap();
        stage
    };
    let ran = stage(&plan).run(&["verify", "1"]);
    assert!(ran.ok && ran.out.contains("web-01: the host key at 127.0.0.1 is the one that was scanned"), "{}", ran.err);
    // Another server took its place.
    let other = scene.lab.sshd("other", &Options::default());
    plan.items[0].address = format!("x@127.0.0.1:{}", other.port);
    let ran = stage(&plan).run(&["all"]);
    assert!(!ran.ok && ran.changes().is_empty() && ran.err.contains("another machine is at 127.0.0.1"), "{}", ran.err);

    let mut plan = self::plan("kubectl");
    plan.items[0].machine_id = text(&host["evidence"]["machine_id"]);
    let answer = format!("case \"$*\" in *machineID*) printf {id}; exit 0 ;; esac");
    let ran = Stage::new("kubectl", &plan, &["dash"]).real().answer("kubectl", &answer).run(&["verify", "1"]);
    assert!(ran.ok && ran.out.contains("web-01: the machine id is the one that was scanned"), "{}", ran.err);
}

/// A later plan names the one before it, and has other hosts in its waves.
#[test]
fn the_document_of_a_later_plan_is_not_the_one_of_this_script() {
    let made = plan("aws-asg");
    let stage = Stage::new("aws-asg", &made, &["dash"]).real();
    let later = format!("{{\"plan_id\":\"sha256:{}\",\"change\":{{\"previous\":\"{}\"}}}}\n", "99".repeat(32), made.id);
    std::fs::write(stage.path("work/plan.json"), later).unwrap();
    let ran = stage.run(&["wave", "1"]);
    assert!(
        !ran.ok && ran.err.contains("plan.json is not the plan that this script was made of"),
        "{} {}",
        ran.out,
        ran.err
    );
    assert_eq!(ran.calls, [""; 0]);
    // Laid out by another program it says the same.
    std::fs::write(stage.path("work/plan.json"), format!("{{\n  \"plan_id\": \"{}\"\n}}\n", made.id)).unwrap();
    assert!(stage.run(&["wave", "1"]).ok);
}
