//! `driftscan scan`: the main job.
//!
//! *Invariant:* everything that can be refused is refused before the first connection; every host that is done is in the
//! journal before anything else happens with it.

use super::args::{OutputArgs, ScanArgs};
use super::capture::random;
use super::comparisons::{self, Comparisons};
use super::output::{View, formats, print};
use super::progress::Progress;
use super::report::stored;
use super::stop::Stop;
use super::trouble::{Outcome, Trouble, warn};
use super::version::TOOL;
use super::{connect, fleet, policy};
use crate::collect::probe_digest;
use crate::inventory::canonical;
use crate::inventory::host::Host;
use crate::model::text::hex;
use crate::model::{BaselineUse, Digests, FleetOutcome, RunId};
use crate::scan::{Account, Event, Run, Target, Terms, run as scan_all};
use crate::store::{self, Audit, Baselines, Contact, Journal, RunFolder, Runs, Start, StoreError};
use sha2::{Digest as _, Sha256};
use std::time::Instant;

/// Hosts at once where nobody says how many.
const JOBS: usize = 64;

/// Scans and reports.
pub(super) fn run(args: &ScanArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = formats(&args.format)?;
    let hosts = fleet::select(args)?;
    let policy = policy::read(args.policy.as_deref())?;
    let wanted = args
        .baseline
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|mistake: crate::inventory::Mistake| Trouble::new(mistake))?;
    let salt = random()?;
    let store = Baselines::new(args.places.baselines.clone());
    let comparisons = comparisons::prepare(&hosts, wanted.as_ref(), &store, &policy, &salt)?;
    let runs = Runs::open(&args.places.reports).map_err(|error| stored(&error))?;
    let started = jiff::Timestamp::now();
    let _lock = runs.lock(&started.to_string()).map_err(|error| stored(&error))?;
    let dialer = connect::dialer(&args.connect)?;
    let targets = targets(&hosts, args, &dialer, &comparisons)?;
    for warning in dialer.warnings() {
        warn(warning);
    }

    // The milliseconds come before what is random, so that runs of one second sort by time as well.
    let millis = u16::try_from(started.subsec_millisecond()).unwrap_or(0);
    let random: [u8; 1] = random()?;
    let suffix = (millis << 6 | u16::from(random[0] >> 2)).to_be_bytes();
    let id = RunId::new(&started.strftime("%Y%m%dT%H%M%SZ").to_string(), suffix);
    let start = begin(&id, started, &hosts, args, &comparisons, policy.drift_at());
    let folder = runs.create(&id).map_err(|error| stored(&error))?;
    let mut books = Books::open(&folder, &start, hosts.len())?;
    let stop = Stop::listen()?;
    let mut progress = Progress::new(hosts.iter().map(|host| host.name.clone()).collect(), output.quiet);
    let clock = Instant::now();
    let plan = Run {
        jobs: args.jobs.map_or_else(|| hosts.len().min(JOBS), usize::from),
        targets,
        dialer,
        terms: Terms { timeout: args.timeout, gentle: args.gentle, salt },
        rate: args.rate,
    };
    let scanned = scan_all(plan, &stop.asked, &mut |event| {
        books.keep(event);
        progress.watch(event);
    });
    progress.end();
    let outcomes =
        scanned.map_err(|error| Trouble::with(format!("threads can't be started: {error}"), "fewer --jobs"))?;
    let interrupted =
        if outcomes.len() < hosts.len() { stop.signal().or(Some(signal_hook::consts::SIGTERM)) } else { None };
    let outcome = FleetOutcome {
        run: id,
        started: start.started,
        millis: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        interrupted,
        selected: hosts.len(),
        hosts: outcomes,
        baselines: start.baselines,
        digests: start.digests,
        drift_at: start.drift_at,
        allow_outdated: start.allow_outdated,
        notes: start.notes,
    };
    let status = outcome.status();
    // What was scanned is shown even where it can't be kept.
    let kept = books.close(&folder, &outcome, status);
    let report = folder.report_path().display().to_string();
    print(&outcome, View::Findings, &formats, Some(&report), output, output.quiet && status == 0)?;
    kept.map_err(|error| stored(&error))?;
    Ok(status)
}

