//! A baseline seen through today's policy: what a host that is undrifted would answer.
//!
//! *Invariant:* the same rules with the same code as on the host; whatever the policy asks and the capture left out is an
//! error that says "recapture", never a silent gap.

use super::baseline::{Baseline, Header};
use super::overlap::overlap;
use crate::model::text::{escape, hex};
use crate::protocol::System;
use crate::protocol::record::RecordWriter;
use crate::protocol::rule::Facts;
use crate::protocol::view::{VERSION, Viewed};
use crate::protocol::{
    Attr, Digest, Id, Kind, Mask, Pattern, Record, RecordRef, RuleSet, Salt, SecretKey, Value, View, digest,
};
use std::collections::HashMap;
use thiserror::Error;

/// The policy compares what the capture left out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Recapture {
    /// A scope that was not walked.
    #[error(
        "the policy's scope {scope} is wider than the capture's; capture the golden machine again with this policy"
    )]
    Scope {
        /// The scope, escaped.
        scope: String,
    },
    /// Content or size that was left out.
    #[error(
        "the policy compares the content of {path}, which the capture left out; capture the golden machine again with this policy"
    )]
    Content {
        /// The path, escaped.
        path: String,
    },
    /// Keyed digests of another key, or none to make them with.
    #[error(
        "its secrets were digested with the key {captured}, and {ours}; give the file of that key with --secret-key, or \
         capture the golden machine again with this policy"
    )]
    Key {
        /// The id of the capture's key.
        captured: String,
        /// What the controller has: "the key here is 01020304".
        ours: String,
    },
    /// A view that the capture did not take, or took in another version.
    #[error(
        "the policy compares {path} by the view {view}, which the capture does not hold in this version; capture the golden \
         machine again with this policy"
    )]
    View {
        /// The path, escaped.
        path: String,
        /// The view.
        view: &'static str,
    },
    /// A scope of which nothing is compared.
    #[error(
        "the policy compares nothing of the baseline below {scope}, and every host would be clean there; mend its rules or \
         roots"
    )]
    Nothing {
        /// The scope, escaped.
        scope: String,
    },
    /// Content that was above the size cap then and is not now, or the other way round.
    #[error(
        "the policy's [limits] file_bytes is another than the capture's, and {path} of {size} bytes lies between; capture the \
         golden machine again with this policy"
    )]
    Oversize {
        /// The path, escaped.
        path: String,
        /// Its size.
        size: u64,
    },
    /// Paths that were left out.
    #[error(
        "the policy compares {pattern}, which the capture left out; capture the golden machine again with this policy"
    )]
    Ignored {
        /// The capture's rule.
        pattern: String,
    },
}

/// The projected set.
#[derive(Debug, Clone)]
pub struct ProjectedSet {
    /// Projected records, in ascending order of their subjects.
    pub records: Vec<Record>,
    /// For each record the number of the rule that decided; `u16::MAX` where none did.
    pub rulings: Vec<u16>,
    digests: Vec<Digest>,
    owners: Owners,
    set: Digest,
    systems: u8,
    bytes: u64,
}

