//! What this way of collecting can't see, and the comparison without it.
//!
//! *Invariant:* an attribute that nobody looked at is neither there nor absent: it is taken out of both sides, and the coverage
//! names it once.

use crate::drift::image::{names, release};
use crate::drift::versions::{Choosing, side_by_side};
use crate::drift::{Choice, Difference, Found, Reference};
use crate::manifest::{Identity, is_of_settings};
use crate::model::Image;
use crate::policy::{KERNEL_SETTINGS, UNSEEN, unseen};
use crate::protocol::coverage::{Coverage, Part, Trouble, Why};
use crate::protocol::{Attr, Mask, Record, RuleSet, System};
use std::collections::HashSet;

/// Names the attributes that the rules compare somewhere and nobody could see.
pub(super) fn note(rules: &RuleSet, references: &[Reference], coverage: &mut Coverage) {
    let asked = rules.rules().iter().fold(Mask::NONE, |all, rule| Mask(all.0 | rule.mask.0));
    let mut records = references.iter().flat_map(|reference| &reference.set.set.records);
    let settings = records.any(|record| is_of_settings(record.subject()));
    let is_asked = |(word, attr): &&(&str, Attr)| if *word == KERNEL_SETTINGS { settings } else { asked.has(*attr) };
    for (word, _) in UNSEEN.iter().filter(is_asked) {
        coverage.troubles_total += 1;
        coverage.troubles.push(Trouble {
            path: word.as_bytes().to_vec(),
            part: Part::Source,
            why: Why::Denied,
            errno: 0,
        });
    }
}

/// Databases that this way does not read, by where they lie.
const OTHERS: [(System, &[&[u8]]); 5] = [
    (
        System::Rpm,
        &[
            b"/var/lib/rpm/rpmdb.sqlite",
            b"/var/lib/rpm/Packages.db",
            b"/var/lib/rpm/Packages",
            b"/usr/lib/sysimage/rpm/rpmdb.sqlite",
            b"/usr/lib/sysimage/rpm/Packages.db",
            b"/usr/lib/sysimage/rpm/Packages",
        ],
    ),
    (System::Apk, &[b"/lib/apk/db/installed", b"/usr/lib/apk/db/installed"]),
    (System::Pacman, &[b"/var/lib/pacman/local"]),
    (System::Snap, &[b"/var/lib/snapd/snaps"]),
    (System::Flatpak, &[b"/var/lib/flatpak/app", b"/var/lib/flatpak/runtime"]),
];

/// The places of those databases.
pub(super) fn places() -> impl Iterator<Item = &'static [u8]> {
    OTHERS.into_iter().flat_map(|(_, places)| places.iter().copied())
}

/// Names the package systems that the host or its baseline has, and that nobody looked at.
pub(super) fn systems(references: &[Reference], is_there: impl Fn(&[u8]) -> bool, coverage: &mut Coverage) {
    const NOT_LOOKED_AT: u16 = 38;
    let of_baseline = |system| references.iter().any(|reference| reference.set.set.has(system));
    for (system, places) in OTHERS {
        if of_baseline(system) || places.iter().any(|place| is_there(place)) {
            coverage.troubles_total += 1;
            coverage.troubles.push(Trouble {
                path: [b"packages:", system.word().as_bytes()].concat(),
                part: Part::Source,
                why: Why::Packages,
                errno: NOT_LOOKED_AT,
            });
        }
    }
}

/// The paths that have a file capability in the selected reference.
pub(super) fn capable(references: &[Reference]) -> HashSet<Vec<u8>> {
    let records = references.first().map_or(&[][..], |reference| &reference.set.set.records);
    let has = |record: &&Record| record.view().attr(Attr::Capability).is_some();
    records.iter().filter(has).filter_map(|record| record.view().path().map(<[u8]>::to_vec)).collect()
}

/// The records of a reference that could be seen at all.
fn visible(reference: &Reference) -> impl Iterator<Item = &Record> {
    reference.set.set.records.iter().filter(|record| !is_of_settings(record.subject()))
}

/// A record without what can't be seen.
fn seen(record: &Record) -> Record {
    let mut out = Vec::new();
    record.view().project(record.view().mask().without(unseen()), &mut out);
    Record::parse(&out).unwrap_or_else(|_| record.clone())
}

/// How a host's records, sorted by subject, relate to the references.
pub(super) fn compare(host: &[Record], references: &[Reference]) -> Found {
    let equals = |reference: &&Reference| {
        visible(reference).count() == host.len()
            && visible(reference).zip(host).all(|(ours, theirs)| seen(ours) == *theirs)
    };
    if let Some(at) = references.iter().position(|reference| equals(&reference)) {
        return Found::Equal(at);
    }
    let Some(selected) = references.first() else { return Found::AnotherSystem };
    Found::Different(difference(host, selected))
}

/// What a host does not share with a version.
fn difference(host: &[Record], reference: &Reference) -> Difference {
    let mut difference = Difference::default();
    for (old, new) in side_by_side(visible(reference), host, |record: &Record| record.subject()) {
        match (old, new) {
            (Some(old), Some(new)) => {
                let old = seen(old);
                if old != *new {
                    difference.removed.push(old);
                    difference.added.push(new.clone());
                }
            }
            // What is gone is gone with every attribute that it had.
            (Some(old), None) => difference.removed.push(old.clone()),
            (None, Some(new)) => difference.added.push(new.clone()),
            (None, None) => {}
        }
    }
    difference
}

/// Chooses the version to compare with, by what could be seen; a listing tells the difference from each of them.
pub(super) fn choose(
    host: &[Record],
    from_selected: &Difference,
    references: &[Reference],
    identity: &Identity,
    image: &Image,
) -> Choice {
    let Some((selected, older)) = references.split_first() else { return Choice::default() };
    let is_named = |reference: &Reference| names(reference, image, release(selected, Some(from_selected)));
    let mut choosing = Choosing::new(from_selected.subjects(), is_named(selected));
    let mut found = None;
    for (at, reference) in (1..).zip(older).filter(|(_, reference)| reference.identity.fits(identity)) {
        let difference = difference(host, reference);
        choosing.weigh(at, difference.subjects(), is_named(reference));
        if choosing.at() == at {
            found = Some((at, difference));
        }
    }
    let older = found.filter(|(at, _)| *at == choosing.at());
    Choice { nearest: choosing.nearest(), older }
}
