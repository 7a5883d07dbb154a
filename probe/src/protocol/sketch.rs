//! The rateless sketch of a set of ids: a stream of coded symbols, any prefix of which decodes a difference that is
//! small enough (Yang, Gilad, Alizadeh: Practical Rateless Set Reconciliation, SIGCOMM 2024).
//!
//! *Invariant:* a symbol is a pure function of the set and its index, the same on every architecture: only IEEE 754
//! operations that are correctly rounded (divide, square root, ceiling) take part in the mapping.

use super::bytes::{Malformed, Reader};
use super::digest::Id;
use alloc::vec::Vec;

/// The most symbols anybody may ask for.
pub const MOST: usize = 1 << 20;
/// Bytes of one symbol on the wire.
pub const WIDTH: usize = 16;

/// One coded symbol: what the ids mapped to it add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Symbol {
    /// Exclusive or of the ids.
    pub sum: Id,
    /// Exclusive or of the ids' check words.
    pub check: u32,
    /// How many ids, negative after a subtraction where the other side has more.
    pub count: i32,
}

impl Symbol {
    /// Adds (`sign` 1) or takes away (`sign` -1) one id.
    pub fn apply(&mut self, id: Id, sign: i32) {
        self.sum ^= id;
        self.check ^= check_word(id);
        self.count = self.count.wrapping_add(sign);
    }

    /// The difference of two symbols of one index.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self { sum: self.sum ^ other.sum, check: self.check ^ other.check, count: self.count.wrapping_sub(other.count) }
    }

    /// Appends the 16 bytes.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.sum.to_le_bytes());
        out.extend_from_slice(&self.check.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
    }

    /// Reads 16 bytes.
    ///
    /// # Errors
    /// At the end.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            sum: u64::from_le_bytes(r.array("symbol")?),
            check: u32::from_le_bytes(r.array("symbol")?),
            count: i32::from_le_bytes(r.array("symbol")?),
        })
    }
}

/// A word that tells one id from an exclusive or of several (the finalizer of `MurmurHash3`).
#[must_use]
pub fn check_word(id: Id) -> u32 {
    let mut x = id ^ 0x5851_f42d_4c95_7f2d;
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (x >> 32) as u32
}

/// The indices of the symbols that an id is part of, ascending, beginning at 0; the density falls as 1/(1 + i/2).
#[derive(Debug, Clone)]
pub struct Indices {
    state: u64,
    next: u64,
}

impl Indices {
    /// The indices of one id.
    #[must_use]
    pub fn of(id: Id) -> Self {
        Self { state: id, next: 0 }
    }
}

impl Iterator for Indices {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let index = self.next;
        self.state = self.state.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(1);
        let mixed = (self.state ^ (self.state >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let r = (mixed >> 32) as f64 / 4_294_967_296.0;
        let gap = libm::ceil((index as f64 + 1.5) * (1.0 / libm::sqrt(1.0 - r) - 1.0));
        self.next = index.saturating_add(if gap < 1.0 {
            1
        } else if gap > 1e15 {
            1 << 50
        } else {
            gap as u64
        });
        Some(index)
    }
}

/// The symbols with the indices `from..to` of a set.
pub fn symbols(ids: impl IntoIterator<Item = Id>, from: usize, to: usize) -> Vec<Symbol> {
    let mut symbols = alloc::vec![Symbol::default(); to.saturating_sub(from)];
    for id in ids {
        for index in Indices::of(id) {
            let Ok(index) = usize::try_from(index) else { break };
            if index >= to {
                break;
            }
            if index >= from {
                symbols[index - from].apply(id, 1);
            }
        }
    }
    symbols
}
