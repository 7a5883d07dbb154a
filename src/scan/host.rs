//! The task of one host: dial, observe, judge.
//!
//! *Invariant:* whatever goes wrong becomes a value in the outcome.

use super::comparison::Comparison;
use super::event::{Account, Event};
use super::evidence::evidence;
use crate::collect::{self, Ask, Failure, Ran};
use crate::drift::{Observation, judge};
use crate::inventory::ProbeChoice;
use crate::model::text::hex;
use crate::model::{Collector, Decision, Evidence, HostOutcome, Reason, Verdict, Wire};
use crate::protocol::Salt;
use crate::protocol::request::{Limits, Mode};
use crate::transport::{Connection, Dialer, LocalConnection, Route, Step};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How a target is reached.
#[derive(Debug, Clone)]
pub enum Way {
    /// Over SSH.
    Ssh(Box<Route>),
    /// On this machine.
    Local,
}

impl Way {
    /// What it shares with other hosts and has room for `--max-per-jump` of them: jump hosts.
    #[must_use]
    pub fn shared(&self) -> Vec<String> {
        match self {
            Self::Ssh(route) => route.shared_ways(),
            Self::Local => Vec::new(),
        }
    }
}

/// One host of the run with all that was decided about it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name in the fleet.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its address for people.
    pub address: String,
    /// How to get there.
    pub way: Way,
    /// The folder to scan; `/` is the running system.
    pub root: String,
    /// Whether the probe runs under sudo.
    pub sudo: bool,
    /// What collects there.
    pub probe: ProbeChoice,
    /// What it is compared with.
    pub comparison: Arc<Comparison>,
}

/// Terms of the run.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// For each host, from its turn to its verdict.
    pub timeout: Duration,
    /// One hashing process a host.
    pub gentle: bool,
    /// Of the run.
    pub salt: Salt,
}

/// The limits that a host gets: the policy's, and never so much time that its account comes after our deadline.
#[must_use]
pub fn ask_terms(limits: Limits, timeout: Duration) -> Limits {
    let seconds = u32::try_from(timeout.as_secs() * 9 / 10).unwrap_or(u32::MAX).max(1);
    Limits { seconds: limits.seconds.min(seconds), ..limits }
}

/// Runs the task.
pub(super) fn scan(
    target: &Target,
    index: usize,
    terms: &Terms,
    dialer: &Dialer,
    tell: &dyn Fn(Event),
) -> (HostOutcome, Account) {
    let start = Instant::now();
    let mut task = Task {
        target,
        terms,
        deadline: start + terms.timeout,
        wire: Wire { attempts: 1, ..Wire::default() },
        host_key: None,
        ran: Ran::default(),
        account: Account {
            host: target.name.clone(),
            address: target.address.clone(),
            sudo: target.sudo,
            started: now_text(),
            ..Account::default()
        },
    };
    let observed = task.observe(dialer, &mut |step| {
        if let Step::Retrying { why, .. } = step {
            tell(Event::Retrying { index, why });
        }
    });
    task.wire.millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let end = observed.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned());
    let outcome = task.outcome(observed);
    let account = Account {
        ended: now_text(),
        sent: outcome.wire.sent,
        received: outcome.wire.received,
        attempts: outcome.wire.attempts,
        host_key: outcome.host_key.clone(),
        end,
        ..task.account
    };
    (outcome, account)
}

struct Task<'a> {
    target: &'a Target,
    terms: &'a Terms,
    deadline: Instant,
    wire: Wire,
    host_key: Option<String>,
    ran: Ran,
    account: Account,
}

