//! A connection that is logged in.
//!
//! *Invariant:* freeing it never waits for the host: the socket is shut down first, and nothing blocks any more.

use std::net::SocketAddr;
use std::time::Instant;

use ssh2::{Channel, DisconnectCode, Session};

use super::exchange::SshExchange;
use super::fault;
use super::watchdog::Guard;
use crate::sys;
use crate::transport::{Connection, Exchange, Phase, Traffic, TransportError};

/// A host that was reached, trusted and logged in to.
pub struct SshConnection {
    // Freed before the guard: while libssh2 says good-bye, the watchdog still holds the time.
    session: Session,
    guard: Guard,
    host_key: String,
    key_used: String,
    address: Option<SocketAddr>,
    attempts: u32,
}

impl SshConnection {
    pub(super) fn new(
        session: Session,
        guard: Guard,
        host_key: String,
        key_used: String,
        address: Option<SocketAddr>,
        attempts: u32,
    ) -> Self {
        Self { session, guard, host_key, key_used, address, attempts }
    }

    /// The address that answered; `None` where something stands between.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// How many dials it took.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    fn open(&self, command: &str) -> Result<Channel, ssh2::Error> {
        let mut channel = self.session.channel_session()?;
        let asked = channel.exec(command);
        if asked.is_err() {
            // Freeing it waits for the host otherwise; what stays of it is freed with the session.
            self.session.set_blocking(false);
        }
        asked.map(|()| channel)
    }
}

impl std::fmt::Debug for SshConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshConnection").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connection for SshConnection {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Exchange + '_>, TransportError> {
        if let Some(breach) = self.guard.breach() {
            return Err(fault::breached(breach, Phase::Command));
        }
        self.session.set_blocking(true);
        match self.open(command) {
            Ok(channel) => Ok(Box::new(SshExchange::new(&self.session, &self.guard, channel))),
            Err(error) => Err(fault::explain(&self.session, &self.guard, Phase::Command, &error)),
        }
    }

    fn host_key(&self) -> Option<&str> {
        Some(&self.host_key)
    }

    fn key_used(&self) -> Option<&str> {
        Some(&self.key_used)
    }

    fn traffic(&self) -> Traffic {
        self.guard.traffic()
    }

    fn allow(&mut self, budget_bytes: u64, deadline: Instant) {
        self.guard.allow(budget_bytes, deadline);
    }
}

impl Drop for SshConnection {
    fn drop(&mut self) {
        self.session.set_blocking(false);
        if self.guard.breach().is_none() {
            // A word for the host's log, if there is room for it right now.
            let _ = self.session.disconnect(Some(DisconnectCode::ByApplication), "done", None);
        }
        self.guard.give_up();
        sys::unplug(&self.session);
    }
}
