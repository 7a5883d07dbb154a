//! What the baseline has below a folder, and what a count goes beyond it.
//!
//! *Invariant:* a file that the baseline has and the host kept as it was is nobody's state.

use super::questions::is_below;
use crate::drift::reference::Difference;
use crate::manifest::ProjectedSet;
use crate::protocol::usage::Count;
use crate::protocol::{Attr, Kind, Record, RecordRef};
use std::collections::HashSet;

/// The baseline's records that the host still has.
pub(super) struct Known<'a> {
    base: &'a ProjectedSet,
    /// Subjects of files that are gone or have another content.
    gone: HashSet<&'a [u8]>,
}

/// Files and bytes that go beyond the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl<'a> Known<'a> {
    pub(super) fn new(base: &'a ProjectedSet, difference: &'a Difference) -> Self {
        let after = |subject: &[u8]| {
            let at = difference.added.binary_search_by(|record| record.subject().cmp(subject)).ok()?;
            difference.added.get(at).map(Record::view)
        };
        let same = |a: RecordRef<'_>, b: RecordRef<'_>| {
            [Attr::Kind, Attr::Size, Attr::Content, Attr::View].iter().all(|attr| a.attr(*attr) == b.attr(*attr))
        };
        let is_gone = |record: &&Record| after(record.subject()).is_none_or(|after| !same(record.view(), after));
        Self { base, gone: difference.removed.iter().filter(is_gone).map(Record::subject).collect() }
    }

    /// Whether the baseline has this path.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        let subject = [b"fs:", path].concat();
        self.base.records.binary_search_by(|record| record.subject().cmp(&subject)).is_ok()
    }

    /// What a count of a folder goes beyond the baseline; nothing where it does not. `deep` says whether folders in it were
    /// counted; `leave_out` are the names in it that were not.
    pub(super) fn beyond(&self, folder: &[u8], leave_out: &[&str], deep: bool, count: &Count) -> Option<Beyond> {
        let (mut files, mut bytes, mut blind) = (0_u64, 0_u64, false);
        let prefix = [b"fs:", folder, b"/"].concat();
        let from = self.base.records.partition_point(|record| record.subject() < &prefix[..]);
        for record in self.base.records.get(from..).unwrap_or_default() {
            let Some(rest) = record.subject().strip_prefix(&prefix[..]) else { break };
            let view = record.view();
            if view.kind() != Some(Kind::File) || self.gone.contains(record.subject()) {
                continue;
            }
            let first = rest.split(|b| *b == b'/').next().unwrap_or_default();
            if !deep && first.len() < rest.len() || leave_out.iter().any(|name| name.as_bytes() == first) {
                continue;
            }
            files += 1;
            bytes = bytes.saturating_add(view.size().unwrap_or(0));
            // Its size may have grown, and nobody compared that.
            blind |= view.attr(Attr::Size).is_none() && view.attr(Attr::View).is_none();
        }
        let beyond = Beyond { files: count.files.saturating_sub(files), bytes: count.bytes.saturating_sub(bytes) };
        (beyond.files > 0 || blind && beyond.bytes > 0).then_some(beyond)
    }
}

/// Whether a path is in one of these folders or is one.
pub(super) fn is_in(path: &[u8], folders: &[&[u8]]) -> bool {
    folders.iter().any(|folder| path == *folder || is_below(path, folder))
}
