//! `authorized_keys`(5): `SHA256:FINGERPRINT` -> `type= option=NAME[=VALUE]... comment=`.
//!
//! *Invariant:* of several lines of one key the first stays the first; flags keep their order, because `restrict` and
//! what takes from it depend on it.

use super::scan::{Parts, is_blank, skip, trim, word};
use super::{Fields, NotParsed, Order};
use crate::protocol::order;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

const UNQUOTED: NotParsed = NotParsed("an option's value is not in quotes");
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn text(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Fields::new(Order::ByKey);
    for line in bytes.split(|b| *b == b'\n') {
        let line = trim(line);
        if line.is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        let mut rest = line;
        let mut kind = word(&mut rest);
        let mut options: &[u8] = b"";
        if !is_kind(kind) {
            let end = end_of_options(line).ok_or(NotParsed("a quote is not closed"))?;
            (options, rest) = line.split_at(end);
            kind = word(&mut rest);
        }
        let blob = decode(word(&mut rest)).filter(|_| is_kind(kind)).ok_or(NotParsed("a line holds no key"))?;
        let mut parts = Parts::default();
        parts.named(b"type", kind);
        put_options(options, &mut parts)?;
        parts.named(b"comment", rest);
        let mut key = b"SHA256:".to_vec();
        encode(&Sha256::digest(&blob), &mut key);
        out.put(&key, parts.text());
    }
    out.finish()
}

/// Flags in their order, then what has a value, by name.
fn put_options(options: &[u8], parts: &mut Parts) -> Result<(), NotParsed> {
    let mut valued: Vec<Vec<u8>> = Vec::new();
    let mut rest = options;
    while !rest.is_empty() {
        let mut quoted = false;
        let mut escaped = false;
        let end = rest.iter().position(|b| {
            let ends = *b == b',' && !quoted;
            quoted ^= *b == b'"' && !escaped;
            escaped = *b == b'\\';
            ends
        });
        let (option, tail) = rest.split_at(end.unwrap_or(rest.len()));
        rest = tail.split_first().map_or(&b""[..], |(_, tail)| tail);
        let name = option.iter().position(|b| *b == b'=').unwrap_or(option.len());
        let (name, value) = option.split_at(name);
        let mut text = name.to_ascii_lowercase();
        if value.is_empty() {
            if !text.is_empty() {
                parts.named(b"option", &text);
            }
            continue;
        }
        let inner = value.strip_prefix(b"=\"").and_then(|value| value.strip_suffix(b"\""));
        text.push(b'=');
        unquote(inner.ok_or(UNQUOTED)?, &mut text)?;
        valued.push(text);
    }
    order::sort(&mut valued, Ord::cmp);
    for option in valued {
        parts.named(b"option", &option);
    }
    Ok(())
}

/// What stands between two quotes, as sshd reads it.
fn unquote(inner: &[u8], out: &mut Vec<u8>) -> Result<(), NotParsed> {
    let mut bytes = inner.iter().peekable();
    while let Some(byte) = bytes.next() {
        let quote = bytes.peek() == Some(&&b'"');
        match byte {
            b'"' => return Err(UNQUOTED),
            b'\\' if quote => {
                bytes.next();
                out.push(b'"');
            }
            _ => out.push(*byte),
        }
    }
    Ok(())
}

/// Where the options of a line end: at the first blank outside quotes.
fn end_of_options(line: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in line.iter().enumerate() {
        if is_blank(*byte) && !quoted {
            return Some(at);
        }
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\';
    }
    (!quoted).then_some(line.len())
}

fn is_kind(word: &[u8]) -> bool {
    [&b"ssh-"[..], b"ecdsa-", b"sk-", b"rsa-sha2-", b"webauthn-"].iter().any(|prefix| word.starts_with(prefix))
        && !word.iter().any(|b| matches!(b, b'=' | b',' | b'"'))
}

/// Base 64, with or without its padding.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1);
    let (digits, padding) = text.split_at(end);
    if digits.is_empty() || padding.len() > 2 || skip(digits).len() != digits.len() {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut held, mut bits) = (0u32, 0);
    for digit in digits {
        let value = DIGITS.iter().position(|d| d == digit)?;
        held = held << 6 | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    (held == 0).then_some(out)
}

fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let (mut held, mut bits) = (0u32, 0);
    let mut push = |value: u32| out.push(DIGITS.get((value & 63) as usize).copied().unwrap_or_default());
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (6 - bits));
    }
}
