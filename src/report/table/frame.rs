//! What the sections of one table share: the run, how short a fingerprint may be, which lines are common, how old they are.
//!
//! *Invariant:* a line is left out of a host only where the section of common drift tells it with that host's name.

use super::words::age;
use crate::model::{CommonDrift, Finding, FleetOutcome, HostOutcome, Line, line};
use crate::protocol::Digest;
use std::collections::{HashMap, HashSet};

/// The table as a whole.
pub(super) struct Frame<'a> {
    /// The run.
    pub(super) outcome: &'a FleetOutcome,
    /// Digits that no two fingerprints share.
    pub(super) prefix: usize,
    common: HashMap<(&'a str, &'a Digest), HashSet<&'a str>>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(outcome: &'a FleetOutcome) -> Self {
        let names = |row: &'a CommonDrift| row.hosts.iter().map(String::as_str).collect();
        let common = outcome.common.iter().map(|row| ((row.group.as_str(), &row.fingerprint), names(row))).collect();
        Self { outcome, prefix: prefix_length(outcome), common }
    }

    /// Whether a line of this name is told for the host's whole group.
    pub(super) fn is_common(&self, host: &HostOutcome, fingerprint: &Digest) -> bool {
        let hosts = self.common.get(&(host.group.as_str(), fingerprint));
        hosts.is_some_and(|hosts| hosts.contains(host.name.as_str()))
    }

    /// The lines of a host that are its own, and how many are those of its group.
    pub(super) fn lines<'h>(&self, host: &'h HostOutcome) -> (Vec<Line<'h>>, usize) {
        let (common, own): (Vec<Line<'h>>, Vec<Line<'h>>) =
            line::of(host).into_iter().partition(|line| self.is_common(host, line.fingerprint()));
        (own, common.len())
    }

    /// What stands at the right edge of a line: its age, where there is a history, and its fingerprint.
    pub(super) fn edge(&self, host: &HostOutcome, line: &Line<'_>) -> String {
        let fingerprint = hex_prefix(line.fingerprint(), self.prefix);
        if self.outcome.history.is_none() {
            return fingerprint;
        }
        let since = first_seen(host, line).and_then(|since| self.age(since)).unwrap_or_default();
        format!("{since:<3}  {fingerprint}")
    }

    fn age(&self, since: &str) -> Option<String> {
        if since == self.outcome.started {
            return Some("NEW".to_owned());
        }
        let (since, now) =
            (since.parse::<jiff::Timestamp>().ok()?, self.outcome.started.parse::<jiff::Timestamp>().ok()?);
        Some(age(now.duration_since(since).as_secs()))
    }
}

/// Since when a line is known: that of the finding, or of the cause's own finding.
pub(super) fn first_seen<'h>(host: &'h HostOutcome, line: &Line<'h>) -> Option<&'h str> {
    let finding: Option<&Finding> = match line {
        Line::Finding(finding) => Some(finding),
        Line::Cause(at, cause) => line::explained(host, *at).find(|finding| finding.fingerprint == cause.fingerprint),
    };
    finding?.told.first_seen.as_deref()
}

/// Hexadecimal digits, at least eight, that no two fingerprints of the run share.
pub(super) fn prefix_length(outcome: &FleetOutcome) -> usize {
    let findings = outcome.hosts.iter().flat_map(|host| &host.findings).map(|finding| &finding.fingerprint);
    let causes = outcome.hosts.iter().flat_map(|host| &host.causes).map(|cause| &cause.fingerprint);
    let mut all: Vec<&Digest> = findings.chain(causes).collect();
    all.sort_unstable();
    all.dedup();
    let shared = |a: &Digest, b: &Digest| {
        let bytes = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let half = a.get(bytes).zip(b.get(bytes)).is_some_and(|(x, y)| x >> 4 == y >> 4);
        bytes * 2 + usize::from(half)
    };
    all.windows(2).map(|pair| if let [a, b] = pair { shared(a, b) + 1 } else { 0 }).max().unwrap_or(0).max(8)
}

pub(super) fn hex_prefix(digest: &Digest, digits: usize) -> String {
    let mut hex = crate::model::text::hex(digest);
    hex.truncate(digits);
    hex
}
