//! hosts(5): an address and its names a line.
//!
//! *Invariant:* the order of lines counts wherever the first one may decide: where a name stands at two addresses of one
//! family, or an address on two lines. Two addresses that are both the host's own are not told apart.

use super::NotParsed;
use super::facts::{HostFacts, Own, v6};
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
    fields.finish()
}

fn part(text: &[u8], own: Option<Own>) -> Part<'_> {
    own.map_or(Part::Text(text), Part::Own)
}

/// Whether a name has two addresses of one family, or an address two lines, whichever way they are spelled.
fn is_ambiguous(entries: &[(&[u8], Vec<&[u8]>)]) -> bool {
    let mut addresses: Vec<Vec<u8>> = Vec::new();
    let mut names: Vec<(Vec<u8>, bool, usize)> = Vec::new();
    for (line, (address, all)) in entries.iter().enumerate() {
        let of_six = address.contains(&b':');
        let spelled = match v6(address) {
            // To the C library this is an address of the other family too.
            Some([0, 0, 0, 0, 0, 0xffff, ..]) => return true,
            Some(groups) => groups.iter().flat_map(|group| group.to_be_bytes()).collect(),
            None if of_six && address.contains(&b'.') => return true,
            None => address.to_ascii_lowercase(),
        };
        addresses.push(spelled);
        names.extend(all.iter().map(|name| (name.to_ascii_lowercase(), of_six, line)));
    }
    // With an address on one line alone, two lines are two addresses.
    order::sort(&mut addresses, Ord::cmp);
    order::sort(&mut names, Ord::cmp);
    addresses.windows(2).any(|pair| pair[0] == pair[1])
        || names.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 == pair[1].1 && pair[0].2 != pair[1].2)
}
