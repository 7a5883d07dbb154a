//! The one quoter: any text as one word of a POSIX shell, and as a comment.
//!
//! *Invariant:* a shell reads the word back to the same bytes and expands nothing in it (POSIX.1-2024, Shell Command
//! Language, 2.2.2); a comment ends on its line.

/// A word as it can be typed: bare where nothing in it means something, else between single quotes.
pub(in crate::report) fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text behind a `#`: what would end the line is shown as `?`.
pub(in crate::report) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The first character that no script may hold: a shell drops NUL or ends at it, and a terminal obeys the others.
pub(in crate::report) fn forbidden(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    /// What shells read where the words stand, NUL-terminated each.
    fn read_back(shell: &[&str], words: &[String]) -> Vec<u8> {
        let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
        let out = Command::new(shell[0])
            .args(&shell[1..])
            .arg("-c")
            .arg(format!("set -- {line}\nfor word in \"$@\"; do printf '%s\\0' \"$word\"; done"))
            .output()
            .unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{shell:?} {line}: {out:?}");
        out.stdout
    }

    fn assert_read_back(words: &[String]) {
        let expected: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        for shell in [&["sh"][..], &["bash"], &["busybox", "sh"]] {
            let read = read_back(shell, words);
            assert!(read == expected, "{shell:?} {words:?} {}", String::from_utf8_lossy(&read));
        }
    }

    #[test]
    fn hostile_words_come_back_as_they_are() {
        let words = [
            "--",
            "",
            "$(rm -rf /)",
            "`id`",
            "a'b",
            "''",
            "'",
            "a\nb",
            "\n",
            "a\n",
            "-rf",
            "--replace",
            "a\\",
            "\\'",
            "a\"b",
            "$HOME",
            "${IFS}",
            "~",
            "~root",
            "*",
            "?",
            "[a]",
            "{a,b}",
            "!x",
            "#x",
            "a;b",
            "a&b",
            "a|b",
            ">x",
            "<x",
            "a b",
            "\ta",
            "é",
            "\u{202e}",
            "if",
            "x=1",
            "aws_instance.web[\"a\"]",
            "%s%n",
        ];
        assert_read_back(&words.map(str::to_owned));
    }

    #[test]
    fn a_plain_word_stays_bare() {
        assert_eq!(quote("web-03.example.net:22"), "web-03.example.net:22");
        assert_eq!(quote("aws_instance.web[\"a\"]"), "'aws_instance.web[\"a\"]'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn a_comment_ends_on_its_line() {
        assert_eq!(comment("a\nrm -rf /\r\u{85}"), "a?rm -rf /??");
        assert_eq!(forbidden("a\n\tb"), None);
        assert_eq!(forbidden("a\u{1b}b"), Some('\u{1b}'));
        assert_eq!(forbidden("a\0"), Some('\0'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn any_words_come_back_as_they_are(words in prop::collection::vec("[^\0]{0,12}|[ -~\n\t]{0,20}", 1..40)) {
            assert_read_back(&words);
        }
    }
}
