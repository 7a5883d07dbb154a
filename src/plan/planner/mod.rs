//! From a run, a fleet and what is declared to a plan.
//!
//! Of each candidate, in this order, the first that holds decides:
//!
//! 1. the fleet has no host of its name, group and template: deferred, `not-in-fleet`;
//! 2. all that it has, most of its group has: deferred, `common-drift`; where not all was read, `investigate`;
//! 3. more than `max_group_drift` of the group's known hosts drifted, three at least: the whole group refused;
//! 4. `pin=`: deferred, `pinned`;
//! 5. machine id and host key are those of another host of the fleet as well: deferred, `two-names`;
//! 6. it holds state: deferred, `drain-first`; nobody looked: `state-unknown`;
//! 7. an address of its own in the world: deferred, `public-address`;
//! 8. the drift is new, where two runs are required: deferred, `first-run`;
//! 9. another member of its quorum is not known to serve: deferred, `quorum`;
//! 10. no host may go while so many serve: deferred, `capacity`;
//! 11. else it is planned, in a wave.
//!
//! Unverifiable and unscanned hosts are no candidates and do not serve, for all that is known.
//!
//! *Invariant:* pure, and near linear in hosts; findings are read, never copied.

mod address;
mod candidate;
mod capacity;
mod change;
mod guard;
mod reason;
mod standing;
mod target;
mod wave;

use super::document::{BasedOn, Deferred, Group, Handle, Item, Member, Plan, Refused, Surge, Wave, Why};
use super::settings::{Rules, Settings};
use crate::inventory::Host;
use crate::model::{Decision, Finding, FleetOutcome, HostOutcome, Verdict};
use crate::protocol::Digest;
use candidate::Verdicts;
use capacity::Capacity;
use jiff::{SignedDuration, Timestamp};
use standing::{Stand, Standing};
use std::collections::{HashMap, HashSet};

/// What a plan is made of.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The run.
    pub report: &'a FleetOutcome,
    /// SHA-256 of its report's bytes, hexadecimal.
    pub report_digest: &'a str,
    /// The hosts of the fleet, in its order.
    pub fleet: &'a [Host],
    /// SHA-256 of the fleet as it was read, hexadecimal.
    pub inventory: &'a str,
    /// What is declared.
    pub settings: &'a Settings,
    /// SHA-256 of the settings' bytes, hexadecimal; empty where there are none.
    pub settings_digest: &'a str,
    /// `driftscan 1.0.0`.
    pub tool: &'a str,
    /// The plan before: an earlier one of this run, else the newest of an earlier run.
    pub previous: Option<&'a Plan>,
    /// What a finding is called in one line.
    pub title: &'a dyn Fn(&Finding) -> String,
}

/// Why a run gives no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unplannable {
    /// It was cut off: what its groups share, and how many hosts serve, nobody knows.
    #[error("the run was cut off after {done} of {selected} hosts")]
    Partial {
        /// Hosts with a verdict.
        done: usize,
        /// Hosts that were selected.
        selected: usize,
    },
    /// Its start is no time, or one that no calendar has.
    #[error("the run does not say when it began")]
    NoTime,
}

