//! What most of a group share, once for the group: the template is stale, or something changes the fleet.
//!
//! *Invariant:* each row names every host that has it; nothing critical is here.

use super::drifted::weighed;
use super::frame::{Frame, first_seen, hex_prefix};
use super::page::{Atom, BOLD, Page, atoms, atoms_then};
use super::words::grouped;
use super::{decisions, sentence};
use crate::model::{CommonDrift, HostOutcome, Line, line};
use std::collections::HashMap;

/// Rows told.
const MOST: usize = 8;

/// A row with a host that has it, and how it is told there.
struct Told<'a> {
    row: &'a CommonDrift,
    host: &'a HostOutcome,
    line: Line<'a>,
    since: Option<&'a str>,
}

/// Writes the section.
pub(super) fn section(frame: &Frame<'_>, page: &mut Page<'_>) {
    let rows = rows(frame);
    if rows.is_empty() {
        return;
    }
    let title = decisions::decision_title(crate::model::Decision::FixTemplate);
    page.title(&format!("{title}, or stop what changes the fleet"));
    let shown = if page.options.verbose { rows.len() } else { MOST };
    let mut before: Option<&CommonDrift> = None;
    for told in rows.iter().take(shown) {
        let same = |row: &CommonDrift| row.group == told.row.group && row.hosts == told.row.hosts;
        if !before.is_some_and(same) {
            head(told, &rows, page);
        }
        before = Some(told.row);
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

/// The rows with the first host that has each. One pass over the hosts, however many rows there are.
fn rows<'a>(frame: &Frame<'a>) -> Vec<Told<'a>> {
    let hosts: HashMap<&str, &HostOutcome> =
        frame.outcome.hosts.iter().map(|host| (host.name.as_str(), host)).collect();
    let told = |row: &'a CommonDrift| {
        let having = row.hosts.iter().filter_map(|name| hosts.get(name.as_str()).copied());
        let since = having.clone().filter_map(|host| {
            let own = host.findings.iter().find(|finding| finding.fingerprint == row.fingerprint)?;
            own.told.first_seen.as_deref()
        });
        let host = having.clone().next()?;
        let line = line::of(host).into_iter().find(|line| *line.fingerprint() == row.fingerprint)?;
        Some(Told { row, host, line, since: since.min().or_else(|| first_seen(host, &line)) })
    };
    frame.outcome.common.iter().filter_map(told).collect()
}

/// `web-[01-05]  5 of 6 hosts, since 2026-11-19`.
fn head(told: &Told<'_>, rows: &[Told<'_>], page: &mut Page<'_>) {
    let names: Vec<&str> = told.row.hosts.iter().map(String::as_str).collect();
    let mut pieces: Vec<Atom> = decisions::names(&names, page).into_iter().map(|name| name.styled(BOLD)).collect();
    let alike = rows.iter().filter(|other| other.row.group == told.row.group && other.row.hosts == told.row.hosts);
    let since = alike.filter_map(|other| other.since).min().and_then(|since| since.get(..10));
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
