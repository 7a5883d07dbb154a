//! What the walk found, compactly: entries of fixed size, names in one arena.
//!
//! *Invariant:* entries of one directory are contiguous and sorted by name; an entry that a rule leaves out is counted,
//! not stored.

use crate::protocol::view::View;
use crate::protocol::{Attr, Kind, Mask};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Bytes in the arena.
#[derive(Clone, Copy, Default)]
pub struct Span {
    at: u32,
    len: u16,
}

impl Span {
    /// A span of somebody's own buffer.
    pub fn new(at: usize, len: usize) -> Self {
        Self { at: at as u32, len: len as u16 }
    }

    /// Its bytes in that buffer.
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        buffer.get(self.at as usize..self.at as usize + usize::from(self.len)).unwrap_or_default()
    }
}

/// One recorded path; about 80 bytes.
pub struct Entry {
    /// Last component.
    pub name: Span,
    /// Index of the directory it is in.
    pub dir: u32,
    /// Permission bits.
    pub mode: u16,
    /// File type.
    pub kind: Kind,
    /// Bits of [`crate::meta::Meta::IMMUTABLE`] and of [`Entry::OVERSIZE`] and the like.
    pub flags: u8,
    pub uid: u32,
    pub gid: u32,
    /// Bytes of a file; major and minor number of a device.
    pub size: u64,
    pub ino: u64,
    pub dev: u64,
    /// Seconds and nanoseconds of the last change of the inode.
    pub changed: (i64, u32),
    /// What is compared.
    pub mask: Mask,
    /// How a file is read, where that is compared instead of its bytes.
    pub view: Option<View>,
    /// A link's target in the arena, as offset and length; a file's first hard link, as entry index and 1.
    pub extra: Span,
    pub leader: u32,
}

impl Entry {
    /// Content is asked for, but a budget was spent before.
    pub const OVER_BUDGET: u8 = 4;
    /// Content is asked for, but the file is above the size cap.
    pub const OVERSIZE: u8 = 8;
    /// It is in a tree that ordinary users can write.
    pub const GUARD: u8 = 16;
    /// The name is the only one, or the mask leaves hard links out.
    pub const NO_LEADER: u32 = u32::MAX;

    /// Whether its bytes are read.
    pub fn is_read(&self) -> bool {
        self.kind == Kind::File && (self.mask.has(Attr::Content) || self.view.is_some())
    }
}

/// One directory that was or will be listed.
pub struct Dir {
    /// Index of the directory it is in; the top of a scope is in none.
    pub parent: u32,
    /// Last component; the whole path at the top of a scope.
    pub name: Span,
    /// Whether its own entry is in the set.
    pub recorded: bool,
}

/// No directory.
pub const TOP: u32 = u32::MAX;

/// Everything found.
#[derive(Default)]
pub struct Tree {
    arena: Vec<u8>,
    pub entries: Vec<Entry>,
    pub dirs: Vec<Dir>,
    /// Trees that ordinary users can write, as they were walked: number of the first entry, and path.
    pub guards: Vec<(u32, Vec<u8>)>,
}

impl Tree {
    /// Stores bytes; `None` when the arena is full, which is a limit.
    pub fn store(&mut self, bytes: &[u8]) -> Option<Span> {
        let at = u32::try_from(self.arena.len()).ok()?;
        let len = u16::try_from(bytes.len()).ok()?;
        self.arena.extend_from_slice(bytes);
        Some(Span { at, len })
    }

    /// The bytes of a span.
    pub fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.arena)
    }

    /// The path of a directory.
    pub fn dir_path(&self, dir: u32, out: &mut Vec<u8>) {
        out.clear();
        self.push_dir(dir, out);
    }

    fn push_dir(&self, dir: u32, out: &mut Vec<u8>) {
        let Some(it) = self.dirs.get(dir as usize) else { return };
        if it.parent != TOP {
            self.push_dir(it.parent, out);
            if out.last() != Some(&b'/') {
                out.push(b'/');
            }
        }
        out.extend_from_slice(self.bytes(it.name));
    }

    /// The path of an entry. The top of a scope is an entry whose directory is [`TOP`] and whose name is the path.
    pub fn path(&self, entry: &Entry, out: &mut Vec<u8>) {
        self.dir_path(entry.dir, out);
        if !out.is_empty() && out.last() != Some(&b'/') {
            out.push(b'/');
        }
        out.extend_from_slice(self.bytes(entry.name));
    }

    /// Entry numbers in the byte order of their paths, which is not the order of a walk: `a-b` stands before `a/c`.
    pub fn in_path_order(&self) -> Vec<u32> {
        let mut heads: Vec<Vec<u8>> = Vec::with_capacity(self.dirs.len());
        for dir in 0..self.dirs.len() as u32 {
            let mut path = Vec::new();
            self.dir_path(dir, &mut path);
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            heads.push(path);
        }
        crate::order::of(self.entries.len(), &mut |a, b| {
            let (a, b) = (&self.entries[a], &self.entries[b]);
            let head = |entry: &Entry| heads.get(entry.dir as usize).map_or(&b""[..], Vec::as_slice);
            if a.dir == b.dir {
                return self.bytes(a.name).cmp(self.bytes(b.name));
            }
            chained(head(a), self.bytes(a.name), head(b), self.bytes(b.name))
        })
    }

    /// Gives every file that has more than one name in scope the first of them, in byte order, as its leader.
    pub fn group_links(&mut self, mut linked: Vec<u32>) {
        let mut paths: Vec<(u32, Vec<u8>)> = Vec::with_capacity(linked.len());
        let inode = |e: &u32| (self.entries[*e as usize].dev, self.entries[*e as usize].ino);
        crate::order::sort(&mut linked, |a, b| inode(a).cmp(&inode(b)));
        let mut at = 0;
        while at < linked.len() {
            let inode = |e: u32| (self.entries[e as usize].dev, self.entries[e as usize].ino);
            let group = linked[at..].iter().take_while(|e| inode(**e) == inode(linked[at])).count();
            if group > 1 {
                paths.clear();
                for entry in &linked[at..at + group] {
                    let mut path = Vec::new();
                    self.path(&self.entries[*entry as usize], &mut path);
                    paths.push((*entry, path));
                }
                if let Some(leader) = paths.iter().min_by(|a, b| a.1.cmp(&b.1)).map(|(entry, _)| *entry) {
                    for entry in &linked[at..at + group] {
                        self.entries[*entry as usize].leader = leader;
                    }
                }
            }
            at += group;
        }
    }
}

/// Compares two paths that are each in two pieces.
fn chained(a1: &[u8], a2: &[u8], b1: &[u8], b2: &[u8]) -> Ordering {
    let shared = a1.len().min(b1.len());
    a1[..shared].cmp(&b1[..shared]).then_with(|| {
        let (a, b) = (a1[shared..].iter().chain(a2), b1[shared..].iter().chain(b2));
        a.cmp(b)
    })
}
