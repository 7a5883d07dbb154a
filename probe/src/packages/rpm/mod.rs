//! rpm's database in each of its forms: SQLite, its own (SUSE), Berkeley DB (until Red Hat 8).
//!
//! All of them keep one header for each package (rpm's `docs/manual/format_header.md`); indexes are not looked at.
//!
//! *Invariant:* a header that lacks what every package has makes the whole database unreadable.

mod berkeley;
pub mod pages;
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
pub type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Option<()>;

/// Reads the database.
pub fn read(place: &Place, found: &mut Found) -> Result<()> {
    each(place, &mut |header| package(header, found))
}

/// Gives the header of every package.
pub fn each(place: &Place, take: Take<'_>) -> Result<()> {
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
        let read = if path.ends_with(b".sqlite") {
            // A journal of this kind is there only while it is written, or after that was cut off.
            if place.regular(&[path, b"-journal"].concat()).is_ok_and(|(_, meta)| meta.size > 0) {
                return Err(INTERRUPTED);
            }
            log = match place.regular(&[path, b"-wal"].concat()) {
                Err(Errno::NOENT) => None,
                result => Some(Pages::new(result?)),
            };
            sqlite::read(&mut pages, log.as_mut(), take)
        } else if path.ends_with(b".db") {
            slots::read(&mut pages, take)
        } else {
            berkeley::read(&mut pages, take)
        };
        if !pages.is_unchanged() || !log.is_none_or(|log| log.is_unchanged()) {
            return Err(CHANGED);
        }
        return read.ok_or(MALFORMED);
    }
    Err(none)
}

/// A header: two counts, an index of 16 bytes an entry (tag, type, place, count), and the values.
pub struct Header<'a, const N: usize> {
    pub bytes: &'a [u8],
    /// Where the values of each wanted tag begin, and how many there are.
    pub places: [Option<(usize, usize)>; N],
}

impl<'a, const N: usize> Header<'a, N> {
    /// Finds the tags.
    pub fn of(bytes: &'a [u8], tags: [usize; N]) -> Option<Self> {
        let values = 8 + 16 * be(bytes, 0, 4)?;
        if bytes.len() != values + be(bytes, 4, 4)? {
            return None;
        }
        let mut places = [None; N];
        for entry in (8..values).step_by(16) {
            let tag = be(bytes, entry, 4)?;
            if let Some(slot) = tags.iter().position(|wanted| *wanted == tag) {
                places[slot] = Some((values + be(bytes, entry + 8, 4)?, be(bytes, entry + 12, 4)?));
            }
        }
        Some(Self { bytes, places })
    }

    /// The texts of a tag, and whatever follows them.
    pub fn texts(&self, slot: usize) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        let values = self.places[slot].and_then(|(at, _)| bytes.get(at..));
        values.into_iter().flat_map(|values| values.split(|b| *b == 0))
    }

    /// The first text of a tag.
    pub fn text(&self, slot: usize) -> Option<&'a [u8]> {
        self.texts(slot).next()
    }

    /// An integer of a tag.
    pub fn number(&self, slot: usize, at: usize) -> Option<usize> {
        self.places[slot].filter(|(_, count)| at < *count).and_then(|(place, _)| be(self.bytes, place + 4 * at, 4))
    }
}

/// Takes name, epoch, version, release, architecture and digest from a header.
fn package(header: &[u8], found: &mut Found) -> Option<()> {
    // The digest is that of the package's own header: SHA-256, and in old packages SHA-1.
    let header = Header::of(header, [1000, 1001, 1002, 1022, 273, 269, 1003])?;
    let mut version = Vec::new();
    if let Some((at, _)) = header.places[6] {
        crate::owners::decimal(be(header.bytes, at, 4)? as u64, &mut version);
        version.push(b':');
    }
    version.extend_from_slice(&[header.text(1)?, b"-", header.text(2)?].concat());
    let build = header.text(4).or_else(|| header.text(5)).unwrap_or_default();
    found.push(header.text(0)?, header.text(3).unwrap_or_default(), &version, b"", build).ok()
}
