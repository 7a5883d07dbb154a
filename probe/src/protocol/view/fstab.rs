//! fstab(5) and crypttab(5): a line is told by its mount point or by its name.
//!
//! *Invariant:* an id is put back only where the whole field, or a whole option, is one: `UUID=`, `PARTUUID=`, or a link of
//! `/dev/disk`.

use super::NotParsed;
use super::facts::HostFacts;
use super::lines::{Fields, Order, Part};
use crate::protocol::order;
use alloc::vec::Vec;

/// Reads it.
pub(super) fn read(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::AsWritten);
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
                put_device(word, facts, &mut parts);
                continue;
            }
            let mut options: Vec<&[u8]> = word.split(|b| *b == b',').filter(|option| !option.is_empty()).collect();
            order::sort(&mut options, Ord::cmp);
            for (at, option) in options.iter().enumerate() {
                if at > 0 {
                    parts.push(Part::Text(b","));
                }
                put_device(option, facts, &mut parts);
            }
        }
        fields.put_parts(&[Part::Text(words[key])], &parts);
    }
    Ok(fields.finish())
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

fn put_device<'a>(field: &'a [u8], facts: &HostFacts, parts: &mut Vec<Part<'a>>) {
    if let Some((head, id)) = id(field) {
        let plain = id.strip_prefix(b"\"").and_then(|id| id.strip_suffix(b"\"")).unwrap_or(id);
        if let Some(own) = facts.of_disk(plain) {
            parts.extend([Part::Text(head), Part::Own(own)]);
            return;
        }
    }
    parts.push(Part::Text(field));
}
