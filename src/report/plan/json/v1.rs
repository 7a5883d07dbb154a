//! The shape of `driftscan.plan/v1`, frozen.
//!
//! *Invariant:* a field here is never renamed, retyped or removed; a new shape is a new version in a new module.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Enough of any document to say what it is.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) schema: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) schema: String,
    pub(super) version: u32,
    /// Left out while the digest is taken that it holds.
    #[serde(rename = "plan_id", default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) created: String,
    pub(super) expires: String,
    pub(super) based_on: BasedOn,
    pub(super) guards: Guards,
    pub(super) groups: Vec<Group>,
    pub(super) items: Vec<Item>,
    pub(super) waves: Vec<Wave>,
    pub(super) deferred: Vec<Deferred>,
    pub(super) refused: Vec<Refused>,
    pub(super) change: Option<Change>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasedOn {
    pub(super) run: String,
    /// Hexadecimal SHA-256, as are the other digests.
    pub(super) report: String,
    pub(super) baselines: Vec<Baseline>,
    pub(super) inventory: String,
    pub(super) settings: Option<String>,
    pub(super) tool: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    pub(super) label: String,
    pub(super) digest: String,
    pub(super) group: String,
    pub(super) note: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guards {
    pub(super) max_group_drift_pct: u8,
    pub(super) require_two_runs: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    /// Its name.
    pub(super) id: String,
    pub(super) actuator: Option<String>,
    #[serde(rename = "ref")]
    pub(super) refs: BTreeMap<String, String>,
    pub(super) size: u64,
    pub(super) healthy: u64,
    pub(super) unhealthy: Vec<String>,
    pub(super) capacity: Capacity,
    /// New machines that come before old ones go; 0 ends the old ones first.
    pub(super) surge: u32,
    pub(super) windows: Vec<Window>,
    pub(super) health: Health,
    pub(super) bake_seconds: u64,
    pub(super) members: Vec<Member>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capacity {
    pub(super) floor: u64,
    pub(super) max_unavailable: u64,
    /// `declared` or `default`.
    pub(super) source: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    pub(super) cron: String,
    pub(super) duration: String,
    pub(super) tz: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Health {
    pub(super) command: Option<String>,
    pub(super) ready_seconds: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) host: String,
    pub(super) machine_id: Option<String>,
    pub(super) host_key: Option<String>,
    pub(super) handle: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) host: String,
    pub(super) group: String,
    pub(super) address: String,
    /// Whether the hosts file reaches it through another host.
    pub(super) jump: bool,
    pub(super) handle: BTreeMap<String, String>,
    pub(super) machine_id: Option<String>,
    pub(super) host_key: Option<String>,
    pub(super) verdict: String,
    pub(super) reference: Option<String>,
    pub(super) target: String,
    pub(super) reason: Reason,
    pub(super) constraints: Constraints,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    pub(super) severity: Option<String>,
    pub(super) codes: Vec<String>,
    pub(super) evidence: Vec<String>,
    pub(super) fingerprints: Vec<String>,
    pub(super) first_seen: Option<String>,
    pub(super) snowflake: Option<u16>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Constraints {
    pub(super) zone: Option<String>,
    pub(super) quorum: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wave {
    pub(super) number: u64,
    pub(super) group: String,
    pub(super) zone: Option<String>,
    pub(super) canary: bool,
    pub(super) hosts: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deferred {
    pub(super) host: String,
    pub(super) group: String,
    pub(super) why: String,
    pub(super) reason: String,
    pub(super) at_risk: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    pub(super) group: String,
    pub(super) hosts: Vec<String>,
    pub(super) why: String,
    pub(super) reason: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) previous: String,
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<Removed>,
    pub(super) changed: Vec<Changed>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removed {
    pub(super) host: String,
    /// Where it is now.
    pub(super) now: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changed {
    pub(super) host: String,
    pub(super) what: String,
}
