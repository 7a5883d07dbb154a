//! The engine: findings of files give way to findings of the records in them.
//!
//! *Invariant:* never fewer than one finding a differing file; a text whose digest is not the one that baseline or host
//! proved is not read.

use super::records::{Pair, Records, pairs};
use super::{Said, elide, line, sentence, stands_alone};
use crate::drift::describe::{attributes, fingerprint, key};
use crate::drift::inquiry::Answers;
use crate::drift::mask::MASKED;
use crate::drift::reference::{Difference, Reference};
use crate::manifest::GoldenTexts;
use crate::model::text::{escape, hex};
use crate::model::{Attributes, Change, Code, Finding, Severity, Told};
use crate::policy::Policy;
use crate::protocol::bytes::put_string;
use crate::protocol::record::{RecordWriter, SUBJECT_MAX};
use crate::protocol::reply::TextState;
use crate::protocol::request::Want;
use crate::protocol::view::{Form, Viewed, escape_field};
use crate::protocol::{Attr, Digest, Kind, Record, RecordRef, View};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// The most records of one file that have a finding of their own.
const RECORDS: usize = 200;
/// The most records of a new or lost file that stand for it.
const ALONE: usize = 5;
/// The most characters of a side that are shown.
const SHOWN: usize = 2_000;

/// Puts the findings of records in the place of those of their files.
pub(in crate::drift) fn expand(
    findings: Vec<Finding>,
    difference: &Difference,
    selected: &Reference,
    answers: &Answers,
    policy: &Policy,
) -> Vec<Finding> {
    let compiled = policy.compile();
    let ruled = |record: RecordRef<'_>| compiled.view_of(compiled.ruling(record).0);
    let weigh = |file: &File<'_>, said: &Said| weigh(policy, file, said);
    Expansion { difference, texts: &selected.texts, answers, ruled: &ruled, weigh: &weigh }.run(findings)
}

/// The severity of a record: the user's word for the path of its file, else the sentence's; a file that is there or not
/// there at all weighs at least what such a file weighs.
fn weigh(policy: &Policy, file: &File<'_>, said: &Said) -> Severity {
    let word = policy.users_severity(file.change, file.subject, file.before, file.after);
    word.unwrap_or(match file.change {
        Change::Added | Change::Removed => said.severity.max(file.severity),
        Change::Changed => said.severity,
    })
}

/// A file that differs.
struct File<'a> {
    subject: &'a [u8],
    path: &'a [u8],
    change: Change,
    severity: Severity,
    before: Option<RecordRef<'a>>,
    after: Option<RecordRef<'a>>,
}

struct Expansion<'a> {
    difference: &'a Difference,
    texts: &'a GoldenTexts,
    answers: &'a Answers,
    /// The view that the policy gives a record.
    ruled: &'a dyn Fn(RecordRef<'_>) -> Option<View>,
    weigh: &'a dyn Fn(&File<'_>, &Said) -> Severity,
}

/// What both sides are, read.
struct Sides {
    view: View,
    before: Records,
    after: Records,
    /// Whether something in them was masked.
    masked: bool,
}

