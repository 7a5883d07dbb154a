//! fstab(5) and crypttab(5): a line is told by its mount point or by its name.
//!
//! *Invariant:* an id is put back only where the whole field, or a whole option, is one: `UUID=`, `PARTUUID=`, or a link of
//! `/dev/disk`; several are told apart. Options are sorted only where none decides over another.

use super::NotParsed;
use super::facts::HostFacts;
use super::lines::{Fields, Order, Part};
use crate::protocol::order;
use alloc::vec::Vec;

/// Reads it.
pub(super) fn read(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::AsWritten);
    let mut seen: Vec<&[u8]> = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        let mut words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        if words.first().is_none_or(|word| word.starts_with(b"#")) {
            continue;
        }
        if words.len() < 2 || words.len() > 6 {
            return Err(NotParsed("a line that has not two to six fields"));
        }
        // Zeros at the end and lone defaults are what is there without them.
        while words.len() > 4 && words.last() == Some(&&b"0"[..]) {
            words.pop();
        }
        if words.len() == 4 && words[3] == b"defaults" {
            words.pop();
        }
        let key = usize::from(!is_crypttab(&words));
        let mut parts = Vec::new();
        for (at, word) in words.iter().enumerate().filter(|(at, _)| *at != key) {
            if !parts.is_empty() {
                parts.push(Part::Text(b" "));
            }
            if at != 3 {
                put_device(word, facts, &mut seen, &mut parts)?;
                continue;
            }
            let mut options: Vec<&[u8]> = word.split(|b| *b == b',').filter(|option| !option.is_empty()).collect();
            if is_free(&options) {
                order::sort(&mut options, Ord::cmp);
            }
            for (at, option) in options.iter().enumerate() {
                if at > 0 {
                    parts.push(Part::Text(b","));
                }
                put_device(option, facts, &mut seen, &mut parts)?;
            }
        }
        fields.put_parts(&[Part::Text(words[key])], &parts);
    }
    fields.finish()
}

/// A name, then a device, then a key file or none; in fstab the second field is a mount point, and `/dev/shm` is one.
fn is_crypttab(words: &[&[u8]]) -> bool {
    let device = words[1].contains(&b'=') || words[1].starts_with(b"/dev/");
    let key = words.get(2).is_none_or(|key| matches!(*key, b"none" | b"-") || key.starts_with(b"/"));
    device && key && !words[0].contains(&b'/')
}

/// The id within a field that names a device.
fn id(field: &[u8]) -> Option<(&[u8], &[u8])> {
    const HEADS: [&[u8]; 6] = [
        b"UUID=",
        b"PARTUUID=",
        b"/dev/disk/by-uuid/",
        b"/dev/disk/by-partuuid/",
        b"/dev/disk/by-id/",
        b"/dev/disk/by-diskseq/",
    ];
    // `x-systemd.requires=`, `header=` and the like carry a device as their value.
    let start = HEADS.iter().filter_map(|head| at_border(field, head).map(|at| at + head.len())).min()?;
    Some(field.split_at(start))
}

/// Where a head stands at the begin of a field or of an option's value.
fn at_border(field: &[u8], head: &[u8]) -> Option<usize> {
    if field.starts_with(head) {
        return Some(0);
    }
    let at = field.iter().position(|b| *b == b'=')? + 1;
    field[at..].starts_with(head).then_some(at)
}

/// Whether options mean the same in any order: `user` is also `noexec`, and of `exec,noexec` the last one counts.
fn is_free(options: &[&[u8]]) -> bool {
    const GROUPS: [&[&[u8]]; 5] = [
        &[b"ro", b"rw"],
        &[b"sync", b"async"],
        &[b"loud", b"silent"],
        &[b"atime", b"noatime", b"relatime", b"norelatime", b"strictatime", b"nostrictatime"],
        &[b"diratime", b"nodiratime", b"noatime"],
    ];
    const MANY: [&[u8]; 6] = [b"user", b"users", b"owner", b"group", b"defaults", b"remount"];
    if options.iter().any(|option| MANY.contains(&option.strip_prefix(b"no").unwrap_or(option))) {
        return false;
    }
    if GROUPS.iter().any(|group| options.iter().filter(|option| group.contains(option)).count() > 1) {
        return false;
    }
    // `x`, `nox`, `no-x` and `x=1` speak of one thing.
    let about = |option: &&'_ [u8]| -> Vec<u8> {
        let name = option.split(|b| *b == b'=').next().unwrap_or_default();
        let bare = name.strip_prefix(b"no").unwrap_or(name);
        bare.strip_prefix(b"-").unwrap_or(bare).to_ascii_lowercase()
    };
    let mut names: Vec<Vec<u8>> = options.iter().map(about).collect();
    order::sort(&mut names, Ord::cmp);
    names.windows(2).all(|pair| pair[0] != pair[1])
}

/// More of the host's own ids than a table names.
const IDS: usize = 256;

/// Adds a field or an option. The first of the host's own ids is `disk`, the second is `disk` and `#2`: that two mounts are of
/// one disk is told from their being of two.
fn put_device<'a>(
    field: &'a [u8],
    facts: &HostFacts,
    seen: &mut Vec<&'a [u8]>,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), NotParsed> {
    if let Some((head, id)) = id(field) {
        let plain = id.strip_prefix(b"\"").and_then(|id| id.strip_suffix(b"\"")).unwrap_or(id);
        if let Some(own) = facts.of_disk(plain) {
            let nth = seen.iter().position(|other| other.eq_ignore_ascii_case(plain)).unwrap_or(seen.len());
            if nth == seen.len() {
                seen.push(plain);
            }
            if nth >= IDS {
                return Err(NotParsed("more disks than a table names"));
            }
            parts.extend([Part::Text(head), Part::Own(own)]);
            if nth > 0 {
                parts.push(Part::Nth(nth + 1));
            }
            return Ok(());
        }
    }
    parts.push(Part::Text(field));
    Ok(())
}
