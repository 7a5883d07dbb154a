//! Certificates of a PEM file as a set: `certificate SHA256:...`, with the subject's name beside it.
//!
//! *Invariant:* a file that holds anything else in PEM, a private key above all, is refused whole; what stands between the
//! blocks is comment, as it is to every reader of PEM.

use super::NotParsed;
use super::spaced::{Pairs, fingerprint, lines, trim};
use crate::protocol::base64;
use alloc::vec::Vec;

/// A subject's name is shown up to here.
const NAME: usize = 64;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    const MARK: &[u8] = b"-----";
    let mut all = Pairs::default();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for line in lines(bytes)? {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let marked = trim(line).strip_prefix(MARK).and_then(|line| line.strip_suffix(MARK));
        let begins = marked.and_then(|mark| mark.strip_prefix(b"BEGIN "));
        let ends = marked.and_then(|mark| mark.strip_prefix(b"END "));
        match (&mut open, begins, ends) {
            (None, Some(label), _) if line.starts_with(MARK) => {
                if !matches!(label, b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE") {
                    return Err(NotParsed("something else than certificates"));
                }
                open = Some((label, Vec::new()));
            }
            (Some((label, body)), None, Some(end)) if end == *label && line.starts_with(MARK) => {
                let der = base64::bytes(body).ok_or(NotParsed("a certificate that is no base64"))?;
                all.put(&fingerprint(b"certificate SHA256:", &der), name(&der).unwrap_or_default());
                open = None;
            }
            (Some((_, body)), None, None) => body.extend_from_slice(trim(line)),
            (None, None, None) if !line.windows(MARK.len()).any(|part| part == MARK) => {}
            _ => return Err(NotParsed("blocks that do not begin and end")),
        }
    }
    if open.is_some() || all.0.is_empty() {
        return Err(NotParsed("no whole certificate"));
    }
    all.sort();
    all.0.dedup();
    all.text()
}

/// The subject's common name, else the name of its unit or organisation.
fn name(der: &[u8]) -> Option<&[u8]> {
    let (_, mut certificate) = element(&mut &der[..])?;
    let (_, mut body) = element(&mut certificate)?;
    if body.first() == Some(&0xa0) {
        element(&mut body)?;
    }
    // Serial number, algorithm, issuer, validity; then the subject.
    for _ in 0..4 {
        element(&mut body)?;
    }
    let (_, mut subject) = element(&mut body)?;
    let mut best: Option<(u8, &[u8])> = None;
    while !subject.is_empty() {
        let (_, mut set) = element(&mut subject)?;
        let (_, mut pair) = element(&mut set)?;
        let (_, oid) = element(&mut pair)?;
        let (_, value) = element(&mut pair)?;
        let rank = match oid {
            [0x55, 4, 3] => 0,
            [0x55, 4, 11] => 1,
            [0x55, 4, 10] => 2,
            _ => continue,
        };
        if best.is_none_or(|(before, _)| rank < before) {
            best = Some((rank, value));
        }
    }
    let (_, value) = best?;
    Some(value.get(..NAME).unwrap_or(value))
}

/// The next element of DER: its tag and what it holds.
fn element<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let [tag, length, tail @ ..] = *rest else { return None };
    let (length, tail) = match length {
        0..=0x7f => (usize::from(*length), tail),
        0x81..=0x83 => {
            let (bytes, tail) = tail.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), tail)
        }
        _ => return None,
    };
    let (held, left) = tail.split_at_checked(length)?;
    *rest = left;
    Some((*tag, held))
}
