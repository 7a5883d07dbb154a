//! `driftscan.baseline/v1`: JSON Lines, one record a line, frozen.
//!
//! Header, records in ascending order of their subjects' bytes, trailer with the number of records and the SHA-256 of
//! all bytes before the trailer. Bytes that are not UTF-8 are `{"b64": "..."}`.
//!
//! *Invariant:* the order of the fields is the order of the structs, and absent fields are not written: equal baselines
//! have equal bytes.

mod noise;

use super::baseline::{BaselineError, Header, Identity};
use super::label::Label;
use crate::model::Image;
use crate::model::finding::attr_name;
use crate::model::text::{escape, hex, unhex};
use crate::protocol::record::RecordWriter;
use crate::protocol::view::{Form, Viewed};
use crate::protocol::{Attr, Digest, Kind, Mask, Pattern, Record, Rule, RuleSet, Value, View, When};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// The schema's name.
pub const SCHEMA: &str = "driftscan.baseline/v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    schema: String,
    version: u32,
    template: String,
    label: String,
    serial: u64,
    hash: String,
    os: String,
    os_version: String,
    arch: String,
    live: bool,
    scopes: Vec<Text>,
    capture: Vec<RuleLine>,
    /// Views whose values stand in the records, each with its version: `passwd/1`.
    views: Vec<String>,
    /// SHA-256 of the file of golden texts, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    texts: Option<String>,
    /// The id of the key with which secrets were digested, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    noise: Vec<noise::NoiseLine>,
    /// What os-release of the golden machine says of its image, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<ImageLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleLine {
    path: Text,
    compares: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    when: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailerLine {
    records: usize,
    sha256: String,
}

/// Bytes, as text where they are text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Bytes(Base64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Base64 {
    b64: String,
}

impl Text {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Plain(text.to_owned()),
            Err(_) => Self::Bytes(Base64 { b64: STANDARD.encode(bytes) }),
        }
    }

    pub(super) fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Plain(text) => Ok(text.into_bytes()),
            Self::Bytes(Base64 { b64 }) => {
                let bytes = STANDARD.decode(b64).map_err(|error| format!("b64: {error}"))?;
                // One spelling for one value: text is written as text.
                if std::str::from_utf8(&bytes).is_ok() {
                    Err("b64 of what is plain text".to_owned())
                } else {
                    Ok(bytes)
                }
            }
        }
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[serde(rename_all = "lowercase")]
struct RecordLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capability: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acl: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xattr: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selinux: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardlink: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fstype: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<Text>,
}

/// The word of a file type.
#[must_use]
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
        Kind::Fifo => "fifo",
        Kind::Socket => "socket",
        Kind::Block => "block-device",
        Kind::Char => "char-device",
    }
}

impl RecordLine {
    fn of(record: &Record) -> Self {
        let view = record.view();
        let mut line = Self { subject: Some(Text::of(view.subject())), ..Self::default() };
        for (attr, value) in view.attrs() {
            let Value::Present(bytes) = value else {
                // `fit` refuses unread attributes; oversize is only ever of content, or of a view of it.
                let slot = if attr == Attr::View { &mut line.view } else { &mut line.content };
                *slot = Some("oversize".to_owned());
                continue;
            };
            match attr {
                Attr::Kind => line.kind = view.kind().map(|kind| kind_word(kind).to_owned()),
                Attr::Mode => line.mode = view.mode().map(|mode| format!("{mode:04o}")),
                Attr::Size => line.size = view.size(),
                Attr::Content => line.content = Some(format!("sha256:{}", hex(bytes))),
                // `fit` refuses what is no view's value.
                Attr::View => line.view = Viewed::decode(bytes).map(|viewed| view_text(&viewed)),
                _ => {
                    if let Some(slot) = line.text(attr) {
                        *slot = Some(Text::of(bytes));
                    }
                }
            }
        }
        line
    }

    /// The attributes that are plain bytes.
    fn text(&mut self, attr: Attr) -> Option<&mut Option<Text>> {
        match attr {
            Attr::Owner => Some(&mut self.owner),
            Attr::Group => Some(&mut self.group),
            Attr::Target => Some(&mut self.target),
            Attr::Device => Some(&mut self.device),
            Attr::Capability => Some(&mut self.capability),
            Attr::Acl => Some(&mut self.acl),
            Attr::Xattr => Some(&mut self.xattr),
            Attr::Selinux => Some(&mut self.selinux),
            Attr::Flags => Some(&mut self.flags),
            Attr::Link => Some(&mut self.hardlink),
            Attr::Version => Some(&mut self.version),
            Attr::State => Some(&mut self.state),
            Attr::Text => Some(&mut self.value),
            Attr::FsType => Some(&mut self.fstype),
            Attr::MountOptions => Some(&mut self.options),
            Attr::Build => Some(&mut self.build),
            Attr::Package => Some(&mut self.package),
            Attr::Kind | Attr::Mode | Attr::Size | Attr::Content | Attr::View => None,
        }
    }

