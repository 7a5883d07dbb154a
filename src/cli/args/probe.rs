//! One host, the probe, and this program: doctor, probe, version.
//!
//! *Invariant:* nothing here gives a verdict.

use super::super::duration;
use super::ConnectArgs;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// A host of the fleet, or `[user@]host[:port]`
    #[arg(value_name = "HOST")]
    pub(in crate::cli) host: String,
    /// The hosts file
    #[arg(short, long, value_name = "FILE", env = "DRIFTSCAN_FLEET")]
    pub(in crate::cli) fleet: Option<PathBuf>,
    /// Print what would run on the host, and connect to nothing
    #[arg(long)]
    pub(in crate::cli) show_remote: bool,
    /// The policy that says what must be readable
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// Time for everything
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration::parse)]
    pub(in crate::cli) timeout: Duration,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProbeCommand {
    /// Print version, size and digests of the probe, and the lines that let a host run it
    Show(ProbeShowArgs),
    /// Write the probe, its digest and these lines into a folder
    Export(ProbeExportArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ProbeShowArgs {
    /// `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: VersionFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ProbeExportArgs {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub(in crate::cli) dir: PathBuf,
    /// The account that logs in
    #[arg(long, value_name = "NAME", default_value = "driftscan")]
    pub(in crate::cli) user: String,
    /// The public key that is bound to the probe
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) key: Option<PathBuf>,
    /// From where that key may log in, as in `from=` of `authorized_keys`
    #[arg(long, value_name = "LIST")]
    pub(in crate::cli) from: Option<String>,
    /// For an account that reads what it may, and never becomes root
    #[arg(long)]
    pub(in crate::cli) no_sudo: bool,
    /// Replace files of other content
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VersionArgs {
    /// `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: VersionFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum VersionFormat {
    /// Lines.
    Text,
    /// One object.
    Json,
}
