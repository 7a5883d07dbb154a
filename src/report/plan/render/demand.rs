//! What a platform demands of a plan, and what the plan lacks of it.
//!
//! *Invariant:* every lack is told, not the first alone, and each with the word to write.

use super::Fault;
use super::identity::Identity;
use super::platform::Platform;
use super::word::Word;
use crate::plan::{Group, Item};
use crate::report::quote::comment;

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
