//! The rounds of listing: each scope, each local file system in it, then the trees that everybody may write, each with a bound
//! of its own.
//!
//! `find` stays on one file system, so that what the mount table does not name is not entered either; where it stopped and the
//! table says local storage, the next round begins.
//!
//! *Invariant:* what was not listed is a trouble.

use super::listing::{self, Stat};
use super::mounts::{Mount, within};
use super::said::Said;
use super::script::SAID;
use super::stream::{BLOCK_MAX, Stream};
use super::trust::Trust;
use crate::collect::failure::Failure;
use crate::protocol::coverage::{Part, Trouble, Why};
use crate::protocol::mount::GUARD_ROOTS;
use std::collections::{BTreeMap, BTreeSet};

/// Troubles of one tree of ordinary users, after which there is one for the whole tree.
const GUARD_TROUBLES: usize = 16;
/// Rounds of one scan.
const ROUNDS: usize = 1_000;

/// How far a listing may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Levels below where a round begins; `find` keeps to it, so that no path outgrows what xargs takes.
    pub(super) depth: u32,
    /// Entries, and bytes, of the trees that only the system writes.
    pub(super) entries: u64,
    pub(super) bytes: u64,
    /// The same of each tree that everybody may write.
    pub(super) guard_entries: u64,
    pub(super) guard_bytes: u64,
}

/// One path that is there.
pub(super) struct Entry {
    pub(super) stat: Stat,
    /// Where a link points.
    pub(super) target: Option<Vec<u8>>,
}

/// What was listed.
pub(super) struct Walk<'a, 'b> {
    stream: &'a mut Stream<'b>,
    /// The scanned root on the host; empty where it is `/`.
    prefix: &'a [u8],
    /// `None` where there is no table.
    mounts: Option<&'a [Mount]>,
    bounds: Bounds,
    pub(super) trust: &'a mut Trust,
    /// By path inside the root.
    pub(super) entries: BTreeMap<Vec<u8>, Entry>,
    pub(super) troubles: Vec<Trouble>,
    /// Guard roots that were entered behind a mount that was not.
    pub(super) hidden: Vec<Vec<u8>>,
    gone: BTreeSet<Vec<u8>>,
    left: u64,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(
        stream: &'a mut Stream<'b>,
        prefix: &'a [u8],
        mounts: Option<&'a [Mount]>,
        bounds: Bounds,
        trust: &'a mut Trust,
    ) -> Self {
        Self {
            stream,
            prefix,
            mounts,
            bounds,
            trust,
            entries: BTreeMap::new(),
            troubles: Vec::new(),
            hidden: Vec::new(),
            gone: BTreeSet::new(),
            left: bounds.bytes,
        }
    }

    /// Lists the scopes. `left_out` are folders that the rules leave out whole.
    pub(super) fn run(&mut self, scopes: &[Vec<u8>], left_out: &[Vec<u8>]) -> Result<(), Failure> {
        let unmounted = self.mounts.unwrap_or_default().iter().filter(|mount| !mount.is_local());
        let mut closed: Vec<Vec<u8>> =
            unmounted.map(|mount| mount.path.clone()).chain(left_out.iter().cloned()).collect();
        closed.retain(|path| !scopes.contains(path));
        let open_guards = closed.clone();
        closed.extend(GUARD_ROOTS.iter().map(|path| path.to_vec()).filter(|path| !scopes.contains(path)));
        self.close(&closed)?;
        self.rounds(scopes.to_vec(), &closed, false)?;
        if self.entries.len() as u64 > self.bounds.entries {
            self.troubles.extend(scopes.iter().map(|scope| trouble(scope, Part::Below, Why::Limit)));
        }
        let guards: Vec<Vec<u8>> =
            GUARD_ROOTS.iter().map(|path| path.to_vec()).filter(|g| self.is_guard(g, scopes)).collect();
        for guard in guards {
            let mut closed = open_guards.clone();
            closed.retain(|path| *path != guard && within(path, &guard));
            self.close(&closed)?;
            let (entries, troubles) = (self.entries.len() as u64, self.troubles.len());
            self.left = self.bounds.guard_bytes;
            self.rounds(vec![guard.clone()], &closed, true)?;
            let full = self.entries.len() as u64 - entries > self.bounds.guard_entries;
            // Whoever fills such a tree must not drive the troubles of other trees out of the account.
            if full || self.troubles.len() - troubles > GUARD_TROUBLES {
                let why = if full { Why::Limit } else { self.troubles[troubles].why };
                self.troubles.truncate(troubles + GUARD_TROUBLES);
                self.troubles.push(trouble(&guard, Part::Below, why));
            }
        }
        self.look_again()
    }

