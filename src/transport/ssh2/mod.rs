//! SSH by libssh2: one blocking session a host a thread, held to its terms by the watchdog.
//!
//! No agent forwarding, no X11, no terminal, no environment, no compression, no SHA-1, no trust on first use.
//!
//! *Invariant:* libssh2 is called from this folder only, and none of its words or timeouts are trusted.

mod agent;
mod auth;
mod certificate;
mod child;
mod connection;
mod credentials;
mod dial;
mod encoding;
mod exchange;
mod fault;
mod host_key;
mod key_file;
mod known_hosts_command;
mod openssh_key;
mod private_key;
mod revoked_keys;
mod route;
mod signature;
mod watchdog;
mod way;
mod wire;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::SetupError;
use super::proxy::Proxies;
use super::ssh_config::{Resolved, SshConfig, Surroundings, expand_home};
use crate::inventory::host::TransportChoice;
use crate::sys;
use host_key::HostKeys;
use key_file::KeyRing;
use watchdog::Watchdog;

pub use connection::SshConnection;
pub use route::Route;

/// Asks a person for the passphrase of a key file; `None` where nobody can be asked.
pub type AskPassphrase = Box<dyn Fn(&Path) -> Option<Zeroizing<String>> + Send + Sync>;

/// The oldest libssh2 that no hostile server is known to take over.
const OLDEST_LIBSSH2: [u32; 3] = [1, 11, 2];

/// What the command line says about connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSettings {
    /// `--transport`, where the hosts file names none.
    pub transport: TransportChoice,
    /// `--identity`: private key files.
    pub identities: Vec<PathBuf>,
    /// `--user`, where the hosts file names none.
    pub user: Option<String>,
    /// `--port`, likewise.
    pub port: Option<u16>,
    /// `--ssh-config` in place of the usual files; `none` reads none.
    pub ssh_config: Option<PathBuf>,
    /// `--known-hosts` in place of the user's files; the machine's are read as well.
    pub known_hosts: Option<PathBuf>,
    /// `--accept-new-host-keys`: adds the key of a host that no file knows.
    pub accept_new_host_keys: bool,
    /// For the TCP connection, to each address, and again for the handshake.
    pub connect_timeout: Duration,
}

impl Default for SshSettings {
    fn default() -> Self {
        Self {
            transport: TransportChoice::default(),
            identities: Vec::new(),
            user: None,
            port: None,
            ssh_config: None,
            known_hosts: None,
            accept_new_host_keys: false,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// How far a dial has come, for doctor and the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The name has these addresses.
    Resolved {
        /// In the order in which they are tried.
        addresses: Vec<IpAddr>,
    },
    /// It is asked for through a jump host that let us in, or by a `ProxyCommand` that started; whether the host took the
    /// connection shows in what comes next.
    Through {
        /// `the jump host a,b`, or the command.
        by: String,
    },
    /// TCP is connected.
    Connected {
        /// To this address.
        address: SocketAddr,
    },
    /// The host key was accepted.
    HostKey {
        /// `TYPE SHA256:...`.
        key: String,
        /// What vouches for it: `known_hosts:12`.
        by: String,
    },
    /// The login is through.
    LoggedIn {
        /// Account on the host.
        user: String,
        /// `SHA256:... (where the key came from)`.
        key: String,
    },
    /// The server turned the connection away; it is tried again.
    Retrying {
        /// The try that failed, from 1.
        attempt: u32,
        /// How long it waits.
        pause: Duration,
        /// What the server did.
        why: String,
    },
}

/// Dials hosts. One a run; many threads use it at once.
pub struct Dialer {
    settings: SshSettings,
    home: PathBuf,
    config: SshConfig,
    passphrase: AskPassphrase,
    keys: KeyRing,
    host_keys: HostKeys,
    agents: Mutex<HashMap<PathBuf, Arc<agent::Agent>>>,
    /// Certificates that are not worth offering.
    worthless: Mutex<Vec<String>>,
    watchdog: Watchdog,
    proxies: Proxies,
    /// What `ssh_config` says of each jump host.
    jumps: Mutex<HashMap<String, Resolved>>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Dialer {
    /// Reads `ssh_config` and the keys of the command line, and starts the watchdog.
    ///
    /// # Errors
    ///
    /// A file that the settings name can't be used, or libssh2 is one that is not safe.
    pub fn new(settings: SshSettings, passphrase: AskPassphrase) -> Result<Self, SetupError> {
        Self::with(settings, passphrase, Surroundings::of_this_process())
    }

    fn with(
        mut settings: SshSettings,
        passphrase: AskPassphrase,
        surroundings: Surroundings,
    ) -> Result<Self, SetupError> {
        let found = sys::libssh2_linked_version();
        if !is_safe(&found) {
            return Err(SetupError::OldLibssh2 { found });
        }
        let home = surroundings.home.clone();
        for path in settings.identities.iter_mut().chain(&mut settings.known_hosts).chain(&mut settings.ssh_config) {
            if let Some(text) = path.to_str() {
                *path = expand_home(text, &home);
            }
        }
        if let Some(path) = &settings.known_hosts
            && let Err(error) = std::fs::File::open(path)
            && !(settings.accept_new_host_keys && error.kind() == std::io::ErrorKind::NotFound)
        {
            return Err(SetupError::KnownHosts { path: path.clone(), detail: error.to_string() });
        }
        let keys = KeyRing::default();
        for path in &settings.identities {
            // Without asking: an agent may hold it. What is wrong with the file itself is told here.
            match keys.key(path, None) {
                Ok(_) | Err(super::KeyFault::Locked { .. } | super::KeyFault::Token { .. }) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        let config = SshConfig::read(surroundings, settings.ssh_config.as_deref())
            .map_err(|(path, error)| SetupError::SshConfig { path, detail: error.to_string() })?;
        let watchdog = Watchdog::start().map_err(|error| SetupError::Watchdog { detail: error.to_string() })?;
        let host_keys = HostKeys::default();
        let (agents, worthless) = (Mutex::default(), Mutex::default());
        let (jumps, proxies) = (Mutex::default(), Proxies::default());
        Ok(Self { settings, home, config, passphrase, keys, host_keys, agents, worthless, watchdog, proxies, jumps })
    }

    /// Cuts every connection, and ends the programs behind them and the connections to jump hosts. Nothing can be dialled
    /// through either any more.
    pub fn close(&self) {
        self.watchdog.give_up();
        self.proxies.close();
    }

    /// What was noticed so far: lines of `ssh_config` and `known_hosts` that are skipped, files that can't be read, certificates
    /// that expired.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.config.warnings();
        warnings.extend(self.host_keys.warnings());
        warnings.extend(self.worthless.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        warnings.sort();
        warnings.dedup();
        warnings
    }
}

impl Drop for Dialer {
    fn drop(&mut self) {
        // Connections may outlive it; what they go through may not.
        self.proxies.close();
    }
}

/// Whether a version, as `1.11.2_DEV`, is new enough.
fn is_safe(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.get(..end).and_then(|digits| digits.parse::<u32>().ok())
    });
    let found = [parts.next(), parts.next(), parts.next()];
    match found {
        [Some(Some(major)), Some(Some(minor)), Some(Some(patch))] => [major, minor, patch] >= OLDEST_LIBSSH2,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
