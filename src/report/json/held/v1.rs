//! As much of the shape of `driftscan.report/v1` as is counted; what else a report holds is passed over.
//!
//! *Invariant:* a part of the frozen shape beside it, never more.

use super::super::v1::CommonAt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) schema: Cow<'a, str>,
    pub(super) version: u32,
    pub(super) run: Cow<'a, str>,
    pub(super) started: String,
    pub(super) interrupted: Option<i32>,
    pub(super) drift_at: Cow<'a, str>,
    #[serde(default)]
    pub(super) common_at: CommonAt,
    pub(super) summary: Summary,
}

#[derive(Deserialize)]
pub(super) struct Summary {
    pub(super) finished: u64,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "`host_key` is what ssh calls it")]
pub(super) struct Host<'a> {
    pub(super) name: String,
    pub(super) group: String,
    #[serde(borrow)]
    pub(super) verdict: Cow<'a, str>,
    pub(super) coverage: Option<IgnoredAny>,
    pub(super) host_key: Option<String>,
    pub(super) evidence: Evidence,
    #[serde(default, borrow)]
    pub(super) causes: Vec<Cause<'a>>,
    #[serde(borrow)]
    pub(super) findings: Vec<Finding<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Evidence {
    pub(super) machine_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Cause<'a> {
    #[serde(borrow)]
    pub(super) fingerprint: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) severity: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct Finding<'a> {
    #[serde(borrow)]
    pub(super) fingerprint: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) severity: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) class: Option<Cow<'a, str>>,
    pub(super) cause: Option<u64>,
    pub(super) waiver: Option<IgnoredAny>,
    pub(super) first_seen: Option<String>,
}