impl Expansion<'_> {
    fn run(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut out = Vec::with_capacity(findings.len());
        for finding in findings {
            self.one(finding, &mut out);
        }
        out
    }

    fn one(&self, mut finding: Finding, out: &mut Vec<Finding>) {
        let subject = std::mem::take(&mut finding.subject);
        self.keep_secret(&mut finding, &subject);
        let told = match self.file(&finding, &subject) {
            Some(file) => match self.sides(&file) {
                Ok(Some(sides)) => self.told(&mut finding, &file, &sides),
                Ok(None) => Vec::new(),
                Err(why) => {
                    finding.told.explanation.push(why);
                    Vec::new()
                }
            },
            None => Vec::new(),
        };
        finding.subject = subject;
        if told.is_empty() {
            out.push(finding);
        } else {
            out.extend(told);
        }
    }

    /// Of a secret it is told that it differs, and nothing else: no size, no digest.
    fn keep_secret(&self, finding: &mut Finding, subject: &[u8]) {
        let is_keyed = |records: &[Record]| {
            let viewed = find(records, subject).and_then(|record| Viewed::decode(record.present(Attr::View)?));
            viewed.is_some_and(|viewed| viewed.view == View::Keyed)
        };
        if !is_keyed(&self.difference.removed) && !is_keyed(&self.difference.added) {
            return;
        }
        for side in [&mut finding.before, &mut finding.after] {
            side.0.retain(|(attr, _)| !matches!(attr, Attr::Size | Attr::Content | Attr::View));
        }
        if finding.code == Code::ContentChanged {
            let path = escape(subject.strip_prefix(b"fs:").unwrap_or(subject));
            finding.told.title = Some(one_line(&format!("{path}: the secret differs")));
            finding
                .told
                .explanation
                .push("compared by a keyed digest; the secret itself has not left the host".to_owned());
        }
    }

    /// The file of a finding that records can tell; a path with `#` in it can't be told from its records.
    fn file<'a>(&'a self, finding: &Finding, subject: &'a [u8]) -> Option<File<'a>> {
        let attrs = |side: &Attributes| side.0.iter().any(|(attr, _)| *attr == Attr::View);
        let whole = matches!(finding.code, Code::FileAdded | Code::FileRemoved);
        if !(whole || finding.code == Code::ContentChanged) || !(attrs(&finding.before) || attrs(&finding.after)) {
            return None;
        }
        let path = subject.strip_prefix(b"fs:").filter(|path| !path.contains(&b'#'))?;
        let before = find(&self.difference.removed, subject);
        let after = find(&self.difference.added, subject);
        Some(File { subject, path, change: finding.change, severity: finding.severity, before, after })
    }

    /// Both sides' records; nothing where the file is not compared by a view that has a text, and why where it is and
    /// the texts can't be used.
    fn sides(&self, file: &File<'_>) -> Result<Option<Sides>, String> {
        let viewed = |record: Option<RecordRef<'_>>| record?.present(Attr::View).and_then(Viewed::decode);
        let (before, after) = (viewed(file.before), viewed(file.after));
        let Some(any) = before.or(after).filter(|viewed| viewed.view != View::Keyed) else { return Ok(None) };
        let view = any.view;
        let word = view.word();
        let ruled = file.after.or(file.before).and_then(self.ruled);
        if ruled.is_some_and(|ruled| ruled != view) {
            return Err(format!("it was read as {word}, and the policy says otherwise"));
        }
        if let (Some(before), Some(after)) = (before, after)
            && (before.view, before.version) != (after.view, after.version)
        {
            return Err(format!("the two sides were read by different versions of {word}"));
        }
        for (side, name) in [(before, "the golden file"), (after, "the host's file")] {
            if side.is_some_and(|side| side.form == Form::Bytes) {
                return Err(format!("{name} can't be read as {word}, so that its bytes are compared"));
            }
        }
        let mut masked = false;
        let golden = match before {
            Some(viewed) => {
                let text = self.texts.of_view(file.path, view).filter(|text| is_of(text, &viewed));
                let text = text.ok_or_else(|| format!("the baseline has no text of it as {word} to compare with"))?;
                masked |= is_masked(text);
                Records::read(text).ok_or_else(|| format!("the baseline's text of it as {word} is damaged"))?
            }
            None => Records::default(),
        };
        let host = match after {
            Some(viewed) => {
                let answer = self.answers.texts.get(&(file.path.to_vec(), Want::View(view)));
                let whole = answer.filter(|text| text.state == TextState::Whole && is_of(&text.bytes, &viewed));
                masked |= whole.is_some_and(|text| is_masked(&text.bytes));
                let read = whole.and_then(|text| Records::read(&text.bytes));
                read.ok_or_else(|| absent(answer.map(|text| text.state), word))?
            }
            None => Records::default(),
        };
        Ok(Some(Sides { view, before: golden, after: host, masked }))
    }

    /// The findings that stand for the file; none where its own is told.
    fn told(&self, finding: &mut Finding, file: &File<'_>, sides: &Sides) -> Vec<Finding> {
        let pairs = pairs(&sides.before, &sides.after);
        let mut told: Vec<(Said, &Pair<'_>)> =
            pairs.iter().map(|pair| (sentence(sides.view, file.path, pair), pair)).collect();
        for (said, _) in &mut told {
            said.severity = (self.weigh)(file, said);
        }
        if told.is_empty() {
            if file.change == Change::Changed {
                let why = if sides.masked {
                    "what differs in it looks like a secret, and is not shown"
                } else {
                    "its records are the same; their digests are not"
                };
                finding.told.explanation.push(why.to_owned());
            }
            return Vec::new();
        }
        let whole = file.change != Change::Changed;
        if whole && !(stands_alone(sides.view) && told.len() <= ALONE && is_plain(file)) {
            fold(finding, file, &told);
            return Vec::new();
        }
        // The graver records have their finding where there are too many for all.
        told.sort_by(|(a, x), (b, y)| b.severity.cmp(&a.severity).then_with(|| x.key.cmp(y.key)));
        let more = told.split_off(told.len().min(RECORDS));
        let mut out: Vec<Finding> = told.into_iter().map(|(said, pair)| of_record(file, said, pair)).collect();
        // The file's own finding has the digests of all that is in it, and of what was masked too.
        if more.is_empty() && may_hide(sides, &pairs) {
            let mut rest = finding.clone();
            rest.subject = file.subject.to_vec();
            rest.told.title = Some(one_line(&format!("{}: a masked value may differ too", escape(file.path))));
            out.push(rest);
        }
        if !more.is_empty() {
            let mut rest = finding.clone();
            rest.subject = file.subject.to_vec();
            rest.severity = more.iter().map(|(said, _)| said.severity).max().unwrap_or(rest.severity);
            rest.told.title = Some(one_line(&format!("{}: {} more records differ", escape(file.path), more.len())));
            out.push(rest);
        }
        out
    }
}

