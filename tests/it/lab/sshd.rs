//! Real OpenSSH servers on loopback.
//!
//! *Invariant:* a server listens on 127.0.0.1 only, accepts the lab's keys only, and dies with its value.

use super::keys::{fingerprint, generate, public_key};
use super::script::Answer;
use super::{Tree, account, is_root, program};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What is special about a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Host key types beside `ed25519`, or in its place where `only` is set.
    pub(crate) host_keys: Vec<&'static str>,
    /// Leaves the ed25519 key out.
    pub(crate) without_ed25519: bool,
    /// What answers in place of the login shell.
    pub(crate) answer: Option<Answer>,
    /// Lines of `sshd_config`; the first of a keyword wins.
    pub(crate) config: Vec<String>,
    /// A shell text that prepares a mount namespace of the server's own; needs root.
    pub(crate) mounts: Option<String>,
}

impl Options {
    /// The usual server, answered by a script in place of the shell.
    pub(crate) fn answering(answer: Answer) -> Self {
        Self { answer: Some(answer), ..Self::default() }
    }

    /// The usual server with lines of configuration.
    pub(crate) fn configured(lines: &[&str]) -> Self {
        Self { config: lines.iter().map(|line| (*line).to_owned()).collect(), ..Self::default() }
    }
}

/// A running server.
pub(crate) struct SshHost {
    child: Child,
    dir: PathBuf,
    keys: Vec<PathBuf>,
    pub(crate) port: u16,
}

impl SshHost {
    /// Starts a server in a folder of its own.
    pub(crate) fn start(dir: &Path, authorized: &Path, options: &Options) -> Self {
        fs::create_dir_all(dir.join("home")).unwrap();
        let mut kinds = options.host_keys.clone();
        if !options.without_ed25519 {
            kinds.insert(0, "ed25519");
        }
        let keys: Vec<_> = kinds.iter().map(|kind| generate(&dir.join(format!("host_{kind}")), kind, None)).collect();
        if is_root() {
            // Where sshd puts the process that parses the network, before authentication.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            fs::write(dir.join("config"), configuration(dir, port, &keys, authorized, options)).unwrap();
            if let Some(child) = launch(dir, options) {
                return Self { child, dir: dir.to_owned(), keys, port };
            }
        }
        panic!("sshd found no free port: {}", fs::read_to_string(dir.join("log")).unwrap_or_default());
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to its log.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("log")).unwrap()).into_owned()
    }

    /// Fails when somebody so much as asked to log in.
    pub(crate) fn assert_no_authentication(&self) {
        let log = self.log();
        assert!(log.contains("Connection from"), "nobody connected:\n{log}");
        assert!(!log.contains("userauth-request"), "somebody tried to log in:\n{log}");
    }

    /// How often somebody logged in.
    pub(crate) fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    /// Its first host key.
    pub(crate) fn host_key(&self) -> &Path {
        &self.keys[0]
    }

    /// `SHA256:...` of its first host key.
    pub(crate) fn host_fingerprint(&self) -> String {
        fingerprint(self.host_key())
    }

    /// `[127.0.0.1]:PORT`, as `known_hosts` names it.
    pub(crate) fn known_name(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }

    /// A `known_hosts` line a key.
    pub(crate) fn known_lines(&self) -> Vec<String> {
        self.keys.iter().map(|key| format!("{} {}", self.known_name(), public_key(key))).collect()
    }

    /// A line of the hosts file: this server playing a host whose root is a folder.
    pub(crate) fn line(&self, name: &str, root: &Tree) -> String {
        format!("{}@127.0.0.1:{} name={name} root={}", account(), self.port, root.path().display())
    }

    /// Kills the server and every session of it, as a power cut would.
    pub(crate) fn kill(&mut self) {
        for id in super::descendants(self.pid()) {
            super::slay(id);
        }
        if let Some(group) = Pid::from_raw(i32::try_from(self.child.id()).unwrap()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for SshHost {
    fn drop(&mut self) {
        self.kill();
    }
}

fn configuration(dir: &Path, port: u16, keys: &[PathBuf], authorized: &Path, options: &Options) -> String {
    // bash reads its start-up files when sshd runs it; the account's own must not meet a test.
    let home = dir.join("home");
    let mut text = String::new();
    for line in &options.config {
        writeln!(text, "{line}").unwrap();
    }
    write!(
        text,
        "ListenAddress 127.0.0.1:{port}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n\
         UseDNS no\nPrintMotd no\nLogLevel DEBUG1\nSetEnv HOME={}\n",
        authorized.display(),
        home.display()
    )
    .unwrap();
    for key in keys {
        writeln!(text, "HostKey {}", key.display()).unwrap();
    }
    if let Some(answer) = &options.answer {
        writeln!(text, "ForceCommand {}", answer.write(&dir.join("answer")).display()).unwrap();
    }
    if knows_penalties(dir) {
        // Every host of the lab has one address, and hostile ones must not lock the others out.
        text.push_str("PerSourcePenalties no\n");
    }
    text
}

/// Whether this OpenSSH (9.8 and later) punishes addresses.
fn knows_penalties(dir: &Path) -> bool {
    let trial = dir.join("trial");
    fs::write(&trial, "PerSourcePenalties no\n").unwrap();
    let key = fs::read_dir(dir)
        .unwrap()
        .filter_map(|e| Some(e.ok()?.path()))
        .find(|p| p.extension().is_none() && p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("host_")));
    let output = Command::new(program("sshd")).arg("-t").arg("-f").arg(&trial).arg("-h").arg(key.unwrap()).output();
    output.unwrap().status.success()
}

/// Starts the server and waits until it listens; `None` when somebody took the port meanwhile.
fn launch(dir: &Path, options: &Options) -> Option<Child> {
    fs::write(dir.join("log"), "").unwrap();
    let errors = File::options().append(true).open(dir.join("log")).unwrap();
    // A server dies with the test even where the test is killed.
    let mut command = Command::new(program("setpriv"));
    command.args(["--pdeathsig", "KILL", "--"]);
    if let Some(text) = &options.mounts {
        command.arg(program("unshare")).args(["--mount", "--propagation", "private", "sh", "-c"]);
        command.arg(format!("{text}; exec \"$0\" \"$@\""));
    }
    command.arg(program("sshd"));
    // By a file of its own: what it logged to standard error would reach the client as the command's.
    command.args(["-D", "-f"]).arg(dir.join("config")).arg("-E").arg(dir.join("log"));
    command.env_remove("SSH_AUTH_SOCK").stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).process_group(0);
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    loop {
        let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
        if log.contains("Server listening on") {
            return Some(child);
        }
        if child.try_wait().unwrap().is_some() {
            assert!(log.contains("Address already in use"), "sshd did not start:\n{log}");
            return None;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "sshd does not listen:\n{log}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
