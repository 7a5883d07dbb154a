//! The binary, what it is given, and what came of it.
//!
//! *Invariant:* no run outlives its time limit, and none sees the environment of the account that runs the tests.

use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A run being put together.
pub(crate) struct Driftscan {
    command: Command,
    out: PathBuf,
    err: PathBuf,
    report: Option<PathBuf>,
    limit: Duration,
}

impl Driftscan {
    pub(crate) fn new(dir: &Path, number: u32, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_driftscan"));
        command.args(args).current_dir(dir).env_clear();
        command.env("HOME", dir.join("home")).env("PATH", "/usr/local/bin:/usr/bin:/bin").env("TZ", "UTC");
        // What a run that is killed leaves behind goes with the lab.
        command.env("DRIFTSCAN_TRANSPORT", super::transport()).env("TMPDIR", dir.join("tmp"));
        Self {
            command,
            out: dir.join(format!("run-{number}.out")),
            err: dir.join(format!("run-{number}.err")),
            report: None,
            limit: Duration::from_secs(60),
        }
    }

    /// Adds words.
    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Adds a flag and its value.
    pub(crate) fn flag(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.arg(name).arg(value);
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Asks for the table on standard output and the JSON report in a file, which is then read.
    pub(crate) fn reported(mut self) -> Self {
        let file = self.out.with_extension("json");
        self.command.args(["--format", "table", "--format"]).arg(format!("json={}", file.display()));
        self.report = Some(file);
        self
    }

    /// Another time limit than 60 seconds.
    pub(crate) fn within(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Runs it by another program: one that takes a command at its end.
    pub(crate) fn by(mut self, program: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args).arg(self.command.get_program()).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.command.get_current_dir().unwrap());
        self.command = command;
        self
    }

    /// Starts it.
    pub(crate) fn spawn(mut self) -> Running {
        let (out, err) = (fs::File::create(&self.out).unwrap(), fs::File::create(&self.err).unwrap());
        let child = self.command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
        Running { child, start: Instant::now(), peak: 0, plan: self }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Run {
        self.spawn().wait()
    }
}

/// A run under way.
pub(crate) struct Running {
    child: Child,
    start: Instant,
    peak: u64,
    plan: Driftscan,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// What it said so far on standard error.
    pub(crate) fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.plan.err).unwrap()).into_owned()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Run {
        let status = loop {
            self.peak = self.peak.max(resident_peak(self.child.id()));
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.start.elapsed() > self.plan.limit {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("driftscan ran longer than {:?}; standard error:\n{}", self.plan.limit, self.stderr_so_far());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let bytes = |file: &Path| fs::read(file).unwrap();
        let report = self.plan.report.as_deref().and_then(|file| fs::read(file).ok());
        Run {
            status,
            elapsed: self.start.elapsed(),
            peak: self.peak,
            stdout: String::from_utf8(bytes(&self.plan.out)).expect("standard output is UTF-8"),
            stderr: String::from_utf8(bytes(&self.plan.err)).expect("standard error is UTF-8"),
            report: report.map(|text| serde_json::from_slice(&text).expect("the report is JSON")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The most memory a process had, in kilobytes.
fn resident_peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// A run that ended.
#[derive(Debug)]
pub(crate) struct Run {
    status: ExitStatus,
    pub(crate) elapsed: Duration,
    /// The most memory it had, in kilobytes.
    pub(crate) peak: u64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) report: Option<Value>,
}

impl Run {
    /// Fails unless it ended with this status.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status.code(), Some(status), "{self}");
        self
    }

    /// Fails unless it ended with status 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// Fails unless it was refused with status 1 and a message that holds every one of these texts.
    #[track_caller]
    pub(crate) fn refused_with(self, texts: &[&str]) -> Self {
        let run = self.exits(1);
        for text in texts {
            assert!(run.stderr.contains(text), "no {text:?} in what it said\n{run}");
        }
        assert!(!run.stderr.contains("panicked"), "{run}");
        run
    }

    /// The exit status.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// A host of the report.
    #[track_caller]
    pub(crate) fn host(&self, name: &str) -> &Value {
        let hosts = self.report.as_ref().and_then(|report| report["hosts"].as_array());
        let hosts = hosts.unwrap_or_else(|| panic!("no report\n{self}"));
        hosts.iter().find(|host| host["name"] == name).unwrap_or_else(|| panic!("no host {name} in the report\n{self}"))
    }

    /// The name of the only host.
    #[track_caller]
    pub(crate) fn only(&self) -> &str {
        let hosts = self.report.as_ref().and_then(|report| report["hosts"].as_array());
        let hosts = hosts.unwrap_or_else(|| panic!("no report\n{self}"));
        assert_eq!(hosts.len(), 1, "{self}");
        hosts[0]["name"].as_str().unwrap()
    }

    /// A host's verdict.
    #[track_caller]
    pub(crate) fn verdict(&self, name: &str) -> &str {
        self.host(name)["verdict"].as_str().unwrap()
    }

    /// A host's findings, each a code with the path, or with the subject where there is no path.
    #[track_caller]
    pub(crate) fn findings(&self, name: &str) -> BTreeSet<(&str, &str)> {
        let findings = self.host(name)["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|f| (f["code"].as_str().unwrap(), f["path"].as_str().or_else(|| f["subject"].as_str()).unwrap()))
            .collect()
    }

    /// One finding of a host.
    #[track_caller]
    pub(crate) fn finding(&self, name: &str, code: &str, path: &str) -> &Value {
        let mut findings = self.host(name)["findings"].as_array().unwrap().iter();
        let wanted = |f: &&Value| f["code"] == code && (f["path"] == path || f["subject"] == path);
        findings.find(wanted).unwrap_or_else(|| panic!("{name} has no {code} {path}\n{self}"))
    }

    /// Why a host is unverifiable, or what was not verified on it.
    #[track_caller]
    pub(crate) fn reasons(&self, name: &str) -> BTreeSet<&str> {
        let reasons = self.host(name)["reasons"].as_array().unwrap();
        reasons.iter().map(|reason| reason.as_str().or_else(|| reason["reason"].as_str()).unwrap()).collect()
    }

    /// Fails unless a host has this verdict.
    #[track_caller]
    pub(crate) fn says(self, name: &str, verdict: &str) -> Self {
        assert_eq!(self.verdict(name), verdict, "{name}\n{self}");
        self
    }

    /// Fails unless a host is drifted by exactly these findings.
    #[track_caller]
    pub(crate) fn drifted(self, name: &str, findings: &[(&str, &str)]) -> Self {
        assert_eq!(self.verdict(name), "drifted", "{name}\n{self}");
        assert_eq!(self.findings(name), findings.iter().copied().collect(), "{name}\n{self}");
        self
    }

    /// Fails unless a host is unverifiable, and for this reason.
    #[track_caller]
    pub(crate) fn unverifiable(self, name: &str, reason: &str) -> Self {
        assert_eq!(self.verdict(name), "unverifiable", "{name}\n{self}");
        assert!(self.reasons(name).contains(reason), "{name} is not {reason}\n{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} after {:?}\n--- standard output\n{}", self.status, self.elapsed, self.stdout)?;
        write!(f, "--- standard error\n{}", self.stderr)?;
        match &self.report {
            Some(report) => write!(f, "--- report\n{:#}", report["hosts"]),
            None => Ok(()),
        }
    }
}
