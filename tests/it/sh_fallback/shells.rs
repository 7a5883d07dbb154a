//! The shells and tools of other systems: bash and busybox ash in place of dash, other login shells, tools that are missing.

use super::{by_sh, copy, drift, excusing, told};
use std::io::Write as _;

use crate::lab::{Answer, Lab, Options, Scene, SshHost, is_root, program};

/// A server whose every program is busybox's, in a root of its own where the lab's folders are too.
fn busybox(lab: &Lab, name: &str, change: &str) -> SshHost {
    let root = lab.path(name);
    std::fs::create_dir(&root).unwrap();
    let (root, lab_dir, busybox) = (root.display(), lab.path("roots"), program("busybox"));
    let (roots, busybox) = (lab_dir.display(), busybox.display());
    let mounts = format!(
        "set -e; cd {root}; mount -t tmpfs none .; cd {root}; mkdir -p bin sbin usr/bin usr/sbin proc dev .{roots}; \
         cp {busybox} bin/busybox; chroot . /bin/busybox --install -s; ln -sf /bin/busybox usr/bin/env; \
         mount -t proc none proc; mknod -m 666 dev/null c 1 3; mount --bind {roots} .{roots}; {change}; cd /; set +e"
    );
    let answer = Some(Answer::under(&format!("exec chroot {root}")));
    lab.sshd(name, &Options { mounts: Some(mounts), answer, ..Options::default() })
}

/// Scans a drifted and an undrifted clone through a server, and compares with what a probe finds.
fn is_as_good_as_a_probe(scene: &Scene, server: &SshHost) {
    let tree = scene.host("web-01");
    drift(&tree);
    by_sh(scene, server, "web-01-sh", &copy(scene, &tree, "web-01-sh"));
    by_sh(scene, server, "web-02-sh", &scene.lab.clone_root(&scene.golden, "web-02"));
    let run = excusing(scene).exits(2).says("web-01-sh", "drifted").says("web-02-sh", "clean");
    assert_eq!(told(&run, "web-01"), told(&run, "web-01-sh"), "{run}");
}

#[test]
fn bash_as_sh() {
    let scene = Scene::new();
    // Where nobody may mount, bash runs the same text by its own name.
    let options = if is_root() {
        Options { mounts: Some("mount --bind /bin/bash \"$(readlink -f /bin/sh)\"".to_owned()), ..Options::default() }
    } else {
        Options::answering(Answer::shell(
            "exec bash -c \"$(echo \"$SSH_ORIGINAL_COMMAND\" | sed 's,/bin/sh,/bin/bash,g')\"",
        ))
    };
    let server = scene.lab.sshd("bash", &options);
    is_as_good_as_a_probe(&scene, &server);
}

#[test]
fn busybox_alone() {
    let scene = Scene::new();
    if !is_root() {
        // A root of its own needs root: busybox's shell runs the text here, and finds its own programs first.
        program("busybox");
        let answer = "exec busybox sh -c \"$(echo \"$SSH_ORIGINAL_COMMAND\" | sed 's,/bin/sh,/bin/busybox sh,g')\"";
        let server = scene.lab.sshd("busybox", &Options::answering(Answer::shell(answer)));
        return is_as_good_as_a_probe(&scene, &server);
    }
    let server = busybox(&scene.lab, "busybox", "true");
    is_as_good_as_a_probe(&scene, &server);
}

#[test]
fn a_login_shell_of_another_family() {
    let scene = Scene::new();
    let csh = program("tcsh");
    let answer = Answer::shell(&format!("exec {} -c \"$SSH_ORIGINAL_COMMAND\"", csh.display()));
    let server = scene.lab.sshd("tcsh", &Options::answering(answer));
    is_as_good_as_a_probe(&scene, &server);
}

#[test]
fn a_host_without_a_program_says_which() {
    if !is_root() {
        // Without a root of its own the text has every program; a PATH of the account's own changes nothing.
        return busybox_alone();
    }
    let scene = Scene::new();
    let mounts = "mount --bind /dev/null \"$(readlink -f /usr/bin/sha256sum)\"".to_owned();
    let server = scene.lab.sshd("lacking", &Options { mounts: Some(mounts), ..Options::default() });
    by_sh(&scene, &server, "web-01", &scene.lab.clone_root(&scene.golden, "web-01"));
    let run = excusing(&scene).exits(3).unverifiable("web-01", "probe-unavailable");
    assert!(run.stdout.contains("sha256sum"), "{run}");
}

#[test]
fn without_a_mount_table_nothing_is_clean() {
    if !is_root() {
        return busybox_alone();
    }
    let scene = Scene::new();
    let server = busybox(&scene.lab, "unmounted", "umount proc");
    let tree = scene.lab.clone_root(&scene.golden, "web-01");
    by_sh(&scene, &server, "web-01", &tree);
    excusing(&scene).exits(3).unverifiable("web-01", "io");
    tree.change_unseen("/usr/bin/ls");
    excusing(&scene).exits(2).drifted("web-01", &[("content-changed", "/usr/bin/ls")]);
}

#[test]
fn the_text_obeys_nothing_but_its_verbs() {
    let lab = Lab::new();
    let run = lab.driftscan(&["doctor", "local", "--probe", "sh", "--show-remote"]).run().exits(0);
    let command = run.stdout.lines().find(|line| line.starts_with("exec /bin/sh")).unwrap();
    let kept = lab.path("roots/kept");
    std::fs::write(&kept, "x").unwrap();
    let asked = |orders: &str| {
        let mut child = std::process::Command::new("sh");
        child.args(["-c", command]).current_dir(lab.path("roots"));
        child
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = child.spawn().unwrap();
        // It may end before it read everything.
        let _ = child.stdin.take().unwrap().write_all(format!("nonce\n\\000\n9\n\n{orders}").as_bytes());
        child.wait_with_output().unwrap()
    };
    let place = kept.display();
    for orders in [
        "l 9\n-delete\n".to_owned(),
        format!("l 9;rm {place}\n/nowhere\n"),
        format!("p\n/x\nl 9\n{place} -delete\n"),
        format!("h 1 of={place}\nx"),
        format!("s $(rm {place})\n"),
        "h 8\n--status\0".to_owned(),
        "f ../../etc/shadow\n".to_owned(),
        "f 5/../../../etc/shadow\n".to_owned(),
        format!("rm {place}\n"),
    ] {
        let output = asked(&(orders.clone() + "q\n"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.starts_with("driftscan-sh 1 nonce\n"), "{orders:?}: {said}");
        assert!(!said.contains("root:") && said.len() < 400, "{orders:?}: {said}");
        assert_eq!(std::fs::read(&kept).unwrap(), b"x", "{orders:?}");
    }
    let output = asked(&format!("l 999999\n{place}\nq\n"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("nonce find 0"), "{output:?}");
}
