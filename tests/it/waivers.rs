//! Waivers, `driftscan waive` and `driftscan explain`, over whole runs.

use crate::lab::{Lab, Run, Scene, Tree};
use std::fs;

const HEAD: &str = "schema = \"driftscan.waivers/v1\"\n";

/// A lab whose hosts are folders of this machine, which need no server.
struct Folders {
    lab: Lab,
    hosts: Vec<Tree>,
}

impl Folders {
    fn new(count: usize) -> Self {
        let lab = Lab::new();
        let golden = lab.golden_root();
        lab.capture("web@1", &golden);
        let hosts = (1..=count).map(|n| lab.clone_root(&golden, &format!("web-{n:02}"))).collect();
        Self { lab, hosts }
    }

    fn scan(&self, args: &[&str]) -> Run {
        let targets: Vec<String> = self.hosts.iter().map(Tree::target).collect();
        let run = self.lab.driftscan(&["scan"]).reported().args(args);
        run.args(&targets.iter().map(String::as_str).collect::<Vec<_>>()).run()
    }

    fn write(&self, waivers: &str) {
        fs::write(self.lab.path("waivers.toml"), format!("{HEAD}{waivers}")).unwrap();
    }

    fn read(&self) -> String {
        fs::read_to_string(self.lab.path("waivers.toml")).unwrap()
    }
}

fn pattern(code: &str, subject: &str, until: &str, most: u32) -> String {
    format!(
        "[[waiver]]\ncode = \"{code}\"\nsubject = \"{subject}\"\nowner = \"web-team\"\nreason = \"until the new image\"\nuntil = \
         {until}\nmax_hosts = {most}\n"
    )
}

