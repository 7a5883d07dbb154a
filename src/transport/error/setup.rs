//! What is wrong before any host is dialled: keys, `ssh_config`, routes that are not built yet.
//!
//! *Invariant:* every message names the file or the place, and what to do.

use std::path::PathBuf;

use thiserror::Error;

use crate::inventory::host::Place;

/// A private key file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// No such file.
    #[error("the key {} does not exist", .path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file can't be read.
    #[error("the key {} can't be read: {detail}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Others could read it.
    #[error("the key {} can be read by others (mode {mode:04o}); make it yours alone: chmod 600 {}", .path.display(), .path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Encrypted, and nobody gave the passphrase.
    #[error(
        "the key {} needs its passphrase: run driftscan where it can ask for it, or load the key into an agent (ssh-add {})",
        .path.display(), .path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Encrypted, and the passphrase was wrong.
    #[error("wrong passphrase for the key {}", .path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A key in a hardware token.
    #[error("the key {} lives in a security key: use it through an agent (ssh-add {}), or with --transport openssh", .path.display(), .path.display())]
    Token {
        /// The file.
        path: PathBuf,
    },
    /// The public half.
    #[error("{} is a public key: name the private one", .path.display())]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// Not a key that is understood.
    #[error(
        "{} is not a private key that driftscan understands ({detail}); ssh-keygen -p -f FILE rewrites a key in today's format",
        .path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// The dialer can't be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// libssh2 is one that a hostile server can take over.
    #[error(
        "driftscan was linked with libssh2 {found}, which a hostile server can attack before login (CVE-2026-55200); \
         build it with the libssh2 that comes with it (unset LIBSSH2_SYS_USE_PKG_CONFIG)"
    )]
    OldLibssh2 {
        /// Its version.
        found: String,
    },
    /// A key of the command line can't be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// `--ssh-config` names a file that can't be read.
    #[error("the ssh_config {} can't be read: {detail}", .path.display())]
    SshConfig {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// `--known-hosts` names a file that can't be read.
    #[error("the known_hosts file {} can't be read: {detail}", .path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// `openssh` without OpenSSH.
    #[error(
        "the openssh transport needs the ssh client, and PATH has none; install it (apt-get install openssh-client, \
             dnf install openssh-clients, apk add openssh-client-default), or use --transport ssh2"
    )]
    NoSshClient,
    /// An ssh client of another kind, or an old one.
    #[error("the openssh transport needs OpenSSH 8.7 or later; {} is: {found}; update it, or use --transport ssh2", .path.display())]
    UnfitSshClient {
        /// The program.
        path: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// No folder for ssh's sockets.
    #[error("no private folder for ssh's control sockets could be made in TMPDIR: {detail}")]
    Folder {
        /// What the system said.
        detail: String,
    },
    /// No watchdog, no scan.
    #[error("the thread that holds deadlines and budgets could not be started: {detail}")]
    Watchdog {
        /// What the system said.
        detail: String,
    },
}

/// One host can't be dialled as the hosts file and `ssh_config` say; told before the scan.
#[derive(Debug, Error)]
pub enum RouteError {
    /// The way through a proxy can't be taken.
    #[error("{place}: {name}: {keyword} {value}: {detail}")]
    Proxy {
        /// Where the host is written.
        place: Place,
        /// The host.
        name: String,
        /// `jump`, `ProxyJump` or `ProxyCommand`.
        keyword: &'static str,
        /// What it says.
        value: String,
        /// Why not.
        detail: String,
    },
    /// `ssh -G`, or a file it reads, failed.
    #[error("{place}: {name}: ssh_config: {detail}")]
    SshConfig {
        /// Where the host is written.
        place: Place,
        /// The host.
        name: String,
        /// What was said.
        detail: String,
    },
    /// The key of `identity=` can't be used.
    #[error("{place}: {name}: {fault}")]
    Key {
        /// Where the host is written.
        place: Place,
        /// The host.
        name: String,
        /// Why.
        fault: KeyFault,
    },
    /// Nobody says whom to log in as.
    #[error("{place}: {name}: no user is named, and this machine does not tell yours; write user@host or --user")]
    NoUser {
        /// Where the host is written.
        place: Place,
        /// The host.
        name: String,
    },
    /// A field that can't be dialled.
    #[error("{place}: {name}: {detail}")]
    Field {
        /// Where the host is written.
        place: Place,
        /// The host.
        name: String,
        /// Which, and why.
        detail: String,
    },
}
