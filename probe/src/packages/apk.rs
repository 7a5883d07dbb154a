//! apk's list of what is installed (apk-v2(5)), at its place of today and that of a merged `/usr`.
//!
//! apk replaces the file by renaming a new one over it, so that it is whole at every moment; its lock is one of flock(2),
//! which can't be asked about without being taken.
//!
//! *Invariant:* reads one file and knows no other.

use super::stanza;
use super::{Found, MALFORMED, MOST};
use crate::place::Place;
use rustix::io::{Errno, Result};

/// Reads the database.
pub fn read(place: &Place, found: &mut Found) -> Result<()> {
    let text = match place.read(b"/usr/lib/apk/db/installed", MOST) {
        Err(Errno::NOENT | Errno::NOTDIR) => match place.read(b"/lib/apk/db/installed", MOST) {
            // /lib is a link to where we looked first.
            Err(Errno::LOOP) => Err(Errno::NOENT),
            result => result,
        },
        result => result,
    }?;
    stanza::each(&text, [b"P", b"V", b"A", b"f", b"C"], &mut |values| {
        let [Some(name), Some(version), Some(arch), state, build] = values else { return Err(MALFORMED) };
        found.push(name, arch, version, state.unwrap_or_default(), build.unwrap_or_default())
    })
}
