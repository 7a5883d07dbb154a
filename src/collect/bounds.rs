//! What an answer may cost, from the baseline that it is compared with.
//!
//! *Invariant:* a host that equals its baseline never meets a bound, and none depends on what a host says.

use crate::drift::Reference;
use crate::manifest::ProjectedSet;

/// What a record of a tree that ordinary users can write counts for, besides its path; as the probe counts it.
const RECORD: u64 = 160;
/// Room for everything besides the records.
const REST: u64 = 8 << 20;
/// Room for what is asked about findings: texts and owners.
const ASKED: u64 = 10 << 20;
/// Room for what ordinary users may add before their trees are cut short.
const ADDED: u64 = 2 << 20;

/// Bounds of one answer, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What may come over the wire by a probe.
    pub wire: u64,
    /// The same by the sh way, which tells every entry and its digest in text.
    pub shell: u64,
    /// What records may take here. The wire does not bound that: a subject of 4 KiB that shares all but a byte with the
    /// one before comes in a few bytes.
    pub records: u64,
    /// What the probe may tell of trees that ordinary users can write, so that nobody who fills them drives the records of
    /// other trees out of the answer.
    pub guard_records: u64,
}

impl Bounds {
    /// For a golden machine, which has no baseline yet.
    pub const CAPTURE: Self = Self { wire: 2 << 30, shell: 2 << 30, records: 2 << 30, guard_records: u64::MAX };

    /// For hosts that are compared with these.
    #[must_use]
    pub fn of(references: &[Reference]) -> Self {
        // A host may equal an older version, which may be the larger one.
        let most = |of: &dyn Fn(&ProjectedSet) -> u64| references.iter().map(|version| of(&version.set.set)).max();
        let listing = most(&ProjectedSet::bytes).unwrap_or(0);
        // Any tree of the baseline may be one that ordinary users can write.
        let guarded =
            |set: &ProjectedSet| set.records.iter().map(|record| RECORD + record.subject().len() as u64).sum();
        let guard_records = ADDED + most(&guarded).unwrap_or(0);
        // The whole listing once, and then what ordinary users added.
        let wire = REST + listing * 5 / 4 + guard_records;
        // Of each path its names, what stat says and a digest, and half as much again.
        let told = |set: &ProjectedSet| set.records.iter().map(|record| record.subject().len() as u64 * 3 + 250).sum();
        let shell = REST + most(&told).unwrap_or(0) * 3 / 2;
        Self { wire: wire + ASKED, shell, records: wire * 3 / 2, guard_records }
    }
}
