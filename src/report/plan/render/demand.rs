//! What a platform demands of a plan, and what the plan lacks of it.
//!
//! *Invariant:* every lack is told, not the first alone, and each with the word to write.

use super::Fault;
use super::identity::Identity;
use super::platform::Platform;
use super::word::Word;
use crate::plan::{Group, Item};
use crate::report::quote::comment;
use std::collections::{BTreeMap, BTreeSet};

/// Keys of a group that a change ticket reads.
const EVERYWHERE: [&str; 1] = ["rollback_to"];

/// Faults in what names hosts and groups to the platform.
pub(super) fn faults(
    platform: &impl Platform,
    groups: &[&Group],
    items: &[&(&Item, Identity<'_>)],
    faults: &mut Vec<Fault>,
) {
    for word in platform.handles() {
        let (mut without, key, example) = (Vec::new(), word.key, word.example);
        for (item, _) in items {
            match item.handle.get(key) {
                None if !word.why.is_empty() => without.push(comment(&item.host)),
                value => unfit(word, &item.host, value, faults),
            }
        }
        if !without.is_empty() {
            faults.push(Fault::Handle { key, example, hosts: without });
        }
        for group in groups {
            shared(key, group, items, faults);
        }
    }
    for group in groups {
        unknown(platform, group, faults);
        for word in platform.refs() {
            match group.refs.iter().find(|(key, _)| key == word.key) {
                None if !word.why.is_empty() => faults.push(Fault::Reference {
                    group: comment(&group.name),
                    key: word.key,
                    example: word.example,
                    why: word.why,
                }),
                value => unfit(word, &group.name, value.map(|(_, value)| value.as_str()), faults),
            }
        }
    }
    let unprovable: Vec<String> = items
        .iter()
        .filter(|(item, identity)| !platform.provable(item, identity))
        .map(|(item, _)| comment(&item.host))
        .collect();
    if !unprovable.is_empty() {
        faults.push(Fault::Unprovable { hosts: unprovable, remedy: platform.remedy() });
    }
}

/// What two hosts of a group are named by names the machine of one of them at most, and nobody can tell of which.
fn shared(key: &'static str, group: &Group, items: &[&(&Item, Identity<'_>)], faults: &mut Vec<Fault>) {
    let of_group = items.iter().filter(|(item, _)| item.group == group.name);
    let named: BTreeSet<&str> = of_group.filter_map(|(item, _)| item.handle.get(key)).collect();
    let mut hosts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for member in &group.members {
        if let Some(value) = member.handle.get(key).filter(|value| named.contains(value)) {
            hosts.entry(value).or_default().push(comment(&member.host));
        }
    }
    let twice = hosts.into_iter().filter(|(_, hosts)| hosts.len() > 1);
    faults.extend(twice.map(|(value, hosts)| Fault::Shared { key, value: comment(value), hosts }));
}

/// Keys that a group has for nothing, where it is this platform's by its own word and not another's as well.
fn unknown(platform: &impl Platform, group: &Group, faults: &mut Vec<Fault>) {
    if group.actuator.is_none() {
        return;
    }
    let known: Vec<_> = platform.refs().iter().map(|word| word.key).chain(EVERYWHERE).collect();
    for (key, _) in group.refs.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        faults.push(Fault::Unknown { group: comment(&group.name), key: comment(key), known: known.clone() });
    }
}

fn unfit(word: &Word, of: &str, value: Option<&str>, faults: &mut Vec<Fault>) {
    if let Some(value) = value.filter(|value| !(word.fits)(value)) {
        faults.push(Fault::Unfit { of: comment(of), key: word.key, value: comment(value), example: word.example });
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use crate::report::plan::render::renderers;
    use crate::report::plan::render::samples::plan;

    #[test]
    fn what_two_hosts_are_named_by_is_refused() {
        let mut plan = plan(None);
        // Not planned, and yet it may be the one that would go.
        plan.groups[0].members[8].handle = plan.items[1].handle.clone();
        for (name, told) in [
            ("terraform", "tf=aws_instance.web[\"2\"] names web-02 web-09 of one group"),
            ("aws-asg", "instance=i-0123456789abcde02 names web-02 web-09 of one group"),
            ("kubectl", "node=node-2 names web-02 web-09 of one group"),
        ] {
            let renderer = renderers().iter().find(|renderer| renderer.name() == name).unwrap();
            let refused = renderer.render(&plan, &mut Vec::new()).unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
        }
        plan.groups[0].members[8].handle.0.clear();
        for renderer in renderers().iter().filter(|renderer| renderer.name() == "kubectl") {
            renderer.render(&plan, &mut Vec::new()).unwrap();
        }
    }
}
