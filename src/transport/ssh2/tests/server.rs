//! A real sshd on a free port of loopback, with keys of its own.
//!
//! *Invariant:* ends with its test, and takes its folder along.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SSHD: &str = "/usr/sbin/sshd";
/// What the encrypted key `id_sealed` is encrypted with.
pub(super) const PASSPHRASE: &str = "a passphrase of tests";

pub(super) struct Server {
    child: Child,
    folder: tempfile::TempDir,
    pub(super) port: u16,
}

/// Makes a key pair; returns the private file.
pub(super) fn keygen(folder: &Path, name: &str, kind: &str, passphrase: &str, more: &[&str]) -> PathBuf {
    let file = folder.join(name);
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(&file)
        .args(more)
        .status()
        .unwrap();
    assert!(status.success());
    file
}

impl Server {
    /// Starts one that accepts every key it makes, with more lines for `sshd_config`.
    pub(super) fn start(more: &str) -> Self {
        Self::with(&["ed25519", "ecdsa"], more)
    }

    /// The same with RSA keys too, which take their time to make.
    pub(super) fn start_with_rsa(more: &str) -> Self {
        Self::with(&["ed25519", "ecdsa", "rsa"], more)
    }

    fn with(kinds: &[&str], more: &str) -> Self {
        assert!(Path::new(SSHD).is_file(), "install the SSH server: apt-get install openssh-server openssh-client");
        if rustix::process::getuid().is_root() {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let mut config = String::new();
        for kind in kinds {
            let bits: &[&str] = if *kind == "rsa" { &["-b", "2048"] } else { &[] };
            let file = keygen(path, &format!("host_{kind}"), kind, "", bits);
            writeln!(config, "HostKey {}", file.display()).unwrap();
            keygen(path, &format!("id_{kind}"), kind, "", bits);
        }
        keygen(path, "id_sealed", "ed25519", PASSPHRASE, &["-a", "2"]);
        let authorized: String = ["id_ed25519", "id_ecdsa", "id_rsa", "id_sealed"]
            .iter()
            .filter_map(|name| std::fs::read_to_string(path.join(format!("{name}.pub"))).ok())
            .collect();
        std::fs::write(path.join("authorized_keys"), authorized).unwrap();
        // Bound and let go: another process could take it, and then the server below does not start.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        write!(
            config,
            "{more}\nListenAddress 127.0.0.1:{port}\nAuthorizedKeysFile {0}/authorized_keys\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPrintMotd no\n\
             LogLevel DEBUG1\n\
             # The login shell must not read this login's own files: some are slow, and some hold locks.\n\
             SetEnv HOME={0}\n",
            path.display()
        )
        .unwrap();
        std::fs::write(path.join("sshd_config"), config).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-f"])
            .arg(path.join("sshd_config"))
            .arg("-E")
            .arg(path.join("log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, folder, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "sshd does not start:\n{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        // The connection that tried must not hold a place of MaxStartups.
        std::thread::sleep(Duration::from_millis(50));
        server
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// A private key that it accepts, copied to where a test may change it.
    pub(super) fn user_key(&self, name: &str) -> PathBuf {
        self.path(name)
    }

    /// The public host key, `TYPE BASE64`.
    pub(super) fn host_key(&self, kind: &str) -> String {
        let text = std::fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn fingerprint(&self, kind: &str) -> String {
        let output =
            Command::new("ssh-keygen").arg("-lf").arg(self.path(&format!("host_{kind}.pub"))).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
    }

    /// As `known_hosts` names it.
    pub(super) fn name(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }

    pub(super) fn known_line(&self) -> String {
        format!("{} {}\n", self.name(), self.host_key("ed25519"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An agent with keys in it.
pub(super) struct KeyAgent {
    child: Child,
    pub(super) socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl KeyAgent {
    pub(super) fn with(keys: &[PathBuf]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let child = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let agent = Self { child, socket, _folder: folder };
        let start = Instant::now();
        // The file is there a moment before the agent listens.
        while std::os::unix::net::UnixStream::connect(&agent.socket).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "ssh-agent does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        for key in keys {
            std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
            let status = Command::new("ssh-add")
                .arg("-q")
                .arg(key)
                .env("SSH_AUTH_SOCK", &agent.socket)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
        }
        agent
    }

    pub(super) fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for KeyAgent {
    fn drop(&mut self) {
        self.end();
    }
}
