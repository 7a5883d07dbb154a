//! The sh way: the same findings as by a probe, from hosts where no program of ours may run; what it can't see is never clean.

mod attacks;
mod shells;
mod streams;

use crate::lab::{Answer, Options, Run, Scene, SshHost, Tree, is_root, tool};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Accepts by name what no listing shows, and what root does not open in other people's folders.
const EXCUSING: &str = r#"schema = "driftscan.policy/v1"
excuse_unseen = ["capabilities", "acls", "xattrs", "flags", "views", "kernel-settings"]
excuse_unreadable = ["/home/anna/**", "/var/spool/cron/crontabs/**", "/opt/anna/**"]
"#;

/// Scans with a policy that accepts the gaps.
fn excusing(scene: &Scene) -> Run {
    let policy = scene.lab.path("policy.toml");
    std::fs::write(&policy, EXCUSING).unwrap();
    scene.scan(&["--policy", policy.to_str().unwrap()]).run()
}

/// The same tree once more as a host of its own: one place is one host.
fn copy(scene: &Scene, tree: &Tree, name: &str) -> Tree {
    tree.copy_to(&scene.lab.path("roots").join(name))
}

/// A host behind a server, by the sh way.
fn by_sh(scene: &Scene, server: &SshHost, name: &str, tree: &Tree) {
    scene.line(&format!("{} probe=sh", server.line(name, tree)));
}

/// A clone of the golden root behind the first server, by the sh way.
fn host(scene: &Scene, name: &str) -> Tree {
    let tree = scene.lab.clone_root(&scene.golden, name);
    by_sh(scene, &scene.sshd, name, &tree);
    tree
}

/// The findings of a host: code and subject, and the fingerprint that waivers go by.
///
/// Records of files that are read by a view are left out: the sh way can't see views.
fn told(run: &Run, name: &str) -> BTreeMap<(String, String), String> {
    let findings = run.host(name)["findings"].as_array().unwrap();
    let findings = findings.iter().filter(|f| !f["subject"].as_str().unwrap().starts_with("record:"));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    findings.map(|f| ((text(&f["code"]), text(&f["subject"])), text(&f["fingerprint"]))).collect()
}

/// Every kind of drift that a listing shows.
fn drift(tree: &Tree) {
    tree.change_unseen("/etc/nginx/nginx.conf");
    tree.append("/etc/hosts", "192.0.2.1 elsewhere\n");
    tree.write("/usr/local/bin/fix.sh", "#!/bin/sh\n");
    tree.write("/opt/agent/bin/agent", "x");
    tree.remove("/etc/nginx/conf.d/tls.conf");
    tree.remove("/etc/profile.d");
    tree.chmod("/usr/bin/vim", 0o4755);
    tree.chmod("/etc/ssh", 0o777);
    tree.link("/usr/bin/sh", "bash");
    tree.link("/usr/bin/cat", "/usr/bin/ls");
    tree.remove("/etc/crontab");
    tree.special("/etc/crontab", &["mkfifo"]);
    tree.replace("/var/lib/dpkg/status", "Package: curl\nStatus: install", "Package: curl\nStatus: hold");
    tree.replace("/usr/lib/os-release", "VERSION_ID=\"12\"", "VERSION_ID=\"12.9\"");
    tree.append("/etc/passwd", "bob:x:4300:4300::/:/bin/sh\n");
    if is_root() {
        tree.chown("/etc/nginx/mime.types", 4200, 0);
        tree.chown("/etc/default/nginx", 4242, 4242);
        tree.device("/opt/zero", 1, 5);
    }
}

