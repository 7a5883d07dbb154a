//! The bootstrap: the probe comes to run, or says that it can't, and leaves nothing.

use crate::lab::{Answer, Lab, Options, Scene, Tree, is_root};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the bootstrap may put its folder.
fn places() -> Vec<PathBuf> {
    let own = format!("/run/user/{}", rustix::process::geteuid().as_raw());
    ["/dev/shm", &own, "/run", "/var/tmp", "/tmp"].map(PathBuf::from).to_vec()
}

/// Folders of bootstraps that are there now; those that the attacker of another test plants are not.
fn left() -> BTreeSet<PathBuf> {
    let entries = places().into_iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
    let names = entries.map(|entry| entry.path());
    names
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(".driftscan-") && !name.starts_with(crate::attacker::PLANTED)
        })
        .collect()
}

/// Waits until what is there now is gone: tests that run beside this one have folders for milliseconds.
#[track_caller]
fn assert_nothing_left() {
    let start = Instant::now();
    let mut seen = left();
    while !seen.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(5), "left behind: {seen:?}");
        std::thread::sleep(Duration::from_millis(20));
        seen = seen.intersection(&left()).cloned().collect();
    }
}

fn a_scan_leaves_nothing() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02").remove("/usr/bin/tar");
    scene.run().exits(2);
    assert_nothing_left();
}

fn a_client_that_dies_at_any_moment_leaves_nothing() {
    let scene = Scene::new();
    scene.host("web-01");
    for delay in (0..30).map(|step| step * 12) {
        let running = scene.scan(&[]).spawn();
        std::thread::sleep(Duration::from_millis(delay));
        drop(running);
    }
    assert_nothing_left();
    scene.run().succeeds();
}

fn f27_another_machine_type_runs_nothing() {
    // A shell runs a file of another architecture as a script; the bootstrap looks first.
    let scene = Scene::with(&Options::answering(Answer::under("exec setarch i686")), |_| ());
    scene.host("web-01");
    scene.scan(&["--probe", "stream"]).run().exits(3).unverifiable("web-01", "probe-unavailable");
    assert_nothing_left();
}

fn f27_a_host_without_mktemp_is_said() {
    // The bootstrap sets its own PATH; a shell function in its place is what a broken host comes to.
    let scene = Scene::with(
        &Options::answering(Answer::shell(
            "case $SSH_ORIGINAL_COMMAND in *mktemp*) ;; *) exit 99;; esac\n\
             exec sh -c \"$(printf %s \"$SSH_ORIGINAL_COMMAND\" | sed 's/mktemp/no-such-mktemp/')\"",
        )),
        |_| (),
    );
    scene.host("web-01");
    scene.scan(&["--probe", "stream"]).run().exits(3).unverifiable("web-01", "probe-unavailable");
}

fn f26_folders_that_forbid_execution_are_passed_over() {
    if !is_root() {
        // Mounts of a server's own need root. A user's umask and limits are what is left to get in the way.
        let scene = Scene::with(&Options::answering(Answer::under("umask 0; exec")), |_| ());
        scene.host("web-01");
        scene.run().succeeds();
        return;
    }
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let noexec = |folder: &str| format!("mount -t tmpfs -o noexec,mode=1777 none {folder}");
    // The lab itself is in /tmp, which stays as it is in the first case.
    let some = ["/dev/shm", "/run", "/var/tmp"].map(noexec).join(" && ");
    let server = lab.sshd("some", &mounts(&format!("mkdir -p /run/sshd && {some} && mkdir -p /run/sshd")));
    let root = lab.clone_root(&golden, "web-01");
    lab.hosts_file(&[server.line("web-01", &root)]);
    lab.scan(&[]).run().succeeds().says("web-01", "clean");
    assert_nothing_left();
}

