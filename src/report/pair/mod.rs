//! The JSON document `driftscan.compare/v1`: what differs between two hosts.
//!
//! *Invariant:* the file's shape lives in `v1` alone; every finding is in exactly one of the three lists.

mod v1;

use crate::model::{Change, Finding, HostOutcome};
use crate::report::census::{Head, cause, finding, obstacle};
use std::io::{self, Write};

/// The `schema` of a comparison of two hosts.
pub const SCHEMA: &str = "driftscan.compare/v1";
/// The `version` of one.
pub const VERSION: u32 = 1;

/// Two hosts, the second of which was compared with the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The first, which was read whole.
    pub first: HostOutcome,
    /// The second: what it has and the first has not is added.
    pub second: HostOutcome,
}

impl Pair {
    /// The findings of a kind, the gravest first.
    pub fn findings(&self, change: Change) -> impl Iterator<Item = &Finding> {
        self.second.findings.iter().filter(move |finding| finding.change == change)
    }

    /// The exit status: 0 where nothing differs, 2 where something does, 3 where not all was compared.
    #[must_use]
    pub fn status(&self) -> u8 {
        if !self.second.findings.is_empty() {
            2
        } else if self.second.reasons.is_empty() && self.second.coverage.is_some() {
            0
        } else {
            3
        }
    }
}

/// Writes a comparison: one line of JSON.
///
/// # Errors
/// When the writer fails.
pub fn write(head: &Head, pair: &Pair, w: &mut dyn Write) -> io::Result<()> {
    let told = |change| {
        let told = |finding: &'_ Finding| finding.cause.map(|cause| cause as u64);
        pair.findings(change).map(|from| v1::Difference { cause: told(from), finding: finding(from) }).collect()
    };
    let document = v1::Comparison {
        schema: SCHEMA,
        version: VERSION,
        run: head.run.as_str(),
        started: &head.started,
        millis: head.millis,
        status: pair.status(),
        first: &pair.first.name,
        second: &pair.second.name,
        complete: pair.second.reasons.is_empty() && pair.second.coverage.is_some(),
        reasons: pair.second.reasons.iter().map(obstacle).collect(),
        causes: pair.second.causes.iter().map(cause).collect(),
        only_first: told(Change::Removed),
        only_second: told(Change::Added),
        differs: told(Change::Changed),
    };
    serde_json::to_writer(&mut *w, &document)?;
    w.write_all(b"\n")
}
