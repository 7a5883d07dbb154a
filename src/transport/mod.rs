//! The port: a connection that runs commands on one machine, and its makers: SSH in two ways, and this machine itself.
//!
//! *Invariant:* knows nothing of probes, drift or reports; every wait ends at a deadline, every flood at a budget.

use std::io::{Read, Write};
use std::time::Instant;

mod child;
mod dialer;
mod error;
mod known_hosts;
mod local;
mod openssh;
mod patience;
mod pattern;
mod pipes;
mod proxy;
mod ssh2;
mod ssh_config;

pub use dialer::{Dialer, Route};
pub use error::{HostKeyFault, KeyFault, Phase, RouteError, SetupError, TransportError};
pub use known_hosts::KnownKey;
pub use local::LocalConnection;
pub use openssh::{Dialer as OpenSshDialer, OpenSshConnection, Route as OpenSshRoute};
pub use ssh2::{AskPassphrase, Dialer as Ssh2Dialer, Route as Ssh2Route, SshConnection, SshSettings, Step};

/// How many bytes of a command's standard error are kept.
pub const STDERR_KEPT: usize = 16 << 10;

/// One running command: what is written goes to its standard input, what is read comes from its standard output.
///
/// Dropping it before [`Exchange::finish`] gives the command up and closes the connection, so that no wait remains.
/// Errors of `Read` and `Write` carry a [`TransportError`]; [`TransportError::from_io`] takes it out.
pub trait Exchange: Read + Write {
    /// Ends the command's standard input.
    ///
    /// # Errors
    ///
    /// The connection broke, or its deadline or budget was reached.
    fn close_write(&mut self) -> Result<(), TransportError>;

    /// Ends the input, throws away what is left of the output and waits for the command to end.
    ///
    /// # Errors
    ///
    /// The connection broke, or its deadline or budget was reached.
    fn finish(self: Box<Self>) -> Result<Exit, TransportError>;
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exit {
    /// Its status; `None` where a signal ended it. Over SSH a server that tells nothing reads as 0.
    pub status: Option<i32>,
    /// The signal that ended it, without `SIG`: `KILL`.
    pub signal: Option<String>,
    /// The first 16 KiB of its standard error, raw.
    pub stderr: Vec<u8>,
}

/// Bytes that went over a connection, the transport's own included where it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From us to the host.
    pub sent: u64,
    /// From the host to us.
    pub received: u64,
}

/// An authenticated way to run commands on one machine, one at a time.
pub trait Connection {
    /// Starts a command through the account's shell (`/bin/sh` on this machine).
    ///
    /// # Errors
    ///
    /// The connection broke, its terms are used up, or the server refused to run anything.
    fn exec(&mut self, command: &str) -> Result<Box<dyn Exchange + '_>, TransportError>;

    /// The verified host key as `TYPE SHA256:...`; `None` where there is none.
    fn host_key(&self) -> Option<&str>;

    /// The key that logged in, as `SHA256:... (where it came from)`; `None` where none was needed.
    fn key_used(&self) -> Option<&str>;

    /// What went over the connection so far.
    fn traffic(&self) -> Traffic;

    /// Sets new terms: `budget_bytes` more may be received from now on, until `deadline`.
    fn allow(&mut self, budget_bytes: u64, deadline: Instant);
}
