//! Which host of a fresh fleet stands in the place of which item.
//!
//! *Invariant:* no host stands for two items, and a machine that the plan knew as another member stands for none.

use super::super::{Item, Plan, Wave};
use super::Fresh;
use crate::inventory::Host;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Keys of a handle that stay where a machine is replaced. The others name the machine itself.
const LASTING: [&str; 3] = ["tf", "slot", "eip"];

/// A host in the place of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) fresh: Fresh<'a>,
    /// By what it was found.
    pub(super) by: &'static str,
}

/// The waves up to the last of those that are asked about; all where none is.
pub(super) fn through(plan: &Plan, waves: &[usize]) -> BTreeSet<usize> {
    let last = waves.iter().copied().max().unwrap_or(usize::MAX);
    plan.waves.iter().map(|wave| wave.number).filter(|number| *number <= last).collect()
}

/// Items with their waves, in the order of the waves.
fn items<'a>(plan: &'a Plan, waves: &BTreeSet<usize>) -> Vec<(&'a Item, usize)> {
    let known: HashMap<&str, &Item> = plan.items.iter().map(|item| (item.host.as_str(), item)).collect();
    let of = |wave: &'a Wave| wave.hosts.iter().map(move |host| (host.as_str(), wave.number));
    let asked = plan.waves.iter().filter(|wave| waves.contains(&wave.number)).flat_map(of);
    asked.filter_map(|(host, wave)| Some((*known.get(host)?, wave))).collect()
}

/// The lasting keys of a host or an item, with their values.
fn lasting(words: &[(String, String)]) -> impl Iterator<Item = (&'static str, &str)> {
    let of = |key: &'static str| words.iter().find(|(own, _)| own == key).map(|(_, value)| (key, value.as_str()));
    LASTING.into_iter().filter_map(of)
}

/// Names of the members that the plan knew, group by group.
fn known(plan: &Plan) -> HashMap<&str, HashSet<&str>> {
    let mut known: HashMap<&str, HashSet<&str>> = HashMap::new();
    for group in &plan.groups {
        known.entry(&group.name).or_default().extend(group.members.iter().map(|member| member.host.as_str()));
    }
    known
}

pub(super) fn asked<'a>(plan: &Plan, waves: &BTreeSet<usize>, fleet: &'a [Host]) -> Vec<&'a Host> {
    let items = items(plan, waves);
    let known = known(plan);
    let groups: BTreeSet<&str> = items.iter().map(|(item, _)| item.group.as_str()).collect();
    let names: HashSet<&str> = items.iter().map(|(item, _)| item.host.as_str()).collect();
    let is_new = |host: &Host| {
        groups.contains(host.group.as_str())
            && known.get(host.group.as_str()).is_none_or(|names| !names.contains(host.name.as_str()))
    };
    let handles: HashSet<(&str, &str)> = items.iter().flat_map(|(item, _)| lasting(&item.handle.0)).collect();
    let is_lasting = |host: &Host| lasting(&host.tags).any(|word| handles.contains(&word));
    fleet.iter().filter(|host| names.contains(host.name.as_str()) || is_new(host) || is_lasting(host)).collect()
}

/// The place of each item: by handle, by name, then among the new machines of its group.
pub(super) fn places<'p, 'f>(
    plan: &'p Plan,
    waves: &BTreeSet<usize>,
    fresh: &[Fresh<'f>],
) -> Vec<(&'p Item, usize, Option<Place<'f>>)> {
    let known_names = known(plan);
    let known_machines: HashSet<&str> =
        plan.groups.iter().flat_map(|group| &group.members).filter_map(|member| member.machine_id.as_deref()).collect();
    let machine = |fresh: &Fresh<'f>| fresh.outcome.and_then(|outcome| outcome.evidence.machine_id.as_deref());
    let handles: HashMap<(&str, &str), &Fresh<'f>> =
        fresh.iter().rev().flat_map(|fresh| lasting(&fresh.host.tags).map(move |word| (word, fresh))).collect();
    let names: HashMap<&str, &Fresh<'f>> = fresh.iter().map(|fresh| (fresh.host.name.as_str(), fresh)).collect();
    let mut taken: HashSet<&str> = HashSet::new();
    // A name or an address may be given to a machine that was there before, and one machine may have two names.
    let mut taken_machines: HashSet<&str> = HashSet::new();
    let mut is_free = |item: &Item, fresh: &Fresh<'f>| match machine(fresh) {
        Some(id) if item.machine_id.as_deref() == Some(id) => true,
        Some(id) => !known_machines.contains(id) && taken_machines.insert(id),
        None => true,
    };
    let mut places: Vec<(&'p Item, usize, Option<Place<'f>>)> = Vec::new();
    for (item, wave) in items(plan, waves) {
        let by_handle = lasting(&item.handle.0).find_map(|word| Some((*handles.get(&word)?, word.0)));
        let by_name = || Some((*names.get(item.host.as_str())?, "name"));
        let found = by_handle.or_else(by_name).filter(|(fresh, _)| is_free(item, fresh));
        let found = found.filter(|(fresh, _)| taken.insert(fresh.host.name.as_str()));
        places.push((item, wave, found.map(|(fresh, by)| Place { fresh: *fresh, by })));
    }
    // Machines of a group that the plan knew by no name and no id, in the order of the fleet.
    let mut newcomers: BTreeMap<&str, Vec<Fresh<'f>>> = BTreeMap::new();
    for one in fresh {
        let is_known =
            known_names.get(one.host.group.as_str()).is_some_and(|names| names.contains(one.host.name.as_str()))
                || machine(one).is_some_and(|id| known_machines.contains(id));
        if !is_known && !taken.contains(one.host.name.as_str()) {
            newcomers.entry(one.host.group.as_str()).or_default().push(*one);
        }
    }
    for hosts in newcomers.values_mut() {
        hosts.reverse();
    }
    for (item, _, place) in &mut places {
        // An old name that no longer answers is an old line of the hosts file, where a new machine is there.
        let is_silent = place.is_none_or(|place| machine(&place.fresh).is_none());
        let Some(waiting) = newcomers.get_mut(item.group.as_str()).filter(|_| is_silent) else { continue };
        // The same machine by another name is no second one.
        let next = std::iter::from_fn(|| waiting.pop()).find(|fresh| is_free(item, fresh));
        if let Some(fresh) = next {
            *place = Some(Place { fresh, by: "group" });
        }
    }
    places
}
