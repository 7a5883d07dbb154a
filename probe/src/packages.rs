//! Packages as pseudo-entries, from dpkg's status file (deb-control(5), dpkg-query(1)).
//!
//! *Invariant:* a database that is interrupted or not well-formed is a trouble, never an empty set.

use crate::place::Place;
use crate::protocol::Attr;
use crate::protocol::record::{RecordWriter, SUBJECT_MAX};
use alloc::vec::Vec;
use rustix::io::Errno;

const STATUS: &[u8] = b"/var/lib/dpkg/status";
/// dpkg writes pieces here while it works, and folds them into the status file when it is done.
const UPDATES: &[u8] = b"/var/lib/dpkg/updates";
const MOST: usize = 256 << 20;

/// What was found.
pub enum Packages {
    /// No database that this probe knows.
    None,
    /// The encoded pseudo-entries.
    Some(Vec<Vec<u8>>),
    /// A database that could not be read as a whole.
    Broken(u16),
}

/// Reads the package database of a tree.
pub fn read(place: &Place) -> Packages {
    let before = match place.read(STATUS, MOST) {
        Ok(text) => text,
        Err(Errno::NOENT | Errno::NOTDIR) => return Packages::None,
        Err(errno) => return Packages::Broken(u16::try_from(errno.raw_os_error()).unwrap_or(0)),
    };
    if is_interrupted(place) {
        return Packages::Broken(0);
    }
    match parse(&before) {
        Some(packages) if !packages.is_empty() => Packages::Some(packages),
        // An installation without a single package does not exist: an empty file is a broken one.
        _ => Packages::Broken(0),
    }
}

fn is_interrupted(place: &Place) -> bool {
    let Ok(dir) = place.directory(UPDATES) else { return false };
    let mut buffer = [core::mem::MaybeUninit::<u8>::uninit(); 4096];
    let mut entries = rustix::fs::RawDir::new(dir, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        // The pieces are numbered files; dpkg itself skips everything else.
        let name = entry.file_name().to_bytes();
        if !name.is_empty() && name.iter().all(u8::is_ascii_digit) {
            return true;
        }
    }
    false
}

#[derive(Default)]
struct Stanza<'a> {
    name: Option<&'a [u8]>,
    arch: &'a [u8],
    version: &'a [u8],
    status: Option<&'a [u8]>,
}

fn parse(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    // dpkg ends the file with a newline; without one it was cut off.
    if !text.ends_with(b"\n") {
        return None;
    }
    for line in text.split(|b| *b == b'\n') {
        if line.is_empty() {
            finish(&mut stanza, &mut packages)?;
            continue;
        }
        if matches!(line[0], b' ' | b'\t') {
            continue;
        }
        let colon = line.iter().position(|b| *b == b':')?;
        let value = line[colon + 1..].trim_ascii();
        match &line[..colon] {
            // Two names in one stanza: the blank line between two packages is gone.
            b"Package" if stanza.name.replace(value).is_some() => return None,
            b"Package" => {}
            b"Architecture" => stanza.arch = value,
            b"Version" => stanza.version = value,
            b"Status" => stanza.status = Some(value),
            _ => {}
        }
    }
    finish(&mut stanza, &mut packages)?;
    Some(packages)
}

fn finish(stanza: &mut Stanza<'_>, packages: &mut Vec<Vec<u8>>) -> Option<()> {
    let Stanza { name, arch, version, status } = core::mem::take(stanza);
    let Some(name) = name else {
        // Blank lines in a row, or a stanza without a name.
        return if status.is_none() && version.is_empty() { Some(()) } else { None };
    };
    let status = status?;
    // Once known and not installed: dpkg keeps the name, the machine has nothing of it.
    if status.ends_with(b" not-installed") {
        return Some(());
    }
    let subject = [&b"pkg:"[..], name, b":", arch].concat();
    if name.is_empty()
        || subject.len() > SUBJECT_MAX
        || subject.contains(&0)
        || version.len() > 1024
        || status.len() > 1024
    {
        return None;
    }
    let mut record = Vec::new();
    let mut writer = RecordWriter::new(&mut record, &subject);
    writer.present(Attr::Version, version);
    writer.present(Attr::State, status);
    packages.push(record);
    Some(())
}
