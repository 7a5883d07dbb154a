//! The walk: lists directories, stats entries, asks the rules, and stores what is compared.
//!
//! Trees that ordinary users can write (world-writable, or owned by an ordinary user) are put off to the end and have
//! budgets of their own, so that nobody can hide drift by filling `/tmp`.
//!
//! *Invariant:* whatever was not seen is counted as a trouble, and a mount that is not entered is never touched.

use crate::meta::Meta;
use crate::mounts::Mount;
use crate::place::Place;
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::mount::GUARD_ROOTS;
use crate::protocol::request::{Mode, Request};
use crate::protocol::rule::{Candidates, Facts};
use crate::protocol::{Attr, Kind, Mask};
use crate::tree::{Dir, Entry, Span, TOP, Tree};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::RawDir;
use rustix::io::Errno;

/// The first id that distributions give to people.
const FIRST_ORDINARY_UID: u32 = 1000;
const NOBODY: u32 = 65534;

/// What the walk works on.
pub struct Walk<'a> {
    pub place: &'a Place,
    pub request: &'a Request,
    pub mounts: &'a [Mount],
    pub clock: &'a crate::clock::Clock,
    pub tree: Tree,
    pub coverage: Coverage,
    ignored: Vec<u64>,
    linked: Vec<u32>,
    deferred: Vec<u32>,
    /// Paths that were listed and then not there: looked at once more at the end.
    vanished: Vec<Vec<u8>>,
    /// The tree that ordinary users can write and that is being walked, and its troubles so far.
    guard: Option<(Vec<u8>, u32)>,
    /// What the records of all such trees may still take in the answer.
    guard_room: u64,
    /// The owner of the scope's top, who is no ordinary user in his own tree.
    top_owner: u32,
    path: Vec<u8>,
}

/// The longest path that a record can have.
const PATH_MOST: usize = 4096;
/// What a record takes in an answer, besides its path.
pub const RECORD: u64 = 160;
/// Troubles of one tree of ordinary users, after which there is one for the whole tree.
pub const GUARD_TROUBLES: u32 = 16;

/// Directories to list: number, depth, and the rules that can matter in the one above.
type Waiting = Vec<(u32, u32, Rc<Candidates>)>;

/// What one tree may still cost.
struct Budget {
    entries: u64,
    bytes: u64,
    guard: bool,
}

impl<'a> Walk<'a> {
    /// Prepares a walk.
    pub fn new(place: &'a Place, request: &'a Request, mounts: &'a [Mount], clock: &'a crate::clock::Clock) -> Self {
        Self {
            place,
            request,
            mounts,
            clock,
            tree: Tree::default(),
            coverage: Coverage::default(),
            ignored: alloc::vec![0; request.rules.rules().len() + 1],
            linked: Vec::new(),
            deferred: Vec::new(),
            vanished: Vec::new(),
            guard: None,
            guard_room: request.limits.guard_records,
            top_owner: 0,
            path: Vec::new(),
        }
    }

    /// Walks every scope, then the trees that were put off; gives the tree and the coverage so far.
    pub fn run(mut self) -> (Tree, Coverage) {
        let limits = self.request.limits;
        let mut budget = Budget { entries: limits.entries, bytes: limits.bytes, guard: false };
        for scope in &self.request.scopes {
            self.scope(scope, &mut budget);
        }
        self.look_again();
        for path in GUARD_ROOTS {
            self.guard_root(path);
        }
        let mut put_off = core::mem::take(&mut self.deferred);
        // A guard root that an ordinary part of the walk met already stands there once.
        put_off.dedup();
        // Those that everybody can write come last: who fills them leaves no less room to the others.
        for last in [false, true] {
            for dir in &put_off {
                self.guarded(*dir, last);
            }
        }
        self.guard = None;
        let linked = core::mem::take(&mut self.linked);
        self.tree.group_links(linked);
        for (rule, count) in self.ignored.iter().enumerate() {
            if *count > 0 {
                let number = if rule == self.ignored.len() - 1 { u16::MAX } else { rule as u16 };
                self.coverage.ignored.push((number, *count));
            }
        }
        (self.tree, self.coverage)
    }

