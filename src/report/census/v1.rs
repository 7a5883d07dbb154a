//! The shape of `driftscan.census/v1`, and of what `driftscan.compare/v1` shares with it, frozen.
//!
//! *Invariant:* a field here is never renamed, retyped or removed; a new shape is a new version in a new module.

use serde::Serialize;
use std::collections::BTreeMap;

pub(in crate::report) type Attributes<'a> = BTreeMap<&'a str, &'a str>;

#[derive(Serialize)]
pub(super) struct Census<'a> {
    pub(super) schema: &'a str,
    pub(super) version: u32,
    pub(super) run: &'a str,
    pub(super) started: &'a str,
    pub(super) millis: u64,
    pub(super) summary: Summary,
    pub(super) clusters: Vec<Cluster<'a>>,
    pub(super) odd: Vec<Odd<'a>>,
    pub(super) unread: Vec<Unread<'a>>,
}

#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) status: u8,
    pub(super) selected: u64,
    /// Hosts in clusters, and strays.
    pub(super) counted: u64,
    pub(super) clusters: u64,
    pub(super) odd: u64,
    pub(super) strays: u64,
    pub(super) unread: u64,
}

#[derive(Serialize)]
pub(super) struct Cluster<'a> {
    /// From 1.
    pub(super) number: u64,
    pub(super) system: &'a str,
    /// The host against which every difference is told.
    pub(super) pivot: &'a str,
    pub(super) hosts: &'a [String],
    /// Hosts of all other clusters of this pivot.
    pub(super) others: u64,
    pub(super) medoid: Option<&'a str>,
    pub(super) atypical: Vec<Mark<'a>>,
    pub(super) apart: Vec<Mark<'a>>,
    pub(super) divided: Vec<Mark<'a>>,
    pub(super) natural: &'a [String],
}

#[derive(Serialize)]
pub(super) struct Odd<'a> {
    pub(super) host: &'a str,
    /// Its cluster, or the nearest one for a stray.
    pub(super) cluster: Option<u64>,
    pub(super) stray: bool,
    /// 0 to 1,000.
    pub(super) score: u16,
    pub(super) marks: Vec<Mark<'a>>,
    /// Marks that are not listed.
    pub(super) more: u64,
}

#[derive(Serialize)]
pub(super) struct Mark<'a> {
    pub(super) lacks: bool,
    pub(super) finding: Finding<'a>,
    pub(super) cause: Option<Cause<'a>>,
    /// Findings that this mark stands for.
    pub(super) findings: u64,
    pub(super) having: u64,
    pub(super) of: u64,
    pub(super) elsewhere: u64,
}

#[derive(Serialize)]
pub(in crate::report) struct Finding<'a> {
    pub(super) code: &'a str,
    /// `added removed changed`.
    pub(super) kind: &'a str,
    pub(super) title: String,
    pub(super) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject_b64: Option<String>,
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path_b64: Option<String>,
    pub(super) severity: &'a str,
    pub(super) fingerprint: String,
    pub(super) key: String,
    pub(super) before: Attributes<'a>,
    pub(super) after: Attributes<'a>,
}

#[derive(Serialize)]
pub(in crate::report) struct Cause<'a> {
    pub(super) kind: &'a str,
    pub(super) subject: String,
    pub(super) title: &'a str,
    pub(super) severity: &'a str,
    pub(super) fingerprint: String,
    pub(super) findings: u64,
}

#[derive(Serialize)]
pub(super) struct Unread<'a> {
    pub(super) host: &'a str,
    /// Whether what was read of it is counted in.
    pub(super) counted: bool,
    pub(super) reasons: Vec<Obstacle<'a>>,
}

#[derive(Serialize)]
pub(in crate::report) struct Obstacle<'a> {
    pub(super) reason: &'a str,
    pub(super) text: &'a str,
    pub(super) remedy: Option<&'a str>,
}
