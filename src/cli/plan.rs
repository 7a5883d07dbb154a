//! `driftscan plan`: which hosts of a run are to be replaced, in which order, and why the others wait.
//!
//! *Invariant:* reaches no host and no platform; the plan is kept beside the report that it stands on.

use super::args::{OutputArgs, PlanArgs};
use super::fleet;
use super::output::{lay_out, named};
use super::report::stored;
use super::trouble::{Outcome, Trouble, warn};
use super::version::TOOL;
use crate::inventory::{Fleet, Host, canonical};
use crate::model::text::hex;
use crate::model::{FleetOutcome, RunId};
use crate::plan::{Input, Plan, Settings, Unplannable, plan};
use crate::report::plan::render::renderers;
use crate::report::plan::{json, table};
use crate::report::table::title;
use crate::store::Runs;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::Path;

/// The most bytes of a settings' file.
const MOST: u64 = 1 << 20;

/// Plans, keeps the plan and shows it.
pub(super) fn run(args: &PlanArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = named(&args.format, &known())?;
    let fleet = fleet_of(args.fleet.as_deref())?;
    let (settings, settings_digest) = settings(args.settings.as_deref(), &fleet.hosts)?;
    let runs = Runs::at(&args.reports);
    let id = runs.resolve(&args.run).map_err(|error| stored(&error))?;
    let (report, report_digest) = runs.load_digested(&id).map_err(|error| stored(&error))?;
    fresh(&report, settings.expires_seconds)?;
    let inventory = hex(&Sha256::digest(canonical(&fleet.hosts)));
    doubts(&report, &fleet.hosts, &inventory);
    let previous = runs.plan_before(&id).map_err(|error| stored(&error))?;
    let input = Input {
        report: &report,
        report_digest: &report_digest,
        fleet: &fleet.hosts,
        inventory: &inventory,
        settings: &settings,
        settings_digest: &settings_digest,
        tool: TOOL,
        previous: previous.as_ref(),
        title: &title,
    };
    let mut made = plan(&input).map_err(|why| unplannable(why, &id))?;
    json::seal(&mut made);
    let kept = runs.write_plan(&made).map_err(|error| stored(&error))?;
    let path = kept.display().to_string();
    let silent = output.quiet && made.items.is_empty() && made.deferred.is_empty() && made.refused.is_empty();
    for format in formats.iter().filter(|format| !silent || !format.is_shown()) {
        format.deliver(|width, to| render(&made, format.name, &path, output, width, to))?;
    }
    Ok(0)
}

/// What `--format` takes.
fn known() -> Vec<&'static str> {
    ["table", "json"].into_iter().chain(renderers().iter().map(|renderer| renderer.name())).collect()
}

fn render(
    plan: &Plan,
    name: &str,
    path: &str,
    args: &OutputArgs,
    width: Option<usize>,
    to: &mut Vec<u8>,
) -> Outcome<()> {
    match name {
        "json" => json::write(plan, to).map_err(Trouble::new),
        "table" => lay_out(args, width, path, |options| table::write(plan, &known(), options, to)),
        other => match renderers().iter().find(|renderer| renderer.name() == other) {
            Some(renderer) => renderer.render(plan, to).map_err(Trouble::new),
            None => Err(Trouble::new(format!("there is no format {other:?} here"))),
        },
    }
}

fn fleet_of(path: Option<&Path>) -> Outcome<Fleet> {
    let Some(path) = path else {
        return Err(Trouble::with(
            "a plan needs the fleet: which hosts there are now, in which zones, and what names them to their platform",
            "driftscan plan --fleet hosts.txt",
        ));
    };
    let fleet = fleet::read(path)?;
    for warning in &fleet.warnings {
        warn(warning);
    }
    let hosts = fleet.hosts.into_iter().map(fleet::absolute).collect::<Outcome<Vec<Host>>>()?;
    if hosts.is_empty() {
        return Err(Trouble::with(
            format!("fleet {}: it names no host", path.display()),
            "a line a host: web-01.example.net template=web zone=eu-west-1a",
        ));
    }
    Ok(Fleet { hosts, ..fleet })
}

/// The settings that were named, or the defaults, and the digest of their bytes.
fn settings(path: Option<&Path>, hosts: &[Host]) -> Outcome<(Settings, String)> {
    let Some(path) = path else { return Ok((Settings::default(), String::new())) };
    let name = path.display().to_string();
    let trouble = |error: std::io::Error| Trouble::new(format!("settings {name}: {error}"));
    let meta = path.metadata().map_err(trouble)?;
    if !meta.is_file() || meta.len() > MOST {
        return Err(Trouble::new(format!("settings {name}: it is not a file of at most 1 MiB")));
    }
    // What decides how many machines go at once must not be for anybody to write.
    if std::os::unix::fs::MetadataExt::mode(&meta) & 0o002 != 0 {
        return Err(Trouble::with(
            format!("settings {name}: other accounts of this machine can write it"),
            format!("chmod o-w {name}"),
        ));
    }
    let bytes = std::fs::read(path).map_err(trouble)?;
    let text = String::from_utf8(bytes).map_err(|_| Trouble::new(format!("settings {name}: it is not UTF-8")))?;
    let groups = hosts.iter().map(|host| host.group.as_str());
    let settings = Settings::parse(&name, &text, groups).map_err(Trouble::new)?;
    Ok((settings, hex(&Sha256::digest(text))))
}

/// A plan of an old run would be stale the moment it is made.
fn fresh(report: &FleetOutcome, expires_seconds: u64) -> Outcome<()> {
    // What is no time is the planner's to refuse.
    let Ok(started) = report.started.parse::<Timestamp>() else { return Ok(()) };
    let age = Timestamp::now().duration_since(started) - SignedDuration::from_millis(report.millis.cast_signed());
    if age.as_secs() >= expires_seconds.cast_signed() {
        return Err(Trouble::with(
            format!(
                "run {} ended {} ago, and a plan is good for {}",
                report.run,
                long(age.as_secs().unsigned_abs()),
                long(expires_seconds)
            ),
            "scan again, or write a longer `expires` in the settings",
        ));
    }
    Ok(())
}

/// `3 h`, `2 days`.
fn long(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Says where fleet and run are not of one piece.
fn doubts(report: &FleetOutcome, hosts: &[Host], inventory: &str) {
    if report.digests.inventory == inventory {
        return;
    }
    let scanned: HashSet<&str> = report.hosts.iter().map(|host| host.name.as_str()).collect();
    let missing = hosts.iter().filter(|host| !scanned.contains(host.name.as_str())).count();
    let known: HashSet<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let gone = scanned.difference(&known).count();
    let mut told = vec![format!("the fleet is not the one that run {} scanned", report.run)];
    if missing > 0 {
        told.push(format!("{missing} of its hosts were not scanned, and count as not serving"));
    }
    if gone > 0 {
        told.push(format!("{gone} scanned hosts are not in it, and are not planned"));
    }
    warn(told.join("; "));
}

fn unplannable(why: Unplannable, run: &RunId) -> Trouble {
    match why {
        Unplannable::Partial { .. } => Trouble::with(
            format!("run {run} can't be planned: {why}"),
            "take it up where it ended: driftscan scan --resume",
        ),
        Unplannable::NoTime => Trouble::with(format!("run {run} can't be planned: {why}"), "scan again"),
    }
}
