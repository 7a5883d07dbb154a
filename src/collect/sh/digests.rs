//! The rounds of hashing: which files may be opened, in what blocks they are asked for, and whether they held still.
//!
//! *Invariant:* a file counts as read only where stat says the same before and after; one that changed is tried once more.

use super::hashes::{Asked, Hashed, is_quiet, parse};
use super::listing::{self, Stat};
use super::plan::{Content, Planned, note};
use super::stream::{BLOCK_MAX, Stream};
use super::trust::Trust;
use super::walk::{inside, place, trouble};
use crate::collect::failure::Failure;
use crate::protocol::Kind;
use crate::protocol::coverage::{Coverage, Part, Why};
use std::collections::BTreeSet;
use std::time::Instant;

/// Bytes of files in one block, so that a look at the clock comes often enough.
const BLOCK_BYTES: u64 = 256 << 20;

/// What the rounds need.
pub(super) struct Digests<'a, 'b> {
    pub(super) stream: &'a mut Stream<'b>,
    pub(super) prefix: &'a [u8],
    pub(super) trust: &'a mut Trust,
    pub(super) uid: u32,
    pub(super) file_bytes: u64,
    /// When the host's time is up.
    pub(super) until: Instant,
}

impl Digests<'_, '_> {
    /// Gives every file whose content is wanted its digest, or a trouble.
    pub(super) fn run(&mut self, planned: &mut [Planned], coverage: &mut Coverage) -> Result<(), Failure> {
        let wanted: Vec<usize> = (0..planned.len()).filter(|at| planned[*at].content == Content::Wanted).collect();
        let mut dangers = BTreeSet::new();
        let safe = self.safe(planned, wanted, &mut dangers);
        let changed = self.round(planned, &safe, coverage)?;
        if !changed.is_empty() {
            let there = self.look_again(planned, &changed)?;
            let safe = self.safe(planned, there, &mut dangers);
            let _ = self.round(planned, &safe, coverage)?;
            for at in changed {
                if planned[at].content == Content::Wanted {
                    planned[at].content = Content::Unread(Why::Racing);
                    note(coverage, trouble(&planned[at].path, Part::Content, Why::Racing));
                }
            }
        }
        // One trouble for all that is in a folder, or a crowd of them would drive others out of the account.
        for folder in dangers {
            note(coverage, trouble(&inside(&folder, self.prefix), Part::Content, Why::Denied));
        }
        Ok(())
    }

    /// Those that may be opened; the others are unread, and the folders that make them so are noted.
    fn safe(&mut self, planned: &mut [Planned], wanted: Vec<usize>, dangers: &mut BTreeSet<Vec<u8>>) -> Vec<usize> {
        let mut safe = Vec::new();
        for at in wanted {
            let entry = &mut planned[at];
            match self.trust.danger(&place(self.prefix, &entry.path), &entry.stat) {
                None => safe.push(at),
                Some(folder) => {
                    entry.content = Content::Unread(Why::Denied);
                    // What holds the whole root counts as the root.
                    let within = super::mounts::within(&folder, self.prefix);
                    dangers.insert(if within { folder } else { place(self.prefix, b"/") });
                }
            }
        }
        safe
    }

    /// One round; gives those that changed meanwhile.
    fn round(
        &mut self,
        planned: &mut [Planned],
        files: &[usize],
        coverage: &mut Coverage,
    ) -> Result<Vec<usize>, Failure> {
        let mut changed = Vec::new();
        let mut late = false;
        let mut left = files;
        while !left.is_empty() {
            let (these, rest) = left.split_at(self.next_block(planned, left));
            left = rest;
            late |= Instant::now() >= self.until;
            if late {
                for at in these {
                    planned[*at].content = Content::Unread(Why::Limit);
                }
                continue;
            }
            let places: Vec<Vec<u8>> = these.iter().map(|at| place(self.prefix, &planned[*at].path)).collect();
            let mut block = places.join(&0);
            block.push(0);
            self.stream.block('h', &block)?;
            let frame = self.stream.frame()?;
            let inode = |at: &usize| (planned[*at].stat.dev, planned[*at].stat.ino);
            let asked = places.iter().zip(these).map(|(path, at)| Asked { path, inode: inode(at) });
            let hashed = parse(&frame.payload, &asked.collect::<Vec<_>>())?;
            for (at, hashed) in these.iter().zip(hashed) {
                match self.content(&planned[*at].stat, &hashed) {
                    Some(content) => {
                        if let Content::Unread(why) = content {
                            note(coverage, trouble(&planned[*at].path, Part::Content, why));
                        } else {
                            coverage.hashed_bytes += planned[*at].stat.size;
                        }
                        planned[*at].content = content;
                    }
                    None => changed.push(*at),
                }
            }
        }
        if late {
            note(coverage, trouble(b"/", Part::Content, Why::Limit));
        }
        Ok(changed)
    }

    /// How many of the files go into the next block: one alone where its name is not quiet.
    fn next_block(&self, planned: &[Planned], files: &[usize]) -> usize {
        let (mut names, mut bytes) = (0, 0);
        for (count, at) in files.iter().enumerate() {
            let (entry, quiet) = (&planned[*at], is_quiet(&planned[*at].path));
            names += self.prefix.len() + entry.path.len() + 1;
            bytes += entry.stat.size;
            if count > 0 && (!quiet || names > BLOCK_MAX || bytes > BLOCK_BYTES) {
                return count;
            }
            if !quiet {
                return 1;
            }
        }
        files.len()
    }

    /// What came of a file; `None` where it changed.
    fn content(&self, before: &Stat, hashed: &Hashed) -> Option<Content> {
        let after = hashed.after.as_ref().filter(|after| after.is_same(before))?;
        if let Some(digest) = hashed.digest {
            return Some(Content::Read(digest));
        }
        // sha256sum tells why to people only. Whom the bits let in was refused by something else.
        let let_in = self.uid == 0 || after.mode & 0o004 != 0 || after.uid == self.uid && after.mode & 0o400 != 0;
        Some(Content::Unread(if let_in { Why::Io } else { Why::Denied }))
    }

    /// Looks at those that changed; gives those that are still regular files below the size cap.
    fn look_again(&mut self, planned: &mut [Planned], changed: &[usize]) -> Result<Vec<usize>, Failure> {
        let mut there = Vec::new();
        for these in changed.chunks(32) {
            let mut block = Vec::new();
            for at in these {
                block.extend_from_slice(&place(self.prefix, &planned[*at].path));
                block.push(0);
            }
            self.stream.block('s', &block)?;
            let frame = self.stream.frame()?;
            let again = listing::parse(&frame.payload, false)?;
            if again.len() != these.len() {
                return Err(Failure::protocol("fewer paths than were asked for"));
            }
            for (at, entry) in these.iter().zip(again) {
                let regular = |stat: &Stat| stat.kind == Some(Kind::File) && stat.size <= self.file_bytes;
                if let Some(stat) = entry.stat.filter(regular) {
                    planned[*at].stat = stat;
                    there.push(*at);
                }
            }
        }
        Ok(there)
    }
}
