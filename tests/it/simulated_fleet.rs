//! The simulated fleet of `examples/fleet`: a scan of it must find what it was cast for, and nothing else.
//!
//! *Invariant:* the scan gets what the fleet announces, typed as it is announced.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The fleet, and the folder that its announcement names.
pub(crate) struct Fleet {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    pub(crate) folder: tempfile::TempDir,
    /// The commands that it announces: a capture, a scan, and where hosts are of several kinds a census.
    commands: Vec<Vec<String>>,
}

/// `cargo test` builds examples, and `cargo test --test it` does not.
fn built() -> PathBuf {
    let build = Command::new(env!("CARGO")).args(["build", "--quiet", "--example", "fleet"]).status().unwrap();
    assert!(build.success());
    Path::new(env!("CARGO_BIN_EXE_driftscan")).with_file_name("examples").join("fleet")
}

impl Fleet {
    /// Starts it, and waits until it is ready.
    pub(crate) fn raise(words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(built())
            .args(words)
            .arg("--folder")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut fleet = Self { child, output, folder, commands: Vec::new() };
        loop {
            let mut line = String::new();
            assert!(fleet.output.read_line(&mut line).unwrap() > 0, "the fleet ended before it was ready");
            if let Some(words) = line.strip_prefix("  driftscan ") {
                fleet.commands.push(words.split_whitespace().map(ToOwned::to_owned).collect());
            }
            if line.starts_with("It must find: ") {
                return fleet;
            }
        }
    }

    /// Types an announced command, with more words.
    pub(crate) fn driftscan(&self, command: usize, more: &[&str]) -> Output {
        let words = &self.commands[command];
        let mut command = Command::new(env!("CARGO_BIN_EXE_driftscan"));
        command.args(words).args(more).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("USER", "somebody").env("PATH", "/usr/bin:/bin").output().unwrap()
    }

    /// Ends it as Ctrl-C does; returns what it counted.
    fn end(mut self) -> String {
        let id = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(id, Signal::INT).unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest.lines().last().unwrap().to_owned()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_simulated_fleet_gets_the_verdicts_that_it_was_cast_for() {
    let cast = ["--drifted", "5%", "--throttle", "5%", "--tarpits", "5%", "--latency", "2ms"];
    let fleet = Fleet::raise(&[&["--hosts", "60", "--files", "40"], &cast[..]].concat());
    let captured = fleet.driftscan(0, &[]);
    assert!(captured.status.success(), "{captured:?}");
    let terms = ["--connect-timeout", "5s", "--format", "json=report.json"];
    let scanned = fleet.driftscan(1, &terms);
    assert_eq!(scanned.status.code(), Some(2), "{scanned:?}");
    let report = std::fs::read(fleet.folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let hosts = report["hosts"].as_array().unwrap();
    let of = |verdict: &str| hosts.iter().filter(|host| host["verdict"] == verdict).count();
    assert_eq!((of("clean"), of("drifted"), of("unverifiable")), (54, 3, 3));
    for host in hosts.iter().filter(|host| host["verdict"] == "drifted") {
        let findings = host["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0]["subject"], "fs:/etc/ssh/sshd_config");
    }
    // The capture, a connection to each host, and another to each that turned the first away.
    let counted = fleet.end();
    assert!(counted.starts_with("64 connections, 3 turned away, "), "{counted}");
}
