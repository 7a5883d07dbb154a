//! How a host is dialled by ssh: its command line, and what is needed to explain why it failed.
//!
//! *Invariant:* what can be refused without a connection is refused here, with the place it is written at; the command line holds
//! nothing that was not looked at.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{Arguments, is_plain_word, plain, quoted};
use super::{Dialer, absolute};
use crate::inventory::host::{Host, Place, Reach};
use crate::transport::known_hosts::{HostName, KnownHostsFile, authority, kinds};
use crate::transport::ssh_config::{Asked, Resolved, expand_home};
use crate::transport::{KeyFault, RouteError};

/// Keys that ssh tries where nobody names one.
const USUAL_KEYS: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

/// How to reach, trust and log in to one host.
#[derive(Debug, Clone)]
pub struct Route {
    pub(super) name: String,
    pub(super) place: Place,
    /// As it is given to ssh.
    pub(super) host: String,
    pub(super) arguments: Arguments,
    /// As the files resolve it, for people.
    pub(super) user: String,
    pub(super) endpoint: String,
    pub(super) lookup: HostName,
    pub(super) known: Vec<Arc<KnownHostsFile>>,
    pub(super) known_files: Vec<PathBuf>,
    pub(super) pin: Option<String>,
    /// What it goes through, for people.
    pub(super) through: Option<String>,
    /// Keys that can't be used as they are, told where the login fails.
    pub(super) notes: Vec<String>,
}

impl Route {
    /// The host's name in the fleet.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `user@host:port`, as it is dialled.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}@{}", self.user, self.endpoint)
    }

    /// All that decides which machine it leads to and whether that one is trusted, but for the content of files.
    #[must_use]
    pub fn ground(&self) -> String {
        format!("openssh {} {} {:?} {:?}", self.address(), self.lookup.as_str(), self.pin, self.through)
    }

    /// The files that say whom to trust.
    pub fn trust_files(&self) -> impl Iterator<Item = &Path> {
        self.known_files.iter().map(PathBuf::as_path)
    }

    /// The ways that it shares with other hosts, each of which has room for `--max-per-jump` of them.
    #[must_use]
    pub fn shared_ways(&self) -> Vec<String> {
        self.through.clone().into_iter().collect()
    }
}

impl Dialer {
    /// Puts together how a host is dialled. It makes no connection.
    ///
    /// # Errors
    ///
    /// What the hosts file says can't be done, with its place.
    pub fn route(&self, host: &Host) -> Result<Route, RouteError> {
        let (name, place) = (host.name.clone(), host.place.clone());
        let refused = |detail: String| RouteError::Field { place: place.clone(), name: name.clone(), detail };
        let Reach::Ssh { host: typed, port, user } = &host.reach else {
            return Err(refused("this machine is not dialled".to_owned()));
        };
        let user = user.as_deref().or(self.settings.user.as_deref());
        let port = port.or(self.settings.port);
        for (field, value) in [("host", Some(typed.as_str())), ("user", user)] {
            if let Some(value) = value.filter(|value| !is_plain_word(value)) {
                return Err(refused(format!("{field} {value:?} can't be dialled")));
            }
        }
        let resolved = self.config.resolve(Asked { host: typed, port, user });
        let mut arguments = Arguments::of_every_host(
            self.settings.connect_timeout,
            self.settings.accept_new_host_keys && host.host_key.is_none(),
        );
        if let Some(file) = self.config.file_for_ssh() {
            arguments.pair("-F", file);
        }
        if let Some(port) = port {
            arguments.pair("-p", port.to_string());
        }
        if let Some(user) = user {
            arguments.pair("-l", user);
        }
        if self.config.sets("setenv") {
            // ssh knows no way to unset it, and takes the first: a variable of no meaning, which servers ignore.
            arguments.option("SetEnv=DRIFTSCAN=1");
        }
        let through = way_there(host, &resolved, &mut arguments);
        let unwritable =
            |path: &Path| refused(format!("the path {} can't be written in an option of ssh", path.display()));
        let mut notes = Vec::new();
        for path in self.keys(host, &resolved).map_err(|fault| RouteError::Key {
            place: host.place.clone(),
            name: host.name.clone(),
            fault,
        })? {
            arguments.pair("-i", plain(&path).ok_or_else(|| unwritable(&path))?);
            notes.extend(note_on(&path));
        }
        let user_files = match &self.settings.known_hosts {
            Some(file) => vec![file.clone()],
            None => resolved.user_known_hosts.clone(),
        };
        if let Some(pin) = &host.host_key {
            arguments.pin(pin.trim_end_matches('='));
        } else if self.settings.known_hosts.is_some() || self.config.is_of_another_home() {
            let files: Option<Vec<String>> = user_files.iter().map(|file| quoted(&absolute(file))).collect();
            let files = files
                .ok_or_else(|| refused("the path of known_hosts can't be written in an option of ssh".to_owned()))?;
            arguments.option(&format!("UserKnownHostsFile={}", files.join(" ")));
        }
        let known_files: Vec<PathBuf> = user_files.into_iter().chain(resolved.global_known_hosts.clone()).collect();
        let known = self.known(&known_files);
        let endpoint = endpoint(&resolved.hostname, resolved.port);
        let lookup =
            resolved.alias.as_deref().map_or_else(|| HostName::new(&resolved.hostname, resolved.port), HostName::alias);
        if host.host_key.is_none() && !self.config.sets("hostkeyalgorithms") && authority(&known, &lookup).is_none() {
            arguments.prefer(&kinds(&known, &lookup));
        }
        Ok(Route {
            host: typed.clone(),
            arguments,
            user: resolved.user.unwrap_or_default(),
            endpoint,
            lookup,
            known,
            known_files,
            pin: host.host_key.as_deref().map(|pin| pin.trim_end_matches('=').to_owned()),
            through,
            notes,
            name,
            place,
        })
    }

