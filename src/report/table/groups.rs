//! Groups and their baselines, with a count for each verdict.
//!
//! *Invariant:* every finished host is counted in exactly one row and one verdict.

use super::page::Page;
use super::words::grouped;
use crate::model::{FleetOutcome, HostOutcome, Verdict};
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

/// The baseline that a host was to be: a host that equals an older version counts for the one it should have.
pub(super) fn baseline_of<'a>(host: &'a HostOutcome, outcome: &'a FleetOutcome) -> &'a str {
    let reference = host.reference.as_deref();
    if let (Some(label), None) = (reference, host.versions_behind) {
        return label;
    }
    let template = |label: &'a str| label.split_once('@').map_or(label, |(name, _)| name);
    let current = |label: &str| {
        let used = |h: &&HostOutcome| h.group == host.group && h.reference.as_deref() == Some(label);
        let mut of_label = outcome.hosts.iter().filter(used).peekable();
        of_label.peek().is_none() || of_label.any(|h| h.versions_behind.is_none())
    };
    let mut candidates = outcome.baselines.iter().filter(|baseline| {
        baseline.group == host.group
            && Some(baseline.label.as_str()) != reference
            && reference.is_none_or(|label| template(label) == template(&baseline.label))
            && current(&baseline.label)
    });
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => &only.label,
        (Some(_), Some(_)) | (None, _) => reference.unwrap_or("-"),
    }
}

fn rows(outcome: &FleetOutcome) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for host in &outcome.hosts {
        let (group, baseline) = (host.group.as_str(), baseline_of(host, outcome));
        let at = rows.iter().position(|row| row.group == group && row.baseline == baseline).unwrap_or_else(|| {
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
