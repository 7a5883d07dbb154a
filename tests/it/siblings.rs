//! Calibration: what differs among freshly built siblings becomes rules that say so, and what no class explains is shown.

use crate::lab::{Lab, Run, Tree, tool};
use std::fs;

/// No profile at all: every byte is compared.
const BARE: &str = "schema = \"driftscan.policy/v1\"\nextends = []\n[[rule]]\npath = \"/**\"\ntreatment = \"strict\"\n";

/// What the first boot and the first hours make of a machine, `seed` being its own.
fn live(tree: &Tree, name: &str, seed: u8) {
    let id = format!("{seed:02x}").repeat(16);
    tree.write("/etc/machine-id", format!("{id}\n"));
    tree.write("/etc/hostname", format!("{name}\n"));
    // What each host has for itself has to be what it is named.
    let key = tree.at("/etc/ssh/ssh_host_ed25519_key");
    let _ = (fs::remove_file(&key), fs::remove_file(key.with_extension("pub")));
    tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", &format!("root@{name}"), "-f", key.to_str().unwrap()]);
    if name != "golden" {
        tree.replace("/etc/hosts", "golden", name);
    }
    tree.write("/var/lib/systemd/random-seed", [seed; 32]);
    tree.write("/var/log/syslog", format!("{name} booted\n").repeat(usize::from(seed)));
    tree.write(format!("/var/log/journal/{id}/system.journal"), [seed; 64]);
    tree.write("/var/cache/app/index.bin", [seed, 1, 2]);
    tree.write(format!("/var/lib/apt/lists/mirror-{name}_InRelease"), name);
    for module in 0..9 {
        tree.write(format!("/usr/lib/python3/__pycache__/m{module}.cpython-311.pyc"), [seed, module]);
    }
}

struct Family {
    lab: Lab,
    golden: Tree,
    siblings: Vec<Tree>,
}

fn family(change: impl Fn(&Tree)) -> Family {
    let lab = Lab::new();
    let golden = lab.golden_root();
    golden.replace("/etc/os-release", "ID=debian", "ID=foolinux");
    change(&golden);
    let names = ["sib-a", "sib-b", "sib-c"];
    let siblings: Vec<Tree> = names.iter().map(|name| lab.clone_root(&golden, name)).collect();
    live(&golden, "golden", 1);
    for (at, (tree, name)) in (2..).zip(siblings.iter().zip(names)) {
        live(tree, name, at);
    }
    fs::write(lab.path("bare.toml"), BARE).unwrap();
    Family { lab, golden, siblings }
}

impl Family {
    /// Captures with the first two siblings.
    fn capture(&self, policy: &[&str]) -> Run {
        let siblings = format!("{},{}", self.siblings[0].target(), self.siblings[1].target());
        let from = self.golden.target();
        let words = ["baseline", "capture", "web@1", "--from", &from, "--siblings", &siblings];
        self.lab.driftscan(&words).args(policy).run()
    }

    fn scan(&self, at: usize, policy: &[&str]) -> Run {
        self.lab.driftscan(&["scan", &self.siblings[at].target()]).args(policy).reported().run()
    }
}

#[test]
fn without_a_profile_a_sibling_that_taught_nothing_is_clean_and_a_drift_on_it_is_found() {
    let family = family(|_| {});
    let bare = ["--policy", "bare.toml"];
    let run = family.capture(&bare).succeeds();
    assert!(run.stdout.contains("rules learned from 2 siblings"), "{run}");
    assert!(!run.stderr.contains("to decide"), "{run}");
    let third = family.scan(2, &bare).exits(0);
    assert_eq!(third.verdict(third.only()), "clean", "{third}");
    let host = &family.siblings[2];
    host.change_unseen("/usr/bin/ls");
    host.write("/var/log/journal/run-me", "#!/bin/sh\n");
    host.chmod("/var/log/journal/run-me", 0o755);
    host.chmod("/etc/machine-id", 0o666);
    let run = family.scan(2, &bare).exits(2);
    let name = run.only().to_owned();
    run.drifted(
        &name,
        &[
            ("content-changed", "/usr/bin/ls"),
            ("file-added", "/var/log/journal/run-me"),
            ("mode-changed", "/etc/machine-id"),
        ],
    );
}

#[test]
fn on_an_unknown_distribution_siblings_teach_what_its_profile_lacks() {
    let family = family(|_| {});
    for tree in std::iter::once(&family.golden).chain(&family.siblings) {
        tree.write("/etc/hostid", tree.path().to_str().unwrap());
    }
    family.capture(&[]).succeeds();
    let third = family.scan(2, &[]).exits(0);
    assert_eq!(third.verdict(third.only()), "clean", "{third}");
    family.siblings[2].append("/etc/nginx/nginx.conf", "# by hand\n");
    family.scan(2, &[]).exits(2);
}

