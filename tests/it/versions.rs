//! Hosts between versions: with which one they are compared, what os-release has to say about it, and what is told.

use crate::lab::{Lab, Options, Run, Scene, Tree};
use std::fs;

/// Three versions of a template, each an upgrade of the one before that changes forty files, a package and an account.
struct Versions {
    lab: Lab,
    trees: [Tree; 3],
}

impl Versions {
    /// Captures them; `stamp` gives what os-release of a version says besides.
    fn new(stamp: impl Fn(usize) -> String) -> Self {
        Self::with_capture(stamp, Lab::capture)
    }

    fn with_capture(stamp: impl Fn(usize) -> String, capture: impl Fn(&Lab, &str, &Tree)) -> Self {
        let lab = Lab::new();
        let golden = lab.golden_root();
        let trees = [1, 2, 3].map(|version| {
            let tree = lab.clone_root(&golden, &format!("golden-{version}"));
            tree.append("/usr/lib/os-release", &stamp(version));
            upgrade(&tree, version);
            capture(&lab, &format!("web@2026.11.{version}"), &tree);
            tree
        });
        Self { lab, trees }
    }

    /// A host that was built from a version.
    fn host(&self, version: usize, name: &str) -> Tree {
        self.lab.clone_root(&self.trees[version - 1], name)
    }

    fn scan(&self, host: &Tree, args: &[&str]) -> Run {
        self.lab.driftscan(&["scan", &host.target()]).reported().args(args).run()
    }
}

/// What a version has in its own way.
fn upgrade(tree: &Tree, version: usize) {
    for number in 0..40 {
        tree.write(format!("/usr/lib/nginx/modules/module-{number:02}.so"), format!("module {number} of {version}\n"));
    }
    for account in 1..=version {
        tree.append("/etc/passwd", &format!("app{account}:x:500{account}:500{account}::/srv/app:/usr/sbin/nologin\n"));
    }
    tree.replace("/var/lib/dpkg/status", "Version: 12.4+deb12u12", &format!("Version: 12.4+deb12u1{version}"));
}

fn image(version: usize) -> String {
    format!("IMAGE_ID=web\nIMAGE_VERSION=2026.11.{version}\n")
}

fn nothing(_: usize) -> String {
    String::new()
}

