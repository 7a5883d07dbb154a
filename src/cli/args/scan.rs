//! What a scan is told.
//!
//! *Invariant:* the default command and `scan` take the same words.

use super::super::{duration, resume};
use super::{By, ConnectArgs, Places};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(in crate::cli) struct ScanArgs {
    /// Hosts besides the fleet: `[user@]host[:port]`, `local`, or `root:DIR` for a mounted root
    #[arg(value_name = "TARGET")]
    pub(in crate::cli) targets: Vec<String>,
    /// The hosts file
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) fleet: Option<PathBuf>,
    /// Only these hosts: names, globs, node sets, groups; `!` excludes
    #[arg(short, long, value_name = "PATTERN")]
    pub(in crate::cli) limit: Vec<String>,
    /// Take up a run that was cut off less than an hour ago; a RUN that is named is also asked its unverifiable hosts again
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = resume::NEWEST)]
    pub(in crate::cli) resume: Option<String>,
    /// Refuse to run where fewer hosts are selected
    #[arg(long, value_name = "N")]
    pub(in crate::cli) min_hosts: Option<usize>,
    /// Wait a random time before the scan, this long at most
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(in crate::cli) jitter: Option<Duration>,
    /// Leave the exit status at 0 where hosts equal an older version of their template
    #[arg(long)]
    pub(in crate::cli) allow_outdated: bool,
    #[command(flatten)]
    pub(in crate::cli) audit: AuditArgs,
    /// Tell drift host by host, or each finding once with its hosts
    #[arg(long, value_name = "WHAT", default_value = "host", help_heading = "Output")]
    pub(in crate::cli) by: By,
    /// What to print: `table`, `json`, or the common change as lines of a `dockerfile`, for `packer` or `cloud-init`; each
    /// may have `=FILE` behind it; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(in crate::cli) format: Vec<String>,
}

/// How hosts are audited, whichever command does it.
#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArgs {
    /// The baseline of hosts whose line names no template
    #[arg(long, value_name = "NAME[@VERSION]")]
    pub(in crate::cli) baseline: Option<String>,
    /// The policy; without it the profile of the baseline's system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// Differences that are accepted for a time [default: waivers.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_WAIVERS")]
    pub(in crate::cli) waivers: Option<PathBuf>,
    /// Hosts at once [default: all, at most 64]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(in crate::cli) jobs: Option<u16>,
    /// New connections a second; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(in crate::cli) rate: u32,
    /// Hosts at once through one jump host; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(in crate::cli) max_per_jump: u16,
    /// One hashing process a host
    #[arg(long)]
    pub(in crate::cli) gentle: bool,
    /// Time for each host, from its turn to its verdict
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration::parse)]
    pub(in crate::cli) timeout: Duration,
    /// Wait this long for another run to end instead of refusing
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(in crate::cli) wait_lock: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
    #[command(flatten)]
    pub(in crate::cli) places: Places,
}
