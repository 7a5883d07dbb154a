//! What is different from the plan before.
//!
//! *Invariant:* where nothing is, the plan before is this plan.

use super::standing::Standing;
use crate::model::Verdict;
use crate::plan::document::{Change, Item, Plan};
use std::collections::{BTreeMap, HashMap};

/// Whether they say the same, but for what each says of the plan before it.
pub(super) fn is_same(plan: &Plan, previous: &Plan) -> bool {
    // Every field is named, so that a new one is compared or left out on purpose.
    let Plan { id: _, created, expires, based_on, guards, groups, items, waves, deferred, refused, change: _ } =
        previous;
    plan.based_on == *based_on
        && plan.created == *created
        && plan.expires == *expires
        && plan.guards == *guards
        && plan.groups == *groups
        && plan.items == *items
        && plan.waves == *waves
        && plan.deferred == *deferred
        && plan.refused == *refused
}

pub(super) fn between(previous: &Plan, plan: &Plan, standing: &Standing<'_>) -> Change {
    let (old, new) = (places(previous), places(plan));
    let before: HashMap<&str, &Item> = previous.items.iter().map(|item| (item.host.as_str(), item)).collect();
    let now: HashMap<&str, &Item> = plan.items.iter().map(|item| (item.host.as_str(), item)).collect();
    let elsewhere = elsewhere(plan, standing);
    let gone = |item: &&Item| !now.contains_key(item.host.as_str());
    Change {
        previous: previous.id.clone(),
        added: plan
            .items
            .iter()
            .filter(|item| !before.contains_key(item.host.as_str()))
            .map(|item| item.host.clone())
            .collect(),
        removed: previous
            .items
            .iter()
            .filter(gone)
            .map(|item| {
                let place = elsewhere.get(item.host.as_str()).cloned();
                (item.host.clone(), place.unwrap_or_else(|| "not in the fleet".to_owned()))
            })
            .collect(),
        changed: plan
            .items
            .iter()
            .filter_map(|item| {
                let was = before.get(item.host.as_str())?;
                let told = differences(was, item, old.get(item.host.as_str()), new.get(item.host.as_str()));
                (!told.is_empty()).then(|| (item.host.clone(), told.join("; ")))
            })
            .collect(),
    }
}

/// The wave of each host among those of its group, from 1.
fn places(plan: &Plan) -> HashMap<&str, usize> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut places = HashMap::new();
    for wave in &plan.waves {
        let nth = counts.entry(wave.group.as_str()).or_default();
        *nth += 1;
        places.extend(wave.hosts.iter().map(|host| (host.as_str(), *nth)));
    }
    places
}

/// Where hosts of the fleet are that are not planned.
fn elsewhere<'a>(plan: &'a Plan, standing: &Standing<'a>) -> BTreeMap<&'a str, String> {
    let mut places: BTreeMap<&str, String> = BTreeMap::new();
    for stand in &standing.hosts {
        let word = match stand.outcome.map(|outcome| outcome.verdict) {
            None => "not scanned",
            Some(verdict @ (Verdict::Drifted | Verdict::Unverifiable | Verdict::Outdated | Verdict::Clean)) => {
                verdict.word()
            }
        };
        places.insert(stand.host.name.as_str(), word.to_owned());
    }
    for deferred in &plan.deferred {
        places.insert(&deferred.host, format!("deferred: {}", deferred.why));
    }
    for refused in &plan.refused {
        for host in &refused.hosts {
            places.insert(host, format!("refused: {}", refused.why));
        }
    }
    places
}

fn differences(was: &Item, is: &Item, old: Option<&usize>, new: Option<&usize>) -> Vec<String> {
    let mut told = Vec::new();
    if let (Some(old), Some(new)) = (old, new)
        && old != new
        && was.group == is.group
    {
        told.push(format!("wave {new} of its group, was {old}"));
    }
    if was.group != is.group {
        told.push(format!("group {}, was {}", is.group, was.group));
    }
    if was.verdict != is.verdict {
        told.push(format!("{}, was {}", is.verdict.word(), was.verdict.word()));
    } else if was.fingerprints != is.fingerprints || was.codes != is.codes {
        told.push("other findings".to_owned());
    }
    if was.target != is.target {
        told.push(format!("to become {}, was {}", is.target, was.target));
    }
    if was.machine_id != is.machine_id || was.host_key != is.host_key {
        told.push("another machine of this name".to_owned());
    }
    if was.handle != is.handle {
        told.push("another handle".to_owned());
    }
    told
}
