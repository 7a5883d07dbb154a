//! How a host is dialled: everything the hosts file, the flags and `ssh_config` say, put together before the scan.
//!
//! *Invariant:* what can be refused without a connection is refused here, with the place it is written at.

use std::path::PathBuf;
use std::sync::Arc;

use super::Dialer;
use super::agent;
use super::key_file::{Key, public_half};
use crate::inventory::host::{Host, Place, Reach};
use crate::transport::known_hosts::{HostName, KnownHostsFile, fingerprint};
use crate::transport::ssh_config::{AgentChoice, Asked, Resolved, expand_home};
use crate::transport::{KeyFault, RouteError};

/// Keys that are tried where nobody names one, the best first.
const USUAL_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Something to log in with.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// A key that the agent holds.
    Agent {
        socket: PathBuf,
        blob: Vec<u8>,
        /// For people.
        label: String,
    },
    /// A key that was read.
    File(Arc<Key>),
}

impl Credential {
    fn blob(&self) -> Option<&[u8]> {
        match self {
            Self::Agent { blob, .. } => Some(blob),
            Self::File(key) => key.blob.as_deref(),
        }
    }
}

/// How to reach, trust and log in to one host.
#[derive(Debug, Clone)]
pub struct Route {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) lookup: HostName,
    pub(super) known: Vec<Arc<KnownHostsFile>>,
    pub(super) known_files: Vec<PathBuf>,
    pub(super) record_in: Option<PathBuf>,
    pub(super) pin: Option<String>,
    pub(super) credentials: Vec<Credential>,
    /// Keys that can't be offered, told where the login fails.
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
        format!("{}@{}", self.user, self.endpoint())
    }

    /// `host:port`.
    pub(super) fn endpoint(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl Dialer {
    /// Puts together how a host is dialled. Asks for passphrases where keys need one, so call it before the scan; it makes no
    /// connection.
    ///
    /// # Errors
    ///
    /// What the hosts file or `ssh_config` says can't be done, with its place.
    pub fn route(&self, host: &Host) -> Result<Route, RouteError> {
        let (name, place) = (host.name.clone(), host.place.clone());
        let Reach::Ssh { host: typed, port, user } = &host.reach else {
            return Err(RouteError::Field { place, name, detail: "this machine is not dialled".to_owned() });
        };
        let user = user.as_deref().or(self.settings.user.as_deref());
        let asked = Asked { host: typed, port: port.or(self.settings.port), user };
        let resolved = self.config.resolve(asked);
        if let Some((keyword, value)) = resolved.proxy {
            return Err(RouteError::Proxy { place, name, keyword, value });
        }
        if let Some(value) = resolved.revoked_keys {
            return Err(RouteError::RevokedHostKeys { place, name, value });
        }
        let Some(user) = resolved.user.clone().filter(|user| !user.is_empty()) else {
            return Err(RouteError::NoUser { place, name });
        };
        for (field, value) in [("HostName", resolved.hostname.as_str()), ("user", user.as_str())] {
            if value.is_empty()
                || value.starts_with('-')
                || value.contains(|c: char| c.is_control() || c.is_whitespace())
            {
                let detail = format!("{field} {value:?} can't be dialled");
                return Err(RouteError::Field { place, name, detail });
            }
        }
        let mut notes = Vec::new();
        let credentials = self.credentials(host, &resolved, &mut notes).map_err(|fault| RouteError::Key {
            place: place.clone(),
            name: name.clone(),
            fault,
        })?;
        let user_files = match &self.settings.known_hosts {
            Some(file) => vec![file.clone()],
            None => resolved.user_known_hosts,
        };
        let record_in = user_files.first().cloned();
        let known_files: Vec<PathBuf> = user_files.into_iter().chain(resolved.global_known_hosts).collect();
        Ok(Route {
            lookup: resolved
                .alias
                .as_deref()
                .map_or_else(|| HostName::new(&resolved.hostname, resolved.port), HostName::alias),
            known: self.host_keys.files(&known_files),
            host: resolved.hostname,
            port: resolved.port,
            pin: host.host_key.clone(),
            name,
            place,
            user,
            known_files,
            record_in,
            credentials,
            notes,
        })
    }

    /// What to offer, in order: the named keys (by the agent where it holds them), the agent's others, the usual files.
    fn credentials(
        &self,
        host: &Host,
        resolved: &Resolved,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Credential>, KeyFault> {
        let (socket, held) = self.agent_keys(&resolved.agent, notes);
        let by_agent = |blob: &[u8]| Credential::Agent {
            socket: socket.clone(),
            blob: blob.to_vec(),
            label: format!("{} (agent)", fingerprint(blob)),
        };
        let home = &self.home;
        let written: Vec<PathBuf> = match &host.identity {
            Some(path) => vec![path.to_str().map_or_else(|| path.clone(), |text| expand_home(text, home))],
            None => self.settings.identities.clone(),
        };
        let mut offered: Vec<Credential> = Vec::new();
        for path in &written {
            match public_half(path).filter(|blob| held.contains(blob)) {
                Some(blob) => offered.push(by_agent(&blob)),
                None => offered.push(Credential::File(self.keys.key(path, Some(&self.passphrase))?)),
            }
        }
        for path in resolved.identities.iter().filter(|_| written.is_empty()) {
            match public_half(path).filter(|blob| held.contains(blob)) {
                Some(blob) => offered.push(by_agent(&blob)),
                None => match self.keys.key(path, Some(&self.passphrase)) {
                    Ok(key) => offered.push(Credential::File(key)),
                    Err(fault) => notes.push(fault.to_string()),
                },
            }
        }
        if !resolved.identities_only {
            for blob in &held {
                if !offered.iter().any(|other| other.blob() == Some(blob)) {
                    offered.push(by_agent(blob));
                }
            }
        }
        if written.is_empty() && resolved.identities.is_empty() {
            // A passphrase is worth a question only where nothing else could log in.
            let ask = offered.is_empty().then_some(&self.passphrase);
            for name in USUAL_KEYS {
                match self.keys.key(&home.join(".ssh").join(name), ask) {
                    Ok(key)
                        if offered
                            .iter()
                            .any(|other| other.blob().is_some() && other.blob() == key.blob.as_deref()) => {}
                    Ok(key) => offered.push(Credential::File(key)),
                    Err(KeyFault::Absent { .. }) => {}
                    Err(fault) => notes.push(fault.to_string()),
                }
            }
        }
        Ok(offered)
    }

    /// The agent's keys, asked for once a run and socket; an absent agent is worth a note only.
    fn agent_keys(&self, choice: &AgentChoice, notes: &mut Vec<String>) -> (PathBuf, Vec<Vec<u8>>) {
        let AgentChoice::At(socket) = choice else {
            notes.push("no SSH agent is set (SSH_AUTH_SOCK)".to_owned());
            return (PathBuf::new(), Vec::new());
        };
        let mut agents = self.agents.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let held = agents.entry(socket.clone()).or_insert_with(|| agent::identities(socket)).clone();
        let keys = held.unwrap_or_else(|why| {
            notes.push(why);
            Vec::new()
        });
        (socket.clone(), keys)
    }
}
