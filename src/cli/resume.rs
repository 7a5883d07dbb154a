//! `--resume`: which run is taken up, and what is said about it.
//!
//! *Invariant:* called with the lock held, so that a run without a report is one that died, never one that goes on.

use super::report::stored;
use super::trouble::{Outcome, Trouble};
use crate::model::Resumed;
use crate::scan::{Grounds, Reached, Resumption, Target, resume};
use crate::store::{Runs, Start, StoreError};

/// The word of `--resume` without a RUN.
pub(super) const NEWEST: &str = "";

/// Takes up the run that a word means.
pub(super) fn take_up(runs: &Runs, word: &str, start: &Start, targets: &[Target]) -> Outcome<Resumption> {
    let named = word != NEWEST;
    let run = match runs.resolve(if named { word } else { "latest" }) {
        Err(StoreError::NoRun { .. }) if !named => {
            return Err(Trouble::with("there is no run to resume", "leave --resume out to scan all hosts"));
        }
        resolved => resolved.map_err(|error| stored(&error))?,
    };
    let earlier = runs.load(&run).map_err(|error| stored(&error))?;
    let grounds = Grounds { digests: &start.digests, baselines: &start.baselines, drift_at: start.drift_at };
    let fleet: Vec<Reached<'_>> = targets
        .iter()
        .map(|target| Reached { name: &target.name, group: &target.group, address: &target.address })
        .collect();
    resume(earlier, grounds, &fleet, named, jiff::Timestamp::now())
        .map_err(|error| Trouble::with(format!("{error}; it can't be resumed"), error.hint()))
}

/// What the report says about it.
pub(super) fn note(resumed: &Resumed, hosts: usize) -> String {
    let Resumed { run, since, hosts: kept } = resumed;
    format!(
        "{kept} of {hosts} hosts were taken over from run {run}, scanned since {since}; the others are of this run."
    )
}
