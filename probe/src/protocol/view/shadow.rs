//! shadow(5), gshadow(5), subuid(5), subgid(5).
//!
//! `user:NAME` -> `password=set|locked|none|empty algorithm= min= max= warn= inactive= expire= change=`; `change` is
//! `forced` at the next login, `off` where ageing is, else `past`. `group:NAME` -> `password= algorithm= admins=
//! members=`. `range:NAME` -> `start= count=`.
//!
//! *Invariant:* no hash, no salt and no day of change is ever written.

use super::scan::{Parts, members, number, password, table};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

/// shadow(5).
pub(super) fn users(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::ByKey);
    table(bytes, 9, |[name, hash, changed, min, max, warn, inactive, expire]: [&[u8]; 8], flag| {
        let (state, algorithm) = password(hash);
        let mut parts = Parts::default();
        parts.named(b"password", state).named(b"algorithm", algorithm);
        for (word, days) in [(&b"min"[..], min), (b"max", max), (b"warn", warn), (b"inactive", inactive)] {
            parts.named(word, day(days)?);
        }
        parts.named(b"expire", day(expire)?);
        let change: &[u8] = match day(changed)? {
            [] => b"off",
            b"0" => b"forced",
            _ => b"past",
        };
        parts.named(b"change", change);
        if let Some(flag) = flag.filter(|flag| !flag.is_empty()) {
            parts.named(b"flag", number(flag)?);
        }
        out.put(&[b"user:", name].concat(), parts.text());
        Ok(())
    })?;
    Ok(out.finish())
}

/// gshadow(5).
pub(super) fn groups(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::ByKey);
    table(bytes, 4, |[name, hash, admins, list]: [&[u8]; 4], _| {
        let (state, algorithm) = password(hash);
        let mut parts = Parts::default();
        parts.named(b"password", state).named(b"algorithm", algorithm);
        parts.named(b"admins", &members(admins)).named(b"members", &members(list));
        out.put(&[b"group:", name].concat(), parts.text());
        Ok(())
    })?;
    Ok(out.finish())
}

/// subuid(5), subgid(5).
pub(super) fn ranges(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::Sorted);
    table(bytes, 3, |[name, start, count]: [&[u8]; 3], _| {
        let mut parts = Parts::default();
        parts.named(b"start", number(start)?).named(b"count", number(count)?);
        out.put(&[b"range:", name].concat(), parts.text());
        Ok(())
    })?;
    Ok(out.finish())
}

/// Days; none is also written `-1`.
fn day(text: &[u8]) -> Result<&[u8], NotParsed> {
    if matches!(text, b"" | b"-1") { Ok(b"") } else { number(text) }
}
