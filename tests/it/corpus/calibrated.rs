//! The same root as a distribution that nothing is known of: what siblings teach has to be enough.
//!
//! *Invariant:* no rule is written by hand; what was not learned from two siblings is a finding on the third.

use super::drifts::DRIFTS;
use super::{judged, lines, root};
use crate::lab::{Lab, Tree, is_root};
use std::process::Command;

/// Drifts of each sort that a profile's own rules or none at all could hide.
const SOME: [&str; 8] = [
    "account: second root",
    "ssh: root may log in",
    "cron: a file",
    "unit: added",
    "unowned: a program",
    "file: silent, same size and time",
    "file: program replaced",
    "rights: setuid given",
];

/// What this distribution has besides: a file that names its host, and a cache of its own.
fn own(tree: &Tree, name: &str) {
    let id = std::fs::read_to_string(tree.at("/etc/machine-id")).unwrap();
    tree.write("/etc/foo/node.conf", format!("# this node\nname = {name}\nid = {id}level = 1\n"));
    tree.write("/usr/share/foo/icon-theme.cache", format!("icons of {name}"));
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever runs it must know")]
fn on_an_unknown_distribution_two_siblings_teach_enough_for_a_third() {
    if !is_root() {
        eprintln!("dpkg --root needs root; not run");
        return;
    }
    let lab = Lab::new();
    let golden = root::golden(&lab);
    golden.replace("/usr/lib/os-release", "ID=debian", "ID=foolinux");
    own(&golden, "golden");
    let host = |number: u8| {
        let name = format!("web-{number:02}");
        let tree = lab.clone_root(&golden, &name);
        root::live(&tree, &name, number);
        own(&tree, &name);
        tree
    };
    let siblings = format!("{},{}", host(1).target(), host(2).target());
    let words = ["baseline", "capture", "web@1", "--from", &golden.target(), "--siblings", &siblings];
    let capture = lab.driftscan(&words).run().succeeds();
    assert!(!capture.stderr.contains("to decide"), "{capture}");
    assert!(capture.stdout.contains("rules learned from 2 siblings"), "{capture}");
    let spoiled = host(3);
    let name = spoiled.target();
    let third = lab.driftscan(&["scan", &name]).reported().run();
    assert_eq!(third.verdict(&name), "clean", "{:#?}", third.host(&name)["findings"]);

    spoiled.replace("/etc/foo/node.conf", "level = 1", "level = 2");
    let some: Vec<_> = DRIFTS.iter().filter(|drift| SOME.contains(&drift.name)).collect();
    assert_eq!(some.len(), SOME.len());
    for drift in &some {
        let status = Command::new("bash").args(["-euc", drift.typed]).env("R", spoiled.path()).status().unwrap();
        assert!(status.success(), "{}", drift.name);
    }
    let run = lab.driftscan(&["scan", &name]).reported().run().exits(2);
    let lines = lines(&run, &name);
    let wrong: Vec<String> =
        some.iter().filter_map(|drift| Some(format!("{}: {}", drift.name, judged(drift, &lines)?))).collect();
    assert!(wrong.is_empty(), "{}\n{run}", wrong.join("\n"));
    assert_eq!(lines.len(), SOME.len() + 1, "{lines:#?}");
    assert!(lines.iter().any(|line| line.0.starts_with("/etc/foo/node.conf")), "{lines:#?}");
}
