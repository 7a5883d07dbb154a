//! The fleet analysis from a saved report: shares of every group, common drift, snowflakes.
//!
//! `fleet_analysis make DIR HOSTS FINDINGS` writes the report of a made run; `fleet_analysis weigh DIR` reads it host by
//! host, weighs it and prints what came of it with time and peak memory of its own process. `tests/bench/analysis` calls
//! both.
//!
//! *Invariant:* the findings are whole ones, with both sides and explanations, as a scan writes them.

#![expect(clippy::print_stdout, reason = "a program that talks to the person who started it")]

use driftscan::drift::fleet::ledger::Ledger;
use driftscan::drift::fleet::shares::weigh;
use driftscan::model::text::hex;
use driftscan::model::{
    Attributes, Change, Class, Code, CommonAt, Decision, Digests, Evidence, Finding, FleetOutcome, HostCoverage,
    HostOutcome, RunId, Severity, Told, Verdict, Wire,
};
use driftscan::protocol::Attr;
use driftscan::store::Runs;
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

const GROUP: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder, hosts, findings] => make(Path::new(folder), hosts.parse()?, findings.parse()?),
        ["weigh", folder] => weighed(Path::new(folder)),
        _ => Err("fleet_analysis make DIR HOSTS FINDINGS | fleet_analysis weigh DIR".into()),
    }
}

fn weighed(folder: &Path) -> Result<(), Box<dyn Error>> {
    let clock = Instant::now();
    let runs = Runs::at(folder);
    let mut ledger = Ledger::default();
    let mut findings = 0;
    let opening = runs.each_host(&runs.resolve("latest")?, &mut |host| {
        findings += host.findings.len();
        ledger.add(&host.name, &host.group, host.is_compared, host.entries());
    })?;
    let read = clock.elapsed();
    let shares = weigh(&ledger, opening.common_at, opening.drift_at);
    let whole = clock.elapsed();
    let only_common = shares.standings.iter().filter(|standing| standing.only_common).count();
    let flakes = shares.standings.iter().filter(|s| s.snowflake.is_some_and(|flake| flake.rare > 0)).count();
    println!(
        "{} hosts, {findings} findings: {} common rows, {only_common} hosts with nothing else, {flakes} snowflakes; read \
         {:.3} s, in all {:.3} s, peak {} MiB",
        ledger.len(),
        shares.common.len(),
        read.as_secs_f64(),
        whole.as_secs_f64(),
        peak()?,
    );
    Ok(())
}

/// The most memory that this process had, MiB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

/// Of each host's findings six in ten are those of the whole group, three those of a third of it, one its own.
fn make(folder: &Path, hosts: usize, findings: usize) -> Result<(), Box<dyn Error>> {
    let run = RunId::new("20261121T023004Z", [0, 1]);
    let outcome = FleetOutcome {
        run: run.clone(),
        started: "2026-11-21T02:30:04Z".to_owned(),
        millis: 60_000,
        resumed: None,
        interrupted: None,
        selected: hosts,
        hosts: (0..hosts).map(|number| host(number, findings)).collect(),
        baselines: Vec::new(),
        digests: Digests::default(),
        drift_at: Severity::Low,
        allow_outdated: false,
        common_at: CommonAt::default(),
        common: Vec::new(),
        history: None,
        waivers: Vec::new(),
        notes: Vec::new(),
    };
    let runs = Runs::open(folder)?;
    runs.create(&run)?.write_report(&outcome)?;
    println!("{} MB", std::fs::metadata(runs.report_path(&run))?.len() / 1_000_000);
    Ok(())
}

fn host(number: usize, findings: usize) -> HostOutcome {
    let group = format!("group-{:03}", number / GROUP);
    let made = |at: usize| {
        let owner = match at * 10 / findings.max(1) {
            0..6 => group.clone(),
            6..9 => format!("{group}/{}", number % 3),
            _ => format!("host-{number}"),
        };
        finding(&owner, at)
    };
    HostOutcome {
        name: format!("host-{number:05}"),
        address: format!("driftscan@host-{number:05}.example.net:22"),
        verdict: Verdict::Drifted,
        decision: Decision::Replace,
        reference: Some("web@2026.11.3".to_owned()),
        versions_behind: None,
        reasons: Vec::new(),
        findings: (0..findings).map(made).collect(),
        causes: Vec::new(),
        coverage: Some(HostCoverage { complete: true, walked: 23_400, compared: 23_101, ..HostCoverage::default() }),
        collector: None,
        host_key: Some("ED25519 SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk".to_owned()),
        evidence: Evidence::default(),
        snowflake: None,
        state: None,
        wire: Wire::default(),
        group,
    }
}

fn finding(owner: &str, at: usize) -> Finding {
    let subject = format!("fs:/usr/lib/{owner}/module-{at:03}/settings.conf").into_bytes();
    let sha = |side: &str| Sha256::digest(format!("{owner} {at} {side}"));
    let side = |text: &str, size: &str| {
        Attributes(vec![(Attr::Size, size.to_owned()), (Attr::Content, format!("sha256:{}", hex(&sha(text))))])
    };
    Finding {
        code: Code::ContentChanged,
        change: Change::Changed,
        severity: [Severity::Low, Severity::Medium, Severity::High][at % 3],
        fingerprint: sha("fingerprint").into(),
        key: sha("key").into(),
        before: side("before", "1203"),
        after: side("after", "1260"),
        told: Told {
            class: Some(Class::EditedConfig),
            explanation: vec!["The package's own database has another digest of it.".to_owned()],
            first_seen: Some("2026-11-19T02:30:04Z".to_owned()),
            ..Told::default()
        },
        cause: None,
        waiver: None,
        subject,
    }
}