/// What standard output says, in one line.
fn flat(run: &Run) -> String {
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn one_change_of_an_older_version_is_one_finding() {
    let versions = Versions::new(nothing);
    let host = versions.host(1, "web-07");
    host.append("/etc/passwd", "deploy2:x:0:0::/root:/bin/bash\n");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    assert_eq!(run.verdict(&name), "drifted");
    assert_eq!(run.host(&name)["reference"], "web@2026.11.1");
    assert_eq!(run.host(&name)["versions_behind"], 2);
    // The sentence is made of the older version's own text: the accounts of newer ones are no part of it.
    let findings = run.host(&name)["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{run}");
    assert!(findings[0]["title"].as_str().unwrap().contains("deploy2"), "{run}");
    assert_eq!(findings[0]["severity"], "critical", "{run}");
    assert!(flat(&run).contains("drifted from web@2026.11.1, 2 versions behind: 1 critical"), "{run}");
}

#[test]
fn the_selected_version_and_equal_ones_are_judged_as_ever() {
    let versions = Versions::new(nothing);
    let newest = versions.host(3, "newest");
    versions.scan(&newest, &[]).succeeds();
    newest.change_unseen("usr/bin/ls");
    let run = versions.scan(&newest, &[]).exits(2);
    let name = run.only().to_owned();
    assert_eq!(
        (&run.host(&name)["reference"], &run.host(&name)["versions_behind"]),
        (&"web@2026.11.3".into(), &().into())
    );
    let run = versions.scan(&versions.host(2, "older"), &[]).exits(2);
    let name = run.only().to_owned();
    assert_eq!((run.verdict(&name), &run.host(&name)["versions_behind"]), ("outdated", &1.into()));
    assert!(flat(&run).contains("outdated: exactly web@2026.11.2, 1 version behind, no local change"), "{run}");
}

#[test]
fn what_was_brought_along_from_a_newer_version_says_so() {
    let versions = Versions::new(nothing);
    let host = versions.host(1, "mixed");
    let file = "/usr/lib/nginx/modules/module-07.so";
    host.write(file, fs::read(versions.trees[2].at(file)).unwrap());
    let run = versions.scan(&host, &["-v"]).exits(2);
    let name = run.only().to_owned();
    let run = run.drifted(&name, &[("content-changed", file)]);
    let said = run.finding(&name, "content-changed", file)["explanation"].to_string();
    assert!(said.contains("as in web@2026.11.3"), "{run}");
    assert!(flat(&run).contains("as in web@2026.11.3"), "{run}");
}

#[test]
fn a_waiver_of_all_its_drift_leaves_it_outdated() {
    let versions = Versions::new(nothing);
    let host = versions.host(1, "web-07");
    host.change_unseen("usr/bin/ls");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    let fingerprint = run.host(&name)["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    let file = versions.lab.path("waivers.toml");
    let waiver = format!(
        "schema = \"driftscan.waivers/v1\"\n[[waiver]]\nfingerprint = \"{fingerprint}\"\nowner = \"web-team\"\nreason = \
         \"known\"\nuntil = \"2099-12-31\"\nmax_hosts = 1\n"
    );
    fs::write(&file, waiver).unwrap();
    let run = versions.scan(&host, &["--waivers", file.to_str().unwrap()]).exits(2).says(&name, "outdated");
    assert_eq!(run.host(&name)["versions_behind"], 2);
    assert!(flat(&run).contains("nearest to web@2026.11.1, 2 versions behind: 1 waived"), "{run}");
}

#[test]
fn image_version_chooses_and_disagreement_is_a_finding() {
    let versions = Versions::new(image);
    versions.scan(&versions.host(3, "newest"), &[]).succeeds();
    let host = versions.host(1, "honest");
    host.change_unseen("usr/bin/ls");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    let run = run.drifted(&name, &[("content-changed", "/usr/bin/ls")]);
    assert_eq!(run.host(&name)["reference"], "web@2026.11.1");
    let image = &run.host(&name)["evidence"]["image"];
    assert_eq!((&image["id"], &image["version"]), (&"web".into(), &"2026.11.1".into()));

    // The content of the newest version under the name of the one before.
    let host = versions.host(3, "liar");
    host.replace("/usr/lib/os-release", "IMAGE_VERSION=2026.11.3", "IMAGE_VERSION=2026.11.2");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    assert_eq!(run.host(&name)["reference"], "web@2026.11.2");
    let finding = run.finding(&name, "image-mismatch", "fact:image.version");
    assert_eq!(finding["severity"], "high", "{run}");
    let title = "os-release says image version 2026.11.2, and the content is nearer to web@2026.11.3";
    assert_eq!(finding["title"], title, "{run}");
    // Of all that is grave it is told first, since it explains the rest.
    assert!(flat(&run).contains("HIGH os-release says image version 2026.11.2, and the content"), "{run}");
    let newer = run.finding(&name, "content-changed", "/usr/lib/nginx/modules/module-07.so");
    assert!(newer["explanation"].to_string().contains("as in web@2026.11.3"), "{run}");
}

#[test]
fn another_templates_image_and_an_unknown_version_are_told() {
    let versions = Versions::new(image);
    let host = versions.host(3, "stray");
    host.replace("/usr/lib/os-release", "IMAGE_ID=web", "IMAGE_ID=api");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    assert_eq!(run.host(&name)["reference"], "web@2026.11.3");
    assert_eq!(run.finding(&name, "image-mismatch", "fact:image.id")["severity"], "high");

    let host = versions.host(2, "unknown");
    host.replace("/usr/lib/os-release", "2026.11.2", "2026.12.1");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    assert_eq!(run.host(&name)["reference"], "web@2026.11.2");
    assert_eq!(run.finding(&name, "image-mismatch", "fact:image.version")["severity"], "info");
}

#[test]
fn hostile_image_words_do_no_harm() {
    let versions = Versions::new(image);
    for (number, word) in
        ["\x1b[2J\x07\u{202e}", &"9".repeat(10_000), "\"2026.11.1\" ; rm", "\\u{41}"].iter().enumerate()
    {
        let host = versions.host(3, &format!("hostile-{number}"));
        host.replace("/usr/lib/os-release", "2026.11.3", word);
        let run = versions.scan(&host, &["-v"]).exits(2);
        let name = run.only().to_owned();
        assert_eq!(run.host(&name)["reference"], "web@2026.11.3", "{run}");
        let shown = run.host(&name)["evidence"]["image"]["version"].as_str().unwrap().to_owned();
        assert!(shown.chars().count() <= 1_600 && !shown.chars().any(char::is_control), "{shown}");
        assert!(!run.stdout.contains(['\x1b', '\u{202e}']), "{run}");
        assert!(run.stdout.lines().all(|line| line.chars().count() <= 400), "{run}");
    }
}

#[test]
fn a_capture_tells_where_its_image_has_another_version() {
    let versions = Versions::with_capture(
        |_| "IMAGE_ID=web\nIMAGE_VERSION=7\n".to_owned(),
        |lab, label, tree| {
            let run = lab.driftscan(&["baseline", "capture", label, "--from", &tree.target()]).run().succeeds();
            assert!(run.stderr.contains("says image version 7, and the baseline is web@2026.11."), "{run}");
        },
    );
    let run = versions.lab.driftscan(&["baseline", "show", "web@2026.11.2"]).run().succeeds();
    assert!(run.stdout.contains("\n  image     web 7\n"), "{run}");
    // All say the same, and nobody is the wiser; nobody is blamed either.
    versions.scan(&versions.host(3, "newest"), &[]).succeeds();
    let host = versions.host(2, "older");
    host.change_unseen("usr/bin/ls");
    let run = versions.scan(&host, &[]).exits(2);
    let name = run.only().to_owned();
    let run = run.drifted(&name, &[("content-changed", "/usr/bin/ls")]);
    assert_eq!(run.host(&name)["reference"], "web@2026.11.2");
}

#[test]
fn a_golden_machine_without_an_image_is_captured_as_before() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let run = lab.driftscan(&["baseline", "capture", "web@1", "--from", &golden.target()]).run().succeeds();
    assert_eq!(run.stderr, "", "{run}");
    let head = fs::read_to_string(lab.baseline("web", "1")).unwrap();
    assert!(!head.lines().next().unwrap().contains("\"image\":"), "{head}");
}

#[test]
fn the_code_has_a_text() {
    let lab = Lab::new();
    let run = lab.driftscan(&["explain", "image-mismatch"]).run().succeeds();
    assert!(run.stdout.contains("IMAGE_VERSION"), "{run}");
}

/// Over SSH, by the probe and by the sh way.
#[test]
fn a_server_between_versions_is_compared_with_the_nearest_one() {
    let scene = Scene::with(&Options::default(), |golden| golden.append("/usr/lib/os-release", &image(1)));
    let probe = scene.host("web-probe");
    let shell = scene.lab.clone_root(&scene.golden, "web-shell");
    scene.line(&format!("{} probe=sh", scene.sshd.line("web-shell", &shell)));
    for version in [2, 3] {
        let before = format!("2026.11.{}", version - 1);
        scene.golden.replace("/usr/lib/os-release", &before, &format!("2026.11.{version}"));
        upgrade_again(&scene.golden, version);
        scene.lab.capture(&format!("web@2026.11.{version}"), &scene.golden);
    }
    for host in [&probe, &shell] {
        host.append("/etc/nginx/nginx.conf", "# by hand\n");
        host.chmod("/usr/bin/vim", 0o4755);
    }
    let policy = scene.lab.path("policy.toml");
    let excusing = "schema = \"driftscan.policy/v1\"\nexcuse_unseen = [\"capabilities\", \"acls\", \"xattrs\", \"flags\", \
                    \"views\", \"kernel-settings\"]\nexcuse_unreadable = [\"/home/anna/**\", \"/var/spool/cron/crontabs/**\"]\n";
    fs::write(&policy, excusing).unwrap();
    let run = scene.scan(&["--policy", policy.to_str().unwrap()]).run().exits(2);
    for name in ["web-probe", "web-shell"] {
        assert_eq!(run.host(name)["reference"], "web@2026.11.1", "{run}");
        assert_eq!(run.host(name)["versions_behind"], 2, "{run}");
        assert_eq!(run.host(name)["evidence"]["image"]["version"], "2026.11.1", "{run}");
        let expected = [("content-changed", "/etc/nginx/nginx.conf"), ("mode-changed", "/usr/bin/vim")];
        assert_eq!(run.findings(name), expected.into(), "{run}");
    }
    // The golden text of that version is what the diff is made against.
    let diff = run.finding("web-probe", "content-changed", "/etc/nginx/nginx.conf")["diff"].to_string();
    assert!(diff.contains("+# by hand") && !diff.contains("of version"), "{run}");
}

/// A smaller upgrade in place, with a text of its own that diffs would show.
fn upgrade_again(tree: &Tree, version: usize) {
    for number in 0..12 {
        tree.write(format!("/usr/lib/nginx/modules/module-{number:02}.so"), format!("module {number} of {version}\n"));
    }
    tree.append("/etc/nginx/nginx.conf", &format!("# of version {version}\n"));
}
