//! Reading and writing the primitive fields of every encoded thing: integers, LEB128 lengths, byte strings.
//!
//! What went wrong is told in words on the controller's side alone; in the probe the words would be a good two kilobytes
//! that nobody reads, so that each crate has a `malformed` of its own.
//!
//! *Invariant:* a reader never indexes past its slice and never allocates more than it was given.

use alloc::vec::Vec;

pub use crate::malformed::Malformed;

/// A cursor over bytes of the other side.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Fails unless everything was read: trailing bytes are never ignored.
    ///
    /// # Errors
    /// When bytes are left.
    pub fn end(&self, what: &'static str) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed(what)) }
    }

    /// Takes exactly `n` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(Malformed(what))?;
        self.rest = tail;
        Ok(head)
    }

    /// Takes an array.
    ///
    /// # Errors
    /// When fewer than `N` bytes are left.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(Malformed(what))?;
        self.rest = tail;
        Ok(*head)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        Ok(self.array::<1>(what)?[0])
    }

    /// Takes an unsigned LEB128 integer in its shortest form; a longer form is refused, so that equal values have
    /// equal bytes.
    ///
    /// # Errors
    /// At the end, past 64 bits, or in a form that is not the shortest.
    pub fn varint(&mut self, what: &'static str) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(what)?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(Malformed(what));
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(Malformed(what)) } else { Ok(value) };
            }
        }
        Err(Malformed(what))
    }

    /// Takes an integer that must not exceed `most`.
    ///
    /// # Errors
    /// As [`Reader::varint`], and past `most`.
    pub fn at_most(&mut self, most: usize, what: &'static str) -> Result<usize, Malformed> {
        let n = usize::try_from(self.varint(what)?).map_err(|_| Malformed(what))?;
        if n > most { Err(Malformed(what)) } else { Ok(n) }
    }

    /// Takes a length-prefixed byte string of at most `most` bytes.
    ///
    /// # Errors
    /// At the end or past `most`.
    pub fn string(&mut self, most: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let n = self.at_most(most, what)?;
        self.take(n, what)
    }
}

/// Appends an unsigned LEB128 integer.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a length-prefixed byte string.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