impl ProjectedSet {
    /// Projects a baseline. `live` says whether kernel and mounts are part of the comparison; `witness` gives a path that
    /// a pattern matches. `file_bytes` is the size cap under which hosts will be read, where there is one.
    ///
    /// # Errors
    /// [`Recapture`], where the capture can't serve this policy.
    pub fn new(
        baseline: &Baseline,
        rules: &RuleSet,
        scopes: &[Vec<u8>],
        live: bool,
        file_bytes: Option<u64>,
        witness: &dyn Fn(&Pattern) -> Vec<u8>,
    ) -> Result<Self, Recapture> {
        let header = &baseline.header;
        if let Some(scope) = scopes.iter().find(|scope| !within(scope, &header.scopes)) {
            return Err(Recapture::Scope { scope: escape(scope) });
        }
        left_out(&header.rules, rules, witness)?;
        let mut compared: Vec<(RecordRef<'_>, Mask)> = Vec::new();
        let mut rulings = Vec::new();
        let mut cursor = rules.cursor();
        for record in &baseline.records {
            let view = record.view();
            if !asked(view, scopes, live) {
                continue;
            }
            let (rule, mask) = cursor.ruling(view);
            if mask == Mask::NONE {
                continue;
            }
            rulings.push(rule);
            if mask.has(Attr::Content) && view.kind() == Some(Kind::File) && view.attr(Attr::Content).is_none() {
                return Err(Recapture::Content { path: escape(view.path().unwrap_or_default()) });
            }
            if mask.has(Attr::View)
                && view.kind() == Some(Kind::File)
                && let Some(wanted) = rules.view_of(rule)
                && !holds(view, wanted)
            {
                let path = escape(view.path().unwrap_or_default());
                return Err(Recapture::View { path, view: wanted.word() });
            }
            if mask.has(Attr::Content)
                && let (Some(most), Some(size), Some(content)) = (file_bytes, view.size(), view.attr(Attr::Content))
                && (content == Value::Oversize) != (size > most)
            {
                return Err(Recapture::Oversize { path: escape(view.path().unwrap_or_default()), size });
            }
            compared.push((view, mask));
        }
        let groups = link_groups(&compared);
        let (mut owners, mut known) = (Owners::default(), HashMap::new());
        let mut records = Vec::with_capacity(compared.len());
        let mut encoded = Vec::new();
        for (view, mask) in compared {
            encoded.clear();
            project(view, mask, &groups, &mut encoded);
            owners.put(view, &mut known);
            // A projection of a record is a record.
            if let Ok(record) = Record::parse(&encoded) {
                records.push(record);
            }
        }
        let digests: Vec<Digest> = records.iter().map(|record| digest::of_record(record.view().encoded())).collect();
        let set = set_of(&digests);
        let system = |record: &Record| System::of(record.subject()).map_or(0, |(system, _, _)| system.bit());
        let systems = records.iter().map(system).fold(0, |all, bit| all | bit);
        let bytes = records.iter().map(|record| record.view().encoded().len() as u64).sum();
        Ok(Self { records, rulings, digests, owners, set, systems, bytes })
    }

    /// The digest of the whole set.
    #[must_use]
    pub fn set(&self) -> &Digest {
        &self.set
    }

    /// The package that a path of the golden machine belonged to, where the capture asked.
    #[must_use]
    pub fn owner(&self, path: &[u8]) -> Option<&[u8]> {
        let at = self.records.binary_search_by(|record| record.subject().cmp(&[b"fs:", path].concat())).ok()?;
        let number = *self.owners.of.get(at)?;
        self.owners.names.get(usize::try_from(number).ok()?).map(Vec::as_slice)
    }

    /// Whether a package of this system is among the records.
    #[must_use]
    pub fn has(&self, system: System) -> bool {
        self.systems & system.bit() != 0
    }

    /// How many bytes the records take, encoded.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest of each record.
    #[must_use]
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Ids of one run with the number of their record, ascending by id.
    #[must_use]
    pub fn ids(&self, salt: &Salt) -> Vec<(Id, u32)> {
        let mut ids: Vec<(Id, u32)> = (0u32..).zip(&self.digests).map(|(at, d)| (digest::id(salt, d), at)).collect();
        ids.sort_unstable();
        ids
    }
}

/// Refuses keyed digests that were made with another key than the controller's: every secret would differ.
///
/// # Errors
/// [`Recapture::Key`].
pub fn same_key(header: &Header, rules: &RuleSet, key: Option<&SecretKey>) -> Result<(), Recapture> {
    let ours = key.map(SecretKey::id);
    match header.key.filter(|captured| rules.is_keyed() && ours != Some(*captured)) {
        Some(captured) => Err(Recapture::Key {
            captured: hex(&captured),
            ours: ours.map_or_else(|| "there is none here".to_owned(), |id| format!("the key here is {}", hex(&id))),
        }),
        None => Ok(()),
    }
}

/// Whether a record holds the value of a view as this version would make it.
fn holds(record: RecordRef<'_>, wanted: View) -> bool {
    match record.attr(Attr::View) {
        Some(Value::Present(bytes)) => {
            Viewed::decode(bytes).is_some_and(|viewed| viewed.view == wanted && viewed.version == VERSION)
        }
        Some(Value::Oversize) => true,
        Some(Value::Unread(_)) | None => false,
    }
}

/// Packages of paths, each name kept once: a machine has thousands of files for each.
#[derive(Debug, Clone, Default)]
struct Owners {
    /// For each record the number of its package's name; past the end where it has none.
    of: Vec<u32>,
    names: Vec<Vec<u8>>,
}

impl Owners {
    fn put<'a>(&mut self, record: RecordRef<'a>, known: &mut HashMap<&'a [u8], u32>) {
        let Some(name) = record.present(Attr::Package) else {
            self.of.push(u32::MAX);
            return;
        };
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *known.entry(name).or_insert(next);
        if number == next {
            self.names.push(name.to_vec());
        }
        self.of.push(number);
    }
}

