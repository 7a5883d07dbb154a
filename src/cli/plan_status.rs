//! `driftscan plan status`: what became of a plan.
//!
//! *Invariant:* what stands in the place of a host is proven by a scan of now, never by what a platform says.

use super::args::{OutputArgs, PlanStatusArgs};
use super::audit::{self, Audit, Terms};
use super::fleet;
use super::output::{lay_out, named};
use super::report::stored;
use super::trouble::{Outcome, Trouble, warn};
use crate::inventory::Host;
use crate::model::{FleetOutcome, HostOutcome, RunId, Verdict};
use crate::plan::Plan;
use crate::plan::status::{Fresh, Past, Status, asked, status};
use crate::report::plan::status::{json, table};
use crate::report::table::title;
use crate::store::{Runs, read_plan};
use std::collections::{BTreeMap, HashMap};

/// Where these scans of a few hosts are kept: a script asks every half minute, and `latest` must stay the last scan of the
/// fleet, with its history behind it.
const APART: &str = "status";

/// Earlier runs that are looked at, of scans and of these.
const RUNS: usize = 60;

/// Scans what the plan named, and tells what became of it.
pub(super) fn run(args: &PlanStatusArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = named(&args.format, &["table", "json"])?;
    let plan = read_plan(&args.plan).map_err(|error| stored(&error))?;
    let waves = waves(&plan, &args.wave)?;
    if plan.items.is_empty() {
        return Err(Trouble::new(format!("{}: the plan replaces no host", args.plan.display())));
    }
    let Some(path) = &args.fleet else {
        return Err(Trouble::with(
            "the hosts file of now is needed: replacements are found in it by handle, name and group",
            "driftscan plan status PLAN --fleet hosts.txt",
        ));
    };
    let read = fleet::read(path)?;
    for warning in &read.warnings {
        warn(warning);
    }
    let hosts = read.hosts.into_iter().map(fleet::absolute).collect::<Outcome<Vec<Host>>>()?;
    let asked: Vec<Host> = asked(&plan, &waves, &hosts).into_iter().cloned().collect();
    let Some(Audit { outcome, report, kept }) = audited(&asked, args, output)? else { return Ok(130) };
    let by_name: HashMap<&str, &HostOutcome> = outcome.hosts.iter().map(|host| (host.name.as_str(), host)).collect();
    let fresh: Vec<Fresh<'_>> =
        asked.iter().map(|host| Fresh { host, outcome: by_name.get(host.name.as_str()).copied() }).collect();
    let reports = &args.audit.places.reports;
    let past = past(&[Runs::at(reports), Runs::at(&reports.join(APART))], &plan, &outcome);
    let told = status(&plan, &waves, &fresh, &outcome.started, &past, &title);
    tell(&told, &outcome.run, &report, &formats, output)?;
    kept.map_err(|error| stored(&error))?;
    Ok(outcome.interrupted.map_or_else(|| told.exit(), |_| outcome.status()))
}

/// The scan of now; an empty one where the fleet has none of what is asked for. `None` where a signal came first.
fn audited(asked: &[Host], args: &PlanStatusArgs, output: &OutputArgs) -> Outcome<Option<Audit>> {
    if asked.is_empty() {
        return Err(Trouble::with(
            "the fleet has no host of the plan's names, handles or groups",
            "is it the fleet that the plan was made of, as it is now?",
        ));
    }
    let terms = Terms { apart: Some(APART), ..Terms::default() };
    Ok(audit::run(asked, &args.audit, terms, output)?.ok().map(|audit| *audit))
}

fn waves(plan: &Plan, wanted: &[usize]) -> Outcome<Vec<usize>> {
    match wanted.iter().find(|number| !plan.waves.iter().any(|wave| wave.number == **number)) {
        Some(number) => Err(Trouble::with(
            format!("the plan has no wave {number}"),
            format!("its waves are 1 to {}", plan.waves.len()),
        )),
        None => Ok(wanted.to_vec()),
    }
}

fn tell(
    told: &Status,
    run: &RunId,
    report: &str,
    formats: &[super::output::Named<'_>],
    output: &OutputArgs,
) -> Outcome<()> {
    let silent = output.quiet && told.exit() == 0;
    for format in formats.iter().filter(|format| !silent || !format.is_shown()) {
        format.deliver(|width, to| match format.name {
            "json" => json(told, run, to).map_err(Trouble::new),
            _ => lay_out(output, width, report, |options| table(told, run, options, to)),
        })?;
    }
    Ok(())
}

/// What earlier runs since the plan saw of the machines that drift now. A run that can't be read tells nothing.
fn past(folders: &[Runs], plan: &Plan, now: &FleetOutcome) -> BTreeMap<String, Past> {
    let drifted = now.hosts.iter().filter(|host| host.verdict == Verdict::Drifted);
    let machines: BTreeMap<&str, &str> =
        drifted.filter_map(|host| Some((host.name.as_str(), host.evidence.machine_id.as_deref()?))).collect();
    let mut past: BTreeMap<String, Past> = BTreeMap::new();
    if machines.is_empty() {
        return past;
    }
    let is_since = |run: &RunId| *run > plan.based_on.run && *run < now.run;
    let newest = |runs: &'_ Runs| {
        let mut since: Vec<RunId> = runs.list().unwrap_or_default().into_iter().filter(is_since).collect();
        since.split_off(since.len().saturating_sub(RUNS))
    };
    let mut since: Vec<(RunId, &Runs)> =
        folders.iter().flat_map(|runs| newest(runs).into_iter().map(move |run| (run, runs))).collect();
    since.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (run, runs) in since.iter().filter(|(run, runs)| runs.report_path(run).is_file()) {
        let mut seen: Vec<(String, Verdict)> = Vec::new();
        let read = runs.each_host(run, &mut |host| {
            if machines.get(host.name.as_str()).copied() == host.machine_id.as_deref() && host.machine_id.is_some() {
                seen.push((host.name, host.verdict));
            }
        });
        let Ok(opening) = read else { continue };
        for (host, verdict) in seen {
            let known = past.entry(host).or_default();
            known.first.get_or_insert_with(|| opening.started.clone());
            if verdict == Verdict::Clean {
                known.clean = Some(opening.started.clone());
            }
        }
    }
    past
}
