//! rpm: each package's header has its files as lists of one length: base names, folders, digests, flags (rpm's
//! `docs/manual/tags.md`).
//!
//! *Invariant:* what the package says not to verify is not verified.

use super::{Wanted, unhex};
use crate::packages::rpm::{Header, each, pages::be};
use crate::protocol::System;
use alloc::vec::Vec;
use rustix::io::{Errno, Result};

/// Folders of one package at most.
const FOLDERS: usize = 1 << 20;
/// Flags of a file: configuration, and a path that is only named.
const CONFIG: usize = 1;
const GHOST: usize = 1 << 6;

/// Reads the lists.
pub fn claim(wanted: &mut Wanted<'_>) -> Result<()> {
    let mut ended = Ok(());
    let read = each(wanted.host.place, &mut |header| {
        let tags = [1000, 1022, 1117, 1118, 1116, 1035, 1037, 1045, 1036, 5011, 1029];
        let header = Header::of(header, tags)?;
        ended = wanted.begin(System::Rpm, header.text(0)?, header.text(1).unwrap_or_default());
        ended.ok()?;
        files(&header, wanted)
    });
    match ended {
        Err(Errno::TIME) => ended,
        _ => read,
    }
}

fn files(header: &Header<'_, 11>, wanted: &mut Wanted<'_>) -> Option<()> {
    let (Some((_, count)), Some((_, folders))) = (header.places[2], header.places[3]) else { return Some(()) };
    if folders > FOLDERS.min(count) {
        return None;
    }
    let folders: Vec<&[u8]> = header.texts(3).take(folders).collect();
    // Of files alone: 1 and none are MD5, 2 SHA-1, 8 SHA-256; what has another length tells nothing.
    let algorithm = header.number(9, 0).unwrap_or(1);
    let len = match algorithm {
        1 => 16,
        2 => 20,
        8 => 32,
        _ => 0,
    };
    let (mut sums, mut targets) = (header.texts(5), header.texts(8));
    let mut path = Vec::new();
    for (at, base) in header.texts(2).take(count).enumerate() {
        let (sum, target) = (sums.next().unwrap_or_default(), targets.next().unwrap_or_default());
        path.clear();
        path.extend_from_slice(folders.get(header.number(4, at)?)?);
        path.extend_from_slice(base);
        // Replaced by another package's, of another colour, or not wanted.
        let state = header.places[10].map_or(Some(0), |(place, _)| be(header.bytes, place + at, 1));
        if state != Some(0) {
            continue;
        }
        let Some(claim) = wanted.claim(&path) else { continue };
        let flags = header.number(6, at).unwrap_or(0);
        claim.is_config = flags & CONFIG != 0;
        if flags & GHOST != 0 {
            continue;
        }
        let verify = header.number(7, at).unwrap_or(usize::MAX);
        // Bit 0: the digest; bit 2: where a link points.
        if verify & 1 != 0 {
            claim.digest = unhex(sum).filter(|digest| digest.len() == len).unwrap_or_default();
        }
        if verify & 4 != 0 {
            claim.target = target.to_vec();
        }
    }
    Some(())
}
