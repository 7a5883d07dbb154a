//! The lab: one temporary folder with a golden root, its clones, keys, real `sshd` processes and a home of its own.
//!
//! *Invariant:* nothing of the account that runs the tests (its keys, agent, ssh configuration) reaches a test.

mod debian;
mod keys;
mod processes;
mod run;
mod script;
mod sshd;
mod transport;
mod tree;

pub(crate) use keys::{certify, encrypt, fingerprint, generate, public_key};
pub(crate) use processes::{descendants, probes, slay};
pub(crate) use run::{Driftscan, Run};
pub(crate) use script::Answer;
pub(crate) use sshd::{Options, SshHost};
pub(crate) use transport::{over, over_both, transport};
pub(crate) use tree::Tree;

use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The account that runs the tests, by its name.
pub(crate) fn account() -> String {
    String::from_utf8(tool("id", &["-un"]).stdout).unwrap().trim().to_owned()
}

/// Runs a tool of the system; a missing one fails the test with the line that installs it.
pub(crate) fn tool(name: &str, args: &[&str]) -> std::process::Output {
    let output = Command::new(program(name)).args(args).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Where a program is, the system folders included, which an ordinary account may lack in its PATH.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|dir| dir.join(name)).find(|file| file.is_file()).unwrap_or_else(
        || {
            let package = match name {
                "sshd" => "openssh-server",
                "ssh-keygen" | "ssh-agent" | "ssh-add" => "openssh-client",
                "setfacl" => "acl",
                "setfattr" => "attr",
                "setcap" => "libcap2-bin",
                "rpmbuild" | "rpmdb" => "rpm",
                "pacman" => "pacman-package-manager",
                "vercmp" => "makepkg",
                "db5.3_load" => "db5.3-util",
                "busybox" => "busybox-static",
                other => other,
            };
            panic!("{name} is missing; install it: apt-get install {package}")
        },
    )
}

/// The lab; gone with everything in it when dropped.
pub(crate) struct Lab {
    dir: TempDir,
    runs: Cell<u32>,
    known: RefCell<String>,
}

impl Lab {
    /// Makes an empty lab with a login key.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("driftscan-lab-").tempdir().unwrap();
        // Ordinary accounts that a test plays must be able to pass through.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let lab = Self { dir, runs: Cell::new(0), known: RefCell::default() };
        for folder in ["home", "keys", "roots", "sshd", "tmp"] {
            fs::create_dir(lab.path(folder)).unwrap();
        }
        for private in ["home", "keys"] {
            fs::set_permissions(lab.path(private), fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::write(lab.path("ssh_config"), "").unwrap();
        fs::write(lab.path("authorized_keys"), "").unwrap();
        fs::write(lab.known_hosts(), "").unwrap();
        let key = generate(&lab.path("keys/login"), "ed25519", None);
        lab.authorize(&key);
        lab
    }

    /// A path inside the lab.
    pub(crate) fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(inside)
    }

    /// The private key that every server of the lab accepts.
    pub(crate) fn key(&self) -> PathBuf {
        self.path("keys/login")
    }

    /// Lets a key log in everywhere.
    pub(crate) fn authorize(&self, key: &Path) {
        let mut all = fs::read_to_string(self.path("authorized_keys")).unwrap();
        all.push_str(&fs::read_to_string(key.with_extension("pub")).unwrap());
        fs::write(self.path("authorized_keys"), all).unwrap();
    }

