//! What can go wrong between here and a host, in words a person can act on.
//!
//! libssh2's own words mislead ("Failed getting banner" is most often throttling), so none is shown alone.
//!
//! *Invariant:* every error has a reason of the closed list and a remedy; server-chosen text was escaped and cut.

mod host_key;
mod setup;

use std::io;

use thiserror::Error;

use crate::model::Reason;

pub use host_key::HostKeyFault;
pub use setup::{KeyFault, RouteError, SetupError};

/// How far a connection had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Name to addresses.
    Resolve,
    /// TCP.
    Connect,
    /// Banner and key exchange.
    Handshake,
    /// Login.
    Auth,
    /// A command, from its request to its end.
    Command,
}

impl Phase {
    /// The word in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolve => "the name lookup",
            Self::Connect => "the TCP connection",
            Self::Handshake => "the SSH handshake",
            Self::Auth => "the login",
            Self::Command => "the command",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// One host could not be reached, trusted or spoken to.
#[derive(Debug, Error)]
pub enum TransportError {
    /// The name has no address.
    #[error("the name {host} has no address: {detail}")]
    Resolve {
        /// What was looked up.
        host: String,
        /// The resolver's words.
        detail: String,
    },
    /// No address took the connection.
    #[error("cannot connect to {address}: {detail}")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// The kernel's words, for each address that was tried.
        detail: String,
    },
    /// The way to it did not work: a jump host, or a `ProxyCommand`.
    #[error("{by}: {detail}")]
    Proxy {
        /// `the jump host bastion`, or the command.
        by: String,
        /// By what it said of itself.
        reason: Reason,
        /// Its words.
        detail: String,
    },
    /// The time was over.
    #[error("{phase} did not end in time ({detail})")]
    Timeout {
        /// Where it hung.
        phase: Phase,
        /// Which limit was reached.
        detail: String,
    },
    /// The host sent more than it may.
    #[error("the host sent {received} bytes during {phase}, more than the {budget} it may")]
    Limit {
        /// Where it flooded.
        phase: Phase,
        /// Bytes that had come when it was cut off.
        received: u64,
        /// Bytes that were allowed.
        budget: u64,
    },
    /// The host key is not the one that is known, or none is known.
    #[error(transparent)]
    HostKey(#[from] Box<HostKeyFault>),
    /// The login was refused.
    #[error("{user} may not log in: {}", tried_text(.tried))]
    Auth {
        /// Account on the host.
        user: String,
        /// Each key that was offered, and what came of it.
        tried: Vec<String>,
        /// Keys that could not be offered, and why.
        notes: Vec<String>,
        /// Login methods the host accepts, as it lists them.
        methods: Option<String>,
    },
    /// The server closed the connection before or during the handshake, each time it was tried.
    #[error("the server turned the connection away ({attempts} {}): {detail}", if *.attempts == 1 { "try" } else { "tries" })]
    TurnedAway {
        /// How often it was tried.
        attempts: u32,
        /// How it ended, with the server's words if it said any.
        detail: String,
    },
    /// The connection broke later.
    #[error("the connection closed during {phase}: {detail}")]
    Closed {
        /// When.
        phase: Phase,
        /// How.
        detail: String,
    },
    /// The server does not speak SSH as it must, or only in ways that are refused.
    #[error("{phase} failed: {detail}")]
    Protocol {
        /// When.
        phase: Phase,
        /// What was wrong.
        detail: String,
    },
    /// Logged in, but no command may be run.
    #[error("the server runs no command for this account: {detail}")]
    ExecRefused {
        /// How it was refused.
        detail: String,
    },
    /// Something failed on this machine.
    #[error("{action}: {detail}")]
    Here {
        /// What was being done.
        action: &'static str,
        /// What the system said.
        detail: String,
    },
}

fn tried_text(tried: &[String]) -> String {
    if tried.is_empty() { "there was no key to offer".to_owned() } else { tried.join("; ") }
}

impl TransportError {
    /// The word of the closed list.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Resolve { .. } | Self::Unreachable { .. } => Reason::Unreachable,
            Self::Proxy { reason, .. } => *reason,
            Self::Timeout { .. } => Reason::Timeout,
            Self::Limit { .. } => Reason::Limit,
            Self::HostKey(_) => Reason::HostKey,
            Self::Auth { .. } => Reason::Auth,
            Self::TurnedAway { .. } => Reason::Throttled,
            Self::Closed { phase, .. } => match phase {
                Phase::Resolve | Phase::Connect => Reason::Unreachable,
                Phase::Handshake => Reason::Throttled,
                Phase::Auth => Reason::Auth,
                Phase::Command => Reason::Truncated,
            },
            Self::Protocol { .. } => Reason::Protocol,
            Self::ExecRefused { .. } => Reason::ProbeUnavailable,
            Self::Here { .. } => Reason::Internal,
        }
    }

    /// Whether the same call may do better a moment later. The dialer has tried again already.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::TurnedAway { .. } => true,
            Self::Resolve { .. }
            | Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::Timeout { .. }
            | Self::Limit { .. }
            | Self::HostKey(_)
            | Self::Auth { .. }
            | Self::Closed { .. }
            | Self::Protocol { .. }
            | Self::ExecRefused { .. }
            | Self::Here { .. } => false,
        }
    }

    /// What a person can do about it, one sentence a line.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Resolve { .. } => {
                "Check the spelling in the hosts file, or give the address (HostName in ssh_config).".to_owned()
            }
            Self::Unreachable { .. } => "Check that the host is up, the port, and the firewall between.".to_owned(),
            Self::Proxy { by, reason, .. } => proxy_remedy(by, *reason),
            Self::Timeout { phase, .. } => match phase {
                Phase::Resolve => "Check the resolver of this machine, or give an address.".to_owned(),
                Phase::Connect => "Check that the host is up, and the firewall between: nothing answered.".to_owned(),
                Phase::Handshake => {
                    "Something took the connection but did not speak SSH: check the port, and the host's load."
                        .to_owned()
                }
                Phase::Auth => {
                    "Check the host's login services (PAM, directory) and the SSH agent of this machine.".to_owned()
                }
                Phase::Command => "Give the host more time, or look at its load.".to_owned(),
            },
            Self::Limit { .. } => {
                "A sound host does not do this: look at what answers there before trusting it again.".to_owned()
            }
            Self::HostKey(fault) => fault.remedy(),
            Self::Auth { notes, methods, .. } => auth_remedy(notes, methods.as_deref()),
            Self::TurnedAway { .. } => {
                "Most often the server throttles logins (MaxStartups, PerSourcePenalties, fail2ban): scan fewer hosts \
                 behind one address at once, or raise its limits."
                    .to_owned()
            }
            Self::Closed { .. } => {
                "Look at the host's own log (journalctl -u ssh), and whether it restarted.".to_owned()
            }
            Self::Protocol { .. } => {
                "Check that the port is SSH's, and that the server offers algorithms newer than SHA-1 and CBC."
                    .to_owned()
            }
            Self::ExecRefused { .. } => {
                "Allow the account to run commands: its shell, ForceCommand and the options in authorized_keys."
                    .to_owned()
            }
            Self::Here { .. } => "This is about the machine driftscan runs on, not about the host.".to_owned(),
        }
    }

    /// Takes the error out of an [`io::Error`] that an [`super::Exchange`] returned.
    #[must_use]
    pub fn from_io(error: io::Error) -> Self {
        error
            .downcast::<Self>()
            .unwrap_or_else(|other| Self::Closed { phase: Phase::Command, detail: other.to_string() })
    }

    /// The error as `Read` and `Write` must return it.
    pub(super) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Timeout { .. } => io::ErrorKind::TimedOut,
            Self::Closed { .. } => io::ErrorKind::ConnectionAborted,
            Self::Resolve { .. }
            | Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::Limit { .. }
            | Self::HostKey(_)
            | Self::Auth { .. }
            | Self::TurnedAway { .. }
            | Self::Protocol { .. }
            | Self::ExecRefused { .. }
            | Self::Here { .. } => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }
}

