//! Numbers, times and words as a person reads them.
//!
//! *Invariant:* ASCII, and the same on every machine: no locale.

use super::page::{DIM, RED, YELLOW};
use crate::model::{Severity, Verdict};
use anstyle::Style;

/// `254,118`.
pub(in crate::report) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 host`, `12 hosts`.
pub(in crate::report) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// `4.1 s`, `3 min 12 s`, `2 h 05 min`.
pub(super) fn duration(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{seconds}.{} s", millis % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", grouped(seconds / 3600), seconds % 3600 / 60),
    }
}

/// `850 MB`, in powers of a thousand.
pub(super) fn size(bytes: u64) -> String {
    let (mut n, mut unit, mut tenths) = (bytes, "B", None);
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if n < 1000 {
            break;
        }
        tenths = Some(n % 1000 / 100);
        n /= 1000;
        unit = next;
    }
    match tenths {
        Some(tenths) if n < 10 => format!("{n}.{tenths} {unit}"),
        Some(_) | None => format!("{} {unit}", grouped(n)),
    }
}

/// The word in a finding's line, and its colour.
pub(in crate::report) fn severity(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Critical => ("CRIT", RED),
        Severity::High => ("HIGH", RED),
        Severity::Medium => ("MED", YELLOW),
        Severity::Low => ("LOW", Style::new()),
        Severity::Info => ("INFO", DIM),
    }
}

/// The colour of a verdict's word.
pub(super) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Drifted => RED,
        Verdict::Unverifiable | Verdict::Outdated => YELLOW,
        Verdict::Clean => super::page::GREEN,
    }
}

/// How long ago, in at most three characters: `5m`, `20h`, `99d`, `40w`, `3y`.
pub(super) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours, days) {
        (0..60, ..) => format!("{minutes}m"),
        (_, 0..24, _) => format!("{hours}h"),
        (_, _, 0..100) => format!("{days}d"),
        (_, _, 100..700) => format!("{}w", days / 7),
        _ => format!("{}y", (days / 365).min(99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 254_118, 1_000_000].map(grouped), ["0", "999", "1,000", "254,118", "1,000,000"]);
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(count(1, "entry", "entries"), "1 entry");
        assert_eq!(count(0, "entry", "entries"), "0 entries");
    }

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(
            [0, 3_599, 3_600, 86_400 * 2, 86_400 * 99, 86_400 * 120, 86_400 * 900].map(age),
            ["0m", "59m", "1h", "2d", "99d", "17w", "2y"]
        );
        assert_eq!([4_120, 59_999, 60_000, 7_500_000].map(duration), ["4.1 s", "59.9 s", "1 min 00 s", "2 h 05 min"]);
        assert_eq!([0, 999, 1_500, 850_123_456].map(size), ["0 B", "999 B", "1.5 kB", "850 MB"]);
        assert_eq!(size(u64::MAX), "18,446 PB");
    }
}
