//! The sh way: a listing by the host's own programs, for hosts where no program of ours may run.
//!
//! The host lists, and hashes the files that we name; every decision is made here: which folders are entered, which files may
//! be opened, what is compared. What it can't see (extended attributes and flags) it says so.
//!
//! *Invariant:* no logic on the host depends on a file name; as root no file is opened that another account could swap; what
//! was not seen is never taken for absent.

mod digests;
mod hashes;
mod listing;
mod machine;
mod mounts;
mod owners;
mod packages;
mod plan;
mod said;
mod script;
mod stream;
mod trust;
mod unseen;
mod visit;
mod walk;

#[cfg(test)]
mod tests;

pub use script::{BATCH, MAIN, command};

use super::converse::{Ask, Captured};
use super::failure::Failure;
use crate::drift::inquiry::Answers;
use crate::drift::{Choice, Found, Observation, Versions};
use crate::model::{Image, Reason};
use crate::transport::Connection;
use std::collections::BTreeMap;
use visit::Visit;

/// Scans one host by its own programs and finds what differs from the selected version, and from the nearest one.
///
/// # Errors
/// A [`Failure`], where no observation could be made.
pub fn observe(connection: &mut dyn Connection, ask: &Ask<'_>, references: &Versions) -> Result<Observation, Failure> {
    let mut visit = Visit::open(connection, ask)?;
    let mut machine = visit.machine()?;
    let selected = references.first();
    if selected.is_some_and(|reference| !reference.identity.fits(&machine.identity)) {
        let coverage = visit.bye(&mut machine.evidence)?;
        let found = Found::AnotherSystem;
        return Ok(Observation {
            identity: machine.identity,
            evidence: machine.evidence,
            coverage,
            live: ask.live,
            found,
            choice: Choice::default(),
            answers: Answers::default(),
        });
    }
    let mut records = visit.records(&unseen::capable(references))?;
    let others = visit.places_there();
    let mut coverage = visit.bye(&mut machine.evidence)?;
    unseen::systems(references, |place| others.contains(place), &mut coverage);
    records.extend(machine.records);
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
    coverage.compared = records.len() as u64;
    unseen::note(ask.rules, references, &mut coverage);
    coverage.troubles.sort();
    let found = unseen::compare(&records, references);
    let choice = match &found {
        Found::Different(difference) => {
            unseen::choose(&records, difference, references, &machine.identity, &Image::of(&machine.evidence))
        }
        Found::Equal(_) | Found::AnotherSystem => Choice::default(),
    };
    Ok(Observation {
        identity: machine.identity,
        evidence: machine.evidence,
        coverage,
        live: ask.live,
        found,
        choice,
        answers: Answers::default(),
    })
}

/// Reads what a machine is, and nothing of its files: a golden machine can't be captured by this way.
///
/// # Errors
/// A [`Failure`], where it could not be asked, or where files are in the scope.
pub fn capture(connection: &mut dyn Connection, ask: &Ask<'_>) -> Result<Captured, Failure> {
    if !ask.scopes.is_empty() {
        return Err(Failure {
            remedy: Some("capture it where a probe may run: --probe stream or installed".to_owned()),
            ..Failure::new(
                Reason::ProbeUnavailable,
                "the sh way does not see every attribute, so that no baseline can come from it",
            )
        });
    }
    let mut visit = Visit::open(connection, ask)?;
    let mut machine = visit.machine()?;
    let coverage = visit.bye(&mut machine.evidence)?;
    Ok(Captured {
        identity: machine.identity,
        evidence: machine.evidence,
        coverage,
        records: machine.records,
        texts: BTreeMap::new(),
    })
}
