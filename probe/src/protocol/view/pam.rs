//! pam.d(5), pam.conf(5): `TYPE` -> `CONTROL MODULE ARGUMENTS`, several in the order of the file; `@include` -> the file,
//! between what stands before and after it. In pam.conf the key is `SERVICE TYPE`.
//!
//! *Invariant:* the order of lines of one type is kept, that of types among each other doesn't count.

use super::scan::{Parts, skip, trim, word};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

pub(super) fn text(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Vec::new();
    let mut part = Fields::new(Order::ByKey);
    let mut line: Vec<u8> = Vec::new();
    for raw in bytes.split(|b| *b == b'\n') {
        let text = trim(raw.split(|b| *b == b'#').next().unwrap_or_default());
        // Blank lines and comments don't end a line that goes on.
        if text.is_empty() {
            continue;
        }
        if let Some(head) = text.strip_suffix(b"\\") {
            line.extend_from_slice(head);
            line.push(b' ');
            continue;
        }
        line.extend_from_slice(text);
        let whole = core::mem::take(&mut line);
        let mut rest = &whole[..];
        let first = word(&mut rest).to_ascii_lowercase();
        if first == b"@include" {
            out.append(&mut core::mem::replace(&mut part, Fields::new(Order::ByKey)).finish()?);
            let mut after = Fields::new(Order::AsWritten);
            after.put(&first, trim(rest));
            out.append(&mut after.finish()?);
            continue;
        }
        let (key, optional) = if let Some(known) = kind(&first) {
            (known.to_vec(), first.starts_with(b"-"))
        } else {
            let second = word(&mut rest).to_ascii_lowercase();
            let known = kind(&second).ok_or(NotParsed("a line has no type that PAM knows"))?;
            ([&first, &b" "[..], known].concat(), second.starts_with(b"-"))
        };
        let mut parts = Parts::default();
        if optional {
            parts.word(b"-");
        }
        arguments(rest, &mut parts)?;
        part.put(&key, parts.text());
    }
    if !line.is_empty() {
        return Err(NotParsed("the last line goes on"));
    }
    out.append(&mut part.finish()?);
    Ok(out)
}

fn kind(word: &[u8]) -> Option<&[u8]> {
    let bare = word.strip_prefix(b"-").unwrap_or(word);
    matches!(bare, b"auth" | b"account" | b"password" | b"session").then_some(bare)
}

/// Words, of which one in brackets is one with its blanks made single.
fn arguments(text: &[u8], parts: &mut Parts) -> Result<(), NotParsed> {
    let mut rest = skip(text);
    let mut count = 0;
    while !rest.is_empty() {
        count += 1;
        if rest.first() != Some(&b'[') {
            let first = word(&mut rest);
            if count == 1 {
                parts.word(&first.to_ascii_lowercase())
            } else {
                parts.word(first)
            };
            continue;
        }
        let close = rest.iter().position(|b| *b == b']').ok_or(NotParsed("a bracket is not closed"))?;
        let (bracket, tail) = rest.split_at(close);
        rest = bracket;
        let mut inner: Vec<&[u8]> = Vec::new();
        while !rest.is_empty() {
            inner.push(word(&mut rest));
        }
        parts.word(&[&inner.join(&b" "[..]), &b"]"[..]].concat());
        rest = skip(tail.split_first().map_or(&b""[..], |(_, tail)| tail));
    }
    if count < 2 { Err(NotParsed("a line has no module")) } else { Ok(()) }
}
