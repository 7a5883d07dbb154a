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
        let mut names: Vec<(u32, &[u8])> = Vec::new();
        for line in text.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            if let (Some(name), Some(_), Some(id)) = (fields.next(), fields.next(), fields.next())
                && is_plain(name)
                && let Some(id) = number(id)
            {
                names.push((id, name));
            }
        }
        crate::order::sort(&mut names, |a, b| a.1.cmp(b.1).then(a.0.cmp(&b.0)));
        names.dedup();
        // A name with two ids says nothing, nor does an id with two names; root is what it is whatever it is called.
        let mut lonely = lonely(&names, |a, b| a.1 == b.1);
        crate::order::sort(&mut lonely, |a, b| a.0.cmp(&b.0));
        lonely = self::lonely(&lonely, |a, b| a.0 == b.0);
        Self(lonely.iter().filter(|(id, _)| *id != 0).map(|(id, name)| (*id, name.to_vec())).collect())
    }

    /// The name of an id, else `#id`.
    pub fn push(&self, id: u32, out: &mut Vec<u8>) {
        match self.0.binary_search_by(|(other, _)| other.cmp(&id)) {
            Ok(at) => out.extend_from_slice(&self.0[at].1),
            Err(_) => {
                out.push(b'#');
                decimal(u64::from(id), out);
            }
        }
    }
}

/// Those of a sorted list that are unlike both neighbours.
fn lonely<'a>(names: &[(u32, &'a [u8])], alike: fn(&(u32, &[u8]), &(u32, &[u8])) -> bool) -> Vec<(u32, &'a [u8])> {
    let unlike = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| names.get(at));
        !before.into_iter().chain(names.get(at + 1)).any(|other| alike(other, &names[at]))
    };
    (0..names.len()).filter(|at| unlike(*at)).map(|at| names[at]).collect()
}

fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u32, |n, b| n.checked_mul(10)?.checked_add(u32::from(b.is_ascii_digit().then(|| b - b'0')?)))
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
