//! How alone a host stands: the snowflake score.
//!
//! In a group of *n* compared hosts, a line that *c* of them have has the rarity
//!
//! > r = ln(n / c) / ln(n)
//!
//! which is 1 where no other host has it and 0 where all have it: the share of the information that names a host which this
//! line alone gives. With the weight *w* of its severity (info 0.05, low 0.15, medium 0.35, high 0.6, critical 0.85) the
//! score of a host is
//!
//! > S = 1000 x (1 - (1 - w1 r1)(1 - w2 r2) ...)
//!
//! over its lines. It is bounded by 0 and 1,000; another line, or a rarer or graver one in the place of one, never lowers
//! it; many small things that everybody has stay near 0, and one critical thing that nobody else has gives 850 alone. A sum
//! was rejected because it has no bound, and a maximum because the second oddity of a host would count for nothing.
//!
//! *Invariant:* pure arithmetic, the same on every machine.

use crate::model::Severity;

/// The most that a score can be.
pub const MOST: u16 = 1_000;

/// What a line of a severity weighs, between 0 and 1.
#[must_use]
pub fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Info => 0.05,
        Severity::Low => 0.15,
        Severity::Medium => 0.35,
        Severity::High => 0.6,
        Severity::Critical => 0.85,
    }
}

/// The rarity of what `having` of `of` hosts have, between 0 and 1; with nobody to compare with it is 0.
#[must_use]
pub fn rarity(having: u32, of: u32) -> f64 {
    if of < 2 {
        return 0.0;
    }
    let (having, of) = (f64::from(having.clamp(1, of)), f64::from(of));
    (libm::log(of / having) / libm::log(of)).clamp(0.0, 1.0)
}

/// How many hosts of a group few are: one, or a twentieth.
#[must_use]
pub fn few(of: u32) -> u32 {
    (of / 20).max(1)
}

/// The score of a host by weight and rarity of its lines.
#[must_use]
pub fn score(lines: impl IntoIterator<Item = (Severity, f64)>) -> u16 {
    let left = lines.into_iter().fold(1.0, |left, (severity, rarity)| left * (1.0 - weight(severity) * rarity));
    let score = f64::from(MOST) * (1.0 - left);
    // Between 0 and 1,000 by construction; the cast drops the fraction.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped on the same line")]
    let whole = score.clamp(0.0, f64::from(MOST)) as u16;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_else_has_is_rarest_and_what_all_have_counts_for_nothing() {
        assert!((rarity(1, 500) - 1.0).abs() < 1e-12 && rarity(500, 500) < 1e-12);
        assert!(rarity(2, 500) > 0.85 && rarity(250, 500) < 0.15);
        assert_eq!((score([(Severity::Critical, 1.0)]), score([(Severity::Low, 0.0)]), score([])), (850, 0, 0));
        assert!(rarity(1, 1) < 1e-12, "nobody to compare with");
        assert_eq!([1, 19, 40, 500].map(few), [1, 1, 2, 25]);
    }

    fn any_lines() -> impl Strategy<Value = Vec<(Severity, u32)>> {
        prop::collection::vec((prop::sample::select(Severity::ALL), 1u32..400), 0..60)
    }

    proptest! {
        #[test]
        fn bounded_and_never_lowered_by_another_or_a_rarer_line(
            lines in any_lines(), more in prop::sample::select(Severity::ALL), having in 1u32..400, of in 2u32..400,
            rarer in any::<prop::sample::Index>(),
        ) {
            let told = |lines: &[(Severity, u32)]| score(lines.iter().map(|(s, c)| (*s, rarity(*c, of))));
            let before = told(&lines);
            prop_assert!(before <= MOST);
            let mut longer = lines.clone();
            longer.push((more, having));
            prop_assert!(told(&longer) >= before);
            if !lines.is_empty() {
                let mut scarcer = lines.clone();
                let at = rarer.index(lines.len());
                scarcer[at].1 = scarcer[at].1.div_ceil(2);
                prop_assert!(told(&scarcer) >= before);
            }
        }
    }
}
