//! Why no observation could be made of a host.
//!
//! *Invariant:* a value with a reason of the closed list, words, and what to do; never an error of the run.

use super::bootstrap::NO_PLACE;
use crate::model::text::escape;
use crate::model::{Obstacle, Reason};
use crate::protocol::Malformed;
use crate::transport::{Exit, TransportError};
use std::fmt;

/// A failed collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// From the closed list.
    pub reason: Reason,
    /// What happened; escaped.
    pub text: String,
    /// What to do.
    pub remedy: Option<String>,
    /// Whether trying again may help.
    pub is_retriable: bool,
}

impl Failure {
    /// A failure without a remedy.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into(), remedy: None, is_retriable: false }
    }

    /// Bytes that are not the protocol's.
    pub fn protocol(text: impl fmt::Display) -> Self {
        Self::new(Reason::Protocol, format!("the answer breaks the protocol: {text}"))
    }

    /// The failure of a connection.
    #[must_use]
    pub fn of_transport(error: &TransportError) -> Self {
        Self {
            reason: error.reason(),
            text: error.to_string(),
            remedy: Some(error.remedy()),
            is_retriable: error.is_retriable(),
        }
    }

    /// What a command's end says, where no answer came.
    #[must_use]
    pub fn of_exit(exit: &Exit, sudo: bool, noise: &[u8]) -> Self {
        let says = first_words(&exit.stderr, noise);
        let with = |text: &str| if says.is_empty() { text.to_owned() } else { format!("{text}: {says}") };
        let unavailable = |text: String, remedy: &str| Self {
            remedy: Some(remedy.to_owned()),
            ..Self::new(Reason::ProbeUnavailable, text)
        };
        let doctor = "driftscan doctor HOST shows which step fails";
        match (exit.status, &exit.signal) {
            (Some(NO_PLACE), _) => unavailable(
                "the probe could not be started: no folder where programs may run (noexec), no /proc, a full disk, or another \
                 architecture than x86-64"
                    .to_owned(),
                doctor,
            ),
            // sudo(8) ends with 1 where it refuses, a shell with 127 where there is none; with any other status it only
            // warned, of a host name that it can't resolve for example.
            (Some(1 | 127), _) if sudo && contains(&exit.stderr, b"sudo") => Self {
                remedy: Some("allow the account in sudoers with NOPASSWD, or leave out --sudo".to_owned()),
                ..Self::new(Reason::Sudo, with("sudo refused"))
            },
            (Some(126 | 127), _) => unavailable(with("the host refused to run the probe"), doctor),
            (Some(64), _) => Self::protocol("the probe did not understand the request"),
            (Some(71), _) => Self::new(Reason::Limit, "the host's kernel refused memory to the probe"),
            (Some(101), _) => Self::new(Reason::Internal, "the probe gave up on a fault of its own"),
            (None, Some(signal)) => unavailable(
                format!("the probe was ended by signal {}", escape(signal.as_bytes())),
                "look for the out-of-memory killer or security software in the host's log",
            ),
            (Some(status), _) if status > 128 => unavailable(
                format!("the probe was ended by signal {}", status - 128),
                "look for the out-of-memory killer or security software in the host's log",
            ),
            (Some(0) | None, _) => Self::new(Reason::Truncated, with("the answer ended early")),
            (Some(status), _) => {
                Self::new(Reason::Truncated, with(&format!("the command ended with status {status} and no whole answer")))
            }
        }
    }

    /// What a command's end says that should have been a good one: the answer is whole, and not to be trusted.
    #[must_use]
    pub fn of_bad_end(exit: &Exit) -> Self {
        let end = match (&exit.signal, exit.status) {
            (Some(signal), _) => format!("signal {}", escape(signal.as_bytes())),
            (None, Some(status)) => format!("status {status}"),
            (None, None) => "no status".to_owned(),
        };
        let says = first_words(&exit.stderr, b"");
        let says = if says.is_empty() { says } else { format!(": {says}") };
        let text = format!("the answer was whole, but its command ended with {end}{says}");
        let remedy = "look for the out-of-memory killer or security software in the host's log";
        Self { remedy: Some(remedy.to_owned()), ..Self::new(Reason::ProbeUnavailable, text) }
    }

    /// As a reason of a verdict.
    #[must_use]
    pub fn obstacle(&self) -> Obstacle {
        Obstacle { reason: self.reason, text: self.text.clone(), remedy: self.remedy.clone() }
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::protocol(malformed)
    }
}

/// Whether a word stands in these bytes.
pub(super) fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// The first line that says something, at most 200 bytes of it.
pub(super) fn first_words(stderr: &[u8], noise: &[u8]) -> String {
    let line = |bytes: &[u8]| {
        let line = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
        line.map(|line| escape(&line[..line.len().min(200)]))
    };
    line(stderr).or_else(|| line(noise)).unwrap_or_default()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.text)
    }
}

impl std::error::Error for Failure {}
