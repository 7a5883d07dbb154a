//! `NAME@VERSION`, the name of a baseline.
//!
//! *Invariant:* both parts are safe as names of a folder and a file.

use std::fmt;

/// The name of a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// The template.
    pub template: String,
    /// Its version, a label: the serial alone orders versions.
    pub version: String,
}

impl Label {
    /// Reads `NAME@VERSION`.
    ///
    /// # Errors
    /// With what is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((template, version)) = text.split_once('@') else {
            return Err(format!("{text:?} names no version: write NAME@VERSION, web@2026.11.1 for example"));
        };
        plain("template", template)?;
        plain("version", version)?;
        Ok(Self { template: template.to_owned(), version: version.to_owned() })
    }
}

/// Accepts a word that is safe as a file name: letters, digits and `. _ + -`, beginning with a letter or digit.
///
/// # Errors
/// With what is wrong, as a sentence.
pub fn plain(what: &str, word: &str) -> Result<(), String> {
    let first = word.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let rest = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
    let ending = [".jsonl", ".json", ".zst", ".sig", ".texts"].iter().any(|ending| word.ends_with(ending));
    if first && rest && !ending && word.len() <= 100 {
        Ok(())
    } else {
        Err(format!("{what} {word:?}: use letters, digits and . _ + -, beginning with a letter or digit"))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.template, self.version)
    }
}