/// Every host behind it fails alike, so what to do is about the way and not about the host.
fn proxy_remedy(by: &str, reason: Reason) -> String {
    let todo = if reason == Reason::HostKey {
        "Compare its key with its console, then update known_hosts: nobody logged in there."
    } else if reason == Reason::Auth {
        "Nobody is asked for a password or passphrase there: name a key with --identity, or load it into an agent."
    } else if reason == Reason::Throttled {
        "It turns logins away (MaxStartups, PerSourcePenalties, fail2ban): look at its log."
    } else {
        "This is about the way there and not about the host: check that it is up and may forward connections."
    };
    format!("{todo}\nEvery host behind {by} is concerned.")
}

fn auth_remedy(notes: &[String], methods: Option<&str>) -> String {
    let mut lines = notes.to_vec();
    if let Some(methods) = methods {
        let only = if methods.split(',').any(|method| method == "publickey") { "" } else { ", and not a key" };
        lines.push(format!("The host accepts {methods}{only}."));
    }
    lines.push("Name the key with --identity or identity=, and check the user (--user, user@host).".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_through_io() {
        let error = TransportError::Limit { phase: Phase::Command, received: 9, budget: 5 };
        let back = TransportError::from_io(error.into_io());
        assert_eq!(back.reason(), Reason::Limit);
        assert_eq!(back.to_string(), "the host sent 9 bytes during the command, more than the 5 it may");
    }

    #[test]
    fn a_refused_login_says_what_was_tried_and_what_the_host_takes() {
        let error = TransportError::Auth {
            user: "audit".to_owned(),
            tried: vec!["SHA256:abc (agent) was refused".to_owned()],
            notes: vec!["id_rsa is encrypted".to_owned()],
            methods: Some("password".to_owned()),
        };
        assert_eq!(error.to_string(), "audit may not log in: SHA256:abc (agent) was refused");
        insta::assert_snapshot!(error.remedy(), @r"
        id_rsa is encrypted
        The host accepts password, and not a key.
        Name the key with --identity or identity=, and check the user (--user, user@host).
        ");
    }
}
