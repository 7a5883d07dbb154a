//! Stanzas of `Field: value` with blank lines between, as a set: apt's `extended_states`.
//!
//! A field is `FIRST:ARCHITECTURE Field`, by the value of the stanza's first field.
//!
//! *Invariant:* a line that is neither a field nor carries one on is refused.

use super::lines::Part;
use super::spaced::{cut, is_blank, lines, trim};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

/// The fields of one stanza, names as written.
pub(super) type Stanza = Vec<(Vec<u8>, Vec<u8>)>;

/// The stanzas of a file; comments are left out, and a value's further lines are joined by line feeds.
pub(super) fn stanzas(bytes: &[u8]) -> Result<Vec<Stanza>, NotParsed> {
    let mut all = Vec::new();
    let mut open = Stanza::new();
    for line in lines(bytes)? {
        if line.first() == Some(&b'#') {
            continue;
        }
        if trim(line).is_empty() {
            if !open.is_empty() {
                all.push(core::mem::take(&mut open));
            }
        } else if line.first().is_some_and(|first| is_blank(*first)) {
            let (_, value) = open.last_mut().ok_or(NotParsed("a stanza that starts in the middle"))?;
            value.push(b'\n');
            value.extend_from_slice(trim(line));
        } else {
            let (name, value) = cut(line, b':').filter(|(name, _)| !name.is_empty()).ok_or(NotParsed("no field"))?;
            open.push((name.to_vec(), value.to_vec()));
        }
    }
    if !open.is_empty() {
        all.push(open);
    }
    Ok(all)
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::Sorted);
    for stanza in stanzas(bytes)? {
        let Some((first, rest)) = stanza.split_first() else { continue };
        let mut label = first.1.clone();
        if let Some((_, architecture)) = rest.iter().find(|(name, _)| name == b"Architecture") {
            label.push(b':');
            label.extend_from_slice(architecture);
        }
        label.push(b' ');
        for (name, value) in rest.iter().filter(|(name, _)| name != b"Architecture") {
            fields.put_parts(&[Part::Text(&label), Part::Text(name)], &[Part::Text(value)]);
        }
        if rest.iter().all(|(name, _)| name == b"Architecture") {
            fields.put(&label, &first.0);
        }
    }
    fields.finish()
}
