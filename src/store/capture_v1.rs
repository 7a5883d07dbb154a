//! `driftscan.capture/v1`: the story of a capture, beside the baseline, frozen.
//!
//! *Invariant:* provenance only: nothing here takes part in a comparison.

use crate::model::{Collector, Evidence};
use serde::Serialize;

/// Where a baseline came from.
#[derive(Debug, Clone)]
pub struct Story {
    /// `NAME@VERSION`.
    pub label: String,
    /// Digest of the baseline's bytes.
    pub baseline: String,
    /// Program and version.
    pub tool: String,
    /// What collected.
    pub collector: Option<Collector>,
    /// Digest of the probe that was sent.
    pub probe: Option<String>,
    /// The digest that an installed probe gave itself.
    pub installed_probe: Option<String>,
    /// Digest of the policy in force.
    pub policy: String,
    /// RFC 3339.
    pub captured: String,
    /// Who ran it, as far as the environment tells.
    pub by: String,
    /// Of what it is a draft that a person has to review; `None` where somebody chose the golden machine.
    pub draft: Option<String>,
    /// The golden machine.
    pub source: String,
    /// Its host key.
    pub host_key: Option<String>,
    /// What is true of it alone.
    pub evidence: Evidence,
    /// Entries seen.
    pub walked: u64,
    /// Bytes hashed.
    pub hashed_bytes: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: u32,
    label: &'a str,
    baseline_sha256: &'a str,
    tool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    collector: Option<&'a str>,
    probe_sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_probe_says_sha256: Option<&'a str>,
    policy_sha256: &'a str,
    captured: &'a str,
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    draft: Option<&'a str>,
    source: &'a str,
    host_key: Option<&'a str>,
    machine_id_digest: Option<&'a str>,
    boot: Option<&'a str>,
    clock_skew: Option<i64>,
    walked: u64,
    hashed_bytes: u64,
}

/// Writes the document.
#[must_use]
pub fn write(story: &Story) -> Vec<u8> {
    let document = Document {
        schema: "driftscan.capture/v1",
        version: 1,
        label: &story.label,
        baseline_sha256: &story.baseline,
        tool: &story.tool,
        collector: story.collector.map(Collector::word),
        probe_sha256: story.probe.as_deref(),
        installed_probe_says_sha256: story.installed_probe.as_deref(),
        policy_sha256: &story.policy,
        captured: &story.captured,
        by: &story.by,
        draft: story.draft.as_deref(),
        source: &story.source,
        host_key: story.host_key.as_deref(),
        machine_id_digest: story.evidence.machine_id.as_deref(),
        boot: story.evidence.boot.as_deref(),
        clock_skew: story.evidence.clock_skew,
        walked: story.walked,
        hashed_bytes: story.hashed_bytes,
    };
    // Strings, numbers and options always serialise.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
