//! Packages from dpkg's status file, by the rule of the probe.
//!
//! *Invariant:* a database that is interrupted or not well-formed is a trouble, never an empty set.

use crate::protocol::record::{RecordWriter, SUBJECT_MAX};
use crate::protocol::{Attr, Record, System};

#[derive(Default)]
struct Stanza<'a> {
    name: Option<&'a [u8]>,
    arch: &'a [u8],
    version: &'a [u8],
    status: Option<&'a [u8]>,
}

/// The pseudo-entries of a status file; `None` where it is not well-formed.
pub(super) fn parse(text: &[u8]) -> Option<Vec<Record>> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    // dpkg ends the file with a newline; without one it was cut off.
    if !text.ends_with(b"\n") {
        return None;
    }
    for line in text.split(|b| *b == b'\n') {
        let Some(first) = line.first() else {
            finish(&std::mem::take(&mut stanza), &mut packages)?;
            continue;
        };
        if matches!(first, b' ' | b'\t') {
            continue;
        }
        let colon = line.iter().position(|b| *b == b':')?;
        let value = line[colon + 1..].trim_ascii();
        match &line[..colon] {
            // Two names in one stanza: the blank line between two packages is gone.
            b"Package" if stanza.name.replace(value).is_some() => return None,
            b"Architecture" => stanza.arch = value,
            b"Version" => stanza.version = value,
            b"Status" => stanza.status = Some(value),
            _ => {}
        }
    }
    finish(&stanza, &mut packages)?;
    // An installation without a single package does not exist: an empty file is a broken one.
    (!packages.is_empty()).then_some(packages)
}

/// Adds the package of a stanza, where it is of one; `None` where it is not well-formed.
fn finish(stanza: &Stanza<'_>, packages: &mut Vec<Record>) -> Option<()> {
    let Stanza { name, arch, version, status } = *stanza;
    let Some(name) = name else {
        // Blank lines in a row, or a stanza without a name.
        return (status.is_none() && version.is_empty()).then_some(());
    };
    let status = status?;
    match status.rsplit(|b| *b == b' ').next() {
        // Once known and not installed: dpkg keeps the name, the machine has nothing of it.
        Some(b"not-installed") => return Some(()),
        // Every other state is a step on the way to one of these.
        Some(b"installed" | b"config-files") => {}
        Some(_) | None => return None,
    }
    let subject = System::Dpkg.subject(name, arch)?;
    if subject.len() > SUBJECT_MAX || version.len() > 1024 || status.len() > 1024 {
        return None;
    }
    let mut out = Vec::new();
    let mut record = RecordWriter::new(&mut out, &subject);
    record.present(Attr::Version, version);
    record.present(Attr::State, status);
    packages.push(Record::parse(&out).ok()?);
    Some(())
}
