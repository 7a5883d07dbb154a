//! The policy as a person writes it.

use crate::lab::{Lab, Run, Scene};
use std::fs;

const HEAD: &str = "schema = \"driftscan.policy/v1\"\nextends = [\"auto\"]\n";

/// Scans with this policy.
fn under(scene: &Scene, policy: &str) -> Run {
    let file = scene.lab.path("policy.toml");
    fs::write(&file, policy).unwrap();
    scene.scan(&["--policy", file.to_str().unwrap()]).run()
}

#[test]
fn a_path_can_be_ignored_with_a_reason_and_the_coverage_counts_it() {
    let scene = Scene::new();
    scene.host("web-01").write("/opt/app/cache/page", "x");
    let rule = "[[rule]]\npath = \"/opt/app/**\"\ntreatment = \"ignore\"\nreason = \"rebuilt at start\"\n[[rule]]\npath = \"/opt/app\"\ntreatment = \"ignore\"\nreason = \"made at start\"\n";
    let run = under(&scene, &format!("{HEAD}{rule}")).succeeds().says("web-01", "clean");
    let coverage = run.host("web-01")["coverage"].to_string();
    assert!(coverage.contains("/opt/app"), "{coverage}");
}

#[test]
fn weakening_without_a_reason_is_refused_with_its_line() {
    let scene = Scene::new();
    scene.host("web-01");
    let rule = "[[rule]]\npath = \"/opt/app/**\"\ntreatment = \"ignore\"\n";
    under(&scene, &format!("{HEAD}{rule}")).refused_with(&["policy.toml", "reason"]);
}

#[test]
fn the_last_rule_that_matches_wins() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.change_unseen("/etc/nginx/nginx.conf");
    host.change_unseen("/etc/nginx/mime.types");
    let rules = "[[rule]]\npath = \"/etc/nginx/**\"\ntreatment = \"metadata\"\nreason = \"generated\"\n[[rule]]\npath = \"/etc/nginx/nginx.conf\"\ntreatment = \"strict\"\n";
    under(&scene, &format!("{HEAD}{rules}"))
        .exits(2)
        .drifted("web-01", &[("content-changed", "/etc/nginx/nginx.conf")]);
}

#[test]
fn presence_sees_only_that_it_is_there() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.change_unseen("/etc/nginx/nginx.conf");
    host.chmod("/etc/nginx/nginx.conf", 0o600);
    let rule = "[[rule]]\npath = \"/etc/nginx/nginx.conf\"\ntreatment = \"presence\"\nreason = \"templated\"\n";
    under(&scene, &format!("{HEAD}{rule}")).succeeds();
    host.remove("/etc/nginx/nginx.conf");
    under(&scene, &format!("{HEAD}{rule}")).exits(2).drifted("web-01", &[("file-removed", "/etc/nginx/nginx.conf")]);
}

#[test]
fn drift_at_decides_what_is_drift_and_hides_nothing() {
    let scene = Scene::new();
    scene.host("web-01").write("/usr/share/doc/tar/notes", "x");
    let rule = "[[rule]]\npath = \"/usr/share/doc/**\"\nseverity = \"info\"\nreason = \"documents\"\n";
    let run =
        under(&scene, &format!("schema = \"driftscan.policy/v1\"\nextends = [\"auto\"]\ndrift_at = \"high\"\n{rule}"));
    let run = run.succeeds().says("web-01", "clean");
    assert!(run.findings("web-01").contains(&("file-added", "/usr/share/doc/tar/notes")), "{run}");
}

#[test]
fn a_typo_is_refused_with_its_line() {
    let scene = Scene::new();
    scene.host("web-01");
    for (policy, told) in [
        ("schema = \"driftscan.policy/v1\"\ndrift_at = \"lwo\"\n", "lwo"),
        ("schema = \"driftscan.policy/v1\"\ndrfit_at = \"low\"\n", "drfit_at"),
        ("schema = \"driftscan.policy/v9\"\n", "v9"),
        ("drift_at = \"low\"\n", "schema"),
        ("schema = \"driftscan.policy/v1\"\n[[rule]]\npath = \"relative/**\"\ntreatment = \"strict\"\n", "relative"),
        ("schema = \"driftscan.policy/v1\"\n[[rule]]\npath = \"/x\"\ntreatment = \"stirct\"\n", "stirct"),
        ("schema = \"driftscan.policy/v1\"\nextends = [\"autoo\"]\n", "autoo"),
        ("this is no TOML", "policy.toml"),
    ] {
        under(&scene, policy).refused_with(&["policy.toml", told]);
    }
}

#[test]
fn a_policy_that_compares_nothing_is_refused() {
    let scene = Scene::new();
    scene.host("web-01").remove("/usr/bin/tar");
    let rule = "[[rule]]\npath = \"/**\"\ntreatment = \"ignore\"\nreason = \"peace and quiet\"\n";
    let run = under(&scene, &format!("{HEAD}{rule}"));
    assert!(matches!(run.code(), Some(1..=3)), "nothing compared is not clean\n{run}");
}

#[test]
fn a_missing_policy_is_refused() {
    let lab = Lab::new();
    lab.hosts_file(&["127.0.0.1:1 name=web-01"]);
    lab.scan(&["--policy", "nowhere.toml"]).run().refused_with(&["nowhere.toml"]);
}

