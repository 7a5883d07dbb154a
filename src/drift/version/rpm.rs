//! rpm's order (rpm-version(7)): segments of digits or letters, whatever stands between them; a tilde before the end, a
//! caret after it.
//!
//! *Invariant:* every text has a place in the order, as it has for rpm itself.

use super::{by_value, parts, span};
use std::cmp::Ordering;

/// Compares two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let ((a_epoch, a_version, a_release), (b_epoch, b_version, b_release)) = (parts(a), parts(b));
    // A release is left out of the comparison where a side has none.
    let release = || a_release.zip(b_release).map_or(Ordering::Equal, |(a, b)| segments(a, b));
    by_value(a_epoch, b_epoch).then_with(|| segments(a_version, b_version)).then_with(release)
}

fn segments(mut a: &str, mut b: &str) -> Ordering {
    let between = |c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^';
    loop {
        (a, b) = (a.trim_start_matches(between), b.trim_start_matches(between));
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(a_rest), Some(b_rest)) => {
                (a, b) = (a_rest, b_rest);
                continue;
            }
            (None, Some(_)) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(a_rest), Some(b_rest)) => {
                (a, b) = (a_rest, b_rest);
                continue;
            }
            // After the end of the other side, and before whatever else it goes on with.
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let number = a.starts_with(|c: char| c.is_ascii_digit());
        let kind = |c: char| if number { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let ((a_segment, a_rest), (b_segment, b_rest)) = (span(a, kind), span(b, kind));
        // A number is newer than a word.
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
}
