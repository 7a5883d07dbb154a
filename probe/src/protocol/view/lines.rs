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
    /// That of the values of one key does, that of the keys does not.
    ByKey,
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
        self.put_parts(&[Part::Text(key)], &[Part::Text(value)]);
    }

    /// Adds a field of pieces.
    pub fn put_parts(&mut self, key: &[Part<'_>], value: &[Part<'_>]) {
        write(key, &mut self.text);
        self.text.push(b'\t');
        write(value, &mut self.text);
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

pub(super) fn write(parts: &[Part<'_>], out: &mut Vec<u8>) {
    for part in parts {
        match part {
            Part::Text(text) => escape_field(text, out),
            Part::Own(own) => {
                out.push(MARK);
                out.extend_from_slice(own.word().as_bytes());
                out.push(MARK);
            }
        }
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