/// The record of a subject, in a list that is sorted by subject.
fn find<'a>(records: &'a [Record], subject: &[u8]) -> Option<RecordRef<'a>> {
    let at = records.binary_search_by(|record| record.subject().cmp(subject)).ok()?;
    records.get(at).map(Record::view)
}

/// Whether a text is the one that was hashed. One that was masked can't be held to its digest any more; it was before.
fn is_of(text: &[u8], viewed: &Viewed) -> bool {
    <[u8; 32]>::from(Sha256::digest(text)) == viewed.digest || is_masked(text)
}

/// Whether a record that is told nowhere may differ where it is masked. One that is told has the files' digests in its
/// fingerprint.
fn may_hide(sides: &Sides, pairs: &[Pair<'_>]) -> bool {
    let told: BTreeSet<&[u8]> = pairs.iter().map(|pair| pair.key).collect();
    let hides = |(key, value): (&[u8], &[u8])| (is_masked(key) || is_masked(value)) && !told.contains(key);
    sides.masked && (sides.before.iter().any(hides) || sides.after.iter().any(hides))
}

fn is_masked(text: &[u8]) -> bool {
    text.windows(MASKED.len()).any(|window| window == MASKED)
}

/// Why there is no text of the host.
fn absent(state: Option<TextState>, word: &str) -> String {
    match state {
        None | Some(TextState::Absent | TextState::Unread) => format!("the host gave no text of it as {word}"),
        Some(TextState::Whole) => format!("the text that the host gave of it as {word} is not what it had hashed"),
        Some(TextState::Cut) => format!("its text as {word} is too long to be told record by record"),
        Some(TextState::NotParsed) => format!("the host says that it can't be read as {word}"),
        Some(TextState::Secret) => format!("its text as {word} may not leave the host"),
    }
}

/// Whether nothing but its records makes a file worth a finding.
fn is_plain(file: &File<'_>) -> bool {
    file.after
        .or(file.before)
        .is_some_and(|record| record.kind() == Some(Kind::File) && record.mode().is_some_and(|mode| mode & 0o7022 == 0))
}

/// Tells the records of a new or lost file in the file's own finding.
fn fold(finding: &mut Finding, file: &File<'_>, told: &[(Said, &Pair<'_>)]) {
    const LISTED: usize = 20;
    let mut by_weight: Vec<&Said> = told.iter().map(|(said, _)| said).collect();
    by_weight.sort_by_key(|said| std::cmp::Reverse(said.severity));
    finding.severity = by_weight.first().map_or(finding.severity, |said| said.severity);
    if finding.told.title.is_none()
        && let Some(first) = by_weight.first().filter(|said| said.severity >= Severity::High)
    {
        let word = if file.change == Change::Added { "added" } else { "removed" };
        let more = by_weight.len() - 1;
        let tail = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let head = format!("{} {word}: ", escape(file.path));
        let room = line::MOST.saturating_sub(head.chars().count() + tail.len()).max(20);
        finding.told.title = Some(one_line(&format!("{head}{}{tail}", elide(&first.title, room))));
    }
    finding.told.explanation.extend(by_weight.iter().take(LISTED).map(|said| one_line(&said.title)));
    if by_weight.len() > LISTED {
        finding.told.explanation.push(format!("and {} more records", by_weight.len() - LISTED));
    }
}