impl Task<'_> {
    fn observe(&mut self, dialer: &Dialer, steps: &mut dyn FnMut(Step)) -> Result<Observation, Failure> {
        match &self.target.way {
            Way::Local => self.converse(&mut LocalConnection::new()),
            Way::Ssh(route) => {
                let mut attempts = 1;
                let mut key = None;
                let dialled = dialer.dial(route, self.deadline, &mut |step| {
                    match &step {
                        Step::Retrying { attempt, .. } => attempts = attempt + 1,
                        Step::HostKey { key: seen, .. } => key = Some(seen.clone()),
                        Step::Resolved { .. }
                        | Step::Through { .. }
                        | Step::Connected { .. }
                        | Step::LoggedIn { .. } => {}
                    }
                    steps(step);
                });
                self.wire.attempts = attempts;
                self.host_key = key;
                let mut connection = dialled.map_err(|error| Failure::of_transport(&error))?;
                self.converse(&mut *connection)
            }
        }
    }

    fn converse(&mut self, connection: &mut dyn Connection) -> Result<Observation, Failure> {
        let comparison = &self.target.comparison;
        let mut nonce = [0u8; 32];
        getrandom::fill(&mut nonce)
            .map_err(|error| Failure::new(Reason::Internal, format!("no random numbers: {error}")))?;
        let ask = Ask {
            policy: Some(&comparison.policy),
            host: &self.target.name,
            root: &self.target.root,
            live: comparison.live && self.target.root == "/",
            sudo: self.target.sudo,
            probe: self.target.probe,
            gentle: self.terms.gentle,
            limits: ask_terms(comparison.policy.limits(), self.terms.timeout),
            bounds: comparison.bounds,
            deadline: self.deadline,
            scopes: comparison.policy.scopes(),
            rules: &comparison.rules,
            key: comparison.key.as_ref(),
            salt: &self.terms.salt,
            nonce,
        };
        self.account.key_used = connection.key_used().map(ToOwned::to_owned);
        if ask.probe != ProbeChoice::Sh {
            // What the sh way is sent is the paths that the host named itself.
            let symbols = u32::try_from(crate::drift::reference::FIRST).unwrap_or(0);
            self.account.request = Some(hex(&Sha256::digest(ask.request(Mode::Sketch(symbols)))));
        }
        let observed = collect::observe(connection, &ask, &comparison.references, &mut self.ran);
        self.account.command = self.ran.commands();
        self.account.sent_probe = self.ran.sent_probe();
        self.account.said_probe = self.ran.said_digest().map(ToOwned::to_owned);
        let traffic = connection.traffic();
        self.wire.sent = traffic.sent;
        self.wire.received = traffic.received;
        observed
    }

    fn outcome(&self, observed: Result<Observation, Failure>) -> HostOutcome {
        let target = self.target;
        let blank = HostOutcome {
            name: target.name.clone(),
            group: target.group.clone(),
            address: target.address.clone(),
            verdict: Verdict::Unverifiable,
            decision: Decision::Investigate,
            reference: target.comparison.references.first().map(|reference| reference.label.to_string()),
            versions_behind: None,
            reasons: Vec::new(),
            findings: Vec::new(),
            causes: Vec::new(),
            coverage: None,
            collector: None,
            host_key: self.host_key.clone(),
            evidence: Evidence::default(),
            snowflake: None,
            state: None,
            wire: self.wire,
        };
        let observation = match observed {
            Ok(observation) => observation,
            Err(failure) => return HostOutcome { reasons: vec![failure.obstacle()], ..blank },
        };
        let comparison = &target.comparison;
        let judged = judge(&comparison.references, &observation, &comparison.policy);
        HostOutcome {
            verdict: judged.verdict,
            decision: judged.verdict.decision(),
            reference: Some(judged.reference),
            versions_behind: judged.versions_behind,
            reasons: judged.reasons,
            findings: judged.findings,
            causes: judged.causes,
            coverage: Some(judged.coverage),
            collector: self.ran.collector().map(|ran| match (&target.way, ran) {
                (Way::Local, Collector::Stream) => Collector::Local,
                (Way::Local | Way::Ssh(_), ran) => ran,
            }),
            evidence: evidence(&observation.evidence, now()),
            state: judged.state,
            ..blank
        }
    }
}

/// What is left of a host whose task panicked.
pub(super) fn fault(target: &Target) -> (HostOutcome, Account) {
    let failure = Failure {
        remedy: Some("please report it with the output of driftscan version".to_owned()),
        ..Failure::new(Reason::Internal, "a fault of driftscan's own; the message is on standard error")
    };
    let outcome = HostOutcome {
        name: target.name.clone(),
        group: target.group.clone(),
        address: target.address.clone(),
        verdict: Verdict::Unverifiable,
        decision: Decision::Investigate,
        reference: None,
        versions_behind: None,
        reasons: vec![failure.obstacle()],
        findings: Vec::new(),
        causes: Vec::new(),
        coverage: None,
        collector: None,
        host_key: None,
        evidence: Evidence::default(),
        snowflake: None,
        state: None,
        wire: Wire::default(),
    };
    let account = Account {
        host: target.name.clone(),
        address: target.address.clone(),
        end: failure.to_string(),
        ..Account::default()
    };
    (outcome, account)
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn now_text() -> String {
    jiff::Timestamp::from_second(now()).map(|time| time.to_string()).unwrap_or_default()
}
