//! From the shape of the file back to the plan.
//!
//! A plan may have been through many hands. Its id proves that no bit was lost, not who wrote it, so that everything a
//! renderer or a status relies on holds or is refused here: texts print as they are, words are of their lists, and each host is
//! in one place.
//!
//! *Invariant:* no bytes make it panic, and no plan is returned that would not be written as it was read.

use super::{ReadError, SCHEMA, VERSION, encode, id_of, v1};
use crate::model::text::{escape, unhex};
use crate::model::{BaselineUse, RunId, Severity, Verdict};
use crate::plan::{
    Actuator, BasedOn, Change, Deferred, Group, Guards, Handle, Item, Member, Plan, Refused, Surge, Wave, Why,
    WhyRefused, Window,
};
use std::collections::{BTreeMap, HashSet};

pub(super) fn plan(mut from: v1::Plan) -> Result<Plan, ReadError> {
    if from.schema != SCHEMA || from.version != VERSION {
        return Err(ReadError::Schema { found: escape(from.schema.as_bytes()) });
    }
    let id = from.id.take().ok_or_else(|| disagree("plan_id", "it is not there"))?;
    if id_of(&from) != id {
        return Err(ReadError::Id);
    }
    let printable = serde_json::to_value(&from).is_ok_and(|value| is_printable(&value));
    if !printable {
        return Err(disagree("a text", "it holds what does not print"));
    }
    let shape = &from;
    let plan = Plan {
        id,
        created: time("created", &shape.created)?,
        expires: time("expires", &shape.expires)?,
        based_on: based_on(&shape.based_on)?,
        guards: Guards {
            max_group_drift_percent: shape.guards.max_group_drift_pct,
            require_two_runs: shape.guards.require_two_runs,
        },
        groups: shape.groups.iter().map(group).collect::<Result<_, _>>()?,
        items: shape.items.iter().map(item).collect::<Result<_, _>>()?,
        waves: shape.waves.iter().map(wave).collect::<Result<_, _>>()?,
        deferred: shape.deferred.iter().map(deferred).collect::<Result<_, _>>()?,
        refused: shape.refused.iter().map(refused).collect::<Result<_, _>>()?,
        change: shape.change.as_ref().map(change),
    };
    consistent(&plan)?;
    if encode::plan(&plan) == from {
        Ok(plan)
    } else {
        Err(disagree("plan", "it is not written as driftscan writes it"))
    }
}

