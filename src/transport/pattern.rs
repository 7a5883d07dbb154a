//! OpenSSH's host patterns: `*`, `?`, lists and negation (`ssh_config(5)`, PATTERNS).
//!
//! *Invariant:* pure; matching takes time in proportion to pattern times text, whatever they hold.

/// Whether a pattern of literals, `*` and `?` matches the whole text; ASCII letters of either case are the same.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to take up again: after the last star, one byte of text later.
    let mut again: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                again = Some((p + 1, t));
                p += 1;
            }
            (Some(b'?'), Some(_)) => (p, t) = (p + 1, t + 1),
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => (p, t) = (p + 1, t + 1),
            (None, None) => return true,
            _ => match again {
                Some((star, at)) if at < text.len() => {
                    again = Some((star, at + 1));
                    (p, t) = (star, at + 1);
                }
                _ => return false,
            },
        }
    }
}

/// Whether a list matches: some pattern does, and no pattern behind a `!` does.
pub(super) fn list<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(refused) if glob(refused, text) => return false,
            Some(_) => {}
            None => matched |= !pattern.is_empty() && glob(pattern, text),
        }
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("web-??", "web-01", true),
            ("web-??", "web-1", false),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("WEB", "web", true),
            ("[web]:22*", "[web]:2222", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn negation_wins_wherever_it_stands() {
        assert!(list(["*.example.org", "!bad.example.org"], "good.example.org"));
        assert!(!list(["*.example.org", "!bad.example.org"], "bad.example.org"));
        assert!(!list(["!bad.example.org", "*.example.org"], "bad.example.org"));
        assert!(!list(["!bad.example.org"], "good.example.org"));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!glob(&"*a".repeat(200), &"a".repeat(150)));
        assert!(!glob(&format!("{}b", "*a".repeat(50)), &"a".repeat(5_000)));
    }

    proptest! {
        #[test]
        fn every_text_matches_itself_and_a_star(text in "[a-z.0-9-]{0,30}") {
            prop_assert!(glob(&text, &text));
            prop_assert!(glob("*", &text));
        }
    }
}
