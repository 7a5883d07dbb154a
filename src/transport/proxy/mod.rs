//! Connections that are a child process: through jump hosts, by one shared connection a bastion, and by `ProxyCommand`.
//!
//! Both are the system's own programs with a pump before them, so that what a jump host needs (certificates, security
//! keys, `Match`) is OpenSSH's business, and what a child may cost in bytes and time is ours.
//!
//! *Invariant:* knows nothing of the session it carries; no child outlives the run.

mod arguments;
mod bastion;
mod command;
mod master;
mod process;
mod pump;
mod words;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::model::Reason;
use crate::transport::TransportError;
use bastion::{Bastion, Plan};
use pump::Pumps;

pub(super) use command::{ProxyCommand, Tokens};
pub(super) use pump::{Link, Meter};

/// `sun_path` holds 107 bytes, and ssh first binds to the name with a dot and 16 letters behind it.
const LONGEST_SOCKET: usize = 107 - 17;
/// What a child that closed its output gets to end and tell its status.
const LAST_WORDS: Duration = Duration::from_millis(800);

/// What a host is reached through.
#[derive(Debug, Clone)]
pub(super) enum Through {
    /// Jump hosts.
    Jump(Arc<Bastion>),
    /// A command of `ssh_config`.
    Command(Arc<ProxyCommand>),
}

impl Through {
    /// For people.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Jump(bastion) => format!("the jump host {}", bastion.label),
            Self::Command(command) => command.label(),
        }
    }

    /// What bounds the hosts that share a way: each of them has so many sessions at most.
    pub(super) fn bounds(&self) -> Vec<String> {
        match self {
            Self::Jump(bastion) => bastion.hops(),
            Self::Command(command) => vec![format!("ProxyCommand {}", command.written)],
        }
    }
}

/// One jump host, resolved.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    /// As `ssh -J` reads it.
    pub(super) label: String,
    /// As it is given to ssh, which resolves it again.
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    /// Where the hop before it finds it.
    pub(super) endpoint: String,
    pub(super) known_hosts: Vec<PathBuf>,
}

/// What ssh(1) is told about every jump host.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) ssh: PathBuf,
    /// `-F`.
    pub(super) config: Option<PathBuf>,
    pub(super) identities: Vec<PathBuf>,
    pub(super) accept_new_host_keys: bool,
    pub(super) patience: Duration,
}

/// The children of a run.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    pumps: Pumps,
    bastions: Mutex<Bastions>,
}

#[derive(Debug, Default)]
struct Bastions {
    /// By the chain's label.
    known: HashMap<String, Arc<Bastion>>,
    /// Of the sockets; mode 0700.
    folder: Option<TempDir>,
}

impl Proxies {
    /// The last of a chain of jump hosts; `None` for no chain. Nothing is started yet.
    pub(super) fn bastion(&self, chain: &[Hop], client: &Client) -> std::io::Result<Option<Arc<Bastion>>> {
        let mut bastions = self.bastions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last: Option<Arc<Bastion>> = None;
        for hop in chain {
            let label = last.as_ref().map_or_else(|| hop.label.clone(), |last| format!("{},{}", last.label, hop.label));
            if let Some(known) = bastions.known.get(&label) {
                last = Some(Arc::clone(known));
                continue;
            }
            let folder = match &bastions.folder {
                Some(folder) => folder.path().to_owned(),
                None => bastions.folder.insert(short_folder()?).path().to_owned(),
            };
            let plan = Plan {
                label: label.clone(),
                through: last,
                ssh: client.ssh.clone(),
                arguments: login(hop, client),
                endpoint: hop.endpoint.clone(),
                socket: folder.join(bastions.known.len().to_string()),
                patience: client.patience,
            };
            let bastion = Arc::new(Bastion::new(plan));
            bastions.known.insert(label, Arc::clone(&bastion));
            last = Some(bastion);
        }
        Ok(last)
    }

    /// Opens a connection to an endpoint, through.
    pub(super) fn open(&self, through: &Through, endpoint: &str, deadline: Instant) -> Result<Opened, TransportError> {
        let (mut command, said) = match through {
            Through::Jump(bastion) => {
                bastion.ready(deadline)?;
                (bastion.command(endpoint), bastion.said())
            }
            Through::Command(command) => (command.command(), 0),
        };
        let link = self.pumps.start(&mut command).map_err(|error| TransportError::Here {
            action: "starting the program that connects",
            detail: format!("{}: {error}", command.get_program().display()),
        })?;
        Ok(Opened { link, said })
    }

