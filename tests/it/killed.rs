//! Hosts, probes and workers that die in the middle: never clean.

use crate::lab::{Lab, Options, Scene, SshHost, Tree, probes, slay};
use std::fs;
use std::time::{Duration, Instant};

/// Large files, each below the size cap: seconds of hashing in all.
fn large(tree: &Tree) {
    for number in 0..2 {
        tree.sparse(&format!("/usr/lib/large-{number}.bin"), 900 << 20);
    }
}

/// A lab whose golden root takes long to hash, the server, and a host.
fn slow() -> (Scene, SshHost) {
    let scene = Scene::with(&Options::default(), large);
    let server = scene.lab.sshd("slow", &Options::default());
    scene.host_at(&server, "web-01");
    let other = scene.host("web-02");
    for number in 0..2 {
        other.remove(format!("/usr/lib/large-{number}.bin"));
    }
    (scene, server)
}

/// Waits until a server runs at least this many processes of the probe.
#[track_caller]
fn wait_for_probes(server: &SshHost, least: usize) -> Vec<i32> {
    let start = Instant::now();
    loop {
        let found = probes(server.pid());
        if found.len() >= least {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no probe came to run");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn f12_a_host_that_dies_in_mid_scan() {
    let (scene, mut server) = slow();
    let running = scene.scan(&["--timeout", "40s"]).spawn();
    wait_for_probes(&server, 2);
    server.kill();
    let run = running.wait().exits(2).says("web-01", "unverifiable").says("web-02", "drifted");
    let reasons = run.reasons("web-01");
    assert!(["truncated", "timeout", "unreachable"].iter().any(|reason| reasons.contains(reason)), "{run}");
}

fn f14_a_probe_that_is_killed() {
    let (scene, server) = slow();
    let running = scene.scan(&["--timeout", "40s"]).spawn();
    let first = wait_for_probes(&server, 2)[0];
    slay(first);
    running.wait().exits(2).says("web-01", "unverifiable").says("web-02", "drifted");
}

/// Waits until a worker, not the probe itself, has a large file open.
#[track_caller]
fn wait_for_hashing(server: &SshHost) -> i32 {
    let start = Instant::now();
    let hashes = |id: &i32| {
        let open = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        let mut files = open.filter_map(|fd| fs::read_link(fd.path()).ok());
        files.any(|file| file.to_string_lossy().contains("large-"))
    };
    loop {
        // The first is the parent of the others.
        let workers = probes(server.pid()).into_iter().skip(1);
        if let Some(id) = workers.into_iter().find(hashes) {
            return id;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no worker came to hash");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn f56_a_worker_that_is_killed_in_mid_hash() {
    let (scene, server) = slow();
    let running = scene.scan(&["--timeout", "50s"]).spawn();
    slay(wait_for_hashing(&server));
    let run = running.wait();
    assert_ne!(run.verdict("web-01"), "clean", "a file that nobody read passed for read\n{run}");
    run.exits(2).says("web-01", "unverifiable").says("web-02", "drifted");
}

fn f56_every_worker_killed() {
    let (scene, server) = slow();
    let running = scene.scan(&["--timeout", "50s"]).spawn();
    wait_for_hashing(&server);
    for worker in probes(server.pid()).split_off(1) {
        slay(worker);
    }
    running.wait().exits(2).says("web-01", "unverifiable").says("web-02", "drifted");
}

fn f56_a_worker_that_is_killed_during_a_capture() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    large(&golden);
    let server = lab.sshd("slow", &Options::default());
    let running = lab.capture_from("web@1", &server, &golden).spawn();
    slay(wait_for_hashing(&server));
    running.wait().exits(1);
    assert!(!lab.baseline("web", "1").exists(), "a baseline with holes");
}

fn f15_a_host_that_hangs_is_left_at_the_deadline() {
    let (scene, server) = slow();
    let running = scene.scan(&["--timeout", "3s"]).spawn();
    for id in wait_for_probes(&server, 2) {
        let pid = rustix::process::Pid::from_raw(id).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::STOP);
    }
    let run = running.wait().exits(2).unverifiable("web-01", "timeout").says("web-02", "drifted");
    assert!(run.elapsed < Duration::from_secs(15), "{run}");
}

fn nothing_is_left_running_when_the_client_dies() {
    let (scene, server) = slow();
    let running = scene.scan(&[]).spawn();
    wait_for_probes(&server, 2);
    drop(running);
    let start = Instant::now();
    while !probes(server.pid()).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "the probe goes on for nobody");
        std::thread::sleep(Duration::from_millis(50));
    }
}

crate::lab::over_both!(
    f12_a_host_that_dies_in_mid_scan,
    nothing_is_left_running_when_the_client_dies;
    ssh2 only: f14_a_probe_that_is_killed,
    f15_a_host_that_hangs_is_left_at_the_deadline,
    f56_a_worker_that_is_killed_in_mid_hash,
    f56_every_worker_killed,
    f56_a_worker_that_is_killed_during_a_capture,
);
