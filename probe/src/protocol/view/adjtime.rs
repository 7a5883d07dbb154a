//! adjtime(5): two lines of how the clock drifts, and whether it runs in UTC, which is all that counts.
//!
//! *Invariant:* a third line that is neither word is refused.

use super::spaced::{lines, trim};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let rows: Vec<&[u8]> = lines(bytes)?.map(trim).take(5).collect();
    let is_numbers =
        |row: &[u8]| row.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b' ' | b'e' | b'E'));
    let clock = match rows.as_slice() {
        [first, second, rest @ ..] if is_numbers(first) && is_numbers(second) => match rest {
            [] | [b""] => &b"UTC"[..],
            [word @ (b"UTC" | b"LOCAL")] | [word @ (b"UTC" | b"LOCAL"), b""] => word,
            _ => return Err(NotParsed("neither UTC nor LOCAL")),
        },
        _ => return Err(NotParsed("no times of a clock")),
    };
    let mut fields = Fields::new(Order::AsWritten);
    fields.put(b"clock", clock);
    fields.finish()
}