    /// Why a connection ended before anything came through, where its child tells.
    pub(super) fn explain(through: &Through, meter: &Meter, said: usize, endpoint: &str) -> Option<TransportError> {
        if meter.received() > 0 {
            return None;
        }
        let end = meter.end(LAST_WORDS)?;
        let words = String::from_utf8_lossy(&end.words);
        let by = through.label();
        match through {
            Through::Jump(bastion) => {
                let lines = bastion.said_since(said);
                let mut causes: Vec<&str> = lines.iter().filter_map(|line| words::of_channel(line)).collect();
                causes.sort_unstable();
                causes.dedup();
                if let Some(prohibited) = causes.iter().find(|cause| cause.contains("prohibited")) {
                    let detail = format!("it opens no connection to {endpoint}: {}", words::shown(prohibited));
                    return Some(TransportError::Proxy { by, reason: Reason::Unreachable, detail });
                }
                if causes.is_empty() && end.status == Some(0) {
                    // The host took the connection and closed it.
                    return None;
                }
                // Several hosts may have been refused at once, and a line names none.
                let cause = if causes.is_empty() { words::shown(&words) } else { causes.join(" or ").to_lowercase() };
                let detail = format!("through {by}: {}", words::shown(&cause));
                Some(TransportError::Unreachable { address: endpoint.to_owned(), detail })
            }
            Through::Command(_) => {
                let ended = match end.status {
                    Some(status) => format!("it ended with status {status}"),
                    None => "it was ended by a signal".to_owned(),
                };
                let detail = match words::shown(&words) {
                    shown if shown.is_empty() => format!("{ended} and said nothing"),
                    shown => format!("{ended}: {shown}"),
                };
                Some(TransportError::Proxy { by, reason: words::reason(&words), detail })
            }
        }
    }

    /// Ends every child. The sockets of the pumps are the caller's to shut down, before.
    pub(super) fn close(&self) {
        self.pumps.close();
        let mut bastions = self.bastions.lock().unwrap_or_else(PoisonError::into_inner);
        // The longest chain first: what is reached through another ends before it.
        let mut all: Vec<&Arc<Bastion>> = bastions.known.values().collect();
        all.sort_by_key(|bastion| std::cmp::Reverse(bastion.hops().len()));
        for bastion in all {
            bastion.close();
        }
        bastions.folder = None;
    }
}

/// A connection, and how much its master had said before it was asked for.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) link: Link,
    pub(super) said: usize,
}

/// A private folder whose sockets have names that are short enough.
fn short_folder() -> std::io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let fits = |folder: &&Path| folder.as_os_str().as_bytes().len() + "/ds-XXXXXX/000000".len() <= LONGEST_SOCKET;
    let folder = [usual.as_path()].into_iter().find(fits).unwrap_or(Path::new("/tmp"));
    // Whatever the umask is: a socket in it leads to commands on hosts.
    let mode = Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("ds-").rand_bytes(6).permissions(mode).tempdir_in(folder)
}

/// What ssh is told to log in to a jump host, the destination last. What is given here wins over any file.
fn login(hop: &Hop, client: &Client) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(config) = &client.config {
        words.extend(["-F".into(), config.into()]);
    }
    let mut option = |text: String| words.extend(["-o".into(), text.into()]);
    let strict = if client.accept_new_host_keys { "accept-new" } else { "yes" };
    option(format!("StrictHostKeyChecking={strict}"));
    option(format!("ConnectTimeout={}", client.patience.as_secs().max(1)));
    for fixed in [
        "BatchMode=yes",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        "UpdateHostKeys=no",
        "ControlPersist=no",
        "ConnectionAttempts=1",
        // A bastion that is gone is noticed within half a minute.
        "ServerAliveInterval=10",
        "ServerAliveCountMax=3",
        // Below this it does not say why a channel was refused.
        "LogLevel=INFO",
    ] {
        option(fixed.to_owned());
    }
    if !hop.known_hosts.is_empty() {
        let mut text = OsString::from("UserKnownHostsFile=");
        for (index, file) in hop.known_hosts.iter().enumerate() {
            text.push(if index == 0 { "" } else { " " });
            text.push(arguments::option_path(file.as_os_str()));
        }
        words.extend(["-o".into(), text]);
    }
    for identity in &client.identities {
        words.extend(["-i".into(), arguments::escaped(identity.as_os_str())]);
    }
    if let Some(user) = &hop.user {
        words.extend(["-l".into(), user.into()]);
    }
    if let Some(port) = hop.port {
        words.extend(["-p".into(), port.to_string().into()]);
    }
    words.extend(["--".into(), hop.host.clone().into()]);
    words
}