    fn record(mut self) -> Result<Record, String> {
        let subject = self.subject.take().ok_or("no subject")?.bytes()?;
        let mut encoded = Vec::new();
        let mut writer = RecordWriter::new(&mut encoded, &subject);
        for attr in Attr::ALL {
            match attr {
                Attr::Kind => {
                    if let Some(word) = self.kind.take() {
                        let kind = Kind::ALL.into_iter().find(|kind| kind_word(*kind) == word);
                        writer.present(attr, &[kind.ok_or_else(|| format!("type {word:?}"))? as u8]);
                    }
                }
                Attr::Mode => {
                    if let Some(text) = self.mode.take() {
                        let mode = u16::from_str_radix(&text, 8).ok().filter(|mode| format!("{mode:04o}") == text);
                        writer.present(attr, &mode.ok_or_else(|| format!("mode {text:?}"))?.to_le_bytes());
                    }
                }
                Attr::Size => {
                    if let Some(size) = self.size.take() {
                        writer.present(attr, &size.to_le_bytes());
                    }
                }
                Attr::Content => match self.content.take().as_deref() {
                    None => {}
                    Some("oversize") => writer.put(attr, Value::Oversize),
                    Some(text) => {
                        let digest = text.strip_prefix("sha256:").and_then(unhex::<32>);
                        writer.present(attr, &digest.ok_or_else(|| format!("content {text:?}"))?);
                    }
                },
                Attr::View => match self.view.take().as_deref() {
                    None => {}
                    Some("oversize") => writer.put(attr, Value::Oversize),
                    Some(text) => {
                        let viewed = viewed(text).ok_or_else(|| format!("view {text:?}"))?;
                        writer.present(attr, &viewed.encode());
                    }
                },
                _ => {
                    if let Some(text) = self.text(attr).and_then(Option::take) {
                        writer.present(attr, &text.bytes().map_err(|text| format!("{}: {text}", attr_name(attr)))?);
                    }
                }
            }
        }
        Record::parse(&encoded).map_err(|error| escape(error.to_string().as_bytes()))
    }
}

/// A view with its version: `passwd/1`.
pub(super) fn view_name(view: View, version: u8) -> String {
    format!("{}/{version}", view.word())
}

/// How a view's digest was made.
fn algorithm(view: View) -> &'static str {
    if view == View::Keyed { "hmac-sha256" } else { "sha256" }
}

/// A view's value: `passwd/1:sha256:HEX`; `passwd/1/bytes:sha256:HEX` where the file did not parse and its bytes were
/// digested; `keyed/1:hmac-sha256:HEX`.
#[must_use]
pub fn view_text(viewed: &Viewed) -> String {
    let form = match viewed.form {
        Form::Parsed => "",
        Form::Bytes => "/bytes",
    };
    let name = view_name(viewed.view, viewed.version);
    format!("{name}{form}:{}:{}", algorithm(viewed.view), hex(&viewed.digest))
}

fn viewed(text: &str) -> Option<Viewed> {
    let mut parts = text.splitn(3, ':');
    let (name, word, digest) = (parts.next()?, parts.next()?, parts.next()?);
    let (name, form) = name.strip_suffix("/bytes").map_or((name, Form::Parsed), |name| (name, Form::Bytes));
    let (view, version) = name.split_once('/')?;
    let view = View::of_word(view)?;
    let viewed = Viewed { view, version: version.parse().ok()?, form, digest: unhex(digest)? };
    // One spelling for one value.
    (word == algorithm(view) && view_text(&viewed) == text).then_some(viewed)
}

/// The views of these records, each once.
fn views(records: &[Record]) -> Vec<String> {
    let viewed = records.iter().filter_map(|record| Viewed::decode(record.view().present(Attr::View)?));
    let names: BTreeSet<(View, u8)> = viewed.map(|viewed| (viewed.view, viewed.version)).collect();
    names.into_iter().map(|(view, version)| view_name(view, version)).collect()
}