    /// Whether a guard root is walked on its own: below a scope, and a folder that a listing met, or one that stands behind a
    /// mount which was not entered and is itself on local storage or memory.
    fn is_guard(&mut self, path: &[u8], scopes: &[Vec<u8>]) -> bool {
        if !scopes.iter().any(|scope| scope != path && within(path, scope)) {
            return false;
        }
        let over = |mount: &&Mount| within(path, &mount.path);
        let mounts = self.mounts.unwrap_or_default();
        let hidden = mounts.iter().filter(over).any(|mount| !mount.is_local() && mount.path != b"/");
        if !hidden {
            return self.entries.get(path).is_some_and(|entry| entry.stat.is_directory());
        }
        let holder = mounts.iter().filter(over).max_by_key(|mount| mount.path.len());
        let entered = holder.is_some_and(|mount| mount.is_local() || mount.is_memory());
        if entered {
            self.hidden.push(path.to_vec());
        }
        entered
    }

    /// Says which folders are not entered.
    fn close(&mut self, paths: &[Vec<u8>]) -> Result<(), Failure> {
        let mut text = b"o\n".to_vec();
        // A path that holds a newline can't be said; find stops there by itself where it is a mount.
        for path in paths.iter().filter(|path| !path.contains(&b'\n')) {
            text.extend_from_slice(b"p\n");
            // As a pattern of fnmatch(3).
            for byte in place(self.prefix, path) {
                if b"*?[]\\".contains(&byte) {
                    text.push(b'\\');
                }
                text.push(byte);
            }
            text.push(b'\n');
        }
        self.stream.send(&text)
    }

    fn rounds(&mut self, mut starts: Vec<Vec<u8>>, closed: &[Vec<u8>], guard: bool) -> Result<(), Failure> {
        let mut rounds = 0;
        while let Some(start) = starts.pop() {
            rounds += 1;
            if rounds > ROUNDS || self.left == 0 {
                self.troubles.push(trouble(&start, Part::Below, Why::Limit));
                continue;
            }
            for cut in self.list(&start, guard)? {
                if closed.contains(&cut) || cut == start {
                    continue;
                }
                let mount = self.mounts.map(|mounts| mounts.iter().find(|mount| mount.path == cut));
                match mount {
                    // Without a table nobody knows what that is.
                    None => self.troubles.push(trouble(&cut, Part::Below, Why::Io)),
                    Some(Some(mount)) if !mount.is_local() => {}
                    // Local storage, or a part of it with a device number of its own (btrfs).
                    Some(_) => starts.push(cut),
                }
            }
        }
        Ok(())
    }

