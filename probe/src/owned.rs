//! Which packages files belong to, and whether the files are as their packages shipped them.
//!
//! Every package database is read once for each question, and of it only the lists; a file is read again only where its
//! database has another digest of it than the one that was sent already.
//!
//! *Invariant:* only the digests of the host's own package databases are compared here: they explain a difference that
//! the golden digests found, and never excuse one. What is said of a file is said of the very bytes whose digest was sent.

mod apk;
mod dpkg;
mod inflate;
mod pacman;
mod proof;
mod rpm;
mod sha1;

use crate::clock::Clock;
use crate::place::Place;
use crate::protocol::reply::{BATCH, FrameKind, Owned, Shipped};
use crate::protocol::{Kind, System};
use crate::slots::Slots;
use crate::stream::Output;
use crate::tree::Tree;
use alloc::vec::Vec;
use rustix::io::{Errno, Result};

/// Owners told of one path at most.
const OWNERS: usize = 16;
/// The time is spent.
const TIME: Errno = Errno::TIME;
/// Folders of the root that may be links since `/usr` was merged; one that another leads to stands before it.
const MERGED: [&[u8]; 8] = [b"/usr/sbin", b"/usr/lib64", b"/bin", b"/sbin", b"/lib", b"/lib32", b"/lib64", b"/libx32"];

/// Links that update-alternatives(1) makes; others lead to these.
const ALTERNATIVES: &[u8] = b"/etc/alternatives/";

/// What was seen of the host, and how long it may take.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    pub place: &'a Place,
    pub tree: &'a Tree,
    pub slots: &'a Slots,
    pub clock: &'a Clock,
    /// A file above is not read.
    pub file_bytes: u64,
}

/// What one package says of one path.
struct Claim {
    /// Which of the owners.
    owner: u32,
    is_config: bool,
    /// Of a file's bytes: MD5, SHA-1 or SHA-256 by its length; empty where the database has none. Of a link, the digest
    /// of its target.
    digest: Vec<u8>,
    /// Where a link points; empty where the database does not say.
    target: Vec<u8>,
}

/// The paths that are asked for, and what has been found of them.
struct Wanted<'a> {
    host: Host<'a>,
    prove: bool,
    paths: &'a [Vec<u8>],
    /// Links of the root that file lists of packages may not know of: what they write, and what it is.
    merged: Vec<(&'static [u8], Vec<u8>)>,
    /// For each path its entry in the tree.
    entries: Vec<u32>,
    /// What asked links of the alternatives lead to, sorted, with the number of the link: it belongs to the same package.
    alternatives: Vec<(Vec<u8>, usize)>,
    claims: Vec<Vec<Claim>>,
    owners: Vec<Vec<u8>>,
    /// The package whose list is being read, and its number where it has claimed something.
    subject: Vec<u8>,
    number: Option<u32>,
}

const NONE: u32 = u32::MAX;

/// Sends one answer for each path.
pub fn send(host: Host<'_>, prove: bool, paths: &[Vec<u8>], output: &mut Output) {
    let mut wanted = Wanted::new(host, prove, paths);
    let mut lost = false;
    for read in [dpkg::claim, rpm::claim, apk::claim, pacman::claim] {
        // A database that is not there has no packages.
        lost |= !matches!(read(&mut wanted), Ok(()) | Err(Errno::NOENT | Errno::NOTDIR));
    }
    let mut payload = Vec::new();
    for at in 0..paths.len() {
        wanted.answer(at, lost).encode(&mut payload);
        if payload.len() > BATCH {
            output.frame(FrameKind::Owned, &payload);
            payload.clear();
        }
    }
    if !payload.is_empty() {
        output.frame(FrameKind::Owned, &payload);
    }
}

impl<'a> Wanted<'a> {
    fn new(host: Host<'a>, prove: bool, paths: &'a [Vec<u8>]) -> Self {
        let mut wanted = Self {
            host,
            prove,
            paths,
            merged: Vec::new(),
            entries: alloc::vec![NONE; paths.len()],
            alternatives: Vec::new(),
            claims: Vec::new(),
            owners: Vec::new(),
            subject: Vec::new(),
            number: None,
        };
        wanted.claims.resize_with(paths.len(), Vec::new);
        for name in MERGED {
            let folder = if name.starts_with(b"/usr/") { &b"/usr/"[..] } else { b"/" };
            if let Some(link) = link(host.place, folder, &name[folder.len()..]) {
                let whole = if link.starts_with(b"/") { link } else { [folder, &link].concat() };
                wanted.merged.push((name, wanted.real(&whole).unwrap_or(whole)));
            }
        }
        let mut path = Vec::new();
        for (number, entry) in host.tree.entries.iter().enumerate() {
            host.tree.path(entry, &mut path);
            if let Some(at) = wanted.exactly(&path) {
                wanted.entries[at] = number as u32;
                let target = host.tree.bytes(entry.extra);
                let real = match target.strip_prefix(ALTERNATIVES) {
                    _ if entry.kind != Kind::Symlink => None,
                    Some(name) => link(host.place, ALTERNATIVES, name),
                    None => path.starts_with(ALTERNATIVES).then(|| target.to_vec()),
                };
                wanted.alternatives.extend(real.map(|real| (real, at)));
            }
        }
        crate::order::sort(&mut wanted.alternatives, |a, b| a.cmp(b));
        wanted
    }

