//! apk's order (apk-package(5)): numbers with dots between, a letter, suffixes with a number, a commit, a revision:
//! `1.2.3a_rc4~5f1c-r6`.
//!
//! *Invariant:* a text that apk would refuse as a version has no order.

use super::{by_value, span};
use std::cmp::Ordering;

/// Suffixes in their order; the first four come before a version without one.
const SUFFIXES: [&str; 9] = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const BEFORE: usize = 4;

/// One part of a version. The order of the variants is the one that parts must come in, and a part that comes earlier in
/// it makes a version newer where the other version goes on with a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    First(&'a str),
    Number(&'a str),
    Letter(char),
    Suffix(usize),
    SuffixNumber(&'a str),
    Commit(&'a str),
    Revision(&'a str),
    End,
}

impl Part<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Commit(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
        }
    }

    fn is_early(self) -> bool {
        matches!(self, Self::Suffix(which) if which < BEFORE)
    }
}

/// Compares two versions.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    // Both have an end, so that one of them is unequal before a side runs out, or all of them are equal.
    let orders = a.iter().zip(&b).map(|(a, b)| order(*a, *b));
    Some(orders.fold(Ordering::Equal, Ordering::then))
}

fn order(a: Part<'_>, b: Part<'_>) -> Ordering {
    match (a, b) {
        (Part::Number(a), Part::Number(b)) if a.starts_with('0') || b.starts_with('0') => a.cmp(b),
        (Part::First(a), Part::First(b))
        | (Part::Number(a), Part::Number(b))
        | (Part::SuffixNumber(a), Part::SuffixNumber(b))
        | (Part::Revision(a), Part::Revision(b)) => by_value(a, b),
        (Part::Letter(a), Part::Letter(b)) => a.cmp(&b),
        (Part::Suffix(a), Part::Suffix(b)) => a.cmp(&b),
        (Part::Commit(a), Part::Commit(b)) => a.cmp(b),
        // Unlike parts: what announces a version is before it, and otherwise who goes on is newer.
        _ => b.is_early().cmp(&a.is_early()).then_with(|| b.rank().cmp(&a.rank())),
    }
}

fn parse(text: &str) -> Option<Vec<Part<'_>>> {
    let digits = |text| Some(span(text, |c| c.is_ascii_digit())).filter(|(digits, _)| !digits.is_empty());
    let (first, mut rest) = digits(text)?;
    let mut parts = vec![Part::First(first)];
    while let (Some(next), Some(last)) = (rest.chars().next(), parts.last().copied()) {
        let part;
        (part, rest) = match next {
            '.' => digits(&rest[1..]).map(|(number, rest)| (Part::Number(number), rest))?,
            'a'..='z' => (Part::Letter(next), &rest[1..]),
            '0'..='9' => digits(rest).map(|(number, rest)| (Part::SuffixNumber(number), rest))?,
            '_' => {
                let (word, rest) = span(&rest[1..], |c| c.is_ascii_lowercase());
                (Part::Suffix(SUFFIXES.iter().position(|suffix| *suffix == word)?), rest)
            }
            '~' => {
                let (commit, rest) = span(&rest[1..], |c| c.is_ascii_digit() || ('a'..='f').contains(&c));
                (Part::Commit(commit), rest)
            }
            '-' => digits(rest.strip_prefix("-r")?).map(|(number, rest)| (Part::Revision(number), rest))?,
            _ => return None,
        };
        let follows = match part {
            Part::Number(_) | Part::Letter(_) => last.rank() <= 1,
            Part::Suffix(_) => last.rank() <= 4,
            Part::SuffixNumber(_) => matches!(last, Part::Suffix(_)),
            Part::Commit(commit) => last.rank() < 5 && !commit.is_empty(),
            Part::Revision(_) => last.rank() < 6,
            Part::First(_) | Part::End => false,
        };
        if !follows {
            return None;
        }
        parts.push(part);
    }
    parts.push(Part::End);
    Some(parts)
}