/// Plans.
///
/// The plan has no id yet, since an id is that of the written document; where the plan before is the same plan, it is
/// given back as it was, so that planning twice changes nothing.
///
/// # Errors
/// See [`Unplannable`].
pub fn plan(input: &Input<'_>) -> Result<Plan, Unplannable> {
    let report = input.report;
    if report.interrupted.is_some() || report.hosts.len() < report.selected {
        return Err(Unplannable::Partial { done: report.hosts.len(), selected: report.selected });
    }
    let times = Times::of(report, input.settings.expires_seconds).ok_or(Unplannable::NoTime)?;
    let standing = Standing::new(report, input.fleet);
    let mut draft = Draft::default();
    for stand in &standing.hosts {
        let Some(outcome) = stand.outcome.filter(|outcome| differs(outcome)) else { continue };
        let (why, text) = match outcome.decision {
            // Its group decides.
            Decision::Replace => continue,
            Decision::FixTemplate => (Why::CommonDrift, reason::COMMON_DRIFT),
            Decision::Investigate | Decision::Keep => (Why::Investigate, reason::INVESTIGATE),
        };
        draft.defer(stand.at, outcome, why, text.to_owned(), Vec::new());
    }
    for (outcome, now) in &standing.strangers {
        if differs(outcome) {
            let text = reason::not_in_fleet(outcome, *now);
            draft.defer(usize::MAX, outcome, Why::NotInFleet, text, Vec::new());
        }
    }
    for (name, members) in &standing.groups() {
        draft.group(name, members, &standing, input, &times);
    }
    draft.deferred.sort_by_key(|(at, _)| *at);
    let mut plan = Plan {
        id: String::new(),
        created: times.created.to_string(),
        expires: times.expires.to_string(),
        based_on: BasedOn {
            run: report.run.clone(),
            report: input.report_digest.to_owned(),
            baselines: report.baselines.clone(),
            inventory: input.inventory.to_owned(),
            settings: input.settings_digest.to_owned(),
            tool: input.tool.to_owned(),
        },
        guards: input.settings.guards,
        groups: draft.groups,
        items: draft.items,
        waves: draft.waves,
        deferred: draft.deferred.into_iter().map(|(_, deferred)| deferred).collect(),
        refused: draft.refused,
        change: None,
    };
    if let Some(previous) = input.previous {
        if change::is_same(&plan, previous) {
            return Ok(previous.clone());
        }
        plan.change = Some(change::between(previous, &plan, &standing));
    }
    Ok(plan)
}

/// Whether a host is one of which the plan has to say something. Others are no candidates, whatever was decided of them.
fn differs(outcome: &HostOutcome) -> bool {
    match outcome.verdict {
        Verdict::Drifted | Verdict::Outdated => true,
        Verdict::Unverifiable | Verdict::Clean => false,
    }
}

/// When the run was, whatever the clock says now.
struct Times {
    /// Its start.
    started: Timestamp,
    /// Its end, in whole seconds.
    created: Timestamp,
    /// From when on the plan is stale.
    expires: Timestamp,
}

impl Times {
    fn of(report: &FleetOutcome, expires_seconds: u64) -> Option<Self> {
        let after = |time: Timestamp, seconds: u64| {
            time.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
        };
        let started: Timestamp = report.started.parse().ok()?;
        let created = after(Timestamp::from_second(started.as_second()).ok()?, report.millis / 1000)?;
        Some(Self { started, created, expires: after(created, expires_seconds)? })
    }
}

/// The plan as it grows.
#[derive(Default)]
struct Draft {
    groups: Vec<Group>,
    items: Vec<Item>,
    waves: Vec<Wave>,
    deferred: Vec<(usize, Deferred)>,
    refused: Vec<Refused>,
}

impl Draft {
    fn defer(&mut self, at: usize, outcome: &HostOutcome, why: Why, reason: String, at_risk: Vec<String>) {
        let deferred = Deferred {
            host: outcome.name.clone(),
            group: outcome.group.clone(),
            why: why.word().to_owned(),
            reason,
            at_risk,
        };
        self.deferred.push((at, deferred));
    }

