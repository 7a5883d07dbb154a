//! Baselines: capture, list, show.
//!
//! *Invariant:* nothing here accepts a host's drift.

use super::super::duration;
use super::ConnectArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BaselineCommand {
    /// Read a golden machine and store what it is made of
    Capture(Box<CaptureArgs>),
    /// List templates and their versions
    List(ListArgs),
    /// Show what a baseline says of itself
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CaptureArgs {
    /// The new baseline: `web@2026.11.1`
    #[arg(value_name = "NAME@VERSION")]
    pub(in crate::cli) label: String,
    /// The golden machine: `[user@]host[:port]`, `local`, or `root:DIR`
    #[arg(long, value_name = "SOURCE")]
    pub(in crate::cli) from: String,
    /// Freshly built machines of the same template, to learn what differs by nature: `web-[01-03],root:/mnt/clone`; may be
    /// repeated
    #[arg(long, value_name = "TARGET,...")]
    pub(in crate::cli) siblings: Vec<String>,
    /// Orders the versions [default: one more than the newest]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) serial: Option<u64>,
    /// A folder on the golden machine to read as if it were `/`
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) root: Option<String>,
    /// The policy; without it the profile of the machine's own system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// Time for the whole capture
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::parse)]
    pub(in crate::cli) timeout: Duration,
    /// One hashing process
    #[arg(long)]
    pub(in crate::cli) gentle: bool,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(in crate::cli) baselines: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(in crate::cli) baselines: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The baseline; without a version the newest
    #[arg(value_name = "NAME[@VERSION]")]
    pub(in crate::cli) label: String,
    /// Print each rule that was learned from siblings, and from what
    #[arg(long)]
    pub(in crate::cli) noise: bool,
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(in crate::cli) baselines: PathBuf,
}