/// For each group of hard links, by the name that the capture gave it: its first path that is compared, and how many
/// there are.
type LinkGroups<'a> = HashMap<&'a [u8], (&'a [u8], usize)>;

/// The capture named a group by its first path in *its* scope and rules; today's may leave that path out.
fn link_groups<'a>(compared: &[(RecordRef<'a>, Mask)]) -> LinkGroups<'a> {
    let mut groups = LinkGroups::new();
    for (record, mask) in compared {
        if let (true, Some(name), Some(path)) = (mask.has(Attr::Link), record.present(Attr::Link), record.path()) {
            // Records ascend by path, so the first that comes is the first there is.
            groups.entry(name).or_insert((path, 0)).1 += 1;
        }
    }
    groups
}

/// The record as a host would send it: a group of one name is none.
fn project(record: RecordRef<'_>, mask: Mask, groups: &LinkGroups<'_>, out: &mut Vec<u8>) {
    let mut writer = RecordWriter::new(out, record.subject());
    for (attr, value) in record.attrs().filter(|(attr, _)| mask.has(*attr)) {
        match (attr, value) {
            (Attr::Link, Value::Present(name)) => match groups.get(name) {
                Some((first, names)) if *names > 1 => writer.present(attr, first),
                Some(_) | None => {}
            },
            _ => writer.put(attr, value),
        }
    }
}

/// The digest of a set from digests in any order.
#[must_use]
pub fn set_of(digests: &[Digest]) -> Digest {
    let mut sorted: Vec<&Digest> = digests.iter().collect();
    sorted.sort_unstable();
    digest::of_set(sorted)
}

/// Whether a record takes part: its path is in a scope, and what only a running system has is there on both sides.
fn asked(record: RecordRef<'_>, scopes: &[Vec<u8>], live: bool) -> bool {
    let subject = record.subject();
    if !live && (subject.starts_with(b"mount:") || matches!(subject, b"fact:arch") || is_of_kernel(subject)) {
        return false;
    }
    let path = record.path().or_else(|| subject.strip_prefix(b"mount:"));
    path.is_none_or(|path| within(path, scopes))
}

/// Whether a fact is of a running kernel.
fn is_of_kernel(subject: &[u8]) -> bool {
    subject == b"fact:kernel" || is_of_settings(subject)
}

/// Whether a fact is a setting of a running kernel.
pub(crate) fn is_of_settings(subject: &[u8]) -> bool {
    subject == b"fact:cmdline" || subject.starts_with(b"fact:sysctl.") || subject.starts_with(b"fact:modules.")
}

/// Whether a path is one of the scopes or below one.
fn within(path: &[u8], scopes: &[Vec<u8>]) -> bool {
    scopes.iter().any(|scope| {
        scope == b"/"
            || path.strip_prefix(scope.as_slice()).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    })
}

/// Tries sample paths against the rules of then and of now: one of each rule by which the capture left something out,
/// and one that it shares with each rule by which something is compared today.
fn left_out(captured: &RuleSet, today: &RuleSet, witness: &dyn Fn(&Pattern) -> Vec<u8>) -> Result<(), Recapture> {
    if captured == today {
        return Ok(());
    }
    let (captured_all, today_all) = (captured.all(), today.all());
    let gap = |sample: &[u8]| {
        sorts().any(|facts| {
            let then = captured.decide(&captured_all, sample, facts, &mut || false).1;
            let now = today.decide(&today_all, sample, facts, &mut || false).1;
            then == Mask::NONE && now != Mask::NONE
        })
    };
    for rule in captured.rules().iter().filter(|rule| rule.mask == Mask::NONE) {
        let compares = today.rules().iter().filter(|rule| rule.mask != Mask::NONE);
        let mut samples = std::iter::once(witness(&rule.pattern))
            .chain(compares.filter_map(|other| overlap(&rule.pattern, &other.pattern)));
        if samples.any(|sample| gap(&sample)) {
            return Err(Recapture::Ignored { pattern: escape(rule.pattern.text()) });
        }
    }
    Ok(())
}

/// What a rule may ask of an entry beside its path.
fn sorts() -> impl Iterator<Item = Facts> {
    let kinds = Kind::ALL.into_iter().map(|kind| Facts { kind, mode: 0o644 });
    kinds.chain([0o755, 0o4755].map(|mode| Facts { kind: Kind::File, mode }))
}
