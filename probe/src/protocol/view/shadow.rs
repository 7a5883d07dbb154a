//! shadow(5), gshadow(5), subuid(5), subgid(5).
//!
//! `user:NAME` -> `password=set|locked|none|empty algorithm= min= max= warn= inactive= expire= change=`; `change` is
//! `forced` at the next login, `off` where ageing is, else `past`. `group:NAME` -> `password= algorithm= admins=
//! members=`. `range:NAME` -> `start= count=`.
//!
//! *Invariant:* no hash, no salt and no day of change is ever written.

use super::scan::{Parts, at, members, number, password, table};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

/// shadow(5).
pub(super) fn users(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::ByKey);
    table(bytes, (8, 9), &mut |fields| {
        let mut parts = secret(at(fields, 1));
        let words = [&b"min"[..], b"max", b"warn", b"inactive", b"expire"];
        for (number, word) in (3..).zip(words) {
            parts.named(word, day(at(fields, number))?);
        }
        let change: &[u8] = match day(at(fields, 2))? {
            [] => b"off",
            b"0" => b"forced",
            _ => b"past",
        };
        parts.named(b"change", change);
        if !at(fields, 8).is_empty() {
            parts.named(b"flag", number(at(fields, 8))?);
        }
        out.put(&[b"user:", at(fields, 0)].concat(), parts.text());
        Ok(())
    })?;
    out.finish()
}

/// gshadow(5).
pub(super) fn groups(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::ByKey);
    table(bytes, (4, 4), &mut |fields| {
        let mut parts = secret(at(fields, 1));
        parts.named(b"admins", &members(at(fields, 2))).named(b"members", &members(at(fields, 3)));
        out.put(&[b"group:", at(fields, 0)].concat(), parts.text());
        Ok(())
    })?;
    out.finish()
}

/// subuid(5), subgid(5).
pub(super) fn ranges(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::Sorted);
    table(bytes, (3, 3), &mut |fields| {
        let mut parts = Parts::default();
        parts.named(b"start", number(at(fields, 1))?).named(b"count", number(at(fields, 2))?);
        out.put(&[b"range:", at(fields, 0)].concat(), parts.text());
        Ok(())
    })?;
    out.finish()
}

/// What may be told of a password.
fn secret(field: &[u8]) -> Parts {
    let (state, algorithm) = password(field);
    let mut parts = Parts::default();
    parts.named(b"password", state).named(b"algorithm", algorithm);
    parts
}

/// Days; none is also written `-1`.
fn day(text: &[u8]) -> Result<&[u8], NotParsed> {
    if matches!(text, b"" | b"-1") { Ok(b"") } else { number(text) }
}
