//! The hosts that differ, each with its causes and the findings that none of them explains, the worst first.
//!
//! *Invariant:* hosts are shown as one only where everything said of them is the same.

use super::at_risk;
use super::decisions::decision_title;
use super::investigate::{of_permission, permissions_said, ways_out};
use super::items::{self, Item};
use super::page::{Atom, BOLD, Page, atoms, atoms_then, list};
use super::sentence;
use super::words::{count, grouped, severity, verdict_style};
use crate::model::text::escape;
use crate::model::{Decision, Finding, FleetOutcome, HostOutcome, Severity, Verdict};
use crate::protocol::Digest;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Findings shown of one host.
const MOST: usize = 20;
/// Folders named of the rest.
const FOLDERS: usize = 6;

/// Writes the section of a decision.
pub(super) fn section(outcome: &FleetOutcome, decision: Decision, hosts: &[&HostOutcome], page: &mut Page<'_>) {
    if hosts.is_empty() {
        return;
    }
    page.title(decision_title(decision));
    let prefix = prefix_length(outcome);
    for group in alike(hosts, page.options.verbose) {
        if let Some(host) = group.first() {
            let names: Vec<&str> = group.iter().map(|host| host.name.as_str()).collect();
            entry(outcome, host, &names, prefix, page);
            at_risk::lines(&group, page);
        }
    }
    let refused: Vec<&HostOutcome> =
        hosts.iter().filter(|host| host.reasons.iter().any(of_permission)).copied().collect();
    if !refused.is_empty() && !permissions_said(outcome) {
        page.flow(0, 8, atoms(&format!("Paths not readable: {}", ways_out(&refused))));
    }
}

/// Hosts of which the same is said, the worst first, then in the order of the fleet.
fn alike<'a>(hosts: &[&'a HostOutcome], verbose: bool) -> Vec<Vec<&'a HostOutcome>> {
    let mut groups: BTreeMap<_, (usize, Vec<&HostOutcome>)> = BTreeMap::new();
    for (at, host) in hosts.iter().enumerate() {
        let findings: Vec<(&Digest, Severity, Option<&str>, bool)> = host
            .findings
            .iter()
            .map(|f| (&f.fingerprint, f.severity, f.told.title.as_deref(), f.waiver.is_some()))
            .collect();
        let told = host.findings.iter().flat_map(|f| f.told.explanation.iter().chain(&f.told.evidence));
        let told = told.chain(host.causes.iter().flat_map(|cause| &cause.evidence)).filter(|_| verbose);
        let told: Vec<&str> = host.causes.iter().map(|cause| &cause.title).chain(told).map(String::as_str).collect();
        let reasons: Vec<(&str, &str)> = host.reasons.iter().map(|r| (r.reason.word(), r.text.as_str())).collect();
        let said = (host.verdict, &host.reference, host.versions_behind, findings, (reasons, told));
        groups.entry(said).or_insert_with(|| (at, Vec::with_capacity(1))).1.push(host);
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|((verdict, _, _, findings, _), (at, group))| {
            let open = findings.iter().filter(|(.., waived)| !waived);
            let worst = open.map(|(_, severity, ..)| *severity).max();
            ((verdict, Reverse(worst), at), group)
        })
        .collect();
    groups.sort_by_key(|(rank, _)| *rank);
    groups.into_iter().map(|(_, group)| group).collect()
}

fn entry(outcome: &FleetOutcome, host: &HostOutcome, names: &[&str], prefix: usize, page: &mut Page<'_>) {
    let mut pieces: Vec<Atom> = list(&page.folded(names), "").into_iter().map(|piece| piece.styled(BOLD)).collect();
    let word = Atom::new(host.verdict.word()).styled(verdict_style(host.verdict)).after(2);
    let tail = what(host);
    pieces.push(if tail.is_empty() {
        word
    } else {
        word.followed_by(if host.verdict == Verdict::Drifted { "" } else { ":" })
    });
    pieces.extend(atoms(&tail));
    page.flow(0, 8, pieces);
    unverified("not verified besides", host, page);
    let items = items::of(host);
    let shown = if page.options.verbose { items.len() } else { MOST };
    for item in items.iter().take(shown) {
        line(item, prefix, page);
        if page.options.verbose {
            more(host, item, prefix, page);
        }
    }
    rest(outcome, items.get(shown..).unwrap_or_default(), page);
}

/// What was not verified on a host beside its drift, under its name.
pub(super) fn obstacles(host: &HostOutcome, page: &mut Page<'_>) {
    unverified(&format!("{} is drifted, and not verified besides", host.name), host, page);
}

fn unverified(what: &str, host: &HostOutcome, page: &mut Page<'_>) {
    for obstacle in &host.reasons {
        page.flow(8, 10, atoms(&format!("{what} ({}): {}", obstacle.reason, obstacle.text)));
        // The ways to read what the account may not read are said once, not for each host.
        if let (Some(remedy), false) = (&obstacle.remedy, of_permission(obstacle)) {
            page.flow(10, 10, atoms(remedy));
        }
    }
}

