//! What is accepted for a time, and the waivers that no longer are.
//!
//! *Invariant:* a waiver that is used or void is told on every report.

use super::drifted::finding_line;
use super::frame::prefix_length;
use super::page::{BOLD, Page, atoms, atoms_then, list};
use super::sentence::title_on;
use super::words::{count, grouped};
use crate::model::text::hex;
use crate::model::{Finding, FleetOutcome, HostOutcome, Standing, WaiverState};

/// Waivers of one standing that are told each.
const MOST: usize = 10;
const HANG: usize = 10;

/// Every waived finding, where somebody asks for all.
pub(super) fn section(outcome: &FleetOutcome, page: &mut Page<'_>) {
    let is_waived = |finding: &&Finding| finding.waiver.is_some();
    let hosts: Vec<&HostOutcome> =
        outcome.hosts.iter().filter(|host| host.findings.iter().any(|finding| is_waived(&finding))).collect();
    if hosts.is_empty() || !page.options.verbose {
        return;
    }
    page.title("WAIVED");
    let prefix = prefix_length(outcome);
    for host in hosts {
        let name = super::page::Atom::new(&host.name).styled(BOLD);
        page.flow(0, 8, vec![name]);
        let mut before = None;
        for finding in host.findings.iter().filter(is_waived) {
            finding_line(finding, 2, prefix, page);
            let told = finding.waiver.as_ref();
            if let Some(waiver) = told.filter(|_| told != before) {
                page.flow(8, 10, atoms(&format!("{}, until {}: {}", waiver.owner, waiver.until, waiver.reason)));
            }
            before = told;
        }
    }
}

/// One line a waiver.
pub(super) fn lines(outcome: &FleetOutcome, page: &mut Page<'_>) {
    for (standing, label) in [(Standing::Used, "Waived"), (Standing::Void, "Void"), (Standing::Unused, "Unused")] {
        let of_it: Vec<&WaiverState> = outcome.waivers.iter().filter(|state| state.standing == standing).collect();
        let shown = match standing {
            Standing::Used | Standing::Void if !page.options.verbose => MOST,
            Standing::Used | Standing::Void => of_it.len(),
            Standing::Unused if page.options.verbose => of_it.len(),
            Standing::Unused => continue,
        };
        for state in of_it.iter().take(shown) {
            let body = atoms(&line(outcome, state, page));
            page.labelled(label, HANG, body);
        }
        if let Some(more) = of_it.len().checked_sub(shown).filter(|more| *more > 0) {
            let text = format!("... and {}", count(more as u64, "other waiver", "other waivers"));
            page.flow(HANG, HANG, atoms_then(&text, &format!("driftscan report {} -v", outcome.run)));
        }
    }
}

fn line(outcome: &FleetOutcome, state: &WaiverState, page: &Page<'_>) -> String {
    let what = what(outcome, state);
    let hosts: Vec<&str> = state.hosts.iter().map(String::as_str).collect();
    let sets = page.folded(&hosts);
    // A void waiver may be of the whole fleet.
    let few = page.options.verbose || list(&sets, "").iter().map(|set| set.width() + 1).sum::<usize>() < 120;
    let on = if few { sets.join(" ") } else { count(hosts.len() as u64, "host", "hosts") };
    let WaiverState { owner, until, line, why, findings, .. } = state;
    match state.standing {
        Standing::Used => format!("{} on {on}: {what}, {owner}, until {until}", grouped(*findings as u64)),
        Standing::Void => {
            let why = why.as_deref().unwrap_or("void");
            let left = count(*findings as u64, "finding counts", "findings count");
            let left = if *findings == 0 { String::new() } else { format!("; {left} as drift on {on}") };
            format!("waiver of line {line} ({what}, {owner}): {why}{left}")
        }
        Standing::Unused => {
            format!("waiver of line {line} ({what}, {owner}, until {until}): nothing here is what it covers")
        }
    }
}

/// What a waiver speaks of, by the title of a finding where it is one.
fn what(outcome: &FleetOutcome, state: &WaiverState) -> String {
    let all = || outcome.hosts.iter().flat_map(|host| host.findings.iter().map(move |finding| (host, finding)));
    let whole = state.of.len() == 64;
    if whole {
        let found = all().find(|(_, finding)| hex(&finding.fingerprint) == state.of);
        let begin = state.of.get(..8).unwrap_or_default();
        return found.map_or_else(|| format!("fingerprint {begin}"), |(host, finding)| title_on(host, finding));
    }
    let group = state.group.as_ref().map(|group| format!(" in {group}")).unwrap_or_default();
    let is_its = |finding: &Finding| finding.waiver.as_ref().is_some_and(|waiver| waiver.of == state.of);
    let only = all().find(|(_, finding)| state.findings == 1 && is_its(finding));
    only.map_or_else(|| format!("{}{group}", state.of), |(host, finding)| title_on(host, finding))
}
