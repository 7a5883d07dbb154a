//! From features to lines that a person reads: a cause where most of what it explains is meant, else the findings one by one.
//!
//! *Invariant:* every feature that is given is in exactly one line.

use super::Mark;
use crate::model::{Cause, Code, Finding, HostOutcome, Severity};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// A finding that marks, with what is counted of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sign<'a> {
    /// The finding, as one host has it.
    pub(super) finding: &'a Finding,
    /// That host.
    pub(super) holder: &'a HostOutcome,
    /// Whether the lack of it marks.
    pub(super) lacks: bool,
    /// How many hosts have its value.
    pub(super) having: usize,
    /// Of how many.
    pub(super) of: usize,
    /// How many other hosts have it.
    pub(super) elsewhere: usize,
    /// How rare it is, 0 to 1.
    pub(super) rarity: f64,
}

/// Signs that one line tells.
#[derive(Debug)]
pub(super) struct Line {
    /// What is told.
    pub(super) mark: Mark,
    /// Of the gravest.
    pub(super) severity: Severity,
    /// Of the rarest.
    pub(super) rarity: f64,
}

/// The lines of signs, in the order of their first sign.
pub(super) fn lines(signs: &[Sign<'_>]) -> Vec<Line> {
    let mut groups: BTreeMap<(&str, bool, Option<usize>, usize), Vec<&Sign<'_>>> = BTreeMap::new();
    for (number, sign) in signs.iter().enumerate() {
        let cause = sign.finding.cause.filter(|cause| sign.holder.causes.get(*cause).is_some());
        // What no cause explains is a line of its own.
        let own = if cause.is_some() { 0 } else { number };
        groups.entry((&sign.holder.name, sign.lacks, cause, own)).or_default().push(sign);
    }
    groups.values().filter_map(|group| line(group)).collect()
}

fn line(group: &[&Sign<'_>]) -> Option<Line> {
    let heavy = |sign: &&&Sign<'_>| (sign.finding.severity, Reverse(sign.having));
    let first = group.iter().rev().max_by_key(heavy)?;
    let cause: Option<&Cause> = first.finding.cause.and_then(|cause| first.holder.causes.get(cause));
    let whole = cause.filter(|cause| group.len() * 2 > cause.findings);
    let head = whole.and_then(|cause| group.iter().find(|sign| sign.finding.fingerprint == cause.fingerprint));
    let sign = head.unwrap_or(first);
    Some(Line {
        mark: Mark {
            finding: sign.finding.clone(),
            cause: whole.cloned(),
            lacks: sign.lacks,
            findings: group.len(),
            having: sign.having,
            of: sign.of,
            elsewhere: sign.elsewhere,
        },
        severity: first.finding.severity,
        rarity: group.iter().map(|sign| sign.rarity).fold(0.0, f64::max),
    })
}

/// Causes and packages first, then what weighs most, then what stands for most; ties by subject.
pub(super) fn by_weight(lines: &mut [Line]) {
    lines.sort_by_cached_key(|line| {
        let mark = &line.mark;
        let is_single = mark.cause.is_none() && !mark.finding.subject.starts_with(b"pkg:");
        let prints = (mark.finding.subject.clone(), mark.finding.fingerprint, mark.lacks);
        (is_single, Reverse(line.severity), Reverse(mark.findings), prints)
    });
}

/// The finding of a mirror that tells the same difference from the other side.
pub(super) struct Mirror<'a> {
    host: &'a HostOutcome,
    findings: HashMap<(Code, &'a [u8]), &'a Finding>,
}

impl<'a> Mirror<'a> {
    pub(super) fn of(host: &'a HostOutcome) -> Self {
        let findings = host.findings.iter().map(|finding| ((finding.code, &finding.subject[..]), finding)).collect();
        Self { host, findings }
    }

    /// Turns a sign around; one that the mirror does not show stays.
    pub(super) fn turn(&self, sign: Sign<'a>) -> Sign<'a> {
        let code = match sign.finding.code {
            Code::FileAdded => Code::FileRemoved,
            Code::FileRemoved => Code::FileAdded,
            Code::PackageAdded => Code::PackageRemoved,
            Code::PackageRemoved => Code::PackageAdded,
            Code::MountAdded => Code::MountRemoved,
            Code::MountRemoved => Code::MountAdded,
            same => same,
        };
        let turned = self.findings.get(&(code, &sign.finding.subject[..]));
        turned.filter(|_| sign.lacks).map_or(sign, |finding| Sign { finding, holder: self.host, lacks: false, ..sign })
    }
}
