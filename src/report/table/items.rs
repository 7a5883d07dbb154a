//! What of a host is told in a line of its own: its causes, and the findings that none of them explains.
//!
//! *Invariant:* every finding that is not waived is a line, or is counted in the line of a cause that is shown.

use super::sentence;
use crate::model::{Cause, Finding, HostOutcome, Severity};
use crate::protocol::Digest;
use std::cmp::Reverse;

/// One line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    /// A cause and its number.
    Cause(usize, &'a Cause),
    /// A finding.
    Finding(&'a Finding),
}

impl Item<'_> {
    /// How much it matters.
    pub(super) fn severity(&self) -> Severity {
        match self {
            Self::Cause(_, cause) => cause.severity,
            Self::Finding(finding) => finding.severity,
        }
    }

    /// What `driftscan explain` takes.
    pub(super) fn fingerprint(&self) -> &Digest {
        match self {
            Self::Cause(_, cause) => &cause.fingerprint,
            Self::Finding(finding) => &finding.fingerprint,
        }
    }
}

/// The lines of a host, the worst first, causes before what else weighs as much. What is waived is no line here.
pub(super) fn of(host: &HostOutcome) -> Vec<Item<'_>> {
    let told = |at: usize| host.causes.get(at).is_some_and(|cause| is_open(host, at, cause));
    let causes = host.causes.iter().enumerate().filter(|(at, _)| told(*at)).map(|(at, cause)| Item::Cause(at, cause));
    let alone = |finding: &&Finding| finding.waiver.is_none() && !finding.cause.is_some_and(told);
    let mut items: Vec<Item<'_>> = causes.chain(host.findings.iter().filter(alone).map(Item::Finding)).collect();
    // A stable sort: findings come sorted by weight already.
    items.sort_by_key(|item| (Reverse(item.severity()), matches!(item, Item::Finding(_))));
    items
}

/// What a cause explains and nobody waived.
pub(super) fn explained(host: &HostOutcome, at: usize) -> impl Iterator<Item = &Finding> {
    host.findings.iter().filter(move |finding| finding.cause == Some(at) && finding.waiver.is_none())
}

/// Whether a cause is told as one: something of it is open, its own finding in any case.
fn is_open(host: &HostOutcome, at: usize, cause: &Cause) -> bool {
    let head = host.findings.iter().find(|f| f.cause == Some(at) && f.fingerprint == cause.fingerprint);
    head.is_none_or(|head| head.waiver.is_none()) && explained(host, at).next().is_some()
}

/// What a finding of a host is called: by its cause, where it is the head of one, else by itself.
pub(super) fn title(host: &HostOutcome, finding: &Finding) -> String {
    let cause = finding.cause.and_then(|at| host.causes.get(at));
    let own = cause.filter(|cause| cause.fingerprint == finding.fingerprint);
    own.map_or_else(|| sentence::title(finding), |cause| cause.title.clone())
}
