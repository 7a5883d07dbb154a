//! Values of a settings' file that are more than a string: times, shares, counts, time zones.
//!
//! *Invariant:* what it returns can be written into a script; what it can't read is a mistake with its place.

use crate::plan::document::Budget;
use crate::policy::mistake::Collected;
use crate::policy::table::{Table, wrong_type};
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::DeValue;

/// The longest time that any key takes: 30 days.
pub(super) const LONGEST: u64 = 30 * 86_400;

/// The most hosts that a count may say; no fleet has more.
const MOST: u64 = 100_000;

/// A time with its unit, in seconds: `90s 30m 24h 7d`.
pub(super) fn seconds(
    table: &Table<'_, '_>,
    key: &str,
    range: RangeInclusive<u64>,
    mistakes: &mut Collected,
) -> Option<u64> {
    let word = table.word(key, mistakes)?;
    let Some(seconds) = time(word.get_ref()) else {
        mistakes.note(word.span(), "this is no time", "write a number and s, m, h or d: \"30m\"");
        return None;
    };
    if !range.contains(&seconds) {
        let short = seconds < *range.start();
        let (what, bound, end) =
            if short { ("shorter", range.start(), "least") } else { ("longer", range.end(), "most") };
        mistakes.note(
            word.span(),
            format!("this is {what} than `{key}` may be"),
            format!("write {} at the {end}", written(*bound)),
        );
        return None;
    }
    Some(seconds)
}

/// Seconds of a time with its unit.
pub(super) fn time(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Seconds as this file has them.
fn written(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let fits = units.into_iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    fits.map_or_else(|| "0s".to_owned(), |(name, unit)| format!("{}{name}", seconds / unit))
}

/// A number of hosts, or a share of the group: `2` or `"10%"`.
pub(super) fn budget(table: &Table<'_, '_>, key: &str, least: u32, mistakes: &mut Collected) -> Option<Budget> {
    let value = table.field(key)?;
    let read = match value.get_ref() {
        DeValue::Integer(_) => whole(value).and_then(|n| u32::try_from(n).ok()).map(Budget::Hosts),
        DeValue::String(text) => share(text).map(Budget::Percent),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            wrong_type(key, value, "a number of hosts or a share, 2 or \"10%\"", mistakes);
            return None;
        }
    };
    let number = read.map(|budget| match budget {
        Budget::Hosts(n) => n,
        Budget::Percent(n) => u32::from(n),
    });
    match number {
        Some(n) if n >= least => read,
        Some(_) => {
            mistakes.note(value.span(), "with that, nothing could ever be replaced", "write 1 or more");
            None
        }
        None => {
            mistakes.note(value.span(), "this is no number of hosts and no share", "write 2, or \"10%\"");
            None
        }
    }
}

/// A share alone.
pub(super) fn percent(table: &Table<'_, '_>, key: &str, mistakes: &mut Collected) -> Option<u8> {
    let word = table.word(key, mistakes)?;
    let share = share(word.get_ref());
    if share.is_none() {
        mistakes.note(word.span(), "this is no share", "write \"30%\"; \"100%\" lets everything pass");
    }
    share
}

fn share(text: &str) -> Option<u8> {
    let digits = text.strip_suffix('%')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|percent| plain && *percent <= 100)
}

/// A count.
pub(super) fn count(table: &Table<'_, '_>, key: &str, mistakes: &mut Collected) -> Option<Spanned<u32>> {
    let value = table.field(key)?;
    if !matches!(value.get_ref(), DeValue::Integer(_)) {
        wrong_type(key, value, "a number of machines", mistakes);
        return None;
    }
    let number = whole(value).and_then(|n| u32::try_from(n).ok());
    if number.is_none() {
        mistakes.note(value.span(), "no group has so many machines", format!("write 0 to {MOST}"));
    }
    number.map(|number| Spanned::new(value.span(), number))
}

/// Yes or no.
pub(super) fn truth(table: &Table<'_, '_>, key: &str, mistakes: &mut Collected) -> Option<bool> {
    let value = table.field(key)?;
    let truth = value.get_ref().as_bool();
    if truth.is_none() {
        wrong_type(key, value, "true or false", mistakes);
    }
    truth
}

fn whole(value: &Spanned<DeValue<'_>>) -> Option<u64> {
    let DeValue::Integer(integer) = value.get_ref() else { return None };
    u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| *number <= MOST)
}

/// Whether a text names a time zone: `UTC`, a fixed offset as `+02:00`, or a name by its shape, `Europe/Vienna`. Which
/// names there are, the machine knows that runs the plan.
pub(super) fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    text == "UTC" || is_offset(text) || text.len() <= 64 && text.contains('/') && text.split('/').all(part)
}

fn is_offset(text: &str) -> bool {
    let Some((hours, minutes)) = text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    let two = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    // From Baker Island to the Line Islands.
    two(hours) && two(minutes) && hours <= "14" && matches!(minutes, "00" | "15" | "30" | "45")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!([time("90s"), time("30m"), time("24h"), time("7d")], [90, 1_800, 86_400, 604_800].map(Some));
        assert_eq!(time("0s"), Some(0));
        for wrong in ["", "s", "30", "-1m", "+1m", "1.5h", "1w", "30 m", "99999999999999999999d", "1ä"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn shares_are_whole_and_at_most_all() {
        assert_eq!([share("0%"), share("10%"), share("100%")], [0, 10, 100].map(Some));
        for wrong in ["", "%", "10", "101%", "-1%", "+1%", "1.5%", "10 %"] {
            assert_eq!(share(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn zones_by_their_shape() {
        for right in ["UTC", "+02:00", "-05:30", "Europe/Vienna", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(is_zone(right), "{right}");
        }
        for wrong in
            ["", "utc", "CET", "+2", "+15:00", "+02:10", "europe/vienna", "Europe/", "A/$(id)", "Europe/Vienna\n"]
        {
            assert!(!is_zone(wrong), "{wrong}");
        }
    }
}
