//! Packages as pseudo-entries, read from the databases of the package systems themselves.
//!
//! A system's own program is never run: rpm, for one, writes to its database's memory and journal when it only lists, and
//! the program of a mounted image is the image's.
//!
//! *Invariant:* files are read and locks are only asked about; a database that is locked, interrupted or not well-formed is
//! a trouble, never an empty set.

mod apk;
mod bundles;
mod dpkg;
mod pacman;
pub mod rpm;
mod stanza;

use crate::place::Place;
use crate::protocol::record::{RecordWriter, SUBJECT_MAX, VALUE_MAX};
use crate::protocol::{Attr, System};
use alloc::vec::Vec;
use rustix::io::{Errno, Result};
use rustix::process::{Flock, FlockType, fcntl_getlk};

/// A program of the system is at work.
const LOCKED: Errno = Errno::AGAIN;
/// A program of the system was cut off.
const INTERRUPTED: Errno = Errno::INPROGRESS;
/// Not what the system writes.
const MALFORMED: Errno = Errno::BADMSG;
/// It changed while it was read, or while the tree was.
pub const CHANGED: Errno = Errno::STALE;

/// The longest text of a database.
const MOST: usize = 64 << 20;
/// The longest version, state or build.
const FIELD: usize = 1024;
/// Memory for the packages of one system; 5,000 take a megabyte and a half.
const ROOM: usize = 32 << 20;

/// What was found.
#[derive(Default, PartialEq)]
pub struct Packages {
    /// The encoded pseudo-entries.
    pub records: Vec<Vec<u8>>,
    /// The systems that are there, as bits.
    pub systems: u8,
    /// Those whose database could not be read as a whole.
    pub troubles: Vec<(System, Errno)>,
}

type Read = fn(&Place, &mut Found) -> Result<()>;

const SYSTEMS: [(System, Read); 6] = [
    (System::Dpkg, dpkg::read),
    (System::Rpm, rpm::read),
    (System::Apk, apk::read),
    (System::Pacman, pacman::read),
    (System::Snap, bundles::snaps),
    (System::Flatpak, bundles::flatpaks),
];

/// Reads every package database of a tree.
pub fn read(place: &Place) -> Packages {
    let mut packages = Packages::default();
    let mut empty = None;
    for (system, read) in SYSTEMS {
        let mut found = Found { system, packages: Vec::new(), room: ROOM };
        match read(place, &mut found).and_then(|()| found.encode(&mut packages.records)) {
            Ok(0) => {
                // A bundle system without bundles is nothing special.
                if system < System::Snap {
                    empty = Some(system);
                }
                continue;
            }
            Ok(_) => {}
            Err(Errno::NOENT | Errno::NOTDIR) => continue,
            Err(errno) => packages.troubles.push((system, errno)),
        }
        packages.systems |= system.bit();
    }
    // The tools of another distribution bring an empty database of theirs; but where it is all there is, it was emptied.
    if packages.systems == 0
        && let Some(system) = empty
    {
        packages.systems = system.bit();
        packages.troubles.push((system, MALFORMED));
    }
    packages
}

/// One package as a database has it.
struct Package {
    subject: Vec<u8>,
    version: Vec<u8>,
    state: Vec<u8>,
    build: Vec<u8>,
}

/// The packages of one system.
pub struct Found {
    system: System,
    packages: Vec<Package>,
    /// Bytes that more packages may take.
    room: usize,
}

impl Found {
    /// Takes a package.
    fn push(&mut self, name: &[u8], arch: &[u8], version: &[u8], state: &[u8], build: &[u8]) -> Result<()> {
        let subject = self.system.subject(name, arch).ok_or(MALFORMED)?;
        if subject.len() > SUBJECT_MAX || [version, state, build].iter().any(|field| field.len() > FIELD) {
            return Err(MALFORMED);
        }
        let size = size_of::<Package>() + subject.len() + version.len() + state.len() + build.len();
        self.room = self.room.checked_sub(size).ok_or(MALFORMED)?;
        let (version, state, build) = (version.to_vec(), state.to_vec(), build.to_vec());
        self.packages.push(Package { subject, version, state, build });
        Ok(())
    }

    /// Appends a pseudo-entry for each name and architecture; gives how many.
    ///
    /// Kernels of rpm and revisions of snaps stand beside each other under one name: one entry lists them in the order of
    /// their bytes. Elsewhere a name that comes twice is a broken database.
    fn encode(mut self, records: &mut Vec<Vec<u8>>) -> Result<usize> {
        crate::order::sort(&mut self.packages, |a, b| {
            (&a.subject, &a.version, &a.build).cmp(&(&b.subject, &b.version, &b.build))
        });
        let mut encoded: Vec<Vec<u8>> = Vec::new();
        let mut rest = self.packages.into_iter().peekable();
        while let Some(mut package) = rest.next() {
            while let Some(other) = rest.next_if(|other| other.subject == package.subject) {
                if !matches!(self.system, System::Rpm | System::Snap) {
                    return Err(MALFORMED);
                }
                for (all, one) in [(&mut package.version, other.version), (&mut package.build, other.build)] {
                    all.push(b' ');
                    all.extend_from_slice(&one);
                    // The controller refuses the whole answer for one value that is longer.
                    if all.len() > VALUE_MAX {
                        return Err(MALFORMED);
                    }
                }
            }
            let mut record = Vec::new();
            let mut writer = RecordWriter::new(&mut record, &package.subject);
            writer.present(Attr::Version, &package.version);
            for (attr, field) in [(Attr::State, &package.state), (Attr::Build, &package.build)] {
                if !field.is_empty() {
                    writer.present(attr, field);
                }
            }
            encoded.push(record);
        }
        let count = encoded.len();
        records.append(&mut encoded);
        Ok(count)
    }
}

/// Refuses where somebody holds a lock of fcntl(2) on a file. Asking takes no lock; where the account may not open the
/// file, the other signs have to do.
fn unlocked(place: &Place, path: &[u8]) -> Result<()> {
    let held = place.regular(path).and_then(|(file, _)| fcntl_getlk(&file, &Flock::from(FlockType::ReadLock)));
    if matches!(held, Ok(Some(_))) { Err(LOCKED) } else { Ok(()) }
}
