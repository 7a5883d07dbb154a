//! The hosts that differ, each with its causes and the findings that none of them explains, the worst first.
//!
//! *Invariant:* hosts are shown as one only where everything said of them is the same.

use super::at_risk;
use super::decisions::{decision_title, names};
use super::frame::{Frame, hex_prefix};
use super::investigate::{of_permission, permissions_said, ways_out};
use super::page::{Atom, BOLD, Page, atoms, atoms_then, list};
use super::room::{self, Depth};
use super::sentence;
use super::words::{count, grouped, severity, verdict_style};
use crate::model::text::escape;
use crate::model::{Decision, Finding, FleetOutcome, HostOutcome, Line, Severity, StateAtRisk, Verdict, line};
use crate::protocol::Digest;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Folders named of the rest.
const FOLDERS: usize = 6;

/// Writes the section of a decision.
pub(super) fn section(frame: &Frame<'_>, decision: Decision, hosts: &[&HostOutcome], page: &mut Page<'_>) {
    if hosts.is_empty() {
        return;
    }
    let entries: Vec<Entry<'_>> = alike(hosts, page.options.verbose)
        .into_iter()
        .filter_map(|alike| {
            let host = *alike.first()?;
            let (lines, common) = frame.lines(host);
            Some(Entry { host, alike, lines, common })
        })
        .collect();
    let takes = entries.iter().map(Entry::takes).collect::<Vec<_>>();
    match room::depth(&takes, page.options.verbose) {
        Depth::Findings(most) => {
            page.title(decision_title(decision));
            for entry in &entries {
                entry.tell(frame, most, page);
            }
        }
        Depth::One => {
            let command = format!("driftscan report {} -v", frame.outcome.run);
            page.title_then(&format!("{}, the gravest of each", decision_title(decision)), &command);
            briefly(frame, &entries, page);
        }
    }
    let refused: Vec<&HostOutcome> =
        hosts.iter().filter(|host| host.reasons.iter().any(of_permission)).copied().collect();
    if !refused.is_empty() && !permissions_said(frame.outcome) {
        page.flow(0, 8, atoms(&format!("Paths not readable: {}", ways_out(&refused))));
    }
}

/// Hosts of which the same is said, the worst first, then the loneliest, then in the order of the fleet.
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
        let alone = (host.snowflake, &host.group);
        let said = (host.verdict, &host.reference, host.versions_behind, findings, (reasons, told, alone));
        groups.entry(said).or_insert_with(|| (at, Vec::with_capacity(1))).1.push(host);
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|((verdict, _, _, findings, (_, _, (snowflake, ..))), (at, group))| {
            let open = findings.iter().filter(|(.., waived)| !waived);
            let worst = open.map(|(_, severity, ..)| *severity).max();
            let score = snowflake.map(|snowflake| snowflake.score);
            ((verdict, Reverse(worst), Reverse(score), at), group)
        })
        .collect();
    groups.sort_by_key(|(rank, _)| *rank);
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Hosts of which the same is said, and what that is.
struct Entry<'a> {
    host: &'a HostOutcome,
    /// All of them; what each holds is its own.
    alike: Vec<&'a HostOutcome>,
    /// Their own lines.
    lines: Vec<Line<'a>>,
    /// How many lines are those of their whole group.
    common: usize,
}

