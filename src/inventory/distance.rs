//! Which known names are close to one that was not found.
//!
//! *Invariant:* only for messages; nothing is ever selected because it is close.

/// Names the closest, at most three of those that are equally close; nothing where none is close.
pub(super) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let most = (wanted.chars().count() / 3).max(2);
    let mut close: Vec<(usize, &str)> = Vec::new();
    for name in known {
        // A domain is often left out: wbe-01 is close to web-01.example.net.
        let label = name.split('.').next().unwrap_or_default();
        let far = distance(wanted, name, most).min(distance(wanted, label, most));
        if far <= most && !close.iter().any(|(_, kept)| *kept == name) {
            close.push((far, name));
            close.sort_unstable();
            close.truncate(3);
        }
    }
    let best = close.first().map(|(far, _)| *far);
    close.into_iter().filter(|(far, _)| Some(*far) == best).map(|(_, name)| name).collect()
}

/// The edit distance with transpositions (optimal string alignment); above `most` any larger number.
pub(super) fn distance(a: &str, b: &str, most: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(300).collect(), b.chars().take(300).collect());
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (cell(&above, j) + usize::from(x != y)).min(cell(&above, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(cell(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typing_errors_are_close() {
        assert_eq!(distance("template", "tempalte", 9), 1);
        assert_eq!(distance("web", "", 9), 3);
        assert_eq!(nearest("wbe-01", ["mail", "web-02", "web-01"]), ["web-01"]);
        assert_eq!(nearest("web-03", ["web-02", "mail", "web-01"]), ["web-01", "web-02"]);
        assert_eq!(nearest("wbe-01", ["web-01.example.net"]), ["web-01.example.net"]);
        assert!(nearest("", ["mail"]).is_empty());
    }

    proptest! {
        #[test]
        fn a_distance_is_symmetric_and_zero_for_equals(a in "[abc]{0,8}", b in "[abc]{0,8}") {
            prop_assert_eq!(distance(&a, &b, 99), distance(&b, &a, 99));
            prop_assert_eq!(distance(&a, &b, 99) == 0, a == b);
        }
    }
}
