//! Any text with this host's own facts put back, token by token.
//!
//! *Invariant:* everything else is kept byte for byte, comments, spacing and the end of the last line included.

use super::NotParsed;
use super::facts::HostFacts;
use super::lines::{self, Fields, Order, Part};
use alloc::vec::Vec;

/// Reads it.
pub(super) fn read(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::AsWritten);
    let mut parts = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        parts.clear();
        put_back(line, facts, &mut parts);
        fields.put_parts(&[Part::Text(b"line")], &parts);
    }
    fields.finish()
}

/// One text with the host's own facts put back, escaped like a field.
#[must_use]
pub fn own_text(text: &[u8], facts: &HostFacts) -> Vec<u8> {
    let mut parts = Vec::new();
    put_back(text, facts, &mut parts);
    let mut out = Vec::new();
    lines::write(&parts, &mut out);
    out
}

/// Cuts a text into what is the host's own and the rest.
fn put_back<'a>(text: &'a [u8], facts: &HostFacts, parts: &mut Vec<Part<'a>>) {
    let mut kept = 0;
    let mut at = 0;
    while at < text.len() {
        let len = text[at..].iter().take_while(|b| is_part_of_token(**b)).count();
        for (from, to) in pieces(&text[at..at + len]) {
            if let Some(own) = facts.of_token(&text[at + from..at + to]) {
                parts.push(Part::Text(&text[kept..at + from]));
                parts.push(Part::Own(own));
                kept = at + to;
            }
        }
        at += len + 1;
    }
    parts.push(Part::Text(&text[kept..]));
}

/// The token without points and colons at its end; `address:port` and `name:path` are two tokens.
fn pieces(token: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let end = token.iter().rposition(|b| !matches!(b, b'.' | b':')).map_or(0, |at| at + 1);
    let mut colons = token[..end].iter().enumerate().filter(|(_, b)| **b == b':').map(|(at, _)| at);
    let (first, second) = match (colons.next(), colons.next()) {
        (Some(at), None) => ((0, at), Some((at + 1, end))),
        _ => ((0, end), None),
    };
    core::iter::once(first).chain(second)
}

fn is_part_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_') || byte >= 0x80
}
