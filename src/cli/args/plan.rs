//! What a plan is made of.
//!
//! *Invariant:* a plan is made of a run that is kept, and reaches no host.

use super::AuditArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Exit status:
  0  a plan was written, also where nothing is to be replaced
  1  no plan: no run, one that was cut off or is too old, a mistake in a file

A plan proposes; driftscan replaces nothing and reaches no platform.

From the newest run to a script to review:
  driftscan plan --fleet hosts.txt --settings plan.toml
  driftscan plan --fleet hosts.txt --settings plan.toml --format terraform=plan.sh")]
pub(in crate::cli) struct PlanArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<PlanCommand>,
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

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PlanCommand {
    /// Scan what a plan named, and tell what became of it
    #[command(after_help = "\
Exit status:
  0  every host is a new machine with a new host key, and clean
  1  could not run
  2  a host is the same machine still, gone, behind, or drifted again
  3  none of these, but what stands there could not be proven

Replacements are found in the hosts file of now: by tf=, slot= or eip=, by name,
then among the machines of the group that the plan did not know.

  driftscan plan status reports/RUN/plan.json --fleet hosts.txt --wave 1")]
    Status(Box<PlanStatusArgs>),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanStatusArgs {
    /// The plan, a `plan.json`
    #[arg(value_name = "PLAN")]
    pub(in crate::cli) plan: PathBuf,
    /// The hosts file as it is now
    #[arg(short, long, value_name = "FILE", env = "DRIFTSCAN_FLEET")]
    pub(in crate::cli) fleet: Option<PathBuf>,
    /// Only the hosts of this wave; may be repeated
    #[arg(long, value_name = "N")]
    pub(in crate::cli) wave: Vec<usize>,
    #[command(flatten)]
    pub(in crate::cli) audit: AuditArgs,
    /// What to print: `table`, `json`, with `=FILE` for a file; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(in crate::cli) format: Vec<String>,
}