    fn group(&mut self, name: &str, members: &[&Stand<'_>], standing: &Standing<'_>, input: &Input<'_>, times: &Times) {
        let candidates: Vec<(&Stand<'_>, &HostOutcome)> = members
            .iter()
            .filter_map(|stand| Some((*stand, stand.outcome?)))
            .filter(|(_, outcome)| differs(outcome) && outcome.decision == Decision::Replace)
            .collect();
        if candidates.is_empty() {
            return;
        }
        let rules = input.settings.of(name);
        let healthy = members.iter().filter(|stand| stand.is_healthy()).count();
        let capacity = Capacity::of(rules, members.len(), healthy);
        self.groups.push(group(name, members, rules, &capacity));
        let outcomes: Vec<&HostOutcome> = candidates.iter().map(|(_, outcome)| *outcome).collect();
        if let Some((why, reason)) = guard::refusal(name, &outcomes, healthy, input) {
            self.refused.push(Refused {
                group: name.to_owned(),
                hosts: outcomes.iter().map(|outcome| outcome.name.clone()).collect(),
                why: why.word().to_owned(),
                reason,
            });
            return;
        }
        let verdicts = Verdicts {
            standing,
            guards: input.settings.guards,
            started: times.started,
            drift_at: input.report.drift_at,
            // Nobody else asks.
            common: if input.settings.guards.require_two_runs { common_of(name, input.report) } else { HashMap::new() },
        };
        let mut fit = Vec::new();
        for (stand, outcome) in candidates {
            if let Some((why, reason, at_risk)) = verdicts.against(stand, outcome) {
                self.defer(stand.at, outcome, why, reason, at_risk);
            } else if capacity.most() == 0 {
                self.defer(stand.at, outcome, Why::Capacity, reason::capacity(name, &capacity), Vec::new());
            } else {
                fit.push((stand, outcome));
            }
        }
        let zoned = members.iter().any(|stand| stand.tag("zone").is_some());
        for (nth, hosts) in wave::waves(&fit, capacity.most(), zoned).into_iter().enumerate() {
            self.waves.push(Wave {
                number: self.waves.len() + 1,
                group: name.to_owned(),
                zone: hosts.first().and_then(|(stand, _)| stand.tag("zone")).map(str::to_owned),
                canary: nth == 0,
                hosts: hosts.iter().map(|(stand, _)| stand.host.name.clone()).collect(),
            });
            self.items.extend(hosts.iter().map(|(stand, outcome)| item(stand, outcome, input)));
        }
    }
}

/// The rows of common drift of a group, with the hosts that have each.
fn common_of<'a>(group: &str, report: &'a FleetOutcome) -> HashMap<&'a Digest, HashSet<&'a str>> {
    let rows = report.common.iter().filter(|row| row.group == group);
    rows.map(|row| (&row.fingerprint, row.hosts.iter().map(String::as_str).collect())).collect()
}

fn group(name: &str, members: &[&Stand<'_>], rules: &Rules, capacity: &Capacity) -> Group {
    Group {
        name: name.to_owned(),
        actuator: rules.actuator,
        refs: rules.refs.clone(),
        size: capacity.size,
        healthy: capacity.healthy,
        unhealthy: members.iter().filter(|stand| !stand.is_healthy()).map(|stand| stand.host.name.clone()).collect(),
        floor: capacity.floor,
        max_unavailable: capacity.max_unavailable,
        declared: rules.floor.is_some() || rules.max_unavailable.is_some(),
        surge: match u32::try_from(capacity.surge).unwrap_or(u32::MAX) {
            0 => Surge::TerminateFirst,
            surge => Surge::ReplaceFirst(surge),
        },
        windows: rules.windows.clone(),
        health_command: rules.health.clone(),
        ready_seconds: rules.ready_seconds,
        bake_seconds: rules.bake_seconds,
        members: members.iter().map(|stand| member(stand)).collect(),
    }
}

fn member(stand: &Stand<'_>) -> Member {
    Member {
        host: stand.host.name.clone(),
        machine_id: stand.outcome.and_then(|outcome| outcome.evidence.machine_id.clone()),
        host_key: stand.outcome.and_then(|outcome| outcome.host_key.clone()),
        handle: handle(stand.host),
    }
}

/// Every tag but those that the planner itself reads: which keys name a machine is the platform's to say.
fn handle(host: &Host) -> Handle {
    const OWN: [&str; 4] = ["owner", "pin", "quorum", "zone"];
    Handle(host.tags.iter().filter(|(key, _)| !OWN.contains(&key.as_str())).cloned().collect())
}

fn item(stand: &Stand<'_>, outcome: &HostOutcome, input: &Input<'_>) -> Item {
    let told = candidate::told(outcome, input.title);
    Item {
        host: stand.host.name.clone(),
        group: stand.host.group.clone(),
        address: outcome.address.clone(),
        jump: stand.host.jump.as_ref().is_some_and(|jump| !jump.is_empty()),
        handle: handle(stand.host),
        machine_id: outcome.evidence.machine_id.clone(),
        host_key: outcome.host_key.clone(),
        verdict: outcome.verdict,
        reference: outcome.reference.clone(),
        target: target::of(stand.host, outcome, &input.report.baselines),
        severity: candidate::gravest(outcome),
        codes: told.codes,
        evidence: told.lines,
        fingerprints: told.fingerprints,
        first_seen: candidate::first_seen(outcome).map(|(_, text)| text.to_owned()),
        snowflake: outcome.snowflake.map(|snowflake| snowflake.score),
        zone: stand.tag("zone").map(str::to_owned),
        quorum: stand.tag("quorum").map(str::to_owned),
    }
}

#[cfg(test)]
mod properties_tests;
#[cfg(test)]
mod tests;
