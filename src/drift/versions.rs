//! The versions of a template, and which of them a host that equals none is nearest to.
//!
//! Near is in how many subjects the two differ: paths, packages, facts, mounts, each once, whatever differs about it. An upgrade
//! changes hundreds of them together, so that the version that leaves the fewest to explain is the one that the host
//! was built from or brought to. Severity has no say: a host could choose its reference by one grave change.
//!
//! The host is known by what it does not share with the selected version, and so is each older version, once a run; what
//! the host does not share with an older one follows from the two.
//!
//! *Invariant:* an older version is chosen only where it is strictly nearer, or where os-release names it; the difference that
//! comes of it is the one that two full listings would give.

use super::image;
use super::reference::{Difference, Reference};
use crate::manifest::Identity;
use crate::model::Image;
use crate::protocol::Record;
use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::OnceLock;

/// The versions that a host may be of: the selected one first, then older ones, the newest of them first.
#[derive(Debug, Default)]
pub struct Versions {
    references: Vec<Reference>,
    /// For each older version what it does not share with the selected one; known from the first host on that differs.
    steps: OnceLock<Vec<Vec<Step>>>,
}

/// A subject in which a version differs from the selected one: the numbers of its records, there and here.
#[derive(Debug, Clone, Copy)]
struct Step {
    selected: Option<u32>,
    older: Option<u32>,
}

/// With which version a host is compared that equals none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// The number of the nearest version.
    pub nearest: usize,
    /// The older version that it is compared with, and what it does not share with that; `None` is the selected one.
    pub older: Option<(usize, Difference)>,
}

impl Choice {
    /// The number of the version that it is compared with.
    #[must_use]
    pub fn at(&self) -> usize {
        self.older.as_ref().map_or(0, |(at, _)| *at)
    }
}

/// A subject in which the host differs from the selected version, and the host's record.
type Departure<'a> = (&'a [u8], Option<&'a Record>);

impl Versions {
    /// Takes them in their order.
    #[must_use]
    pub fn new(references: Vec<Reference>) -> Self {
        Self { references, steps: OnceLock::new() }
    }

    /// Chooses for a host that differs in this from the selected version, which was proven by its root.
    #[must_use]
    pub fn choose(&self, difference: &Difference, identity: &Identity, image: &Image) -> Choice {
        let Some((selected, older)) = self.references.split_first() else { return Choice::default() };
        if older.is_empty() {
            return Choice::default();
        }
        let departures: Vec<Departure<'_>> = departures(difference).collect();
        let release = image::release(selected, Some(difference));
        let named = |reference: &Reference| image::names(reference, image, release);
        let mut choosing = Choosing::new(departures.len(), named(selected));
        for ((at, reference), steps) in (1..).zip(older).zip(self.steps()) {
            let is_named = named(reference);
            // What differs there and not on the host differs between the two.
            let least = steps.len().saturating_sub(departures.len());
            if !reference.identity.fits(identity) || !is_named && least >= choosing.fewest() {
                continue;
            }
            let both = Sides { selected, older: reference };
            choosing.weigh(at, departures.len() + steps.len() - both.shared(&departures, steps), is_named);
        }
        let at = choosing.at();
        let steps = at.checked_sub(1).and_then(|number| Some((older.get(number)?, self.steps().get(number)?)));
        let older = steps.map(|(reference, steps)| {
            let both = Sides { selected, older: reference };
            (at, both.difference(&departures, steps))
        });
        Choice { nearest: choosing.nearest(), older }
    }

    fn steps(&self) -> &[Vec<Step>] {
        self.steps.get_or_init(|| match self.references.split_first() {
            Some((selected, older)) => older.iter().map(|reference| steps(selected, reference)).collect(),
            None => Vec::new(),
        })
    }
}

impl Deref for Versions {
    type Target = [Reference];

    fn deref(&self) -> &[Reference] {
        &self.references
    }
}

/// The choice under way, from the newest version to the oldest: on a tie the newer one stays.
#[derive(Debug)]
pub struct Choosing {
    /// In how many subjects the host differs, and from which version.
    nearest: (usize, usize),
    /// The same of those that os-release names.
    named: Option<(usize, usize)>,
}

impl Choosing {
    /// Begins with the selected version.
    #[must_use]
    pub fn new(distance: usize, is_named: bool) -> Self {
        Self { nearest: (distance, 0), named: is_named.then_some((distance, 0)) }
    }

    /// Weighs the next version.
    pub fn weigh(&mut self, at: usize, distance: usize, is_named: bool) {
        if distance < self.nearest.0 {
            self.nearest = (distance, at);
        }
        if is_named && self.named.is_none_or(|(fewest, _)| distance < fewest) {
            self.named = Some((distance, at));
        }
    }

