//! What is told of a run that was: report, explain, waive.
//!
//! *Invariant:* reads a run that is kept, and reaches no host.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(in crate::cli) run: String,
    /// Show what was read, left out and not readable, instead of the findings
    #[arg(long)]
    pub(in crate::cli) coverage: bool,
    /// Tell drift host by host, or each finding once with its hosts
    #[arg(long, value_name = "WHAT", default_value = "host", help_heading = "Output")]
    pub(in crate::cli) by: By,
    /// What to print: `table`, `json`, or the common change as lines of a `dockerfile`, for `packer` or `cloud-init`; each
    /// may have `=FILE` behind it; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(in crate::cli) format: Vec<String>,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(in crate::cli) reports: PathBuf,
}

/// How drift is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum By {
    /// Host by host.
    Host,
    /// Each finding once, with its hosts.
    Finding,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainArgs {
    /// The beginning of a fingerprint, a code such as `sshd-changed`, or a host
    #[arg(value_name = "FINGERPRINT|CODE|HOST")]
    pub(in crate::cli) what: String,
    /// With a host: a path on it
    #[arg(value_name = "PATH")]
    pub(in crate::cli) path: Option<String>,
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(in crate::cli) run: String,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(in crate::cli) reports: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WaiveArgs {
    /// The beginning of a finding's fingerprint; of a critical one all 64 digits
    #[arg(value_name = "FINGERPRINT")]
    pub(in crate::cli) fingerprint: String,
    /// Why it is accepted
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    /// The last day on which it is accepted, UTC: `2026-12-31`, a year from now at most
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: String,
    /// Who answers for it [default: you]
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub(in crate::cli) owner: Option<String>,
    /// The most hosts that it may cover [default: those that have it now]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) max_hosts: Option<u64>,
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(in crate::cli) run: String,
    /// The file to write it to
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_WAIVERS", default_value = crate::cli::waivers::DEFAULT)]
    pub(in crate::cli) waivers: PathBuf,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(in crate::cli) reports: PathBuf,
}
