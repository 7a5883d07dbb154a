//! Snaps and flatpaks by the names of what is there: images of snaps, and the commit that a flatpak's link points to.
//!
//! *Invariant:* no file is opened; only names and links are read.

use super::Found;
use crate::place::Place;
use alloc::vec::Vec;
use rustix::fd::AsFd;
use rustix::io::{Errno, Result};

/// Snaps are images named `NAME_REVISION.snap`; several revisions may be kept.
pub fn snaps(place: &Place, found: &mut Found) -> Result<()> {
    for file in place.names(b"/var/lib/snapd/snaps")? {
        let Some(stem) = file.strip_suffix(b".snap") else { continue };
        if let Some(at) = stem.iter().rposition(|b| *b == b'_') {
            found.push(&stem[..at], b"", &stem[at + 1..], b"", b"")?;
        }
    }
    Ok(())
}

/// A flatpak is `KIND/ID/ARCH/BRANCH`, in which the link `active` names the commit in use.
pub fn flatpaks(place: &Place, found: &mut Found) -> Result<()> {
    for kind in [&b"app"[..], b"runtime"] {
        let top = [b"/var/lib/flatpak/", kind].concat();
        for id in folders(place, &top)? {
            let of_id = [&top, &b"/"[..], &id].concat();
            for arch in folders(place, &of_id)? {
                let of_arch = [&of_id, &b"/"[..], &arch].concat();
                for branch in folders(place, &of_arch)? {
                    let link = place
                        .directory(&[&of_arch, &b"/"[..], &branch].concat())
                        .and_then(|dir| crate::place::link(dir.as_fd(), b"active"));
                    match link {
                        Ok(commit) => {
                            let name = [kind, b"/", &id, b"/", &branch].concat();
                            found.push(&name, &arch, commit.to_bytes(), b"", b"")?;
                        }
                        // Not in use, or no branch at all.
                        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::INVAL) => {}
                        Err(errno) => return Err(errno),
                    }
                }
            }
        }
    }
    Ok(())
}

/// The names in a folder; none where it is no folder (`current` is a link to an architecture).
fn folders(place: &Place, path: &[u8]) -> Result<Vec<Vec<u8>>> {
    match place.names(path) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(Vec::new()),
        result => result,
    }
}
