//! A baseline in memory, and its canonical bytes.
//!
//! *Invariant:* `Baseline::read(b.write()) == b`, and the bytes depend on nothing but the machine and the capture's scope.

use super::label::Label;
use super::noise::NoiseRule;
use super::texts::GoldenTexts;
use super::v1;
use crate::model::Image;
use crate::model::text::hex;
use crate::protocol::view::Viewed;
use crate::protocol::{Attr, Digest, Kind, Record, RuleSet, Value, View};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// What a baseline says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Template and version.
    pub label: Label,
    /// Orders the versions of a template.
    pub serial: u64,
    /// Which system it is of.
    pub identity: Identity,
    /// Whether a running system was captured, with its kernel and mounts.
    pub live: bool,
    /// What was walked.
    pub scopes: Vec<Vec<u8>>,
    /// Which paths, and which of their attributes, the capture left out.
    pub rules: RuleSet,
    /// SHA-256 of the file of golden texts, where there is one.
    pub texts: Option<Digest>,
    /// The id of the key with which secrets were digested, where there are some.
    pub key: Option<[u8; 4]>,
    /// What was learned from siblings, in the order of the patterns; it weakens the comparison, and the capture
    /// only where it names a view: those rules are among `rules` too.
    pub noise: Vec<NoiseRule>,
    /// The image that the golden machine said it was made from; says nothing in baselines of before.
    pub image: Image,
}

/// The system that a baseline is of; it alone chooses the policy's profile, so that a host can't choose its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Identity {
    /// `ID` of os-release, `debian`.
    pub os: String,
    /// `VERSION_ID` of os-release; empty for rolling releases.
    pub os_version: String,
    /// Machine architecture; empty where the source did not tell.
    pub arch: String,
}

impl Identity {
    /// Whether a host of the other identity can be compared: the same system and major version, and no other
    /// architecture. A minor version that differs is drift, and is found as such.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
        let arch = self.arch.is_empty() || other.arch.is_empty() || alias(&self.arch) == alias(&other.arch);
        self.os == other.os && major(&self.os_version) == major(&other.os_version) && arch
    }
}

/// dpkg's word for an architecture and the kernel's are two.
fn alias(arch: &str) -> &str {
    match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let os = if self.os.is_empty() { "unknown system" } else { &self.os };
        let parts = [os, &self.os_version, &self.arch];
        f.write_str(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
    }
}

/// A baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// What it says of itself.
    pub header: Header,
    /// Raw records in strictly ascending order of their subjects.
    pub records: Vec<Record>,
    /// SHA-256 of the stored bytes, hexadecimal.
    pub digest: String,
    /// What explains its records; stored beside it.
    pub texts: GoldenTexts,
}

/// Why bytes are not a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaselineError {
    /// Not this format, or another version of it.
    #[error("line 1: schema {found:?} is not {expected:?}")]
    Schema {
        /// What the file says.
        found: String,
        /// What this version reads.
        expected: &'static str,
    },
    /// A line that can't be read.
    #[error("line {line}: {text}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        text: String,
    },
    /// No trailer.
    #[error("incomplete: the last line is not a trailer")]
    Incomplete,
    /// The trailer's digest or count is not that of the lines, or they are not in canonical form.
    #[error("altered: {0}")]
    Altered(String),
    /// Nothing to compare.
    #[error("empty: a baseline without a single file would call every host drifted or clean without proof")]
    Empty,
    /// The file of golden texts is not the one that the header names.
    #[error("texts: {0}")]
    Texts(String),
    /// Something that a baseline never holds.
    #[error("{subject}: {text}")]
    Unfit {
        /// The record's subject, escaped.
        subject: String,
        /// What is wrong with it.
        text: &'static str,
    },
}

impl Baseline {
    /// Makes a baseline of captured records, which may come in any order.
    ///
    /// # Errors
    /// No file at all, a subject that stands twice, or an attribute that was not read.
    pub fn new(header: Header, mut records: Vec<Record>) -> Result<Self, BaselineError> {
        records.sort_by(|a, b| a.subject().cmp(b.subject()));
        fit(&header, &records)?;
        let mut baseline = Self { header, records, digest: String::new(), texts: GoldenTexts::default() };
        baseline.digest = hex(&Sha256::digest(baseline.write()));
        Ok(baseline)
    }

    /// The same machine with what was learned from its siblings.
    ///
    /// # Errors
    /// More rules than a baseline may have.
    pub fn with_noise(mut self, noise: Vec<NoiseRule>) -> Result<Self, BaselineError> {
        self.header.noise = noise;
        fit(&self.header, &self.records)?;
        self.digest = hex(&Sha256::digest(self.write()));
        Ok(self)
    }

