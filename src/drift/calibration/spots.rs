//! One place that differs somewhere: what stands there on each machine, and what becomes of it.
//!
//! *Invariant:* a sibling without a difference at a place has what the golden machine has.

use super::classes::{self, Known};
use super::{Sibling, never};
use crate::manifest::NoiseClass;
use crate::model::finding::attr_name;
use crate::policy::Treatment;
use crate::protocol::view::View;
use crate::protocol::{Attr, Kind, Record, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A place that differs.
#[derive(Debug, Default)]
pub(super) struct Spot<'a> {
    golden: Option<&'a Record>,
    /// By number of the sibling, only where it differs.
    others: BTreeMap<usize, Option<&'a Record>>,
    racing: bool,
}

/// Everything that differs somewhere, by subject.
pub(super) fn gather(siblings: &[Sibling]) -> BTreeMap<Vec<u8>, Spot<'_>> {
    let mut spots: BTreeMap<Vec<u8>, Spot<'_>> = BTreeMap::new();
    for (at, sibling) in siblings.iter().enumerate() {
        for record in &sibling.difference.removed {
            let spot = spots.entry(record.subject().to_vec()).or_default();
            spot.golden = Some(record);
            spot.others.entry(at).or_insert(None);
        }
        for record in &sibling.difference.added {
            spots.entry(record.subject().to_vec()).or_default().others.insert(at, Some(record));
        }
        for path in &sibling.racing {
            let spot = spots.entry([b"fs:", &path[..]].concat()).or_default();
            spot.racing = true;
            spot.others.entry(at).or_insert(None);
        }
    }
    spots
}

/// What becomes of a place.
#[derive(Debug)]
pub(super) enum Fate {
    /// A rule.
    Learned(Lesson),
    /// Nothing known explains it.
    Unexplained,
    /// It is never learned, for this reason.
    Shown(String),
}

/// What is learned of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lesson {
    pub(super) class: NoiseClass,
    pub(super) treatment: Treatment,
    pub(super) view: Option<View>,
    pub(super) unique: bool,
    pub(super) reason: &'static str,
}

/// Decides.
pub(super) fn fate(subject: &[u8], spot: &Spot<'_>, same_text: &BTreeSet<Vec<u8>>) -> Fate {
    let Some(path) = subject.strip_prefix(b"fs:") else {
        return Fate::Shown("siblings of one template have the same packages, facts and mounts".to_owned());
    };
    let never = never::by_path(path).or_else(|| spot.records().find_map(never::by_record));
    if let Some(what) = never {
        return Fate::Shown(format!("never learned: {what}"));
    }
    if !spot.is_content() && !spot.comes_and_goes() {
        return Fate::Shown(format!("never learned: another {}", spot.what()));
    }
    if let Some(known) = known(path, spot) {
        if spot.is_content() {
            return Fate::Learned(Lesson {
                class: known.class,
                treatment: known.treatment,
                view: known.view,
                unique: known.unique,
                reason: known.reason,
            });
        }
        if known.comes_and_goes {
            // What is not everywhere can't be held to any attribute: nothing weaker than this will do.
            return Fate::Learned(Lesson {
                class: known.class,
                treatment: Treatment::Ignore,
                view: None,
                unique: false,
                reason: known.reason,
            });
        }
        return Fate::Shown(format!("{} is not on every machine", known.class.word()));
    }
    if spot.is_content() && same_text.contains(path) {
        return Fate::Learned(Lesson {
            class: NoiseClass::HostValues,
            treatment: Treatment::HostValue,
            view: Some(View::HostText),
            unique: false,
            reason: "names its host, and is the same on every sibling once that is put back",
        });
    }
    Fate::Unexplained
}

/// The class of a place; a folder deep enough that comes and goes is of the class of what would be in it.
fn known(path: &[u8], spot: &Spot<'_>) -> Option<&'static Known> {
    classes::of(path).or_else(|| {
        let folder = spot.records().all(|record| record.view().kind() == Some(Kind::Directory));
        let deep = path.split(|b| *b == b'/').count() > 3;
        let inside = folder && deep && spot.comes_and_goes();
        inside.then(|| classes::of(&[path, b"/x"].concat())).flatten()
    })
}

impl<'a> Spot<'a> {
    /// What stands there on the machines that differ, the golden one included.
    pub(super) fn records(&self) -> impl Iterator<Item = &'a Record> {
        self.golden.into_iter().chain(self.others.values().copied().flatten())
    }

    /// Whether it is there on some machines only.
    pub(super) fn comes_and_goes(&self) -> bool {
        !self.racing && (self.golden.is_none() || self.others.values().any(Option::is_none))
    }

    /// Whether it is a regular file everywhere that has other bytes, and nothing else differs.
    pub(super) fn is_content(&self) -> bool {
        if self.racing {
            return self.records().all(|record| record.view().kind() == Some(Kind::File));
        }
        let file = |record: &Record| record.view().kind() == Some(Kind::File);
        !self.comes_and_goes()
            && self.records().all(file)
            && self.attrs().iter().all(|attr| matches!(attr, Attr::Size | Attr::Content | Attr::View))
    }

    /// The attributes that differ somewhere, as far as they were read.
    fn attrs(&self) -> Vec<Attr> {
        let Some(golden) = self.golden else { return Vec::new() };
        let differs = |attr: &Attr| {
            self.others.values().copied().flatten().any(|other| {
                let (ours, theirs) = (golden.view().attr(*attr), other.view().attr(*attr));
                let unread = |value: Option<Value<'_>>| matches!(value, Some(Value::Unread(_)));
                ours != theirs && !unread(ours) && !unread(theirs)
            })
        };
        Attr::ALL.into_iter().filter(differs).collect()
    }

    /// In which way it differs, for a person.
    pub(super) fn what(&self) -> String {
        if self.racing {
            return "content, while it was read".to_owned();
        }
        if self.comes_and_goes() {
            return if self.golden.is_none() { "not on the golden machine" } else { "not on every sibling" }.to_owned();
        }
        let mut words: Vec<&str> = self.attrs().into_iter().map(attr_name).collect();
        if words.contains(&"content") {
            words.retain(|word| *word != "size");
        }
        words.join(", ")
    }

    /// The siblings on which it is other than on the golden machine.
    pub(super) fn hosts(&self, siblings: &[Sibling]) -> Vec<String> {
        let mut hosts: Vec<String> =
            self.others.keys().filter_map(|at| Some(siblings.get(*at)?.name.clone())).collect();
        hosts.sort();
        hosts
    }

    /// The content on each machine: `None` is the golden one.
    pub(super) fn values(&self, siblings: usize) -> Vec<(Option<usize>, Option<Vec<u8>>)> {
        let content =
            |record: Option<&Record>| record.and_then(|r| r.view().present(Attr::Content)).map(<[u8]>::to_vec);
        let golden = content(self.golden);
        let of = |at: usize| self.others.get(&at).map_or_else(|| golden.clone(), |record| content(*record));
        let others = (0..siblings).map(|at| (Some(at), of(at)));
        std::iter::once((None, golden.clone())).chain(others).collect()
    }

    /// The file type, where it is one everywhere.
    pub(super) fn kind(&self) -> Option<Kind> {
        let kind = self.records().next()?.view().kind()?;
        self.records().all(|record| record.view().kind() == Some(kind)).then_some(kind)
    }
}
