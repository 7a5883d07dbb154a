//! Whether an entry is what a claim says.
//!
//! *Invariant:* a file that is read again is read to the digest that was sent of it, or nothing is said of it.

use super::sha1::Sha1;
use super::{Claim, Wanted};
use crate::meta::Meta;
use crate::protocol::Kind;
use crate::protocol::reply::Shipped;
use crate::slots::Content;
use alloc::vec::Vec;
use md5::Md5;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use sha2::{Digest, Sha256};

const BUFFER: usize = 64 * 1024;

/// Compares.
pub fn of(wanted: &Wanted<'_>, at: usize, claim: &Claim) -> Shipped {
    let Some((kind, target)) = wanted.seen(at) else { return Shipped::Unread };
    let agrees = |same| if same { Shipped::Same } else { Shipped::Altered };
    match kind {
        Kind::Symlink if !claim.target.is_empty() => agrees(claim.target == target),
        Kind::Symlink => match claim.digest.len() {
            20 => {
                let mut sha1 = Sha1::new();
                sha1.update(target);
                agrees(sha1.finish() == claim.digest)
            }
            32 => agrees(Sha256::digest(target)[..] == claim.digest),
            _ => Shipped::Untold,
        },
        // A link that became a file: its target is not there.
        Kind::File if !claim.target.is_empty() => Shipped::Altered,
        Kind::File if claim.digest.is_empty() => Shipped::Untold,
        Kind::File => file(wanted, at, &claim.digest).map_or(Shipped::Unread, agrees),
        Kind::Directory | Kind::Fifo | Kind::Socket | Kind::Block | Kind::Char => Shipped::Untold,
    }
}

fn file(wanted: &Wanted<'_>, at: usize, told: &[u8]) -> Option<bool> {
    let host = &wanted.host;
    let sent = match host.slots.slot(*wanted.entries.get(at)? as usize)?.content {
        Content::Read(digest) => Some(digest),
        // Of a viewed file no digest of its bytes was kept.
        Content::NotAsked | Content::Viewed(..) => None,
        Content::Oversize | Content::Unread(..) => return None,
    };
    if told.len() == 32
        && let Some(sent) = sent
    {
        return Some(sent == told);
    }
    let (file, before) = host.place.regular(wanted.paths.get(at)?).ok()?;
    if before.size > host.file_bytes {
        return None;
    }
    let mut sha256 = Sha256::new();
    let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
    each(&file, before.size, wanted, &mut |bytes| {
        sha256.update(bytes);
        match told.len() {
            16 => md5.update(bytes),
            20 => sha1.update(bytes),
            _ => {}
        }
    })?;
    let now = sha256.finalize();
    // It is the file of the walk, or another one that nobody asked about.
    if sent.is_some_and(|sent| sent != now[..]) || !Meta::of_open(&file).is_ok_and(|after| after.is_same(&before)) {
        return None;
    }
    match told.len() {
        16 => Some(md5.finalize()[..] == *told),
        20 => Some(sha1.finish() == told),
        32 => Some(now[..] == *told),
        _ => None,
    }
}

/// Gives exactly `left` bytes; none where there are less, or the time is spent.
fn each(file: &OwnedFd, mut left: u64, wanted: &Wanted<'_>, take: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut buffer: Vec<u8> = alloc::vec![0; BUFFER];
    while left > 0 {
        if wanted.host.clock.is_over() {
            return None;
        }
        let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        match rustix::io::read(file, &mut buffer[..most]) {
            Ok(0) => return None,
            Ok(n) => {
                take(&buffer[..n]);
                left -= n as u64;
            }
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    Some(())
}
