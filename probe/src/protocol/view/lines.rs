//! The text that every view writes: one field a line.
//!
//! *Invariant:* two lists of fields that differ give two texts: keys and values are escaped so that no value can hold a
//! tab, a line feed, an escape of its own or a placeholder.

use super::facts::Own;
use crate::protocol::order;
use alloc::vec::Vec;

/// Whether the order of a file means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It does.
    AsWritten,
    /// It does not: fields are sorted, and one that stands twice is there twice.
    Sorted,
}

/// A piece of a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// As the file has it.
    Text(&'a [u8]),
    /// A fact of the host, put back by a placeholder.
    Own(Own),
}

/// Opens and closes a placeholder: a byte that the escaping never writes.
pub const MARK: u8 = 1;

/// A view's text as it grows.
#[derive(Debug)]
pub struct Fields {
    order: Order,
    lines: Vec<Vec<u8>>,
}

impl Fields {
    /// No field yet.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, lines: Vec::new() }
    }

    /// Adds a field.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.put_parts(&[Part::Text(key)], &[Part::Text(value)]);
    }

    /// Adds a field of pieces.
    pub fn put_parts(&mut self, key: &[Part<'_>], value: &[Part<'_>]) {
        let mut line = Vec::new();
        write(key, &mut line);
        line.push(b'\t');
        write(value, &mut line);
        line.push(b'\n');
        self.lines.push(line);
    }

    /// The text.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.order == Order::Sorted {
            order::sort(&mut self.lines, Ord::cmp);
        }
        self.lines.concat()
    }
}

pub(super) fn write(parts: &[Part<'_>], out: &mut Vec<u8>) {
    for part in parts {
        match part {
            Part::Text(text) => escape(text, out),
            Part::Own(own) => {
                out.push(MARK);
                out.extend_from_slice(own.word().as_bytes());
                out.push(MARK);
            }
        }
    }
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for byte in bytes {
        if *byte < b' ' || matches!(*byte, b'\\' | 0x7f) {
            out.extend([b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        } else {
            out.push(*byte);
        }
    }
}
