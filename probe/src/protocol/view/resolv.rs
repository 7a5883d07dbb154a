//! resolv.conf(5).
//!
//! *Invariant:* name servers, search lists and sort lists stay in their order; options are a set, of which the last of a
//! name counts. An indented keyword is none to the C library, and is kept as a line.

use super::NotParsed;
use super::spaced::{Pairs, cut, lines, squeeze, trim, word};
use alloc::vec::Vec;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let (mut all, mut options) = (Pairs::default(), Pairs::default());
    for line in lines(bytes)? {
        if trim(line).is_empty() || matches!(line.first(), Some(b'#' | b';')) {
            continue;
        }
        let (keyword, rest) = word(line);
        match keyword {
            b"nameserver" if line.starts_with(keyword) => {
                let end = rest.iter().position(|b| matches!(b, b'#' | b';')).unwrap_or(rest.len());
                all.put(keyword, &squeeze(rest.get(..end).unwrap_or(rest)));
            }
            b"search" | b"domain" | b"sortlist" if line.starts_with(keyword) => all.put(keyword, &squeeze(rest)),
            b"options" if line.starts_with(keyword) => {
                for option in rest.split(|b| matches!(b, b' ' | b'\t')).filter(|option| !option.is_empty()) {
                    let (name, value) = cut(option, b':').unwrap_or((option, b""));
                    options.put(&[b"options ", name].concat(), value);
                }
            }
            _ => all.put(b"line", line),
        }
    }
    options.0.reverse();
    options.sort();
    options.0.dedup_by(|later, kept| later.0 == kept.0);
    all.0.append(&mut options.0);
    all.text()
}
