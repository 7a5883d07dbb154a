//! passwd(5) and group(5).
//!
//! `user:NAME` -> `uid= gid= home= shell= password=x|empty|locked|none|set gecos=`, and `also=` with the name that an id
//! means first, where another name has it too. `group:NAME` -> `gid= password= members=`.
//!
//! *Invariant:* the first of several lines of a name, and of an id, stays the first; the order of others doesn't count.

use super::scan::{Parts, firsts, members, number, password, table};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

/// passwd(5).
pub(super) fn users(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut rows: Vec<[&[u8]; 7]> = Vec::new();
    table(bytes, 7, |fields: [&[u8]; 7], _| {
        rows.push(fields);
        Ok(())
    })?;
    write(&rows, b"user:", |[_, hash, uid, gid, gecos, home, shell], parts| {
        parts.named(b"uid", id(uid)?).named(b"gid", id(gid)?).named(b"home", home).named(b"shell", shell);
        parts.named(b"password", state(hash)).named(b"gecos", gecos);
        Ok(())
    })
}

/// group(5).
pub(super) fn groups(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut rows: Vec<[&[u8]; 4]> = Vec::new();
    table(bytes, 4, |fields: [&[u8]; 4], _| {
        rows.push(fields);
        Ok(())
    })?;
    write(&rows, b"group:", |[_, hash, gid, list], parts| {
        parts.named(b"gid", id(gid)?).named(b"password", state(hash)).named(b"members", &members(list));
        Ok(())
    })
}

fn write<const N: usize>(
    rows: &[[&[u8]; N]],
    namespace: &[u8],
    each: impl Fn([&[u8]; N], &mut Parts) -> Result<(), NotParsed>,
) -> Result<Vec<u8>, NotParsed> {
    let mut ids: Vec<&[u8]> = Vec::new();
    for row in rows {
        ids.push(id(row.get(2).copied().unwrap_or_default())?);
    }
    // Lines of network accounts take effect where they stand.
    let compat = |row: &[&[u8]; N]| matches!(row.first(), Some([b'+' | b'-', ..]));
    let order = if rows.iter().any(compat) { Order::AsWritten } else { Order::ByKey };
    let mut fields = Fields::new(order);
    for ((row, id), first) in rows.iter().zip(&ids).zip(firsts(&ids)) {
        let mut parts = Parts::default();
        each(*row, &mut parts)?;
        let name = row.first().copied().unwrap_or_default();
        let also = rows.get(first).and_then(|row| row.first()).copied().unwrap_or_default();
        if name != also && !id.is_empty() {
            parts.named(b"also", also);
        }
        fields.put(&[namespace, name].concat(), parts.text());
    }
    Ok(fields.finish())
}

/// An id; lines of network accounts may have none.
fn id(text: &[u8]) -> Result<&[u8], NotParsed> {
    if text.is_empty() { Ok(text) } else { number(text) }
}

/// The password's state; `x` stands for the shadow file's.
fn state(field: &[u8]) -> &'static [u8] {
    if field == b"x" { b"x" } else { password(field).0 }
}
