//! The image that a machine says it was made from: `IMAGE_ID` and `IMAGE_VERSION` of os-release.
//!
//! *Invariant:* both words are escaped and short; they come from the machine, and prove nothing.

use super::text::escape;
use crate::protocol::reply::{Texts, evidence};

/// The longest word that is taken, in bytes; what is longer is cut, and names no version that a baseline can have.
const MOST: usize = 256;

/// What os-release says of the image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// `IMAGE_ID`.
    pub id: Option<String>,
    /// `IMAGE_VERSION`.
    pub version: Option<String>,
}

impl Image {
    /// Reads a machine's evidence; an empty word is none.
    #[must_use]
    pub fn of(texts: &Texts) -> Self {
        let word = |name| {
            let text = texts.text(name).filter(|text| !text.is_empty())?;
            Some(escape(text.get(..MOST).unwrap_or(text)))
        };
        Self { id: word(evidence::IMAGE_ID), version: word(evidence::IMAGE_VERSION) }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.id.is_none() && self.version.is_none()
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = [&self.id, &self.version].into_iter().flatten().map(String::as_str).collect();
        f.write_str(&words.join(" "))
    }
}