    /// Walks a tree that was put off, where it is one of those whose turn it is.
    fn guarded(&mut self, dir: u32, everybodys: bool) {
        let limits = self.request.limits;
        let mut top = Vec::new();
        self.tree.dir_path(dir, &mut top);
        if GUARD_ROOTS.contains(&top.as_slice()) != everybodys {
            return;
        }
        self.tree.guards.push((self.tree.entries.len() as u32, top.clone()));
        self.guard = Some((top, 0));
        let mut budget = Budget { entries: limits.guard_entries, bytes: limits.guard_bytes, guard: true };
        self.subtree(dir, &mut budget);
        self.look_again();
    }

    fn scope(&mut self, scope: &[u8], budget: &mut Budget) {
        if let Some(mount) = self.mount_at(scope)
            && !mount.is_local()
            && scope != b"/"
        {
            return self.skip(scope);
        }
        let name = match self.tree.store(scope) {
            Some(name) => name,
            None => return self.trouble(scope, Part::Below, Why::Limit, 0),
        };
        let relative = scope.strip_prefix(b"/").unwrap_or(scope);
        let (dir, last) = match relative.iter().rposition(|b| *b == b'/') {
            Some(at) => (self.place.directory(&scope[..at + 1]), &relative[at + 1..]),
            None => (self.place.directory(b"/"), relative),
        };
        let last = if last.is_empty() { b"." } else { last };
        let stat = match dir.and_then(|dir| Meta::of(dir.as_fd(), last)) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return,
            Err(errno) => return self.trouble(scope, Part::Below, why(errno), errno.raw_os_error()),
        };
        self.top_owner = stat.uid;
        let candidates = self.request.rules.all();
        self.coverage.walked += 1;
        let root = self.place.directory(b"/");
        let at = root.as_ref().map_or(self.place.root(), AsFd::as_fd);
        self.record(at, relative, scope, TOP, name, &stat, &candidates, budget);
        if stat.kind == Some(Kind::Directory) {
            let dir = self.tree.dirs.len() as u32;
            self.tree.dirs.push(Dir { parent: TOP, name, recorded: true });
            self.subtree(dir, budget);
        }
    }

    /// A guard root on a mount that the walk did not enter (`/dev/shm` under devtmpfs, `/tmp` in memory).
    fn guard_root(&mut self, path: &[u8]) {
        let within = |scope: &Vec<u8>| {
            scope == b"/" || path.strip_prefix(scope.as_slice()).is_some_and(|rest| rest.first() == Some(&b'/'))
        };
        let hidden = self
            .mounts
            .iter()
            .any(|mount| !mount.is_local() && (mount.path == path || mount.path.len() > 1 && below(path, &mount.path)));
        let entered = |mount: &Mount| mount.is_local() || mount.is_memory();
        // Only the mount that holds the guard root decides: /dev is the kernel's, /dev/shm is memory.
        let holder = self
            .mounts
            .iter()
            .filter(|mount| mount.path == path || below(path, &mount.path))
            .max_by_key(|m| m.path.len());
        if !hidden || !self.request.scopes.iter().any(within) || !holder.is_some_and(entered) {
            return;
        }
        match self.place.directory(path) {
            Err(Errno::NOENT) => return,
            Err(errno) => return self.trouble(path, Part::Below, why(errno), errno.raw_os_error()),
            Ok(_) => {}
        }
        if let Some(name) = self.tree.store(path) {
            let dir = self.tree.dirs.len() as u32;
            self.tree.dirs.push(Dir { parent: TOP, name, recorded: true });
            self.deferred.push(dir);
        }
    }

    fn subtree(&mut self, top: u32, budget: &mut Budget) {
        let mut waiting: Waiting = alloc::vec![(top, 0, Rc::new(self.request.rules.all()))];
        while let Some((dir, depth, above)) = waiting.pop() {
            let mut path = core::mem::take(&mut self.path);
            self.tree.dir_path(dir, &mut path);
            let over = depth >= self.request.limits.depth || path.len() > 4000 || self.clock.is_over();
            if over || budget.entries == 0 {
                self.trouble(&path, Part::Below, Why::Limit, 0);
            } else {
                self.list(dir, depth, &path, &above, budget, &mut waiting);
            }
            self.path = path;
        }
    }

    fn list(&mut self, dir: u32, depth: u32, path: &[u8], above: &[u16], budget: &mut Budget, waiting: &mut Waiting) {
        let candidates = Rc::new(self.request.rules.narrow(above, path));
        if let Some(rule) = self.request.rules.prunes(&candidates) {
            if self.coverage.pruned.len() < Coverage::MOST {
                self.coverage.pruned.push((rule, path.to_vec()));
            }
            return;
        }
        let fd = match self.place.directory(path) {
            Ok(fd) => fd,
            // Gone since its parent was listed. Where its record is in the set, the set tells of a folder that nobody looked
            // into; and a folder that is only away for a moment hides what is in it.
            Err(errno @ Errno::NOENT) if self.tree.dirs[dir as usize].recorded => {
                return self.trouble(path, Part::Below, Why::Racing, errno.raw_os_error());
            }
            Err(Errno::NOENT) => return self.vanished.push(path.to_vec()),
            // Something else stands there by now.
            Err(errno @ (Errno::NOTDIR | Errno::LOOP)) => {
                return self.trouble(path, Part::Below, Why::Racing, errno.raw_os_error());
            }
            Err(errno) => return self.trouble(path, Part::Below, why(errno), errno.raw_os_error()),
        };
        let mut names: Vec<Span> = Vec::new();
        let mut listing = Vec::new();
        let mut buffer = [MaybeUninit::<u8>::uninit(); 32 * 1024];
        let mut raw = RawDir::new(&fd, &mut buffer);
        while let Some(next) = raw.next() {
            let name = match next {
                Ok(ref entry) => entry.file_name().to_bytes(),
                Err(errno) => {
                    self.trouble(path, Part::Below, why(errno), errno.raw_os_error());
                    break;
                }
            };
            if name == b"." || name == b".." {
                continue;
            }
            if budget.entries == 0 {
                self.trouble(path, Part::Below, Why::Limit, 0);
                break;
            }
            budget.entries -= 1;
            let at = listing.len();
            listing.extend_from_slice(name);
            names.push(Span::new(at, name.len()));
        }
        crate::order::sort(&mut names, |a, b| a.of(&listing).cmp(b.of(&listing)));
        let mut child = path.to_vec();
        if child.last() != Some(&b'/') {
            child.push(b'/');
        }
        let head = child.len();
        let first_new = waiting.len();
        for name in names {
            let name = name.of(&listing);
            child.truncate(head);
            child.extend_from_slice(name);
            self.coverage.walked += 1;
            if child.len() > PATH_MOST {
                self.trouble(path, Part::Below, Why::Limit, 0);
                continue;
            }
            if let Some(mount) = self.mount_at(&child)
                && !mount.is_local()
            {
                self.skip(&child);
                continue;
            }
            let stat = match Meta::of(fd.as_fd(), name) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => {
                    self.vanished.push(child.clone());
                    continue;
                }
                Err(errno) => {
                    self.trouble(&child, Part::Entry, why(errno), errno.raw_os_error());
                    continue;
                }
            };
            let Some(span) = self.tree.store(name) else {
                self.trouble(&child, Part::Entry, Why::Limit, 0);
                continue;
            };
            let before = self.tree.entries.len();
            self.record(fd.as_fd(), name, &child, dir, span, &stat, &candidates, budget);
            let recorded = self.tree.entries.len() > before;
            if stat.kind == Some(Kind::Directory) {
                let below = self.tree.dirs.len() as u32;
                self.tree.dirs.push(Dir { parent: dir, name: span, recorded });
                let ordinary = stat.uid >= FIRST_ORDINARY_UID && stat.uid != NOBODY && stat.uid != self.top_owner;
                if !budget.guard && (stat.mode & 0o002 != 0 || ordinary) {
                    self.deferred.push(below);
                } else {
                    waiting.push((below, depth + 1, Rc::clone(&candidates)));
                }
            }
        }
        // The stack gives the last one first.
        waiting[first_new..].reverse();
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call from two places, and a struct of borrowed parts would be built for each entry"
    )]
    fn record(
        &mut self,
        dir_fd: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        dir: u32,
        span: Span,
        stat: &Meta,
        candidates: &[u16],
        budget: &mut Budget,
    ) {
        let Some(kind) = stat.kind else {
            return self.trouble(path, Part::Entry, Why::Io, 0);
        };
        let mode = stat.mode;
        let facts = Facts { kind, mode };
        let mut capable = || crate::xattrs::has_capability(dir_fd, name);
        let (rule, mask) = self.request.rules.decide(candidates, path, facts, &mut capable);
        let view = if kind == Kind::File && mask.has(Attr::View) { self.request.rules.view_of(rule) } else { None };
        // Where a view is compared, a digest of the bytes would make it vain, and size tells of them.
        let mask = if view.is_some() { mask.without(Mask::BYTES) } else { mask };
        let capture = self.request.mode == Mode::Capture;
        let mask = if capture { raw(mask, view.is_some()) } else { mask };
        if mask == Mask::NONE {
            let last = self.ignored.len() - 1;
            self.ignored[usize::from(rule).min(last)] += 1;
            return;
        }
        if budget.guard {
            match self.guard_room.checked_sub(RECORD + path.len() as u64) {
                Some(left) => self.guard_room = left,
                None => return self.trouble(path, Part::Entry, Why::Limit, 0),
            }
        }
        let mut entry = Entry {
            name: span,
            dir,
            mode,
            kind,
            flags: stat.flags.unwrap_or(0) | if budget.guard { Entry::GUARD } else { 0 },
            uid: stat.uid,
            gid: stat.gid,
            size: stat.size,
            ino: stat.ino,
            dev: stat.dev,
            changed: stat.changed,
            mask,
            view,
            extra: Span::default(),
            leader: Entry::NO_LEADER,
        };
        // Links and special files have no flags on any file system.
        if stat.flags.is_none() && mask.has(Attr::Flags) && matches!(kind, Kind::File | Kind::Directory) {
            self.coverage.flags_untold += 1;
        }
        match kind {
            Kind::File if entry.is_read() => self.plan_content(&mut entry, path, budget),
            Kind::Symlink if mask.has(Attr::Target) => match crate::place::link(dir_fd, name) {
                Ok(target) => match self.tree.store(target.to_bytes()) {
                    Some(span) => entry.extra = span,
                    None => return self.trouble(path, Part::Entry, Why::Limit, 0),
                },
                Err(errno) => return self.trouble(path, Part::Entry, Why::Racing, errno.raw_os_error()),
            },
            Kind::Block | Kind::Char => {
                entry.size = stat.device;
            }
            Kind::File | Kind::Directory | Kind::Symlink | Kind::Fifo | Kind::Socket => {}
        }
        if kind == Kind::File && stat.links > 1 && mask.has(Attr::Link) {
            self.linked.push(self.tree.entries.len() as u32);
        }
        self.tree.entries.push(entry);
    }

    fn plan_content(&mut self, entry: &mut Entry, path: &[u8], budget: &mut Budget) {
        let oversize = entry.size > self.request.limits.file_bytes;
        // Two files above the cap are told apart by their sizes; a golden file that is read by a view has none.
        let blind = oversize && entry.view.is_some() && self.request.mode == Mode::Capture;
        if oversize && !blind {
            entry.flags |= Entry::OVERSIZE;
            self.coverage.oversize += 1;
        } else if blind || entry.size > budget.bytes {
            entry.flags |= Entry::OVER_BUDGET;
            self.trouble(path, Part::Content, Why::Limit, 0);
        } else {
            budget.bytes -= entry.size;
        }
    }

    fn mount_at(&self, path: &[u8]) -> Option<&'a Mount> {
        self.mounts.binary_search_by(|mount| mount.path.as_slice().cmp(path)).ok().map(|at| &self.mounts[at])
    }

    fn skip(&mut self, path: &[u8]) {
        let Some(mount) = self.mount_at(path) else { return };
        // A FUSE subtype can be as long as its user likes.
        let fs_type = mount.fs_type[..mount.fs_type.len().min(255)].to_vec();
        let skipped = SkippedMount { path: path.to_vec(), fs_type };
        if self.coverage.skipped_mounts.len() < Coverage::MOST {
            self.coverage.skipped_mounts.push(skipped);
        } else {
            self.trouble(path, Part::Below, Why::Limit, 0);
        }
    }

    /// Notes a trouble. A tree that ordinary users can write has room for a few, then one for all of it: whoever fills it
    /// must not drive the troubles of other trees out of the account.
    fn trouble(&mut self, path: &[u8], part: Part, why: Why, errno: i32) {
        let Some((top, count)) = &mut self.guard else {
            return note(&mut self.coverage, path, part, why, errno);
        };
        *count += 1;
        if *count < GUARD_TROUBLES {
            note(&mut self.coverage, path, part, why, errno);
        } else if *count == GUARD_TROUBLES {
            note(&mut self.coverage, top, Part::Below, why, errno);
        }
    }

    /// What was listed and then not there is there again: somebody moved it out of the way.
    fn look_again(&mut self) {
        for path in core::mem::take(&mut self.vanished) {
            let at = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
            let dir = self.place.directory(&path[..at + 1]);
            if dir.is_ok_and(|dir| Meta::of(dir.as_fd(), &path[at + 1..]).is_ok()) {
                self.trouble(&path, Part::Below, Why::Racing, 0);
            }
        }
    }
}

