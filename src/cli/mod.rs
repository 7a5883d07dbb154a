//! The command line: arguments become a plan, events become progress, outcomes become an exit status.
//!
//! *Invariant:* decides nothing about drift; standard output is only the report, everything else goes to standard error.

/// Prints a line on standard output. A reader that has gone away (`| head`) is no error, and no reason to panic.
macro_rules! out {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(anstream::stdout(), $($text)*);
    }};
}

/// Prints a line on standard error.
macro_rules! err {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(anstream::stderr(), $($text)*);
    }};
}

mod args;
mod audit;
mod books;
mod capture;
mod census;
mod compare_hosts;
mod comparisons;
mod connect;
mod doctor;
mod duration;
mod explain;
mod fleet;
mod lessons;
mod list;
mod memory;
mod output;
mod pivot;
mod plan;
mod plan_status;
mod policy;
mod probe;
mod progress;
mod reading;
mod report;
mod resume;
mod rules;
mod scan;
mod secret_key;
mod siblings;
mod stop;
mod trouble;
mod turn;
mod version;
mod waive;
mod waivers;
mod ways;

use args::{BaselineCommand, Cli, Command, PlanCommand, PolicyCommand, ProbeCommand};
use clap::Parser as _;
use std::ffi::OsString;
use trouble::Trouble;

/// Runs driftscan with these arguments, the program's name first, and gives the exit status.
///
/// 0 clean, 1 could not run, 2 drifted or outdated, 3 unverifiable, 130 or 143 interrupted.
pub fn run<I, T>(arguments: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A usage error is 1, so that 2 always means drift. Nobody reads what can't be printed.
            let _ = error.print();
            return u8::from(error.use_stderr());
        }
    };
    cli.output.color.apply();
    let result = match cli.command {
        None => scan::run(&cli.scan, &cli.output),
        Some(Command::Scan(args)) => scan::run(&args, &cli.output),
        Some(Command::Census(args)) => census::run(&args, &cli.output),
        Some(Command::Compare(args)) => compare_hosts::run(&args, &cli.output),
        Some(Command::Baseline { command }) => match command {
            BaselineCommand::Capture(args) => capture::run(&args, &cli.output),
            BaselineCommand::List(args) => list::list(&args),
            BaselineCommand::Show(args) => list::show(&args),
        },
        Some(Command::Policy { command }) => match command {
            PolicyCommand::Check(args) => rules::check(&args, &cli.output),
            PolicyCommand::Explain(args) => rules::explain(&args),
        },
        Some(Command::Probe { command }) => match command {
            ProbeCommand::Show(args) => probe::show(&args),
            ProbeCommand::Export(args) => probe::export(&args),
        },
        Some(Command::Report(args)) => report::run(&args, &cli.output),
        Some(Command::Explain(args)) => explain::run(&args, &cli.output),
        Some(Command::Plan(args)) => match &args.command {
            Some(PlanCommand::Status(status)) => plan_status::run(status, &cli.output),
            None => plan::run(&args, &cli.output),
        },
        Some(Command::Waive(args)) => waive::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Version(args)) => {
            version::run(&args);
            Ok(0)
        }
    };
    result.unwrap_or_else(|trouble: Trouble| {
        trouble.print();
        1
    })
}
