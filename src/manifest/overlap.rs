//! A path that two patterns match, to ask two policies about what their rules share.
//!
//! A pattern is a row of components, a component a row of bytes; both rows have gaps (`**`, `*`) that take any number.
//! One search serves both.
//!
//! *Invariant:* finds a path wherever there is one; bounded by length x length.

use crate::protocol::Pattern;

/// One place of a row: something to match, or a gap.
#[derive(Clone, Copy)]
enum Place<'a> {
    One(&'a [u8]),
    Gap,
}

/// What two places share, as bytes.
type Shared = dyn Fn(&[u8], &[u8]) -> Option<Vec<u8>>;

/// Finds a path that both patterns match.
#[must_use]
pub fn overlap(a: &Pattern, b: &Pattern) -> Option<Vec<u8>> {
    // Most rules are about different places, and their first bytes tell.
    if plain(a.text()).zip(plain(b.text())).any(|(one, other)| one != other) {
        return None;
    }
    let path = meet(&components(a.text()), &components(b.text()), b"*", &|one, other| {
        let name = meet(&letters(one), &letters(other), b"?", &letter)?;
        // Two stars meet in nothing, which is no name.
        Some(if name.is_empty() { b"/x".to_vec() } else { [b"/", &name[..]].concat() })
    })?;
    Some(if path.is_empty() { b"/".to_vec() } else { path })
}

/// The bytes before the first wildcard.
fn plain(text: &[u8]) -> impl Iterator<Item = &u8> {
    text.iter().take_while(|byte| !matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// Joins what both rows match; `any` matches whatever a gap takes, `both` finds what two places share.
fn meet(left: &[Place<'_>], right: &[Place<'_>], any: &[u8], both: &Shared) -> Option<Vec<u8>> {
    let width = right.len() + 1;
    // For each pair of tails, filled from the ends, what satisfies both.
    let mut tails: Vec<Option<Vec<u8>>> = vec![None; (left.len() + 1) * width];
    for i in (0..=left.len()).rev() {
        for j in (0..=right.len()).rev() {
            let tail = |i: usize, j: usize| tails.get(i * width + j).cloned().flatten();
            let joined = |one: &[u8], other: &[u8], tail: Option<Vec<u8>>| {
                let tail = tail?;
                Some([both(one, other)?, tail].concat())
            };
            let found = match (left.get(i), right.get(j)) {
                (None, None) => Some(Vec::new()),
                (Some(Place::One(one)), Some(Place::One(other))) => joined(one, other, tail(i + 1, j + 1)),
                (Some(Place::Gap), Some(Place::One(other))) => {
                    tail(i + 1, j).or_else(|| joined(any, other, tail(i, j + 1)))
                }
                (Some(Place::One(one)), Some(Place::Gap)) => {
                    tail(i, j + 1).or_else(|| joined(one, any, tail(i + 1, j)))
                }
                (Some(Place::Gap), Some(Place::Gap)) => tail(i + 1, j).or_else(|| tail(i, j + 1)),
                (Some(Place::Gap), None) => tail(i + 1, j),
                (None, Some(Place::Gap)) => tail(i, j + 1),
                (Some(Place::One(_)), None) | (None, Some(Place::One(_))) => None,
            };
            tails[i * width + j] = found;
        }
    }
    tails.swap_remove(0)
}

/// The components of a pattern. A `**` at the end wants one name at least, but `/**` alone takes the root as well.
fn components(text: &[u8]) -> Vec<Place<'_>> {
    if text == b"/**" {
        return vec![Place::Gap];
    }
    let parts: Vec<&[u8]> = text.split(|b| *b == b'/').filter(|part| !part.is_empty()).collect();
    let mut places = Vec::with_capacity(parts.len() + 1);
    for (at, part) in parts.iter().enumerate() {
        match *part {
            b"**" if at + 1 == parts.len() => places.extend([Place::One(b"*"), Place::Gap]),
            b"**" => places.push(Place::Gap),
            part => places.push(Place::One(part)),
        }
    }
    places
}

/// The bytes of a component: a literal, an escape, `?` or a class at a time.
fn letters(glob: &[u8]) -> Vec<Place<'_>> {
    let mut places = Vec::with_capacity(glob.len());
    let mut rest = glob;
    while let [first, tail @ ..] = rest {
        let width = match first {
            b'*' => {
                places.push(Place::Gap);
                rest = tail;
                continue;
            }
            b'\\' => 2,
            b'[' => {
                // A `]` that stands first, after `!` or `^`, is a member.
                let from = 1 + usize::from(matches!(tail.first(), Some(b'!' | b'^')));
                let end = tail.iter().enumerate().find(|(at, b)| **b == b']' && *at >= from);
                end.map_or(rest.len(), |(at, _)| at + 2)
            }
            _ => 1,
        };
        let (one, after) = rest.split_at(width.min(rest.len()));
        places.push(Place::One(one));
        rest = after;
    }
    places
}

/// A byte that both take, plain ones before odd ones.
fn letter(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    // Behind a letter, because `.` alone is no component.
    let pattern = |glob: &[u8]| Pattern::new(&[b"/x", glob].concat()).ok();
    let (a, b) = (pattern(one)?, pattern(other)?);
    let plain = |glob: &[u8]| matches!(glob, [byte] if *byte != b'?').then(|| vec![glob[0]]);
    let bytes = plain(one).or_else(|| plain(other)).unwrap_or_else(|| {
        let letters = (b'a'..=b'z').rev().chain(b'0'..=b'9');
        letters
            .chain((1..=u8::MAX).filter(|byte| !byte.is_ascii_alphanumeric() && *byte != b'/'))
            .chain(b'A'..=b'Z')
            .collect()
    });
    bytes.into_iter().map(|byte| vec![byte]).find(|byte| {
        let path = [b"/x", &byte[..]].concat();
        a.matches(&path) && b.matches(&path)
    })
}