/// What a capture keeps of a path: everything, so that the baseline outlives the policy, but content and size only where
/// content is compared, since a log's would differ with every capture. Of a file that is read by a view it keeps the view
/// alone: a digest of a secret's bytes, or of what is one host's own, has no place in a baseline.
fn raw(mask: Mask, viewed: bool) -> Mask {
    if mask == Mask::NONE {
        Mask::NONE
    } else if viewed {
        Mask::VIEWED.with(Attr::Selinux)
    } else if mask.has(Attr::Content) {
        Mask::STRICT.with(Attr::Selinux)
    } else {
        Mask::METADATA.with(Attr::Selinux)
    }
}

/// Counts a trouble, and keeps its detail while there is room.
pub fn note(coverage: &mut Coverage, path: &[u8], part: Part, why: Why, errno: i32) {
    coverage.troubles_total += 1;
    if coverage.troubles.len() < Coverage::MOST {
        let path = path[..path.len().min(4096)].to_vec();
        coverage.troubles.push(Trouble { path, part, why, errno: u16::try_from(errno).unwrap_or(0) });
    }
}

/// What an error of the kernel means for the coverage.
pub fn why(errno: Errno) -> Why {
    match errno {
        Errno::ACCESS | Errno::PERM => Why::Denied,
        _ => Why::Io,
    }
}

fn below(path: &[u8], dir: &[u8]) -> bool {
    dir == b"/" || path.strip_prefix(dir).is_some_and(|rest| rest.first() == Some(&b'/'))
}
