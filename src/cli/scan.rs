//! `driftscan scan`: the main job.
//!
//! *Invariant:* the status is that of the verdicts, whatever the formats.

use super::args::{OutputArgs, ScanArgs};
use super::audit::{self, Audit, Terms};
use super::fleet;
use super::output::{View, known, named, print};
use super::report::stored;
use super::trouble::Outcome;

/// Scans and reports.
pub(super) fn run(args: &ScanArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = named(&args.format, &known())?;
    let hosts = fleet::select(&args.targets, args.fleet.as_deref(), &args.limit)?;
    fleet::enough(&hosts, args.min_hosts)?;
    let terms =
        Terms { resume: args.resume.as_deref(), jitter: args.jitter, allow_outdated: args.allow_outdated, apart: None };
    let Audit { outcome, report, kept } = match audit::run(&hosts, &args.audit, terms, output)? {
        Ok(audit) => *audit,
        Err(status) => return Ok(status),
    };
    let status = outcome.status();
    // What was scanned is shown even where it can't be kept.
    print(&outcome, View::from(args.by), &formats, Some(&report), output, output.quiet && status == 0)?;
    kept.map_err(|error| stored(&error))?;
    Ok(status)
}
