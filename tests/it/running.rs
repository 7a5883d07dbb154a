//! How a run behaves: output, signals, the lock, the reports folder.

use crate::faults::Peer;
use crate::lab::{Lab, Options, Scene};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// A scene with one host that is done at once and one that never is; the server must outlive the run.
fn stuck() -> (Scene, Peer) {
    let scene = Scene::new();
    scene.host("web-01").remove("/usr/bin/tar");
    let hostile = Peer::one(&scene.lab, "silence");
    scene.line(&hostile.line("web-02"));
    (scene, hostile)
}

fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(30), "it did not come to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn quiet_says_nothing_when_all_is_clean() {
    let scene = Scene::new();
    scene.host("web-01");
    for args in [
        &["scan", "--quiet", "--fleet", "hosts.txt"][..],
        &["scan", "-q", "--fleet", "hosts.txt"],
        &["--quiet", "--fleet", "hosts.txt"],
    ] {
        let run = scene.lab.connected(args).run().succeeds();
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run}");
    }
    scene.host("web-02").remove("/usr/bin/tar");
    let run = scene.lab.connected(&["scan", "--quiet", "--fleet", "hosts.txt"]).run().exits(2);
    assert!(run.stdout.contains("web-02"), "{run}");
}

#[test]
fn quiet_still_writes_the_file_that_was_asked_for() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.connected(&["scan", "-q", "--fleet", "hosts.txt", "--format", "json=out.json"]).run().succeeds();
    let report: Value = serde_json::from_slice(&fs::read(scene.lab.path("out.json")).unwrap()).unwrap();
    assert_eq!(report["summary"]["status"], 0);
}

#[test]
fn scan_is_the_default_command_and_its_short_flags_work() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.connected(&["-f", "hosts.txt"]).run().succeeds();
    let (key, known, config) = (scene.lab.key(), scene.lab.known_hosts(), scene.lab.path("ssh_config"));
    let args =
        ["-f", "hosts.txt", "-i", key.to_str().unwrap(), "-F", config.to_str().unwrap(), "-l", "web-*", "-j", "2"];
    scene.lab.driftscan(&args).flag("--known-hosts", known).run().succeeds();
}

#[test]
fn the_fleet_can_come_from_the_environment() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.connected(&["scan"]).env("DRIFTSCAN_FLEET", scene.lab.path("hosts.txt")).run().succeeds();
}

#[test]
fn without_a_terminal_there_is_no_colour_no_progress_and_80_columns() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02").write(
        "/usr/local/bin/a-name-that-is-long-enough-to-need-more-than-one-line-of-eighty-columns-in-a-report",
        "x",
    );
    let run = scene.run().exits(2);
    assert!(!run.stdout.contains('\x1b') && !run.stderr.contains('\x1b') && !run.stderr.contains('\r'), "{run}");
    assert!(run.stdout.is_ascii(), "{run}");
    for line in run.stdout.lines().filter(|line| !line.contains("a-name-that-is-long") && !line.contains("/tmp/")) {
        assert!(line.len() <= 80, "{} columns: {line}\n{run}", line.len());
    }
}

#[test]
fn standard_output_is_only_the_report() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.line("127.0.0.1:1 name=web-02");
    let run = scene.lab.connected(&["scan", "--fleet", "hosts.txt", "--format", "json"]).run().exits(3);
    let report: Value = serde_json::from_str(&run.stdout).expect("nothing but JSON");
    assert_eq!(report["schema"], "driftscan.report/v1");
    assert_eq!(report["summary"]["status"], 3);
    assert_eq!(report["summary"]["verdicts"]["clean"], 1);
    assert_eq!(report["summary"]["verdicts"]["unverifiable"], 1);
}

#[test]
fn the_report_can_be_read_again() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02").remove("/usr/bin/tar");
    let run = scene.run().exits(2);
    let id = run.report.as_ref().unwrap()["run"].as_str().unwrap().to_owned();
    for name in [&["report"][..], &["report", "latest"], &["report", &id]] {
        let again = scene.lab.driftscan(name).run();
        assert_eq!(again.stdout, run.stdout, "{name:?}\n{again}");
    }
    let json = scene.lab.driftscan(&["report", &id, "--format", "json"]).run();
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap(), *run.report.as_ref().unwrap());
    scene.lab.driftscan(&["report", "20200101T000000Z-0000"]).run().refused_with(&["20200101T000000Z-0000"]);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let scene = Scene::new();
    scene.host("web-01").remove("/usr/bin/tar");
    let lab = &scene.lab;
    let command = format!(
        "'{}' scan --fleet hosts.txt -i '{}' --known-hosts '{}' -F '{}' | true",
        env!("CARGO_BIN_EXE_driftscan"),
        lab.key().display(),
        lab.known_hosts().display(),
        lab.path("ssh_config").display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &command])
        .current_dir(lab.path(""))
        .env("HOME", lab.path("home"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn an_interrupt_leaves_a_partial_report_that_says_so() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (scene, _hostile) = stuck();
        let running = scene.scan(&["--connect-timeout", "40s", "--timeout", "50s"]).spawn();
        let sshd = &scene.sshd;
        wait_until(|| sshd.log().contains("Disconnected from") || sshd.log().contains("Connection closed"));
        std::thread::sleep(Duration::from_millis(500));
        running.signal(signal);
        let run = running.wait().exits(status);
        assert!(run.elapsed < Duration::from_secs(35), "{run}");
        let report = run.report.as_ref().expect("a partial report");
        assert!(!report["interrupted"].is_null(), "{run}");
        assert_eq!(report["summary"]["selected"], 2);
        assert_eq!(run.verdict("web-01"), "drifted", "what was scanned is not lost\n{run}");
        let stored: Vec<_> = fs::read_dir(scene.lab.path("reports")).unwrap().flatten().collect();
        assert!(stored.iter().any(|entry| entry.path().join("report.json").exists()), "{stored:?}");
    }
}

