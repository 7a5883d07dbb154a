//! The shapes of `driftscan.journal/v1` and `driftscan.audit/v1`, frozen.
//!
//! *Invariant:* a field here is never renamed, retyped or removed; a new shape is a new version in a new module.

use serde::{Deserialize, Serialize};

/// The journal's first line: all that a report needs besides its hosts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    pub(super) schema: String,
    pub(super) version: u32,
    pub(super) run: String,
    pub(super) started: String,
    pub(super) selected: Vec<String>,
    pub(super) drift_at: String,
    pub(super) allow_outdated: bool,
    pub(super) digests: Digests,
    pub(super) notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resumed: Option<Resumed>,
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

/// One line of the audit trail.
#[derive(Debug, Serialize)]
pub(super) struct AuditLine<'a> {
    pub(super) schema: &'static str,
    pub(super) version: u32,
    #[serde(flatten)]
    pub(super) event: AuditEvent<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum AuditEvent<'a> {
    Begin {
        run: &'a str,
        at: &'a str,
        tool: &'a str,
        probe: &'a str,
        inventory: &'a str,
        hosts: u64,
        resumed: Option<&'a str>,
    },
    Contact(Contact<'a>),
    End {
        run: &'a str,
        at: &'a str,
        status: u8,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Contact<'a> {
    pub(super) host: &'a str,
    pub(super) address: &'a str,
    pub(super) host_key: Option<&'a str>,
    pub(super) key_used: Option<&'a str>,
    pub(super) sudo: bool,
    pub(super) command_sha256: Option<&'a str>,
    pub(super) probe_sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) installed_probe_says_sha256: Option<&'a str>,
    pub(super) request_sha256: Option<&'a str>,
    pub(super) content_read: &'a [String],
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) exit: Option<i32>,
    pub(super) attempts: u32,
    pub(super) started: &'a str,
    pub(super) ended: &'a str,
}
