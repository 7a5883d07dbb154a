//! Windows and times as a script compares them: lists of numbers, and numbers.
//!
//! *Invariant:* a field, a zone or a time that is not understood in full is an error: a window that is read wrongly opens
//! at the wrong time.

use std::collections::BTreeSet;

use crate::plan::Window;

/// Longest window: its minutes are looked at one by one.
const LONGEST: u64 = 7 * 86_400;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The words of `in_window` for a window.
pub(super) fn words(window: &Window) -> Result<[String; 8], String> {
    let fields: Vec<&str> = window.cron.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(format!("`{}` has not the five fields of crontab(5)", window.cron));
    };
    let length = seconds(&window.duration).filter(|length| (60..=LONGEST).contains(length));
    let length = length.ok_or_else(|| format!("`{}` is no duration of a minute to seven days", window.duration))?;
    let mut weekdays = numbers(weekday, 0, 7, &DAYS, 0)?;
    if weekdays.remove(&7) {
        weekdays.insert(0);
    }
    // crontab(5): where both day fields are narrowed, either may match.
    let either = !day.starts_with('*') && !weekday.starts_with('*');
    Ok([
        zone(&window.tz)?,
        (length / 60).to_string(),
        list(&numbers(minute, 0, 59, &[], 0)?),
        list(&numbers(hour, 0, 23, &[], 0)?),
        list(&numbers(day, 1, 31, &[], 0)?),
        list(&numbers(month, 1, 12, &MONTHS, 1)?),
        list(&weekdays),
        u8::from(either).to_string(),
    ])
}

/// Seconds of `90m`, `1h30m`, `2d`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.get(digits..=digits)? {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    (total > 0).then_some(total)
}

/// Day and time of an RFC 3339 time, in UTC, as numbers that shells compare: `20261121`, and `1` before `023004` so that
/// no shell takes it for an octal number.
pub(super) fn day_and_time(text: &str) -> Option<(String, String)> {
    let utc = text.parse::<jiff::Timestamp>().ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    (1970..=9999)
        .contains(&utc.year())
        .then(|| (utc.strftime("%Y%m%d").to_string(), utc.strftime("1%H%M%S").to_string()))
}

fn list(numbers: &BTreeSet<u8>) -> String {
    numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// One field: `*`, `*/5`, `1-5`, `1-9/2`, `mon-fri`, and lists of them.
fn numbers(field: &str, least: u8, most: u8, names: &[&str], first: u8) -> Result<BTreeSet<u8>, String> {
    let wrong = || format!("`{field}` is no field of crontab(5) from {least} to {most}");
    let number = |text: &str| -> Option<u8> {
        let place = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let value = match place {
            Some(at) => u8::try_from(at).ok()?.checked_add(first)?,
            None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (least..=most).contains(&value).then_some(value)
    };
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u8>().ok().filter(|step| *step > 0).ok_or_else(wrong)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?),
            None if range == "*" => (least, most),
            None => {
                let from = number(range).ok_or_else(wrong)?;
                (from, if step.is_some() { most } else { from })
            }
        };
        if from > to {
            return Err(wrong());
        }
        all.extend((from..=to).step_by(usize::from(step.unwrap_or(1))));
    }
    Ok(all)
}

/// A zone as `TZ` takes it: `UTC`, a name, or a fixed offset, whose sign POSIX turns round.
fn zone(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no time zone: write UTC, +02:00 or a name such as Europe/Berlin");
    if matches!(text, "UTC" | "Z" | "Etc/UTC") {
        return Ok("UTC".to_owned());
    }
    if let Some(offset) = text.strip_prefix(['+', '-']) {
        let (hours, minutes) = offset.split_once(':').ok_or_else(wrong)?;
        let two = |part: &str, most: u8| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits && part.parse::<u8>().is_ok_and(|number| number <= most)
        };
        if !two(hours, 14) || !two(minutes, 59) {
            return Err(wrong());
        }
        let turned = if text.starts_with('+') { '-' } else { '+' };
        let sign = if text.starts_with('+') { '+' } else { '-' };
        return Ok(format!("<{sign}{hours}{minutes}>{turned}{hours}:{minutes}"));
    }
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    if text.split('/').all(part) { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    fn window(cron: &str, duration: &str, tz: &str) -> Window {
        Window { cron: cron.into(), duration: duration.into(), tz: tz.into() }
    }

    #[test]
    fn fields_become_numbers() {
        let [zone, minutes, minute, hour, day, month, weekday, either] =
            words(&window("*/20 2,4-8/2 1-3 jan,3 mon-fri", "1h30m", "Europe/Berlin")).unwrap();
        assert_eq!((zone.as_str(), minutes.as_str()), ("Europe/Berlin", "90"));
        assert_eq!((minute.as_str(), hour.as_str(), day.as_str()), ("0 20 40", "2 4 6 8", "1 2 3"));
        assert_eq!((month.as_str(), weekday.as_str(), either.as_str()), ("1 3", "1 2 3 4 5", "1"));
        let sundays = words(&window("0 2 * * 7", "3h", "+02:00")).unwrap();
        assert_eq!((sundays[0].as_str(), sundays[6].as_str(), sundays[7].as_str()), ("<+0200>-02:00", "0", "0"));
        assert_eq!(words(&window("0 2 * * *", "3h", "-05:30")).unwrap()[0], "<-0530>+05:30");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for cron in ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"]
            .into_iter()
            .chain([
                "5-1 * * * *",
                "*/0 * * * *",
                "a * * * *",
                "1, * * * *",
                "-1 * * * *",
                "@daily * * * *",
                "1-2-3 * * * *",
            ])
        {
            assert!(words(&window(cron, "3h", "UTC")).is_err(), "{cron}");
        }
        for duration in ["", "3", "h", "0h", "3x", "30s", "8d", "99999999999999999999h", "3h "] {
            assert!(words(&window("0 2 * * *", duration, "UTC")).is_err(), "{duration}");
        }
        for tz in ["", "/etc/localtime", "../x", ":UTC", "UTC;id", "+2", "+15:00", "$(id)", "a b", "-1:00"] {
            assert!(words(&window("0 2 * * *", "3h", tz)).is_err(), "{tz}");
        }
    }

    #[test]
    fn the_clock_of_a_fixed_offset_is_the_one_meant() {
        for (tz, shown) in [("UTC", "0000"), ("+02:00", "0200"), ("-05:30", "1830")] {
            let zone = words(&window("0 2 * * *", "3h", tz)).unwrap()[0].clone();
            let out =
                std::process::Command::new("date").args(["-d", "@0", "+%H%M"]).env("TZ", zone).output().unwrap().stdout;
            assert_eq!(String::from_utf8(out).unwrap().trim(), shown, "{tz}");
        }
    }

    #[test]
    fn times_become_numbers() {
        assert_eq!(day_and_time("2026-11-21T02:30:04Z"), Some(("20261121".into(), "1023004".into())));
        assert_eq!(day_and_time("2026-11-21T00:30:04.25+01:00"), Some(("20261120".into(), "1233004".into())));
        assert_eq!(day_and_time("tomorrow"), None);
        assert_eq!(seconds("1d2h3m4s"), Some(93_784));
    }
}
