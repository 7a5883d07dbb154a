//! passwd(5) and group(5).
//!
//! `user:NAME` -> `uid= gid= home= shell= password=x|empty|locked|none|set gecos=`, and `also=` with the name that an id
//! means first, where another name has it too. `group:NAME` -> `gid= password= members=`.
//!
//! *Invariant:* the first of several lines of a name, and of an id, stays the first; the order of others doesn't count.

use super::scan::{Parts, at, firsts, members, number, password, table};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

/// Longer than any name.
const LONGEST: usize = 256;

/// passwd(5).
pub(super) fn users(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    write(bytes, 7, b"user:", &|fields, parts| {
        parts.named(b"uid", id(at(fields, 2))?).named(b"gid", id(at(fields, 3))?);
        parts.named(b"home", at(fields, 5)).named(b"shell", at(fields, 6));
        parts.named(b"password", state(at(fields, 1))).named(b"gecos", at(fields, 4));
        Ok(())
    })
}

/// group(5).
pub(super) fn groups(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    write(bytes, 4, b"group:", &|fields, parts| {
        parts.named(b"gid", id(at(fields, 2))?).named(b"password", state(at(fields, 1)));
        parts.named(b"members", &members(at(fields, 3)));
        Ok(())
    })
}

/// What fields of a line say beside its name.
type Say = dyn Fn(&[&[u8]], &mut Parts) -> Result<(), NotParsed>;

fn write(bytes: &[u8], width: usize, namespace: &[u8], say: &Say) -> Result<Vec<u8>, NotParsed> {
    let (mut names, mut ids): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
    let mut values: Vec<Parts> = Vec::new();
    // Lines of network accounts take effect where they stand.
    let mut order = Order::ByKey;
    table(bytes, (width, width), &mut |fields| {
        let name = at(fields, 0);
        if matches!(name, [b'+' | b'-', ..]) {
            order = Order::AsWritten;
        }
        // A name may be told again with each line that has its id.
        if name.len() > LONGEST {
            return Err(NotParsed("a name is too long"));
        }
        let mut parts = Parts::default();
        say(fields, &mut parts)?;
        names.push(name);
        ids.push(id(at(fields, 2))?);
        values.push(parts);
        Ok(())
    })?;
    let mut out = Fields::new(order);
    for (number, first) in firsts(&ids).into_iter().enumerate() {
        let (name, also) = (at(&names, number), at(&names, first));
        let Some(mut parts) = values.get_mut(number).map(core::mem::take) else { continue };
        if name != also && !at(&ids, number).is_empty() {
            parts.named(b"also", also);
        }
        out.put(&[namespace, name].concat(), parts.text());
    }
    out.finish()
}

/// An id; lines of network accounts may have none.
fn id(text: &[u8]) -> Result<&[u8], NotParsed> {
    if text.is_empty() { Ok(text) } else { number(text) }
}

/// The password's state; `x` stands for the shadow file's.
fn state(field: &[u8]) -> &'static [u8] {
    if field == b"x" { b"x" } else { password(field).0 }
}
