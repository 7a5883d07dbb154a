//! Decoding the difference of two sketches.
//!
//! *Invariant:* bounded against forged symbols: an id is peeled only from an index of its own mapping, and once; an id
//! that the baseline should have must be there; there are never more peels than symbols.

use super::reference::Salted;
use crate::protocol::Id;
use crate::protocol::sketch::{Indices, Symbol, check_word};
use std::collections::HashSet;

/// What came of decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peeled {
    /// The whole difference.
    Done {
        /// Ids that only the host has, ascending.
        added: Vec<Id>,
        /// Numbers of the records that only the baseline has.
        removed: HashSet<u32>,
    },
    /// Not enough symbols.
    More,
    /// No set of records gives these symbols.
    Forged,
}

/// Decodes the host's symbols against as many of the baseline's.
#[must_use]
pub fn peel(baseline: &Salted, host: &[Symbol]) -> Peeled {
    let ours = baseline.symbols(host.len());
    let mut cells: Vec<Symbol> = host.iter().zip(ours.iter()).map(|(host, ours)| host.minus(*ours)).collect();
    let mut pure: Vec<usize> = (0..cells.len()).filter(|at| is_pure(&cells, *at)).collect();
    let mut seen = HashSet::new();
    let mut added = Vec::new();
    let mut removed = HashSet::new();
    while let Some(at) = pure.pop() {
        if !is_pure(&cells, at) {
            continue;
        }
        let (id, sign) = (cells[at].sum, cells[at].count);
        let known = baseline.find(id);
        if !seen.insert(id) || seen.len() > cells.len() {
            return Peeled::Forged;
        }
        match (sign, known) {
            (-1, Some(number)) => {
                removed.insert(number);
            }
            (1, None) => added.push(id),
            _ => return Peeled::Forged,
        }
        for index in Indices::of(id) {
            let Some(index) = usize::try_from(index).ok().filter(|index| *index < cells.len()) else { break };
            cells[index].apply(id, -sign);
            if is_pure(&cells, index) {
                pure.push(index);
            }
        }
    }
    if cells.iter().all(|cell| *cell == Symbol::default()) {
        added.sort_unstable();
        Peeled::Done { added, removed }
    } else {
        Peeled::More
    }
}

/// Whether a cell holds exactly one id, and one that belongs there.
fn is_pure(cells: &[Symbol], at: usize) -> bool {
    let cell = cells[at];
    (cell.count == 1 || cell.count == -1)
        && cell.check == check_word(cell.sum)
        && Indices::of(cell.sum).take_while(|index| *index <= at as u64).any(|index| index == at as u64)
}
