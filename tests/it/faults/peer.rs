//! The hostile peer: the program of `examples/hostile_peer`, built and started.
//!
//! *Invariant:* the program is the one of these sources, never one of an earlier build.

use crate::lab::{Lab, program};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// Cargo builds examples along with all tests, but not with `--test it`; where it did, this takes a moment.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", "hostile_peer", "--manifest-path"]);
    build
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(profile.parent().unwrap());
    // What cargo sets for a test makes build scripts run again, and whole crates with them.
    for (name, _) in std::env::vars_os() {
        let set = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|head| name.starts_with(head))
        });
        if set || name == "OUT_DIR" || name == "LD_LIBRARY_PATH" {
            build.env_remove(name);
        }
    }
    match profile.file_name().unwrap().to_str().unwrap() {
        "debug" => {}
        name => drop(build.args(["--profile", name])),
    }
    let output = build.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{build:?}: {}", String::from_utf8_lossy(&output.stderr));
    profile.join("examples/hostile_peer")
});

/// Misbehaviours that are being served.
pub(crate) struct Peer {
    child: Child,
    /// Name and port of each.
    pub(crate) served: Vec<(String, u16)>,
}

impl Peer {
    /// Where the program is.
    pub(crate) fn program() -> &'static Path {
        &PROGRAM
    }

    /// Every misbehaviour as the program lists it: name, fault, kind, what is right.
    pub(crate) fn list() -> Vec<[String; 4]> {
        let output = Command::new(Self::program()).args(["list", "--plain"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        rows.map(|row| <[String; 4]>::try_from(row[..4].to_vec()).unwrap()).collect()
    }

    /// Serves misbehaviours to the keys of a lab, which knows their host key from then on.
    pub(crate) fn start(lab: &Lab, names: &[&str]) -> Self {
        let mut command = Command::new(program("setpriv"));
        // It dies with the test even where the test is killed.
        command.args(["--pdeathsig", "KILL", "--"]).arg(Self::program()).args(names).arg("--plain");
        command.arg("--authorized-key").arg(lab.path("authorized_keys"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut served = Vec::new();
        for name in names {
            let line = lines.next().expect("hostile_peer ended").unwrap();
            let mut words = line.split('\t');
            assert_eq!(words.next(), Some(*name), "{line}");
            served.push(((*name).to_owned(), words.next().unwrap().parse().unwrap()));
            lab.know(words.next().unwrap());
        }
        Self { child, served }
    }

    /// Serves one misbehaviour.
    pub(crate) fn one(lab: &Lab, name: &str) -> Self {
        Self::start(lab, &[name])
    }

    /// How many are connected to the first now.
    pub(crate) fn guests(&self) -> usize {
        let local = format!("0100007F:{:04X}", self.served[0].1);
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        // The fields are number, local address, remote address, state; 01 is ESTABLISHED.
        let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.get(1) == Some(&local.as_str()) && row.get(3) == Some(&"01")).count()
    }

    /// A line of the hosts file for the first.
    pub(crate) fn line(&self, name: &str) -> String {
        format!("127.0.0.1:{} name={name}", self.served[0].1)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