#[test]
fn checking_a_policy_tells_what_it_stands_on_and_what_matches_nothing() {
    let scene = Scene::new();
    let rules = "[[rule]]\npath = \"/etc/nginx/**\"\ntreatment = \"metadata\"\nreason = \"generated\"\n\n[[rule]]\npath = \"/etc/ngnix/**\"\nseverity = \"high\"\n";
    let file = scene.lab.path("policy.toml");
    fs::write(&file, format!("{HEAD}{rules}")).unwrap();
    let file = file.to_str().unwrap();
    let run = scene.lab.driftscan(&["policy", "check", "--policy", file]).run().succeeds();
    let told = run.stdout.clone();
    for word in ["policy.toml: ok", "linux, debian", "match nothing", "policy.toml:8", "/etc/ngnix/**"] {
        assert!(told.contains(word), "{word}\n{run}");
    }
    assert!(!told.contains("policy.toml:3"), "a rule that matches something is not told\n{run}");
    fs::write(
        file,
        format!("{HEAD}[[rule]]\npath = \"/x\"\ntreatment = \"semantic\"\nview = \"paswd\"\nreason = \"r\"\n"),
    )
    .unwrap();
    let run = scene.lab.driftscan(&["policy", "check", "--policy", file]).run();
    run.refused_with(&["policy.toml:6", "did you mean \"passwd\""]);
}

#[test]
fn explaining_a_path_tells_the_rule_that_decides() {
    let scene = Scene::new();
    let rules = "[[rule]]\npath = \"/etc/nginx/**\"\ntreatment = \"metadata\"\nreason = \"generated by app-conf\"\n[content]\nsecret = [\"/etc/app/*.env\"]\n";
    let file = scene.lab.path("policy.toml");
    fs::write(&file, format!("{HEAD}{rules}")).unwrap();
    let explain = |path: &str| {
        let run =
            scene.lab.driftscan(&["policy", "explain", path, "--policy", file.to_str().unwrap()]).run().succeeds();
        run.stdout
    };
    let told = explain("/etc/nginx/nginx.conf");
    for word in ["metadata by /etc/nginx/**", "policy.toml:3", "generated by app-conf", "may be shown", "profile linux"]
    {
        assert!(told.contains(word), "{word}\n{told}");
    }
    let told = explain("/etc/sudoers");
    assert!(told.contains("semantic (sudoers) by /etc/sudoers") && told.contains("critical by /etc/sudoers"), "{told}");
    let told = explain("/tmp/x");
    assert!(told.contains("ignored by /tmp/**") && told.contains("an executable file     strict by"), "{told}");
    assert!(explain("/var/lib/docker/overlay2/x").contains("left out whole by /var/lib/docker/overlay2/**"));
    assert!(explain("/etc/app/x.env").contains("never leaves the host"));
    scene.lab.driftscan(&["policy", "explain", "etc/passwd"]).run().refused_with(&["absolute"]);
}

#[test]
fn a_scan_tells_rules_that_matched_nothing_once() {
    let scene = Scene::new();
    scene.host("web-01").write("/opt/tool/new", "x");
    scene.host("web-02");
    let rules = "[[rule]]\npath = \"/etc/ngnix/**\"\nseverity = \"high\"\n[[rule]]\npath = \"/opt/tool/*\"\nseverity = \"high\"\n[[rule]]\npath = \"/etc/nginx/**\"\nseverity = \"high\"\n";
    let run = under(&scene, &format!("{HEAD}{rules}")).exits(2);
    let told = run.to_string();
    assert_eq!(told.matches("/etc/ngnix/**").count(), 1, "{told}");
    assert!(told.contains("matched nothing") && told.contains("policy.toml:3"), "{told}");
    assert!(!told.contains("policy.toml:6") && !told.contains("policy.toml:9"), "{told}");
}

#[test]
fn what_hides_under_ignored_trees_is_found() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    for path in [
        "/tmp/evil.service",
        "/var/tmp/.x/evil.timer",
        "/var/tmp/lib.so",
        "/var/lib/app/.ssh/authorized_keys",
        "/home/anna/.ssh/rc",
        "/home/anna/ld.so.preload",
    ] {
        host.write(path, "x");
    }
    for path in ["/tmp/run", "/var/log/run", "/var/cache/app/run", "/home/anna/bin/run", "/root/.cache/run"] {
        host.write(path, "x");
        host.chmod(path, 0o755);
    }
    for path in ["/tmp/notes", "/var/log/app.log", "/home/anna/notes", "/var/cache/app/page"] {
        host.write(path, "x");
    }
    host.write("/home/anna/src/deep/suid", "x");
    host.chmod("/home/anna/src/deep/suid", 0o4755);
    let run = scene.scan(&[]).run().exits(2);
    let found: Vec<&str> = run.findings("web-01").iter().map(|(_, path)| *path).collect();
    for path in [
        "/tmp/evil.service",
        "/var/tmp/.x/evil.timer",
        "/var/tmp/lib.so",
        "/var/lib/app/.ssh/authorized_keys",
        "/home/anna/.ssh/rc",
        "/home/anna/ld.so.preload",
        "/tmp/run",
        "/var/log/run",
        "/var/cache/app/run",
        "/home/anna/bin/run",
        "/root/.cache/run",
        "/home/anna/src/deep/suid",
    ] {
        assert!(found.contains(&path), "{path} {run}");
    }
    for path in ["/tmp/notes", "/var/log/app.log", "/home/anna/notes", "/var/cache/app/page"] {
        assert!(!found.contains(&path), "{path} {run}");
    }
}
