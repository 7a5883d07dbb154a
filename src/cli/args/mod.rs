//! What was typed.
//!
//! *Invariant:* a flag is here once, spelled one way, and does something; nothing that is not built is shown.

mod baseline;
mod census;
mod connect;
mod output;
mod plan;
mod policy;
mod probe;
mod report;
mod scan;

pub(super) use baseline::{BaselineCommand, CaptureArgs, ListArgs, ShowArgs};
pub(super) use census::{CensusArgs, CompareArgs, ReadArgs};
pub(super) use connect::ConnectArgs;
pub(super) use output::{Color, OutputArgs, Places};
pub(super) use plan::{PlanArgs, PlanCommand, PlanStatusArgs};
pub(super) use policy::{PolicyCheckArgs, PolicyCommand, PolicyExplainArgs, PolicySource};
pub(super) use probe::{DoctorArgs, ProbeCommand, ProbeExportArgs, ProbeShowArgs, VersionArgs, VersionFormat};
pub(super) use report::{By, ExplainArgs, ReportArgs, WaiveArgs};
pub(super) use scan::{AuditArgs, ScanArgs};

use clap::{Parser, Subcommand};

/// Finds servers that are no longer the servers you built, and names them as candidates for replacement.
#[derive(Debug, Parser)]
#[command(name = "driftscan", version, max_term_width = 80, args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Exit status:
  0  every host is clean          2  a host is drifted or outdated
  1  could not run                3  no drift seen, but a host is unverifiable
  130, 143  interrupted; a partial report was written

First scan:
  driftscan baseline capture web@2026.11.1 --from golden.example.net --sudo
  driftscan --fleet hosts.txt --sudo")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) scan: ScanArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan a fleet and report which hosts drifted (the default)
    Scan(Box<ScanArgs>),
    /// Without a baseline: which kinds of hosts a fleet has, and which hosts are odd
    Census(Box<CensusArgs>),
    /// Show what differs between two hosts
    Compare(Box<CompareArgs>),
    /// Capture, list and show baselines
    Baseline {
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// Check a policy, and explain how a path is compared
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Show the probe, or write it for an image to install
    Probe {
        #[command(subcommand)]
        command: ProbeCommand,
    },
    /// Show the report of an earlier run again
    Report(ReportArgs),
    /// Tell the whole story of a finding, what a code means, or what is known of a path on a host
    Explain(ExplainArgs),
    /// Plan the replacement of a run's drifted and outdated hosts, in waves
    Plan(Box<PlanArgs>),
    /// Accept a finding for a time: write a waiver
    Waive(WaiveArgs),
    /// Try the way to one host step by step and say what to do
    Doctor(Box<DoctorArgs>),
    /// Print the version and the digest of the probe
    Version(VersionArgs),
}
