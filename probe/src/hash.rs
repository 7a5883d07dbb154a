//! The hashing processes: each takes entries, reads what the masks ask for, and fills slots.
//!
//! *Invariant:* a digest is of a file that did not change from open to end; one that did is tried once more, then
//! `racing`.

use crate::clock::Clock;
use crate::meta::Meta;
use crate::owners::{Owners, decimal};
use crate::place::Place;
use crate::protocol::coverage::Why;
use crate::protocol::record::RecordWriter;
use crate::protocol::request::{Limits, Request};
use crate::protocol::view::{self, Form, HostFacts, View, Viewed};
use crate::protocol::{Attr, Kind, Mask, SecretKey, Value, digest};
use crate::slots::{Content, Fresh, Rest, Slot, Slots};
use crate::tree::{Entry, Tree};
use crate::walk::why;
use crate::xattrs::{Source, Xattrs, through};
use alloc::vec::Vec;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, set_parent_process_death_signal, waitpid};
use sha2::{Digest as _, Sha256};

/// Entries handed out at once.
const STEP: usize = 32;
/// Files of this size are handed out first and alone, so that none is left over for the end.
const BIG: u64 = 4 << 20;
const BUFFER: usize = 128 * 1024;

/// What the processes share.
pub struct Hashing<'a> {
    pub place: &'a Place,
    pub tree: &'a Tree,
    pub owners: &'a Owners,
    pub own: &'a HostFacts,
    pub key: Option<&'a SecretKey>,
    pub limits: Limits,
    pub clock: &'a Clock,
    pub slots: &'a Slots,
    big: Vec<u32>,
}

impl<'a> Hashing<'a> {
    /// Prepares the work.
    pub fn new(
        place: &'a Place,
        tree: &'a Tree,
        owners: &'a Owners,
        own: &'a HostFacts,
        request: &'a Request,
        clock: &'a Clock,
        slots: &'a Slots,
    ) -> Self {
        let mut big: Vec<u32> = (0..tree.entries.len() as u32).filter(|e| is_big(&tree.entries[*e as usize])).collect();
        crate::order::sort(&mut big, |a, b| tree.entries[*b as usize].size.cmp(&tree.entries[*a as usize].size));
        let (key, limits) = (request.key.as_ref(), request.limits);
        Self { place, tree, owners, own, key, limits, clock, slots, big }
    }

    /// Works with this process and so many more; tells how many of them did not end well.
    pub fn run(&self, processes: usize) -> u64 {
        let mut children: Vec<Pid> = Vec::new();
        for _ in 1..processes {
            match crate::sys::fork() {
                Ok(None) => {
                    let _ = set_parent_process_death_signal(Some(Signal::KILL));
                    self.work(&mut || {});
                    crate::sys::exit(0);
                }
                Ok(Some(pid)) => children.push(pid),
                // Fewer processes do the same work.
                Err(_) => break,
            }
        }
        self.work(&mut || {
            if crate::stream::hung_up() {
                // The children get SIGKILL with this process's end.
                crate::sys::exit(74);
            }
        });
        let mut lost = 0;
        for pid in children {
            loop {
                match waitpid(Some(pid), WaitOptions::empty()) {
                    Ok(Some((_, status))) if status.exit_status() == Some(0) => break,
                    Err(Errno::INTR) => {}
                    Ok(_) | Err(_) => {
                        lost += 1;
                        break;
                    }
                }
            }
        }
        lost
    }

    fn work(&self, between: &mut dyn FnMut()) {
        let mut worker = Worker {
            hashing: self,
            dir: None,
            buffer: alloc::vec![0; BUFFER],
            xattrs: Vec::new(),
            path: Vec::new(),
            record: Vec::new(),
        };
        let entries = self.tree.entries.len();
        loop {
            let at = self.slots.take_big();
            match self.big.get(at) {
                Some(entry) => worker.entry(*entry as usize),
                None => break,
            }
            between();
        }
        loop {
            let at = self.slots.take(STEP);
            if at >= entries {
                return;
            }
            for entry in at..(at + STEP).min(entries) {
                if !is_big(&self.tree.entries[entry]) {
                    worker.entry(entry);
                }
            }
            between();
        }
    }
}

fn is_big(entry: &Entry) -> bool {
    entry.is_read()
        && entry.size >= BIG
        // Nobody gets in front of the system's own files by making large ones.
        && entry.flags & (Entry::OVERSIZE | Entry::OVER_BUDGET | Entry::GUARD) == 0
}

struct Worker<'a> {
    hashing: &'a Hashing<'a>,
    /// The directory opened last: entries come in runs of one directory.
    dir: Option<(u32, Result<OwnedFd, Errno>)>,
    buffer: Vec<u8>,
    xattrs: Vec<u8>,
    path: Vec<u8>,
    record: Vec<u8>,
}

