//! Which files may be opened by their path.
//!
//! A program that is given a path follows whatever stands there when it opens it. Only where nobody else can put another
//! thing there meanwhile is that the file that was listed: every folder above it belongs to root (or to the account that
//! scans) and nobody else may write to it. A sticky folder that others may write to protects what is root's own in it.
//!
//! *Invariant:* what was not seen is not trusted.

use super::listing::Stat;
use std::collections::HashMap;

/// What is known of paths, by their place on the host.
#[derive(Debug, Default)]
pub(super) struct Trust {
    uid: u32,
    stats: HashMap<Vec<u8>, Stat>,
    /// Folders that were judged before: `None` is trusted, else the folder that is not.
    judged: HashMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Trust {
    /// Nothing is known yet; the account that scans has this id.
    pub(super) fn new(uid: u32) -> Self {
        Self { uid, ..Self::default() }
    }

    /// Notes what stat told.
    pub(super) fn know(&mut self, path: &[u8], stat: &Stat) {
        self.stats.insert(path.to_vec(), stat.clone());
    }

    /// What stat told.
    pub(super) fn stat(&self, path: &[u8]) -> Option<&Stat> {
        self.stats.get(path)
    }

    /// The folder that makes a path unsafe to open, the outermost; `None` where it is safe.
    pub(super) fn danger(&mut self, path: &[u8], stat: &Stat) -> Option<Vec<u8>> {
        let folder = parent(path)?;
        if let Some(outer) = self.folder(folder) {
            return Some(outer);
        }
        let over = self.stats.get(folder);
        let safe = over.is_some_and(|over| !is_shared(over) || over.mode & 0o1000 != 0 && self.is_ours(stat));
        (!safe).then(|| folder.to_vec())
    }

    /// The outermost folder on the way to this one, itself included, in which another account could swap what is on the way.
    fn folder(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if let Some(known) = self.judged.get(path) {
            return known.clone();
        }
        let outer = parent(path).and_then(|above| self.folder(above));
        let judged = outer.or_else(|| {
            let Some(stat) = self.stats.get(path) else { return Some(path.to_vec()) };
            let above = parent(path).and_then(|above| self.stats.get(above));
            if path != b"/" && above.is_none_or(|above| is_shared(above) && above.mode & 0o1000 == 0) {
                return parent(path).map(<[u8]>::to_vec);
            }
            (!(stat.is_directory() && self.is_ours(stat))).then(|| path.to_vec())
        });
        self.judged.insert(path.to_vec(), judged.clone());
        judged
    }

    fn is_ours(&self, stat: &Stat) -> bool {
        stat.uid == 0 || stat.uid == self.uid
    }
}

/// Whether others than the owner may write; an ACL that lets somebody shows in the bits of the group.
fn is_shared(stat: &Stat) -> bool {
    stat.mode & 0o022 != 0
}

/// The folder that a path is in; the root is in none.
pub(super) fn parent(path: &[u8]) -> Option<&[u8]> {
    match path.iter().rposition(|b| *b == b'/')? {
        0 if path.len() == 1 => None,
        0 => Some(b"/"),
        at => Some(&path[..at]),
    }
}
