//! Names of owners and groups as the scanned tree itself gives them, never as this machine's name service would.
//!
//! *Invariant:* a name stands for exactly one id and never looks like one; everything else is written `#id`.

use crate::place::Place;
use alloc::vec::Vec;

/// The names of one file, sorted by id.
#[derive(Default)]
pub struct Names(Vec<(u32, Vec<u8>)>);

/// Owners and groups of a tree.
#[derive(Default)]
pub struct Owners {
    pub users: Names,
    pub groups: Names,
}

impl Owners {
    /// Reads the tree's passwd and group; a file that is absent or unreadable leaves ids. Its loss is no loss of
    /// coverage: ids are compared then, and differ where the baseline has names.
    pub fn of(place: &Place) -> Self {
        let read = |path: &[u8]| place.read(path, 4 << 20).unwrap_or_default();
        Self { users: Names::parse(&read(b"/etc/passwd")), groups: Names::parse(&read(b"/etc/group")) }
    }
}

impl Names {
    fn parse(text: &[u8]) -> Self {
        let mut names: Vec<(u32, Vec<u8>)> = Vec::new();
        for line in text.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            let (Some(name), Some(_), Some(id)) = (fields.next(), fields.next(), fields.next()) else { continue };
            let id = core::str::from_utf8(id).ok().and_then(|id| id.parse::<u32>().ok());
            if let (Some(id), true) = (id, is_plain(name)) {
                names.push((id, name.to_vec()));
            }
        }
        crate::order::sort(&mut names, |a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        names.dedup();
        // An id with two names, and root, which is what it is whatever it is called, go by number.
        let shared = |at: usize| {
            at > 0 && names[at - 1].0 == names[at].0 || names.get(at + 1).is_some_and(|next| next.0 == names[at].0)
        };
        let mut unique: Vec<(u32, Vec<u8>)> =
            (0..names.len()).filter(|at| names[*at].0 != 0 && !shared(*at)).map(|at| names[at].clone()).collect();
        // A name with two ids says nothing either.
        unique.retain(|(id, name)| !names.iter().any(|(other, same)| other != id && same == name));
        Self(unique)
    }

    /// The name of an id, else `#id`.
    pub fn push(&self, id: u32, out: &mut Vec<u8>) {
        match self.0.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => out.extend_from_slice(&self.0[at].1),
            Err(_) => {
                out.push(b'#');
                decimal(u64::from(id), out);
            }
        }
    }
}

fn is_plain(name: &[u8]) -> bool {
    let first = name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    first && name.len() <= 64 && name.iter().all(|b| b.is_ascii_alphanumeric() || b"._-$+@".contains(b))
}

/// Appends a number. The standard formatter is several kilobytes of program.
pub fn decimal(number: u64, out: &mut Vec<u8>) {
    if number >= 10 {
        decimal(number / 10, out);
    }
    out.push(b'0' + (number % 10) as u8);
}
