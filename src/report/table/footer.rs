//! The last lines: what was compared and what was not, against what, where the report is, what to type next.
//!
//! *Invariant:* whatever was left out of the comparison is said here, on every report.

use super::fix_template;
use super::frame::{Frame, hex_prefix};
use super::investigate::only_permissions;
use super::page::{Atom, Page, atoms_then};
use super::waived;
use super::words::{count, grouped};
use crate::model::{Collector, Decision, FleetOutcome, HostCoverage, HostOutcome, line};
use std::collections::BTreeSet;

const HANG: usize = 10;

/// Writes the last lines.
pub(super) fn lines(frame: &Frame<'_>, page: &mut Page<'_>) {
    let outcome = frame.outcome;
    page.blank();
    page.labelled("Coverage", HANG, atoms_then(&compared(outcome, page), "driftscan report --coverage"));
    let minor = minor(outcome);
    if !minor.is_empty() && !page.options.verbose {
        page.labelled("Minor", HANG, atoms_then(&minor, "driftscan report --format json"));
    }
    waived::lines(outcome, page);
    if !outcome.baselines.is_empty() {
        let body = baselines(outcome, page);
        page.labelled("Baseline", HANG, body);
    }
    for note in &outcome.notes {
        let mut lines = note.lines();
        let first = page.kept(lines.next().unwrap_or_default(), HANG);
        page.labelled("Note", HANG, first);
        for line in lines {
            page.verbatim(HANG, line);
        }
    }
    if let Some(path) = &page.options.report_path {
        let body = vec![Atom::new(path), Atom::new("(mode 0600)").after(2)];
        page.labelled("Report", HANG, body);
    }
    next(frame, page);
}

/// A sum that a hostile journal cannot overflow.
pub(super) fn sum(of: impl Iterator<Item = u64>) -> u64 {
    of.fold(0, u64::saturating_add)
}

fn compared(outcome: &FleetOutcome, page: &Page<'_>) -> String {
    let covered: Vec<(&HostOutcome, &HostCoverage)> =
        outcome.hosts.iter().filter_map(|host| Some((host, host.coverage.as_ref()?))).collect();
    let total = |of: fn(&HostCoverage) -> u64| sum(covered.iter().map(|(_, coverage)| of(coverage)));
    let names = |of: &dyn Fn(&HostCoverage) -> bool| {
        let names: Vec<&str> =
            covered.iter().filter(|(_, coverage)| of(coverage)).map(|(host, _)| host.name.as_str()).collect();
        (!names.is_empty()).then(|| page.folded(&names).join(" "))
    };
    let complete = covered.iter().filter(|(_, coverage)| coverage.complete).count();
    let mut parts = vec![
        format!("{} of {} complete", grouped(complete as u64), count(outcome.selected as u64, "host", "hosts")),
        format!("{} compared", count(total(|c| c.compared), "entry", "entries")),
    ];
    let ignored = || covered.iter().flat_map(|(_, c)| &c.ignored).filter(|(_, n)| *n > 0);
    let rules = ignored().map(|(rule, _)| rule).collect::<BTreeSet<_>>().len() as u64;
    if rules > 0 {
        let entries = count(sum(ignored().map(|(_, n)| *n)), "entry", "entries");
        parts.push(format!("{} ignored {entries}", count(rules, "rule", "rules")));
    }
    let mut told = |n: u64, one: &str, many: &str, what: &str| {
        if n > 0 {
            parts.push(format!("{} {what}", count(n, one, many)));
        }
    };
    told(total(|c| c.pruned.len() as u64), "folder", "folders", "left out whole, uncounted");
    told(total(|c| c.skipped_mounts.len() as u64), "mount", "mounts", "not walked");
    told(total(|c| c.oversize), "file", "files", "above the size cap, not hashed");
    told(total(|c| c.flags_untold), "entry", "entries", "whose file system does not tell flags");
    let excused = |c: &HostCoverage| c.troubles.iter().filter(|trouble| trouble.excused).count() as u64;
    told(total(|c| c.troubles_total), "thing", "things", "not read");
    told(sum(covered.iter().map(|(_, c)| excused(c))), "of them", "of them", "excused by the policy");
    if let Some(names) = names(&|c| !c.live) {
        parts.push(format!("kernel and mounts not compared on {names}"));
    }
    if let Some(names) = names(&|c| c.packages.is_none()) {
        parts.push(format!("no package database on {names}"));
    }
    parts.join("; ")
}

