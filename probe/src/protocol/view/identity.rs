//! Files that are made for each host: its name, its ids, its keys. What is told is the form, never the value.
//!
//! *Invariant:* no byte of a key and no digit of an id is in any text.

use super::NotParsed;
use super::facts::{HostFacts, Own};
use super::lines::{Fields, Order, Part, decimal};
use crate::protocol::base64;
use alloc::vec::Vec;

/// A machine id. One that is not made yet is as good as the host's own: a template is shipped so, and its hosts make theirs
/// when they first boot.
pub(super) fn machine_id(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut fields = Fields::new(Order::AsWritten);
    match text {
        b"" | b"uninitialized" => fields.put_parts(&[Part::Text(b"machine-id")], &[Part::Own(Own::MachineId)]),
        _ if !is_machine_id(text) => return Err(NotParsed("not 32 digits")),
        _ if facts.machine_id == text => {
            fields.put_parts(&[Part::Text(b"machine-id")], &[Part::Own(Own::MachineId)]);
        }
        _ => fields.put(b"machine-id", b"another than that of /etc/machine-id"),
    }
    fields.finish()
}

/// Whether it is a machine id: 32 lower-case hexadecimal digits, not all of them zero.
#[must_use]
pub fn is_machine_id(text: &[u8]) -> bool {
    let digit = |b: &u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
    text.len() == 32 && text.iter().all(digit) && text.iter().any(|b| *b != b'0')
}

/// A file that is the host's name.
pub(super) fn hostname(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::AsWritten);
    for line in lines(bytes) {
        match facts.of_name(line) {
            Some(own) => fields.put_parts(&[Part::Text(b"name")], &[Part::Own(own)]),
            None => fields.put(b"name", line),
        }
    }
    fields.finish()
}

const CUT: NotParsed = NotParsed("a key that is cut off");

/// A host's SSH key, public or private.
pub(super) fn host_key(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::AsWritten);
    if let Some(label) = private(bytes) {
        fields.put(b"private", label);
        return fields.finish();
    }
    for line in lines(bytes) {
        let mut words = line.splitn(3, |b| *b == b' ');
        let (kind, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let blob = base64::bytes(blob).ok_or(NotParsed("neither a public nor a private key"))?;
        let (inner, rest) = string(&blob).ok_or(CUT)?;
        if inner != kind || kind.is_empty() {
            return Err(NotParsed("a key of another type than it says"));
        }
        // Every type is a list of strings; the last of RSA's is its modulus.
        let (mut rest, mut last) = (rest, &b""[..]);
        while !rest.is_empty() {
            (last, rest) = string(rest).ok_or(CUT)?;
        }
        let digits = last.iter().skip_while(|b| **b == 0).count() * 8;
        if digits < 128 {
            return Err(CUT);
        }
        let mut value = kind.to_vec();
        if kind == b"ssh-rsa" {
            value.push(b' ');
            decimal(digits, &mut value);
        }
        fields.put(b"public", &value);
        let comment = words.next().unwrap_or_default().trim_ascii();
        let host = comment.iter().position(|b| *b == b'@').map_or(comment, |at| &comment[at + 1..]);
        if !comment.is_empty() && facts.of_name(host).is_none() {
            fields.put(b"comment", comment);
        }
    }
    fields.finish()
}

/// What a PEM block of a private key says it is.
fn private(bytes: &[u8]) -> Option<&[u8]> {
    let text = bytes.trim_ascii();
    let head = text.strip_prefix(b"-----BEGIN ")?;
    let end = head.windows(5).position(|window| window == b"-----")?;
    let label = &head[..end];
    let foot = [b"\n-----END ", label, b"-----"].concat();
    let body = head[end + 5..].strip_suffix(foot.as_slice())?;
    // One block and nothing after it: what is behind would not be told.
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\n' | b'\r');
    (label.ends_with(b"PRIVATE KEY") && body.iter().all(plain)).then_some(label)
}

/// An id that was made for this host, alone or behind a name.
pub(super) fn own_id(bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    let mut fields = Fields::new(Order::AsWritten);
    for line in lines(bytes) {
        let at = line.iter().rposition(|b| matches!(b, b':' | b'=')).map_or(0, |at| at + 1);
        let (head, id) = line.split_at(at);
        match facts.of_name(id).or_else(|| is_made(id).then_some(Own::Made)) {
            Some(own) => fields.put_parts(&[Part::Text(b"id")], &[Part::Text(head), Part::Own(own)]),
            None if at > 0 => fields.put(b"id", line),
            None => return Err(NotParsed("no id that this version knows")),
        }
    }
    fields.finish()
}

/// Eight hexadecimal digits or more, in groups or not: nobody writes that by hand.
fn is_made(id: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    id.len() >= 8 && id.iter().all(plain) && id.iter().any(u8::is_ascii_hexdigit)
}

/// Lines that say something.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// A string of SSH's wire format, and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*len) as usize)
}
