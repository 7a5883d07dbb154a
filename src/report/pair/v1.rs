//! The shape of `driftscan.compare/v1`, frozen.
//!
//! *Invariant:* a field here is never renamed, retyped or removed; a new shape is a new version in a new module.

use crate::report::census::v1::{Cause, Finding, Obstacle};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Comparison<'a> {
    pub(super) schema: &'a str,
    pub(super) version: u32,
    pub(super) run: &'a str,
    pub(super) started: &'a str,
    pub(super) millis: u64,
    pub(super) status: u8,
    pub(super) first: &'a str,
    pub(super) second: &'a str,
    /// Whether everything was compared.
    pub(super) complete: bool,
    pub(super) reasons: Vec<Obstacle<'a>>,
    pub(super) causes: Vec<Cause<'a>>,
    pub(super) only_first: Vec<Difference<'a>>,
    pub(super) only_second: Vec<Difference<'a>>,
    pub(super) differs: Vec<Difference<'a>>,
}

#[derive(Serialize)]
pub(super) struct Difference<'a> {
    /// Which of the causes explains it, from 0.
    pub(super) cause: Option<u64>,
    #[serde(flatten)]
    pub(super) finding: Finding<'a>,
}