/// The finding of one record.
fn of_record(file: &File<'_>, said: Said, pair: &Pair<'_>) -> Finding {
    let subject = subject(file.path, pair.key);
    let (before, after) = (side(&subject, &pair.before), side(&subject, &pair.after));
    let (before, after) = (before.as_deref().and_then(parsed), after.as_deref().and_then(parsed));
    let shown = |side: Option<RecordRef<'_>>| {
        let mut shown = attributes(side, &[Attr::Text]);
        for (_, text) in &mut shown.0 {
            *text = elide(text, SHOWN);
        }
        shown
    };
    Finding {
        code: said.code,
        change: pair.change(),
        severity: said.severity,
        fingerprint: fingerprint_of_record(fingerprint(said.code, &subject, before, after, &[Attr::Text]), file, pair),
        key: key(said.code, &subject),
        before: shown(before),
        after: shown(after),
        told: Told { title: Some(one_line(&said.title)), explanation: said.explanation, ..Told::default() },
        cause: None,
        waiver: None,
        subject,
    }
}

/// A record that holds what was masked has another fingerprint where the bytes of its file are others: who waived the one
/// has not seen the other.
fn fingerprint_of_record(plain: Digest, file: &File<'_>, pair: &Pair<'_>) -> Digest {
    if !(is_masked(pair.key) || pair.before.iter().chain(&pair.after).any(|value| is_masked(value))) {
        return plain;
    }
    let mut bytes = plain.to_vec();
    for side in [file.before, file.after] {
        put_string(&mut bytes, side.and_then(|record| record.present(Attr::View)).unwrap_or_default());
    }
    Sha256::new().chain_update(b"driftscan.fingerprint.masked.1\0").chain_update(bytes).finalize().into()
}

/// `record:PATH#KEY`, the key as the view's text writes it; one that is too long for a subject is cut and has its digest.
fn subject(path: &[u8], key: &[u8]) -> Vec<u8> {
    const MOST: usize = 1_024;
    let room = SUBJECT_MAX.saturating_sub(path.len() + 128).min(MOST);
    let mut out = [&b"record:"[..], path, b"#"].concat();
    let mut escaped = Vec::new();
    escape_field(key, &mut escaped);
    if escaped.len() > room {
        escaped.truncate(room);
        escaped.extend_from_slice(b"...sha256:");
        escaped.extend_from_slice(hex(&Sha256::digest(key)).as_bytes());
    }
    out.append(&mut escaped);
    out
}

/// One side of a record as a record of its own, encoded.
fn side(subject: &[u8], values: &[&[u8]]) -> Option<Vec<u8>> {
    const MOST: usize = 16 << 10;
    if values.is_empty() {
        return None;
    }
    let mut text = values.join(&b"\n"[..]);
    if text.len() > MOST {
        // What is too long for a record still has a fingerprint of its own.
        let digest = hex(&Sha256::digest(&text));
        text.truncate(MOST);
        text.extend_from_slice(b" ... sha256:");
        text.extend_from_slice(digest.as_bytes());
    }
    let mut encoded = Vec::new();
    RecordWriter::new(&mut encoded, subject).present(Attr::Text, &text);
    Some(encoded)
}

fn parsed(encoded: &[u8]) -> Option<RecordRef<'_>> {
    RecordRef::parse(encoded).ok()
}

/// A title that fits, whatever it was made of.
fn one_line(title: &str) -> String {
    let clean: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    elide(&clean, line::MOST)
}

#[cfg(test)]
mod tests;
