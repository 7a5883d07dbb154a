//! The text that every view writes: one field a line.
//!
//! *Invariant:* two lists of fields that differ give two texts: keys and values are escaped so that no value can hold a
//! tab, a line feed or an escape of its own.

use crate::protocol::order;
use alloc::vec::Vec;

/// Whether the order of a file means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It does.
    AsWritten,
    /// It does not: fields are sorted, and one that stands twice is there twice.
    Sorted,
    /// That of the values of one key does, that of the keys does not.
    ByKey,
}

/// A view's text as it grows.
#[derive(Debug)]
pub struct Fields {
    order: Order,
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Fields {
    /// No field yet.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, text: Vec::new(), ends: Vec::new() }
    }

    /// Adds a field.
    #[inline(never)]
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        escape_field(key, &mut self.text);
        self.text.push(b'\t');
        escape_field(value, &mut self.text);
        self.text.push(b'\n');
        self.ends.push(self.text.len());
    }

    /// The text.
    #[inline(never)]
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        if self.order == Order::AsWritten {
            return self.text;
        }
        let mut from = 0;
        let mut lines: Vec<&[u8]> = Vec::with_capacity(self.ends.len());
        for end in &self.ends {
            lines.push(self.text.get(from..*end).unwrap_or_default());
            from = *end;
        }
        let by_key = self.order == Order::ByKey;
        order::sort(&mut lines, |a, b| if by_key { key(a).cmp(key(b)) } else { a.cmp(b) });
        let mut text = Vec::with_capacity(self.text.len());
        for line in lines {
            text.extend_from_slice(line);
        }
        text
    }
}

fn key(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b'\t').next().unwrap_or_default()
}

/// Appends a key or value as a text writes it: control bytes, DEL and the backslash as `\\xNN`.
#[inline(never)]
pub fn escape_field(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for byte in bytes {
        if *byte < b' ' || matches!(*byte, b'\\' | 0x7f) {
            out.extend([b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        } else {
            out.push(*byte);
        }
    }
}
