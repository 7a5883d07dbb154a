//! What became of a plan: a table for a person, and `driftscan.plan-status/v1` for the pipeline that waits for it.
//!
//! *Invariant:* every item that was asked about is told once; renderers lay out, they do not decide.

mod v1;

use crate::model::RunId;
use crate::plan::status::{Became, Fate, Relapse, Status};
use crate::report::table::Options;
use crate::report::table::page::{Atom, BOLD, GREEN, Page, RED, YELLOW, atoms, list};
use crate::report::table::words::count;
use anstyle::Style;
use std::io::{self, Write};

/// Columns before what belongs to a label.
const HANG: usize = 10;

/// Writes the JSON of a status that stands on a run.
///
/// # Errors
/// When the writer fails.
pub fn json(status: &Status, run: &RunId, w: &mut dyn Write) -> io::Result<()> {
    let fate = |fate: &Fate| v1::Fate {
        host: fate.host.clone(),
        group: fate.group.clone(),
        wave: fate.wave as u64,
        status: fate.became.word(),
        now: fate.now.clone(),
        found_by: fate.found_by.clone(),
        says: fate.says.clone(),
        findings: fate.findings.clone(),
        again: fate.again as u64,
    };
    let relapse = |relapse: &Relapse| v1::Relapse {
        group: relapse.group.clone(),
        hosts: relapse.hosts.clone(),
        of: relapse.of as u64,
        shared: relapse.shared.clone(),
    };
    let document = v1::Status {
        schema: v1::SCHEMA,
        version: 1,
        plan_id: status.plan.clone(),
        run: run.to_string(),
        exit: status.exit(),
        items: status.fates.iter().map(fate).collect(),
        relapses: status.relapses.iter().map(relapse).collect(),
    };
    serde_json::to_writer(&mut *w, &document)?;
    w.write_all(b"\n")
}

fn words(became: Became) -> (&'static str, Style) {
    match became {
        Became::Replaced => ("REPLACED", GREEN),
        Became::SameMachine => ("SAME MACHINE", RED),
        Became::DriftedAgain => ("DRIFTED AGAIN", RED),
        Became::Behind => ("BEHIND", RED),
        Became::Unverifiable => ("UNVERIFIABLE", YELLOW),
        Became::Gone => ("GONE", YELLOW),
    }
}

/// Columns before the hosts of a decision.
const NAMES: usize = 22;

/// Writes the table.
///
/// # Errors
/// When the writer fails.
pub fn table(status: &Status, run: &RunId, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    let mut head = atoms(&format!(
        "{} of plan {}, run {run}:",
        count(status.fates.len() as u64, "host", "hosts"),
        status.plan.get(..19).unwrap_or(&status.plan)
    ));
    let (word, style) = match status.exit() {
        0 => ("ALL REPLACED", GREEN),
        3 => ("NOT PROVEN", YELLOW),
        _ => ("NOT DONE", RED),
    };
    head.push(Atom::new(word).styled(style));
    head.push(Atom::new(&format!("(exit {})", status.exit())));
    page.flow(0, 2, head);
    page.blank();
    for became in Became::ALL {
        let hosts: Vec<&str> =
            status.fates.iter().filter(|fate| fate.became == *became).map(|fate| fate.host.as_str()).collect();
        if hosts.is_empty() {
            continue;
        }
        let (word, style) = words(*became);
        let number = format!("{:>4}", hosts.len());
        let indent = number.len() - number.trim_start().len();
        let title = Atom::new(word).styled(style).after(2);
        let gap = (NAMES - 6).saturating_sub(title.width()).max(2);
        let names = list(&page.folded(&hosts), "").into_iter().enumerate();
        let names = names.map(|(n, atom)| if n == 0 { atom.after(gap) } else { atom });
        let start = [Atom::new(number.trim_start()).styled(BOLD), title];
        page.flow(indent, NAMES, start.into_iter().chain(names).collect());
    }
    for became in Became::ALL.iter().filter(|became| **became != Became::Replaced || options.verbose) {
        let fates: Vec<&Fate> = status.fates.iter().filter(|fate| fate.became == *became).collect();
        if !fates.is_empty() {
            page.title(words(*became).0);
        }
        for fate in fates {
            told(fate, &mut page);
        }
    }
    for relapse in &status.relapses {
        page.title(&format!("{}: replaced, and drifts again", named(&relapse.group)));
        let hosts: Vec<&str> = relapse.hosts.iter().map(String::as_str).collect();
        let mut text = list(&page.folded(&hosts), "");
        text.extend(atoms(&format!(
            "({} of {} new machines). The template makes it, or an automation does: replacing them again will not help.",
            hosts.len(),
            relapse.of
        )));
        page.flow(2, 4, text);
        if let Some(shared) = &relapse.shared {
            page.flow(2, 4, atoms(&format!("on all of them: {shared}")));
        }
    }
    if let Some(path) = &options.report_path {
        page.blank();
        page.labelled("Report", HANG, vec![Atom::new(path), Atom::new("(mode 0600)").after(2)]);
    }
    w.write_all(page.text().as_bytes())
}

/// `web-04  wave 2, now web-44 (found by its group): the machine id is that of the old one`.
fn told(fate: &Fate, page: &mut Page<'_>) {
    let mut pieces = vec![Atom::new(&fate.host).styled(BOLD)];
    let now = match (&fate.now, &fate.found_by) {
        (Some(now), Some(by)) if *now != fate.host => format!(", now {now} (found by {by})"),
        (Some(_) | None, _) => String::new(),
    };
    let text = atoms(&format!("wave {}{now}: {}", fate.wave, fate.says)).into_iter().enumerate();
    pieces.extend(text.map(|(n, atom)| if n == 0 { atom.after(2) } else { atom }));
    page.flow(0, 8, pieces);
    for finding in &fate.findings {
        page.flow(8, 10, atoms(finding));
    }
}

fn named(group: &str) -> &str {
    if group.is_empty() { "hosts of no group" } else { group }
}
