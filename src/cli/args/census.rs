//! Comparing hosts with each other, without a baseline.
//!
//! *Invariant:* nothing here accepts a host's drift; a draft is for a person to review.

use super::super::duration;
use super::ConnectArgs;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How hosts are read that are compared with each other.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReadArgs {
    /// The policy; without it the profile of the hosts' own system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// One hashing process a host
    #[arg(long)]
    pub(in crate::cli) gentle: bool,
    /// Time for each host
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration::parse)]
    pub(in crate::cli) timeout: Duration,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  every host was counted in    1  could not run, or the draft is refused
  3  a host was not read whole    130, 143  interrupted

Before there is a baseline:
  driftscan census --fleet hosts.txt --sudo
  driftscan census --fleet hosts.txt --sudo --limit web --draft web@2026.11.1")]
pub(in crate::cli) struct CensusArgs {
    /// Hosts besides the fleet: `[user@]host[:port]`, `local`, or `root:DIR` for a mounted root
    #[arg(value_name = "TARGET")]
    pub(in crate::cli) targets: Vec<String>,
    /// The hosts file
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) fleet: Option<PathBuf>,
    /// Only these hosts: names, globs, node sets, groups; `!` excludes
    #[arg(short, long, value_name = "PATTERN")]
    pub(in crate::cli) limit: Vec<String>,
    /// Capture the most typical host of the largest cluster as a draft of a baseline, for review
    #[arg(long, value_name = "NAME@VERSION")]
    pub(in crate::cli) draft: Option<String>,
    /// Hosts at once [default: all, at most 64]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(in crate::cli) jobs: Option<u16>,
    /// New connections a second; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(in crate::cli) rate: u32,
    /// Hosts at once through one jump host; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(in crate::cli) max_per_jump: u16,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
    /// The folder of baselines, for the draft
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(in crate::cli) baselines: PathBuf,
    /// What to print: `table`, `json`, or either with `=FILE`; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(in crate::cli) format: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  nothing differs              2  something differs
  1  could not run                3  no difference seen, but not all was read

Two machines that should be twins:
  driftscan compare web-01 web-02 --fleet hosts.txt --sudo")]
pub(in crate::cli) struct CompareArgs {
    /// The first host: a name of the fleet, or `[user@]host[:port]`, `local`, `root:DIR`
    #[arg(value_name = "HOST1")]
    pub(in crate::cli) first: String,
    /// The second host
    #[arg(value_name = "HOST2")]
    pub(in crate::cli) second: String,
    /// The hosts file that the names are of
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) fleet: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
    /// What to print: `table`, `json`, or either with `=FILE`; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(in crate::cli) format: Vec<String>,
}