/// Names of the masks that a capture can have.
const MASKS: [(&str, Mask); 5] = [
    ("nothing", Mask::NONE),
    ("presence", Mask::PRESENCE),
    ("metadata", Mask::METADATA),
    ("everything", Mask::STRICT),
    ("view", Mask::VIEWED),
];
const CONDITIONS: [(&str, u8); 2] = [("executable", When::EXECUTABLE), ("privileged", When::PRIVILEGED)];

/// Whether a rule can be written; a mask without a word would be read back as another one.
pub(super) fn has_words_for(rule: &Rule) -> bool {
    let conditions = CONDITIONS.iter().fold(0, |bits, (_, bit)| bits | bit);
    rule.view.is_some() == (rule.mask == Mask::VIEWED)
        && rule.when.kinds < 0x80
        && rule.when.conditions & !conditions == 0
        && MASKS.iter().any(|(_, mask)| *mask == rule.mask)
}

fn rule_line(rule: &Rule) -> RuleLine {
    let compares = MASKS.iter().find(|(_, mask)| *mask == rule.mask).map_or("everything", |(word, _)| word);
    RuleLine {
        path: Text::of(rule.pattern.text()),
        compares: compares.to_owned(),
        view: rule.view.map(|view| view.word().to_owned()),
        kinds: Kind::ALL
            .into_iter()
            .filter(|kind| rule.when.kinds & kind.bit() != 0)
            .map(|k| kind_word(k).to_owned())
            .collect(),
        when: CONDITIONS
            .iter()
            .filter(|(_, bit)| rule.when.conditions & bit != 0)
            .map(|(word, _)| (*word).to_owned())
            .collect(),
    }
}

fn rule(line: RuleLine) -> Result<Rule, String> {
    let pattern = Pattern::new(&line.path.bytes()?).map_err(|error| escape(error.to_string().as_bytes()))?;
    let mask =
        MASKS.iter().find(|(word, _)| *word == line.compares).ok_or_else(|| format!("compares {:?}", line.compares))?.1;
    let known = |word: &String| View::of_word(word).ok_or_else(|| format!("view {word:?}"));
    let view = line.view.as_ref().map(known).transpose()?;
    if view.is_some() != (mask == Mask::VIEWED) {
        return Err(format!("compares {:?} and view {:?}", line.compares, line.view));
    }
    let mut when = When::default();
    for word in line.kinds {
        when.kinds |=
            Kind::ALL.into_iter().find(|k| kind_word(*k) == word).ok_or_else(|| format!("kind {word:?}"))?.bit();
    }
    for word in line.when {
        when.conditions |= CONDITIONS.iter().find(|(name, _)| *name == word).ok_or_else(|| format!("when {word:?}"))?.1;
    }
    let view = match line.view {
        None => None,
        Some(word) => Some(View::of_word(&word).ok_or_else(|| format!("view {word:?}"))?),
    };
    if view.is_some() != (mask == Mask::VIEWED) {
        return Err(format!("compares {:?} with another view than it says", line.compares));
    }
    Ok(Rule { pattern, when, mask, view })
}

pub(super) fn push_line<T: Serialize>(out: &mut Vec<u8>, line: &T) {
    // Writing to memory can't fail, and every type here has string keys.
    if serde_json::to_writer(&mut *out, line).is_ok() {
        out.push(b'\n');
    }
}

/// Writes the canonical bytes.
#[must_use]
pub fn write(header: &Header, records: &[Record]) -> Vec<u8> {
    let mut out = Vec::with_capacity(records.len() * 200);
    push_line(
        &mut out,
        &HeaderLine {
            schema: SCHEMA.to_owned(),
            version: 1,
            template: header.label.template.clone(),
            label: header.label.version.clone(),
            serial: header.serial,
            hash: "sha256".to_owned(),
            os: header.identity.os.clone(),
            os_version: header.identity.os_version.clone(),
            arch: header.identity.arch.clone(),
            live: header.live,
            scopes: header.scopes.iter().map(|scope| Text::of(scope)).collect(),
            capture: header.rules.rules().iter().map(rule_line).collect(),
            views: views(records),
            texts: header.texts.as_ref().map(|digest| format!("sha256:{}", hex(digest))),
            key: header.key.as_ref().map(|id| hex(id)),
            noise: header.noise.iter().map(noise::line).collect(),
            image: image_line(&header.image),
        },
    );
    for record in records {
        push_line(&mut out, &RecordLine::of(record));
    }
    let sha256 = hex(&Sha256::digest(&out));
    push_line(&mut out, &TrailerLine { records: records.len(), sha256 });
    out
}

