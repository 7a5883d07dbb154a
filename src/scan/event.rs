//! What a run tells while it goes on: the only bridge between the threads and whoever watches.
//!
//! *Invariant:* carries values; whoever receives an event can't hold the scan up for longer than its own work takes.

use crate::model::HostOutcome;

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A host's turn came.
    Started {
        /// Its place in the fleet.
        index: usize,
    },
    /// The server turned it away; it tries again.
    Retrying {
        /// Its place in the fleet.
        index: usize,
        /// What the server did.
        why: String,
    },
    /// A host is done.
    Finished {
        /// Its place in the fleet.
        index: usize,
        /// What came of it.
        outcome: Box<HostOutcome>,
        /// What was done on it.
        account: Box<Account>,
    },
}

/// What driftscan did on one host, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The host's name.
    pub host: String,
    /// Where it was reached.
    pub address: String,
    /// The host key that was verified.
    pub host_key: Option<String>,
    /// The key that logged in.
    pub key_used: Option<String>,
    /// Whether the probe ran under sudo.
    pub sudo: bool,
    /// The command, where one was started; several, a line each, where the first did not do.
    pub command: Option<String>,
    /// SHA-256 of the probe that was sent and ran, hexadecimal.
    pub sent_probe: Option<&'static str>,
    /// The SHA-256 that an installed probe gives itself, hexadecimal.
    pub said_probe: Option<String>,
    /// SHA-256 of the request, hexadecimal.
    pub request: Option<String>,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339.
    pub ended: String,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Connection attempts.
    pub attempts: u32,
    /// How it ended: `ok`, else the reason and the words.
    pub end: String,
}
