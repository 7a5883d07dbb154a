//! A baseline prepared for one run: projected, salted, with the symbols of its sketch as far as somebody asked.
//!
//! *Invariant:* built once a run and shared by every host of the template; a host costs one hash.

use super::versions::side_by_side;
use crate::manifest::{GoldenTexts, Identity, Label, ProjectedSet};
use crate::model::Image;
use crate::protocol::sketch::{Symbol, symbols};
use crate::protocol::{Digest, Id, Record, Salt, digest};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// One version that a host may equal.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Template and version.
    pub label: Label,
    /// Of the version.
    pub serial: u64,
    /// The system that it is of.
    pub identity: Identity,
    /// The image that its golden machine said it was.
    pub image: Image,
    /// Its set.
    pub set: Arc<Salted>,
    /// Its golden texts.
    pub texts: Arc<GoldenTexts>,
}

/// A projected set with the ids of one run.
#[derive(Debug)]
pub struct Salted {
    /// The records.
    pub set: ProjectedSet,
    ids: Vec<(Id, u32)>,
    symbols: Mutex<Arc<Vec<Symbol>>>,
}

impl Salted {
    /// Salts a set.
    #[must_use]
    pub fn new(set: ProjectedSet, salt: &Salt) -> Self {
        let ids = set.ids(salt);
        let first = symbols(ids.iter().map(|(id, _)| *id), 0, FIRST);
        Self { set, ids, symbols: Mutex::new(Arc::new(first)) }
    }

    /// The number of the record that has this id.
    #[must_use]
    pub fn find(&self, id: Id) -> Option<u32> {
        self.ids.binary_search_by_key(&id, |(id, _)| *id).ok().map(|at| self.ids[at].1)
    }

    /// At least the first `n` symbols.
    #[must_use]
    pub fn symbols(&self, n: usize) -> Arc<Vec<Symbol>> {
        let mut have = self.symbols.lock().unwrap_or_else(PoisonError::into_inner);
        if have.len() < n {
            let mut more = have.to_vec();
            more.extend(symbols(self.ids.iter().map(|(id, _)| *id), have.len(), n));
            *have = Arc::new(more);
        }
        Arc::clone(&have)
    }

    /// What a host of this name must answer to this nonce.
    #[must_use]
    pub fn root(&self, nonce: &[u8; 32], host: &[u8]) -> Digest {
        digest::root(nonce, host, self.set.set())
    }

    /// The most symbols worth asking for: past a quarter of the set a listing is cheaper.
    #[must_use]
    pub fn most_symbols(&self) -> usize {
        (self.ids.len() / 4).clamp(1024, crate::protocol::sketch::MOST)
    }

    /// Explains a host's set by what it lacks (numbers of our records) and what it has besides, and proves the
    /// explanation by the root.
    #[must_use]
    pub fn explain(
        &self,
        lacks: &HashSet<u32>,
        has: Vec<Record>,
        nonce: &[u8; 32],
        host: &[u8],
        root: &Digest,
    ) -> Option<Difference> {
        let own: Vec<Digest> = has.iter().map(|record| digest::of_record(record.view().encoded())).collect();
        let kept = (0u32..).zip(self.set.digests()).filter(|(at, _)| !lacks.contains(at)).map(|(_, digest)| *digest);
        let all: Vec<Digest> = kept.chain(own).collect();
        if digest::root(nonce, host, &crate::manifest::projected::set_of(&all)) != *root {
            return None;
        }
        let mut removed: Vec<u32> = lacks.iter().copied().collect();
        removed.sort_unstable();
        let removed = removed.into_iter().filter_map(|at| self.set.records.get(at as usize).cloned()).collect();
        let mut added = has;
        added.sort();
        added.sort_by(|a, b| a.subject().cmp(b.subject()));
        Some(Difference { removed, added })
    }

    /// Splits a full listing into what we have, what only we have, and what only the host has.
    #[must_use]
    pub fn split(&self, listing: Vec<Record>) -> (HashSet<u32>, Vec<Record>) {
        let ours: std::collections::HashMap<&Digest, u32> = self.set.digests().iter().zip(0u32..).collect();
        let mut lacks: HashSet<u32> = (0u32..).take(self.set.records.len()).collect();
        let mut has = Vec::new();
        for record in listing {
            match ours.get(&digest::of_record(record.view().encoded())) {
                Some(at) => {
                    lacks.remove(at);
                }
                None => has.push(record),
            }
        }
        (lacks, has)
    }
}

/// Symbols that come with the first answer: 1 kB, which decodes about 40 differences.
pub const FIRST: usize = 64;

/// Records that only one side has, each side sorted by subject; proven against the host's root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Only in the baseline.
    pub removed: Vec<Record>,
    /// Only on the host.
    pub added: Vec<Record>,
}

impl Difference {
    /// In how many subjects the two sides differ.
    #[must_use]
    pub fn subjects(&self) -> usize {
        side_by_side(&self.removed, &self.added, |record: &Record| record.subject()).count()
    }
}
