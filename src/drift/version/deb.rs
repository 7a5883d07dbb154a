//! dpkg's order (deb-version(7)): runs of digits by value, what is between them character by character, letters before
//! other characters, and a tilde before everything, the end included.
//!
//! *Invariant:* a text that dpkg would refuse as a version has no order.

use super::{by_value, span};
use std::cmp::Ordering;

/// Compares two versions.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let ((a_epoch, a_upstream, a_revision), (b_epoch, b_upstream, b_revision)) = (parts(a)?, parts(b)?);
    Some(
        by_value(a_epoch, b_epoch)
            .then_with(|| part(a_upstream, b_upstream))
            .then_with(|| part(a_revision, b_revision)),
    )
}

/// Epoch, upstream version and revision. An absent revision is equal to `0`, and an empty text is too.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    let digits = !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit());
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    (digits && plain(upstream, b".+-~:") && plain(revision, b".+~")).then_some((epoch, upstream, revision))
}

fn part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let ((a_text, a_rest), (b_text, b_rest)) = (span(a, |c| !c.is_ascii_digit()), span(b, |c| !c.is_ascii_digit()));
        let ((a_number, a_rest), (b_number, b_rest)) =
            (span(a_rest, |c| c.is_ascii_digit()), span(b_rest, |c| c.is_ascii_digit()));
        let longest = a_text.len().max(b_text.len());
        let weights = |text: &str| (0..longest).map(|at| weight(text.as_bytes().get(at).copied())).collect::<Vec<_>>();
        let order = weights(a_text).cmp(&weights(b_text)).then_with(|| by_value(a_number, b_number));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

fn weight(character: Option<u8>) -> i32 {
    match character {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    }
}