    /// The lists of another package follow; an error when the time is spent.
    #[inline(never)]
    fn begin(&mut self, system: System, name: &[u8], arch: &[u8]) -> Result<()> {
        self.subject = system.subject(name, arch).ok_or(Errno::BADMSG)?;
        self.number = None;
        if self.host.clock.is_over() { Err(TIME) } else { Ok(()) }
    }

    fn exactly(&self, path: &[u8]) -> Option<usize> {
        self.paths.binary_search_by(|asked| asked.as_slice().cmp(path)).ok()
    }

    /// The path without links of the root, where it goes through one.
    fn real(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.merged.iter().rev().find_map(|(name, real)| {
            let rest = path.strip_prefix(*name)?;
            rest.starts_with(b"/").then(|| [real, rest].concat())
        })
    }

    /// The number of a path as a package writes it; folders may end with a slash.
    #[inline(never)]
    fn find(&self, path: &[u8]) -> Option<usize> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        self.exactly(path).or_else(|| self.exactly(&self.real(path)?))
    }

    /// The claim of the package at hand on a path that is asked for.
    #[inline(never)]
    fn claim(&mut self, path: &[u8]) -> Option<&mut Claim> {
        let mut link = self.alternatives.partition_point(|(real, _)| real.as_slice() < path);
        while let Some((real, at)) = self.alternatives.get(link)
            && real == path
        {
            let at = *at;
            self.claim_at(at);
            link += 1;
        }
        let at = self.find(path)?;
        self.claim_at(at)
    }

    fn claim_at(&mut self, at: usize) -> Option<&mut Claim> {
        let number = *self.number.get_or_insert_with(|| {
            // Kernels of rpm stand beside each other under one name.
            let known = self.owners.len().wrapping_sub(1);
            if self.owners.last() == Some(&self.subject) {
                return known as u32;
            }
            self.owners.push(self.subject.clone());
            known.wrapping_add(1) as u32
        });
        let claims = self.claims.get_mut(at)?;
        let own = claims.iter().position(|claim| claim.owner == number).unwrap_or(claims.len());
        if own == claims.len() && own < OWNERS {
            claims.push(Claim { owner: number, is_config: false, digest: Vec::new(), target: Vec::new() });
        }
        claims.get_mut(own)
    }

    /// The claim that the package at hand made before.
    #[inline(never)]
    fn claimed(&mut self, path: &[u8]) -> Option<&mut Claim> {
        let number = self.number?;
        let at = self.find(path)?;
        self.claims.get_mut(at)?.iter_mut().find(|claim| claim.owner == number)
    }

    /// The type of an asked path, and where it points if it is a link; none where the walk had not seen it.
    fn seen(&self, at: usize) -> Option<(Kind, &'a [u8])> {
        let entry = self.host.tree.entries.get(*self.entries.get(at)? as usize)?;
        let target = if entry.kind == Kind::Symlink { self.host.tree.bytes(entry.extra) } else { b"" };
        Some((entry.kind, target))
    }

    fn answer(&self, at: usize, lost: bool) -> Owned {
        let claims = self.claims.get(at).map_or(&[][..], Vec::as_slice);
        let mut owned = Owned { shipped: Shipped::Unowned, is_config: false, owners: Vec::new() };
        if claims.is_empty() && lost {
            owned.shipped = Shipped::Unread;
        }
        // Two packages may have one path (of two architectures, say): who shipped these bytes comes first.
        let mut first = 0;
        for (number, claim) in claims.iter().enumerate() {
            let said = if self.prove { proof::of(self, at, claim) } else { Shipped::Untold };
            if number == 0 || said == Shipped::Same && owned.shipped != said {
                (owned.shipped, first) = (said, number);
            }
            owned.is_config |= claim.is_config;
        }
        let rest = claims.iter().enumerate().filter(|(number, _)| *number != first).map(|(_, claim)| claim);
        for claim in claims.get(first).into_iter().chain(rest) {
            owned.owners.extend(self.owners.get(claim.owner as usize).cloned());
        }
        owned
    }
}

/// Where a link in a folder points.
fn link(place: &Place, folder: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    use rustix::fd::AsFd as _;
    let folder = place.directory(folder).ok()?;
    Some(crate::place::link(folder.as_fd(), name).ok()?.to_bytes().to_vec())
}

/// Bytes of hexadecimal text; none where it is not.
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    text.chunks(2).map(|pair| if let [a, b] = pair { Some((digit(a)? << 4 | digit(b)?) as u8) } else { None }).collect()
}
