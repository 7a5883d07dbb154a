//! Groups and their baselines, with a count for each verdict.
//!
//! *Invariant:* every finished host is counted in exactly one row and one verdict.

use super::page::Page;
use super::words::grouped;
use crate::model::{FleetOutcome, HostOutcome, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

/// The order of the columns: from well to worst, as a person reads on.
const VERDICTS: [Verdict; 4] = [Verdict::Clean, Verdict::Outdated, Verdict::Drifted, Verdict::Unverifiable];

struct Row<'a> {
    group: &'a str,
    baseline: &'a str,
    verdicts: [u64; 4],
}

/// Writes the table, without the baselines where they would not fit beside the groups.
pub(super) fn table(outcome: &FleetOutcome, page: &mut Page<'_>) {
    if outcome.hosts.is_empty() {
        return;
    }
    let rows = rows(outcome);
    page.blank();
    let whole = drawn(&rows, true);
    let fits = whole.lines().all(|line| line.trim_end().chars().count() <= page.width());
    // The last lines name each baseline too, so nothing is lost.
    page.block(&if fits { whole } else { drawn(&rows, false) });
}

/// The baselines that hosts of a group should equal: not those that only outdated hosts do.
fn current(outcome: &FleetOutcome) -> BTreeMap<&str, Vec<&str>> {
    let (mut old, mut used) = (BTreeSet::new(), BTreeSet::new());
    for host in &outcome.hosts {
        if let Some(label) = host.reference.as_deref() {
            let seen = if host.versions_behind.is_some() { &mut old } else { &mut used };
            seen.insert((host.group.as_str(), label));
        }
    }
    let mut current: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for baseline in &outcome.baselines {
        let key = (baseline.group.as_str(), baseline.label.as_str());
        if used.contains(&key) || !old.contains(&key) {
            current.entry(key.0).or_default().push(key.1);
        }
    }
    current
}

/// The baseline that a host was to be: one that equals an older version counts for the one it should have, and one
/// that was not reached for the only one of its group.
fn baseline_of<'a>(host: &'a HostOutcome, current: &BTreeMap<&str, Vec<&'a str>>) -> &'a str {
    let reference = host.reference.as_deref();
    if let (Some(label), None) = (reference, host.versions_behind) {
        return label;
    }
    let template = |label: &'a str| label.split_once('@').map_or(label, |(name, _)| name);
    let mut candidates = current
        .get(host.group.as_str())
        .into_iter()
        .flatten()
        .filter(|label| reference.is_none_or(|old| template(old) == template(label) && old != **label));
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => only,
        (Some(_), Some(_)) | (None, _) => reference.unwrap_or("-"),
    }
}

fn rows(outcome: &FleetOutcome) -> Vec<Row<'_>> {
    let current = current(outcome);
    let mut places = BTreeMap::new();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for host in &outcome.hosts {
        let (group, baseline) = (host.group.as_str(), baseline_of(host, &current));
        let at = *places.entry((group, baseline)).or_insert_with(|| {
            rows.push(Row { group, baseline, verdicts: [0; 4] });
            rows.len() - 1
        });
        for (count, verdict) in rows.get_mut(at).into_iter().flat_map(|row| &mut row.verdicts).zip(VERDICTS) {
            *count += u64::from(host.verdict == verdict);
        }
    }
    rows
}

fn drawn(rows: &[Row<'_>], with_baselines: bool) -> String {
    let mut builder = Builder::default();
    let names = if with_baselines { 2 } else { 1 };
    let title = VERDICTS.map(|verdict| verdict.word().to_uppercase());
    let heads = ["GROUP", "BASELINE"].into_iter().take(names).chain(["HOSTS"]).map(str::to_owned);
    builder.push_record(heads.chain(title));
    for row in rows {
        // A cell of several lines would break the frame.
        let cells =
            [row.group, row.baseline].map(|name| if name.is_empty() { "-".into() } else { super::page::plain(name) });
        let counts = row.verdicts.iter().map(|n| if *n == 0 { "-".to_owned() } else { grouped(*n) });
        let total = grouped(row.verdicts.iter().sum());
        builder.push_record(cells.into_iter().take(names).map(String::from).chain([total]).chain(counts));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).modify(Columns::new(names..), Alignment::right());
    table.to_string()
}
