//! What ordinary users of a host may try: programs, functions and variables of their own, files swapped for what must not be
//! opened, a full `/tmp`.

use super::{by_sh, excusing, host};
use crate::lab::{Answer, Options, Scene, is_root};
use rustix::fs::{Mode, OFlags, open};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn f28_no_program_function_or_variable_of_the_account_is_used() {
    let scene = Scene::new();
    let (evil, mark) = (scene.lab.path("evil"), scene.lab.path("evil-ran"));
    fs::create_dir(&evil).unwrap();
    let tools = [
        "sha256sum",
        "find",
        "stat",
        "xargs",
        "dd",
        "cat",
        "env",
        "head",
        "uname",
        "id",
        "date",
        "echo",
        "printf",
        "sh",
    ];
    let text = format!("echo ran >>{}; exit 0", mark.display());
    for tool in tools {
        fs::write(evil.join(tool), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(evil.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(evil.join("rc"), format!("{text}\n")).unwrap();
    // bash itself refuses to start where a special builtin's name is exported, so that those are left out.
    let functions = tools.iter().chain(&["read", "command", "[", "cd", "/usr/bin/env", "/bin/sh"]);
    let mut exported = vec![format!("PATH={0}:$PATH ENV={0}/rc BASH_ENV={0}/rc IFS=/ CDPATH=/", evil.display())];
    exported.extend(functions.map(|name| format!("'BASH_FUNC_{name}%%=() {{ {text}; }}'")));
    let exported = exported.join(" ");
    // As sshd would start it for an account whose environment is all of this; in both shells.
    let under =
        |shell: &str| Answer::shell(&format!("exec /usr/bin/env {exported} {shell} -c \"$SSH_ORIGINAL_COMMAND\""));
    let dash = scene.lab.sshd("dash", &Options::answering(under("/bin/sh")));
    let bash = if is_root() {
        let mounts = "mount --bind /bin/bash \"$(readlink -f /bin/sh)\"".to_owned();
        scene.lab.sshd("bash", &Options { mounts: Some(mounts), ..Options::answering(under("/bin/sh")) })
    } else {
        scene.lab.sshd("bash", &Options::answering(under("/bin/sh")))
    };
    for (name, server) in [("dash", &dash), ("bash", &bash)] {
        let tree = scene.lab.clone_root(&scene.golden, name);
        tree.change_unseen("/usr/bin/ls");
        by_sh(&scene, server, name, &tree);
    }
    let run = excusing(&scene).exits(2);
    let run = run.drifted("dash", &[("content-changed", "/usr/bin/ls")]);
    run.drifted("bash", &[("content-changed", "/usr/bin/ls")]);
    assert!(!mark.exists(), "a program of the account's own ran");
}

/// Does something again and again until dropped.
struct Again {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Again {
    fn and(mut act: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                act();
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Exchanges two names again and again.
fn swapping(one: PathBuf, other: PathBuf) -> Again {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Again::and(move || renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap())
}

#[test]
fn a_file_that_its_owner_swaps_for_a_pipe_is_never_opened() {
    let scene = Scene::with(&Options::default(), |golden| {
        golden.write("/opt/anna/tool", "x");
        if is_root() {
            golden.chown("/opt/anna", 4200, 4200);
            golden.chown("/opt/anna/tool", 4200, 4200);
        } else {
            // Without root the account owns everything; a folder that everybody may write is as little to be trusted.
            golden.chmod("/opt/anna", 0o777);
        }
    });
    let tree = host(&scene, "web-01");
    let pipe = scene.lab.path("pipe");
    crate::lab::tool("mkfifo", &[pipe.to_str().unwrap()]);
    tree.link("/opt/anna/spare", pipe.to_str().unwrap());
    let opened = Arc::new(AtomicBool::new(false));
    let runs: Vec<crate::lab::Run> = {
        let _swap = swapping(tree.at("/opt/anna/tool"), tree.at("/opt/anna/spare"));
        let seen = opened.clone();
        // A pipe can be opened for writing without waiting only while somebody has it open for reading.
        let _watch = Again::and(move || {
            if open(&pipe, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).is_ok() {
                seen.store(true, Ordering::Relaxed);
            }
        });
        (0..5).map(|_| excusing(&scene)).collect()
    };
    let run = runs.last().unwrap();
    assert!(!opened.load(Ordering::Relaxed), "the pipe was opened\n{run}");
    // A run that finds the link in its place has no content to ask for.
    let says = |run: &crate::lab::Run| {
        let troubles = run.host("web-01")["coverage"]["troubles"].as_array().unwrap();
        troubles.iter().any(|t| t["path"] == "/opt/anna" && t["part"] == "content")
    };
    assert!(runs.iter().any(says), "{run}");
}

#[test]
fn what_root_would_not_open_is_unreadable_by_the_name_of_its_folder() {
    let scene = Scene::with(&Options::default(), |golden| {
        golden.write("/opt/bob/tool", "x");
        golden.write("/opt/bob/deeper/tool", "x");
        golden.chmod("/opt/bob", 0o777);
    });
    host(&scene, "web-01");
    let run = excusing(&scene).exits(3).unverifiable("web-01", "unreadable");
    assert!(run.stdout.contains("/opt/bob"), "{run}");
    let policy = scene.lab.path("policy.toml");
    let excused = super::EXCUSING.replace("\"/opt/anna/**\"", "\"/opt/bob/**\"");
    fs::write(&policy, excused).unwrap();
    scene.scan(&["--policy", policy.to_str().unwrap()]).run().exits(0).says("web-01", "clean");
}

#[test]
fn f23_a_file_that_changes_while_it_is_hashed_is_racing_or_drift() {
    use std::os::unix::fs::FileExt as _;
    let scene = Scene::with(&Options::default(), |golden| golden.sparse("/usr/lib/large.bin", 128 << 20));
    let tree = host(&scene, "web-01");
    host(&scene, "web-02");
    let file = fs::File::options().write(true).open(tree.at("/usr/lib/large.bin")).unwrap();
    let mut number = 0u64;
    let run = {
        let _write = Again::and(move || {
            number += 1;
            file.write_all_at(&number.to_le_bytes(), 0).unwrap();
            thread::sleep(std::time::Duration::from_micros(500));
        });
        excusing(&scene)
    };
    assert_eq!(run.verdict("web-02"), "clean", "{run}");
    let (verdict, reasons) = (run.verdict("web-01"), run.reasons("web-01"));
    assert!(verdict == "unverifiable" && reasons.contains("racing") || verdict == "drifted", "{run}");
}

#[test]
fn f52_a_full_tmp_hides_no_drift_elsewhere() {
    let scene = Scene::new();
    let tree = host(&scene, "web-01");
    tree.change_unseen("/usr/bin/ls");
    for number in 0..3_000 {
        fs::write(tree.at(format!("/tmp/{number}")), "").unwrap();
    }
    let policy = scene.lab.path("policy.toml");
    fs::write(&policy, format!("{}[limits]\nguard_entries = 100\n", super::EXCUSING)).unwrap();
    let run = scene.scan(&["--policy", policy.to_str().unwrap()]).run().exits(2).says("web-01", "drifted");
    assert!(run.findings("web-01").contains(&("content-changed", "/usr/bin/ls")), "{run}");
    assert!(run.reasons("web-01").contains("limit"), "{run}");
}
