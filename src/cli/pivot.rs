//! Hosts compared with one of them, the pivot, in place of a baseline: the pivot is read whole, the others as in a scan.
//!
//! *Invariant:* a pivot is read without a gap or it is none; what is read of it is never stored.

use super::args::ReadArgs;
use super::capture::random;
use super::policy;
use super::progress::{Progress, Spinner};
use super::stop::Stop;
use super::trouble::{Outcome, Trouble};
use crate::collect::{self, Ask, Bounds, Captured, Failure, Ran};
use crate::drift::compare::reason;
use crate::drift::inquiry::Answers;
use crate::drift::{Choice, Found, Observation, golden, judge};
use crate::inventory::host::Host;
use crate::manifest::{Baseline, Header, Label};
use crate::model::text::escape;
use crate::model::{HostOutcome, Image, Reason, Wire};
use crate::policy::{Policy, PolicyFile};
use crate::protocol::request::Limits;
use crate::protocol::{RuleSet, Salt, SecretKey};
use crate::scan::{Comparison, Run, Target, Terms, Way, ask_terms, evidence, run as scan_all};
use crate::transport::{Connection, Dialer, LocalConnection};
use std::sync::Arc;
use std::time::Instant;

/// The hosts, how they are reached, and what holds for all of them.
pub(super) struct Survey<'a> {
    pub(super) hosts: &'a [Host],
    pub(super) ways: &'a [Way],
    pub(super) dialer: &'a Arc<Dialer>,
    pub(super) file: &'a PolicyFile,
    pub(super) args: &'a ReadArgs,
    pub(super) jobs: usize,
    pub(super) rate: u32,
    pub(super) per_jump: usize,
    pub(super) salt: Salt,
    /// Of this run alone: nothing that is digested with it is kept.
    pub(super) key: SecretKey,
    pub(super) stop: &'a Stop,
    pub(super) quiet: bool,
}

/// A host that was read whole.
pub(super) struct Pivot {
    /// Its number among the hosts.
    pub(super) number: usize,
    /// The system that it runs; escaped.
    pub(super) system: String,
    /// What it is in the eyes of a scan: without a difference.
    pub(super) outcome: HostOutcome,
    /// For hosts that run, and for those that are folders.
    comparisons: [Arc<Comparison>; 2],
}

