//! The first lines: how it went, and what to do with which host.
//!
//! *Invariant:* the counts of the lines sum to the hosts that were selected.

use super::page::{Atom, BOLD, GREEN, Page, RED, YELLOW, atoms};
use super::words::{count, duration, grouped};
use crate::model::{Decision, FleetOutcome, HostOutcome, Verdict};
use anstyle::Style;

/// Hosts of a decision whose names may take two lines; those of more take one, since a report of a thousand clean hosts is
/// read for the others.
const FEW: usize = 50;

/// `12 hosts in 4.1 s, run ...: DRIFT (exit 2)`.
pub(super) fn header(outcome: &FleetOutcome, page: &mut Page<'_>) {
    let (word, style) = headline(outcome);
    let mut pieces = atoms(&format!(
        "{} in {}, run {}:",
        count(outcome.selected as u64, "host", "hosts"),
        duration(outcome.millis),
        outcome.run
    ));
    pieces.push(Atom::new(word).styled(style));
    pieces.extend(atoms(&format!("(exit {})", outcome.status())));
    page.flow(0, 2, pieces);
    if let Some(signal) = outcome.interrupted {
        let text = format!(
            "partial: {} of {} finished before {} cut the run off",
            grouped(outcome.hosts.len() as u64),
            count(outcome.selected as u64, "host", "hosts"),
            signal_name(signal),
        );
        page.flow(0, 2, atoms(&text));
    }
}

fn headline(outcome: &FleetOutcome) -> (&'static str, Style) {
    let any = |verdict| outcome.count(verdict) > 0;
    if outcome.interrupted.is_some() {
        ("INTERRUPTED", YELLOW)
    } else if any(Verdict::Drifted) {
        ("DRIFT", RED)
    } else if any(Verdict::Outdated) && !outcome.allow_outdated {
        ("OUTDATED", YELLOW)
    } else if outcome.status() != 0 {
        ("UNVERIFIABLE", YELLOW)
    } else if any(Verdict::Outdated) {
        // Allowed or not, a host of an older version is not called clean.
        ("OUTDATED, allowed", YELLOW)
    } else {
        ("CLEAN", GREEN)
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        9 => "SIGKILL".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

/// One line a decision that some host has.
pub(super) fn lines(outcome: &FleetOutcome, page: &mut Page<'_>) {
    for decision in Decision::ALL {
        let hosts: Vec<&HostOutcome> = outcome.hosts.iter().filter(|host| host.decision == decision).collect();
        if !hosts.is_empty() {
            let names = by_verdict(decision, &hosts, page);
            line(hosts.len(), decision_title(decision), decision_style(decision), names, page);
        }
    }
    let missing = outcome.selected.saturating_sub(outcome.hosts.len());
    if missing > 0 {
        line(missing, "NOT SCANNED", YELLOW, atoms("the run ended before they were done"), page);
    }
}

/// The title of a decision's section and line.
pub(super) fn decision_title(decision: Decision) -> &'static str {
    match decision {
        Decision::Replace => "REPLACE",
        Decision::FixTemplate => "FIX TEMPLATE",
        Decision::Investigate => "INVESTIGATE",
        Decision::Keep => "KEEP",
    }
}

fn decision_style(decision: Decision) -> Style {
    match decision {
        Decision::Replace => RED,
        Decision::FixTemplate | Decision::Investigate => YELLOW,
        Decision::Keep => GREEN,
    }
}

/// Names as node sets, none wider than two lines: a set with a hole at every other number is told by its ends.
pub(super) fn names(names: &[&str], page: &Page<'_>) -> Vec<Atom> {
    let room = page.width() * 2;
    let brief = |set: &str| {
        let inside = set.split_once('[').and_then(|(before, rest)| Some((before, rest.rsplit_once(']')?)));
        let ends = inside.and_then(|(before, (numbers, after))| {
            let first = numbers.split([',', '-']).next()?;
            let last = numbers.rsplit([',', '-']).next()?;
            Some(format!("{before}[{first}...{last}]{after}"))
        });
        ends.unwrap_or_else(|| set.to_owned())
    };
    let sets = page.folded(names);
    let is_wide = |set: &String| !page.options.verbose && set.chars().count() > room;
    sets.iter().map(|set| if is_wide(set) { Atom::new(&brief(set)) } else { Atom::new(set) }).collect()
}

/// `web-04 api-02 drifted, web-06 outdated`.
fn by_verdict(decision: Decision, hosts: &[&HostOutcome], page: &Page<'_>) -> Vec<Atom> {
    let mut parts: Vec<Vec<Atom>> = Vec::new();
    let room = page.width().saturating_sub(HANG).max(20);
    let room = if hosts.len() > FEW { room - room / 4 } else { room * 2 };
    for verdict in Verdict::ALL {
        let hosts: Vec<&HostOutcome> = hosts.iter().filter(|host| host.verdict == verdict).copied().collect();
        let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        let mut pieces = self::names(&names, page);
        let mut used = 0;
        let fits = pieces.iter().take_while(|piece| {
            used += piece.width() + 1;
            page.options.verbose || used <= room
        });
        let shown = fits.count().max(1);
        if shown < pieces.len() {
            pieces.truncate(shown);
            pieces.extend(atoms(&format!("... in all {}", grouped(names.len() as u64))));
        }
        if decision == Decision::FixTemplate {
            pieces.extend(atoms(&shared(&hosts)));
        } else {
            pieces.push(Atom::new(verdict.word()));
        }
        parts.push(pieces);
    }
    let last = parts.len().saturating_sub(1);
    let mut out = Vec::new();
    for (n, mut part) in parts.into_iter().enumerate() {
        if n < last
            && let Some(word) = part.pop()
        {
            part.push(word.followed_by(","));
        }
        out.extend(part);
    }
    out
}

/// What hosts of common drift have.
fn shared(hosts: &[&HostOutcome]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for host in hosts.iter().filter(|host| !host.group.is_empty()) {
        if !groups.contains(&host.group.as_str()) {
            groups.push(&host.group);
        }
    }
    let has = if hosts.len() == 1 { "has" } else { "have" };
    match groups.as_slice() {
        [only] => format!("{has} only the change that most of {only} shares"),
        [] | [_, ..] => format!("{has} only changes that most of their group shares"),
    }
}

/// The column where names begin.
const HANG: usize = 20;

fn line(hosts: usize, title: &str, style: Style, body: Vec<Atom>, page: &mut Page<'_>) {
    let number = format!("{hosts:>4}");
    let indent = number.len() - number.trim_start().len();
    let title = Atom::new(title).styled(style).after(2);
    let gap = (HANG - 6).saturating_sub(title.width()).max(2);
    let body = body.into_iter().enumerate().map(|(n, atom)| if n == 0 { atom.after(gap) } else { atom });
    let start = [Atom::new(number.trim_start()).styled(BOLD), title];
    page.flow(indent, HANG, start.into_iter().chain(body).collect());
}
