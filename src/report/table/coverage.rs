//! The detail behind the line `Coverage`: per host, what each rule left out, what was not walked, what was not read.
//!
//! *Invariant:* hosts are shown as one only where the same was left out and the same was not read.

use super::Options;
use super::page::{Atom, BOLD, DIM, Page, YELLOW, atoms, list};
use super::words::{count, duration, grouped, size};
use crate::model::{FleetOutcome, HostCoverage, HostOutcome};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Lines of one list that are shown.
const MOST: usize = 20;

/// Writes what was asked, read and left out, host by host.
///
/// # Errors
/// When the writer fails.
pub fn coverage(outcome: &FleetOutcome, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    let mut places = BTreeMap::new();
    let mut groups: Vec<Vec<&HostOutcome>> = Vec::new();
    for host in &outcome.hosts {
        let at = *places.entry(host.coverage.as_ref().map(left_out_of)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups.get_mut(at).into_iter().for_each(|group| group.push(host));
    }
    for (n, group) in groups.iter().enumerate() {
        if n > 0 {
            page.blank();
        }
        entry(group, &mut page);
    }
    let missing = outcome.selected.saturating_sub(outcome.hosts.len());
    if missing > 0 {
        page.flow(0, 2, atoms(&format!("{} not scanned", count(missing as u64, "host", "hosts"))));
    }
    w.write_all(page.text().as_bytes())
}

/// What is said of a host besides how much was walked and how long it took.
fn left_out_of(coverage: &HostCoverage) -> impl Ord + '_ {
    let HostCoverage {
        complete,
        walked: _,
        compared: _,
        hashed_bytes: _,
        oversize,
        packages,
        systems,
        live,
        flags_untold,
        ignored,
        pruned,
        skipped_mounts,
        troubles,
        troubles_total,
        millis: _,
    } = coverage;
    let troubles: Vec<_> = troubles.iter().map(|t| (&t.path, t.reason, t.part, t.excused)).collect();
    let counts = (*oversize, *flags_untold, *troubles_total);
    (*complete, *live, packages.is_some(), systems, counts, ignored, pruned, skipped_mounts, troubles)
}

fn entry(group: &[&HostOutcome], page: &mut Page<'_>) {
    let names: Vec<&str> = group.iter().map(|host| host.name.as_str()).collect();
    let mut label: Vec<Atom> = list(&page.folded(&names), "").into_iter().map(|piece| piece.styled(BOLD)).collect();
    let covered: Vec<&HostCoverage> = group.iter().filter_map(|host| host.coverage.as_ref()).collect();
    let Some(coverage) = covered.first() else {
        label.push(Atom::new("nothing was read").styled(YELLOW).after(2));
        page.flow(0, 4, label);
        return;
    };
    let range = |of: fn(&HostCoverage) -> u64, shown: fn(u64) -> String| {
        let (least, most) = covered.iter().map(|c| of(c)).fold((u64::MAX, 0), |(l, m), n| (l.min(n), m.max(n)));
        if least == most { shown(most) } else { format!("{} to {}", shown(least), shown(most)) }
    };
    label.push(if coverage.complete {
        Atom::new("complete").after(2)
    } else {
        Atom::new("not complete").styled(YELLOW).after(2)
    });
    page.flow(0, 4, label);
    let mut parts = vec![
        format!("{} entries walked", range(|c| c.walked, grouped)),
        format!("{} compared", range(|c| c.compared, grouped)),
        format!("{} hashed", range(|c| c.hashed_bytes, size)),
        format!("in {}", range(|c| c.millis, duration)),
    ];
    parts.push(match coverage.packages {
        Some(_) => {
            let systems: Vec<&str> = coverage.systems.iter().map(|system| system.word()).collect();
            format!("{} packages ({})", range(|c| c.packages.unwrap_or(0), grouped), systems.join(", "))
        }
        None => "no package database".to_owned(),
    });
    if !coverage.live {
        parts.push("kernel and mounts not compared".to_owned());
    }
    page.flow(4, 4, atoms(&parts.join(", ")));
    left_out(coverage, page);
    not_read(coverage, page);
}

fn left_out(coverage: &HostCoverage, page: &mut Page<'_>) {
    let counted = [
        (coverage.oversize, "above the size cap, not hashed"),
        (coverage.flags_untold, "on file systems that do not tell immutable and append-only flags"),
    ];
    for (n, what) in counted.into_iter().filter(|(n, _)| *n > 0) {
        page.flow(4, 8, atoms(&format!("{} {what}", count(n, "entry", "entries"))));
    }
    let ignored = coverage.ignored.iter().map(|(rule, n)| vec![number(*n), Atom::new(rule).after(2)]);
    rows("ignored by rule", ignored.collect(), page);
    let pruned = coverage.pruned.iter().map(|(rule, path)| vec![Atom::new(path), Atom::new(rule).styled(DIM).after(2)]);
    rows("folders left out whole, not counted, and their rule", pruned.collect(), page);
    let mounts = coverage.skipped_mounts.iter().map(|(path, fs)| vec![Atom::new(path), Atom::new(fs).after(2)]);
    rows("mounts not walked", mounts.collect(), page);
}

fn not_read(coverage: &HostCoverage, page: &mut Page<'_>) {
    let troubles = coverage.troubles.iter().map(|trouble| {
        let mut row = vec![
            Atom::new(&trouble.path),
            Atom::new(trouble.reason.word()).styled(YELLOW).after(2),
            Atom::new(&format!("({})", trouble.part)),
        ];
        if trouble.excused {
            row.push(Atom::new("excused"));
        }
        row
    });
    rows("not read", troubles.collect(), page);
    let untold = coverage.troubles_total.saturating_sub(coverage.troubles.len() as u64);
    if untold > 0 {
        page.flow(8, 8, atoms(&format!("and {} not listed by the host", grouped(untold))));
    }
}

fn number(n: u64) -> Atom {
    Atom::new(&format!("{:>9}", grouped(n)))
}

fn rows(title: &str, rows: Vec<Vec<Atom>>, page: &mut Page<'_>) {
    if rows.is_empty() {
        return;
    }
    page.flow(4, 4, atoms(title));
    let shown = if page.options.verbose { rows.len() } else { MOST };
    let more = rows.len().saturating_sub(shown);
    for row in rows.into_iter().take(shown) {
        page.flow(8, 10, row);
    }
    if more > 0 {
        page.flow(8, 8, atoms(&format!("... and {} more", grouped(more as u64))));
    }
}
