//! The shape of `driftscan.plan-status/v1`, frozen.
//!
//! *Invariant:* a field here is never renamed, retyped or removed; a new shape is a new version in a new module.

use serde::Serialize;

pub(super) const SCHEMA: &str = "driftscan.plan-status/v1";

#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) schema: &'static str,
    pub(super) version: u32,
    pub(super) plan_id: String,
    /// The run that it stands on.
    pub(super) run: String,
    pub(super) exit: u8,
    pub(super) items: Vec<Fate>,
    pub(super) relapses: Vec<Relapse>,
}

#[derive(Debug, Serialize)]
pub(super) struct Fate {
    pub(super) host: String,
    pub(super) group: String,
    pub(super) wave: u64,
    /// `replaced same-machine drifted-again behind unverifiable gone`.
    pub(super) status: &'static str,
    /// The host that stands in its place.
    pub(super) now: Option<String>,
    /// `name`, `group`, or a key of the handle.
    pub(super) found_by: Option<String>,
    pub(super) says: String,
    pub(super) findings: Vec<String>,
    /// Findings that it was replaced for and that are there again.
    pub(super) again: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Relapse {
    pub(super) group: String,
    pub(super) hosts: Vec<String>,
    /// New machines of the group.
    pub(super) of: u64,
    pub(super) shared: Option<String>,
}
