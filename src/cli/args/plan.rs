//! What a plan is made of.
//!
//! *Invariant:* a plan is made of a run that is kept, and reaches no host.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  a plan was written, also where nothing is to be replaced
  1  no plan: no run, one that was cut off or is too old, a mistake in a file

A plan proposes; driftscan replaces nothing and reaches no platform.

From the newest run to a script to review:
  driftscan plan --fleet hosts.txt --settings plan.toml
  driftscan plan --fleet hosts.txt --settings plan.toml --format terraform=plan.sh")]
pub(in crate::cli) struct PlanArgs {
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(in crate::cli) run: String,
    /// The hosts file: zone=, quorum=, pin=, and what names each machine to its platform (instance=, tf=, machine=, node=)
    #[arg(short, long, value_name = "FILE", env = "DRIFTSCAN_FLEET")]
    pub(in crate::cli) fleet: Option<PathBuf>,
    /// What each group must keep, and what replaces its machines; without it at most a tenth of a group goes at once
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_PLAN_SETTINGS")]
    pub(in crate::cli) settings: Option<PathBuf>,
    /// What to print: `table`, `json`, a change ticket as `markdown`, or a script for `terraform`, `aws-asg`, `kubectl`,
    /// `cluster-api`, `openshift` or `blue-green`; each may have `=FILE` behind it; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(in crate::cli) format: Vec<String>,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(in crate::cli) reports: PathBuf,
}