#[derive(Deserialize)]
struct AnySchema {
    #[serde(default)]
    schema: String,
}

/// Reads stored bytes: the digest first, then the lines.
///
/// # Errors
/// See [`BaselineError`].
pub fn read(bytes: &[u8]) -> Result<(Header, Vec<Record>), BaselineError> {
    let line_error = |line: usize, text: String| BaselineError::Line { line, text };
    let first_end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let first = &bytes[..first_end];
    let found = serde_json::from_slice::<AnySchema>(first).map(|any| any.schema).unwrap_or_default();
    if found != SCHEMA {
        return Err(BaselineError::Schema { found: found.chars().take(80).collect(), expected: SCHEMA });
    }
    let body = bytes.strip_suffix(b"\n").ok_or(BaselineError::Incomplete)?;
    let last = body.iter().rposition(|b| *b == b'\n').ok_or(BaselineError::Incomplete)?;
    let trailer: TrailerLine = serde_json::from_slice(&body[last + 1..]).map_err(|_| BaselineError::Incomplete)?;
    let lines = &bytes[..=last];
    if hex(&Sha256::digest(lines)) != trailer.sha256 {
        return Err(BaselineError::Altered("the lines do not have the digest that the trailer names".to_owned()));
    }
    let mut header = None;
    let mut records = Vec::new();
    for (at, line) in lines.split(|b| *b == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        if at == 0 {
            let line: HeaderLine =
                serde_json::from_slice(line).map_err(|error| line_error(1, escape(error.to_string().as_bytes())))?;
            header = Some(read_header(line).map_err(|text| line_error(1, text))?);
        } else {
            let line: RecordLine = serde_json::from_slice(line)
                .map_err(|error| line_error(at + 1, escape(error.to_string().as_bytes())))?;
            records.push(line.record().map_err(|text| line_error(at + 1, text))?);
        }
    }
    if records.len() != trailer.records {
        return Err(BaselineError::Altered(format!(
            "{} records, and the trailer says {}",
            records.len(),
            trailer.records
        )));
    }
    let header = header.ok_or(BaselineError::Incomplete)?;
    Ok((header, records))
}

/// Whether this version knows the view, in whichever version of its own; the projection asks for that.
fn is_view(name: &str) -> bool {
    name.split_once('/').is_some_and(|(word, _)| View::of_word(word).is_some())
}

fn digest(text: &str) -> Result<Digest, String> {
    text.strip_prefix("sha256:").and_then(unhex).ok_or_else(|| format!("texts {text:?}"))
}

fn read_header(line: HeaderLine) -> Result<Header, String> {
    if line.hash != "sha256" || line.version != 1 || !line.views.iter().all(|name| is_view(name)) {
        return Err("it needs an ability that this version of driftscan lacks".to_owned());
    }
    let label = Label::parse(&format!("{}@{}", line.template, line.label))?;
    let rules = line.capture.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    Ok(Header {
        label,
        serial: line.serial,
        identity: Identity { os: line.os, os_version: line.os_version, arch: line.arch },
        live: line.live,
        texts: line.texts.map(|text| digest(&text)).transpose()?,
        key: line.key.map(|id| unhex(&id).ok_or_else(|| format!("key {id:?}"))).transpose()?,
        scopes: line.scopes.into_iter().map(Text::bytes).collect::<Result<_, _>>()?,
        rules: RuleSet::new(rules).map_err(|error| escape(error.to_string().as_bytes()))?,
        noise: noise(line.noise)?,
        image: image(line.image)?,
    })
}

fn image_line(image: &Image) -> Option<ImageLine> {
    let Image { id, version } = image.clone();
    (!image.is_silent()).then_some(ImageLine { id, version })
}

fn image(line: Option<ImageLine>) -> Result<Image, String> {
    let Some(ImageLine { id, version }) = line else { return Ok(Image::default()) };
    let is_escaped = |word: &String| {
        let plain = word.replace('\\', "");
        escape(plain.as_bytes()) == plain
    };
    let all = [&id, &version].into_iter().flatten().all(is_escaped);
    if all { Ok(Image { id, version }) } else { Err("image: a word that is not escaped".to_owned()) }
}

fn noise(lines: Vec<noise::NoiseLine>) -> Result<Vec<super::NoiseRule>, String> {
    if lines.len() > super::NoiseRule::MOST {
        return Err(format!("more than {} learned rules", super::NoiseRule::MOST));
    }
    lines.into_iter().map(noise::rule).collect()
}
