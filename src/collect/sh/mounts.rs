//! The mount table of the scanned root, as the host's `cat` gives it.
//!
//! *Invariant:* the same mounts are entered as by the probe: one parser reads for both.

use crate::protocol::Record;
pub(super) use crate::protocol::mount::Mount;

/// The mounts below the root, sorted by path.
pub(super) fn parse(table: &[u8], root: &[u8]) -> Vec<Mount> {
    let mut mounts = crate::protocol::mount::parse(table, root);
    mounts.sort_by(|a, b| a.path.cmp(&b.path));
    mounts
}

/// The pseudo-entry of a mount.
pub(super) fn record(mount: &Mount) -> Option<Record> {
    let mut out = Vec::new();
    mount.encode(&mut out);
    Record::parse(&out).ok()
}

/// Whether a path is a folder or below it.
pub(super) fn within(path: &[u8], folder: &[u8]) -> bool {
    folder == b"/" || path.strip_prefix(folder).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}
