//! What update-alternatives(1) keeps of one name: `/var/lib/dpkg/alternatives/editor`.
//!
//! Mode, link, then pairs of a follower's name and link, an empty line; then each choice with its priority and a path, which
//! may be empty, for each follower.
//!
//! *Invariant:* choices are a set; which of them is chosen is told by the links, not here.

use super::lines::Part;
use super::spaced::lines;
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    const CUT: NotParsed = NotParsed("an alternatives file that is cut off");
    let mut rows = lines(bytes)?;
    let mut fields = Fields::new(Order::Sorted);
    let mode = rows.next().filter(|mode| matches!(*mode, b"auto" | b"manual")).ok_or(CUT)?;
    fields.put(b"mode", mode);
    fields.put(b"link", rows.next().filter(|link| link.first() == Some(&b'/')).ok_or(CUT)?);
    let mut followers = Vec::new();
    loop {
        let name = rows.next().ok_or(CUT)?;
        if name.is_empty() {
            break;
        }
        fields.put(&[b"follower ", name].concat(), rows.next().ok_or(CUT)?);
        followers.push(name);
    }
    loop {
        let path = rows.next().unwrap_or_default();
        if path.is_empty() {
            break;
        }
        let priority = rows.next().ok_or(CUT)?;
        let choice = [b"choice ", path].concat();
        fields.put(&choice, priority);
        for name in &followers {
            let follows = rows.next().ok_or(CUT)?;
            if !follows.is_empty() {
                fields.put_parts(&[Part::Text(&choice), Part::Text(b" "), Part::Text(name)], &[Part::Text(follows)]);
            }
        }
    }
    if rows.any(|row| !row.is_empty()) {
        return Err(NotParsed("more than an alternatives file holds"));
    }
    fields.finish()
}
