//! One line for a person: escaped, and no longer than two lines of a terminal.
//!
//! *Invariant:* a line holds no control byte and at most [`MOST`] characters.

use crate::model::text::escape;

/// The longest title.
pub(super) const MOST: usize = 150;

/// Bytes of a file as they may be shown within a title: escaped, elided at this many characters.
#[must_use]
pub(in crate::drift) fn shown(bytes: &[u8], most: usize) -> String {
    // Each byte gives one character at least where it is ASCII; four bytes make one at most elsewhere.
    let head = bytes.get(..most.saturating_mul(4)).unwrap_or(bytes);
    let text = elide(&escape(head), most);
    if head.len() < bytes.len() && !text.ends_with("...") { elide(&format!("{text} ..."), most) } else { text }
}

/// The beginning of a text that fits, whole words where possible, with `...` where something was left out.
#[must_use]
pub(in crate::drift) fn elide(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(3)).collect();
    let cut = match head.rfind(' ') {
        Some(space) if space * 2 > head.len() => head.get(..space).unwrap_or(&head),
        _ => head.as_str(),
    };
    format!("{}...", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_value_is_cut_between_words() {
        assert_eq!(elide("one two three four five", 20), "one two three...");
        assert_eq!(elide("one-two-three-four-five", 20), "one-two-three-fou...");
        assert_eq!(elide("short", 20), "short");
        assert_eq!(shown(b"a\x1b[31m\n", 20), "a\\x1b[31m\\n");
    }

    proptest! {
        #[test]
        fn no_line_is_long_or_holds_a_control(bytes: Vec<u8>, most in 4_usize..120) {
            let text = shown(&bytes, most);
            prop_assert!(text.chars().count() <= most);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
