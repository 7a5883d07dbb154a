//! What a host that may be replaced is asked: the places of the table, and the mounts that it has.
//!
//! *Invariant:* the questions follow from the baseline and from what differs from it, so that both sides of an answer agree
//! which place it is about.

use super::places::{Grain, PLACES, Place, TREES};
use crate::drift::reference::Difference;
use crate::manifest::ProjectedSet;
use crate::protocol::usage;
use crate::protocol::{Attr, RecordRef};
use std::collections::BTreeMap;

/// The most mounts that are asked about.
const MOUNTS: usize = 64;

/// File systems on local storage that programs write to. What is on a network is not lost with the host, and what is in
/// memory is lost with every boot; images of snaps and layers of containers are nobody's data.
const STORAGE: [&[u8]; 14] = [
    b"bcachefs",
    b"btrfs",
    b"exfat",
    b"ext2",
    b"ext3",
    b"ext4",
    b"f2fs",
    b"jfs",
    b"msdos",
    b"ntfs3",
    b"reiserfs",
    b"vfat",
    b"xfs",
    b"zfs",
];

/// Mounts of the system, and what is below them.
const SYSTEM: [&str; 20] = [
    "/.snapshots",
    "/boot",
    "/dev",
    "/efi",
    "/etc",
    "/proc",
    "/run",
    "/snap",
    "/sys",
    "/tmp",
    "/usr",
    "/var/cache",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/lib/snapd",
    "/var/log",
    "/var/run",
    "/var/tmp",
];

/// The questions, ascending by path.
#[must_use]
pub fn questions(base: &ProjectedSet, difference: &Difference) -> Vec<usage::Place> {
    let bytes = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut all: BTreeMap<Vec<u8>, usage::Place> = BTreeMap::new();
    let mut ask = |path: &[u8], each: bool, leave_out: Vec<Vec<u8>>| {
        all.insert(path.to_vec(), usage::Place { path: path.to_vec(), each, leave_out });
    };
    for Place { path, grain, leave_out, .. } in PLACES {
        let each = match grain {
            Grain::Whole => false,
            Grain::Each | Grain::Beside(_) => true,
        };
        ask(path.as_bytes(), each, bytes(leave_out));
    }
    for (tree, own) in TREES {
        let mut leave_out: Vec<Vec<u8>> = bytes(own);
        // What is asked by itself is not counted a second time.
        let inside = PLACES.iter().filter_map(|place| place.path.strip_prefix(tree)?.strip_prefix('/'));
        leave_out.extend(inside.filter_map(|rest| Some(rest.split('/').next()?.as_bytes().to_vec())));
        leave_out.sort();
        leave_out.dedup();
        ask(tree.as_bytes(), false, leave_out);
    }
    for path in mounts(base, difference).0 {
        ask(path, false, vec![b"lost+found".to_vec()]);
    }
    all.into_values().collect()
}

/// The mount points that are asked about, ascending, and those past them, about which nobody asks.
pub(super) fn mounts<'a>(base: &'a ProjectedSet, difference: &'a Difference) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let mut asked = all_mounts(base, difference);
    let past = asked.split_off(asked.len().min(MOUNTS));
    (asked, past)
}

/// Mount points of storage that no place of the table is at or below, ascending.
fn all_mounts<'a>(base: &'a ProjectedSet, difference: &'a Difference) -> Vec<&'a [u8]> {
    let gone = |subject: &[u8]| difference.removed.binary_search_by(|record| record.subject().cmp(subject)).is_ok();
    let from = base.records.partition_point(|record| record.subject() < &b"mount:"[..]);
    let ours = base.records.get(from..).unwrap_or_default().iter();
    let ours = ours.take_while(|record| record.subject().starts_with(b"mount:"));
    let kept = ours.filter(|record| !gone(record.subject()));
    let mut mounts: Vec<&[u8]> = kept.chain(&difference.added).filter_map(|record| storage(record.view())).collect();
    mounts.sort_unstable();
    mounts.dedup();
    mounts
}

/// The mount point, where it is one of storage that is nobody else's.
fn storage(record: RecordRef<'_>) -> Option<&[u8]> {
    let path = record.subject().strip_prefix(b"mount:")?;
    let is_storage = record.present(Attr::FsType).is_some_and(|fs_type| STORAGE.contains(&fs_type));
    let options = record.present(Attr::MountOptions).unwrap_or_default();
    let is_read_only = options.split(|b| *b == b',').any(|option| option == b"ro");
    let is_system = SYSTEM.iter().any(|system| path == system.as_bytes() || is_below(path, system.as_bytes()));
    let holds = |place: &[u8]| path == place || is_below(place, path);
    let is_asked =
        PLACES.iter().any(|place| holds(place.path.as_bytes())) || TREES.iter().any(|(tree, _)| holds(tree.as_bytes()));
    let plain = path.len() < 4096 && path.split(|b| *b == b'/').skip(1).all(|part| !matches!(part, b"" | b"." | b".."));
    (is_storage && !is_read_only && !is_system && !is_asked && path.starts_with(b"/") && plain && !path.contains(&0))
        .then_some(path)
}

/// Whether a path is below a folder.
pub(super) fn is_below(path: &[u8], folder: &[u8]) -> bool {
    folder == b"/" || path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}
