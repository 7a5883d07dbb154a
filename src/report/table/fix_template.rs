//! What most of a group share, once for the group: the template is stale, or something changes the fleet.
//!
//! *Invariant:* each row names every host that has it; nothing critical is here.

use super::drifted::weighed;
use super::frame::{Frame, first_seen, hex_prefix};
use super::page::{Atom, BOLD, Page, atoms, atoms_then};
use super::words::grouped;
use super::{decisions, sentence};
use crate::model::{CommonDrift, HostOutcome, Line, line};
use crate::protocol::Digest;
use std::collections::HashMap;

/// Rows told.
const MOST: usize = 8;

/// A row with a host that has it, and how it is told there.
struct Told<'a> {
    row: &'a CommonDrift,
    host: &'a HostOutcome,
    line: Line<'a>,
    /// Rows of one number are of one group and on the same hosts.
    set: usize,
}

/// The rows, and since when something of each set of them is known.
#[derive(Default)]
struct Rows<'a> {
    told: Vec<Told<'a>>,
    since: Vec<Option<&'a str>>,
}

/// Writes the section.
pub(super) fn section(frame: &Frame<'_>, page: &mut Page<'_>) {
    let Rows { told: rows, since } = rows(frame);
    if rows.is_empty() {
        return;
    }
    let title = decisions::decision_title(crate::model::Decision::FixTemplate);
    page.title(&format!("{title}, or stop what changes the fleet"));
    let shown = if page.options.verbose { rows.len() } else { MOST };
    let mut before = None;
    for told in rows.iter().take(shown) {
        if before != Some(told.set) {
            head(told, since.get(told.set).copied().flatten(), page);
        }
        before = Some(told.set);
        let body = match told.line {
            Line::Cause(_, cause) => atoms(&cause.title),
            Line::Finding(finding) => sentence::atoms_of(finding),
        };
        weighed(told.line.severity(), body, &frame.edge(told.host, &told.line), 2, page);
        evidence(told, page);
    }
    let command = format!("driftscan report {} -v", frame.outcome.run);
    if let Some(more) = rows.len().checked_sub(shown).filter(|more| *more > 0) {
        page.flow(2, 10, atoms_then(&format!("... and {} more", grouped(more as u64)), &command));
    }
}

/// The rows with the first host that has each. One pass over the findings, however many rows and hosts there are.
fn rows<'a>(frame: &Frame<'a>) -> Rows<'a> {
    let outcome = frame.outcome;
    let hosts: HashMap<&str, &HostOutcome> = outcome.hosts.iter().map(|host| (host.name.as_str(), host)).collect();
    let mut since: HashMap<(&str, &Digest), &str> = HashMap::new();
    for host in &outcome.hosts {
        for finding in host.findings.iter().filter(|finding| frame.is_common(host, &finding.fingerprint)) {
            let Some(seen) = finding.told.first_seen.as_deref() else { continue };
            let oldest = since.entry((&host.group, &finding.fingerprint)).or_insert(seen);
            *oldest = seen.min(oldest);
        }
    }
    let mut sets: HashMap<(&str, &[String]), usize> = HashMap::new();
    let mut lines: HashMap<&str, HashMap<&Digest, Line<'_>>> = HashMap::new();
    let mut rows = Rows::default();
    for row in &outcome.common {
        let Some(host) = row.hosts.iter().find_map(|name| hosts.get(name.as_str()).copied()) else { continue };
        let lines = lines.entry(&host.name).or_insert_with(|| line::by_fingerprint(host));
        let Some(line) = lines.get(&row.fingerprint).copied() else { continue };
        let number = sets.len();
        let set = *sets.entry((&row.group, &row.hosts)).or_insert(number);
        if set == number {
            rows.since.push(None);
        }
        let seen = since.get(&(row.group.as_str(), &row.fingerprint)).copied().or_else(|| first_seen(host, &line));
        if let (Some(of_set), Some(seen)) = (rows.since.get_mut(set), seen) {
            *of_set = Some(of_set.map_or(seen, |before| before.min(seen)));
        }
        rows.told.push(Told { row, host, line, set });
    }
    rows
}

/// `web-[01-05]  5 of 6 hosts, since 2026-11-19`.
fn head(told: &Told<'_>, since: Option<&str>, page: &mut Page<'_>) {
    let names: Vec<&str> = told.row.hosts.iter().map(String::as_str).collect();
    let mut pieces: Vec<Atom> = decisions::names(&names, page).into_iter().map(|name| name.styled(BOLD)).collect();
    let since = since.and_then(|since| since.get(..10));
    let since = since.map(|day| format!(", since {day}")).unwrap_or_default();
    let text = format!("{} of {} hosts{since}", grouped(names.len() as u64), grouped(told.row.of as u64));
    let first = atoms(&text).into_iter().enumerate();
    pieces.extend(first.map(|(n, atom)| if n == 0 { atom.after(2) } else { atom }));
    page.flow(0, 8, pieces);
}

/// What one host's logs say of it: who does it is what must be found.
fn evidence(told: &Told<'_>, page: &mut Page<'_>) {
    let lines = match told.line {
        Line::Cause(_, cause) => &cause.evidence,
        Line::Finding(finding) => &finding.told.evidence,
    };
    if let Some(said) = lines.first() {
        page.flow(8, 10, atoms(&format!("log (forgeable) of {}: {said}", told.host.name)));
    }
}

/// The command that renders what a template would need.
pub(super) const AS_TEMPLATE: &str = "driftscan report --format dockerfile";

/// The beginning of the gravest row's fingerprint.
pub(super) fn gravest(frame: &Frame<'_>) -> Option<String> {
    frame.outcome.common.first().map(|row| hex_prefix(&row.fingerprint, frame.prefix))
}
