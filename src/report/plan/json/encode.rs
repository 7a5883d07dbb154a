//! From the plan to the shape of the file.
//!
//! *Invariant:* every field of the plan is written; a field that the plan gains breaks the build here.

use super::{SCHEMA, VERSION, v1};
use crate::model::BaselineUse;
use crate::plan::{
    Actuator, BasedOn, Change, Deferred, Group, Guards, Handle, Item, Member, Plan, Refused, Surge, Wave, Window,
};
use std::collections::BTreeMap;

/// The document without its id.
pub(super) fn plan(plan: &Plan) -> v1::Plan {
    let Plan { id: _, created, expires, based_on, guards, groups, items, waves, deferred, refused, change } = plan;
    let Guards { max_group_drift_percent, require_two_runs } = *guards;
    v1::Plan {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        id: None,
        created: created.clone(),
        expires: expires.clone(),
        based_on: self::based_on(based_on),
        guards: v1::Guards { max_group_drift_pct: max_group_drift_percent, require_two_runs },
        groups: groups.iter().map(group).collect(),
        items: items.iter().map(item).collect(),
        waves: waves.iter().map(wave).collect(),
        deferred: deferred.iter().map(self::deferred).collect(),
        refused: refused.iter().map(self::refused).collect(),
        change: change.as_ref().map(self::change),
    }
}

fn based_on(from: &BasedOn) -> v1::BasedOn {
    let BasedOn { run, report, baselines, inventory, settings, tool } = from.clone();
    let baseline = |BaselineUse { label, digest, group, note }| v1::Baseline { label, digest, group, note };
    v1::BasedOn {
        run: run.as_str().to_owned(),
        report,
        baselines: baselines.into_iter().map(baseline).collect(),
        inventory,
        settings: Some(settings).filter(|digest| !digest.is_empty()),
        tool,
    }
}

fn group(from: &Group) -> v1::Group {
    let Group {
        name,
        actuator,
        refs,
        size,
        healthy,
        unhealthy,
        floor,
        max_unavailable,
        declared,
        surge,
        windows,
        health_command,
        ready_seconds,
        bake_seconds,
        members,
    } = from;
    v1::Group {
        id: name.clone(),
        actuator: actuator.map(Actuator::word).map(str::to_owned),
        refs: map(refs),
        size: *size as u64,
        healthy: *healthy as u64,
        unhealthy: unhealthy.clone(),
        capacity: v1::Capacity {
            floor: *floor as u64,
            max_unavailable: *max_unavailable as u64,
            source: source(*declared).to_owned(),
        },
        surge: match surge {
            Surge::TerminateFirst => 0,
            Surge::ReplaceFirst(machines) => *machines,
        },
        windows: windows
            .iter()
            .cloned()
            .map(|Window { cron, duration, tz }| v1::Window { cron, duration, tz })
            .collect(),
        health: v1::Health { command: health_command.clone(), ready_seconds: *ready_seconds },
        bake_seconds: *bake_seconds,
        members: members.iter().map(member).collect(),
    }
}

/// Where floor and budget come from.
pub(super) fn source(declared: bool) -> &'static str {
    if declared { "declared" } else { "default" }
}

fn member(from: &Member) -> v1::Member {
    let Member { host, machine_id, host_key, handle } = from.clone();
    v1::Member { host, machine_id, host_key, handle: self::handle(&handle) }
}

fn handle(from: &Handle) -> BTreeMap<String, String> {
    map(&from.0)
}

fn map(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}

fn item(from: &Item) -> v1::Item {
    let Item {
        host,
        group,
        address,
        jump,
        handle,
        machine_id,
        host_key,
        verdict,
        reference,
        target,
        severity,
        codes,
        evidence,
        fingerprints,
        first_seen,
        snowflake,
        zone,
        quorum,
    } = from.clone();
    v1::Item {
        host,
        group,
        address,
        jump,
        handle: self::handle(&handle),
        machine_id,
        host_key,
        verdict: verdict.word().to_owned(),
        reference,
        target,
        reason: v1::Reason {
            severity: severity.map(|severity| severity.word().to_owned()),
            codes,
            evidence,
            fingerprints,
            first_seen,
            snowflake,
        },
        constraints: v1::Constraints { zone, quorum },
    }
}

fn wave(from: &Wave) -> v1::Wave {
    let Wave { number, group, zone, canary, hosts } = from.clone();
    v1::Wave { number: number as u64, group, zone, canary, hosts }
}

fn deferred(from: &Deferred) -> v1::Deferred {
    let Deferred { host, group, why, reason, at_risk } = from.clone();
    v1::Deferred { host, group, why, reason, at_risk }
}

fn refused(from: &Refused) -> v1::Refused {
    let Refused { group, hosts, why, reason } = from.clone();
    v1::Refused { group, hosts, why, reason }
}

fn change(from: &Change) -> v1::Change {
    let Change { previous, added, removed, changed } = from.clone();
    v1::Change {
        previous,
        added,
        removed: removed.into_iter().map(|(host, now)| v1::Removed { host, now }).collect(),
        changed: changed.into_iter().map(|(host, what)| v1::Changed { host, what }).collect(),
    }
}