    /// In how many subjects the host differs from the nearest version so far.
    fn fewest(&self) -> usize {
        self.nearest.0
    }

    /// The nearest version.
    #[must_use]
    pub fn nearest(&self) -> usize {
        self.nearest.1
    }

    /// The version to compare with.
    #[must_use]
    pub fn at(&self) -> usize {
        self.named.map_or(self.nearest.1, |(_, at)| at)
    }
}

/// The subjects in which a host differs, in their order.
fn departures(difference: &Difference) -> impl Iterator<Item = Departure<'_>> {
    let sides = side_by_side(&difference.removed, &difference.added, |record| record.subject());
    sides.filter_map(|(old, new)| Some((new.or(old)?.subject(), new)))
}

fn steps(selected: &Reference, older: &Reference) -> Vec<Step> {
    let numbered = [selected, older].map(|reference| (0u32..).zip(&reference.set.set.records));
    let [ours, theirs] = numbered;
    let sides = side_by_side(ours, theirs, |(_, record)| record.subject());
    let differ = sides.filter(|(a, b)| a.map(|(_, record)| record) != b.map(|(_, record)| record));
    differ.map(|(a, b)| Step { selected: a.map(|(at, _)| at), older: b.map(|(at, _)| at) }).collect()
}

/// The two versions of a step.
#[derive(Clone, Copy)]
struct Sides<'a> {
    selected: &'a Reference,
    older: &'a Reference,
}

impl<'a> Sides<'a> {
    fn record(reference: &'a Reference, number: Option<u32>) -> Option<&'a Record> {
        reference.set.set.records.get(usize::try_from(number?).ok()?)
    }

    fn subject(self, step: Step) -> &'a [u8] {
        let record = Self::record(self.selected, step.selected).or_else(|| Self::record(self.older, step.older));
        record.map(Record::subject).unwrap_or_default()
    }

    /// How many subjects the host and the older version do not differ in together, counted for each: one for a subject in
    /// which both depart from the selected version, two where they are the same there.
    fn shared(self, departures: &[Departure<'_>], steps: &[Step]) -> usize {
        let weight = |own: Option<&Record>, step: Step| 1 + usize::from(own == Self::record(self.older, step.older));
        // The shorter list is gone through, and the longer one searched: most hosts differ in little.
        if departures.len() < steps.len() {
            let find = |subject: &[u8]| steps.binary_search_by(|step| self.subject(*step).cmp(subject));
            let both = departures.iter().filter_map(|(subject, own)| Some((*own, *steps.get(find(subject).ok()?)?)));
            both.map(|(own, step)| weight(own, step)).sum()
        } else {
            let find = |subject: &[u8]| departures.binary_search_by(|(other, _)| (*other).cmp(subject));
            let both =
                steps.iter().filter_map(|step| Some((departures.get(find(self.subject(*step)).ok()?)?.1, *step)));
            both.map(|(own, step)| weight(own, step)).sum()
        }
    }

    /// What the host does not share with the older version.
    fn difference(self, departures: &[Departure<'_>], steps: &[Step]) -> Difference {
        let mut difference = Difference::default();
        let ours = departures.iter().map(|(subject, own)| (*subject, Some(*own), None));
        let theirs = steps.iter().map(|step| (self.subject(*step), None, Some(*step)));
        for (departure, step) in side_by_side(ours, theirs, |(subject, ..)| subject) {
            let subject = departure.or(step).map(|(subject, ..)| subject).unwrap_or_default();
            let own = departure.and_then(|(_, own, _)| own);
            let step = step.and_then(|(.., step)| step);
            // Where only one of them departs, the other is as the selected version is.
            let host = own.unwrap_or_else(|| Self::record(self.selected, step.and_then(|step| step.selected)));
            let golden = match step {
                Some(step) => Self::record(self.older, step.older),
                None => find(self.selected, subject),
            };
            if host != golden {
                difference.removed.extend(golden.cloned());
                difference.added.extend(host.cloned());
            }
        }
        difference
    }
}

/// The record that a version has of a subject.
pub(super) fn find<'a>(reference: &'a Reference, subject: &[u8]) -> Option<&'a Record> {
    let records = &reference.set.set.records;
    records.binary_search_by(|record| record.subject().cmp(subject)).ok().and_then(|at| records.get(at))
}

/// Two lists in ascending order of their subjects, side by side.
pub fn side_by_side<'a, T: Copy>(
    old: impl IntoIterator<Item = T>,
    new: impl IntoIterator<Item = T>,
    subject: impl Fn(T) -> &'a [u8],
) -> impl Iterator<Item = (Option<T>, Option<T>)> {
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    std::iter::from_fn(move || {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => subject(*a).cmp(subject(*b)),
        };
        let before = if order.is_le() { old.next() } else { None };
        Some((before, if order.is_ge() { new.next() } else { None }))
    })
}
