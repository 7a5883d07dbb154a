//! Golden texts: what views made of files of the golden machine, and contents that the policy shows, for sentences and
//! diffs. Kept beside the baseline.
//!
//! *Invariant:* texts explain and never decide; contents were masked before they came here.

use crate::protocol::View;
use std::collections::BTreeMap;

/// One file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldenText {
    /// The view that made it; `None` for the masked content itself.
    pub view: Option<View>,
    /// The text.
    pub text: Vec<u8>,
}

/// Every text of one baseline, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoldenTexts(pub BTreeMap<Vec<u8>, Vec<GoldenText>>);

impl GoldenTexts {
    /// What a view made of a file.
    #[must_use]
    pub fn of_view(&self, path: &[u8], view: View) -> Option<&[u8]> {
        self.0.get(path)?.iter().find(|text| text.view == Some(view)).map(|text| text.text.as_slice())
    }

    /// A file's masked content.
    #[must_use]
    pub fn content(&self, path: &[u8]) -> Option<&[u8]> {
        self.0.get(path)?.iter().find(|text| text.view.is_none()).map(|text| text.text.as_slice())
    }
}
