//! Runs that were cut off and taken up again, and the ways of waiting for a turn.

use crate::lab::{Lab, Options, Scene, SshHost};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn signal(server: &SshHost, signal: Signal) {
    kill_process(Pid::from_raw(server.pid().try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Two hosts that are done at once, one drifted, and one whose server sleeps.
fn asleep() -> (Scene, SshHost) {
    let scene = Scene::new();
    let server = scene.lab.sshd("sleeper", &Options::default());
    scene.host("web-01").remove("/usr/bin/tar");
    scene.host_at(&server, "web-02");
    scene.host("web-03");
    signal(&server, Signal::STOP);
    (scene, server)
}

/// The folders of runs, oldest first.
fn runs(lab: &Lab) -> Vec<PathBuf> {
    let entries = fs::read_dir(lab.path("reports")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut runs: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    runs.sort();
    runs
}

/// A run that is ended by a signal once two of its three hosts are in the journal.
fn cut_off(scene: &Scene, by: Signal) {
    let running = scene.scan(&["--connect-timeout", "40s", "--timeout", "50s"]).spawn();
    let start = Instant::now();
    let journaled = || {
        let journal = runs(&scene.lab).pop().and_then(|run| fs::read_to_string(run.join("journal.jsonl")).ok());
        journal.is_some_and(|text| text.lines().count() == 3)
    };
    while !journaled() {
        assert!(start.elapsed() < Duration::from_secs(30), "two hosts were not done");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal(by);
    running.wait();
}

#[test]
fn a_run_that_was_killed_is_taken_up() {
    for by in [Signal::KILL, Signal::INT] {
        let (scene, server) = asleep();
        cut_off(&scene, by);
        signal(&server, Signal::CONT);
        let before = scene.sshd.logins();
        let run = scene.scan(&["--resume"]).run().exits(2);
        let run = run.says("web-01", "drifted").says("web-02", "clean").says("web-03", "clean");
        assert_eq!(scene.sshd.logins(), before, "hosts that were done are not asked again\n{run}");
        let report = run.report.as_ref().unwrap();
        assert_eq!(report["resumed"]["hosts"], 2, "{run}");
        assert_eq!(report["summary"]["selected"], 3);
        assert!(report["interrupted"].is_null());
        let names: Vec<&str> =
            report["hosts"].as_array().unwrap().iter().map(|h| h["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["web-01", "web-02", "web-03"], "the order of the fleet");
        assert!(run.stdout.contains("2 of 3 hosts were taken over"), "{run}");
        let [first, second] = <[PathBuf; 2]>::try_from(runs(&scene.lab)).unwrap();
        assert_eq!(report["resumed"]["run"], first.file_name().unwrap().to_str().unwrap());
        let audit = fs::read_to_string(second.join("audit.jsonl")).unwrap();
        assert!(audit.contains(first.file_name().unwrap().to_str().unwrap()), "{audit}");
        // What was taken over is kept again, so that this run could be taken up as well.
        assert!(fs::read_to_string(second.join("journal.jsonl")).unwrap().contains("web-01"));
    }
}

#[test]
fn a_run_that_was_cut_off_twice_is_as_old_as_its_oldest_part() {
    let (scene, server) = asleep();
    cut_off(&scene, Signal::KILL);
    let running = scene.scan(&["--resume", "--connect-timeout", "40s", "--timeout", "50s"]).spawn();
    std::thread::sleep(Duration::from_millis(800));
    running.signal(Signal::TERM);
    let again = running.wait().exits(143);
    let report = again.report.as_ref().unwrap();
    assert_eq!(report["resumed"]["hosts"], 2, "{again}");
    signal(&server, Signal::CONT);
    let whole = scene.scan(&["--resume"]).run().exits(2).says("web-02", "clean");
    assert_eq!(whole.report.as_ref().unwrap()["resumed"]["since"], report["resumed"]["since"], "{whole}");
}

#[test]
fn a_run_that_is_named_is_asked_its_unverifiable_hosts_again() {
    let (scene, server) = asleep();
    let run = scene.scan(&["--connect-timeout", "1s", "--timeout", "2s"]).run().exits(2);
    let run = run.unverifiable("web-02", "timeout");
    let id = run.report.as_ref().unwrap()["run"].as_str().unwrap().to_owned();
    // It was not cut off, so without its name there is nothing to take up.
    scene.scan(&["--resume"]).run().refused_with(&[&id, "was not cut off"]);
    signal(&server, Signal::CONT);
    let before = scene.sshd.logins();
    let merged = scene.scan(&["--resume", &id]).run().exits(2).says("web-02", "clean").says("web-01", "drifted");
    assert_eq!(scene.sshd.logins(), before, "{merged}");
    assert_eq!(merged.report.as_ref().unwrap()["resumed"]["hosts"], 2);
}

#[test]
fn the_status_is_that_of_the_merged_run() {
    let scene = Scene::new();
    let server = scene.lab.sshd("sleeper", &Options::default());
    scene.host("web-01");
    scene.host_at(&server, "web-02");
    signal(&server, Signal::STOP);
    scene.scan(&["--connect-timeout", "1s", "--timeout", "2s"]).run().exits(3);
    signal(&server, Signal::CONT);
    scene.scan(&["--resume", "latest"]).run().exits(0);
}

#[test]
fn what_decides_must_be_the_same() {
    let (scene, server) = asleep();
    cut_off(&scene, Signal::KILL);
    signal(&server, Signal::CONT);
    scene.scan(&["--resume", "--limit", "web-01,web-02"]).run().refused_with(&["another fleet", "leave --resume out"]);
    scene.scan(&["--resume", "20200101"]).run().refused_with(&["no run `20200101`"]);
    fs::write(scene.lab.path("policy.toml"), "schema = \"driftscan.policy/v1\"\ndrift_at = \"high\"\n").unwrap();
    scene.scan(&["--resume", "--policy", "policy.toml"]).run().refused_with(&["another policy"]);
    // Another way to the same address, and trust that was taken back.
    scene.scan(&["--resume", "--transport", "openssh"]).run().refused_with(&["another way to its hosts"]);
    scene.scan(&["--resume", "--probe", "stream"]).run().refused_with(&["another way to its hosts"]);
    let known = fs::read_to_string(scene.lab.known_hosts()).unwrap();
    scene.lab.know(&format!("@revoked * {}", crate::lab::public_key(&scene.lab.key())));
    scene.scan(&["--resume"]).run().refused_with(&["other trust in them"]);
    fs::write(scene.lab.known_hosts(), known).unwrap();
    scene.golden.write("/etc/motd", "new");
    scene.lab.capture("web@2", &scene.golden);
    scene.scan(&["--resume"]).run().refused_with(&["other baselines"]);
}

#[test]
fn there_may_be_no_run_to_resume() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.scan(&["--resume"]).run().refused_with(&["there is no run to resume"]);
    assert_eq!(runs(&scene.lab), Vec::<PathBuf>::new(), "a run that was refused leaves nothing");
}

#[test]
fn fewer_hosts_than_there_should_be_are_refused() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02");
    scene.scan(&["--min-hosts", "2"]).run().succeeds();
    scene.scan(&["--min-hosts", "3"]).run().refused_with(&["2 hosts", "--min-hosts 3"]);
    scene.scan(&["--min-hosts", "2", "--limit", "web-01"]).run().refused_with(&["1 hosts"]);
}

#[test]
fn another_run_is_waited_for() {
    let (scene, server) = asleep();
    let first = scene.scan(&["--connect-timeout", "40s", "--timeout", "50s"]).spawn();
    let start = Instant::now();
    while scene.sshd.logins() == 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = scene.scan(&["--wait-lock", "1s"]).run().refused_with(&["another driftscan run", "still after 1 s"]);
    assert!(refused.elapsed >= Duration::from_secs(1), "{refused}");
    let second = scene.scan(&["--wait-lock", "40s"]).spawn();
    std::thread::sleep(Duration::from_millis(300));
    signal(&server, Signal::CONT);
    first.wait().exits(2);
    second.wait().exits(2).says("web-02", "clean");
}

#[test]
fn a_signal_ends_the_waiting() {
    let scene = Scene::new();
    scene.host("web-01");
    let running = scene.scan(&["--jitter", "10h"]).spawn();
    std::thread::sleep(Duration::from_millis(700));
    running.signal(Signal::TERM);
    let run = running.wait().exits(143);
    assert!(run.elapsed < Duration::from_secs(5), "{run}");
    assert_eq!(scene.sshd.logins(), 0);
    assert_eq!(runs(&scene.lab), Vec::<PathBuf>::new());
    scene.scan(&["--jitter", "300ms"]).run().succeeds();
}

#[test]
fn the_rate_spaces_connections_and_0_is_unlimited() {
    let scene = Scene::new();
    for number in 0..6 {
        scene.host(&format!("web-{number}"));
    }
    let slow = scene.scan(&["--rate", "2"]).run().succeeds();
    assert!(slow.elapsed >= Duration::from_millis(2_400), "six connections at two a second: {:?}", slow.elapsed);
    let fast = scene.scan(&["--rate", "0"]).run().succeeds();
    assert!(fast.elapsed < slow.elapsed, "{:?} and {:?}", fast.elapsed, slow.elapsed);
}
