//! hosts(5): an address and its names a line.
//!
//! *Invariant:* the order of lines counts only where a name stands at two addresses of one family, which is where the
//! first one decides.

use super::NotParsed;
use super::facts::{HostFacts, Own};
use super::lines::{Fields, Order, Part};
use crate::protocol::order;
use alloc::vec::Vec;

/// Reads it.
pub(super) fn read(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut entries: Vec<(&[u8], Vec<&[u8]>)> = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.split(|b| *b == b'#').next().unwrap_or_default();
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(address) = words.next() else { continue };
        let names: Vec<&[u8]> = words.collect();
        let spelled = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'%') || b.is_ascii_alphanumeric();
        if names.is_empty() || !address.iter().all(spelled) || !address.iter().any(|b| matches!(b, b'.' | b':')) {
            return Err(NotParsed("a line that is no address with names"));
        }
        entries.push((address, names));
    }
    let mut fields = Fields::new(if is_ambiguous(&entries) { Order::AsWritten } else { Order::Sorted });
    let mut parts = Vec::new();
    for (address, names) in &entries {
        parts.clear();
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                parts.push(Part::Text(b" "));
            }
            parts.push(part(name, facts.of_name(name)));
        }
        fields.put_parts(&[part(address, facts.of_address(address))], &parts);
    }
    Ok(fields.finish())
}

fn part(text: &[u8], own: Option<Own>) -> Part<'_> {
    own.map_or(Part::Text(text), Part::Own)
}

/// Whether a name has two addresses of one family.
fn is_ambiguous(entries: &[(&[u8], Vec<&[u8]>)]) -> bool {
    let mut seen: Vec<(&[u8], bool, &[u8])> = Vec::new();
    for (address, names) in entries {
        seen.extend(names.iter().map(|name| (*name, address.contains(&b':'), *address)));
    }
    order::sort(&mut seen, Ord::cmp);
    seen.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 == pair[1].1 && pair[0].2 != pair[1].2)
}
