//! What a host that differs is asked besides, so that its findings can be explained, and what it answered.
//!
//! *Invariant:* an answer explains and never decides: no answer makes a host clean, and a host that gives none has the
//! same findings with fewer words.

use super::reference::{Difference, Reference};
use crate::policy::Policy;
use crate::protocol::Kind;
use crate::protocol::reply::{Owned, Text};
use crate::protocol::request::{PATHS_MAX, Want};
use std::collections::BTreeMap;

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
}

/// What explains a difference under a policy.
#[must_use]
pub fn questions(difference: &Difference, selected: &Reference, policy: &Policy) -> Questions {
    let _ = policy;
    Questions { owners: owners(difference, selected), ..Questions::default() }
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
