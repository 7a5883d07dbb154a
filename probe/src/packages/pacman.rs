//! pacman's local database: a folder for each package, and in it a file of fields (alpm-db-desc(5)).
//!
//! *Invariant:* a folder without its file, or with another package's, is a broken database.

use super::{Found, LOCKED, MALFORMED};
use crate::place::Place;
use rustix::io::{Errno, Result};

const LOCAL: &[u8] = b"/var/lib/pacman/local/";

/// Reads the database.
pub fn read(place: &Place, found: &mut Found) -> Result<()> {
    let names = place.names(LOCAL)?;
    // pacman's lock is that this file is there.
    if !matches!(place.regular(b"/var/lib/pacman/db.lck"), Err(Errno::NOENT)) {
        return Err(LOCKED);
    }
    for folder in names {
        let text = match place.read(&[LOCAL, &folder, b"/desc"].concat(), 1 << 20) {
            // The version of the database's form is a file among the folders.
            Err(Errno::NOTDIR) => continue,
            Err(Errno::NOENT) => return Err(MALFORMED),
            result => result?,
        };
        let field = |key: &[u8]| {
            let mut lines = text.split(|b| *b == b'\n');
            lines.find(|line| *line == key).and_then(|_| lines.next())
        };
        let (Some(name), Some(version), Some(arch)) = (field(b"%NAME%"), field(b"%VERSION%"), field(b"%ARCH%")) else {
            return Err(MALFORMED);
        };
        if !text.ends_with(b"\n") || [name, b"-", version].concat() != folder {
            return Err(MALFORMED);
        }
        found.push(name, arch, version, b"", field(b"%BUILDDATE%").unwrap_or_default())?;
    }
    Ok(())
}
