//! How a host is dialled: everything the hosts file, the flags and `ssh_config` say, put together before the scan.
//!
//! *Invariant:* what can be refused without a connection is refused here, with the place it is written at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Dialer;
use super::credentials::Credential;
use super::known_hosts_command::KnownHostsCommand;
use crate::inventory::host::{Host, Place, Reach};
use crate::transport::RouteError;
use crate::transport::known_hosts::{HostName, KnownHostsFile};
use crate::transport::proxy::Through;
use crate::transport::ssh_config::Asked;

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
    /// `RevokedHostKeys`.
    pub(super) revoked_keys: Option<PathBuf>,
    pub(super) known_hosts_command: Option<KnownHostsCommand>,
    /// `HashKnownHosts`, for keys that are added.
    pub(super) hash_names: bool,
    pub(super) pin: Option<String>,
    pub(super) credentials: Vec<Credential>,
    /// Keys that can't be offered, told where the login fails.
    pub(super) notes: Vec<String>,
    /// Jump hosts or a command, where it is not dialled itself.
    pub(super) through: Option<Through>,
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

    /// The ways that it shares with other hosts, each of which has room for `--max-per-jump` of them.
    #[must_use]
    pub fn shared_ways(&self) -> Vec<String> {
        self.through.as_ref().map_or_else(Vec::new, Through::bounds)
    }

    /// All that decides which machine it leads to and whether that one is trusted, but for the content of files.
    #[must_use]
    pub fn ground(&self) -> String {
        format!(
            "ssh2 {} {} {:?} {:?} {:?}",
            self.address(),
            self.lookup.as_str(),
            self.pin,
            self.through.as_ref().map(|through| (through.label(), through.bounds())),
            self.known_hosts_command
        )
    }

    /// The files that say whom to trust.
    pub fn trust_files(&self) -> impl Iterator<Item = &Path> {
        self.known_files.iter().chain(&self.revoked_keys).map(PathBuf::as_path)
    }

    /// `host:port`.
    pub(super) fn endpoint(&self) -> String {
        endpoint(&self.host, self.port)
    }
}

/// `host:port`, with brackets where the host has colons.
pub(super) fn endpoint(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
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
        let known_hosts_command = match &resolved.known_hosts_command {
            Some(text) => match KnownHostsCommand::parse(text, resolved.tokens.clone()) {
                Ok(command) => Some(command),
                Err(why) => {
                    let detail = format!("KnownHostsCommand {text}: {why}");
                    return Err(RouteError::SshConfig { place, name, detail });
                }
            },
            None => None,
        };
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
        let through = self.through(host, typed, &resolved, &user)?;
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
            revoked_keys: resolved.revoked_keys,
            known_hosts_command,
            hash_names: resolved.hash_known_hosts,
            pin: host.host_key.clone(),
            name,
            place,
            user,
            known_files,
            record_in,
            credentials,
            notes,
            through,
        })
    }
}
