//! The hosts file and what else a person writes: refused with place and remedy, everything at once, status 1.

use crate::lab::{Lab, Scene};
use std::fs;

/// A lab with a baseline, so that only the hosts file can be wrong.
fn lab() -> Lab {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    lab
}

#[test]
fn missing() {
    lab().scan(&[]).run().refused_with(&["hosts.txt"]);
}

#[test]
fn empty() {
    let lab = lab();
    lab.hosts_file(&["# nobody", "", "[web] template=web"]);
    lab.scan(&[]).run().refused_with(&["hosts.txt"]);
}

#[test]
fn all_mistakes_at_once_with_their_lines() {
    let lab = lab();
    lab.hosts_file(&[
        "[web] template=web",
        "web-01:99999",
        "web-02.example.net",
        "-oProxyCommand=id",
        "web-03; rm -rf /",
        "web-04 root=relative",
        "web-[01-99999999]",
        "web-05 sudo=perhaps",
    ]);
    let run = lab.scan(&[]).run().refused_with(&[
        "hosts.txt:2",
        "hosts.txt:4",
        "hosts.txt:5",
        "hosts.txt:6",
        "hosts.txt:7",
        "hosts.txt:8",
    ]);
    assert!(!run.stderr.contains("hosts.txt:3:"), "{run}");
    assert!(run.stdout.is_empty(), "{run}");
    assert!(!lab.path("reports").exists() || fs::read_dir(lab.path("reports")).unwrap().count() == 0);
}

#[test]
fn f55_no_field_carries_a_command_or_a_flag() {
    let lab = lab();
    for line in [
        "-oProxyCommand=id",
        "web$(id)",
        "web`id`",
        "a|b",
        "web-01;id",
        "-l@web-01",
        "us er@web-01",
        "$(id)@web-01",
        "web-01 name=-rf",
        "web-01 name=$(id)",
        "web-01 identity=-oProxyCommand=id",
        "web-01 root=/srv;id",
        "web-01 jump=-oProxyCommand=id",
        "web-01 jump=$(id)",
        "-oProxyCommand=id@web-01",
        "web-01 identity=$(id)",
        "web-01 name=a\\nb",
        "web-01:22;id",
        "web-01 host-key=MD5:00",
        "web-01 name=../../etc",
        "web\u{202e}01",
        "web\x1b[2J01",
    ] {
        lab.hosts_file(&[line]);
        let run = lab.scan(&[]).run().refused_with(&["hosts.txt:1"]);
        assert!(!run.stderr.contains('\x1b') && !run.stderr.contains('\u{202e}'), "{run}");
    }
}

#[test]
fn no_jump_and_the_ways_there_are_can_be_written() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    scene.line(&format!("{} jump=none transport=ssh2 probe=stream zone=eu-west-1a", scene.sshd.line("web-01", &root)));
    scene.run().succeeds().says("web-01", "clean");
}

#[test]
fn crlf_bom_comments_and_blanks_are_read() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    let line = scene.sshd.line("web-01", &root);
    fs::write(
        scene.lab.path("hosts.txt"),
        format!("\u{feff}# the fleet\r\n\r\n[*]  owner=web-team\r\n[web]   template=web   # the newest\r\n\t{line} # first\r\n"),
    )
    .unwrap();
    scene.run().succeeds().says("web-01", "clean");
}

#[test]
fn a_host_written_twice_is_warned_about_and_scanned_once() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    let line = scene.sshd.line("web-01", &root);
    scene.line(&line);
    scene.line(&line);
    let run = scene.run().succeeds();
    assert!(run.stderr.contains("hosts.txt:3"), "{run}");
    assert_eq!(run.report.as_ref().unwrap()["hosts"].as_array().unwrap().len(), 1);
}

#[test]
fn an_unknown_template_is_refused() {
    let lab = lab();
    lab.hosts_file(&["127.0.0.1:1 name=db-01 template=database"]);
    lab.scan(&[]).run().refused_with(&["database"]);
}

#[test]
fn an_unknown_version_is_refused() {
    let lab = lab();
    lab.hosts_file(&["127.0.0.1:1 name=web-01"]);
    lab.scan(&["--baseline", "web@7"]).run().refused_with(&["web@7"]);
}

#[test]
fn no_baseline_at_all_says_how_to_make_one() {
    let lab = Lab::new();
    lab.hosts_file(&["127.0.0.1:1 name=web-01"]);
    lab.scan(&[]).run().refused_with(&["baseline capture"]);
}

#[test]
fn the_only_template_is_taken_and_said() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    scene.lab.hosts_file(&[scene.sshd.line("web-01", &root)]);
    let run = scene.run().succeeds();
    let baselines = run.report.as_ref().unwrap()["digests"]["baselines"].as_array().unwrap();
    assert_eq!(baselines[0]["label"], "web@2026.11.1");
    assert!(baselines[0]["note"].is_string(), "{run}");
}

#[test]
fn a_limit_selects_and_a_limit_of_nobody_is_refused() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02").remove("/usr/bin/tar");
    let run = scene.scan(&["--limit", "web-01"]).run().succeeds();
    assert_eq!(run.report.as_ref().unwrap()["hosts"].as_array().unwrap().len(), 1);
    scene.scan(&["--limit", "web-0*"]).run().exits(2);
    scene.scan(&["--limit", "db-*"]).run().refused_with(&["db-*"]);
}

#[test]
fn usage_errors_are_1() {
    let lab = lab();
    for args in [&["scan", "--no-such-flag"][..], &["scan", "--jobs", "many"], &["baseline", "capture"]] {
        lab.driftscan(args).run().exits(1);
    }
    lab.driftscan(&["--help"]).run().succeeds();
    lab.driftscan(&["--version"]).run().succeeds();
}

#[test]
fn an_unwritable_reports_folder_is_refused_before_anybody_is_asked() {
    let scene = Scene::new();
    scene.host("web-01");
    fs::write(scene.lab.path("reports"), "a file in its place").unwrap();
    scene.scan(&[]).run().refused_with(&["reports"]);
    assert_eq!(scene.sshd.logins(), 0);
}