/// Whether every text prints as it is. A backslash is what the escaper writes, or the operator's own.
fn is_printable(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    let prints = |text: &str| {
        text.chars().all(|c| {
            c == '\\' || matches!(c, ' '..='~') || escape(c.encode_utf8(&mut [0; 4]).as_bytes()).starts_with(c)
        })
    };
    match value {
        Value::String(text) => prints(text),
        Value::Array(list) => list.iter().all(is_printable),
        Value::Object(fields) => fields.iter().all(|(key, value)| prints(key) && is_printable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Each planned host stands in one wave of its group, in the order of the waves, and nowhere else.
fn consistent(plan: &Plan) -> Result<(), ReadError> {
    let groups: HashSet<&str> = plan.groups.iter().map(|group| group.name.as_str()).collect();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut items = plan.items.iter();
    for (at, wave) in plan.waves.iter().enumerate() {
        if wave.number != at + 1 || wave.hosts.is_empty() || !groups.contains(wave.group.as_str()) {
            return Err(disagree("waves", "they are not numbered from 1, one is empty, or of no group of the plan"));
        }
        for host in &wave.hosts {
            let own = items.next().is_some_and(|item| item.host == *host && item.group == wave.group);
            if !own || !seen.insert(host) {
                return Err(disagree("waves", "they are not the items in their order, each once"));
            }
        }
    }
    let elsewhere = plan.deferred.iter().map(|deferred| &deferred.host);
    let elsewhere = elsewhere.chain(plan.refused.iter().flat_map(|refused| &refused.hosts));
    if items.next().is_some() || !elsewhere.into_iter().all(|host| seen.insert(host)) {
        return Err(disagree("items", "a host is in no wave, or in more than one place"));
    }
    Ok(())
}

fn based_on(from: &v1::BasedOn) -> Result<BasedOn, ReadError> {
    let baseline = |from: &v1::Baseline| {
        Ok(BaselineUse {
            label: from.label.clone(),
            digest: digest("baseline", &from.digest)?,
            group: from.group.clone(),
            note: from.note.clone(),
        })
    };
    Ok(BasedOn {
        run: RunId::parse(&from.run).ok_or_else(|| no("based_on", "run id", &from.run))?,
        report: digest("report", &from.report)?,
        baselines: from.baselines.iter().map(baseline).collect::<Result<_, ReadError>>()?,
        inventory: digest("inventory", &from.inventory)?,
        settings: from.settings.as_deref().map(|text| digest("settings", text)).transpose()?.unwrap_or_default(),
        tool: from.tool.clone(),
    })
}

fn group(from: &v1::Group) -> Result<Group, ReadError> {
    let place = format!("group {}", escape(from.id.as_bytes()));
    let count = |n: u64| usize::try_from(n).map_err(|_| disagree(&place, "more hosts than this machine can count"));
    let actuator = |word: &String| Actuator::of(word).ok_or_else(|| no(&place, "actuator", word));
    let declared = from.capacity.source == encode::source(true);
    Ok(Group {
        name: from.id.clone(),
        actuator: from.actuator.as_ref().map(actuator).transpose()?,
        refs: pairs(&from.refs),
        size: count(from.size)?,
        healthy: count(from.healthy)?,
        unhealthy: from.unhealthy.clone(),
        floor: count(from.capacity.floor)?,
        max_unavailable: count(from.capacity.max_unavailable)?,
        declared,
        surge: if from.surge == 0 { Surge::TerminateFirst } else { Surge::ReplaceFirst(from.surge) },
        windows: from
            .windows
            .iter()
            .map(|v1::Window { cron, duration, tz }| Window {
                cron: cron.clone(),
                duration: duration.clone(),
                tz: tz.clone(),
            })
            .collect(),
        health_command: from.health.command.clone(),
        ready_seconds: from.health.ready_seconds,
        bake_seconds: from.bake_seconds,
        members: from
            .members
            .iter()
            .map(|v1::Member { host, machine_id, host_key, handle }| Member {
                host: host.clone(),
                machine_id: machine_id.clone(),
                host_key: host_key.clone(),
                handle: Handle(pairs(handle)),
            })
            .collect(),
    })
}

fn item(from: &v1::Item) -> Result<Item, ReadError> {
    let place = format!("item {}", escape(from.host.as_bytes()));
    let severity = |word: &String| Severity::of(word).ok_or_else(|| no(&place, "severity", word));
    let fingerprints = from.reason.fingerprints.iter().map(|text| digest(&place, text));
    Ok(Item {
        host: from.host.clone(),
        group: from.group.clone(),
        address: from.address.clone(),
        jump: from.jump,
        handle: Handle(pairs(&from.handle)),
        machine_id: from.machine_id.clone(),
        host_key: from.host_key.clone(),
        verdict: Verdict::of(&from.verdict)
            .filter(|verdict| matches!(verdict, Verdict::Drifted | Verdict::Outdated))
            .ok_or_else(|| no(&place, "verdict of a candidate", &from.verdict))?,
        reference: from.reference.clone(),
        target: from.target.clone(),
        severity: from.reason.severity.as_ref().map(severity).transpose()?,
        codes: from.reason.codes.clone(),
        evidence: from.reason.evidence.clone(),
        fingerprints: fingerprints.collect::<Result<_, _>>()?,
        first_seen: from.reason.first_seen.clone(),
        snowflake: from.reason.snowflake,
        zone: from.constraints.zone.clone(),
        quorum: from.constraints.quorum.clone(),
    })
}

fn wave(from: &v1::Wave) -> Result<Wave, ReadError> {
    let v1::Wave { number, group, zone, canary, hosts } = from;
    Ok(Wave {
        number: usize::try_from(*number).map_err(|_| disagree("waves", "more than this machine can count"))?,
        group: group.clone(),
        zone: zone.clone(),
        canary: *canary,
        hosts: hosts.clone(),
    })
}

fn deferred(from: &v1::Deferred) -> Result<Deferred, ReadError> {
    let v1::Deferred { host, group, why, reason, at_risk } = from;
    let word = Why::of(why).ok_or_else(|| no(&format!("deferred {}", escape(host.as_bytes())), "reason", why))?;
    Ok(Deferred {
        host: host.clone(),
        group: group.clone(),
        why: word.word().to_owned(),
        reason: reason.clone(),
        at_risk: at_risk.clone(),
    })
}

fn refused(from: &v1::Refused) -> Result<Refused, ReadError> {
    let v1::Refused { group, hosts, why, reason } = from;
    let place = format!("refused {}", escape(group.as_bytes()));
    let word = WhyRefused::of(why).ok_or_else(|| no(&place, "reason", why))?;
    Ok(Refused { group: group.clone(), hosts: hosts.clone(), why: word.word().to_owned(), reason: reason.clone() })
}

fn change(from: &v1::Change) -> Change {
    Change {
        previous: from.previous.clone(),
        added: from.added.clone(),
        removed: from.removed.iter().map(|v1::Removed { host, now }| (host.clone(), now.clone())).collect(),
        changed: from.changed.iter().map(|v1::Changed { host, what }| (host.clone(), what.clone())).collect(),
    }
}

fn pairs(from: &BTreeMap<String, String>) -> Vec<(String, String)> {
    from.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn time(place: &str, text: &str) -> Result<String, ReadError> {
    text.parse::<jiff::Timestamp>().map(|_| text.to_owned()).map_err(|_| no(place, "time", text))
}

fn digest(place: &str, text: &str) -> Result<String, ReadError> {
    unhex::<32>(text).map(|_| text.to_owned()).ok_or_else(|| no(place, "digest", text))
}

fn no(place: &str, what: &'static str, found: &str) -> ReadError {
    ReadError::Word { place: place.to_owned(), what, found: escape(found.as_bytes()) }
}

fn disagree(place: &str, what: &'static str) -> ReadError {
    ReadError::Inconsistent { place: place.to_owned(), what }
}