/// What only a person who asks for more is told: why it matters, what the host's logs say, and what a cause explains.
fn more(host: &HostOutcome, item: &Item<'_>, prefix: usize, page: &mut Page<'_>) {
    let (explanation, evidence): (&[String], &[String]) = match item {
        Item::Finding(finding) => (&finding.told.explanation, &finding.told.evidence),
        Item::Cause(_, cause) => (&[], &cause.evidence),
    };
    for text in explanation {
        page.flow(8, 10, atoms(text));
    }
    for text in evidence {
        page.flow(8, 10, atoms(&format!("its own logs, which it could forge: {text}")));
    }
    if let Item::Cause(at, cause) = item {
        for finding in items::explained(host, *at).filter(|finding| finding.fingerprint != cause.fingerprint) {
            finding_line(finding, 4, prefix, page);
        }
    }
}

/// What is said behind the verdict.
fn what(host: &HostOutcome) -> String {
    let items = items::of(host);
    let mut counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| (items.iter().filter(|item| item.severity() == *severity).count(), severity))
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{} {severity}", grouped(n as u64)))
        .collect();
    let waived = host.findings.iter().filter(|finding| finding.waiver.is_some()).count();
    let open = host.findings.len() - waived;
    if open > items.len() {
        counts.push(format!("in all {}", count(open as u64, "finding", "findings")));
    }
    if waived > 0 {
        counts.push(format!("{} waived", grouped(waived as u64)));
    }
    let against = host.reference.as_ref().map(|label| format!(" from {label}")).unwrap_or_default();
    match host.verdict {
        Verdict::Drifted => {
            format!("{}: {}", against.trim_start(), counts.join(", ")).trim_start_matches(": ").to_owned()
        }
        Verdict::Outdated => {
            let exactly = host.reference.as_ref().map(|label| format!("exactly {label}, ")).unwrap_or_default();
            let behind = host.versions_behind.map(|n| format!("{} behind, ", count(n.into(), "version", "versions")));
            format!("{exactly}{}no local change", behind.unwrap_or_default())
        }
        Verdict::Unverifiable | Verdict::Clean => counts.join(", "),
    }
}

fn line(item: &Item<'_>, prefix: usize, page: &mut Page<'_>) {
    match item {
        Item::Finding(finding) => finding_line(finding, 2, prefix, page),
        Item::Cause(_, cause) => {
            let body = atoms(&cause.title);
            weighed(cause.severity, body, &hex_prefix(&cause.fingerprint, prefix), 2, page);
        }
    }
}

/// A finding in a line: severity, what it is, and its fingerprint at the edge.
pub(super) fn finding_line(finding: &Finding, indent: usize, prefix: usize, page: &mut Page<'_>) {
    weighed(finding.severity, sentence::atoms_of(finding), &hex_prefix(&finding.fingerprint, prefix), indent, page);
}

/// A line of that weight, with what `driftscan explain` takes at its edge.
pub(super) fn weighed(weight: Severity, body: Vec<Atom>, edge: &str, indent: usize, page: &mut Page<'_>) {
    let (word, style) = severity(weight);
    let word = Atom::new(word).styled(style);
    let gap = 6usize.saturating_sub(word.width());
    // The first word stays on the line of the severity, however long it is.
    let body = body.into_iter().enumerate().map(|(n, atom)| if n == 0 { atom.after(gap).glued() } else { atom });
    let pieces = std::iter::once(word).chain(body).collect();
    page.flow_with_edge(indent, indent + 8, pieces, &Atom::new(edge));
}

/// `... and 312 more`, with where they are.
fn rest(outcome: &FleetOutcome, items: &[Item<'_>], page: &mut Page<'_>) {
    if items.is_empty() {
        return;
    }
    let command = format!("driftscan report {} -v", outcome.run);
    page.flow(2, 10, atoms_then(&format!("... and {} more", grouped(items.len() as u64)), &command));
    let mut folders: BTreeMap<String, u64> = BTreeMap::new();
    for item in items {
        let place = match item {
            Item::Finding(finding) => folder(finding),
            Item::Cause(..) => "packages".to_owned(),
        };
        *folders.entry(place).or_default() += 1;
    }
    let mut folders: Vec<(String, u64)> = folders.into_iter().collect();
    folders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let elsewhere: u64 = folders.iter().skip(FOLDERS).map(|(_, n)| n).sum();
    let mut parts: Vec<String> =
        folders.iter().take(FOLDERS).map(|(name, n)| format!("{name} {}", grouped(*n))).collect();
    if elsewhere > 0 {
        parts.push(format!("elsewhere {}", grouped(elsewhere)));
    }
    page.flow(8, 8, list(&parts, ","));
}

/// The first two folders of a path, or the namespace of what is none.
fn folder(finding: &Finding) -> String {
    let Some(path) = finding.path() else {
        return match finding.subject.split(|b| *b == b':').next() {
            Some(b"pkg") => "packages".to_owned(),
            Some(b"fact") => "facts".to_owned(),
            Some(_) | None => "others".to_owned(),
        };
    };
    let mut parts: Vec<&[u8]> = path.split(|b| *b == b'/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    parts.truncate(2);
    format!("/{}", escape(&parts.join(&b'/')))
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