#[test]
fn an_undrifted_host_is_clean_only_where_the_policy_names_what_nobody_saw() {
    let scene = Scene::new();
    host(&scene, "web-01");
    let run = scene.run().exits(3).unverifiable("web-01", "unreadable");
    assert!(run.stdout.contains("excuse_unseen = ["), "{run}");
    let troubles = run.host("web-01")["coverage"]["troubles"].as_array().unwrap();
    for word in ["capabilities", "acls", "xattrs", "flags"] {
        let named = |t: &&serde_json::Value| t["path"] == word && t["part"] == "source" && t["excused"] == false;
        assert_eq!(troubles.iter().filter(named).count(), 1, "{run}");
    }
    let run = excusing(&scene).exits(0).says("web-01", "clean");
    assert_eq!(run.host("web-01")["collector"], "sh", "{run}");
    let coverage = &run.host("web-01")["coverage"];
    assert!(coverage["troubles"].as_array().unwrap().iter().all(|trouble| trouble["excused"] == true), "{run}");
}

#[test]
fn every_unseen_attribute_is_excused_by_its_own_name() {
    let scene = Scene::new();
    host(&scene, "web-01");
    let policy = scene.lab.path("policy.toml");
    std::fs::write(&policy, EXCUSING.replace("\"acls\", ", "")).unwrap();
    let run = scene.scan(&["--policy", policy.to_str().unwrap()]).run().exits(3).unverifiable("web-01", "unreadable");
    assert!(run.stdout.contains("excuse_unseen = [\"acls\"]"), "{run}");
    std::fs::write(&policy, EXCUSING.replace("acls", "acl")).unwrap();
    scene.scan(&["--policy", policy.to_str().unwrap()]).run().refused_with(&["did you mean \"acls\"?"]);
}

#[test]
fn it_finds_what_a_probe_finds() {
    let scene = Scene::new();
    let tree = scene.host("web-01");
    drift(&tree);
    by_sh(&scene, &scene.sshd, "web-01-sh", &copy(&scene, &tree, "web-01-sh"));
    let run = scene.run().exits(2).says("web-01", "drifted").says("web-01-sh", "drifted");
    assert_eq!(told(&run, "web-01"), told(&run, "web-01-sh"), "{run}");
    assert!(told(&run, "web-01").len() > 14, "{run}");
    let (probe, sh) = (&run.host("web-01")["coverage"], &run.host("web-01-sh")["coverage"]);
    for count in ["walked", "compared", "ignored", "pruned", "packages", "skipped_mounts"] {
        assert_eq!(probe[count], sh[count], "{count}\n{run}");
    }
}

#[test]
fn names_that_people_and_programs_stumble_over() {
    let names: [&[u8]; 12] = [
        b"new\nline",
        b"forged\n0000000000000000000000000000000000000000000000000000000000000000  /etc/passwd",
        b"\x1b]0;owned\x07",
        b"not\xff\xfeutf8",
        b"-rf",
        b"--version",
        b"back\\slash",
        b" spaces  ",
        b"$(id)`id`'\"",
        b"{}",
        b"driftscan-sh-end",
        b"tab\tand\rreturn",
    ];
    let inside = |name: &[u8]| Path::new("/opt").join(std::ffi::OsStr::from_bytes(name));
    let scene = Scene::with(&Options::default(), |golden| {
        for name in names {
            golden.write(inside(name), name);
            golden.write(inside(&[name, b".d"].concat()).join("within"), name);
            let link = golden.at(inside(&[name, b".link"].concat()));
            std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(name), link).unwrap();
        }
        let deep = ["n"; 15].map(|n| n.repeat(240)).join("/");
        golden.write(Path::new("/opt").join(deep), "deep");
    });
    host(&scene, "web-01");
    let changed = host(&scene, "web-02");
    for name in names {
        changed.write(inside(name), "other");
    }
    changed.remove(inside(b"new\nline.link"));
    scene.line(&scene.sshd.line("web-02-probe", &copy(&scene, &changed, "web-02-probe")));
    let run = excusing(&scene).exits(2).says("web-01", "clean").says("web-02", "drifted");
    assert_eq!(told(&run, "web-02"), told(&run, "web-02-probe"), "{run}");
    assert_eq!(told(&run, "web-02").len(), names.len() + 1, "{run}");
}

