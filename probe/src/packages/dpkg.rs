//! dpkg's status file (deb-control(5), dpkg-query(1)).
//!
//! *Invariant:* what dpkg has not finished is never told as a set of packages.

use super::stanza;
use super::{Found, INTERRUPTED, MALFORMED, MOST, unlocked};
use crate::place::Place;
use rustix::io::{Errno, Result};

/// dpkg writes pieces here while it works, and folds them into the status file when it is done.
const UPDATES: &[u8] = b"/var/lib/dpkg/updates";
/// States in which a package stays; every other one is a step on the way to these.
const SETTLED: [&[u8]; 2] = [b"installed", b"config-files"];

/// Reads the database.
pub fn read(place: &Place, found: &mut Found) -> Result<()> {
    let text = place.read(b"/var/lib/dpkg/status", MOST)?;
    // apt holds the first one from its first package to its last, dpkg the second while it runs itself.
    unlocked(place, b"/var/lib/dpkg/lock-frontend")?;
    unlocked(place, b"/var/lib/dpkg/lock")?;
    match place.names(UPDATES) {
        // The pieces are numbered files; dpkg itself skips everything else.
        Ok(names) if names.iter().any(|name| name.iter().all(u8::is_ascii_digit)) => return Err(INTERRUPTED),
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => {}
        Err(errno) => return Err(errno),
    }
    stanza::each(&text, [b"Package", b"Version", b"Architecture", b"Status", b""], &mut |values| {
        let [Some(name), version, arch, Some(status), _] = values else { return Err(MALFORMED) };
        let state = status.rsplit(|b| *b == b' ').next().unwrap_or_default();
        // Once known and not installed: dpkg keeps the name, the machine has nothing of it.
        if state == b"not-installed" {
            return Ok(());
        }
        if !SETTLED.contains(&state) {
            return Err(INTERRUPTED);
        }
        found.push(name, arch.unwrap_or_default(), version.unwrap_or_default(), status, b"")
    })
}
