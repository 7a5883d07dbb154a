//! The hosts that differ, each with its findings, the worst first.
//!
//! *Invariant:* hosts are shown as one only where everything said of them is the same.

use super::decisions::decision_title;
use super::investigate::{of_permission, permissions_said, ways_out};
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
    for group in alike(hosts) {
        if let Some(host) = group.first() {
            let names: Vec<&str> = group.iter().map(|host| host.name.as_str()).collect();
            entry(outcome, host, &names, prefix, page);
        }
    }
    let refused: Vec<&HostOutcome> =
        hosts.iter().filter(|host| host.reasons.iter().any(of_permission)).copied().collect();
    if !refused.is_empty() && !permissions_said(outcome) {
        page.flow(0, 8, atoms(&format!("Paths not readable: {}", ways_out(&refused))));
    }
}

/// Hosts of which the same is said, the worst first, then in the order of the fleet.
fn alike<'a>(hosts: &[&'a HostOutcome]) -> Vec<Vec<&'a HostOutcome>> {
    let mut groups: BTreeMap<_, (usize, Vec<&HostOutcome>)> = BTreeMap::new();
    for (at, host) in hosts.iter().enumerate() {
        let findings: Vec<(&Digest, Severity)> = host.findings.iter().map(|f| (&f.fingerprint, f.severity)).collect();
        let reasons: Vec<(&str, &str)> = host.reasons.iter().map(|r| (r.reason.word(), r.text.as_str())).collect();
        let said = (host.verdict, &host.reference, host.versions_behind, findings, reasons);
        groups.entry(said).or_insert_with(|| (at, Vec::with_capacity(1))).1.push(host);
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|((verdict, _, _, findings, _), (at, group))| {
            let worst = findings.iter().map(|(_, severity)| *severity).max();
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
    for obstacle in &host.reasons {
        let text = format!("not verified besides ({}): {}", obstacle.reason, obstacle.text);
        page.flow(8, 10, atoms(&text));
        // The ways to read what the account may not read are said once, not for each host.
        if let (Some(remedy), false) = (&obstacle.remedy, of_permission(obstacle)) {
            page.flow(10, 10, atoms(remedy));
        }
    }
    let shown = if page.options.verbose { host.findings.len() } else { MOST };
    for finding in host.findings.iter().take(shown) {
        line(finding, prefix, page);
    }
    rest(outcome, host.findings.get(shown..).unwrap_or_default(), page);
}

/// What is said behind the verdict.
fn what(host: &HostOutcome) -> String {
    let counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| (host.findings.iter().filter(|finding| finding.severity == *severity).count(), severity))
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{} {severity}", grouped(n as u64)))
        .collect();
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

fn line(finding: &Finding, prefix: usize, page: &mut Page<'_>) {
    let (word, style) = severity(finding.severity);
    let said = sentence::of(finding);
    let word = Atom::new(word).styled(style);
    let gap = 6usize.saturating_sub(word.width());
    let mut pieces = vec![word, Atom::new(&said.subject).after(gap).glued()];
    pieces.extend(atoms(&said.predicate));
    page.flow_with_edge(2, 10, pieces, &Atom::new(&hex_prefix(&finding.fingerprint, prefix)));
}

/// `... and 312 more`, with where they are.
fn rest(outcome: &FleetOutcome, findings: &[Finding], page: &mut Page<'_>) {
    if findings.is_empty() {
        return;
    }
    let command = format!("driftscan report {} --format json", outcome.run);
    page.flow(2, 10, atoms_then(&format!("... and {} more", grouped(findings.len() as u64)), &command));
    let mut folders: BTreeMap<String, u64> = BTreeMap::new();
    for finding in findings {
        *folders.entry(folder(finding)).or_default() += 1;
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
fn prefix_length(outcome: &FleetOutcome) -> usize {
    let mut all: Vec<&Digest> = outcome.hosts.iter().flat_map(|h| &h.findings).map(|f| &f.fingerprint).collect();
    all.sort_unstable();
    all.dedup();
    let shared = |a: &Digest, b: &Digest| {
        let bytes = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let half = a.get(bytes).zip(b.get(bytes)).is_some_and(|(x, y)| x >> 4 == y >> 4);
        bytes * 2 + usize::from(half)
    };
    all.windows(2).map(|pair| if let [a, b] = pair { shared(a, b) + 1 } else { 0 }).max().unwrap_or(0).max(8)
}

fn hex_prefix(digest: &Digest, digits: usize) -> String {
    let mut hex = crate::model::text::hex(digest);
    hex.truncate(digits);
    hex
}
