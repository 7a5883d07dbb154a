//! The same drift told the other way round: each cause or finding once, with the hosts that have it.
//!
//! *Invariant:* every line of every host is in it, and each host as often as it has lines.

use super::decisions::names;
use super::drifted;
use super::frame::Frame;
use super::page::{Atom, BOLD, Page, atoms, atoms_then};
use super::sentence;
use super::words::{count, grouped};
use crate::model::{Decision, HostOutcome, Line, line};
use crate::protocol::Digest;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Lines told.
const MOST: usize = 60;

/// A line and the hosts that have it.
struct Shared<'a> {
    item: Line<'a>,
    /// The host of that line.
    on: &'a HostOutcome,
    hosts: Vec<&'a str>,
}

/// Writes the section of a decision.
pub(super) fn section(frame: &Frame<'_>, decision: Decision, hosts: &[&HostOutcome], page: &mut Page<'_>) {
    let outcome = frame.outcome;
    let mut shared: BTreeMap<&Digest, Shared<'_>> = BTreeMap::new();
    let mut without = Vec::new();
    for host in hosts {
        let (items, _) = frame.lines(host);
        if items.is_empty() {
            // An older version without a change, say.
            without.push(*host);
        }
        for item in items {
            let entry = shared.entry(match item {
                Line::Cause(_, cause) => &cause.fingerprint,
                Line::Finding(finding) => &finding.fingerprint,
            });
            let known = entry.or_insert(Shared { item, on: host, hosts: Vec::new() });
            if item.severity() > known.item.severity() {
                (known.item, known.on) = (item, host);
            }
            known.hosts.push(&host.name);
        }
    }
    if !shared.is_empty() {
        let mut lines: Vec<(&Digest, Shared<'_>)> = shared.into_iter().collect();
        lines.sort_by_key(|(digest, line)| (Reverse(line.item.severity()), Reverse(line.hosts.len()), **digest));
        page.title(&format!("{}, by finding", super::decisions::decision_title(decision)));
        let shown = if page.options.verbose { lines.len() } else { MOST };
        for (_, line) in lines.iter().take(shown) {
            let body = match line.item {
                Line::Cause(_, cause) => atoms(&cause.title),
                Line::Finding(finding) => sentence::atoms_of(finding),
            };
            drifted::weighed(line.item.severity(), body, &frame.edge(line.on, &line.item), 2, page);
            let mut on: Vec<Atom> = names(&line.hosts, page).into_iter().map(|atom| atom.styled(BOLD)).collect();
            if line.hosts.len() > 1 {
                on.extend(atoms(&format!("({})", count(line.hosts.len() as u64, "host", "hosts"))));
            }
            page.flow(8, 10, on);
        }
        if let Some(more) = lines.len().checked_sub(shown).filter(|more| *more > 0) {
            let command = format!("driftscan report {} --by finding -v", outcome.run);
            page.flow(2, 10, atoms_then(&format!("... and {} more", grouped(more as u64)), &command));
        }
    }
    for host in hosts.iter().filter(|host| !host.reasons.is_empty() && !line::of(host).is_empty()) {
        drifted::obstacles(host, page);
    }
    drifted::section(frame, decision, &without, page);
}
