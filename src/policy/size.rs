//! Sizes as a person writes them: `512MiB`, `2 GiB`, `10GB`, `4096`.
//!
//! *Invariant:* exact or refused; nothing is rounded and nothing overflows.

/// The units, and how many bytes each is.
const UNITS: [(&str, u64); 11] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a size in bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().ok()?;
    let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit.trim_start())?;
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for (text, wanted) in [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("2GiB", Some(2 << 30)),
            (" 2 GiB ", Some(2 << 30)),
            ("10kB", Some(10_000)),
            ("1 TB", Some(1_000_000_000_000)),
            ("", None),
            ("GiB", None),
            ("-1", None),
            ("1.5GiB", None),
            ("2gib", None),
            ("2 G", None),
            ("99999999999 TiB", None),
        ] {
            assert_eq!(bytes(text), wanted, "{text}");
        }
    }
}
