//! Times as logs write them.
//!
//! *Invariant:* total: a text that is no time is none; a time without a zone is that of the host's own clock and is shown
//! as it was written.

use std::fmt;

/// A time of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    /// Seconds since 1970, the host's local time read as UTC where no zone was written.
    pub(super) seconds: i64,
    /// Whether the zone is known.
    pub(super) zoned: bool,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(time) = jiff::Timestamp::from_second(self.seconds) else { return f.write_str("at an odd time") };
        write!(f, "{}{}", time.strftime("%Y-%m-%d %H:%M"), if self.zoned { " UTC" } else { "" })
    }
}

impl Time {
    /// A time of the kernel.
    pub(super) fn utc(seconds: i64) -> Self {
        Self { seconds, zoned: true }
    }

    /// How many seconds this is before the other.
    pub(super) fn before(self, other: Self) -> i64 {
        other.seconds.saturating_sub(self.seconds)
    }
}

/// `2026-11-19 06:12:03`, `2026-11-19T06:12:03.5+0000`, `2026-11-19 06:12`, with the rest of the line.
pub(super) fn iso(text: &[u8]) -> Option<(Time, &[u8])> {
    let year = number(text, 0, 4)?;
    let (month, day) = (number(text, 5, 2)?, number(text, 8, 2)?);
    if text.get(4) != Some(&b'-') || text.get(7) != Some(&b'-') {
        return None;
    }
    let rest = text.get(10..)?;
    let gap = rest.iter().take_while(|b| matches!(b, b' ' | b'T')).count();
    let rest = rest.get(gap..).filter(|_| (1..=2).contains(&gap))?;
    let (clock, mut rest) = clock(rest)?;
    if let [b'.' | b',', tail @ ..] = rest {
        let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        rest = tail.get(digits..)?;
    }
    let (offset, rest) = zone(rest);
    let seconds = civil(year, month, day, clock)?.saturating_sub(offset.unwrap_or(0));
    Some((Time { seconds, zoned: offset.is_some() }, rest))
}

/// `Nov 19 13:58:01`, without a year: the last one that is not past `now`.
pub(super) fn syslog(text: &[u8], now: Option<i64>) -> Option<(Time, &[u8])> {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let month = (1..).zip(MONTHS).find(|(_, name)| text.starts_with(name))?.0;
    let rest = text.get(3..)?;
    let rest = rest.get(rest.iter().take_while(|b| **b == b' ').count()..)?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let day = number(rest, 0, digits)?;
    let (clock, rest) = clock(rest.get(digits..)?.strip_prefix(b" ")?)?;
    let now = now?;
    let year = i64::from(jiff::Timestamp::from_second(now).ok()?.strftime("%Y").to_string().parse::<i16>().ok()?);
    let of = |year| civil(year, month, day, clock).map(|seconds| Time { seconds, zoned: false });
    // A day ahead is a zone, more is last year.
    let time = of(year).filter(|time| time.seconds <= now.saturating_add(86_400)).or_else(|| of(year - 1))?;
    Some((time, rest))
}

/// Either, as a system's log has it.
pub(super) fn either(text: &[u8], now: Option<i64>) -> Option<(Time, &[u8])> {
    iso(text).or_else(|| syslog(text, now))
}

/// Hour, minute, second.
type Clock = (i64, i64, i64);

fn clock(text: &[u8]) -> Option<(Clock, &[u8])> {
    let (hour, minute) = (number(text, 0, 2)?, number(text, 3, 2)?);
    if text.get(2) != Some(&b':') {
        return None;
    }
    if text.get(5) == Some(&b':')
        && let Some(second) = number(text, 6, 2)
    {
        return Some(((hour, minute, second), text.get(8..)?));
    }
    Some(((hour, minute, 0), text.get(5..)?))
}

/// Seconds east of UTC.
fn zone(text: &[u8]) -> (Option<i64>, &[u8]) {
    if let [b'Z', rest @ ..] = text {
        return (Some(0), rest);
    }
    let sign = match text.first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (None, text),
    };
    let colon = usize::from(text.get(3) == Some(&b':'));
    match (number(text, 1, 2), number(text, 3 + colon, 2), text.get(5 + colon..)) {
        (Some(hours), Some(minutes), Some(rest)) => (Some(sign * (hours * 3600 + minutes * 60)), rest),
        _ => (None, text),
    }
}

fn number(text: &[u8], at: usize, len: usize) -> Option<i64> {
    let digits = text.get(at..at.checked_add(len)?).filter(|digits| !digits.is_empty() && digits.len() <= 4)?;
    digits.iter().try_fold(0, |number, b| b.is_ascii_digit().then(|| number * 10 + i64::from(b - b'0')))
}

fn civil(year: i64, month: i64, day: i64, (hour, minute, second): Clock) -> Option<i64> {
    let small = |number: i64| i8::try_from(number).ok();
    let year = i16::try_from(year).ok().filter(|year| (1970..=9000).contains(year))?;
    let time = jiff::civil::DateTime::new(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second.min(59))?,
        0,
    );
    Some(jiff::tz::Offset::UTC.to_timestamp(time.ok()?).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOV_19: i64 = 1_795_068_723;

    #[test]
    fn every_log_has_its_own_way() {
        for (text, zoned) in [
            ("2026-11-19 06:12:03 rest", false),
            ("2026-11-19  06:12:03 rest", false),
            ("2026-11-19T06:12:03+0000 rest", true),
            ("2026-11-19T07:12:03.123456+01:00 rest", true),
            ("2026-11-19T06:12:03Z rest", true),
            ("2026-11-19 06:12:03,120 rest", false),
            ("Nov 19 06:12:03 rest", false),
        ] {
            let read = either(text.as_bytes(), Some(NOV_19 + 86_400 * 3));
            assert_eq!(read, Some((Time { seconds: NOV_19, zoned }, &b" rest"[..])), "{text}");
        }
        let last_year = syslog(b"Dec 31 06:12:03 x", Some(NOV_19)).map(|(time, _)| time.to_string());
        assert_eq!(last_year.as_deref(), Some("2025-12-31 06:12"));
        for text in ["", "2026", "2026-13-19 06:12:03", "2026-11-19 25:12:03", "Nov", "Nov 99 06:12:03", "Now 1 1:1:1"]
        {
            assert_eq!(either(text.as_bytes(), Some(NOV_19)), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text: Vec<u8>, now: i64) {
            let _ = either(&text, Some(now)).map(|(time, _)| time.to_string());
        }

        #[test]
        fn near_times_never_panic(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.,+-]{0,20}", now: i64) {
            let _ = either(text.as_bytes(), Some(now)).map(|(time, _)| time.to_string());
        }
    }
}
