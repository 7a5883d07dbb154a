//! The text that every view writes: one field a line.
//!
//! *Invariant:* two lists of fields that differ give two texts: keys and values are escaped so that no value can hold a
//! tab, a line feed, an escape of its own or a placeholder. A text that would grow past [`LARGEST`] is none.

use super::NotParsed;
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
    /// Which one of several such facts, by their first appearance in the file.
    Nth(usize),
}

/// The most that a view writes, whatever it reads: a field may be told many times over.
pub(super) const LARGEST: usize = 8 << 20;
/// A view that would write more.
pub(super) const TOO_LARGE: NotParsed = NotParsed("its text is far larger than the file");

/// Opens and closes a placeholder: a byte that the escaping never writes.
pub const MARK: u8 = 1;

/// A view's text as it grows.
#[derive(Debug)]
pub struct Fields {
    order: Order,
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    /// Whether a field was left out, for want of room.
    full: bool,
}

impl Fields {
    /// No field yet.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, text: Vec::new(), ends: Vec::new(), full: false }
    }

    /// Adds a field.
    #[inline(never)]
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.put_parts(&[Part::Text(key)], &[Part::Text(value)]);
    }

    /// Adds a field of pieces, where there is room for it.
    pub fn put_parts(&mut self, key: &[Part<'_>], value: &[Part<'_>]) {
        let text = key.iter().chain(value).map(|part| if let Part::Text(text) = part { text.len() } else { 0 });
        self.full |= text.sum::<usize>() + self.text.len() > LARGEST;
        if self.full {
            return;
        }
        write(key, &mut self.text);
        self.text.push(b'\t');
        write(value, &mut self.text);
        self.text.push(b'\n');
        self.ends.push(self.text.len());
        self.full = self.text.len() > LARGEST;
    }

    /// How many fields there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The text.
    ///
    /// # Errors
    /// [`NotParsed`], where it had no room for all fields.
    #[inline(never)]
    pub fn finish(self) -> Result<Vec<u8>, NotParsed> {
        if self.full {
            return Err(TOO_LARGE);
        }
        if self.order == Order::AsWritten {
            return Ok(self.text);
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
        Ok(text)
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
            Part::Nth(number) => {
                out.push(b'#');
                decimal(*number, out);
            }
        }
    }
}

pub(super) fn decimal(number: usize, out: &mut Vec<u8>) {
    if number >= 10 {
        decimal(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
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
