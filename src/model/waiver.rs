//! What became of each waiver in a run.
//!
//! *Invariant:* a void waiver never covers anything, and every waiver that was read is told, whatever became of it.

use super::verdict::closed_words;

closed_words! {
    /// What became of a waiver.
    Standing {
        /// It covers findings of this run.
        Used = "used",
        /// It covers nothing any more, or more than it may; what it was written for counts as drift.
        Void = "void",
        /// Nothing in this run is what it speaks of.
        Unused = "unused",
    }
}

/// A waiver and what became of it; all texts are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverState {
    /// Fingerprint or pattern, as it was written.
    pub of: String,
    /// The only group that it may cover.
    pub group: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day, `2026-12-31`.
    pub until: String,
    /// The most hosts that it may cover.
    pub max_hosts: u64,
    /// The line of the file where it begins.
    pub line: u64,
    /// What became of it.
    pub standing: Standing,
    /// Why it is void.
    pub why: Option<String>,
    /// The hosts that have what it speaks of, in the order of the fleet.
    pub hosts: Vec<String>,
    /// How many findings they are, those that a cause explains included.
    pub findings: usize,
}