impl Entry<'_> {
    fn takes(&self) -> room::Entry {
        let holds = |is: &dyn Fn(&StateAtRisk) -> bool| {
            usize::from(self.alike.iter().any(|host| host.state.as_ref().is_some_and(is)))
        };
        let state = holds(&|state| !state.items.is_empty()) + holds(&|state| !state.unseen.is_empty());
        let others = 2 * self.host.reasons.len() + usize::from(self.common > 0) + state;
        room::Entry { lines: self.lines.len(), others }
    }

    fn names(&self, page: &Page<'_>) -> Vec<Atom> {
        let all: Vec<&str> = self.alike.iter().map(|host| host.name.as_str()).collect();
        names(&all, page).into_iter().map(|piece| piece.styled(BOLD)).collect()
    }

    fn tell(&self, frame: &Frame<'_>, most: usize, page: &mut Page<'_>) {
        let host = self.host;
        let mut pieces = self.names(page);
        let word = Atom::new(host.verdict.word()).styled(verdict_style(host.verdict)).after(2);
        let tail = what(host, &self.lines);
        pieces.push(if tail.is_empty() {
            word
        } else {
            word.followed_by(if host.verdict == Verdict::Drifted && !tail.starts_with("snowflake") {
                ""
            } else if host.verdict == Verdict::Drifted {
                ","
            } else {
                ":"
            })
        });
        pieces.extend(atoms(&tail));
        page.flow(0, 8, pieces);
        unverified("not verified besides", host, page);
        for line in self.lines.iter().take(most) {
            tell_line(frame, host, line, page);
            if page.options.verbose {
                more(host, line, frame.prefix, page);
            }
        }
        rest(frame.outcome, self.lines.get(most..).unwrap_or_default(), page);
        if self.common > 0 {
            let what =
                if self.common == 1 { "change".to_owned() } else { count(self.common as u64, "change", "changes") };
            page.flow(8, 10, atoms(&format!("also the common {what} of {} (below)", group_name(&host.group))));
        }
        at_risk::lines(&self.alike, page);
    }
}

/// A group as a sentence names it.
fn group_name(group: &str) -> &str {
    if group.is_empty() { "these hosts" } else { group }
}

/// Entries told in a line each.
const BRIEF: usize = 12;
/// The widest names that others are lined up with.
const COLUMN: usize = 24;

/// Each host with its gravest finding.
fn briefly(frame: &Frame<'_>, entries: &[Entry<'_>], page: &mut Page<'_>) {
    let wide = |names: &[Atom]| names.iter().map(|name| name.width() + 1).sum::<usize>();
    let shown = entries.iter().take(BRIEF).filter(|entry| !entry.lines.is_empty());
    let column = shown.map(|entry| wide(&entry.names(page))).filter(|width| *width <= COLUMN).max().unwrap_or(0);
    for entry in entries.iter().take(BRIEF) {
        let Some(line) = entry.lines.first() else {
            entry.tell(frame, 0, page);
            continue;
        };
        let more = entry.lines.len().saturating_sub(1);
        let more = if more > 0 { format!("+{}", grouped(more as u64)) } else { String::new() };
        let (word, style) = severity(line.severity());
        let mut pieces = entry.names(page);
        let pad = column.saturating_sub(wide(&pieces));
        pieces.push(Atom::new(word).styled(style).after(2 + pad));
        let gap = 6usize.saturating_sub(word.len());
        let body = body_of(line).into_iter().enumerate();
        pieces.extend(body.map(|(n, atom)| if n == 0 { atom.after(gap).glued() } else { atom }));
        page.line_with_edge(pieces, &Atom::new(&more), &Atom::new(&frame.edge(entry.host, line)));
    }
    let hosts: usize = entries.iter().skip(BRIEF).map(|entry| entry.alike.len()).sum();
    if hosts > 0 {
        page.flow(2, 10, atoms(&format!("... and {}", count(hosts as u64, "host", "hosts"))));
    }
    let all = entries.iter().flat_map(|entry| &entry.alike);
    let holding: Vec<&str> = all.filter(|host| at_risk::holds(host)).map(|host| host.name.as_str()).collect();
    if !holding.is_empty() {
        let mut text = atoms("something is at risk on");
        text.extend(names(&holding, page));
        page.flow(2, 10, text);
    }
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
fn more(host: &HostOutcome, item: &Line<'_>, prefix: usize, page: &mut Page<'_>) {
    let (explanation, evidence): (&[String], &[String]) = match item {
        Line::Finding(finding) => (&finding.told.explanation, &finding.told.evidence),
        Line::Cause(_, cause) => (&[], &cause.evidence),
    };
    for text in explanation {
        page.flow(8, 10, atoms(text));
    }
    for text in evidence {
        page.flow(8, 10, atoms(&format!("its own logs, which it could forge: {text}")));
    }
    if let Line::Cause(at, cause) = item {
        for finding in line::explained(host, *at).filter(|finding| finding.fingerprint != cause.fingerprint) {
            finding_line(finding, 4, prefix, page);
        }
    }
}

