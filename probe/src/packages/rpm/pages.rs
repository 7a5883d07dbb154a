//! A file read in pieces at given places, and integers in it.
//!
//! There is one answer to whatever is wrong, none: an option of a number travels in two registers, and a result with an
//! error number does not.
//!
//! *Invariant:* what is read and copied is bounded in all, by the size of the file: a loop in a hostile one ends, and takes
//! no memory that the file has not.

use crate::meta::Meta;
use alloc::vec::Vec;
use rustix::fd::OwnedFd;
use rustix::io::pread;

/// The longest header; the largest known are a tenth of it.
pub const HEADER_MOST: usize = 64 << 20;
/// Bytes of one database.
const MOST: usize = 2 << 30;
/// How often a byte is taken where nothing is wrong: Berkeley DB's pages in their order, in their chain, and as a value.
const TIMES: usize = 4;

/// The file.
pub struct Pages {
    file: OwnedFd,
    before: Meta,
    left: usize,
}

impl Pages {
    /// Reads that file.
    pub fn new((file, before): (OwnedFd, Meta)) -> Self {
        let left = (before.size as usize).saturating_mul(TIMES).min(MOST);
        Self { file, before, left }
    }

    /// How many pages of a size are read at most: as many as the file has.
    pub fn count(&self, size: usize) -> usize {
        (self.before.size as usize).min(MOST) / size
    }

    /// Accounts for bytes that are copied.
    pub fn spend(&mut self, len: usize) -> Option<()> {
        self.left = self.left.checked_sub(len).filter(|_| len <= HEADER_MOST)?;
        Some(())
    }

    /// Whether nobody wrote to it since.
    pub fn is_unchanged(&self) -> bool {
        Meta::of_open(&self.file).is_ok_and(|after| after.is_same(&self.before))
    }

    /// Exactly `len` bytes at a place.
    #[inline(never)]
    pub fn at(&mut self, at: usize, len: usize) -> Option<Vec<u8>> {
        self.spend(len)?;
        let mut bytes = alloc::vec![0; len];
        let mut done = 0;
        while done < len {
            // A signal can't come in between: none has a handler here.
            match pread(&self.file, &mut bytes[done..], (at + done) as u64) {
                Ok(n) if n > 0 => done += n,
                _ => return None,
            }
        }
        Some(bytes)
    }
}

/// An integer of `len` bytes, the high one first.
#[inline(never)]
pub fn be(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.wrapping_add(len))?;
    Some(bytes.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)))
}

/// An integer of four bytes, the low one first.
#[inline(never)]
pub fn le(bytes: &[u8], at: usize) -> Option<usize> {
    be(bytes, at, 4).map(|word| (word as u32).swap_bytes() as usize)
}

/// An integer of two bytes, the low one first.
pub fn le2(bytes: &[u8], at: usize) -> Option<usize> {
    be(bytes, at, 2).map(|word| usize::from((word as u16).swap_bytes()))
}
