//! State at risk: what a replacement of the host would lose, from how much stands at places where servers keep what no
//! image can give back.
//!
//! A place is state as far as it goes beyond the baseline, and beyond what its software holds that nobody has used yet
//! (`places`). Files outside those places are state from [`LARGE`] on, and from [`RECENT`] on where they were written in the
//! last [`DAYS`] days by the host's own clock. Network storage is not lost with its host, memory is lost with every boot:
//! both are left out. Caches, logs, package stores and swap files are nobody's data.
//!
//! *Invariant:* names, sizes and times only; whatever a host says, what comes of it is bounded and escaped. What nobody could
//! look at is named, never left out.

mod files;
mod known;
mod places;
mod questions;

pub use questions::questions;

use super::inquiry::Answers;
use super::reference::Difference;
use crate::manifest::ProjectedSet;
use crate::model::text::escape;
use crate::model::{StateAtRisk, StateItem, StateKind};
use crate::protocol::Kind;
use crate::protocol::coverage::Coverage;
use crate::protocol::usage::{Count, Usage};
use known::{Beyond, Known};
use places::{Grain, PLACES, Place, TREES};

/// From here on a file that the baseline lacks is state however old it is.
pub const LARGE: u64 = 100_000_000;
/// From here on a file that the baseline lacks is state where it was written lately.
pub const RECENT: u64 = 10_000_000;
/// What counts as lately.
pub const DAYS: i64 = 7;
/// The most that is listed.
pub const MOST: usize = 50;
/// What a database or a queue may hold that is not the template's.
const CRUMBS: u64 = 4 << 10;
/// Folders of one place that are named where they could not be looked into; past that the place is.
const UNSEEN: usize = 8;

/// Puts together what would be lost; nothing where nobody looked. `now` is the host's clock.
#[must_use]
pub fn at_risk(
    base: &ProjectedSet,
    difference: &Difference,
    answers: &Answers,
    coverage: &Coverage,
    now: Option<i64>,
) -> Option<StateAtRisk> {
    let usage = answers.usage.as_ref()?;
    let known = Known::new(base, difference);
    let mut found = Found::default();
    for place in PLACES {
        match usage.get(place.path.as_bytes()) {
            Some(usage) => found.place(place, usage, &known),
            // The probe follows no link, so that nobody looked where the data is now.
            None if became_link(place, difference) => found.unseen.push(place.path.as_bytes().to_vec()),
            None => {}
        }
    }
    let (mounts, past) = questions::mounts(base, difference);
    found.unseen.extend(past.into_iter().map(<[u8]>::to_vec));
    for mount in &mounts {
        if let Some(usage) = usage.get(*mount) {
            found.folder(StateKind::Mount, mount, &["lost+found"], true, 0, &usage.count, &known);
        }
    }
    let trees: Vec<(&str, &Usage)> =
        TREES.iter().filter_map(|(tree, _)| Some((*tree, usage.get(tree.as_bytes())?))).collect();
    for (tree, usage) in &trees {
        if usage.count.unread || usage.count.more {
            found.unseen.push(tree.as_bytes().to_vec());
        }
    }
    let asked: Vec<&[u8]> = PLACES.iter().map(|place| place.path.as_bytes()).chain(mounts).collect();
    found.items.extend(files::of_trees(&trees, &known, answers, now));
    found.items.extend(files::of_difference(difference, answers, &asked, now));
    // A disk like any other, which the probe does not enter.
    let others = coverage.skipped_mounts.iter().filter(|mount| mount.fs_type == b"fuseblk");
    found.unseen.extend(others.map(|mount| mount.path.clone()));
    Some(found.finish())
}

/// Whether the host has a link at a place where the baseline has none, or another one.
fn became_link(place: &Place, difference: &Difference) -> bool {
    let subject = [b"fs:", place.path.as_bytes()].concat();
    let at = difference.added.binary_search_by(|record| record.subject().cmp(&subject)).ok();
    at.and_then(|at| difference.added.get(at)).is_some_and(|record| record.view().kind() == Some(Kind::Symlink))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    unseen: Vec<Vec<u8>>,
}

/// One thing, as the host said it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    kind: StateKind,
    path: Vec<u8>,
    bytes: u64,
    files: u64,
    newest: Option<i64>,
    more: bool,
}

impl Found {
    fn place(&mut self, place: &Place, usage: &Usage, known: &Known<'_>) {
        let path = place.path.as_bytes();
        let is_installed_here = matches!(place.kind, StateKind::Database | StateKind::Queue) && !known.has(path);
        let unused = if is_installed_here { place.unused.min(CRUMBS) } else { place.unused };
        let server: &[&str] = match place.grain {
            Grain::Whole | Grain::Each => &[],
            Grain::Beside(names) => names,
        };
        match place.grain {
            Grain::Whole => self.folder(place.kind, path, place.leave_out, true, unused, &usage.count, known),
            Grain::Each => self.folder(place.kind, path, place.leave_out, false, unused, &usage.count, known),
            // Its own files are the server's.
            Grain::Beside(_) if usage.count.more || usage.count.unread => self.unseen.push(path.to_vec()),
            Grain::Beside(_) => {}
        }
        let before = self.unseen.len();
        for (name, count) in &usage.folders {
            if !server.iter().any(|own| own.as_bytes() == name) {
                let folder = [path, b"/", name].concat();
                self.folder(place.kind, &folder, place.leave_out, true, unused, count, known);
            }
        }
        if self.unseen.len() - before > UNSEEN {
            self.unseen.truncate(before);
            self.unseen.push(path.to_vec());
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is asked of a folder, and what was answered")]
    fn folder(
        &mut self,
        kind: StateKind,
        path: &[u8],
        leave_out: &[&str],
        deep: bool,
        unused: u64,
        count: &Count,
        known: &Known<'_>,
    ) {
        // What was not counted to its end holds more than it says.
        let is_state = |beyond: &Beyond| beyond.bytes > unused || count.more && beyond.files > 0;
        let beyond = known.beyond(path, leave_out, deep, count).filter(is_state);
        if count.unread || beyond.is_none() && count.more {
            self.unseen.push(path.to_vec());
        }
        if let Some(beyond) = beyond {
            let newest = (count.files > 0).then_some(count.newest);
            let (bytes, files) = (beyond.bytes, beyond.files);
            self.items.push(Item { kind, path: path.to_vec(), bytes, files, newest, more: count.more });
        }
    }

    fn finish(self) -> StateAtRisk {
        let Self { mut items, mut unseen } = self;
        items.sort_by(|a, b| (b.bytes, &a.path, a.kind).cmp(&(a.bytes, &b.path, b.kind)));
        items.dedup_by(|a, b| a.path == b.path);
        let rest = items.len().saturating_sub(MOST) as u64;
        items.truncate(MOST);
        unseen.sort();
        unseen.dedup();
        unseen.truncate(MOST);
        let item = |item: Item| StateItem {
            kind: item.kind,
            path: escape(&item.path),
            bytes: item.bytes,
            files: item.files,
            newest: item.newest.and_then(time),
            more: item.more,
        };
        StateAtRisk {
            items: items.into_iter().map(item).collect(),
            rest,
            unseen: unseen.iter().map(|path| escape(path)).collect(),
        }
    }
}

/// RFC 3339, where it is a time that a file can have.
fn time(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok().filter(|_| seconds >= 0);
    time.map(|time| time.to_string())
}

#[cfg(test)]
mod tests;
