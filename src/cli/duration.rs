//! Times as people write them: `90`, `90s`, `2m`, `1h`, `500ms`.
//!
//! *Invariant:* a number alone is seconds.

use std::time::Duration;

/// Reads a time.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("write a number and ms, s, m or h, 90s for example".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write a number and ms, s, m or h, 90s for example".to_owned())?;
    let duration = number.checked_mul(millis).map(Duration::from_millis).ok_or("too long")?;
    if duration.is_zero() { Err("a time of nothing".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "0", "m", "-1", "1.5s", "1d", "99999999999999999999h"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
