//! Large and recent files that the baseline lacks, outside the places of the table.
//!
//! *Invariant:* a file that a package has is none; nor is what a machine makes for itself: caches, logs, boot images, swap.

use super::known::{Known, is_in};
use super::{DAYS, Item, LARGE, RECENT};
use crate::drift::history::changed;
use crate::drift::inquiry::Answers;
use crate::drift::reference::Difference;
use crate::model::StateKind;
use crate::protocol::reply::Shipped;
use crate::protocol::usage::Usage;
use crate::protocol::{Kind, Record};
use std::collections::BTreeMap;

/// What a machine makes for itself, or has of its packages.
const MACHINES_OWN: [&[u8]; 21] = [
    b"/boot",
    b"/dev",
    b"/proc",
    b"/run",
    b"/snap",
    b"/swap",
    b"/swap.img",
    b"/swapfile",
    b"/sys",
    b"/tmp",
    b"/var/cache",
    b"/var/lib/apt",
    b"/var/lib/dnf",
    b"/var/lib/dpkg",
    b"/var/lib/flatpak",
    b"/var/lib/pacman",
    b"/var/lib/rpm",
    b"/var/lib/snapd",
    b"/var/log",
    b"/var/swap",
    b"/var/swapfile",
];

/// The largest files of trees that the rules leave out.
pub(super) fn of_trees(trees: &[(&str, &Usage)], known: &Known<'_>, answers: &Answers, now: Option<i64>) -> Vec<Item> {
    let files = trees.iter().flat_map(|(_, usage)| &usage.largest);
    let files = files.filter(|file| !known.has(&file.path) && !is_of_package(&file.path, answers));
    files.filter_map(|file| item(&file.path, file.bytes, Some(file.modified), now)).collect()
}

/// Files that only the host has, each by itself where it is large or recent; small ones that are many, by their folder.
pub(super) fn of_difference(
    difference: &Difference,
    answers: &Answers,
    asked: &[&[u8]],
    now: Option<i64>,
) -> Vec<Item> {
    let is_new = |record: &&Record| {
        difference.removed.binary_search_by(|removed| removed.subject().cmp(record.subject())).is_err()
    };
    let mut items = Vec::new();
    let mut folders: BTreeMap<&[u8], Item> = BTreeMap::new();
    for record in difference.added.iter().filter(is_new) {
        let view = record.view();
        let (Some(path), Some(Kind::File), Some(bytes)) = (view.path(), view.kind(), view.size()) else { continue };
        if is_in(path, asked) || is_in(path, &MACHINES_OWN) || is_of_package(path, answers) {
            continue;
        }
        let modified = changed(path, answers);
        if let Some(item) = item(path, bytes, modified, now) {
            items.push(item);
            continue;
        }
        let folder = top(path);
        let all = folders.entry(folder).or_insert_with(|| Item {
            kind: StateKind::LargeFile,
            path: folder.to_vec(),
            bytes: 0,
            files: 0,
            newest: None,
            more: false,
        });
        all.bytes = all.bytes.saturating_add(bytes);
        all.files += 1;
        all.newest = all.newest.max(modified);
    }
    items.extend(folders.into_values().filter(|all| all.bytes >= LARGE && all.path.len() > 1));
    items
}

fn item(path: &[u8], bytes: u64, modified: Option<i64>, now: Option<i64>) -> Option<Item> {
    let since = modified.zip(now).map(|(modified, now)| now.saturating_sub(modified));
    let kind = if bytes >= LARGE {
        StateKind::LargeFile
    } else if bytes >= RECENT && since.is_some_and(|since| since <= DAYS * 86_400) {
        StateKind::RecentFile
    } else {
        return None;
    };
    Some(Item { kind, path: path.to_vec(), bytes, files: 1, newest: modified, more: false })
}

/// Whether the host's package database has it.
fn is_of_package(path: &[u8], answers: &Answers) -> bool {
    answers.owners.get(path).is_some_and(|owned| match owned.shipped {
        Shipped::Same | Shipped::Altered | Shipped::Untold => true,
        Shipped::Unowned | Shipped::Unread => false,
    })
}

/// The first two folders of a path: `/opt/app`; the first where there is one.
fn top(path: &[u8]) -> &[u8] {
    let mut slashes = path.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0).map(|(at, _)| at);
    let (first, second) = (slashes.next(), slashes.next());
    path.get(..second.or(first).unwrap_or(1)).unwrap_or(path)
}
