//! What speaks against replacing a host now, and what is told of it.
//!
//! *Invariant:* fails closed: what nobody looked at counts as being there.

use super::address::public;
use super::reason;
use super::standing::{Stand, Standing};
use crate::inventory::Reach;
use crate::model::text::hex;
use crate::model::{Code, Finding, HostOutcome, Severity, Verdict};
use crate::plan::document::{Guards, Why};
use crate::protocol::Digest;
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Findings or causes of an item that are told; the report has them all.
const TOLD: usize = 5;
/// Between a run and the one that must have seen the drift as well.
const APART: SignedDuration = SignedDuration::from_hours(1);

/// What decides about each host on its own.
pub(super) struct Verdicts<'a> {
    pub(super) standing: &'a Standing<'a>,
    pub(super) guards: Guards,
    /// When the run began.
    pub(super) started: Timestamp,
    /// The least severity that counts as drift.
    pub(super) drift_at: Severity,
    /// What most of the group have, with the hosts that have each.
    pub(super) common: HashMap<&'a Digest, HashSet<&'a str>>,
}

impl Verdicts<'_> {
    /// The first thing that speaks against it, in a sentence, with what would be lost.
    pub(super) fn against(&self, stand: &Stand<'_>, outcome: &HostOutcome) -> Option<(Why, String, Vec<String>)> {
        let plain = |why, reason| Some((why, reason, Vec::new()));
        if let Some(pin) = stand.tag("pin") {
            return plain(Why::Pinned, format!("the fleet pins it: pin={pin}"));
        }
        if let Some(twin) = self.standing.twin(stand) {
            return plain(Why::TwoNames, reason::two_names(twin));
        }
        match &outcome.state {
            None => return plain(Why::StateUnknown, reason::STATE_UNKNOWN.to_owned()),
            Some(state) if !state.items.is_empty() => {
                return Some((Why::DrainFirst, reason::drain_first(state), reason::at_risk(state)));
            }
            Some(state) if !state.unseen.is_empty() => {
                return plain(Why::StateUnknown, reason::unseen(state));
            }
            Some(_) => {}
        }
        if let Some(text) = own_address(stand, outcome) {
            return plain(Why::PublicAddress, text);
        }
        if self.guards.require_two_runs && !self.was_seen_before(outcome) {
            return plain(Why::FirstRun, reason::FIRST_RUN.to_owned());
        }
        let quorum = stand.tag("quorum")?;
        let sick = self.standing.sick_member(quorum)?;
        plain(Why::Quorum, format!("{sick}, of the same quorum {quorum}, is not known to serve"))
    }

    /// Whether an earlier run saw drift of it that is its own; an outdated host has none to be seen.
    fn was_seen_before(&self, outcome: &HostOutcome) -> bool {
        match outcome.verdict {
            Verdict::Outdated => return true,
            Verdict::Drifted | Verdict::Unverifiable | Verdict::Clean => {}
        }
        let before = self.started.checked_sub(APART).ok();
        // What is too small to count, and what is the template's affair, is no reason to replace it in this run, and so it was
        // none before.
        let own =
            open(outcome).filter(|finding| finding.severity >= self.drift_at && !self.is_common(outcome, finding));
        oldest(own).is_some_and(|(seen, _)| before.is_some_and(|before| seen <= before))
    }

    /// Whether a finding, or the cause that explains it, is one that most of the group have.
    fn is_common(&self, outcome: &HostOutcome, finding: &Finding) -> bool {
        let cause = finding.cause.and_then(|at| outcome.causes.get(at)).map(|cause| &cause.fingerprint);
        let mut heads = std::iter::once(&finding.fingerprint).chain(cause);
        heads.any(|head| self.common.get(head).is_some_and(|hosts| hosts.contains(outcome.name.as_str())))
    }
}

/// An address that others may know the host by, and that its replacement would not have.
fn own_address(stand: &Stand<'_>, outcome: &HostOutcome) -> Option<String> {
    if let Some(eip) = stand.tag("eip") {
        return Some(format!("it has an address of its own: eip={eip}"));
    }
    if let Reach::Ssh { host, .. } = &stand.host.reach
        && let Some(address) = public(host)
    {
        return Some(format!("it is reached at the public address {address}"));
    }
    let address = outcome.evidence.addresses.iter().find_map(|text| public(text))?;
    Some(format!("it has the public address {address}"))
}

/// Findings that nobody waived.
pub(super) fn open(outcome: &HostOutcome) -> impl Iterator<Item = &Finding> {
    outcome.findings.iter().filter(|finding| finding.waiver.is_none())
}

/// How grave the gravest of them is.
pub(super) fn gravest(outcome: &HostOutcome) -> Option<Severity> {
    open(outcome).map(|finding| finding.severity).max()
}

/// When the oldest of them was first seen, and as it was written.
pub(super) fn first_seen(outcome: &HostOutcome) -> Option<(Timestamp, &str)> {
    oldest(open(outcome))
}

fn oldest<'a>(findings: impl Iterator<Item = &'a Finding>) -> Option<(Timestamp, &'a str)> {
    let seen = findings.filter_map(|finding| finding.told.first_seen.as_deref());
    seen.filter_map(|text| Some((text.parse::<Timestamp>().ok()?, text))).min()
}

/// What is told of a host.
pub(super) struct Told {
    pub(super) codes: Vec<String>,
    pub(super) lines: Vec<String>,
    pub(super) fingerprints: Vec<String>,
}

/// The gravest findings; a cause in place of those that it explains.
pub(super) fn told(outcome: &HostOutcome, title: &dyn Fn(&Finding) -> String) -> Told {
    let codes: BTreeSet<Code> = open(outcome).map(|finding| finding.code).collect();
    // Words ascend as words, not in the order of the list.
    let codes: BTreeSet<&str> = codes.into_iter().map(Code::word).collect();
    let explained: BTreeSet<usize> = open(outcome).filter_map(|finding| finding.cause).collect();
    let causes = explained.iter().filter_map(|at| outcome.causes.get(*at)).map(Line::Cause);
    let alone = |finding: &&Finding| finding.cause.is_none_or(|at| outcome.causes.get(at).is_none());
    let mut lines: Vec<Line<'_>> = causes.chain(open(outcome).filter(alone).map(Line::Finding)).collect();
    // A stable sort: causes come before what else weighs as much, and findings in their order.
    lines.sort_by_key(|line| Reverse(line.severity()));
    lines.truncate(TOLD);
    Told {
        codes: codes.into_iter().map(str::to_owned).collect(),
        fingerprints: lines.iter().map(Line::fingerprint).collect(),
        lines: lines
            .iter()
            .map(|line| match line {
                Line::Cause(cause) => cause.title.clone(),
                Line::Finding(finding) => title(finding),
            })
            .collect(),
    }
}

enum Line<'a> {
    Cause(&'a crate::model::Cause),
    Finding(&'a Finding),
}

impl Line<'_> {
    fn severity(&self) -> Severity {
        match self {
            Self::Cause(cause) => cause.severity,
            Self::Finding(finding) => finding.severity,
        }
    }

    fn fingerprint(&self) -> String {
        match self {
            Self::Cause(cause) => hex(&cause.fingerprint),
            Self::Finding(finding) => hex(&finding.fingerprint),
        }
    }
}
