//! rpm's database in each of its forms: SQLite, its own (SUSE), Berkeley DB (until Red Hat 8).
//!
//! All of them keep one header for each package (rpm's `docs/manual/format_header.md`); indexes are not looked at.
//!
//! *Invariant:* a header that lacks what every package has makes the whole database unreadable.

mod berkeley;
mod pages;
mod slots;
mod sqlite;

use super::{CHANGED, Found, INTERRUPTED, MALFORMED, unlocked};
use crate::place::Place;
use alloc::vec::Vec;
use pages::{Pages, be};
use rustix::io::{Errno, Result};

/// Where distributions have it, in each form; one folder may be a link to the other.
const PLACES: [&[u8]; 6] = [
    b"/usr/lib/sysimage/rpm/rpmdb.sqlite",
    b"/usr/lib/sysimage/rpm/Packages.db",
    b"/usr/lib/sysimage/rpm/Packages",
    b"/var/lib/rpm/rpmdb.sqlite",
    b"/var/lib/rpm/Packages.db",
    b"/var/lib/rpm/Packages",
];

/// Takes the headers.
type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Option<()>;

/// Reads the database.
pub fn read(place: &Place, found: &mut Found) -> Result<()> {
    let mut none = Errno::NOENT;
    for path in PLACES {
        let file = match place.regular(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => continue,
            Err(Errno::LOOP) => {
                none = Errno::LOOP;
                continue;
            }
            result => result?,
        };
        let folder = path.iter().rposition(|b| *b == b'/').map_or(path, |at| &path[..at]);
        unlocked(place, &[folder, b"/.rpm.lock"].concat())?;
        let mut pages = Pages::new(file);
        let mut log = None;
        let mut take = |header: &[u8]| package(header, found);
        let read = if path.ends_with(b".sqlite") {
            // A journal of this kind is there only while it is written, or after that was cut off.
            if place.regular(&[path, b"-journal"].concat()).is_ok_and(|(_, meta)| meta.size > 0) {
                return Err(INTERRUPTED);
            }
            log = match place.regular(&[path, b"-wal"].concat()) {
                Err(Errno::NOENT) => None,
                result => Some(Pages::new(result?)),
            };
            sqlite::read(&mut pages, log.as_mut(), &mut take)
        } else if path.ends_with(b".db") {
            slots::read(&mut pages, &mut take)
        } else {
            berkeley::read(&mut pages, &mut take)
        };
        if !pages.is_unchanged() || !log.is_none_or(|log| log.is_unchanged()) {
            return Err(CHANGED);
        }
        return read.ok_or(MALFORMED);
    }
    Err(none)
}

/// Takes name, epoch, version, release, architecture and digest from a header: two counts, an index of 16 bytes an entry
/// (tag, type, place, count), and the values.
fn package(header: &[u8], found: &mut Found) -> Option<()> {
    let values = 8 + 16 * be(header, 0, 4)?;
    if header.len() != values + be(header, 4, 4)? {
        return None;
    }
    // The digest is that of the package's own header: SHA-256, and in old packages SHA-1.
    const TAGS: [usize; 7] = [1000, 1001, 1002, 1022, 273, 269, 1003];
    let mut places = [None; 7];
    for entry in (8..values).step_by(16) {
        let tag = be(header, entry, 4)?;
        if let Some(slot) = TAGS.iter().position(|wanted| *wanted == tag) {
            places[slot] = Some(values + be(header, entry + 8, 4)?);
        }
    }
    let text = |slot: usize| places[slot].and_then(|at| header.get(at..)?.split(|b| *b == 0).next());
    let mut version = Vec::new();
    if let Some(at) = places[6] {
        crate::owners::decimal(be(header, at, 4)? as u64, &mut version);
        version.push(b':');
    }
    version.extend_from_slice(&[text(1)?, b"-", text(2)?].concat());
    let build = text(4).or_else(|| text(5)).unwrap_or_default();
    found.push(text(0)?, text(3).unwrap_or_default(), &version, b"", build).ok()
}