    /// The `known_hosts` file that holds every server's key.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.path("known_hosts")
    }

    /// Adds a line to `known_hosts`.
    pub(crate) fn know(&self, line: &str) {
        let mut known = self.known.borrow_mut();
        known.push_str(line);
        known.push('\n');
        fs::write(self.known_hosts(), known.as_str()).unwrap();
    }

    /// Empties `known_hosts`, so that a test can write its own.
    pub(crate) fn forget_hosts(&self) {
        self.known.borrow_mut().clear();
        fs::write(self.known_hosts(), "").unwrap();
    }

    /// Makes the golden root: a small Debian web server.
    pub(crate) fn golden_root(&self) -> Tree {
        Tree::golden(self.path("roots/golden"))
    }

    /// Copies the golden root with modes, owners, hard links, extended attributes and times.
    pub(crate) fn clone_root(&self, golden: &Tree, name: &str) -> Tree {
        golden.copy_to(&self.path("roots").join(name))
    }

    /// Starts a real server of its own port, host keys and log.
    pub(crate) fn sshd(&self, name: &str, options: &Options) -> SshHost {
        let host = SshHost::start(&self.path("sshd").join(name), &self.path("authorized_keys"), options);
        for line in host.known_lines() {
            self.know(&line);
        }
        host
    }

    /// Writes `hosts.txt`, a line each.
    pub(crate) fn hosts_file(&self, lines: &[impl AsRef<str>]) -> PathBuf {
        let text = lines.iter().fold(String::new(), |all, line| all + line.as_ref() + "\n");
        fs::write(self.path("hosts.txt"), text).unwrap();
        self.path("hosts.txt")
    }

    /// The binary, with the lab as its world.
    pub(crate) fn driftscan(&self, args: &[&str]) -> Driftscan {
        self.runs.set(self.runs.get() + 1);
        Driftscan::new(self.dir.path(), self.runs.get(), args)
    }

    /// The binary with the flags that lead to the lab's servers.
    pub(crate) fn connected(&self, args: &[&str]) -> Driftscan {
        self.driftscan(args)
            .flag("--identity", self.key())
            .flag("--known-hosts", self.known_hosts())
            .flag("--ssh-config", self.path("ssh_config"))
    }

    /// A scan of `hosts.txt` whose JSON report is read.
    pub(crate) fn scan(&self, args: &[&str]) -> Driftscan {
        self.connected(&["scan"]).flag("--fleet", self.path("hosts.txt")).reported().args(args)
    }

    /// Captures a baseline of a folder, which must work.
    pub(crate) fn capture(&self, label: &str, root: &Tree) {
        self.driftscan(&["baseline", "capture", label, "--from", &root.target()]).run().succeeds();
    }

    /// A capture over SSH, ready to run.
    pub(crate) fn capture_from(&self, label: &str, server: &SshHost, root: &Tree) -> Driftscan {
        let source = format!("{}@127.0.0.1:{}", account(), server.port);
        self.connected(&["baseline", "capture", label, "--from", &source]).flag("--root", root.path())
    }

    /// Where a baseline is stored.
    pub(crate) fn baseline(&self, name: &str, version: &str) -> PathBuf {
        self.path("baselines").join(name).join(format!("{version}.jsonl"))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A flag set by a test that failed must not keep the folder alive.
        if is_root() {
            let _ = Command::new("chattr").args(["-R", "-f", "-i", "-a"]).arg(self.path("roots")).output();
        } else {
            let _ = Command::new("chmod").args(["-R", "-f", "u+rwX"]).arg(self.path("roots")).output();
        }
        // Trees may be deeper than a folder's own removal has descriptors for.
        let _ = Command::new("rm").arg("-rf").arg(self.path("roots")).output();
    }
}

/// The usual scene: a golden root captured as `web@2026.11.1`, one server, and hosts that are folders behind it.
pub(crate) struct Scene {
    pub(crate) lab: Lab,
    pub(crate) golden: Tree,
    pub(crate) sshd: SshHost,
    lines: RefCell<Vec<String>>,
}

impl Scene {
    /// The scene with a server of the usual options.
    pub(crate) fn new() -> Self {
        Self::with(&Options::default(), |_| ())
    }

    /// The scene with a server of other options, and a golden root changed before its capture.
    pub(crate) fn with(options: &Options, change: impl FnOnce(&Tree)) -> Self {
        let lab = Lab::new();
        let golden = lab.golden_root();
        change(&golden);
        lab.capture("web@2026.11.1", &golden);
        let sshd = lab.sshd("first", options);
        Self { lab, golden, sshd, lines: RefCell::new(vec!["[web] template=web".to_owned()]) }
    }

    /// A host with a clone of the golden root.
    pub(crate) fn host(&self, name: &str) -> Tree {
        self.host_at(&self.sshd, name)
    }

    /// A host behind another server.
    pub(crate) fn host_at(&self, server: &SshHost, name: &str) -> Tree {
        let tree = self.lab.clone_root(&self.golden, name);
        self.line(&server.line(name, &tree));
        tree
    }

    /// Adds a line to the hosts file.
    pub(crate) fn line(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
        self.lab.hosts_file(&self.lines.borrow());
    }

    /// A scan of every host, ready to run.
    pub(crate) fn scan(&self, args: &[&str]) -> Driftscan {
        self.lab.scan(args)
    }

    /// Scans every host.
    pub(crate) fn run(&self) -> Run {
        self.scan(&[]).run()
    }
}
