//! What holds for the table of any outcome.
//!
//! *Invariant:* holds for every outcome that the samples can make, not for a chosen one.

use super::*;
use proptest::prelude::*;

#[test]
fn colour_only_repeats_words() {
    let colored = shown(&mixed_fleet(), |options| options.color = true);
    assert!(colored.contains("\x1b["));
    assert_eq!(without_colour(&colored), shown(&mixed_fleet(), |_| {}));
}

fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_digit() || b == b';'), "{code}");
        out.push_str(rest);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_acts_on_a_terminal(fleet in any_fleet(), verbose: bool, by_finding: bool) {
        let text = shown(&fleet, |options| {
            options.verbose = verbose;
            options.color = true;
            options.by_finding = by_finding;
        });
        let text = without_colour(&text) + &detailed(&fleet, verbose);
        let acts = text.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}');
        prop_assert!(!acts);
    }

    #[test]
    fn lines_stay_within_the_width(fleet in any_fleet(), verbose: bool, width in 60usize..120) {
        let text = shown(&fleet, |options| { options.verbose = verbose; options.width = width; });
        for line in text.lines().filter(|line| line.chars().count() > width) {
            // Only what must not be broken makes a line long; names and values of the samples have up to 480 columns
            // once escaped, and a value up to 48.
            let longest = line.split("  ").map(|piece| piece.trim().chars().count()).max().unwrap_or(0);
            prop_assert!(longest > width / 3, "{}", line);
        }
    }

    #[test]
    fn decisions_sum_to_the_hosts(fleet in any_fleet()) {
        let text = shown(&fleet, |_| {});
        let block = text.split("\n\n").nth(1).unwrap_or_default();
        let numbers = block.lines().filter(|line| !line.starts_with("        "));
        let sum: usize = numbers.filter_map(|line| line.split_whitespace().next()?.parse::<usize>().ok()).sum();
        prop_assert_eq!(sum, fleet.selected);
    }
}
