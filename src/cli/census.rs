//! `driftscan census`: which kinds of hosts a fleet has, and which hosts are odd, without a baseline.
//!
//! *Invariant:* there is no verdict of drift without a template; a host that was not read is told and never left out in silence.

use super::args::{CaptureArgs, CensusArgs, OutputArgs};
use super::audit::{JOBS, run_id};
use super::capture::{self, random};
use super::output::{self, named};
use super::pivot::{Pivot, Survey};
use super::stop::Stop;
use super::trouble::{Outcome, Trouble, warn};
use super::{connect, fleet, policy};
use crate::collect::Failure;
use crate::drift::census::{Census, Mark, Population, Unread, take};
use crate::inventory::host::{Host, Reach};
use crate::manifest::Label;
use crate::model::{HostOutcome, Reason, RunId};
use crate::protocol::SecretKey;
use crate::report::census::{self, Head};
use crate::report::table;
use crate::store::{Baselines, BaselinesError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// How often a host's time is spent in search of one that can be read whole.
const PATIENCE: u32 = 2;

/// Takes the census.
pub(super) fn run(args: &CensusArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = named(&args.format, &["table", "json"])?;
    let draft = args.draft.as_deref().map(|label| free(label, args)).transpose()?;
    let hosts = fleet::select(&args.targets, args.fleet.as_deref(), &args.limit)?;
    let file = policy::read(args.read.policy.as_deref())?;
    let dialer = Arc::new(connect::dialer(&args.read.connect)?);
    let ways = connect::ways(&dialer, &hosts)?;
    for warning in dialer.warnings() {
        warn(warning);
    }
    if hosts.iter().any(|host| host.root.is_none()) && hosts.iter().any(|host| host.root.is_some()) {
        warn("some hosts are folders: kernel and mounts are compared only where pivot and host run");
    }
    let stop = Stop::listen()?;
    let started = jiff::Timestamp::now();
    let clock = Instant::now();
    let survey = Survey {
        hosts: &hosts,
        ways: &ways,
        dialer: &dialer,
        file: &file,
        args: &args.read,
        jobs: args.jobs.map_or(JOBS, usize::from),
        rate: args.rate,
        per_jump: usize::from(args.max_per_jump),
        salt: random()?,
        key: SecretKey(random()?),
        stop: &stop,
        quiet: output.quiet,
    };
    let counted = count(&survey);
    dialer.close();
    if let Some(signal) = stop.signal() {
        err!("driftscan: interrupted; a census of some hosts would mislead, so there is none");
        return Ok(128u8.wrapping_add(u8::try_from(signal).unwrap_or(0)));
    }
    let census = counted?;
    let head = Head {
        run: run_id(started)?,
        started: jiff::Timestamp::from_second(started.as_second()).unwrap_or(started).to_string(),
        millis: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let status = census.status();
    output::print_each(
        &formats,
        output,
        output.quiet && status == 0 && census.odd.is_empty(),
        &mut |bytes| census::write(&head, &census, bytes),
        &mut |options, bytes| table::census(&head, &census, options, bytes),
    )?;
    if let Some(label) = draft {
        let addresses: Vec<String> = hosts.iter().zip(&ways).map(|(host, way)| connect::address(host, way)).collect();
        write_draft(&label, &head.run, &census, (&hosts, &addresses), args, output)?;
    }
    Ok(status)
}

/// Hosts of one system, the pivot first.
struct Counted {
    pivot: Pivot,
    hosts: Vec<HostOutcome>,
    mirror: Option<HostOutcome>,
}

/// Reads every host.
fn count(survey: &Survey<'_>) -> Outcome<Census> {
    let mut left: Vec<usize> = (0..survey.hosts.len()).collect();
    let mut failed: BTreeMap<usize, Failure> = BTreeMap::new();
    let mut counted: Vec<Counted> = Vec::new();
    // What came of hosts of which nothing was learned, by their numbers.
    let mut unread: BTreeMap<usize, Unread> = BTreeMap::new();
    while !left.is_empty() && survey.stop.signal().is_none() {
        let Some(pivot) = search(survey, &left, &mut failed) else { break };
        left.retain(|number| *number != pivot.number);
        let outcomes = survey.against(&pivot, &left)?;
        if outcomes.len() < left.len() {
            break;
        }
        let mut hosts = vec![pivot.outcome.clone()];
        let mut others = Vec::new();
        for (number, outcome) in left.into_iter().zip(outcomes) {
            let is_another = outcome.reasons.iter().any(|obstacle| obstacle.reason == Reason::WrongBaseline);
            if is_another {
                others.push(number);
                continue;
            }
            let is_counted = outcome.coverage.is_some();
            if !outcome.reasons.is_empty() || !is_counted {
                let reasons = outcome.reasons.clone();
                unread.insert(number, Unread { host: outcome.name.clone(), counted: is_counted, reasons });
            }
            if is_counted {
                hosts.push(outcome);
            }
        }
        counted.push(Counted { pivot, hosts, mirror: None });
        left = others;
    }
    if counted.is_empty() {
        return Err(nothing(survey, &failed));
    }
    for number in left {
        let name = survey.hosts.get(number).map(|host| host.name.clone()).unwrap_or_default();
        let failure = failed.remove(&number).unwrap_or_else(|| {
            Failure::new(
                Reason::WrongBaseline,
                "no host of its system could be read whole in time, so that it was compared with none",
            )
        });
        unread.insert(number, Unread { host: name, counted: false, reasons: vec![failure.obstacle()] });
    }
    let unread: Vec<Unread> = unread.into_values().collect();
    let census = taken(&counted, &unread, survey.hosts.len());
    if mirrored(survey, &census, &mut counted)? { Ok(taken(&counted, &unread, survey.hosts.len())) } else { Ok(census) }
}

fn taken(counted: &[Counted], unread: &[Unread], selected: usize) -> Census {
    let populations: Vec<Population<'_>> = counted
        .iter()
        .map(|counted| Population {
            system: counted.pivot.system.clone(),
            pivot: counted.pivot.outcome.name.clone(),
            hosts: &counted.hosts,
            mirror: counted.mirror.as_ref(),
        })
        .collect();
    take(&populations, unread.to_vec(), selected)
}

/// The first of these hosts that can be read whole. Those that can't be are asked again with the others.
fn search(survey: &Survey<'_>, among: &[usize], failed: &mut BTreeMap<usize, Failure>) -> Option<Pivot> {
    let end = Instant::now() + survey.args.timeout * PATIENCE;
    for number in among {
        if survey.stop.signal().is_some() || Instant::now() >= end {
            return None;
        }
        // One that was tried for another system has told what is the matter with it.
        if failed.contains_key(number) {
            continue;
        }
        match survey.pivot(*number) {
            Ok(pivot) => return Some(pivot),
            Err(failure) => {
                failed.insert(*number, failure);
            }
        }
    }
    None
}

/// Where a pivot is odd itself, all others have what it lacks: looks at it from a typical host, which tells what it has.
/// Whether any was.
fn mirrored(survey: &Survey<'_>, census: &Census, counted: &mut [Counted]) -> Outcome<bool> {
    let mut any = false;
    for counted in counted {
        let name = &counted.pivot.outcome.name;
        let odd = census.odd.iter().find(|odd| odd.host == *name && odd.marks.iter().any(|mark| mark.lacks));
        let cluster = odd.and_then(|odd| census.clusters.get(odd.cluster?));
        let medoid = cluster.and_then(|cluster| cluster.medoid.as_ref()).filter(|medoid| *medoid != name);
        let number = medoid.and_then(|medoid| survey.hosts.iter().position(|host| host.name == *medoid));
        let Some(number) = number else { continue };
        match survey.pivot(number) {
            Ok(typical) => {
                counted.mirror = survey.against(&typical, &[counted.pivot.number])?.pop();
                any |= counted.mirror.is_some();
            }
            Err(failure) => warn(format!(
                "{name} is odd, and is told by what it lacks: of {}, {failure}",
                survey.hosts[number].name
            )),
        }
    }
    Ok(any)
}

/// No host could be read whole.
fn nothing(survey: &Survey<'_>, failed: &BTreeMap<usize, Failure>) -> Trouble {
    const SHOWN: usize = 5;
    let line = |(number, failure): (&usize, &Failure)| {
        let name = survey.hosts.get(*number).map_or("", |host| &host.name);
        format!("  {name}: {failure}")
    };
    let mut lines =
        vec!["no host could be read whole, and without one there is nothing to compare the others with".to_owned()];
    lines.extend(failed.iter().take(SHOWN).map(line));
    if failed.len() > SHOWN {
        lines.push(format!("  and {} more", failed.len() - SHOWN));
    }
    let remedy = failed.values().find_map(|failure| failure.remedy.clone());
    Trouble::with(lines.join("\n"), remedy.unwrap_or_else(|| "driftscan doctor HOST shows which step fails".to_owned()))
}

/// A label that no baseline has yet: that is known before hosts are read.
fn free(label: &str, args: &CensusArgs) -> Outcome<Label> {
    let label = Label::parse(label).map_err(Trouble::new)?;
    let store = Baselines::new(args.baselines.clone());
    let versions = store.versions(&label.template).map_err(|error| super::comparisons::stored(&error))?;
    if versions.contains(&label) {
        return Err(super::comparisons::stored(&BaselinesError::Exists { label }));
    }
    Ok(label)
}

/// Captures the most typical host of the largest cluster, unless it has what most of its cluster lacks.
fn write_draft(
    label: &Label,
    run: &RunId,
    census: &Census,
    (hosts, addresses): (&[Host], &[String]),
    args: &CensusArgs,
    output: &OutputArgs,
) -> Outcome<()> {
    const SHOWN: usize = 20;
    // With the root that a capture takes for the golden machine and its siblings alike.
    let address = |name: &str| {
        let found = hosts.iter().zip(addresses).find(|(host, _)| host.name == name);
        found.map_or_else(|| (name.to_owned(), String::new()), |(host, address)| (address.clone(), root_flag(host)))
    };
    let refused = |text: String, hint: String| Err(Trouble::with(format!("no draft: {text}"), hint));
    let by_hand = |(host, root): &(String, String)| {
        format!("once you know how it came to be: driftscan baseline capture {label} --from {host}{root}")
    };
    let Some(cluster) = census.clusters.first() else {
        return refused(
            "there is no cluster, no two hosts are of a kind".to_owned(),
            by_hand(&("HOST".to_owned(), String::new())),
        );
    };
    let found = cluster.medoid.as_ref().and_then(|medoid| hosts.iter().find(|host| host.name == *medoid));
    let Some(medoid) = found else {
        return refused(
            "no host of the largest cluster was read whole".to_owned(),
            "read the hosts with --sudo".to_owned(),
        );
    };
    if !cluster.atypical.is_empty() {
        let mut lines = vec![format!(
            "even the most typical host of the largest cluster, {}, differs from most of it in {}:",
            medoid.name,
            plural(cluster.atypical.len(), "thing")
        )];
        let line = |mark: &Mark| format!("  {}{}", if mark.lacks { "others: " } else { "" }, table::mark_title(mark));
        lines.extend(cluster.atypical.iter().take(SHOWN).map(line));
        if cluster.atypical.len() > SHOWN {
            lines.push(format!("  and {} more", cluster.atypical.len() - SHOWN));
        }
        return refused(lines.join("\n"), by_hand(&address(&medoid.name)));
    }
    let (members, selected) = (cluster.hosts.len(), census.selected);
    if members * 2 <= selected {
        warn(format!("the largest cluster is {members} of {selected} hosts: {label} is a draft of no majority"));
    }
    let capture = CaptureArgs {
        label: label.to_string(),
        from: address(&medoid.name).0,
        siblings: Vec::new(),
        serial: None,
        root: None,
        policy: args.read.policy.clone(),
        timeout: args.read.timeout * PATIENCE,
        gentle: args.read.gentle,
        connect: args.read.connect.clone(),
        baselines: args.baselines.clone(),
    };
    let of = format!("census {run}: {}, the most typical of {members} of {selected} hosts", medoid.name);
    let told = capture::store(&capture, medoid, Some(&of), output)?;
    for line in told {
        err!("{line}");
    }
    err!("{label} is a draft: review it before you scan with it, then build a template that makes such hosts.");
    tell_to_review(census, &medoid.name, label, &address);
    Ok(())
}

/// What a person who reviews a draft has to know.
fn tell_to_review(census: &Census, medoid: &str, label: &Label, address: &dyn Fn(&str) -> (String, String)) {
    let Some(cluster) = census.clusters.first() else { return };
    if !cluster.divided.is_empty() {
        let sides = plural(cluster.divided.len(), "difference");
        err!("  its cluster is divided by {sides}, and {medoid} is on one side of each: -v shows them");
    }
    if !cluster.natural.is_empty() {
        let (from, root) = address(medoid);
        let siblings: Vec<String> =
            cluster.hosts.iter().filter(|name| *name != medoid).take(2).map(|name| address(name).0).collect();
        err!(
            "  {} of its cluster differ from host to host by nature and will be drift; a capture with siblings learns them:\n  \
             driftscan baseline capture {}@NEW --from {from}{root} --siblings {}",
            plural(cluster.natural.len(), "subject"),
            label.template,
            siblings.join(",")
        );
    }
}

/// The flag that reads a folder of a host.
fn root_flag(host: &Host) -> String {
    match (&host.reach, &host.root) {
        (Reach::Ssh { .. }, Some(root)) => format!(" --root {root}"),
        (Reach::Ssh { .. } | Reach::Local, _) => String::new(),
    }
}

fn plural(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}
