//! Small readings that several views share: words between blanks, fields that are put in order by their key.
//!
//! *Invariant:* blanks are space and tab alone: a carriage return is a byte like any other, since most programs that read
//! these files take it for one.

use super::lines::{LARGEST, TOO_LARGE};
use super::{Fields, NotParsed, Order};
use crate::protocol::order;
use alloc::vec::Vec;

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn trim_start(mut line: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = line
        && is_blank(*first)
    {
        line = rest;
    }
    line
}

pub(super) fn trim(line: &[u8]) -> &[u8] {
    let mut line = trim_start(line);
    while let [rest @ .., last] = line
        && is_blank(*last)
    {
        line = rest;
    }
    line
}

/// The first word and what follows it, trimmed.
pub(super) fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = trim(line);
    let end = line.iter().position(|b| is_blank(*b)).unwrap_or(line.len());
    let (first, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    (first, trim(rest))
}

/// The words with one space between.
pub(super) fn squeeze(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    for byte in trim(line) {
        if !is_blank(*byte) {
            out.push(*byte);
        } else if out.last() != Some(&b' ') {
            out.push(b' ');
        }
    }
    out
}

/// Whether a line ends in a backslash that no other one takes.
pub(super) fn goes_on(line: &[u8]) -> bool {
    line.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

/// The lines of a text; a file with NUL bytes is none.
pub(super) fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = &[u8]>, NotParsed> {
    if bytes.contains(&0) {
        return Err(NotParsed("not a text"));
    }
    Ok(bytes.split(|b| *b == b'\n'))
}

/// The two sides of the first such byte, trimmed.
pub(super) fn cut(line: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|b| *b == at)?;
    Some((trim(line.get(..at)?), trim(line.get(at + 1..)?)))
}

/// SHA-256 in hexadecimal, after a word that says so.
pub(super) fn fingerprint(word: &[u8], bytes: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut out = word.to_vec();
    for byte in Sha256::digest(bytes) {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out
}

/// Fields before they are written, and the room that they take: no more are kept than a text has room for.
#[derive(Debug, Default)]
pub(super) struct Pairs(pub(super) Vec<(Vec<u8>, Vec<u8>)>, pub(super) usize);

impl Pairs {
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        // So much for the pair itself.
        self.1 = self.1.saturating_add(key.len() + value.len() + 16);
        if self.1 <= LARGEST {
            self.0.push((key.to_vec(), value.to_vec()));
        }
    }

    /// By key; those of one key stay in their order.
    pub(super) fn sort(&mut self) {
        order::sort(&mut self.0, |a, b| a.0.cmp(&b.0));
    }

    pub(super) fn text(&self) -> Result<Vec<u8>, NotParsed> {
        if self.1 > LARGEST {
            return Err(TOO_LARGE);
        }
        let mut fields = Fields::new(Order::AsWritten);
        for (key, value) in &self.0 {
            fields.put(key, value);
        }
        fields.finish()
    }
}
