//! Lines of a text, for a format that has no view of its own.
//!
//! *Invariant:* blanks are folded only in a line that quotes nothing; a line that a backslash carries on is kept with the
//! next one, which is no comment whatever it starts with.

use super::spaced::{goes_on, lines, squeeze, trim, trim_start};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

pub(super) fn read(order: Order, bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(order);
    let mut begun: Vec<u8> = Vec::new();
    for line in lines(bytes)? {
        let within = !begun.is_empty();
        if !within && (trim(line).is_empty() || is_comment(trim_start(line))) {
            continue;
        }
        if within {
            begun.push(b'\n');
            begun.extend_from_slice(line);
        } else {
            begun.extend_from_slice(trim_start(line));
        }
        if !goes_on(line) {
            put(&mut fields, &begun);
            begun.clear();
        }
    }
    if !begun.is_empty() {
        put(&mut fields, &begun);
    }
    fields.finish()
}

fn put(fields: &mut Fields, line: &[u8]) {
    if line.iter().any(|b| matches!(b, b'"' | b'\'' | b'\\')) {
        fields.put(b"line", line);
    } else {
        fields.put(b"line", &squeeze(line));
    }
}

/// `#!` names an interpreter, and `#include` is an order to some programs.
fn is_comment(line: &[u8]) -> bool {
    line.first() == Some(&b'#') && !line.starts_with(b"#!") && !line.starts_with(b"#include")
}
