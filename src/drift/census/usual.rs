//! What is usual in a cluster, and how a member deviates from it.
//!
//! A host has one value of each subject: a feature, or that of the pivot, which is to have none of its features.
//!
//! *Invariant:* another value that few have is never usual; of equally common ones that of the pivot is.

use super::features::Features;
use crate::drift::fleet::rarity::{few, rarity};
use std::collections::{HashMap, HashSet};

/// How one host deviates in one subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deviation {
    /// The feature that it has and is not usual, or that is usual and it lacks.
    pub(super) feature: usize,
    /// Whether it lacks it.
    pub(super) lacks: bool,
    /// How many members have its value.
    pub(super) having: usize,
    /// How rare it is to have any rare value there, 0 to 1.
    pub(super) rarity: f64,
    /// Whether few have its value, so that it is an oddity of hosts and no division of the cluster.
    pub(super) is_rare: bool,
    /// Whether half of the members have a rare value there: a host's own by nature.
    pub(super) is_natural: bool,
}

/// What is known of one subject in the cluster.
#[derive(Debug, Default)]
struct Subject {
    /// Its features and how many members have each; ascending.
    values: Vec<(usize, usize)>,
    /// The usual value; `None` is the pivot's.
    usual: Option<usize>,
    /// How many members have the pivot's value.
    without: usize,
    /// How many members have a value that few have.
    rare: usize,
}

/// A cluster's habits.
#[derive(Debug)]
pub(super) struct Usual {
    members: usize,
    few: usize,
    counts: HashMap<usize, usize>,
    subjects: HashMap<usize, Subject>,
    /// How many members have something rare of their own in a folder.
    folders: HashMap<usize, usize>,
    /// The usual values that are features, ascending.
    habits: Vec<usize>,
}

impl Usual {
    pub(super) fn of(features: &Features<'_>, cluster: &[usize]) -> Self {
        let members = cluster.len();
        let few = count(few(u32::try_from(members).unwrap_or(u32::MAX)));
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for (feature, _) in cluster.iter().flat_map(|host| features.of_host(*host)) {
            *counts.entry(*feature).or_default() += 1;
        }
        let mut subjects: HashMap<usize, Subject> = HashMap::new();
        for (number, having) in &counts {
            if let Some(feature) = features.all.get(*number) {
                subjects.entry(feature.key).or_default().values.push((*number, *having));
            }
        }
        for subject in subjects.values_mut() {
            subject.values.sort_unstable();
            let with: usize = subject.values.iter().map(|(_, having)| having).sum();
            subject.without = members.saturating_sub(with);
            let mut most = subject.without;
            for (feature, having) in &subject.values {
                if *having > most && *having > few {
                    (subject.usual, most) = (Some(*feature), *having);
                }
            }
            let others = subject.values.iter().filter(|(feature, _)| Some(*feature) != subject.usual);
            let pivots = subject.usual.map_or(0, |_| subject.without);
            let rare = others.map(|(_, having)| *having).chain([pivots]).filter(|having| *having <= few);
            subject.rare = rare.sum();
        }
        let mut usual: Vec<usize> = subjects.values().filter_map(|subject| subject.usual).collect();
        usual.sort_unstable();
        let mut made = Self { members, few, counts, subjects, folders: HashMap::new(), habits: usual };
        for host in cluster {
            let own = features.of_host(*host).iter();
            let rare = own.filter(|(feature, _)| made.having(*feature) <= few && !made.is_usual(*feature));
            let touched: HashSet<usize> = rare.filter_map(|(feature, _)| features.all.get(*feature)?.folder).collect();
            for folder in touched {
                *made.folders.entry(folder).or_default() += 1;
            }
        }
        made
    }

    fn having(&self, feature: usize) -> usize {
        self.counts.get(&feature).copied().unwrap_or(0)
    }

    fn is_usual(&self, feature: usize) -> bool {
        self.habits.binary_search(&feature).is_ok()
    }

