//! What of a host is told in a line of its own: its causes, and the findings that none of them explains.
//!
//! *Invariant:* every finding that is not waived is a line, or is counted in the line of a cause that is told.

use super::{Cause, Finding, HostOutcome, Severity};
use crate::protocol::Digest;
use std::cmp::Reverse;

/// One line.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// A cause and its number.
    Cause(usize, &'a Cause),
    /// A finding.
    Finding(&'a Finding),
}

impl Line<'_> {
    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Cause(_, cause) => cause.severity,
            Self::Finding(finding) => finding.severity,
        }
    }

    /// What `driftscan explain` takes.
    #[must_use]
    pub fn fingerprint(&self) -> &Digest {
        match self {
            Self::Cause(_, cause) => &cause.fingerprint,
            Self::Finding(finding) => &finding.fingerprint,
        }
    }
}

/// The lines of a host, the worst first, causes before what else weighs as much. What is waived is no line here.
#[must_use]
pub fn of(host: &HostOutcome) -> Vec<Line<'_>> {
    let told: Vec<bool> = host.causes.iter().enumerate().map(|(at, cause)| is_open(host, at, cause)).collect();
    let is_told = |at: usize| told.get(at).copied().unwrap_or_default();
    let causes =
        host.causes.iter().enumerate().filter(|(at, _)| is_told(*at)).map(|(at, cause)| Line::Cause(at, cause));
    let alone = |finding: &&Finding| finding.waiver.is_none() && !finding.cause.is_some_and(is_told);
    let mut lines: Vec<Line<'_>> = causes.chain(host.findings.iter().filter(alone).map(Line::Finding)).collect();
    // A stable sort: findings come sorted by weight already.
    lines.sort_by_key(|line| (Reverse(line.severity()), matches!(line, Line::Finding(_))));
    lines
}

/// What a cause explains and nobody waived.
pub fn explained(host: &HostOutcome, at: usize) -> impl Iterator<Item = &Finding> {
    host.findings.iter().filter(move |finding| finding.cause == Some(at) && finding.waiver.is_none())
}

/// Whether a cause is told as one: something of it is open, its own finding in any case.
fn is_open(host: &HostOutcome, at: usize, cause: &Cause) -> bool {
    let head = host.findings.iter().find(|f| f.cause == Some(at) && f.fingerprint == cause.fingerprint);
    head.is_none_or(|head| head.waiver.is_none()) && explained(host, at).next().is_some()
}
