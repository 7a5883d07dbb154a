//! Where things are kept, and how they are said.
//!
//! *Invariant:* spelled the same wherever something is printed.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Where things are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Places")]
pub(in crate::cli) struct Places {
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(in crate::cli) baselines: PathBuf,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(in crate::cli) reports: PathBuf,
}

/// What is said, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct OutputArgs {
    /// Say nothing when all is clean
    #[arg(short, long, global = true)]
    pub(in crate::cli) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(in crate::cli) verbose: bool,
    /// Colour
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub(in crate::cli) color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Sets it for everything that is printed.
    pub(in crate::cli) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}
