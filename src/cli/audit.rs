//! An audit of some hosts: what a scan is, and what asks how a plan stands.
//!
//! *Invariant:* everything that can be refused is refused before the first connection; every host that is done is in the
//! journal before anything else happens with it.

use super::args::{AuditArgs, OutputArgs};
use super::books::Books;
use super::capture::random;
use super::comparisons::{self, Comparisons};
use super::progress::Progress;
use super::report::stored;
use super::stop::Stop;
use super::trouble::{Outcome, Trouble, warn};
use super::turn::{self, Turn};
use super::version::TOOL;
use super::{connect, memory, policy, resume, waivers, ways};
use crate::collect::probe_digest;
use crate::drift::fleet::settle;
use crate::inventory::canonical;
use crate::inventory::host::Host;
use crate::model::text::hex;
use crate::model::{BaselineUse, Digests, FleetOutcome, HostOutcome, RunId};
use crate::scan::{self, Resumption, Run, Target};
use crate::store::{Baselines, Runs, Start, StoreError};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hosts at once where nobody says how many.
pub(super) const JOBS: usize = 64;

/// What holds for this audit beside its flags.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms<'a> {
    /// The run to take up.
    pub(super) resume: Option<&'a str>,
    /// Wait a random time first, this long at most.
    pub(super) jitter: Option<Duration>,
    /// Whether outdated hosts leave the status 0.
    pub(super) allow_outdated: bool,
    /// A folder among the reports where the run is kept apart from those of scans.
    pub(super) apart: Option<&'a str>,
}

/// What came of an audit.
pub(super) struct Audit {
    /// Settled.
    pub(super) outcome: FleetOutcome,
    /// Where its report is.
    pub(super) report: String,
    /// Whether all of it could be kept.
    pub(super) kept: Result<(), StoreError>,
}

/// Audits these hosts; the run is kept like any other.
///
/// Inside is an exit status where a signal came before the first connection.
pub(super) fn run(
    hosts: &[Host],
    args: &AuditArgs,
    terms: Terms<'_>,
    output: &OutputArgs,
) -> Outcome<Result<Box<Audit>, u8>> {
    let policy = policy::read(args.policy.as_deref())?;
    let waivers = waivers::in_force(args.waivers.as_deref())?;
    let wanted = args
        .baseline
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|mistake: crate::inventory::Mistake| Trouble::new(mistake))?;
    let salt = random()?;
    let store = Baselines::new(args.places.baselines.clone());
    let secret = args.connect.secret_key.as_deref();
    let comparisons = comparisons::prepare(hosts, wanted.as_ref(), &store, &policy, &salt, secret)?;
    let mut runs = Runs::open(&args.places.reports).map_err(|error| stored(&error))?;
    if let Some(folder) = terms.apart {
        runs = Runs::open(&args.places.reports.join(folder)).map_err(|error| stored(&error))?;
    }
    let dialer = Arc::new(connect::dialer(&args.connect)?);
    let targets = targets(hosts, args, &dialer, &comparisons)?;
    for warning in dialer.warnings() {
        warn(warning);
    }

    let stop = Stop::listen()?;
    let _lock = match turn::wait(&runs, terms.jitter, args.wait_lock, &stop, output.quiet)? {
        Turn::Ours(lock) => lock,
        Turn::Stopped(status) => return Ok(Err(status)),
    };
    let started = jiff::Timestamp::now();
    let id = run_id(started)?;
    let mut start = begin(&id, started, hosts, terms.allow_outdated, &comparisons, policy.drift_at());
    start.digests.ways = ways::digest(&targets);
    start.digests.waivers.clone_from(&waivers.digest);
    start.notes.extend(waivers.note);
    let Resumption { resumed, kept, due } = match terms.resume {
        Some(word) => resume::take_up(&runs, word, &start, &targets)?,
        None => Resumption::of_nothing(targets.len()),
    };
    if let Some(resumed) = &resumed {
        start.notes.push(resume::note(resumed, due.len()));
    }
    start.resumed = resumed;
    let folder = runs.create(&id).map_err(|error| stored(&error))?;
    let mut books = Books::open(&folder, &start, &kept)?;
    let targets: Vec<Target> = targets.into_iter().zip(due).filter_map(|(target, due)| due.then_some(target)).collect();
    let mut progress = Progress::new(targets.iter().map(|target| target.name.clone()).collect(), output.quiet);
    let clock = Instant::now();
    let plan = Run {
        jobs: args.jobs.map_or_else(|| targets.len().min(JOBS), usize::from),
        targets,
        dialer: Arc::clone(&dialer),
        terms: scan::Terms { timeout: args.timeout, gentle: args.gentle, salt },
        rate: args.rate,
        per_jump: usize::from(args.max_per_jump),
    };
    let scanned = scan::run(plan, &stop.asked, &mut |event| {
        books.keep(event);
        progress.watch(event);
    });
    progress.end();
    // Whatever connections go through is ours to end; a host that is left behind would keep it.
    dialer.close();
    let mut outcomes =
        scanned.map_err(|error| Trouble::with(format!("threads can't be started: {error}"), "fewer --jobs"))?;
    outcomes.extend(kept);
    in_order_of(hosts, &mut outcomes);
    let interrupted =
        if outcomes.len() < hosts.len() { stop.signal().or(Some(signal_hook::consts::SIGTERM)) } else { None };
    // Of what was not scanned nobody knows what a rule would have matched.
    let idle = interrupted.is_none().then(|| policy::idle_note(policy.name(), &comparisons.idle, &outcomes)).flatten();
    let mut outcome = FleetOutcome {
        run: id,
        started: start.started,
        millis: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        resumed: start.resumed,
        interrupted,
        selected: hosts.len(),
        hosts: outcomes,
        baselines: start.baselines,
        digests: start.digests,
        drift_at: start.drift_at,
        allow_outdated: start.allow_outdated,
        common_at: policy.common(),
        common: Vec::new(),
        history: None,
        waivers: Vec::new(),
        notes: start.notes.into_iter().chain(books.skew_note()).chain(idle).collect(),
    };
    settle(&mut outcome, &waivers.waivers, waivers::day_of(started));
    // After it, since it finds what hosts share.
    memory::recall(&runs, &mut outcome);
    let status = outcome.status();
    let kept = books.close(&folder, &outcome, status);
    let report = folder.report_path().display().to_string();
    Ok(Ok(Box::new(Audit { outcome, report, kept })))
}

