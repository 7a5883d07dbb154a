//! The table that a person reads: decision first, then the evidence, then what was not compared.
//!
//! Eighty columns of plain ASCII around the hosts' own words, so that cron mail is the same text. A line is longer
//! than the width only where something on it must not be broken: a path, a host key, a name.
//!
//! *Invariant:* colour only repeats what a word says; no control character but the line feed is ever written.

mod at_risk;
mod by_finding;
mod census;
mod coverage;
mod decisions;
mod drifted;
mod fix_template;
mod footer;
mod frame;
mod groups;
mod investigate;
pub(in crate::report) mod page;
mod pair;
mod room;
mod sentence;
pub mod story;
mod waived;
pub(in crate::report) mod words;

pub use census::{census, mark_title};
pub use coverage::coverage;
pub use pair::pair;
pub use sentence::title;

use crate::model::{Decision, FleetOutcome, HostOutcome};
use frame::Frame;
use page::Page;
use std::io::{self, Write};

/// Columns where nobody said otherwise.
pub const DEFAULT_WIDTH: usize = 80;

/// Folds host names into node sets: `web-01 web-02` into `web-[01-02]`.
pub type Fold<'a> = &'a dyn Fn(&[&str]) -> Vec<String>;

/// How the table is laid out.
#[derive(Clone)]
pub struct Options<'a> {
    /// Columns; fewer than 40 count as 40.
    pub width: usize,
    /// Whether to colour.
    pub color: bool,
    /// Where the JSON report is, to be said on the last lines.
    pub report_path: Option<String>,
    /// Whether to show every finding, every name and the findings of hosts that are kept.
    pub verbose: bool,
    /// Whether drift is told by finding, with the hosts that have it, and not host by host.
    pub by_finding: bool,
    /// Folds names.
    pub fold: Fold<'a>,
}

impl<'a> Options<'a> {
    /// Eighty columns, no colour, not verbose.
    #[must_use]
    pub fn new(fold: Fold<'a>) -> Self {
        Self { width: DEFAULT_WIDTH, color: false, report_path: None, verbose: false, by_finding: false, fold }
    }
}

/// Writes the table.
///
/// # Errors
/// When the writer fails.
pub fn write(outcome: &FleetOutcome, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    let frame = Frame::new(outcome);
    decisions::header(outcome, &mut page);
    page.blank();
    decisions::lines(outcome, &mut page);
    groups::table(outcome, &mut page);
    for decision in Decision::ALL {
        let hosts: Vec<&HostOutcome> = outcome.hosts.iter().filter(|host| host.decision == decision).collect();
        match decision {
            Decision::Replace if options.by_finding => by_finding::section(&frame, decision, &hosts, &mut page),
            Decision::Replace => drifted::section(&frame, decision, &hosts, &mut page),
            Decision::FixTemplate => fix_template::section(&frame, &mut page),
            Decision::Investigate => investigate::section(outcome, &hosts, &mut page),
            Decision::Keep if options.verbose => {
                let noted: Vec<_> = hosts.into_iter().filter(|host| !host.findings.is_empty()).collect();
                drifted::section(&frame, decision, &noted, &mut page);
            }
            Decision::Keep => {}
        }
    }
    waived::section(outcome, &mut page);
    footer::lines(&frame, &mut page);
    w.write_all(page.text().as_bytes())
}

#[cfg(test)]
mod tests;