#[test]
fn each_learned_rule_names_its_class_its_paths_and_its_siblings() {
    let family = family(|_| {});
    family.capture(&["--policy", "bare.toml"]).succeeds();
    let plain = family.lab.driftscan(&["baseline", "show", "web@1"]).run().succeeds();
    assert!(plain.stdout.contains("rules learned from siblings"), "{plain}");
    let show = family.lab.driftscan(&["baseline", "show", "web@1", "--noise"]).run().succeeds().stdout;
    for text in [
        "/etc/machine-id (file)",
        "host-value by machine-id  identity: made at the first boot",
        "learned from /etc/machine-id on root:",
        "/var/log/journal/* (directory)",
        "/var/log/journal/*/**",
        "ignore  runtime-state",
        "/usr/lib/python3/__pycache__/*.pyc (file)",
        "derived  derived-cache",
    ] {
        assert!(show.contains(text), "no {text:?} in\n{show}");
    }
    // The rules are part of the canonical bytes, and the same machines give the same bytes.
    let first = fs::read(family.lab.baseline("web", "1")).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("\"noise\":[{\"path\":"));
    family.capture(&["--policy", "bare.toml"]).succeeds();
    assert!(first == fs::read(family.lab.baseline("web", "1")).unwrap());
}

#[test]
fn what_can_be_run_and_what_lets_in_is_shown_and_never_absorbed() {
    let family = family(|tree| {
        tree.write("/var/cache/app/tool", "#!/bin/sh\n");
        tree.chmod("/var/cache/app/tool", 0o755);
        tree.write("/opt/app/node.conf", "id = 1\n");
    });
    family.siblings[0].append("/var/cache/app/tool", "exit 1\n");
    family.siblings[0].append("/etc/ssh/sshd_config", "PermitRootLogin yes\n");
    family.siblings[1].replace("/opt/app/node.conf", "1", "2");
    let bare = ["--policy", "bare.toml"];
    let run = family.capture(&bare).succeeds();
    for text in [
        "3 differences among the siblings are for you to decide",
        "/var/cache/app/tool\n      content (on root:",
        "never learned: it can be run",
        "/etc/ssh/sshd_config\n",
        "never learned: who may log in",
        "/opt/app/node.conf\n",
        "no class explains it",
        "path = \"/opt/app/node.conf\"",
    ] {
        assert!(run.stderr.contains(text), "no {text:?}\n{run}");
    }
    // They stay drift where they are, and only there.
    let a = family.scan(0, &bare).exits(2);
    let name = a.only().to_owned();
    a.drifted(&name, &[("content-changed", "/var/cache/app/tool"), ("content-changed", "/etc/ssh/sshd_config")]);
    let b = family.scan(1, &bare).exits(2);
    let name = b.only().to_owned();
    b.drifted(&name, &[("content-changed", "/opt/app/node.conf")]);
    family.scan(2, &bare).exits(0);
}

/// A class says by which view a place is read; where that doesn't make the siblings equal, a person is told.
#[test]
fn what_still_differs_by_its_view_is_for_a_person() {
    let family = family(|_| {});
    family.siblings[0].append("/etc/hosts", "10.6.6.6 security.debian.org\n");
    let run = family.capture(&["--policy", "bare.toml"]).succeeds();
    let told = "/etc/hosts\n      content (on root:";
    assert!(run.stderr.contains("1 difference among the siblings is for you to decide"), "{run}");
    assert!(run.stderr.contains(told) && run.stderr.contains("read by the view hosts it differs"), "{run}");
}

#[test]
fn siblings_that_are_none_are_refused() {
    let family = family(|_| {});
    let golden = family.golden.target();
    let capture = |siblings: &str| {
        family.lab.driftscan(&["baseline", "capture", "web@1", "--from", &golden, "--siblings", siblings]).run()
    };
    capture(&golden).refused_with(&["the golden machine itself"]);
    let a = family.siblings[0].target();
    capture(&format!("{a},{a}")).refused_with(&["named twice"]);
    family.siblings[0].replace("/etc/os-release", "ID=foolinux", "ID=debian");
    capture(&a).refused_with(&["which the golden machine is not"]);
    assert!(!family.lab.baseline("web", "1").exists());
    // Two machines that share what each must have for itself are told of.
    family.siblings[1].write("/etc/machine-id", fs::read(family.siblings[2].at("/etc/machine-id")).unwrap());
    let both = format!("{},{}", family.siblings[1].target(), family.siblings[2].target());
    fs::write(family.lab.path("bare.toml"), BARE).unwrap();
    let words = ["baseline", "capture", "web@1", "--from", &golden, "--siblings", &both, "--policy", "bare.toml"];
    let run = family.lab.driftscan(&words).run().succeeds();
    assert!(run.stderr.contains("/etc/machine-id is the same on root:"), "{run}");
}