/// The id of a run that starts now.
pub(super) fn run_id(started: jiff::Timestamp) -> Outcome<RunId> {
    // The milliseconds come before what is random, so that runs of one second sort by time as well.
    let millis = u16::try_from(started.subsec_millisecond()).unwrap_or(0);
    let random: [u8; 1] = random()?;
    let suffix = (millis << 6 | u16::from(random[0] >> 2)).to_be_bytes();
    Ok(RunId::new(&started.strftime("%Y%m%dT%H%M%SZ").to_string(), suffix))
}

fn targets(
    hosts: &[Host],
    args: &AuditArgs,
    dialer: &crate::transport::Dialer,
    comparisons: &Comparisons,
) -> Outcome<Vec<Target>> {
    let ways = connect::ways(dialer, hosts)?;
    let target = |((host, way), comparison): ((&Host, _), &Arc<scan::Comparison>)| Target {
        name: host.name.clone(),
        group: host.group.clone(),
        address: connect::address(host, &way),
        way,
        root: host.root.clone().unwrap_or_else(|| "/".to_owned()),
        sudo: host.sudo.unwrap_or(args.connect.sudo),
        probe: host.probe.unwrap_or(args.connect.probe.0),
        comparison: Arc::clone(comparison),
    };
    Ok(hosts.iter().zip(ways).zip(&comparisons.of_host).map(target).collect())
}

fn begin(
    id: &RunId,
    started: jiff::Timestamp,
    hosts: &[Host],
    allow_outdated: bool,
    comparisons: &Comparisons,
    drift_at: crate::model::Severity,
) -> Start {
    let mut baselines = Vec::new();
    for (host, comparison) in hosts.iter().zip(&comparisons.of_host) {
        let Some(label) = comparison.references.first().map(|reference| reference.label.to_string()) else { continue };
        let known = |used: &&BaselineUse| used.label == label && used.group == host.group;
        if baselines.iter().find(known).is_none() {
            let used = comparisons.used.iter().find(|(used, ..)| *used == label);
            baselines.push(BaselineUse {
                digest: used.map(|(_, digest, _)| digest.clone()).unwrap_or_default(),
                note: used.and_then(|(.., note)| note.clone()),
                group: host.group.clone(),
                label,
            });
        }
    }
    Start {
        run: id.clone(),
        started: jiff::Timestamp::from_second(started.as_second()).unwrap_or(started).to_string(),
        selected: hosts.iter().map(|host| host.name.clone()).collect(),
        baselines,
        digests: Digests {
            tool: tool(),
            probe: probe_digest().to_owned(),
            policy: hex(&Sha256::digest(&comparisons.policies)),
            inventory: hex(&Sha256::digest(canonical(hosts))),
            // Known only with the routes.
            ways: String::new(),
            // Known only with their file.
            waivers: String::new(),
        },
        drift_at,
        allow_outdated,
        notes: comparisons.notes.clone(),
        resumed: None,
    }
}

/// Sorts outcomes of this run and of an earlier one into the order of the fleet, where names are unique.
fn in_order_of(hosts: &[Host], outcomes: &mut [HostOutcome]) {
    let places: HashMap<&str, usize> = hosts.iter().map(|host| host.name.as_str()).zip(0..).collect();
    outcomes.sort_by_key(|outcome| places.get(outcome.name.as_str()).copied());
}

/// Name, version and the digest of this very program, where it can be read.
fn tool() -> String {
    let program = std::env::current_exe().and_then(std::fs::read);
    program.map_or_else(|_| TOOL.to_owned(), |bytes| format!("{TOOL} sha256:{}", hex(&Sha256::digest(bytes))))
}