    /// The canonical bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        v1::write(&self.header, &self.records)
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// See [`BaselineError`]; nothing is accepted in part.
    pub fn read(bytes: &[u8]) -> Result<Self, BaselineError> {
        let (header, records) = v1::read(bytes)?;
        fit(&header, &records)?;
        // One machine, one file: spaces, other orders of fields and escapes would give the same records another digest.
        if v1::write(&header, &records) != bytes {
            let text = "its bytes are not those that driftscan writes for what they say";
            return Err(BaselineError::Altered(text.to_owned()));
        }
        Ok(Self { header, records, digest: hex(&Sha256::digest(bytes)), texts: GoldenTexts::default() })
    }

    /// Puts golden texts beside the records and binds them: their digest becomes part of the baseline.
    ///
    /// # Errors
    /// A text of something that the baseline has no file of.
    pub fn with_texts(mut self, texts: GoldenTexts) -> Result<Self, BaselineError> {
        texts.fit(&self)?;
        self.header.texts = (!texts.0.is_empty()).then(|| Sha256::digest(texts.write(&self.header.label)).into());
        self.texts = texts;
        self.digest = hex(&Sha256::digest(self.write()));
        Ok(self)
    }

    /// Takes the bytes of the stored file of golden texts.
    ///
    /// # Errors
    /// Bytes that are not those that the header names, or no golden texts of this baseline.
    pub fn read_texts(&mut self, bytes: &[u8]) -> Result<(), BaselineError> {
        if self.header.texts != Some(Sha256::digest(bytes).into()) {
            let text = "the file is not the one that was captured with the baseline: its SHA-256 is another";
            return Err(BaselineError::Texts(text.to_owned()));
        }
        let texts = GoldenTexts::read(bytes, &self.header.label)?;
        texts.fit(self)?;
        self.texts = texts;
        Ok(())
    }

    /// The record of a subject.
    #[must_use]
    pub fn record(&self, subject: &[u8]) -> Option<&Record> {
        self.records.binary_search_by(|record| record.subject().cmp(subject)).ok().map(|at| &self.records[at])
    }

    /// How many records are packages.
    #[must_use]
    pub fn packages(&self) -> usize {
        self.records.iter().filter(|record| record.subject().starts_with(b"pkg:")).count()
    }
}

fn fit(header: &Header, records: &[Record]) -> Result<(), BaselineError> {
    if let Some(rule) = header.rules.rules().iter().find(|rule| !v1::has_words_for(rule)) {
        let subject = crate::model::text::escape(rule.pattern.text());
        return Err(BaselineError::Unfit { subject, text: "a rule that this version can't store" });
    }
    let bytes: usize = header.noise.iter().map(|rule| rule.pattern.text().len()).sum();
    if header.noise.len() > NoiseRule::MOST || bytes > NoiseRule::PATTERN_BYTES {
        let subject = header.label.to_string();
        return Err(BaselineError::Unfit { subject, text: "more learned rules than a baseline may have" });
    }
    let unfit =
        |record: &Record, text| BaselineError::Unfit { subject: crate::model::text::escape(record.subject()), text };
    for pair in records.windows(2) {
        if pair[0].subject() >= pair[1].subject() {
            return Err(unfit(&pair[1], "out of order, or there twice"));
        }
    }
    for record in records {
        let known = [&b"fs:/"[..], b"pkg:", b"fact:", b"mount:/"].iter().any(|ns| record.subject().starts_with(ns));
        if !known {
            return Err(unfit(record, "a subject of no namespace that this version knows"));
        }
        if record.view().path().is_some() && record.view().attr(Attr::Kind).is_none() {
            return Err(unfit(record, "a path without a type"));
        }
        if record.view().attrs().any(|(_, value)| matches!(value, Value::Unread(_))) {
            return Err(unfit(record, "an attribute that was not read"));
        }
        if let Some(value) = record.view().attr(Attr::View) {
            let known = match value {
                Value::Present(bytes) => Viewed::decode(bytes).is_some(),
                Value::Oversize | Value::Unread(_) => true,
            };
            let keyed = |bytes| Viewed::decode(bytes).is_some_and(|viewed| viewed.view == View::Keyed);
            if header.key.is_none() && matches!(value, Value::Present(bytes) if keyed(bytes)) {
                return Err(unfit(record, "a keyed digest, and the header names no key"));
            }
            if !known {
                return Err(unfit(record, "a view that this version doesn't know"));
            }
            if record.view().kind() != Some(Kind::File) {
                return Err(unfit(record, "a view of what is no regular file"));
            }
        }
    }
    // The root alone proves nothing of what a machine runs.
    let has_paths = records.iter().any(|record| record.view().path().is_some_and(|path| path != b"/"));
    if has_paths { Ok(()) } else { Err(BaselineError::Empty) }
}
