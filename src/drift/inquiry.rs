//! What a host that differs is asked besides, so that its findings can be explained, and what it answered.
//!
//! *Invariant:* an answer explains and never decides: no answer makes a host clean, and a host that gives none has the
//! same findings with fewer words. Texts are masked before anything reads them.

use super::history;
use super::mask;
use super::reference::{Difference, Reference};
use crate::manifest::texts::CONTENT_MAX;
use crate::policy::Policy;
use crate::protocol::reply::{Owned, Text, TextState};
use crate::protocol::request::{PATHS_MAX, Want};
use crate::protocol::usage::Usage;
use crate::protocol::view::{Form, Viewed};
use crate::protocol::{Attr, Kind, Record, RecordRef, View};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The most texts that one host is asked for.
pub const TEXTS_MAX: usize = 2_000;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questions {
    /// Texts of files, ascending.
    pub texts: Vec<(Vec<u8>, Want)>,
    /// Paths whose packages are asked for, ascending.
    pub owners: Vec<Vec<u8>>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// Texts, by path and want.
    pub texts: BTreeMap<(Vec<u8>, Want), Text>,
    /// What the package databases say, by path.
    pub owners: BTreeMap<Vec<u8>, Owned>,
    /// How much stands at places that may hold state, by path; nothing where nobody looked.
    pub usage: Option<BTreeMap<Vec<u8>, Usage>>,
}

impl Answers {
    /// The masked text of a view, where it came whole.
    #[must_use]
    pub fn of_view(&self, path: &[u8], view: View) -> Option<&[u8]> {
        let text = self.texts.get(&(path.to_vec(), Want::View(view)))?;
        (text.state == TextState::Whole).then_some(text.bytes.as_slice())
    }

    /// Drops texts that are not those of the digests that differ, and masks what is left. A host whose records say one
    /// thing and whose texts another gets no sentence made of them.
    pub fn hold_to(&mut self, difference: &Difference) {
        let after: BTreeMap<&[u8], &Record> =
            difference.added.iter().filter_map(|record| Some((record.view().path()?, record))).collect();
        self.texts.retain(|(path, want), text| {
            let same = after.get(path.as_slice()).is_none_or(|record| {
                text.state != TextState::Whole || proof(record.view(), *want, text) != Proof::Another
            });
            text.bytes = mask::of_want(*want, &text.bytes);
            same
        });
    }
}

/// Whether a text is that of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// It has the record's digest.
    Same,
    /// It has not.
    Another,
    /// The record has no digest of this text.
    None,
}

/// Holds a whole text, as it came, to its record.
pub(super) fn proof(record: RecordRef<'_>, want: Want, text: &Text) -> Proof {
    let digest = match want {
        Want::View(view) => {
            let viewed = record.present(Attr::View).and_then(Viewed::decode);
            viewed.filter(|viewed| viewed.view == view && viewed.form == Form::Parsed).map(|viewed| viewed.digest)
        }
        Want::Head(_) => record.present(Attr::Content).and_then(|digest| digest.try_into().ok()),
        Want::Tail(_) | Want::Stat => None,
    };
    match digest {
        None => Proof::None,
        Some(digest) if Sha256::digest(&text.bytes)[..] == digest => Proof::Same,
        Some(_) => Proof::Another,
    }
}

/// Whether a view has a text to tell: its file was parsed, and it is no digest of a secret.
pub(super) fn is_told(viewed: &Viewed) -> bool {
    viewed.form == Form::Parsed && viewed.view != View::Keyed
}

/// How a content is asked for.
pub(super) fn head() -> Want {
    Want::Head(u32::try_from(CONTENT_MAX).unwrap_or(u32::MAX))
}

/// What explains a difference under a policy.
#[must_use]
pub fn questions(difference: &Difference, selected: &Reference, policy: &Policy) -> Questions {
    let mut texts = texts(difference, policy);
    logs(difference, &mut texts);
    texts.sort();
    texts.dedup();
    Questions { texts, owners: owners(difference, selected) }
}

/// The texts of every file that differs: of its view, and its content where the policy shows it.
fn texts(difference: &Difference, policy: &Policy) -> Vec<(Vec<u8>, Want)> {
    let mut texts = Vec::new();
    for record in &difference.added {
        let view = record.view();
        let Some(path) = view.path().filter(|_| view.kind() == Some(Kind::File)) else { continue };
        let subject = record.subject();
        let before = difference.removed.binary_search_by(|record| record.subject().cmp(subject));
        let before = before.ok().and_then(|at| difference.removed.get(at)).map(Record::view);
        let is_other = |attr| before.is_none_or(|before| before.attr(attr) != view.attr(attr));
        let viewed = view.present(Attr::View).and_then(Viewed::decode).filter(|_| is_other(Attr::View));
        let is_content = viewed.is_some() || view.present(Attr::Content).is_some() && is_other(Attr::Content);
        if let Some(viewed) = viewed.filter(is_told) {
            texts.push((path.to_vec(), Want::View(viewed.view)));
        }
        if is_content && policy.shows(path) {
            texts.push((path.to_vec(), head()));
        }
    }
    texts.truncate(TEXTS_MAX);
    texts
}

/// Paths whose packages are asked for: what differs, and of what is gone that which a package had. Folders come last
/// where there is no room for all: a package proves nothing of them.
fn owners(difference: &Difference, selected: &Reference) -> Vec<Vec<u8>> {
    let mut wanted = BTreeMap::new();
    for record in &difference.removed {
        if let Some(path) = record.view().path().filter(|path| selected.set.set.owner(path).is_some()) {
            wanted.insert(path, record.view().kind());
        }
    }
    for record in &difference.added {
        if let Some(path) = record.view().path() {
            wanted.insert(path, record.view().kind());
        }
    }
    let of = |kind: Option<Kind>, folders: bool| match kind {
        Some(Kind::File | Kind::Symlink) => !folders,
        Some(Kind::Directory) => folders,
        Some(Kind::Fifo | Kind::Socket | Kind::Block | Kind::Char) | None => false,
    };
    let some =
        |folders: bool| wanted.iter().filter(move |(_, kind)| of(**kind, folders)).map(|(path, _)| path.to_vec());
    let mut owners: Vec<Vec<u8>> = some(false).chain(some(true)).take(PATHS_MAX).collect();
    owners.sort_unstable();
    owners
}

/// What tells how it came to be: the ends of logs, the times of what differs, and traces of configuration management.
fn logs(difference: &Difference, texts: &mut Vec<(Vec<u8>, Want)>) {
    texts.extend(history::LOGS.iter().map(|(path, most)| (path.as_bytes().to_vec(), Want::Tail(*most))));
    let paths = difference.added.iter().filter_map(|record| record.view().path());
    texts.extend(paths.take(history::STATS).map(|path| (path.to_vec(), Want::Stat)));
    texts.extend(history::traces_asked());
}
