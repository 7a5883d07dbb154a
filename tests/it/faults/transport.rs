//! The ways to reach a host that every fault is met over.
//!
//! *Invariant:* a transport may give another reason than the other; a better verdict only where it is true and named here.

use std::collections::BTreeSet;

/// A transport of driftscan's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// libssh2, in the process.
    Ssh2,
    /// The system's ssh, a process a host.
    Openssh,
}

/// What a connection that misbehaves may be called: the system's ssh ends it without telling us why, or waits.
const ALIKE: [&str; 6] = ["limit", "protocol", "throttled", "truncated", "probe-unavailable", "timeout"];

/// What the system's ssh keeps to itself, so that nothing but the truth reaches us: debug messages to their end, stray
/// requests, and a channel that stays open after its status and its end.
const ABSORBED: [&str; 7] =
    ["debug-at-login", "debug", "global-requests", "channel-requests", "channel-opens", "stray-data", "never-closes"];

impl Transport {
    /// Those that there are.
    pub(super) const ALL: &[Self] = &[Self::Ssh2, Self::Openssh];

    /// The words of the command line that choose it.
    pub(super) fn args(self) -> &'static [&'static str] {
        match self {
            Self::Ssh2 => &[],
            Self::Openssh => &["--transport", "openssh"],
        }
    }

    /// Whether this transport may get over a misbehaviour and tell the truth about the host.
    pub(super) fn absorbs(self, name: &str) -> bool {
        self == Self::Openssh && ABSORBED.contains(&name)
    }

    /// Whether a host's reasons hold one of these, or what this transport calls the same.
    pub(super) fn fits(self, reasons: &BTreeSet<&str>, right: &[&str]) -> bool {
        let same = |reason: &&str| right.contains(reason);
        let alike = |reason: &&str| ALIKE.contains(reason) && right.iter().any(|right| ALIKE.contains(right));
        reasons.iter().any(|reason| same(reason) || self == Self::Openssh && alike(reason))
    }
}
