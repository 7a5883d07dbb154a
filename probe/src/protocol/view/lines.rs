//! The text that every view writes: one field a line.
//!
//! *Invariant:* two lists of fields that differ give two texts: keys and values are escaped so that no value can hold a
//! tab, a line feed or an escape of its own.

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
        let mut line = Vec::with_capacity(key.len() + value.len() + 2);
        escape_field(key, &mut line);
        line.push(b'\t');
        escape_field(value, &mut line);
        line.push(b'\n');
        self.lines.push(line);
    }

    /// The text.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        match self.order {
            Order::AsWritten => {}
            Order::Sorted => self.lines.sort_unstable(),
            Order::ByKey => self.lines.sort_by(|a, b| key(a).cmp(key(b))),
        }
        self.lines.concat()
    }
}

fn key(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b'\t').next().unwrap_or_default()
}

/// Appends a key or value as a text writes it: control bytes, DEL and the backslash as `\\xNN`.
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