    /// The keys to name on the command line.
    fn keys(&self, host: &Host, resolved: &Resolved) -> Result<Vec<PathBuf>, KeyFault> {
        if let Some(path) = &host.identity {
            let path = path.to_str().map_or_else(|| path.clone(), |text| expand_home(text, &self.home));
            look_at_key(&path)?;
            return Ok(vec![absolute(&path)]);
        }
        if !self.settings.identities.is_empty() || !resolved.identities.is_empty() || !self.config.is_of_another_home()
        {
            return Ok(self.settings.identities.clone());
        }
        // ssh takes the home of passwd, whatever HOME says.
        let usual = USUAL_KEYS.iter().map(|name| self.home.join(".ssh").join(name));
        Ok(usual.filter(|path| path.is_file()).collect())
    }
}

/// Adds the jump hosts; tells what the host is reached through.
fn way_there(host: &Host, resolved: &Resolved, arguments: &mut Arguments) -> Option<String> {
    match host.jump.as_deref() {
        Some([]) => {
            arguments.option("ProxyJump=none");
            arguments.option("ProxyCommand=none");
            None
        }
        Some(jumps) => {
            // Each part was read as an address: it has no sign that a shell or ssh would take for its own.
            let chain = jumps.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            arguments.option(&format!("ProxyJump={chain}"));
            Some(chain)
        }
        None => resolved.proxy.as_ref().map(|(keyword, value)| format!("{keyword} {value}")),
    }
}

/// `host:port`.
fn endpoint(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Whether a file that somebody named can be a key; what it holds is ssh's to read.
pub(super) fn look_at_key(path: &Path) -> Result<(), KeyFault> {
    let own = path.to_owned();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyFault::Absent { path: path.to_owned() },
        _ => KeyFault::Unreadable { path: path.to_owned(), detail: error.to_string() },
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(KeyFault::Unreadable { path: own, detail: "it is no file".to_owned() });
    }
    let start = beginning(path).map_err(unreadable)?;
    let public = ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| start.starts_with(kind));
    let mode = metadata.permissions().mode() & 0o777;
    if !public && mode & 0o077 != 0 && metadata.uid() == rustix::process::geteuid().as_raw() {
        // ssh ignores such a key.
        return Err(KeyFault::TooOpen { path: own, mode });
    }
    if !public && !start.contains("-----BEGIN ") {
        return Err(KeyFault::Format { path: own, detail: "it holds none".to_owned() });
    }
    Ok(())
}

/// What a refused login is to say about a key.
fn note_on(path: &Path) -> Option<String> {
    let start = beginning(path).ok()?;
    let encrypted = if start.contains("BEGIN OPENSSH PRIVATE KEY") {
        std::fs::read(path).ok().and_then(|bytes| ssh_key::PrivateKey::from_openssh(bytes).ok())?.is_encrypted()
    } else {
        start.contains("ENCRYPTED")
    };
    encrypted.then(|| {
        format!(
            "The key {0} needs its passphrase, which ssh is not let ask for: load it into an agent (ssh-add {0}).",
            path.display()
        )
    })
}

fn beginning(path: &Path) -> std::io::Result<String> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(512).read_to_end(&mut start)?;
    Ok(String::from_utf8_lossy(&start).into_owned())
}