/// Standard output without its line breaks.
fn flat(run: &Run) -> String {
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn whole(run: &Run, host: usize, code: &str, path: &str) -> String {
    let report = run.report.as_ref().unwrap();
    let name = report["hosts"][host]["name"].as_str().unwrap();
    run.finding(name, code, path)["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn waived_drift_is_shown_and_makes_no_candidate() {
    let scene = Scene::new();
    scene.host("web-01").change_unseen("/etc/nginx/nginx.conf");
    scene.host("web-02");
    scene.run().exits(2).says("web-01", "drifted");
    let file = scene.lab.path("accepted.toml");
    fs::write(&file, format!("{HEAD}{}", pattern("content-changed", "fs:/etc/nginx/**", "2999-12-31", 1))).unwrap();
    let run = scene.scan(&["--waivers", file.to_str().unwrap()]).run().succeeds().says("web-01", "clean");
    assert_eq!(run.host("web-01")["decision"], "keep", "{run}");
    let finding = run.finding("web-01", "content-changed", "/etc/nginx/nginx.conf");
    assert_eq!(finding["waiver"]["owner"], "web-team", "{run}");
    let report = run.report.as_ref().unwrap();
    assert_eq!(report["waivers"][0]["state"], "used");
    assert_eq!(report["digests"]["waivers"].as_str().map(str::len), Some(64));
    let line = run.stdout.lines().find(|line| line.starts_with("Waived")).unwrap();
    assert!(line.starts_with("Waived    1 on web-01: /etc/nginx/nginx.conf: content changed"), "{run}");
    assert!(flat(&run).contains("web-team, until 2999-12-31"), "{run}");
    // Another change on the same host is drift all the same.
    scene.host("web-03").remove("/usr/bin/tar");
    scene.scan(&["--waivers", file.to_str().unwrap()]).run().exits(2).says("web-01", "clean").says("web-03", "drifted");
}

#[test]
fn f39_expired_and_over_broad_waivers_are_void_and_said_so() {
    let folders = Folders::new(2);
    for host in &folders.hosts {
        host.change_unseen("/etc/nginx/nginx.conf");
    }
    folders.write(&pattern("content-changed", "fs:/etc/nginx/**", "2020-12-31", 9));
    let run = folders.scan(&[]).exits(2);
    assert!(flat(&run).contains("it expired on 2020-12-31"), "{run}");
    assert!(flat(&run).contains("Waivers are those of waivers.toml in the working directory."), "{run}");
    folders.write(&pattern("content-changed", "fs:/etc/nginx/**", "2999-12-31", 1));
    let run = folders.scan(&[]).exits(2);
    assert!(flat(&run).contains("over-broad: 2 hosts have it, and it may cover 1"), "{run}");
    assert_eq!(run.report.as_ref().unwrap()["waivers"][0]["state"], "void");
    // A pattern for whatever there is does not even load.
    folders.write(&pattern("content-changed", "fs:/**", "2999-12-31", 9));
    folders.scan(&[]).refused_with(&["waivers.toml:4:11", "over-broad"]);
    folders.write("[[waiver]]\nfingerprint = \"3f9a\"\nreson = \"x\"\n");
    folders.scan(&[]).refused_with(&[
        "64 digits",
        "did you mean `reason`?",
        "has no owner",
        "has no end",
        "how many hosts",
    ]);
    folders.scan(&["--waivers", "nowhere.toml"]).refused_with(&["nowhere.toml"]);
    folders.write("");
    let file = folders.lab.path("waivers.toml");
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    folders.scan(&[]).refused_with(&["other accounts", "chmod o-w"]);
}

#[test]
fn a_critical_finding_is_waived_by_its_whole_fingerprint_alone() {
    let folders = Folders::new(1);
    folders.hosts[0].append("/etc/sudoers", "%web ALL=(ALL) NOPASSWD: ALL\n");
    folders.write("");
    let run = folders.scan(&[]).exits(2);
    let name = run.only().to_owned();
    let codes: Vec<(String, String)> = run.host(&name)["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "critical")
        .map(|finding| {
            (finding["code"].as_str().unwrap().to_owned(), finding["fingerprint"].as_str().unwrap().to_owned())
        })
        .collect();
    let [(code, fingerprint)] = <[(String, String); 1]>::try_from(codes).unwrap();
    let subjects: Vec<String> =
        ["fs:/etc/sudoers", "record:/etc/sudoers#*"].map(|subject| pattern(&code, subject, "2999-12-31", 9)).into();
    folders.write(&subjects.concat());
    let run = folders.scan(&[]).exits(2);
    assert!(!run.stdout.contains("Waived"), "{run}");
    let waive = |name: &str| {
        folders.lab.driftscan(&["waive", name, "--reason", "x", "--owner", "me", "--until", &in_a_week()]).run()
    };
    waive(&fingerprint[..12]).refused_with(&["critical", &fingerprint]);
    waive(&fingerprint).succeeds();
    folders.scan(&[]).succeeds();
}

/// A day that `waive` takes, whenever the tests run.
fn in_a_week() -> String {
    let output = crate::lab::tool("date", &["-u", "-d", "7 days", "+%Y-%m-%d"]);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn waive_writes_a_waiver_and_keeps_every_byte() {
    let folders = Folders::new(2);
    for host in &folders.hosts {
        host.change_unseen("/etc/nginx/nginx.conf");
    }
    folders.hosts[0].remove("/usr/share/doc/tar/copyright");
    let run = folders.scan(&[]).exits(2);
    let shared = whole(&run, 0, "content-changed", "/etc/nginx/nginx.conf");
    let lab = &folders.lab;
    let waive = |args: &[&str]| lab.driftscan(&["waive"]).args(args).run();
    let week = in_a_week();
    let usual = ["--reason", "tuned \"by hand\"", "--owner", "web-team", "--until", week.as_str()];
    let with = |args: &[&'static str]| [&usual[..], args].concat();

    waive(&[&["ffffffff"][..], &usual].concat()).refused_with(&["no finding of run"]);
    waive(&[&["nginx"][..], &usual].concat()).refused_with(&["not the beginning of a fingerprint"]);
    waive(&[&[&shared[..8]][..], &with(&["--max-hosts", "1"])].concat()).refused_with(&["2 hosts have it"]);
    for (until, said) in [("2020-01-01", "that day is over"), ("2999-01-01", "more than a year"), ("soon", "no day")] {
        let typed = ["--reason", "x", "--owner", "me", "--until", until];
        waive(&[&[&shared[..8]][..], &typed].concat()).refused_with(&[said]);
    }
    waive(&[&shared[..8], "--reason", "x", "--until", &week]).refused_with(&["--owner"]);
    waive(&[&shared[..8], "--reason", " ", "--until", &week, "--owner", "me"]).refused_with(&["--reason"]);
    assert!(!lab.path("waivers.toml").exists(), "nothing was written until now");

    let before = format!("{HEAD}# ours, without a line feed at its end");
    fs::write(lab.path("waivers.toml"), &before).unwrap();
    let told = waive(&[&[&shared[..8]][..], &usual].concat()).succeeds();
    assert!(
        told.stdout.contains("/etc/nginx/nginx.conf: content changed") && told.stdout.contains("2 hosts"),
        "{told}"
    );
    let after = folders.read();
    assert!(after.starts_with(&before), "{after}");
    assert!(after.contains("# /etc/nginx/nginx.conf: content changed") && after.contains(&shared), "{after}");
    assert!(after.contains("reason = \"tuned \\\"by hand\\\"\"") && after.contains("max_hosts = 2"), "{after}");
    waive(&[&[&shared[..8]][..], &usual].concat()).refused_with(&["waived already"]);
    assert_eq!(folders.read(), after);
    let run = folders.scan(&[]).exits(2);
    let report = run.report.as_ref().unwrap();
    assert_eq!(report["hosts"][0]["verdict"], "drifted", "{run}");
    assert_eq!(report["hosts"][1]["verdict"], "clean", "{run}");
    // The report of an earlier run is what it was.
    lab.driftscan(&["report", "previous"]).run().exits(2);
    lab.driftscan(&["report"]).run().exits(2);
    // A file that a scan refuses is not added to.
    fs::write(lab.path("waivers.toml"), format!("{HEAD}[[waiver]]\n")).unwrap();
    waive(&[&[&shared[..8]][..], &usual].concat()).refused_with(&["waivers.toml:2:1"]);
}

#[test]
fn explain_tells_the_story_of_a_finding_a_path_and_a_code() {
    let scene = Scene::new();
    scene.host("web-01").change_unseen("/etc/nginx/nginx.conf");
    scene.host("web-02").change_unseen("/etc/nginx/nginx.conf");
    let run = scene.run().exits(2);
    let finding = run.finding("web-01", "content-changed", "/etc/nginx/nginx.conf");
    let fingerprint = finding["fingerprint"].as_str().unwrap();
    assert!(run.stdout.contains(&format!("driftscan explain {}", &fingerprint[..8])), "{run}");
    let explain = |args: &[&str]| scene.lab.driftscan(&["explain"]).args(args).run();
    let story = explain(&[&fingerprint[..8]]).succeeds();
    for text in [
        "/etc/nginx/nginx.conf: content changed",
        fingerprint,
        "web-01 web-02 (2 of 2 hosts)",
        finding["after"]["content"].as_str().unwrap(),
        finding["before"]["content"].as_str().unwrap(),
        "Why it matters",
        "driftscan explain web-01 /etc/nginx/nginx.conf",
        "driftscan waive",
    ]
    .map(|text| text.replace("web-01 web-02", "web-[01-02]"))
    {
        assert!(story.stdout.contains(&text), "no {text:?}\n{story}");
    }
    // A digest in full is as long as it is.
    assert!(story.stdout.lines().all(|line| line.len() <= 80 || line.contains("sha256:")), "{story}");
    let path = explain(&["web-02", "/etc/nginx/nginx.conf"]).succeeds();
    assert!(path.stdout.contains(&fingerprint[..8]) && flat(&path).contains("drifted from web@2026.11.1"), "{path}");
    let path = explain(&["web-02", "/usr/bin/tar"]).succeeds();
    assert!(flat(&path).contains("No finding: it is as the baseline has it"), "{path}");
    let code = explain(&["sshd-changed"]).succeeds();
    assert!(code.stdout.contains("Compared") && flat(&code).contains("Replace the host"), "{code}");
    explain(&["sshd-chnged"]).refused_with(&["neither a fingerprint nor a code"]);
    explain(&["web-09", "/etc"]).refused_with(&["no host web-09"]);
    explain(&["web-01", "etc"]).refused_with(&["begins with /"]);
    explain(&["00000000"]).refused_with(&["no finding of run"]);
}

#[test]
fn a_run_that_is_taken_up_is_settled_as_a_whole() {
    let scene = Scene::new();
    scene.host("web-01").change_unseen("/etc/nginx/nginx.conf");
    scene.line("127.0.0.1:1 name=web-02");
    let first = scene.scan(&["--quiet"]).run().exits(2);
    let run = first.report.as_ref().unwrap()["run"].as_str().unwrap().to_owned();
    let waivers = pattern("content-changed", "fs:/etc/nginx/**", "2999-12-31", 1);
    fs::write(scene.lab.path("waivers.toml"), format!("{HEAD}{waivers}")).unwrap();
    let second = scene.scan(&["--resume", &run]).run().exits(3).says("web-01", "clean");
    assert_eq!(second.report.as_ref().unwrap()["resumed"]["hosts"], 1, "{second}");
    fs::remove_file(scene.lab.path("waivers.toml")).unwrap();
    let run = second.report.as_ref().unwrap()["run"].as_str().unwrap().to_owned();
    scene.scan(&["--resume", &run]).run().exits(2).says("web-01", "drifted");
}
