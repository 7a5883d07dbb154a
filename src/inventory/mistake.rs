//! What is wrong with an inventory, where, and what to write instead.
//!
//! *Invariant:* text that came from a file is escaped and shortened before it stands in a message.

use super::host::Place;
use crate::model::text::escape;

/// Something that keeps the inventory from being used.
///
/// Shown as `hosts.txt:12: what is wrong`, and on a second line `  help: what to write`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {text}\n  help: {remedy}")]
pub struct Mistake {
    /// Where it was written.
    pub place: Place,
    /// What is wrong, one line.
    pub text: String,
    /// What can be typed instead, one line.
    pub remedy: String,
}

/// Something odd that the inventory can be used with.
///
/// Shown as `hosts.txt:12: what is odd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it was written.
    pub place: Place,
    /// What is odd and what was done about it, one line.
    pub text: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// A [`Mistake`] that does not know its place yet: the readers of single words return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    text: String,
    remedy: String,
}

impl Refusal {
    pub(super) fn new(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { text: text.into(), remedy: remedy.into() }
    }

    pub(super) fn at(self, place: &Place) -> Mistake {
        Mistake { place: place.clone(), text: self.text, remedy: self.remedy }
    }
}

/// What a reading finds on its way.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<Warning>,
}

impl Remarks {
    pub(super) fn refuse(&mut self, place: &Place, refusal: Refusal) {
        self.mistakes.push(refusal.at(place));
    }

    pub(super) fn warn(&mut self, place: &Place, text: String) {
        self.warnings.push(Warning { place: place.clone(), text });
    }

    /// Keeps the value, or books why there is none.
    pub(super) fn keep<T>(&mut self, place: &Place, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.refuse(place, refusal)).ok()
    }
}

/// Longest quotation in a message, in characters of the file.
const QUOTED: usize = 60;

/// Quotes a word of the file: in backquotes, escaped, cut where it is long.
pub(super) fn quote(word: &str) -> String {
    match word.char_indices().nth(QUOTED) {
        None => format!("`{}`", escape(word.as_bytes())),
        Some((end, _)) => format!("`{}...`", escape(word.get(..end).unwrap_or_default().as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_place_text_and_remedy() {
        let place = Place { file: "hosts.txt".into(), line: 12 };
        let mistake = Refusal::new("port `0` is none", "write web-01:22").at(&place);
        insta::assert_snapshot!(mistake, @r"
        hosts.txt:12: port `0` is none
          help: write web-01:22
        ");
    }

    #[test]
    fn quotations_are_escaped_and_short() {
        assert_eq!(quote("a\x1b[2J"), "`a\\x1b[2J`");
        assert_eq!(quote(&"é".repeat(61)), format!("`{}...`", "é".repeat(60)));
    }
}