fn f26_no_place_to_execute_is_said() {
    if !is_root() {
        let scene = Scene::with(&Options::answering(Answer::under("ulimit -f 0; exec")), |_| ());
        scene.host("web-01");
        scene.run().exits(3).says("web-01", "unverifiable");
        return;
    }
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    // Remounting by a bind keeps the lab's own files in /tmp where they are.
    let shut = ["/dev/shm", "/run", "/var/tmp", "/tmp"]
        .map(|folder| format!("mount --bind {folder} {folder} && mount -o remount,bind,noexec {folder}"))
        .join(" && ");
    let server = lab.sshd("shut", &mounts(&shut));
    let root: Tree = lab.clone_root(&golden, "web-01");
    lab.hosts_file(&[server.line("web-01", &root)]);
    lab.scan(&["--probe", "stream"]).run().exits(3).unverifiable("web-01", "probe-unavailable");
    // Without a word of that, the host's own programs are the last resort, and what they can't see is said.
    let run = lab.scan(&[]).run().exits(3).unverifiable("web-01", "unreadable");
    assert_eq!(run.host("web-01")["collector"], "sh", "{run}");
    assert_nothing_left();
}

fn mounts(text: &str) -> Options {
    Options { mounts: Some(text.to_owned()), ..Options::default() }
}

fn f26_a_full_folder_is_passed_over() {
    if !is_root() {
        let scene = Scene::with(&Options::answering(Answer::under("ulimit -f 1; exec")), |_| ());
        scene.host("web-01");
        scene.run().exits(3).says("web-01", "unverifiable");
        return;
    }
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let server = lab.sshd("full", &mounts("mount -t tmpfs -o size=8k,mode=1777 none /dev/shm"));
    let root = lab.clone_root(&golden, "web-01");
    lab.hosts_file(&[server.line("web-01", &root)]);
    lab.scan(&[]).run().succeeds().says("web-01", "clean");
    assert_nothing_left();
}

fn the_command_is_the_same_on_every_host_and_in_every_run() {
    let scene = Scene::new();
    let asked = scene.lab.path("asked");
    fs::create_dir(&asked).unwrap();
    let text = format!(
        "printf '%s\\n' \"$SSH_ORIGINAL_COMMAND\" >{}/$$; exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
        asked.display()
    );
    let server = scene.lab.sshd("noting", &Options::answering(Answer::shell(&text)));
    for name in ["web-01", "web-02", "web-03"] {
        scene.host_at(&server, name);
    }
    scene.run().succeeds();
    scene.run().succeeds();
    assert_constant(&asked, &scene, &[], "exec /bin/sh -c '[ -x /usr/libexec/driftscan-probe ] && exec ", 4);
    scene.scan(&["--probe", "stream"]).run().succeeds();
    scene.scan(&["--probe", "stream"]).run().succeeds();
    assert_constant(&asked, &scene, &["--probe", "stream"], "exec /bin/sh -c 'umask 077; ", 2);
}

/// Every host was asked for one command, which is the one that the doctor shows, and no shell changes it; forgets them.
#[track_caller]
fn assert_constant(asked: &Path, scene: &Scene, flags: &[&str], start: &str, quotes: usize) {
    let files = fs::read_dir(asked).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        text
    });
    let commands: BTreeSet<_> = files.collect();
    assert_eq!(commands.len(), 1, "{commands:#?}");
    let command = commands.first().unwrap().trim_end();
    assert!(command.starts_with(start), "{command}");
    let doctor = ["doctor", "web-01", "--fleet", "hosts.txt", "--show-remote"];
    let shown = scene.lab.connected(&doctor).args(flags).run();
    assert!(shown.stdout.contains(command), "{command}\n{shown}");
    for forbidden in ['!', '\\', '\n'] {
        assert!(!command.contains(forbidden), "{command}");
    }
    assert_eq!(command.matches('\'').count(), quotes, "{command}");
}

crate::lab::over_both!(
    a_scan_leaves_nothing,
    a_client_that_dies_at_any_moment_leaves_nothing,
    the_command_is_the_same_on_every_host_and_in_every_run;
    ssh2 only: f27_another_machine_type_runs_nothing,
    f27_a_host_without_mktemp_is_said,
    f26_folders_that_forbid_execution_are_passed_over,
    f26_no_place_to_execute_is_said,
    f26_a_full_folder_is_passed_over,
);
