//! pacman's order (vercmp(8)): as rpm's of old, but that the length of what stands between segments counts, and that a word
//! at the end is older than the end (`1.0rc` before `1.0`).
//!
//! *Invariant:* every text has a place in the order, as it has for pacman itself.

use super::{by_value, parts, span};
use std::cmp::Ordering;

/// Compares two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let ((a_epoch, a_version, a_release), (b_epoch, b_version, b_release)) = (parts(a), parts(b));
    // A release is left out of the comparison where a side has none.
    let release = || a_release.zip(b_release).map_or(Ordering::Equal, |(a, b)| segments(a, b));
    segments(a_epoch, b_epoch).then_with(|| segments(a_version, b_version)).then_with(release)
}

fn segments(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() && !b.is_empty() {
        let between = |c: char| !c.is_ascii_alphanumeric();
        let ((a_gap, a_rest), (b_gap, b_rest)) = (span(a, between), span(b, between));
        (a, b) = (a_rest, b_rest);
        if a.is_empty() || b.is_empty() {
            break;
        }
        if a_gap.len() != b_gap.len() {
            return a_gap.len().cmp(&b_gap.len());
        }
        let number = a.starts_with(|c: char| c.is_ascii_digit());
        let kind = |c: char| if number { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let ((a_segment, a_rest), (b_segment, b_rest)) = (span(a, kind), span(b, kind));
        let order = match (b_segment.is_empty(), number) {
            (true, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, true) => by_value(a_segment, b_segment),
            (false, false) => a_segment.cmp(b_segment),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    let word = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic());
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) if word(b) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, _) if word(a) => Ordering::Less,
        (false, _) => Ordering::Greater,
    }
}
