//! The shape of `driftscan.report/v1`, frozen.
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
pub(super) struct Report {
    pub(super) schema: String,
    pub(super) version: u32,
    pub(super) run: String,
    pub(super) started: String,
    pub(super) millis: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resumed: Option<Resumed>,
    pub(super) interrupted: Option<i32>,
    pub(super) drift_at: String,
    pub(super) allow_outdated: bool,
    pub(super) summary: Summary,
    pub(super) digests: Digests,
    pub(super) notes: Vec<String>,
    #[serde(default)]
    pub(super) common_at: CommonAt,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) common: Vec<CommonDrift>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<History>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) waivers: Vec<Waiver>,
    pub(super) hosts: Vec<Host>,
}

impl Report {
    /// Writes it in the form that the serializer has.
    pub(super) fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

/// From when on drift is common: more than `permille` thousandths of a group's compared hosts, and at least `hosts`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommonAt {
    pub(super) permille: u16,
    pub(super) hosts: u32,
}

impl Default for CommonAt {
    /// What reports of before held to: nothing was common.
    fn default() -> Self {
        Self { permille: 1000, hosts: u32::MAX }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommonDrift {
    pub(super) group: String,
    pub(super) fingerprint: String,
    pub(super) hosts: Vec<String>,
    pub(super) of: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    pub(super) previous: String,
    pub(super) runs: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resumed {
    pub(super) run: String,
    pub(super) since: String,
    pub(super) hosts: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Summary {
    pub(super) status: u8,
    pub(super) selected: u64,
    pub(super) finished: u64,
    pub(super) findings: u64,
    pub(super) verdicts: Verdicts,
    pub(super) decisions: Decisions,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdicts {
    pub(super) drifted: u64,
    pub(super) unverifiable: u64,
    pub(super) outdated: u64,
    pub(super) clean: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Decisions {
    pub(super) replace: u64,
    pub(super) fix_template: u64,
    pub(super) investigate: u64,
    pub(super) keep: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digests {
    pub(super) tool: String,
    pub(super) probe: String,
    pub(super) policy: String,
    pub(super) inventory: String,
    #[serde(default)]
    pub(super) ways: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) waivers: String,
    pub(super) baselines: Vec<Baseline>,
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
#[expect(clippy::struct_field_names, reason = "`host_key` is what ssh calls it")]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) group: String,
    pub(super) address: String,
    pub(super) verdict: String,
    pub(super) decision: String,
    pub(super) reference: Option<String>,
    pub(super) versions_behind: Option<u32>,
    pub(super) reasons: Vec<Obstacle>,
    pub(super) coverage: Option<Coverage>,
    pub(super) collector: Option<String>,
    pub(super) host_key: Option<String>,
    pub(super) evidence: Evidence,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) snowflake: Option<Snowflake>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<StateAtRisk>,
    pub(super) wire: Wire,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) causes: Vec<Cause>,
    pub(super) findings: Vec<Finding>,
}

/// How alone the host stands in its group: `score` is 0 to 1,000.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snowflake {
    pub(super) score: u16,
    pub(super) alone: u64,
    pub(super) rare: u64,
}

/// What a replacement would lose.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateAtRisk {
    pub(super) items: Vec<StateItem>,
    #[serde(default)]
    pub(super) rest: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) unseen: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateItem {
    pub(super) kind: String,
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) newest: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) more: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Obstacle {
    pub(super) reason: String,
    pub(super) text: String,
    pub(super) remedy: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Coverage {
    pub(super) complete: bool,
    pub(super) walked: u64,
    pub(super) compared: u64,
    /// Always 0: every typed comparison is there.
    #[serde(default)]
    pub(super) awaiting_view: u64,
    pub(super) hashed_bytes: u64,
    pub(super) oversize: u64,
    pub(super) packages: Option<u64>,
    /// Since reports tell of more than dpkg.
    #[serde(default)]
    pub(super) package_systems: Vec<String>,
    pub(super) live: bool,
    pub(super) flags_untold: u64,
    pub(super) millis: u64,
    pub(super) ignored: Vec<Ignored>,
    pub(super) pruned: Vec<Pruned>,
    pub(super) skipped_mounts: Vec<SkippedMount>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) troubles_total: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignored {
    pub(super) rule: String,
    pub(super) entries: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pruned {
    pub(super) rule: String,
    pub(super) path: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkippedMount {
    pub(super) path: String,
    pub(super) fstype: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trouble {
    pub(super) path: String,
    pub(super) part: String,
    pub(super) reason: String,
    pub(super) excused: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    pub(super) machine_id: Option<String>,
    pub(super) boot: Option<String>,
    pub(super) clock_skew: Option<i64>,
    pub(super) addresses: Vec<String>,
    pub(super) hostname: Option<String>,
    pub(super) uid: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) identities: Vec<Identity>,
    /// What os-release says of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<Image>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub(super) kind: String,
    pub(super) digest: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) millis: u64,
    pub(super) attempts: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject_b64: Option<String>,
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path_b64: Option<String>,
    pub(super) severity: String,
    /// Of another version of a package: `upgraded downgraded changed rebuilt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<String>,
    pub(super) fingerprint: String,
    pub(super) key: String,
    pub(super) before: BTreeMap<String, String>,
    pub(super) after: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) explanation: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) diff: Option<String>,
    /// Which of the host's causes explains it, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) waiver: Option<WaiverUse>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) evidence: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_seen: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaiverUse {
    pub(super) of: String,
    pub(super) owner: String,
    pub(super) reason: String,
    pub(super) until: String,
}

/// What became of a waiver.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiver {
    pub(super) of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    pub(super) owner: String,
    pub(super) reason: String,
    pub(super) until: String,
    pub(super) max_hosts: u64,
    pub(super) line: u64,
    pub(super) state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    pub(super) hosts: Vec<String>,
    pub(super) findings: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cause {
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) title: String,
    pub(super) severity: String,
    pub(super) fingerprint: String,
    pub(super) findings: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) evidence: Vec<String>,
}
