//! One dialer for every way to speak SSH: libssh2 in this process, or the system's `ssh`.
//!
//! *Invariant:* a host is dialled by the transport that its line or the flag names, never by the other one in its place.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::{
    AskPassphrase, Connection, OpenSshDialer, OpenSshRoute, RouteError, SetupError, Ssh2Dialer, Ssh2Route, SshSettings,
    Step, TransportError,
};
use crate::inventory::host::{Host, TransportChoice};

/// Dials hosts. One a run; many threads use it at once.
pub struct Dialer {
    settings: SshSettings,
    passphrase: Arc<AskPassphrase>,
    /// Made where a host needs it: what is wrong with one transport is no obstacle to the other.
    ssh2: OnceLock<Result<Ssh2Dialer, String>>,
    openssh: OnceLock<Result<OpenSshDialer, String>>,
}

/// How to reach, trust and log in to one host.
#[derive(Debug, Clone)]
pub struct Route(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Ssh2(Box<Ssh2Route>),
    OpenSsh(Box<OpenSshRoute>),
}

impl Route {
    /// The host's name in the fleet.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Ssh2(route) => route.name(),
            Kind::OpenSsh(route) => route.name(),
        }
    }

    /// `user@host:port`, as it is dialled.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.0 {
            Kind::Ssh2(route) => route.address(),
            Kind::OpenSsh(route) => route.address(),
        }
    }

    /// All that decides which machine it leads to and whether that one is trusted, but for the content of files.
    #[must_use]
    pub fn ground(&self) -> String {
        match &self.0 {
            Kind::Ssh2(route) => route.ground(),
            Kind::OpenSsh(route) => route.ground(),
        }
    }

    /// The files that say whom to trust.
    #[must_use]
    pub fn trust_files(&self) -> Vec<&Path> {
        match &self.0 {
            Kind::Ssh2(route) => route.trust_files().collect(),
            Kind::OpenSsh(route) => route.trust_files().collect(),
        }
    }

    /// The ways that it shares with other hosts, each of which has room for `--max-per-jump` of them.
    #[must_use]
    pub fn shared_ways(&self) -> Vec<String> {
        match &self.0 {
            Kind::Ssh2(route) => route.shared_ways(),
            Kind::OpenSsh(route) => route.shared_ways(),
        }
    }
}

impl Dialer {
    /// Makes the dialer of the transport that the settings name; the other one is made where a host's line asks for it.
    ///
    /// # Errors
    ///
    /// A file that the settings name can't be used, or the transport itself is missing or not safe.
    pub fn new(settings: SshSettings, passphrase: AskPassphrase) -> Result<Self, SetupError> {
        let dialer =
            Self { settings, passphrase: Arc::new(passphrase), ssh2: OnceLock::new(), openssh: OnceLock::new() };
        match dialer.settings.transport {
            TransportChoice::Ssh2 => {
                let made = dialer.make_ssh2()?;
                dialer.ssh2.get_or_init(|| Ok(made));
            }
            TransportChoice::OpenSsh => {
                let made = OpenSshDialer::new(dialer.settings.clone())?;
                dialer.openssh.get_or_init(|| Ok(made));
            }
        }
        Ok(dialer)
    }

    fn make_ssh2(&self) -> Result<Ssh2Dialer, SetupError> {
        let passphrase = Arc::clone(&self.passphrase);
        Ssh2Dialer::new(self.settings.clone(), Box::new(move |path| passphrase(path)))
    }

    fn ssh2(&self) -> Result<&Ssh2Dialer, String> {
        let made = self.ssh2.get_or_init(|| self.make_ssh2().map_err(|error| error.to_string()));
        made.as_ref().map_err(Clone::clone)
    }

    fn openssh(&self) -> Result<&OpenSshDialer, String> {
        let make = || OpenSshDialer::new(self.settings.clone()).map_err(|error| error.to_string());
        self.openssh.get_or_init(make).as_ref().map_err(Clone::clone)
    }

    /// Cuts every connection, ends what they go through and takes away what the transports keep on this machine for the length
    /// of a run; nothing will be dialled any more.
    pub fn close(&self) {
        if let Some(Ok(dialer)) = self.ssh2.get() {
            dialer.close();
        }
        if let Some(Ok(dialer)) = self.openssh.get() {
            dialer.close();
        }
    }

    /// What was noticed in `ssh_config` and `known_hosts` so far: lines that are skipped, files that can't be read.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(Ok(dialer)) = self.ssh2.get() {
            warnings.extend(dialer.warnings());
        }
        if let Some(Ok(dialer)) = self.openssh.get() {
            warnings.extend(dialer.warnings());
        }
        warnings.sort();
        warnings.dedup();
        warnings
    }

    /// Puts together how a host is dialled. Asks for passphrases where keys need one, so call it before the scan; it makes no
    /// connection.
    ///
    /// # Errors
    ///
    /// What the hosts file or `ssh_config` says can't be done, with its place.
    pub fn route(&self, host: &Host) -> Result<Route, RouteError> {
        let refused = |detail: String| RouteError::Field { place: host.place.clone(), name: host.name.clone(), detail };
        match host.transport.unwrap_or(self.settings.transport) {
            TransportChoice::Ssh2 => {
                let route = self.ssh2().map_err(refused)?.route(host)?;
                Ok(Route(Kind::Ssh2(Box::new(route))))
            }
            TransportChoice::OpenSsh => {
                let route = self.openssh().map_err(refused)?.route(host)?;
                Ok(Route(Kind::OpenSsh(Box::new(route))))
            }
        }
    }

    /// Connects, verifies the host key and logs in.
    ///
    /// The connection may then receive what is left of 1 MiB, until [`Connection::allow`] says otherwise.
    ///
    /// # Errors
    ///
    /// Why the host can't be reached, trusted or used; `deadline` bounds all of it.
    pub fn dial(
        &self,
        route: &Route,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Box<dyn Connection>, TransportError> {
        match &route.0 {
            Kind::Ssh2(route) => {
                let dialer = self.ssh2().map_err(|detail| TransportError::Here { action: "using libssh2", detail })?;
                Ok(Box::new(dialer.dial(route, deadline, observer)?))
            }
            Kind::OpenSsh(route) => {
                let dialer = self.openssh().map_err(|detail| TransportError::Here { action: "using ssh", detail })?;
                Ok(Box::new(dialer.dial(route, deadline, observer)?))
            }
        }
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