impl Survey<'_> {
    /// Reads a host whole.
    pub(super) fn pivot(&self, number: usize) -> Result<Pivot, Failure> {
        let (Some(host), Some(way)) = (self.hosts.get(number), self.ways.get(number)) else {
            return Err(Failure::new(Reason::Internal, "a host that is not there"));
        };
        let address = super::connect::address(host, way);
        let spinner = Spinner::new(self.quiet);
        spinner.say(format!("reading {address}, with which the others are compared"));
        let deadline = Instant::now() + self.args.timeout;
        let mut connection: Box<dyn Connection> = match way {
            Way::Local => Box::new(LocalConnection::new()),
            Way::Ssh(route) => {
                self.dialer.dial(route, deadline, &mut |_| {}).map_err(|error| Failure::of_transport(&error))?
            }
        };
        let nothing = RuleSet::default();
        let mut ask = Ask {
            policy: None,
            host: &host.name,
            root: host.root.as_deref().unwrap_or("/"),
            live: host.root.is_none(),
            sudo: host.sudo.unwrap_or(self.args.connect.sudo),
            probe: host.probe.unwrap_or(self.args.connect.probe.0),
            gentle: self.args.gentle,
            limits: Limits::default(),
            bounds: Bounds::CAPTURE,
            deadline,
            scopes: &[],
            rules: &nothing,
            key: None,
            salt: &self.salt,
            nonce: nonce()?,
        };
        // Which system it is decides the profile, so that is asked first, with nothing to walk.
        let first = collect::capture(&mut *connection, &ask, &mut Ran::default())?;
        let policy = policy::of_captured(self.file, &first);
        let rules = policy.compile();
        let key = policy.is_keyed().then_some(&self.key);
        ask.limits = ask_terms(Limits { seconds: u32::MAX, ..policy.limits() }, self.args.timeout);
        ask.scopes = policy.scopes();
        ask.rules = &rules;
        ask.key = key;
        ask.policy = Some(&policy);
        ask.nonce = nonce()?;
        let mut ran = Ran::default();
        let captured = collect::capture(&mut *connection, &ask, &mut ran)?;
        whole(&captured)?;
        let baseline = baseline(&captured, &policy, &rules, ask.live, key)?;
        let compare = |live| {
            let made = Comparison::new(&baseline, &[], policy.clone(), live, &self.salt, key);
            made.map(Arc::new).map_err(|error| Failure::new(Reason::WrongBaseline, error.reason.to_string()))
        };
        let comparisons = [compare(true)?, compare(false)?];
        let [running, folder] = &comparisons;
        let own = if ask.live { running } else { folder };
        let observation = Observation {
            identity: captured.identity,
            evidence: captured.evidence,
            coverage: captured.coverage,
            live: ask.live,
            found: Found::Equal(0),
            choice: Choice::default(),
            answers: Answers::default(),
        };
        let judged = judge(&own.references, &observation, &policy);
        let traffic = connection.traffic();
        Ok(Pivot {
            number,
            system: escape(observation.identity.to_string().as_bytes()),
            outcome: HostOutcome {
                name: host.name.clone(),
                group: host.group.clone(),
                address,
                verdict: judged.verdict,
                decision: judged.verdict.decision(),
                reference: None,
                versions_behind: None,
                reasons: judged.reasons,
                findings: judged.findings,
                causes: judged.causes,
                coverage: Some(judged.coverage),
                collector: ran.collector(),
                host_key: connection.host_key().map(ToOwned::to_owned),
                evidence: evidence(&observation.evidence, jiff::Timestamp::now().as_second()),
                snowflake: None,
                state: None,
                wire: Wire { sent: traffic.sent, received: traffic.received, attempts: 1, ..Wire::default() },
            },
            comparisons,
        })
    }

    /// Compares hosts with a pivot; the outcomes are in their order, and fewer where the run was stopped.
    pub(super) fn against(&self, pivot: &Pivot, numbers: &[usize]) -> Outcome<Vec<HostOutcome>> {
        let [running, folder] = &pivot.comparisons;
        let target = |number: &usize| {
            let (host, way) = self.hosts.get(*number).zip(self.ways.get(*number))?;
            Some(Target {
                name: host.name.clone(),
                group: host.group.clone(),
                address: super::connect::address(host, way),
                way: way.clone(),
                root: host.root.clone().unwrap_or_else(|| "/".to_owned()),
                sudo: host.sudo.unwrap_or(self.args.connect.sudo),
                probe: host.probe.unwrap_or(self.args.connect.probe.0),
                comparison: Arc::clone(if host.root.is_none() { running } else { folder }),
            })
        };
        let targets: Vec<Target> = numbers.iter().filter_map(target).collect();
        let mut progress = Progress::new(targets.iter().map(|target| target.name.clone()).collect(), self.quiet);
        let plan = Run {
            jobs: self.jobs.clamp(1, targets.len().max(1)),
            targets,
            dialer: Arc::clone(self.dialer),
            terms: Terms { timeout: self.args.timeout, gentle: self.args.gentle, salt: self.salt },
            rate: self.rate,
            per_jump: self.per_jump,
        };
        let scanned = scan_all(plan, &self.stop.asked, &mut |event| progress.watch(event));
        progress.end();
        scanned.map_err(|error| Trouble::with(format!("threads can't be started: {error}"), "fewer --jobs"))
    }
}

fn nonce() -> Result<[u8; 32], Failure> {
    random().map_err(|_| Failure::new(Reason::Internal, "no random numbers"))
}

/// Refuses a pivot with a gap: what it was not read for would differ on every other host, or on none.
fn whole(captured: &Captured) -> Result<(), Failure> {
    const SHOWN: usize = 3;
    let coverage = &captured.coverage;
    let Some(first) = coverage.troubles.first() else {
        return if coverage.troubles_total == 0 {
            Ok(())
        } else {
            Err(Failure::new(Reason::Limit, format!("{} things were not read", coverage.troubles_total)))
        };
    };
    let names: Vec<String> = coverage.troubles.iter().take(SHOWN).map(|trouble| escape(&trouble.path)).collect();
    let more = coverage.troubles_total.saturating_sub(names.len() as u64);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Failure {
        remedy: Some("read the hosts with --sudo, or leave out by policy what the account may not read".to_owned()),
        ..Failure::new(reason(first.why), format!("it can't be read whole: {}{tail}", names.join(", ")))
    })
}

/// What was read, in the form of a baseline.
fn baseline(
    captured: &Captured,
    policy: &Policy,
    rules: &RuleSet,
    live: bool,
    key: Option<&SecretKey>,
) -> Result<Baseline, Failure> {
    let unfit =
        |error: &dyn std::fmt::Display| Failure::new(Reason::Protocol, format!("it can't be compared with: {error}"));
    let label = Label::parse("census@pivot").map_err(|error| unfit(&error))?;
    let header = Header {
        label,
        serial: 1,
        identity: captured.identity.clone(),
        image: Image::of(&captured.evidence),
        live,
        scopes: policy.scopes().to_vec(),
        rules: rules.clone(),
        texts: None,
        key: key.map(SecretKey::id),
        noise: Vec::new(),
    };
    let texts = golden::keep(&captured.records, policy, &captured.texts, &captured.texts).texts;
    let made = Baseline::new(header, captured.records.clone()).and_then(|baseline| baseline.with_texts(texts));
    made.map_err(|error| unfit(&error))
}