    /// How a host deviates, whether it is a member or not; ascending by feature.
    pub(super) fn deviations(&self, features: &Features<'_>, host: usize, is_member: bool) -> Vec<Deviation> {
        // Who is no member counts as one more.
        let guest = usize::from(!is_member);
        let held = features.of_host(host);
        let has: HashSet<usize> = held.iter().filter_map(|(number, _)| Some(features.all.get(*number)?.key)).collect();
        let own = held.iter().map(|(feature, _)| (*feature, false)).filter(|(feature, _)| !self.is_usual(*feature));
        let is_lacked = |number: &usize| features.all.get(*number).is_some_and(|feature| !has.contains(&feature.key));
        let lacked = self.habits.iter().filter(|number| is_lacked(number)).map(|feature| (*feature, true));
        let deviation = |(number, lacks): (usize, bool)| {
            let feature = features.all.get(number)?;
            let subject = self.subjects.get(&feature.key);
            let without = subject.map_or(self.members, |subject| subject.without);
            let having = guest + if lacks { without } else { self.having(number) };
            let is_rare = having <= self.few.max(guest);
            let in_folder = feature.folder.and_then(|folder| self.folders.get(&folder)).copied().unwrap_or(0);
            let rare = guest + subject.map_or(0, |subject| subject.rare).max(in_folder);
            let of = u32::try_from(self.members + guest).unwrap_or(u32::MAX);
            // Two hosts that each did something of their own in one place are no less odd for it; many are, by as much.
            let any = if is_rare && rare > self.few { having.max(rare) } else { having };
            Some(Deviation {
                feature: number,
                lacks,
                having,
                rarity: rarity(u32::try_from(any).unwrap_or(u32::MAX), of),
                is_rare,
                is_natural: is_rare && any >= self.members.div_ceil(2).max(3),
            })
        };
        let mut all: Vec<Deviation> = own.chain(lacked).filter_map(deviation).collect();
        all.sort_by_key(|deviation| deviation.feature);
        all
    }

    /// A feature of each subject, and of each folder, that is each member's own by nature.
    pub(super) fn natural(&self, features: &Features<'_>) -> Vec<usize> {
        let many = self.members.div_ceil(2).max(3);
        let is_own = |subject: &&Subject| subject.rare >= many;
        let mut own: Vec<usize> =
            self.subjects.values().filter(is_own).filter_map(|subject| Some(subject.values.first()?.0)).collect();
        let mut of_folder: HashMap<usize, usize> = HashMap::new();
        for feature in self.counts.keys() {
            let folder = features.all.get(*feature).and_then(|feature| feature.folder);
            let Some(folder) = folder.filter(|folder| self.folders.get(folder).is_some_and(|n| *n >= many)) else {
                continue;
            };
            if self.having(*feature) <= self.few {
                of_folder.entry(folder).and_modify(|first| *first = (*first).min(*feature)).or_insert(*feature);
            }
        }
        own.extend(of_folder.into_values());
        own.sort_unstable();
        own
    }

    /// The member with the least sum of distances to all members, among these; of equals the first.
    pub(super) fn medoid(&self, features: &Features<'_>, among: impl Iterator<Item = usize>) -> Option<usize> {
        // The sum of |a xor b| over all b is a constant, plus for each feature of a those without less those with it.
        #[expect(clippy::cast_precision_loss, reason = "numbers of hosts are far below 2^52")]
        let cost = |host: usize| -> f64 {
            let own = features.of_host(host).iter();
            own.map(|(feature, _)| {
                let with = self.having(*feature) as f64;
                features.weight(*feature) * (self.members as f64 - 2.0 * with)
            })
            .sum()
        };
        among
            .map(|host| (cost(host), host))
            .min_by(|(a, x), (b, y)| a.total_cmp(b).then(x.cmp(y)))
            .map(|(_, host)| host)
    }

    /// The features that more than few members have and more than few lack.
    pub(super) fn divisions(&self) -> Vec<(usize, usize)> {
        let divides = |having: usize| having > self.few && self.members - having > self.few;
        let mut all: Vec<(usize, usize)> =
            self.counts.iter().map(|(feature, having)| (*feature, *having)).filter(|(_, n)| divides(*n)).collect();
        all.sort_unstable();
        all
    }

    /// The features that more than half of the members have, ascending.
    pub(super) fn common(&self) -> Vec<usize> {
        let more = |having: usize| having * 2 > self.members;
        let mut common: Vec<usize> =
            self.counts.iter().filter(|(_, having)| more(**having)).map(|(feature, _)| *feature).collect();
        common.sort_unstable();
        common
    }

    /// How many members have a feature.
    pub(super) fn count(&self, feature: usize) -> usize {
        self.having(feature)
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