fn targets(
    hosts: &[Host],
    args: &ScanArgs,
    dialer: &crate::transport::Dialer,
    comparisons: &Comparisons,
) -> Outcome<Vec<Target>> {
    let ways = connect::ways(dialer, hosts)?;
    let target = |((host, way), comparison): ((&Host, _), &std::sync::Arc<crate::scan::Comparison>)| Target {
        name: host.name.clone(),
        group: host.group.clone(),
        address: connect::address(host, &way),
        way,
        root: host.root.clone().unwrap_or_else(|| "/".to_owned()),
        sudo: host.sudo.unwrap_or(args.connect.sudo),
        comparison: std::sync::Arc::clone(comparison),
    };
    Ok(hosts.iter().zip(ways).zip(&comparisons.of_host).map(target).collect())
}

fn begin(
    id: &RunId,
    started: jiff::Timestamp,
    hosts: &[Host],
    args: &ScanArgs,
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
        },
        drift_at,
        allow_outdated: args.allow_outdated,
        notes: comparisons.notes.clone(),
    }
}

/// Name, version and the digest of this very program, where it can be read.
fn tool() -> String {
    let program = std::env::current_exe().and_then(std::fs::read);
    program.map_or_else(|_| TOOL.to_owned(), |bytes| format!("{TOOL} sha256:{}", hex(&Sha256::digest(bytes))))
}

/// Journal and audit trail of the run, and the first error in keeping them.
struct Books {
    journal: Journal,
    audit: Audit,
    error: Option<StoreError>,
}

impl Books {
    fn open(folder: &RunFolder, start: &Start, hosts: usize) -> Outcome<Self> {
        let journal = folder.journal(start).map_err(|error| stored(&error))?;
        let audit = folder.audit().map_err(|error| stored(&error))?;
        let begin = store::Event::Begin {
            run: start.run.to_string(),
            at: start.started.clone(),
            tool: start.digests.tool.clone(),
            probe: start.digests.probe.clone(),
            inventory: start.digests.inventory.clone(),
            hosts: hosts as u64,
        };
        audit.record(&begin).map_err(|error| stored(&error))?;
        Ok(Self { journal, audit, error: None })
    }

    fn keep(&mut self, event: &Event) {
        if let Event::Finished { outcome, account, .. } = event {
            let kept = self.journal.append(outcome).and_then(|()| self.audit.record(&contact(account)));
            // A full disk does not stop the scan: the report is still to be shown.
            if let Err(error) = kept {
                self.error.get_or_insert(error);
            }
        }
    }

    fn close(mut self, folder: &RunFolder, outcome: &FleetOutcome, status: u8) -> Result<(), StoreError> {
        let end = store::Event::End { run: outcome.run.to_string(), at: jiff::Timestamp::now().to_string(), status };
        let finished = self.journal.finish().and_then(|()| self.audit.record(&end)).and_then(|()| self.audit.finish());
        let written = folder.write_report(outcome);
        match self.error.take() {
            Some(error) => Err(error),
            None => finished.and(written),
        }
    }
}

fn contact(account: &Account) -> store::Event {
    let digest = |text: &String| hex(&Sha256::digest(text));
    store::Event::Contact(Contact {
        host: account.host.clone(),
        address: account.address.clone(),
        host_key: account.host_key.clone(),
        key_used: account.key_used.clone(),
        sudo: account.sudo,
        command_digest: account.command.as_ref().map(digest),
        probe_digest: account.command.as_ref().map(|_| probe_digest().to_owned()),
        request_digest: account.request.clone(),
        // No content is ever asked for yet.
        content_read: Vec::new(),
        sent: account.sent,
        received: account.received,
        exit: (account.end == "ok").then_some(0),
        attempts: account.attempts,
        started: account.started.clone(),
        ended: account.ended.clone(),
    })
}
