//! Hosts as sets of features.
//!
//! *Invariant:* hosts are in the order of their names, so that no number given here depends on the order of the fleet.

use super::least;
use crate::model::{Code, Finding, HostOutcome};
use crate::protocol::Digest;
use std::collections::{HashMap, HashSet};

/// A finding that at least one host has.
#[derive(Debug)]
pub(super) struct Feature {
    /// Which subject and code: of the features of one key a host has one value.
    pub(super) key: usize,
    /// For what appeared or is gone: which folder it is in.
    pub(super) folder: Option<usize>,
    /// What it weighs where hosts differ in it.
    pub(super) weight: f64,
    /// How many hosts have it.
    pub(super) hosts: usize,
    /// Whether enough hosts have it, and lack it, to tell kinds of machines apart.
    pub(super) is_shared: bool,
    /// Whether it is a host's own by nature.
    pub(super) is_natural: bool,
    /// 64 bits of its fingerprint, to choose evenly by.
    pub(super) bits: u64,
    /// The first host by name that has it, and which of its findings it is.
    pub(super) shown: (usize, usize),
}

/// A feature that a host has, and which of its findings it is.
pub(super) type Held = (usize, usize);

/// Every host and what it holds.
#[derive(Debug)]
pub(super) struct Features<'a> {
    /// In the order of their names.
    pub(super) hosts: Vec<&'a HostOutcome>,
    /// What each of them has; features ascend.
    pub(super) held: Vec<Vec<Held>>,
    /// All of them.
    pub(super) all: Vec<Feature>,
}

impl<'a> Features<'a> {
    pub(super) fn of(hosts: &'a [HostOutcome]) -> Self {
        let mut hosts: Vec<&HostOutcome> = hosts.iter().collect();
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let mut numbers: HashMap<Digest, usize> = HashMap::new();
        let mut keys: HashMap<Digest, usize> = HashMap::new();
        let mut folders: HashMap<&[u8], usize> = HashMap::new();
        let mut all: Vec<Feature> = Vec::new();
        let mut held: Vec<Vec<Held>> = Vec::with_capacity(hosts.len());
        for (number, host) in hosts.iter().enumerate() {
            let moved: HashSet<&[u8]> = host.findings.iter().filter_map(moved).collect();
            let mut own = Vec::with_capacity(host.findings.len());
            for (at, finding) in host.findings.iter().enumerate() {
                let next = all.len();
                let feature = *numbers.entry(finding.fingerprint).or_insert(next);
                let explained =
                    finding.cause.and_then(|cause| host.causes.get(cause)).map_or(1, |cause| cause.findings);
                // A host has thousands of findings at most.
                #[expect(clippy::cast_precision_loss, reason = "a weight needs no more")]
                let weight = 1.0 / explained.max(1) as f64;
                if feature == next {
                    let next_key = keys.len();
                    let folder = moved_in(finding, &moved).map(|folder| {
                        let next = folders.len();
                        *folders.entry(folder).or_insert(next)
                    });
                    all.push(Feature {
                        key: *keys.entry(finding.key).or_insert(next_key),
                        folder,
                        weight,
                        hosts: 0,
                        is_shared: false,
                        is_natural: false,
                        bits: bits(&finding.fingerprint),
                        shown: (number, at),
                    });
                }
                own.push((feature, at));
                if let Some(feature) = all.get_mut(feature) {
                    feature.weight = feature.weight.min(weight);
                }
            }
            own.sort_unstable();
            own.dedup_by_key(|(feature, _)| *feature);
            for (feature, _) in &own {
                if let Some(feature) = all.get_mut(*feature) {
                    feature.hosts += 1;
                }
            }
            held.push(own);
        }
        let mut features = Self { hosts, held, all };
        features.weigh(keys.len(), folders.len());
        features
    }

    /// Marks what many hosts share, and what is each host's own by nature.
    fn weigh(&mut self, keys: usize, folders: usize) {
        let total = self.hosts.len();
        let least = least(total);
        for feature in &mut self.all {
            feature.is_shared = feature.hosts >= least && total - feature.hosts >= least;
        }
        let alone = |feature: &Feature| feature.hosts < least;
        let mut of_key = vec![0usize; keys];
        let mut of_folder = vec![0usize; folders];
        for feature in self.all.iter().filter(|feature| alone(feature)) {
            if let Some(count) = of_key.get_mut(feature.key) {
                *count += feature.hosts;
            }
        }
        for held in &self.held {
            let own = held.iter().filter_map(|(feature, _)| self.all.get(*feature)).filter(|feature| alone(feature));
            let touched: HashSet<usize> = own.filter_map(|feature| feature.folder).collect();
            for folder in touched {
                if let Some(count) = of_folder.get_mut(folder) {
                    *count += 1;
                }
            }
        }
        let many = total.div_ceil(2).max(3);
        // What all but few have is the pivot's own affair, and may be its own by nature: a file of its name.
        for feature in self.all.iter_mut().filter(|feature| !feature.is_shared) {
            let by_key = of_key.get(feature.key).copied().unwrap_or(0);
            let by_folder = feature.folder.and_then(|folder| of_folder.get(folder)).copied().unwrap_or(0);
            feature.is_natural = by_key.max(by_folder) >= many;
        }
    }

    /// The finding that shows a feature, and the host that it is of.
    pub(super) fn shown(&self, feature: usize) -> Option<(&'a HostOutcome, &'a Finding)> {
        let (host, at) = self.all.get(feature)?.shown;
        let host = *self.hosts.get(host)?;
        Some((host, host.findings.get(at)?))
    }

    /// A host's findings with their features.
    pub(super) fn of_host(&self, host: usize) -> &[Held] {
        self.held.get(host).map_or(&[], Vec::as_slice)
    }

    /// What a feature weighs between hosts.
    pub(super) fn weight(&self, feature: usize) -> f64 {
        self.all.get(feature).filter(|feature| !feature.is_natural).map_or(0.0, |feature| feature.weight)
    }

    /// Whether a feature can tell kinds of machines apart.
    pub(super) fn is_shared(&self, feature: usize) -> bool {
        self.all.get(feature).is_some_and(|feature| feature.is_shared)
    }
}

/// The path of what appeared or is gone.
fn moved(finding: &Finding) -> Option<&[u8]> {
    let moved = matches!(finding.code, Code::FileAdded | Code::FileRemoved);
    finding.subject.strip_prefix(b"fs:").filter(|_| moved)
}

/// The folder that it appeared in or is gone from: one that did not come or go itself.
fn moved_in<'a>(finding: &'a Finding, moved: &HashSet<&[u8]>) -> Option<&'a [u8]> {
    let mut folder = self::moved(finding)?;
    loop {
        let end = folder.iter().rposition(|byte| *byte == b'/')?;
        folder = folder.get(..end)?;
        if !moved.contains(folder) {
            return Some(folder);
        }
    }
}

fn bits(digest: &Digest) -> u64 {
    digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// The features of two ascending lists that only one of them has.
pub(super) fn differing(a: &[usize], b: &[usize], mut each: impl FnMut(usize)) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        match (a.peek(), b.peek()) {
            (None, None) => return,
            (Some(x), Some(y)) if x == y => {
                a.next();
                b.next();
            }
            (Some(x), y) if y.is_none_or(|y| *x < y) => {
                each(**x);
                a.next();
            }
            (_, Some(y)) => {
                each(**y);
                b.next();
            }
            (Some(_), None) => {}
        }
    }
}
