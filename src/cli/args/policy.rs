//! Policies: check, explain.
//!
//! *Invariant:* reads, and reaches no host.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Read a policy, tell every mistake in it, and the rules that match nothing
    #[command(after_help = "\
Exit status: 0 the policy can be used; 1 it has mistakes, told with their lines.

A rule that matches nothing of the baseline is told, and is no mistake: it may
wait for what should never come. -v lists every rule with its reason.

  driftscan policy check --policy policy.toml --baseline web")]
    Check(PolicyCheckArgs),
    /// Tell which rule decides how a path is compared, and why
    #[command(after_help = "\
Rules are applied in order, and the last one that matches wins: first the
profiles of the baseline's system, then their guards, then the policy's own
rules, then [content] secret.

  driftscan policy explain /etc/ssh/sshd_config --baseline web")]
    Explain(PolicyExplainArgs),
}

/// Which policy, and the baseline whose system chooses its profiles.
#[derive(Debug, Args)]
pub(in crate::cli) struct PolicySource {
    /// The policy; without it the profile of the baseline's system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// The baseline whose system chooses the profiles [default: the only template there is]
    #[arg(long, value_name = "NAME[@VERSION]")]
    pub(in crate::cli) baseline: Option<String>,
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(in crate::cli) baselines: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyCheckArgs {
    #[command(flatten)]
    pub(in crate::cli) source: PolicySource,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyExplainArgs {
    /// The path, absolute, as on a host
    #[arg(value_name = "PATH")]
    pub(in crate::cli) path: std::ffi::OsString,
    #[command(flatten)]
    pub(in crate::cli) source: PolicySource,
}
