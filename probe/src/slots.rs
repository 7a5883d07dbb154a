//! Results of the hashing processes: one slot an entry in shared memory, and a shared arena for what is rare and of any
//! length.
//!
//! *Invariant:* a slot that nobody filled says so: it starts as zeros, and zero means not read.

use crate::protocol::Digest;
use crate::protocol::coverage::Why;
use crate::protocol::view::Form;
use crate::sys::Shared;
use alloc::vec::Vec;

/// What became of a file's content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Not asked for.
    NotAsked,
    Read(Digest),
    /// By the entry's view.
    Viewed(Form, Digest),
    Oversize,
    Unread(Why, u16),
}

/// One entry's result.
pub struct Slot {
    pub content: Content,
    /// Why extended attributes are missing, if they are.
    pub xattrs: Option<Why>,
    /// Where in the arena the rest of the record is, if there is any: see [`Slots::keep`].
    pub rest: u32,
    pub record: Digest,
}

const WIDTH: usize = 76;
const DONE: u8 = 1;

/// All results.
pub struct Slots {
    slots: Shared,
    arena: Shared,
}

impl Slots {
    /// Makes room for the results of so many entries.
    pub fn new(entries: usize) -> rustix::io::Result<Self> {
        let arena = (entries * 64).clamp(1 << 20, 256 << 20);
        let slots =
            Self { slots: Shared::new(entries * WIDTH)?, arena: Shared::new(arena).or_else(|_| Shared::new(1 << 20))? };
        // Offset 0 means that there is nothing.
        slots.arena.take(8);
        Ok(slots)
    }

    /// The next of the big files, which are handed out by a counter of their own.
    pub fn take_big(&self) -> usize {
        self.arena.add(1) as usize
    }

    /// The next `step` entries.
    pub fn take(&self, step: usize) -> usize {
        self.slots.take(step)
    }

    /// Counts bytes read.
    pub fn add_bytes(&self, n: u64) {
        self.slots.add(n);
    }

    /// Bytes read by all processes.
    pub fn bytes(&self) -> u64 {
        self.slots.sum()
    }

    /// Keeps bytes for good; 0 when the arena is full.
    pub fn keep(&self, bytes: &[u8]) -> u32 {
        let at = self.arena.take(bytes.len() + 4);
        let fits = self.arena.write(at, &(bytes.len() as u32).to_le_bytes()) && self.arena.write(at + 4, bytes);
        if fits { u32::try_from(at).unwrap_or(0) } else { 0 }
    }

    /// Bytes kept before.
    pub fn kept(&self, at: u32) -> &[u8] {
        if at == 0 {
            return &[];
        }
        let len = self.arena.read(at as usize, 4).try_into().map_or(0, u32::from_le_bytes);
        self.arena.read(at as usize + 4, len as usize)
    }

    /// Fills a slot; the flag that it is done goes last.
    pub fn put(&self, entry: usize, slot: &Slot) {
        let mut bytes = [0u8; WIDTH];
        match slot.content {
            Content::NotAsked => {}
            Content::Read(digest) => {
                bytes[1] = 1;
                bytes[12..44].copy_from_slice(&digest);
            }
            Content::Viewed(form, digest) => {
                bytes[1] = if form == Form::Parsed { 4 } else { 5 };
                bytes[12..44].copy_from_slice(&digest);
            }
            Content::Oversize => bytes[1] = 2,
            Content::Unread(why, errno) => {
                bytes[1] = 3;
                bytes[2] = why as u8;
                bytes[4..6].copy_from_slice(&errno.to_le_bytes());
            }
        }
        bytes[3] = slot.xattrs.map_or(0, |why| why as u8 + 1);
        bytes[8..12].copy_from_slice(&slot.rest.to_le_bytes());
        bytes[44..].copy_from_slice(&slot.record);
        self.slots.write(entry * WIDTH + 1, &bytes[1..]);
        self.slots.write(entry * WIDTH, &[DONE]);
    }

    /// Reads a slot; `None` where nobody filled it.
    pub fn slot(&self, entry: usize) -> Option<Slot> {
        let bytes: &[u8; WIDTH] = self.slots.read(entry * WIDTH, WIDTH).try_into().ok()?;
        if bytes[0] != DONE {
            return None;
        }
        let digest = |at: usize| bytes[at..at + 32].try_into().ok();
        let content = match bytes[1] {
            0 => Content::NotAsked,
            1 => Content::Read(digest(12)?),
            2 => Content::Oversize,
            4 => Content::Viewed(Form::Parsed, digest(12)?),
            5 => Content::Viewed(Form::Bytes, digest(12)?),
            _ => Content::Unread(Why::of(bytes[2])?, u16::from_le_bytes([bytes[4], bytes[5]])),
        };
        let xattrs = bytes[3].checked_sub(1).and_then(Why::of);
        let rest = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        Some(Slot { content, xattrs, rest, record: digest(44)? })
    }

    /// The record digest of a slot without the rest of it.
    pub fn record(&self, entry: usize) -> &[u8] {
        self.slots.read(entry * WIDTH + 44, 32)
    }
}

/// The part of a record that only the hashing process learnt.
pub struct Rest<'a> {
    /// Mode, owner, group and size of a file that changed between the walk and the hash.
    pub fresh: Option<Fresh>,
    /// Extended attributes as the record encodes them.
    pub xattrs: &'a [u8],
}

/// A newer stat.
#[derive(Clone, Copy)]
pub struct Fresh {
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
}

impl<'a> Rest<'a> {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.fresh.is_some()));
        if let Some(fresh) = self.fresh {
            out.extend_from_slice(&fresh.mode.to_le_bytes());
            out.extend_from_slice(&fresh.uid.to_le_bytes());
            out.extend_from_slice(&fresh.gid.to_le_bytes());
            out.extend_from_slice(&fresh.size.to_le_bytes());
        }
        out.extend_from_slice(self.xattrs);
    }

    /// Reads the encoding; nothing where nothing was kept.
    pub fn decode(bytes: &'a [u8]) -> Self {
        match bytes {
            [0, xattrs @ ..] => Self { fresh: None, xattrs },
            [1, m0, m1, u0, u1, u2, u3, g0, g1, g2, g3, s0, s1, s2, s3, s4, s5, s6, s7, xattrs @ ..] => {
                let fresh = Fresh {
                    mode: u16::from_le_bytes([*m0, *m1]),
                    uid: u32::from_le_bytes([*u0, *u1, *u2, *u3]),
                    gid: u32::from_le_bytes([*g0, *g1, *g2, *g3]),
                    size: u64::from_le_bytes([*s0, *s1, *s2, *s3, *s4, *s5, *s6, *s7]),
                };
                Self { fresh: Some(fresh), xattrs }
            }
            _ => Self { fresh: None, xattrs: &[] },
        }
    }
}
