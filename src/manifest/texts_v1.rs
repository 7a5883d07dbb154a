//! `driftscan.texts/v1`: JSON Lines, frozen. A header with the baseline's label, one text a line in order of path and view,
//! a trailer with their number and the SHA-256 of all bytes before it. Bytes that are not UTF-8 are `{"b64": "..."}`.
//!
//! *Invariant:* equal texts have equal bytes, and no other bytes are read.

use super::baseline::BaselineError;
use super::label::Label;
use super::texts::{GoldenText, GoldenTexts};
use super::v1::{Text, push_line};
use crate::model::text::{escape, hex};
use crate::protocol::View;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The schema's name.
pub(super) const SCHEMA: &str = "driftscan.texts/v1";

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

#[derive(Serialize)]
struct TrailerLine {
    texts: usize,
    sha256: String,
}

/// Writes the canonical bytes.
#[must_use]
pub(super) fn write(texts: &GoldenTexts, label: &Label) -> Vec<u8> {
    let mut out = Vec::new();
    push_line(&mut out, &HeaderLine { schema: SCHEMA.to_owned(), baseline: label.to_string() });
    for (path, of_path) in &texts.0 {
        for text in of_path {
            let view = text.view.map(|view| view.word().to_owned());
            push_line(&mut out, &TextLine { path: Text::of(path), view, text: Text::of(&text.text) });
        }
    }
    let sha256 = hex(&Sha256::digest(&out));
    push_line(&mut out, &TrailerLine { texts: texts.count(), sha256 });
    out
}

/// Reads stored bytes.
///
/// # Errors
/// Anything else than what [`write`] writes for this label.
pub(super) fn read(bytes: &[u8], label: &Label) -> Result<GoldenTexts, BaselineError> {
    let wrong = |line: usize, text: &str| BaselineError::Texts(format!("line {line}: {}", escape(text.as_bytes())));
    let body = bytes.strip_suffix(b"\n").ok_or_else(|| wrong(1, "incomplete"))?;
    let mut lines = body.split(|b| *b == b'\n').enumerate().peekable();
    let first = lines.next().map_or(&b""[..], |(_, line)| line);
    let header: HeaderLine = serde_json::from_slice(first).map_err(|error| wrong(1, &error.to_string()))?;
    if header.schema != SCHEMA {
        return Err(wrong(1, &format!("schema {:?} is not {SCHEMA:?}", header.schema)));
    }
    let mut texts = GoldenTexts::default();
    while let Some((at, line)) = lines.next() {
        if lines.peek().is_none() {
            break;
        }
        let (path, text) = read_line(line).map_err(|text| wrong(at + 1, &text))?;
        texts.put(&path, text);
    }
    // Whatever is out of order, there twice, cut, or of another baseline gives other bytes.
    if write(&texts, label) == bytes { Ok(texts) } else { Err(wrong(1, "it is not what driftscan wrote there")) }
}

fn read_line(line: &[u8]) -> Result<(Vec<u8>, GoldenText), String> {
    let line: TextLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let view = match line.view {
        None => None,
        Some(word) => Some(View::of_word(&word).ok_or_else(|| format!("view {word:?}"))?),
    };
    Ok((line.path.bytes()?, GoldenText { view, text: line.text.bytes()?.into() }))
}
