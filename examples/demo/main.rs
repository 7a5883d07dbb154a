//! A fleet on this machine, and the real driftscan at work on it: `cargo run --release --example demo`.
//!
//! It starts thirteen SSH servers on loopback, each with a root folder of its own, captures baselines from the golden
//! one, scans the fleet over SSH, and compares the verdicts with what was staged. It needs neither root nor OpenSSH,
//! changes nothing outside one temporary folder, and removes that at the end.
//!
//! *Invariant:* the scanner gets no hint: it sees a hosts file, a key and `known_hosts`, like any user's.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a demonstration talks to the person who started it")]

mod cast;
mod command;
mod expectation;
mod image;
mod interruption;
mod packages;
#[path = "../server/mod.rs"]
mod server;
mod stage;
mod tree;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use cast::CAST;
use image::Version;
use interruption::Interruption;
use stage::{HOSTS, IDENTITY, KNOWN_HOSTS, Stage};

/// How the fleet is reached, for a capture as for a scan. `-F none` keeps your own `ssh_config` out of the play.
const CONNECTION: [&str; 6] = ["-i", IDENTITY, "--known-hosts", KNOWN_HOSTS, "-F", "none"];

/// What is scanned, and for how long; short, because one host is known to hang.
const FLEET: [&str; 6] = ["--fleet", HOSTS, "--timeout", "5s", "--connect-timeout", "2s"];

fn main() -> ExitCode {
    let stay = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--stay") => true,
        Some(_) => {
            eprintln!("usage: demo [--stay]    --stay keeps the fleet up afterwards, to try commands of your own");
            return ExitCode::FAILURE;
        }
    };
    match show(stay) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("demo: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the whole demonstration; `true` when every verdict was as staged.
fn show(stay: bool) -> io::Result<bool> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(io::Error::other("the hosts run on this machine, and driftscan audits Linux on x86-64 so far"));
    }
    let interruption = Interruption::watch()?;
    let stage = Stage::build()?;
    let home = std::env::current_dir()?;
    std::env::set_current_dir(stage.folder())?;
    let worked = play(&stage, &interruption);
    if stay && worked.is_ok() {
        wait(stage.folder(), &interruption);
    }
    // The folder goes with the stage; whoever runs after this one is not left in a folder that is gone.
    std::env::set_current_dir(home)?;
    worked
}

/// The three acts: two captures and a scan.
fn play(stage: &Stage, interruption: &Interruption) -> io::Result<bool> {
    programme(stage.folder());
    for version in [Version::Older, Version::Newer] {
        interruption.refuse()?;
        if !capture(stage, version)? {
            return Ok(false);
        }
    }
    interruption.refuse()?;
    scan(interruption)
}

fn programme(folder: &Path) {
    println!("{} hosts on 127.0.0.1, {} files each, in {}\n", CAST.len(), CAST[0].tree().files(), folder.display());
    for player in CAST {
        println!("  {:<7} {}", player.name, player.part.story());
    }
}

/// Has the pipeline build a version of the image, and captures its baseline from the golden host.
fn capture(stage: &Stage, version: Version) -> io::Result<bool> {
    stage.rebuild_golden(version)?;
    println!("\nThe golden host is built as {}; its baseline is captured:\n", version.label());
    let (address, root) = (stage.golden_address(), stage.golden_root().display().to_string());
    let words = ["baseline", "capture", version.label(), "--from", &address, "--root", &root];
    let status = driftscan(words.into_iter().chain(CONNECTION));
    if status != 0 {
        eprintln!("demo: the capture ended with status {status}");
    }
    Ok(status == 0)
}

/// Scans the fleet and compares the report with what was staged.
fn scan(interruption: &Interruption) -> io::Result<bool> {
    println!("\nOne command audits the fleet:\n");
    let status = driftscan(FLEET.into_iter().chain(CONNECTION));
    interruption.refuse()?;
    let report = expectation::newest_report(Path::new("reports"))?;
    let differences = expectation::differences(&report, status)?;
    if !differences.is_empty() {
        println!("\nThe demonstration did NOT work:");
        for difference in &differences {
            println!("  {difference}");
        }
        return Ok(false);
    }
    println!("\nThe demonstration worked: {} of {} verdicts as staged, exit status {status}.", CAST.len(), CAST.len());
    println!(
        "Read next: README.md, \"First scan\". To play with this fleet: cargo run --release --example demo -- --stay"
    );
    Ok(true)
}

/// Prints a command line as a person would type it, and runs the real program on it.
fn driftscan<'a>(words: impl Iterator<Item = &'a str>) -> u8 {
    let line: Vec<&str> = std::iter::once("driftscan").chain(words).collect();
    println!("$ {}\n", line.join(" "));
    driftscan::cli::run(line)
}

fn wait(folder: &Path, interruption: &Interruption) {
    println!("\nThe fleet stays up. In another terminal:\n");
    println!("  cd {}\n  driftscan {} {}\n", folder.display(), FLEET.join(" "), CONNECTION.join(" "));
    println!("Enter ends it and removes the folder.");
    interruption.wait_for_enter();
}
