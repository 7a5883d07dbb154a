//! Golden texts: what views made of files of the golden machine, and contents that the policy shows, for sentences and
//! diffs. Kept beside the baseline in a file of their own, whose format is
//! frozen in `texts_v1`.
//!
//! *Invariant:* texts explain and never decide; contents were masked before they came here; the file's SHA-256 is part of
//! its baseline, so that no other file can take its place.

use super::baseline::{Baseline, BaselineError};
use super::label::Label;
use super::texts_v1;
use crate::model::text::escape;
use crate::protocol::{Kind, View};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest content that is kept; a longer one is left out.
pub const CONTENT_MAX: usize = 64 * 1024;
/// What all texts of one baseline may take together.
pub const TOTAL_MAX: usize = 16 << 20;

/// One file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldenText {
    /// The view that made it; `None` for the masked content itself.
    pub view: Option<View>,
    /// The text.
    pub text: Arc<[u8]>,
}

/// Every text of one baseline, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoldenTexts(pub BTreeMap<Vec<u8>, Vec<GoldenText>>);

impl GoldenTexts {
    /// What a view made of a file, masked where the view may hold secrets.
    #[must_use]
    pub fn of_view(&self, path: &[u8], view: View) -> Option<&[u8]> {
        self.0.get(path)?.iter().find(|text| text.view == Some(view)).map(|text| &*text.text)
    }

    /// A file's masked content.
    #[must_use]
    pub fn content(&self, path: &[u8]) -> Option<&[u8]> {
        self.0.get(path)?.iter().find(|text| text.view.is_none()).map(|text| &*text.text)
    }

    /// Adds a text; callers add in any order, and one a path and view.
    pub fn put(&mut self, path: &[u8], text: GoldenText) {
        let texts = self.0.entry(path.to_vec()).or_default();
        let at = texts.partition_point(|other| other.view < text.view);
        texts.insert(at, text);
    }

    /// The same texts, those that the other one has too kept once: versions of one template share most of theirs.
    #[must_use]
    pub fn sharing(&self, other: &Self) -> Self {
        let mut shared = self.clone();
        for (path, texts) in &mut shared.0 {
            let theirs = other.0.get(path).map_or(&[][..], Vec::as_slice);
            for text in texts {
                if let Some(same) = theirs.iter().find(|same| *same == text) {
                    text.text = Arc::clone(&same.text);
                }
            }
        }
        shared
    }

    /// How many texts there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The canonical bytes.
    #[must_use]
    pub fn write(&self, label: &Label) -> Vec<u8> {
        texts_v1::write(self, label)
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// Anything else than what [`GoldenTexts::write`] writes for this label.
    pub fn read(bytes: &[u8], label: &Label) -> Result<Self, BaselineError> {
        texts_v1::read(bytes, label)
    }

    /// Whether these can be the texts of a baseline: each of a regular file that it has.
    pub(super) fn fit(&self, baseline: &Baseline) -> Result<(), BaselineError> {
        for path in self.0.keys() {
            let record = baseline.record(&[&b"fs:"[..], path].concat());
            if record.is_none_or(|record| record.view().kind() != Some(Kind::File)) {
                return Err(BaselineError::Texts(format!("{} is no file of the baseline", escape(path))));
            }
        }
        Ok(())
    }
}