impl Worker<'_> {
    fn entry(&mut self, number: usize) {
        let hashing = self.hashing;
        let entry = &hashing.tree.entries[number];
        let mut fresh = None;
        let mut content = Content::NotAsked;
        let mut xattrs = Xattrs::default();
        let mut unseen = None;
        let wants_content = entry.is_read();
        let wants_xattrs = entry.mask.meets(Mask::XATTRS);
        if entry.flags & Entry::OVERSIZE != 0 {
            content = Content::Oversize;
        } else if entry.flags & Entry::OVER_BUDGET != 0 {
            content = Content::Unread(Why::Limit, 0);
        }
        if wants_content && content == Content::NotAsked || wants_xattrs {
            match self.open_dir(entry) {
                Err(errno) => {
                    if wants_content && content == Content::NotAsked {
                        content = Content::Unread(why(errno), errno.raw_os_error() as u16);
                    }
                    unseen = wants_xattrs.then(|| why(errno));
                }
                Ok(()) => {
                    let Some((_, Ok(dir))) = self.dir.take() else { return };
                    let name = hashing.tree.bytes(entry.name);
                    // The top of a scope is an entry of its parent, and named by its whole path.
                    let name = name.strip_prefix(b"/").unwrap_or(name);
                    let name = if name.is_empty() { b"." } else { name };
                    let mut done = false;
                    if wants_content && content == Content::NotAsked {
                        content = self.content(entry, dir.as_fd(), name, &mut fresh, &mut |file, buffer| {
                            if wants_xattrs {
                                xattrs = Xattrs::read(Source::Open(file), entry.mask, hashing.owners, buffer);
                                done = true;
                            }
                        });
                    }
                    if wants_xattrs && !done {
                        through(dir.as_fd(), name, &mut self.path);
                        xattrs = Xattrs::read(Source::Path(&self.path), entry.mask, hashing.owners, &mut self.xattrs);
                    }
                    self.dir = Some((entry.dir, Ok(dir)));
                }
            }
        }
        let mut rest = 0;
        let mut lost = xattrs.trouble().or(unseen);
        if fresh.is_some() || !xattrs.is_empty() {
            let mut encoded = Vec::new();
            xattrs.put(&mut RecordWriter::resume(&mut encoded));
            let mut kept = Vec::new();
            Rest { fresh, xattrs: &encoded }.encode(&mut kept);
            rest = hashing.slots.keep(&kept);
            if rest == 0 {
                lost = Some(Why::Limit);
            }
        }
        let mut slot = Slot { content, xattrs: lost, rest, record: [0; 32] };
        encode(hashing.tree, hashing.owners, hashing.slots, entry, &slot, &mut self.path, &mut self.record);
        slot.record = digest::of_record(&self.record);
        hashing.slots.put(number, &slot);
    }

    fn open_dir(&mut self, entry: &Entry) -> Result<(), Errno> {
        if self.dir.as_ref().is_none_or(|(dir, _)| *dir != entry.dir) {
            self.hashing.tree.dir_path(entry.dir, &mut self.path);
            self.dir = Some((entry.dir, self.hashing.place.directory(&self.path)));
        }
        match &self.dir {
            Some((_, Err(errno))) => Err(*errno),
            _ => Ok(()),
        }
    }

    fn content(
        &mut self,
        entry: &Entry,
        dir: BorrowedFd<'_>,
        name: &[u8],
        fresh: &mut Option<Fresh>,
        opened: &mut dyn FnMut(BorrowedFd<'_>, &mut Vec<u8>),
    ) -> Content {
        let hashing = self.hashing;
        if hashing.clock.is_over() {
            return Content::Unread(Why::Limit, 0);
        }
        let mut last = Content::Unread(Why::Racing, 0);
        for _ in 0..2 {
            let file = match hashing.place.file(dir, name, entry.uid) {
                Ok(file) => file,
                // Gone, or a link by now.
                Err(errno @ (Errno::NOENT | Errno::LOOP)) => {
                    last = Content::Unread(Why::Racing, errno.raw_os_error() as u16);
                    continue;
                }
                Err(errno) => return Content::Unread(why(errno), errno.raw_os_error() as u16),
            };
            let before = match Meta::of_open(&file) {
                Ok(meta) if meta.kind == Some(Kind::File) => meta,
                Ok(_) => continue,
                Err(errno) => return Content::Unread(why(errno), errno.raw_os_error() as u16),
            };
            let seen = (entry.ino, entry.dev, entry.size, entry.changed);
            *fresh = (seen != (before.ino, before.dev, before.size, before.changed)).then_some(Fresh {
                mode: before.mode,
                uid: before.uid,
                gid: before.gid,
                size: before.size,
            });
            if before.size > hashing.limits.file_bytes {
                return Content::Oversize;
            }
            opened(file.as_fd(), &mut self.xattrs);
            match self.read(&file, before.size, entry.view) {
                Ok(Some(content)) if Meta::of_open(&file).is_ok_and(|after| after.is_same(&before)) => {
                    return content;
                }
                Ok(_) => {}
                Err(errno) if errno == Errno::TIME => return Content::Unread(Why::Limit, 0),
                Err(errno) => return Content::Unread(why(errno), errno.raw_os_error() as u16),
            }
        }
        last
    }

    /// What exactly `size` bytes come to; `None` when the file is shorter.
    fn read(&mut self, file: &OwnedFd, size: u64, view: Option<View>) -> Result<Option<Content>, Errno> {
        let key = self.hashing.key.filter(|_| view == Some(View::Keyed));
        let mut hash = key.map_or_else(Sha256::new, SecretKey::begin);
        // What a view reads is read whole; what is too large for one is compared by its bytes. A keyed digest is of any size.
        let reading = view.filter(|_| size <= view::MOST as u64 && key.is_none());
        let mut whole = Vec::new();
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            match rustix::io::read(file, &mut self.buffer[..most]) {
                Ok(0) => return Ok(None),
                Ok(n) => {
                    match reading {
                        Some(_) => whole.extend_from_slice(&self.buffer[..n]),
                        None => hash.update(&self.buffer[..n]),
                    }
                    left -= n as u64;
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
            // A look at the clock every few megabytes.
            if left % (BUFFER as u64 * 64) < BUFFER as u64 && left > 0 && self.hashing.clock.is_over() {
                return Err(Errno::TIME);
            }
        }
        self.hashing.slots.add_bytes(size);
        Ok(Some(match reading {
            Some(reading) => match view::value(reading, &whole, self.hashing.own) {
                Some(Viewed { form, digest, .. }) => Content::Viewed(form, digest),
                None => Content::Unread(Why::NotRead, 0),
            },
            None => match (view, key) {
                (Some(View::Keyed), Some(key)) => Content::Viewed(Form::Parsed, key.end(hash)),
                // No request comes so far without its key.
                (Some(View::Keyed), None) => Content::Unread(Why::NotRead, 0),
                (Some(_), _) => Content::Viewed(Form::Bytes, hash.finalize().into()),
                (None, _) => Content::Read(hash.finalize().into()),
            },
        }))
    }
}

/// Encodes an entry's record from what the walk and the hashing found.
pub fn encode(
    tree: &Tree,
    owners: &Owners,
    slots: &Slots,
    entry: &Entry,
    slot: &Slot,
    path: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    out.clear();
    path.clear();
    let mask = entry.mask;
    let rest = Rest::decode(slots.kept(slot.rest));
    let stat = rest.fresh.unwrap_or(Fresh { mode: entry.mode, uid: entry.uid, gid: entry.gid, size: entry.size });
    let mut subject = b"fs:".to_vec();
    tree.path(entry, path);
    subject.extend_from_slice(path);
    let mut record = RecordWriter::new(out, &subject);
    record.present(Attr::Kind, &[entry.kind as u8]);
    if mask.has(Attr::Mode) && entry.kind != Kind::Symlink {
        record.present(Attr::Mode, &stat.mode.to_le_bytes());
    }
    let mut name = Vec::new();
    if mask.has(Attr::Owner) {
        owners.users.push(stat.uid, &mut name);
        record.present(Attr::Owner, &name);
    }
    if mask.has(Attr::Group) {
        name.clear();
        owners.groups.push(stat.gid, &mut name);
        record.present(Attr::Group, &name);
    }
    if entry.kind == Kind::File && mask.has(Attr::Size) {
        record.present(Attr::Size, &stat.size.to_le_bytes());
    }
    let attr = if entry.view.is_some() { Attr::View } else { Attr::Content };
    match (slot.content, entry.view) {
        (Content::NotAsked, _) => {}
        (Content::Read(digest), _) => record.present(attr, &digest),
        (Content::Viewed(form, digest), Some(view)) => {
            record.present(attr, &Viewed { view, version: view::VERSION, form, digest }.encode());
        }
        (Content::Viewed(..), None) => record.put(attr, Value::Unread(Why::NotRead)),
        (Content::Oversize, _) => record.put(attr, Value::Oversize),
        (Content::Unread(why, _), _) => record.put(attr, Value::Unread(why)),
    }
    if entry.kind == Kind::Symlink && mask.has(Attr::Target) {
        record.present(Attr::Target, tree.bytes(entry.extra));
    }
    if matches!(entry.kind, Kind::Block | Kind::Char) && mask.has(Attr::Device) {
        name.clear();
        decimal(entry.size >> 32, &mut name);
        name.push(b':');
        decimal(u64::from(entry.size as u32), &mut name);
        record.present(Attr::Device, &name);
    }
    if slot.rest == 0
        && let Some(why) = slot.xattrs
    {
        Xattrs::unread(mask, why).put(&mut record);
    } else {
        record.raw(rest.xattrs);
    }
    let flags = entry.flags & (Meta::IMMUTABLE | Meta::APPEND);
    if flags != 0 && mask.has(Attr::Flags) {
        let text: &[u8] = match flags {
            Meta::IMMUTABLE => b"i",
            Meta::APPEND => b"a",
            _ => b"ia",
        };
        record.present(Attr::Flags, text);
    }
    if let Some(leader) = tree.entries.get(entry.leader as usize) {
        tree.path(leader, path);
        record.present(Attr::Link, path);
    }
}