/// Findings of hosts that are kept: below the threshold, yet there.
fn minor(outcome: &FleetOutcome) -> String {
    let open = |host: &HostOutcome| host.findings.iter().filter(|finding| finding.waiver.is_none()).count() as u64;
    let kept = || outcome.hosts.iter().filter(|host| host.decision == Decision::Keep && open(host) > 0);
    let findings = sum(kept().map(open));
    if findings == 0 {
        return String::new();
    }
    format!(
        "{} below {} on {} to keep",
        count(findings, "finding", "findings"),
        outcome.drift_at,
        count(kept().count() as u64, "host", "hosts")
    )
}

fn baselines(outcome: &FleetOutcome, page: &Page<'_>) -> Vec<Atom> {
    let labels: BTreeSet<&str> = outcome.baselines.iter().map(|baseline| baseline.label.as_str()).collect();
    let mut parts: Vec<String> = Vec::new();
    for label in &labels {
        let of_label = || outcome.baselines.iter().filter(|baseline| baseline.label == *label);
        let groups: BTreeSet<&str> = of_label().map(|b| b.group.as_str()).filter(|group| !group.is_empty()).collect();
        let template = label.split_once('@').map_or(*label, |(name, _)| name);
        let mut text = (*label).to_owned();
        // A group named as its template needs no word.
        if groups.iter().any(|group| *group != template) {
            text.push_str(" for ");
            text.push_str(&page.folded(&groups.into_iter().collect::<Vec<_>>()).join(" "));
        }
        for note in of_label().filter_map(|baseline| baseline.note.as_deref()).collect::<BTreeSet<_>>() {
            text.extend([" (", note, ")"]);
        }
        parts.push(text);
    }
    atoms_then(&parts.join(", "), "driftscan baseline show")
}

fn next(frame: &Frame<'_>, page: &mut Page<'_>) {
    let outcome = frame.outcome;
    let mut commands: Vec<(String, &str)> = Vec::new();
    let replaced = |host: &&HostOutcome| host.decision == Decision::Replace;
    let lines = outcome.hosts.iter().filter(replaced).flat_map(line::of);
    // The gravest, and of equals the first.
    let gravest = lines.reduce(|best, item| if item.severity() > best.severity() { item } else { best });
    let gravest = gravest.map(|line| hex_prefix(line.fingerprint(), frame.prefix));
    if let Some(prefix) = gravest.or_else(|| fix_template::gravest(frame)) {
        commands.push((format!("driftscan explain {prefix}"), "the whole story of one finding"));
    }
    if outcome.hosts.iter().any(|host| replaced(&host)) {
        commands.push(("driftscan plan --fleet FILE".to_owned(), "which to replace, in what waves"));
    }
    if !outcome.common.is_empty() {
        commands.push((fix_template::AS_TEMPLATE.to_owned(), "the common change, as lines"));
    }
    let askable = |host: &&HostOutcome| host.decision == Decision::Investigate && !only_permissions(host);
    let to_ask = outcome.hosts.iter().filter(askable).find(|host| host.collector != Some(Collector::Local));
    if let Some(host) = to_ask {
        commands.push((format!("driftscan doctor {}", host.name), "the connection, step by step"));
    }
    if commands.is_empty() {
        return;
    }
    page.blank();
    let column = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0).min(40) + 2;
    for (n, (command, what)) in commands.into_iter().enumerate() {
        let command = Atom::new(&command);
        let gap = column.saturating_sub(command.width()).max(2);
        let body = vec![command, Atom::new(what).after(gap)];
        if n == 0 {
            page.labelled("Next", HANG, body);
        } else {
            page.flow(HANG, HANG, body);
        }
    }
}
