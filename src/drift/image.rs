//! What os-release says of the image that a host was made from: it names the version to compare with, and where it and the
//! content disagree, that is a finding.
//!
//! *Invariant:* a word of the host chooses among approved versions of its own template and nothing else. A host that names a
//! version may be told other findings than against its nearest one, never fewer than one: the disagreement itself is drift.
//! Nothing is held against a host of which its golden machine's word is not known.

use super::describe::{fingerprint, key};
use super::meaning::elide;
use super::reference::{Difference, Reference};
use super::versions::find;
use crate::model::{Attributes, Change, Code, Finding, Image, Severity, Told};
use crate::protocol::record::RecordWriter;
use crate::protocol::{Attr, Record, RecordRef};

/// Where os-release is; the first one that is a file counts, as for those that read it.
const PLACES: [&[u8]; 2] = [b"fs:/etc/os-release", b"fs:/usr/lib/os-release"];
/// The most characters of a host's word in a title.
const SHOWN: usize = 40;
/// The most characters of a title.
const TITLE: usize = 150;

/// The digest of os-release's content, as far as it is compared.
pub type Release<'a> = Option<&'a [u8]>;

/// The os-release of a version, or of a host that differs in this from it.
#[must_use]
pub fn release<'a>(reference: &'a Reference, difference: Option<&'a Difference>) -> Release<'a> {
    let among = |records: &'a [Record], subject: &[u8]| {
        records.binary_search_by(|record| record.subject().cmp(subject)).ok().and_then(|at| records.get(at))
    };
    let record = |subject: &[u8]| {
        let own = difference.and_then(|difference| among(&difference.added, subject));
        let gone = difference.is_some_and(|difference| among(&difference.removed, subject).is_some());
        own.or_else(|| find(reference, subject).filter(|_| !gone))
    };
    let content = |record: RecordRef<'a>| record.present(Attr::Content).or_else(|| record.present(Attr::View));
    PLACES.into_iter().find_map(|place| content(record(place)?.view()))
}

/// The words of a version's golden machine, as far as they are known, against those of a host.
struct Golden<'a> {
    reference: &'a Reference,
    /// Whether the host's os-release is that of the version; nothing where it is not compared.
    same: Option<bool>,
}

impl<'a> Golden<'a> {
    fn new(reference: &'a Reference, host: Release<'_>) -> Self {
        let own = release(reference, None);
        Self { reference, same: own.or(host).map(|_| own == host) }
    }

    /// A word by the baseline, else by os-release being the host's own, else by the baseline's name.
    fn word<'b>(&self, captured: Option<&'b String>, host: &'b str, label: &'b str) -> Option<&'b str> {
        match (captured, self.same) {
            (Some(word), _) => Some(word),
            (None, Some(true)) => Some(host),
            (None, Some(false)) => Some(label),
            (None, None) => None,
        }
    }

    fn id<'b>(&'b self, host: &'b str) -> Option<&'b str> {
        self.word(self.reference.image.id.as_ref(), host, &self.reference.label.template)
    }

    fn version<'b>(&'b self, host: &'b str) -> Option<&'b str> {
        self.word(self.reference.image.version.as_ref(), host, &self.reference.label.version)
    }

    /// Whether the host's words are those of this version.
    fn is_named(&self, image: &Image) -> bool {
        let same_id = image.id.as_deref().is_none_or(|id| self.id(id) == Some(id));
        same_id && image.version.as_deref().is_some_and(|version| self.version(version) == Some(version))
    }
}

/// Whether a host with this os-release says that it is of this version.
#[must_use]
pub fn names(reference: &Reference, image: &Image, host: Release<'_>) -> bool {
    Golden::new(reference, host).is_named(image)
}

/// How a host's content stands to the versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    /// The version that it is compared with.
    pub(super) at: usize,
    /// The version that it is nearest to, which it equals where it equals one.
    pub(super) nearest: usize,
    /// What it does not share with the version that it is compared with; nothing where it equals that.
    pub(super) difference: Option<&'a Difference>,
}

/// Where os-release and the content disagree.
pub(super) fn disagreements(references: &[Reference], image: &Image, standing: Standing<'_>) -> Vec<Finding> {
    let Some(reference) = references.get(standing.at) else { return Vec::new() };
    let host = release(reference, standing.difference);
    let golden = Golden::new(reference, host);
    let label = &reference.label;
    let mut findings = Vec::new();
    if let Some(id) = image.id.as_deref()
        && let Some(word) = golden.id(id).filter(|word| *word != id)
    {
        let title = format!("os-release says image {}, and {label} is of image {}", shown(id), shown(word));
        let why = "It says that it was made from the image of another template; if it is right, it stands in the wrong group.";
        findings.push(finding("id", Severity::High, [word, id], &title, why));
    }
    let Some(version) = image.version.as_deref() else { return findings };
    let said = format!("os-release says image version {}", shown(version));
    match golden.version(version) {
        Some(word) if word != version => {
            let known = references.iter().find(|other| names(other, image, host));
            let (severity, title, why) = match known {
                Some(other) => (
                    Severity::High,
                    match standing.difference {
                        None => format!("{said}, and the content is that of {label}"),
                        Some(_) => format!("{said}, and the content is nearer to {label}"),
                    },
                    format!("{} is the version that it names.", other.label),
                ),
                None => (
                    Severity::Info,
                    format!("{said}, which is none of the versions of {} here", label.template),
                    format!("It is compared with {label}. Capture a baseline of the image that it was made from."),
                ),
            };
            findings.push(finding("version", severity, [word, version], &title, &why));
        }
        Some(_) | None => {
            if let Some(nearest) = references.get(standing.nearest).filter(|_| standing.nearest != standing.at) {
                let title = format!("{said}, and the content is nearer to {}", nearest.label);
                let why = format!("It is compared with {label}, because os-release names it.");
                let sides = [nearest.label.version.as_str(), version];
                findings.push(finding("version", Severity::High, sides, &title, &why));
            }
        }
    }
    findings
}

fn shown(word: &str) -> String {
    elide(word, SHOWN)
}

/// The same for every host of which the same is true, so that they fold into one row.
fn finding(field: &str, severity: Severity, sides: [&str; 2], title: &str, why: &str) -> Finding {
    let code = Code::ImageMismatch;
    let subject = format!("fact:image.{field}").into_bytes();
    let side = |text: &str| {
        let mut encoded = Vec::new();
        RecordWriter::new(&mut encoded, &subject).present(Attr::Text, text.as_bytes());
        Record::parse(&encoded).ok()
    };
    let [before, after] = sides.map(side);
    let views = [&before, &after].map(|record| record.as_ref().map(Record::view));
    // The words were escaped when they were read.
    let shown = sides.map(|word| Attributes(vec![(Attr::Text, word.to_owned())]));
    let [before, after] = shown;
    Finding {
        code,
        change: Change::Changed,
        severity,
        fingerprint: fingerprint(code, &subject, views[0], views[1], &[Attr::Text]),
        key: key(code, &subject),
        before,
        after,
        told: Told { title: Some(elide(title, TITLE)), explanation: vec![why.to_owned()], ..Told::default() },
        cause: None,
        waiver: None,
        subject,
    }
}
