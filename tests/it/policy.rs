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