#[test]
fn an_account_without_rights_names_what_it_may_not_read() {
    let powerless = if is_root() { Options::answering(Answer::as_nobody()) } else { Options::default() };
    let scene = Scene::with(&powerless, |golden| {
        tool("chmod", &["-R", "a+rX", golden.path().to_str().unwrap()]);
    });
    let tree = scene.host("web-01");
    tree.change_unseen("/etc/ssh/sshd_config");
    tree.chmod("/etc/ssh", if is_root() { 0o700 } else { 0o000 });
    tree.chmod("/etc/nginx/mime.types", 0o000);
    by_sh(&scene, &scene.sshd, "web-01-sh", &copy(&scene, &tree, "web-01-sh"));
    let run = scene.run().exits(2).says("web-01-sh", "drifted");
    assert_eq!(told(&run, "web-01"), told(&run, "web-01-sh"), "{run}");
    let troubles = run.host("web-01-sh")["coverage"]["troubles"].as_array().unwrap();
    let named = |path: &str, part: &str| troubles.iter().any(|t| t["path"] == path && t["part"] == part);
    assert!(named("/etc/ssh", "entries") && named("/etc/nginx/mime.types", "content"), "{run}");
}

#[test]
fn a_mount_over_paths_of_the_baseline_is_found() {
    if !is_root() {
        // A server with a mount namespace needs root; the listing alone is compared here.
        return it_finds_what_a_probe_finds();
    }
    let scene = Scene::new();
    let [root, other] = ["mounted", "other"].map(|name| scene.lab.clone_root(&scene.golden, name));
    let mount = |root: &Tree| {
        let place = root.path().display();
        format!("mount -t tmpfs none {place}/etc/nginx; mount --bind {place}/srv {place}/mnt; ")
    };
    let mounts = mount(&root) + &mount(&other) + "true";
    let server = scene.lab.sshd("mounting", &Options { mounts: Some(mounts), ..Options::default() });
    scene.line(&server.line("web-01", &root));
    by_sh(&scene, &server, "web-01-sh", &other);
    let run = scene.run().exits(2).says("web-01-sh", "drifted");
    assert!(run.findings("web-01-sh").contains(&("mount-hides", "/etc/nginx")), "{run}");
    assert_eq!(told(&run, "web-01"), told(&run, "web-01-sh"), "{run}");
}

#[test]
fn an_interrupted_package_database_is_no_empty_one() {
    let scene = Scene::new();
    host(&scene, "web-01").write("/var/lib/dpkg/updates/0001", "Package: curl\n");
    let cut = host(&scene, "web-02");
    let status = std::fs::read(cut.at("/var/lib/dpkg/status")).unwrap();
    cut.write("/var/lib/dpkg/status", &status[..status.len() - 20]);
    let run = excusing(&scene).exits(2).unverifiable("web-02", "packages");
    assert!(run.reasons("web-01").contains("packages"), "{run}");
    run.drifted("web-01", &[("file-added", "/var/lib/dpkg/updates/0001")]);
}

#[test]
fn nothing_is_captured_by_it() {
    let scene = Scene::new();
    let run = scene.lab.capture_from("web@2", &scene.sshd, &scene.golden).args(&["--probe", "sh"]).run();
    run.refused_with(&["does not see every attribute"]);
    assert!(!scene.lab.baseline("web", "2").exists());
}

#[test]
fn doctor_takes_the_same_steps() {
    let scene = Scene::new();
    host(&scene, "web-01");
    let hosts = scene.lab.path("hosts.txt");
    let run = scene.lab.connected(&["doctor", "web-01"]).flag("--fleet", &hosts).run().exits(3);
    assert!(run.stdout.contains("capabilities (unreadable)") && run.stdout.contains("excuse_unseen"), "{run}");
    let run = scene.lab.connected(&["doctor", "web-01", "--show-remote"]).flag("--fleet", &hosts).run().exits(0);
    assert!(run.stdout.contains("find \"$s\" -maxdepth") && !run.stdout.contains("mktemp"), "{run}");
}
