//! What was asked, read, not readable and why, as the probe reports it.
//!
//! *Invariant:* a coverage that lost detail to a cap still counts every loss; a count is never dropped.

use super::System;
use super::bytes::{Malformed, Reader, put_string, put_varint};
use alloc::vec::Vec;

/// Why something was not read. The number is the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Why {
    /// Nobody got to it: the slot was never filled, because a worker died or the walk ended early.
    NotRead = 0,
    /// Permission denied.
    Denied = 1,
    /// Any other error of the kernel.
    Io = 2,
    /// It changed while it was read, twice.
    Racing = 3,
    /// A limit of entries, bytes, depth, seconds or memory was reached.
    Limit = 4,
    /// A package database that is locked, interrupted or not well-formed, or that changed during the scan.
    Packages = 5,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 6] = [Self::NotRead, Self::Denied, Self::Io, Self::Racing, Self::Limit, Self::Packages];

    /// The reason of a wire number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What part of a subject could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// A directory's entries: everything below it is unknown.
    Below = 0,
    /// The entry itself could not be examined.
    Entry = 1,
    /// A file's content.
    Content = 2,
    /// Extended attributes.
    Xattrs = 3,
    /// A whole source: the package database, the mount table, a fact.
    Source = 4,
}

impl Part {
    const ALL: [Self; 5] = [Self::Below, Self::Entry, Self::Content, Self::Xattrs, Self::Source];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One thing that was asked for and not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// The path inside the scanned root, or a source's name.
    pub path: Vec<u8>,
    /// What part of it.
    pub part: Part,
    /// Why.
    pub why: Why,
    /// The kernel's error number, 0 where none applies.
    pub errno: u16,
}

/// A mount inside the scope that was not walked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedMount {
    /// Mount point inside the scanned root.
    pub path: Vec<u8>,
    /// File system type.
    pub fs_type: Vec<u8>,
}

/// The probe's account of one scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Entries the walk saw.
    pub walked: u64,
    /// Records that are in the set.
    pub compared: u64,
    /// Bytes of files that were hashed.
    pub hashed_bytes: u64,
    /// Files above the size cap.
    pub oversize: u64,
    /// Packages found, of every system.
    pub packages: u64,
    /// Package systems that were found, as bits of [`super::System::bit`].
    pub systems: u8,
    /// Entries whose file system does not tell immutable and append-only flags.
    pub flags_untold: u64,
    /// Milliseconds the scan took on the host.
    pub millis: u64,
    /// Entries that each rule left out: rule number and count, ascending.
    pub ignored: Vec<(u16, u64)>,
    /// Directories that a rule left out as a whole, so that what is below was not counted: rule number and path.
    pub pruned: Vec<(u16, Vec<u8>)>,
    /// Mounts that were not walked.
    pub skipped_mounts: Vec<SkippedMount>,
    /// What was not read; at most [`Coverage::MOST`] in detail.
    pub troubles: Vec<Trouble>,
    /// How many there were in all.
    pub troubles_total: u64,
}

impl Coverage {
    /// Whether a package system was found.
    #[must_use]
    pub fn has(&self, system: System) -> bool {
        self.systems & system.bit() != 0
    }

    /// The most details of one list.
    pub const MOST: usize = 8_192;

    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for n in [
            self.walked,
            self.compared,
            self.hashed_bytes,
            self.oversize,
            self.packages,
            u64::from(self.systems),
            self.flags_untold,
            self.millis,
        ] {
            put_varint(out, n);
        }
        put_varint(out, self.ignored.len() as u64);
        for (rule, count) in &self.ignored {
            put_varint(out, u64::from(*rule));
            put_varint(out, *count);
        }
        put_varint(out, self.pruned.len() as u64);
        for (rule, path) in &self.pruned {
            put_varint(out, u64::from(*rule));
            put_string(out, path);
        }
        put_varint(out, self.skipped_mounts.len() as u64);
        for mount in &self.skipped_mounts {
            put_string(out, &mount.path);
            put_string(out, &mount.fs_type);
        }
        put_varint(out, self.troubles_total);
        put_varint(out, self.troubles.len() as u64);
        for trouble in &self.troubles {
            put_string(out, &trouble.path);
            out.push(trouble.part as u8);
            out.push(trouble.why as u8);
            put_varint(out, u64::from(trouble.errno));
        }
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// When it is not one whole coverage.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let mut coverage = Self {
            walked: r.varint("coverage")?,
            compared: r.varint("coverage")?,
            hashed_bytes: r.varint("coverage")?,
            oversize: r.varint("coverage")?,
            packages: r.varint("coverage")?,
            systems: r.at_most(0x3f, "package systems")? as u8,
            flags_untold: r.varint("coverage")?,
            millis: r.varint("coverage")?,
            ..Self::default()
        };
        for _ in 0..r.at_most(usize::from(u16::MAX), "ignored rules")? {
            let rule = r.at_most(usize::from(u16::MAX), "rule")? as u16;
            coverage.ignored.push((rule, r.varint("ignored entries")?));
        }
        for _ in 0..r.at_most(Self::MOST, "pruned folders")? {
            let rule = r.at_most(usize::from(u16::MAX), "rule")? as u16;
            coverage.pruned.push((rule, r.string(4096, "pruned folder")?.to_vec()));
        }
        for _ in 0..r.at_most(Self::MOST, "skipped mounts")? {
            let path = r.string(4096, "mount point")?.to_vec();
            let fs_type = r.string(255, "file system type")?.to_vec();
            coverage.skipped_mounts.push(SkippedMount { path, fs_type });
        }
        coverage.troubles_total = r.varint("troubles")?;
        for _ in 0..r.at_most(Self::MOST, "troubles")? {
            coverage.troubles.push(Trouble {
                path: r.string(4096, "path")?.to_vec(),
                part: Part::of(r.u8("part")?).ok_or(Malformed("part"))?,
                why: Why::of(r.u8("reason")?).ok_or(Malformed("reason"))?,
                errno: r.at_most(usize::from(u16::MAX), "errno")? as u16,
            });
        }
        if coverage.troubles_total < coverage.troubles.len() as u64 {
            return Err(Malformed("count of troubles"));
        }
        r.end("coverage")?;
        Ok(coverage)
    }
}
