//! What only a whole group can tell: how alone a host stands with its drift, and which drift most hosts share.
//!
//! *Invariant:* says nothing that the hosts of the run do not hold; a critical finding is never common.

use super::verdict::closed_words;
use crate::protocol::Digest;

/// From when on a difference counts as the template's affair and not its hosts': both must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommonAt {
    /// Thousandths of a group's compared hosts; more than this many must have it.
    pub permille: u16,
    /// The least hosts that must have it.
    pub hosts: u32,
}

impl Default for CommonAt {
    fn default() -> Self {
        Self { permille: 500, hosts: 3 }
    }
}

/// How alone a drifted host stands in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Snowflake {
    /// 0 (all that it has, every other host has too) to 1,000; see `drift::fleet::rarity` for the formula.
    pub score: u16,
    /// Causes and findings of its own that no other host of the group has.
    pub alone: usize,
    /// Causes and findings that few others have, those of `alone` included.
    pub rare: usize,
}

/// A cause, or a finding that no cause explains, which most hosts of a group share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonDrift {
    /// The group; empty for hosts before the first group line.
    pub group: String,
    /// Of the finding, or of the cause's own finding.
    pub fingerprint: Digest,
    /// Names of the hosts that have it, in the order of the fleet.
    pub hosts: Vec<String>,
    /// Hosts of the group that were compared.
    pub of: usize,
}

/// What earlier reports tell of this run's findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The newest complete run before this one.
    pub previous: super::RunId,
    /// How many earlier runs were read.
    pub runs: usize,
}

closed_words! {
    /// What a host holds that a replacement would lose.
    StateKind {
        /// Files of a database.
        Database = "database",
        /// Files of a message queue.
        Queue = "queue",
        /// What a server publishes or keeps for its users: `/srv`, `/var/www`.
        Service = "service",
        /// A user's home.
        Home = "home",
        /// A mounted file system of its own.
        Mount = "mount",
        /// A volume of a container.
        ContainerVolume = "container-volume",
        /// Local mail.
        Mail = "mail",
        /// Jobs of users.
        Cron = "cron",
        /// A large file that the baseline lacks.
        LargeFile = "large-file",
        /// A file that the baseline lacks and that was written lately.
        RecentFile = "recent-file",
    }
}

/// One thing that would be lost: names and sizes, never content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateItem {
    /// What it is.
    pub kind: StateKind,
    /// Where, escaped.
    pub path: String,
    /// Bytes of the files below it, as far as they were counted.
    pub bytes: u64,
    /// Files below it, as far as they were counted.
    pub files: u64,
    /// RFC 3339, UTC: when the newest of them was last written; a host could forge it.
    pub newest: Option<String>,
    /// A limit ended the count: there is more.
    pub more: bool,
}

/// What a replacement of the host would lose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct StateAtRisk {
    /// The largest first.
    pub items: Vec<StateItem>,
    /// Places that could not be looked at, escaped: what is there is not known.
    pub unseen: Vec<String>,
}
