//! Golden texts: what views made of files of the golden machine, and contents that the policy shows, for sentences and
//! diffs. Kept beside the baseline as `driftscan.texts/v1`, JSON Lines: a header with the label, one text a line in order
//! of path and view, a trailer with their number and the SHA-256 of all bytes before it.
//!
//! *Invariant:* texts explain and never decide; contents were masked before they came here; the file's SHA-256 is part of
//! its baseline, so that no other file can take its place.

use super::baseline::{Baseline, BaselineError};
use super::label::Label;
use super::v1::{Text, push_line};
use crate::model::text::{escape, hex};
use crate::protocol::{Kind, View};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The schema's name.
pub const SCHEMA: &str = "driftscan.texts/v1";
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
    pub text: Vec<u8>,
}

/// Every text of one baseline, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoldenTexts(pub BTreeMap<Vec<u8>, Vec<GoldenText>>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    schema: String,
    baseline: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextLine {
    path: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    text: Text,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailerLine {
    texts: usize,
    sha256: String,
}

impl GoldenTexts {
    /// What a view made of a file, masked where the view may hold secrets.
    #[must_use]
    pub fn of_view(&self, path: &[u8], view: View) -> Option<&[u8]> {
        self.0.get(path)?.iter().find(|text| text.view == Some(view)).map(|text| text.text.as_slice())
    }

    /// A file's masked content.
    #[must_use]
    pub fn content(&self, path: &[u8]) -> Option<&[u8]> {
        self.0.get(path)?.iter().find(|text| text.view.is_none()).map(|text| text.text.as_slice())
    }

    /// Adds a text; callers add in any order, and one a path and view.
    pub fn put(&mut self, path: &[u8], text: GoldenText) {
        let texts = self.0.entry(path.to_vec()).or_default();
        let at = texts.partition_point(|other| other.view < text.view);
        texts.insert(at, text);
    }

    /// How many texts there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The canonical bytes.
    #[must_use]
    pub fn write(&self, label: &Label) -> Vec<u8> {
        let mut out = Vec::new();
        push_line(&mut out, &HeaderLine { schema: SCHEMA.to_owned(), baseline: label.to_string() });
        for (path, texts) in &self.0 {
            for text in texts {
                let view = text.view.map(|view| view.word().to_owned());
                push_line(&mut out, &TextLine { path: Text::of(path), view, text: Text::of(&text.text) });
            }
        }
        let sha256 = hex(&Sha256::digest(&out));
        push_line(&mut out, &TrailerLine { texts: self.count(), sha256 });
        out
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// Anything else than what [`GoldenTexts::write`] writes for this label.
    pub fn read(bytes: &[u8], label: &Label) -> Result<Self, BaselineError> {
        let wrong = |line: usize, text: &str| BaselineError::Texts(format!("line {line}: {text}"));
        let body = bytes.strip_suffix(b"\n").ok_or_else(|| wrong(1, "incomplete"))?;
        let mut lines = body.split(|b| *b == b'\n').enumerate().peekable();
        let first = lines.next().map_or(&b""[..], |(_, line)| line);
        let header: HeaderLine =
            serde_json::from_slice(first).map_err(|error| wrong(1, &escape(error.to_string().as_bytes())))?;
        if header.schema != SCHEMA {
            return Err(wrong(1, &format!("schema {:?} is not {SCHEMA:?}", header.schema)));
        }
        let mut texts = Self::default();
        while let Some((at, line)) = lines.next() {
            if lines.peek().is_none() {
                break;
            }
            let read = |line: &[u8]| {
                let line: TextLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
                let view = match line.view {
                    None => None,
                    Some(word) => Some(View::of_word(&word).ok_or_else(|| format!("view {word:?}"))?),
                };
                Ok((line.path.bytes()?, GoldenText { view, text: line.text.bytes()? }))
            };
            let (path, text) = read(line).map_err(|text: String| wrong(at + 1, &escape(text.as_bytes())))?;
            texts.put(&path, text);
        }
        // Whatever is out of order, there twice, cut, or of another baseline gives other bytes.
        if texts.write(label) == bytes { Ok(texts) } else { Err(wrong(1, "it is not what driftscan wrote there")) }
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
