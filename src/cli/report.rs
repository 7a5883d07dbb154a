//! `driftscan report`: an earlier run, again.
//!
//! *Invariant:* the status is that of the run, so that a pipeline can ask twice.

use super::args::{OutputArgs, ReportArgs};
use super::output::{View, known, named, print};
use super::trouble::{Outcome, Trouble};
use crate::store::{Runs, StoreError};

/// Shows a run.
pub(super) fn run(args: &ReportArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = named(&args.format, &known())?;
    let runs = Runs::at(&args.reports);
    let id = runs.resolve(&args.run).map_err(|error| stored(&error))?;
    let outcome = runs.load(&id).map_err(|error| stored(&error))?;
    let view = if args.coverage { View::Coverage } else { View::from(args.by) };
    let status = outcome.status();
    let report = runs.report_path(&id).display().to_string();
    print(&outcome, view, &formats, Some(&report), output, output.quiet && status == 0)?;
    Ok(status)
}

/// An error of the store with its hint.
pub(super) fn stored(error: &StoreError) -> Trouble {
    match error.hint() {
        Some(hint) => Trouble::with(error, hint),
        None => Trouble::new(error),
    }
}
