//! What of a host is told in a line of its own: its causes, and the findings that none of them explains.
//!
//! *Invariant:* every finding that is not waived is a line, or is counted in the line of a cause that is told.

use super::{Cause, Finding, HostOutcome, Severity};
use crate::protocol::Digest;
use std::cmp::Reverse;
use std::collections::HashMap;

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

/// What decides whether a cause is a line: its fingerprint and how much it matters.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Of its own finding.
    pub fingerprint: &'a Digest,
    /// Of the gravest finding that it explains.
    pub severity: Severity,
}

/// What decides whether a finding is a line.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// What differs.
    pub fingerprint: &'a Digest,
    /// How much it matters.
    pub severity: Severity,
    /// The number of the cause that explains it.
    pub cause: Option<usize>,
    /// Whether it is accepted for a time.
    pub is_waived: bool,
}

/// A line by numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outline {
    /// The number of a cause, and of what it explains and nobody waived.
    Cause(usize, Vec<usize>),
    /// The number of a finding.
    Finding(usize),
}

/// The lines of a host, the worst first, causes before what else weighs as much. What is waived is no line here. A cause is
/// one while something of it is open, its own finding in any case. Linear in the findings.
#[must_use]
pub fn outline(causes: &[Head<'_>], findings: &[Part<'_>]) -> Vec<Outline> {
    let mut explains: Vec<Vec<usize>> = vec![Vec::new(); causes.len()];
    let mut is_waived = vec![false; causes.len()];
    for (number, part) in findings.iter().enumerate() {
        let Some((at, head)) = part.cause.and_then(|at| Some((at, causes.get(at)?))) else { continue };
        if let Some(explains) = explains.get_mut(at).filter(|_| !part.is_waived) {
            explains.push(number);
        } else if let Some(waived) = is_waived.get_mut(at).filter(|_| part.fingerprint == head.fingerprint) {
            *waived = true;
        }
    }
    for (explains, _) in explains.iter_mut().zip(&is_waived).filter(|(_, waived)| **waived) {
        explains.clear();
    }
    let is_told = |at: usize| explains.get(at).is_some_and(|explains| !explains.is_empty());
    let alone = |(_, part): &(usize, &Part<'_>)| !part.is_waived && !part.cause.is_some_and(is_told);
    let alone: Vec<usize> = findings.iter().enumerate().filter(alone).map(|(number, _)| number).collect();
    let told = explains.into_iter().enumerate().filter(|(_, explains)| !explains.is_empty());
    let mut lines: Vec<Outline> = told.map(|(at, explains)| Outline::Cause(at, explains)).collect();
    lines.extend(alone.into_iter().map(Outline::Finding));
    let severity = |line: &Outline| match line {
        Outline::Cause(at, _) => causes.get(*at).map(|head| head.severity),
        Outline::Finding(number) => findings.get(*number).map(|part| part.severity),
    };
    // A stable sort: findings come sorted by weight already.
    lines.sort_by_key(|line| (Reverse(severity(line)), matches!(line, Outline::Finding(_))));
    lines
}

/// The lines of a host as numbers.
#[must_use]
pub fn outline_of(host: &HostOutcome) -> Vec<Outline> {
    let heads = host.causes.iter().map(|cause| Head { fingerprint: &cause.fingerprint, severity: cause.severity });
    let parts = host.findings.iter().map(|finding| Part {
        fingerprint: &finding.fingerprint,
        severity: finding.severity,
        cause: finding.cause,
        is_waived: finding.waiver.is_some(),
    });
    outline(&heads.collect::<Vec<_>>(), &parts.collect::<Vec<_>>())
}

/// The lines of a host, the worst first, causes before what else weighs as much. What is waived is no line here.
#[must_use]
pub fn of(host: &HostOutcome) -> Vec<Line<'_>> {
    let lines = outline_of(host).into_iter().filter_map(|line| match line {
        Outline::Cause(at, _) => host.causes.get(at).map(|cause| Line::Cause(at, cause)),
        Outline::Finding(number) => host.findings.get(number).map(Line::Finding),
    });
    lines.collect()
}

/// The lines of a host by what names them, for those who ask about many of them.
#[must_use]
pub fn by_fingerprint(host: &HostOutcome) -> HashMap<&Digest, Line<'_>> {
    let mut lines = HashMap::new();
    for line in of(host) {
        let fingerprint = match line {
            Line::Cause(_, cause) => &cause.fingerprint,
            Line::Finding(finding) => &finding.fingerprint,
        };
        // The gravest where two have one name.
        lines.entry(fingerprint).or_insert(line);
    }
    lines
}

/// What a cause explains and nobody waived.
pub fn explained(host: &HostOutcome, at: usize) -> impl Iterator<Item = &Finding> {
    host.findings.iter().filter(move |finding| finding.cause == Some(at) && finding.waiver.is_none())
}
