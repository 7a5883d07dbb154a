//! Counts what stands below folders that a replacement of the host would lose.
//!
//! *Invariant:* opens folders only; follows no link, crosses no mount and touches none that is not local. No place takes more
//! than half of what entries and time are left, so that nobody can hide one place by filling another.

use crate::clock::Clock;
use crate::meta::Meta;
use crate::mounts::Mount;
use crate::place::Place;
use crate::protocol::Kind;
use crate::protocol::reply::FrameKind;
use crate::protocol::usage::{Count, FOLDERS_MAX, LARGE, LARGEST_MAX, Large, Survey, Usage};
use crate::stream::Output;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use rustix::fd::AsFd;
use rustix::fs::RawDir;
use rustix::io::Errno;

/// What the paths of folders that wait to be listed may take in memory.
const WAITING: usize = 2 << 20;
/// The longest path that is followed.
const PATH_MOST: usize = 4000;

/// Sends one answer for each place.
pub fn send(place: &Place, mounts: &[Mount], survey: &Survey, output: &mut Output) {
    let mut counting = Counting {
        place,
        mounts,
        clock: Clock::new(0),
        millis: u64::from(survey.millis),
        entries: survey.entries,
        largest: Vec::new(),
    };
    let mut payload = Vec::new();
    for asked in &survey.places {
        let usage = counting.usage(&asked.path, asked.each, &asked.leave_out);
        payload.clear();
        Usage::encode(usage.as_ref(), &mut payload);
        output.frame(FrameKind::Usage, &payload);
    }
}

struct Counting<'a> {
    place: &'a Place,
    mounts: &'a [Mount],
    clock: Clock,
    /// Of all places.
    millis: u64,
    /// Left for all places.
    entries: u64,
    largest: Vec<Large>,
}

impl Counting<'_> {
    fn usage(&mut self, path: &[u8], each: bool, leave_out: &[Vec<u8>]) -> Option<Usage> {
        // What lies on a network or in memory is not lost with the host, or is with every boot; and it may hang.
        let holder = self.mounts.iter().filter(|mount| mount.path == path || is_below(path, &mount.path));
        if holder.max_by_key(|mount| mount.path.len()).is_some_and(|mount| mount.path != b"/" && !mount.is_local()) {
            return None;
        }
        if let Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) = self.place.directory(path) {
            return None;
        }
        let mut usage = Usage::default();
        let mut folders = Vec::new();
        self.walk(path, leave_out, each.then_some(&mut folders), &mut usage.count);
        for folder in folders {
            let mut count = Count::default();
            self.walk(&folder, leave_out, None, &mut count);
            let name = folder.rsplit(|b| *b == b'/').next().unwrap_or_default().to_vec();
            usage.folders.push((name, count));
        }
        usage.largest = core::mem::take(&mut self.largest);
        Some(usage)
    }

    /// Counts a folder; where `folders` are collected, what is in those is left for later.
    fn walk(&mut self, top: &[u8], leave_out: &[Vec<u8>], mut folders: Option<&mut Vec<Vec<u8>>>, count: &mut Count) {
        let mut left = self.entries / 2;
        self.entries -= left;
        let elapsed = self.clock.elapsed();
        let until = elapsed + self.millis.saturating_sub(elapsed) / 2;
        let mut waiting = alloc::vec![top.to_vec()];
        let mut room = WAITING;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 16 * 1024];
        while let Some(folder) = waiting.pop() {
            room += folder.len() + 32;
            let fd = match self.place.directory(&folder) {
                Ok(fd) => fd,
                // Gone, or another thing by now.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(_) => {
                    count.unread = true;
                    continue;
                }
            };
            let mut raw = RawDir::new(&fd, &mut buffer);
            while let Some(next) = raw.next() {
                let name = match next {
                    Ok(ref entry) => entry.file_name().to_bytes(),
                    Err(_) => {
                        count.unread = true;
                        break;
                    }
                };
                if name == b"." || name == b".." || folder == top && leave_out.iter().any(|out| out == name) {
                    continue;
                }
                if left == 0 || left.is_multiple_of(64) && self.clock.elapsed() > until {
                    count.more = true;
                    self.entries += left;
                    return;
                }
                left -= 1;
                let path = [&folder, &b"/"[..], name].concat();
                // Looked up before it is touched: a dead mount would hang.
                if self.mounts.binary_search_by(|mount| mount.path.cmp(&path)).is_ok() {
                    continue;
                }
                let meta = match Meta::of(fd.as_fd(), name) {
                    Ok(meta) => meta,
                    Err(Errno::NOENT) => continue,
                    // A folder that may be listed and not searched.
                    Err(_) => {
                        count.unread = true;
                        continue;
                    }
                };
                if meta.kind == Some(Kind::File) {
                    count.add(meta.size / meta.links.max(1), meta.modified);
                    self.large(path, &meta);
                } else if meta.kind == Some(Kind::Directory) {
                    match (&mut folders, room.checked_sub(path.len() + 32)) {
                        (Some(folders), _) if folders.len() < FOLDERS_MAX => folders.push(path),
                        (_, Some(rest)) if path.len() < PATH_MOST => {
                            room = rest;
                            waiting.push(path);
                        }
                        (_, _) => count.more = true,
                    }
                }
            }
        }
        self.entries += left;
    }

    fn large(&mut self, path: Vec<u8>, meta: &Meta) {
        if meta.size < LARGE || path.len() > PATH_MOST {
            return;
        }
        let at = self.largest.iter().position(|other| other.bytes < meta.size).unwrap_or(self.largest.len());
        self.largest.insert(at, Large { path, bytes: meta.size, modified: meta.modified });
        self.largest.truncate(LARGEST_MAX);
    }
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    folder == b"/" || path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}