/// What is said behind the verdict.
fn what(host: &HostOutcome, items: &[Line<'_>]) -> String {
    let mut counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| (items.iter().filter(|item| item.severity() == *severity).count(), severity))
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{} {severity}", grouped(n as u64)))
        .collect();
    let waived = host.findings.iter().filter(|finding| finding.waiver.is_some()).count();
    let open = host.findings.len() - waived;
    if open > line::of(host).len() {
        counts.push(format!("in all {}", count(open as u64, "finding", "findings")));
    }
    if waived > 0 {
        counts.push(format!("{} waived", grouped(waived as u64)));
    }
    let behind = host.versions_behind.map(|n| format!(", {} behind", count(n.into(), "version", "versions")));
    let behind = behind.unwrap_or_default();
    match (host.verdict, &host.reference) {
        (Verdict::Drifted, _) if host.snowflake.is_some_and(|flake| flake.rare > 0) => lonely(host),
        (Verdict::Drifted, Some(label)) => format!("from {label}{behind}: {}", counts.join(", ")),
        (Verdict::Outdated, Some(label)) if counts.is_empty() => format!("exactly {label}{behind}, no local change"),
        (Verdict::Outdated, Some(label)) => {
            format!("nearest to {label}{behind}: {}", counts.join(", "))
        }
        (Verdict::Drifted | Verdict::Outdated, None) | (Verdict::Unverifiable | Verdict::Clean, _) => counts.join(", "),
    }
}

/// `snowflake: 3 findings that no other web host has`.
fn lonely(host: &HostOutcome) -> String {
    let Some(flake) = host.snowflake else { return String::new() };
    let (n, who) = if flake.alone > 0 { (flake.alone, "no other") } else { (flake.rare, "few other") };
    let group = if host.group.is_empty() { String::new() } else { format!("{} ", host.group) };
    let (noun, verb) = if flake.alone > 0 { ("host", "has") } else { ("hosts", "have") };
    let behind = host.versions_behind.zip(host.reference.as_ref());
    let behind =
        behind.map(|(n, label)| format!(", from {label}, {} behind", count(u64::from(n), "version", "versions")));
    format!(
        "snowflake: {} that {who} {group}{noun} {verb}{}",
        count(n as u64, "finding", "findings"),
        behind.unwrap_or_default()
    )
}

fn body_of(line: &Line<'_>) -> Vec<Atom> {
    match line {
        Line::Finding(finding) => sentence::atoms_of(finding),
        Line::Cause(_, cause) => atoms(&cause.title),
    }
}

fn tell_line(frame: &Frame<'_>, host: &HostOutcome, line: &Line<'_>, page: &mut Page<'_>) {
    weighed(line.severity(), body_of(line), &frame.edge(host, line), 2, page);
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
fn rest(outcome: &FleetOutcome, items: &[Line<'_>], page: &mut Page<'_>) {
    if items.is_empty() {
        return;
    }
    let command = format!("driftscan report {} -v", outcome.run);
    page.flow(2, 10, atoms_then(&format!("... and {} more", grouped(items.len() as u64)), &command));
    let mut folders: BTreeMap<String, u64> = BTreeMap::new();
    for item in items {
        let place = match item {
            Line::Finding(finding) => folder(finding),
            Line::Cause(..) => "packages".to_owned(),
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
