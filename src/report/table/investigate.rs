//! The hosts that could not be verified: why, and what to do about it.
//!
//! *Invariant:* a host key is never shortened, and two host keys never become one line.

use super::decisions::decision_title;
use super::page::{Atom, BOLD, Page, atoms, atoms_then, list};
use super::words::{count, grouped};
use crate::model::{Collector, Decision, FleetOutcome, HostOutcome, Obstacle, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// Unlike texts of one reason that are told each; more are told by example.
const MOST: usize = 3;
/// Paths named of those that nobody could read.
const PATHS: usize = 6;
const INDENT: usize = 8;

/// Writes the section.
pub(super) fn section(outcome: &FleetOutcome, hosts: &[&HostOutcome], page: &mut Page<'_>) {
    if hosts.is_empty() {
        return;
    }
    page.title(decision_title(Decision::Investigate));
    let (unreadable, others): (Vec<&HostOutcome>, Vec<&HostOutcome>) =
        hosts.iter().partition(|host| only_permissions(host));
    for (reasons, entries) in by_reason(&others) {
        let in_full = page.options.verbose || entries.len() <= MOST || reasons.contains(&Reason::HostKey);
        if in_full {
            for entry in entries {
                one(&entry, page);
            }
        } else {
            many(outcome, &reasons, &entries, page);
        }
    }
    if !unreadable.is_empty() {
        permissions(&unreadable, page);
    }
}

/// Whether the obstacle is what the account may not read. What the way of collecting can't see at all has a remedy of its own,
/// and no permission mends it.
pub(super) fn of_permission(obstacle: &Obstacle) -> bool {
    let blind = obstacle.remedy.as_ref().is_some_and(|remedy| remedy.contains("excuse_unseen"));
    obstacle.reason == Reason::Unreadable && !blind
}

/// Whether nothing else stands between the host and a verdict.
pub(super) fn only_permissions(host: &HostOutcome) -> bool {
    !host.reasons.is_empty() && host.reasons.iter().all(of_permission)
}

/// Whether this section tells the ways out of permissions.
pub(super) fn permissions_said(outcome: &FleetOutcome) -> bool {
    outcome.hosts.iter().any(|host| host.decision == Decision::Investigate && only_permissions(host))
}

/// What to do about paths that the account may not read.
pub(super) fn ways_out(hosts: &[&HostOutcome]) -> String {
    let excuse = "name them under excuse_unreadable in the policy: coverage then says so.";
    if hosts.iter().all(|host| host.evidence.uid == Some(0)) {
        if hosts.iter().any(|host| host.collector == Some(Collector::Sh)) {
            return format!(
                "As root the sh way opens no file that another account could swap. Where that will do, {excuse}"
            );
        }
        format!("Root itself was refused. Where that is as it should be, {excuse}")
    } else {
        format!("Two ways out: scan with --sudo, or {excuse}")
    }
}

type Entry<'a> = Vec<&'a HostOutcome>;

/// Hosts of the same reasons, and among them those of the same words, in the order of the fleet.
fn by_reason<'a>(hosts: &[&'a HostOutcome]) -> Vec<(Vec<Reason>, Vec<Entry<'a>>)> {
    let mut reasons_at = BTreeMap::new();
    let mut words_at = BTreeMap::new();
    let mut out: Vec<(Vec<Reason>, Vec<Entry<'a>>)> = Vec::new();
    for host in hosts {
        let reasons: Vec<Reason> = host.reasons.iter().map(|obstacle| obstacle.reason).collect();
        let words: Vec<_> = host.reasons.iter().map(|obstacle| (&obstacle.text, &obstacle.remedy)).collect();
        let at = *reasons_at.entry(reasons.clone()).or_insert_with(|| {
            out.push((reasons.clone(), Vec::new()));
            out.len() - 1
        });
        let Some((_, entries)) = out.get_mut(at) else { continue };
        let at = *words_at.entry((reasons, words)).or_insert_with(|| {
            entries.push(Vec::new());
            entries.len() - 1
        });
        entries.get_mut(at).into_iter().for_each(|entry| entry.push(host));
    }
    out
}

/// Hosts of which the same is said.
fn one(entry: &[&HostOutcome], page: &mut Page<'_>) {
    let Some(host) = entry.first() else { return };
    let mut label = names(entry, page);
    if host.reasons.is_empty() {
        label.extend(atoms("no reason was recorded"));
        page.flow(0, INDENT, label);
        return;
    }
    for (n, obstacle) in host.reasons.iter().enumerate() {
        let mut lines = obstacle.text.lines();
        let mut head = if n == 0 { std::mem::take(&mut label) } else { Vec::new() };
        head.push(reason(obstacle.reason).followed_by(":").after(2));
        head.extend(atoms(lines.next().unwrap_or_default()));
        page.flow(if n == 0 { 0 } else { INDENT }, INDENT, head);
        for line in lines {
            page.verbatim(INDENT, line);
        }
        if let Some(remedy) = &obstacle.remedy {
            page.verbatim(INDENT, remedy);
        }
    }
}

/// Many hosts of one reason, each with words of its own.
fn many(outcome: &FleetOutcome, reasons: &[Reason], entries: &[Entry<'_>], page: &mut Page<'_>) {
    let hosts: Vec<&HostOutcome> = entries.iter().flatten().copied().collect();
    let mut label = names(&hosts, page);
    let words: Vec<&str> = reasons.iter().map(|reason| reason.word()).collect();
    label.push(reason_words(&words.join(", ")).followed_by(":").after(2));
    label.extend(atoms(&count(hosts.len() as u64, "host", "hosts")));
    page.flow(0, INDENT, label);
    for entry in entries.iter().take(MOST) {
        let Some(host) = entry.first() else { continue };
        let text: Vec<&str> = host.reasons.iter().filter_map(|obstacle| obstacle.text.lines().next()).collect();
        page.flow(INDENT, INDENT + 2, atoms(&format!("{}: {}", host.name, text.join("; "))));
    }
    let more = format!("... and {}", count((entries.len().saturating_sub(MOST)) as u64, "other text", "other texts"));
    let command = format!("driftscan report {} --format json", outcome.run);
    page.flow(INDENT, INDENT + 2, atoms_then(&more, &command));
    let mut told = BTreeSet::new();
    for remedy in hosts.iter().flat_map(|host| &host.reasons).filter_map(|obstacle| obstacle.remedy.as_deref()) {
        if told.len() < MOST && told.insert(remedy) {
            page.verbatim(INDENT, remedy);
        }
    }
}

/// Paths that the account may not read: said once for the fleet, with the ways out.
fn permissions(hosts: &[&HostOutcome], page: &mut Page<'_>) {
    let mut paths: BTreeMap<&str, u64> = BTreeMap::new();
    for coverage in hosts.iter().filter_map(|host| host.coverage.as_ref()) {
        let refused = coverage.troubles.iter().filter(|t| !t.excused && t.reason == Reason::Unreadable);
        for path in refused.map(|trouble| trouble.path.as_str()).collect::<BTreeSet<_>>() {
            *paths.entry(path).or_default() += 1;
        }
    }
    let mut label = names(hosts, page);
    label.push(reason(Reason::Unreadable).followed_by(":").after(2));
    if paths.is_empty() {
        let text = hosts.iter().flat_map(|host| &host.reasons).next().map(|obstacle| obstacle.text.as_str());
        label.extend(atoms(text.unwrap_or_default()));
        page.flow(0, INDENT, label);
    } else {
        let text = format!(
            "nothing but {} on {} could not be read",
            count(paths.len() as u64, "path", "paths"),
            count(hosts.len() as u64, "host", "hosts")
        );
        label.extend(atoms(&text));
        page.flow(0, INDENT, label);
        let mut paths: Vec<(&str, u64)> = paths.into_iter().collect();
        paths.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let shown = if page.options.verbose { paths.len() } else { PATHS };
        let told = |(path, n): &(&str, u64)| {
            if hosts.len() > 1 { format!("{path} ({})", count(*n, "host", "hosts")) } else { (*path).to_owned() }
        };
        let mut parts: Vec<String> = paths.iter().take(shown).map(told).collect();
        if paths.len() > shown {
            parts.push(format!("{} more", grouped((paths.len() - shown) as u64)));
        }
        page.flow(INDENT, INDENT, list(&parts, ","));
    }
    page.flow(INDENT, INDENT, atoms(&ways_out(hosts)));
}

fn names(hosts: &[&HostOutcome], page: &Page<'_>) -> Vec<Atom> {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    list(&page.folded(&names), "").into_iter().map(|piece| piece.styled(BOLD)).collect()
}

fn reason(reason: Reason) -> Atom {
    reason_words(reason.word())
}

fn reason_words(words: &str) -> Atom {
    Atom::new(words).styled(super::page::YELLOW)
}