#[test]
fn a_second_run_meets_the_lock() {
    let (scene, _hostile) = stuck();
    let first = scene.scan(&["--connect-timeout", "20s", "--timeout", "20s"]).spawn();
    let sshd = &scene.sshd;
    wait_until(|| sshd.logins() > 0);
    scene.scan(&[]).run().refused_with(&["another driftscan run", &first.pid().to_string()]);
    first.signal(Signal::KILL);
    drop(first);
    // A lock dies with its owner.
    scene.scan(&["--connect-timeout", "2s", "--timeout", "3s"]).run().exits(2);
}

#[test]
fn a_run_that_is_killed_loses_nothing_that_was_finished() {
    let (scene, _hostile) = stuck();
    let running = scene.scan(&["--connect-timeout", "40s", "--timeout", "50s"]).spawn();
    let sshd = &scene.sshd;
    wait_until(|| sshd.log().contains("Disconnected from") || sshd.log().contains("Connection closed"));
    std::thread::sleep(Duration::from_millis(500));
    running.signal(Signal::KILL);
    drop(running);
    let reports: Vec<_> = fs::read_dir(scene.lab.path("reports")).unwrap().flatten().map(|e| e.path()).collect();
    let runs: Vec<_> = reports.iter().filter(|path| path.is_dir()).collect();
    assert_eq!(runs.len(), 1, "{reports:?}");
    assert!(!runs[0].join("report.json").exists(), "no half report");
    let mut journal = String::new();
    for entry in fs::read_dir(runs[0]).unwrap().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "jsonl") {
            journal.push_str(&fs::read_to_string(entry.path()).unwrap());
        }
    }
    assert!(journal.contains("web-01"), "{journal}");
}

#[test]
fn the_audit_says_what_was_done() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.run().succeeds();
    let run = fs::read_dir(scene.lab.path("reports"))
        .unwrap()
        .flatten()
        .find(|entry| entry.path().join("audit.jsonl").exists());
    let audit = fs::read_to_string(run.expect("an audit").path().join("audit.jsonl")).unwrap();
    let lines: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty());
    for told in ["web-01", &scene.sshd.host_fingerprint(), &scene.sshd.port.to_string()] {
        assert!(audit.contains(told), "no {told} in {audit}");
    }
}

#[test]
fn an_undrifted_host_costs_less_than_144_kilobytes() {
    let scene = Scene::new();
    scene.host("web-01");
    let run = scene.run().succeeds();
    let wire = &run.host("web-01")["wire"];
    let total = wire["sent"].as_u64().unwrap() + wire["received"].as_u64().unwrap();
    assert!(total > 1_000 && total < 144_000, "{total} bytes\n{run}");
    assert_eq!(wire["attempts"], 1);
}

#[test]
fn a_run_of_many_sessions_uses_one_process_and_one_login_a_host() {
    let scene = Scene::new();
    let second = scene.lab.sshd("second", &Options::default());
    for number in 0..10 {
        scene.host_at(&second, &format!("web-{number}"));
    }
    scene.run().succeeds();
    assert_eq!(second.logins(), 10);
    assert_eq!(second.log().matches("Starting session: command").count(), 10, "{}", second.log());
}

#[test]
fn version_names_the_probe_by_its_digest() {
    let lab = Lab::new();
    let run = lab.driftscan(&["version"]).run().succeeds();
    let digest = run.stdout.split_whitespace().find(|word| word.trim_start_matches("sha256:").len() == 64);
    assert!(digest.is_some(), "{run}");
    let json = lab.driftscan(&["version", "--format", "json"]).run().succeeds();
    assert!(serde_json::from_str::<Value>(&json.stdout).unwrap().is_object());
}

#[test]
fn a_command_of_later_is_no_host() {
    let scene = Scene::new();
    for word in ["gate", "history"] {
        let run = scene.lab.driftscan(&[word]).run().exits(1);
        assert!(run.stderr.contains("is not built yet"), "{run}");
    }
}
