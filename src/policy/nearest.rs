//! The known word that a mistyped one was probably meant to be.
//!
//! *Invariant:* suggests only what is close; a wrong guess is worse than none.

/// The nearest of the words within a third of the length, at most three edits.
pub(crate) fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than every word of ours: the table below would cost a hostile file dearly.
    if typed.chars().count() > 40 {
        return None;
    }
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let most = (typed.len() / 3).clamp(1, 3);
    words
        .into_iter()
        .map(|word| (distance(&typed, word), word))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Edits between two words, where a swap of neighbours is one (optimal string alignment).
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut two_ago: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let mut best = (above[j] + usize::from(left != right)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *right && *left == b[j - 1] {
                best = best.min(two_ago[j - 1] + 1);
            }
            row.push(best);
        }
        two_ago = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word_and_strangers_none() {
        let words = ["info", "low", "medium", "high", "critical"];
        assert_eq!(nearest("lwo", words), Some("low"));
        assert_eq!(nearest("Hihg", words), Some("high"));
        assert_eq!(nearest("critcal", words), Some("critical"));
        assert_eq!(nearest("warning", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), words), None);
    }
}
