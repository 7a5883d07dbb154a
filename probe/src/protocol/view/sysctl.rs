//! sysctl.d(5), sysctl.conf(5).
//!
//! A key is told with dots, whichever separator the file uses; of one key the last value counts, and `-key = value`, which
//! only forgives an error, is `key = value`.
//!
//! *Invariant:* order is dropped only where no setting can write another one: neither patterns nor the pairs of the kernel
//! of which each resets the other.

use super::NotParsed;
use super::spaced::{Pairs, cut, lines, squeeze, trim};
use crate::protocol::order;
use alloc::vec::Vec;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut settings: Vec<(Vec<u8>, usize, Vec<u8>)> = Vec::new();
    let mut ordered = false;
    for (at, line) in lines(bytes)?.enumerate() {
        let line = trim(line);
        if line.is_empty() || matches!(line.first(), Some(b'#' | b';')) {
            continue;
        }
        let (key, value) = match (cut(line, b'='), line.strip_prefix(b"-")) {
            (Some((key, value)), _) => (dotted(trim(key.strip_prefix(b"-").unwrap_or(key))), squeeze(value)),
            // It takes a name out of the patterns.
            (None, Some(name)) => ([b"-", &dotted(trim(name))[..]].concat(), Vec::new()),
            (None, None) => return Err(NotParsed("a line that sets nothing")),
        };
        ordered |= is_entangled(&key);
        settings.push((key, at, value));
    }
    order::sort(&mut settings, |a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    settings.dedup_by(|later, kept| later.0 == kept.0);
    if ordered {
        order::sort(&mut settings, |a, b| a.1.cmp(&b.1));
    }
    Pairs(settings.into_iter().map(|(key, _, value)| (key, value)).collect(), 0).text()
}

/// The first separator decides: after a slash, dots are part of names, and the other way round.
fn dotted(key: &[u8]) -> Vec<u8> {
    let slashes = key.iter().find(|b| matches!(b, b'.' | b'/')) == Some(&b'/');
    let turned = |byte: &u8| match byte {
        b'/' if slashes => b'.',
        b'.' if slashes => b'/',
        other => *other,
    };
    key.iter().map(turned).collect()
}

fn is_entangled(key: &[u8]) -> bool {
    const ENTANGLED: [&[u8]; 4] = [b"bytes", b"ip_forward", b"forwarding", b"disable_ipv6"];
    key.first() == Some(&b'-')
        || key.iter().any(|b| matches!(b, b'*' | b'?' | b'['))
        || ENTANGLED.iter().any(|end| key.ends_with(end))
}