    /// Lists one tree on one file system; gives the folders at which another one begins.
    fn list(&mut self, from: &[u8], guard: bool) -> Result<Vec<Vec<u8>>, Failure> {
        if from.contains(&b'\n') {
            self.troubles.push(trouble(from, Part::Below, Why::Denied));
            return Ok(Vec::new());
        }
        let place = place(self.prefix, from);
        let cap = self.left;
        self.stream.send(&[format!("l {cap}\n").as_bytes(), &place, b"\n"].concat())?;
        let frame = self.stream.frame()?;
        let (told, said) =
            self.stream.split(&frame.payload, SAID).ok_or_else(|| Failure::protocol("a listing without its end"))?;
        self.left = cap.saturating_sub(told.len() as u64);
        let cut = told.len() as u64 >= cap;
        if cut {
            self.troubles.push(trouble(from, Part::Below, Why::Limit));
        }
        let listed = listing::parse(&told, cut)?;
        let top = listed.iter().find(|entry| entry.path == place).and_then(|entry| entry.stat.as_ref());
        let top = top.map(|stat| stat.dev);
        let mut borders = Vec::new();
        for entry in listed {
            if !within(&entry.path, &place) {
                return Err(Failure::protocol("a path outside of what was asked"));
            }
            let inside = inside(&entry.path, self.prefix);
            let Some(stat) = entry.stat else {
                self.gone.insert(inside);
                continue;
            };
            if stat.is_directory() {
                self.trust.know(&entry.path, &stat);
                if top.is_some_and(|top| top != stat.dev) {
                    borders.push(inside.clone());
                } else if depth(&entry.path, &place) >= self.bounds.depth {
                    self.troubles.push(trouble(&inside, Part::Below, Why::Limit));
                }
            }
            self.entries.insert(inside, Entry { stat, target: entry.target });
        }
        // What was cut off has no true end.
        self.said(from, &Said::parse(&said, self.stream.nonce()), cut, guard);
        // Of borders within each other the outermost counts: find went no further.
        borders.sort();
        borders.dedup_by(|a, b| within(a, b));
        Ok(borders)
    }

    fn said(&mut self, start: &[u8], said: &Said, cut: bool, guard: bool) {
        for path in &said.denied {
            let path = inside(path, self.prefix);
            let part = if self.entries.contains_key(&path) { Part::Below } else { Part::Entry };
            self.troubles.push(trouble(&path, part, Why::Denied));
        }
        self.gone.extend(said.gone.iter().map(|path| inside(path, self.prefix)));
        if said.other.is_some() && !cut {
            // Where everybody may write, more words than are kept are a limit that somebody reached.
            let why = if guard { Why::Limit } else { Why::Io };
            self.troubles.push(trouble(start, Part::Below, why));
        }
    }

    /// What was listed and then not there is there again: somebody moved it out of the way. A folder that is in the set and
    /// into which nobody looked hides what is in it, there or not.
    fn look_again(&mut self) -> Result<(), Failure> {
        let gone: Vec<Vec<u8>> = std::mem::take(&mut self.gone).into_iter().collect();
        let mut left = &gone[..];
        while !left.is_empty() {
            let mut block = Vec::new();
            let mut count = 0;
            for path in left {
                let place = place(self.prefix, path);
                if count > 0 && block.len() + place.len() >= BLOCK_MAX {
                    break;
                }
                block.extend_from_slice(&place);
                block.push(0);
                count += 1;
            }
            let (these, rest) = left.split_at(count);
            left = rest;
            self.stream.block('s', &block)?;
            let frame = self.stream.frame()?;
            let again = listing::parse(&frame.payload, false)?;
            for (path, entry) in these.iter().zip(&again) {
                if entry.stat.is_some() || self.entries.contains_key(path) {
                    self.troubles.push(trouble(path, Part::Below, Why::Racing));
                }
            }
            if again.len() != these.len() {
                return Err(Failure::protocol("fewer paths than were asked for"));
            }
        }
        Ok(())
    }
}

/// A path on the host.
pub(super) fn place(prefix: &[u8], path: &[u8]) -> Vec<u8> {
    match (prefix, path) {
        (b"", _) => path.to_vec(),
        (_, b"/") => prefix.to_vec(),
        _ => [prefix, path].concat(),
    }
}

/// A path inside the root.
pub(super) fn inside(place: &[u8], prefix: &[u8]) -> Vec<u8> {
    match place.strip_prefix(prefix) {
        Some(b"") | None => b"/".to_vec(),
        Some(path) => path.to_vec(),
    }
}

fn depth(path: &[u8], start: &[u8]) -> u32 {
    let names = |path: &[u8]| path.split(|b| *b == b'/').filter(|name| !name.is_empty()).count();
    u32::try_from(names(path).saturating_sub(names(start))).unwrap_or(u32::MAX)
}

pub(super) fn trouble(path: &[u8], part: Part, why: Why) -> Trouble {
    Trouble { path: path[..path.len().min(4096)].to_vec(), part, why, errno: 0 }
}
