//! From what was listed to what is compared: the rules decide as they do on the host under a probe.
//!
//! *Invariant:* an entry is in the set, ignored by a rule that is counted, behind a mount or a left out folder that is named, or
//! a trouble.

use super::listing::Stat;
use super::mounts::{Mount, within};
use super::owners::Names;
use super::walk::{Entry, trouble};
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::mount::GUARD_ROOTS;
use crate::protocol::record::RecordWriter;
use crate::protocol::request::Limits;
use crate::protocol::rule::Facts;
use crate::protocol::{Attr, Digest, Kind, Mask, Record, RuleSet, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// The longest path that a record can have.
const PATH_MOST: usize = 4096;

/// What is known of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    NotAsked,
    Oversize,
    Wanted,
    Unread(Why),
    Read(Digest),
}

/// One entry that is compared.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) path: Vec<u8>,
    pub(super) stat: Stat,
    kind: Kind,
    target: Option<Vec<u8>>,
    mask: Mask,
    pub(super) content: Content,
}

/// What decides.
pub(super) struct Terms<'a> {
    pub(super) scopes: &'a [Vec<u8>],
    pub(super) rules: &'a RuleSet,
    pub(super) mounts: &'a [Mount],
    pub(super) limits: Limits,
    /// Guard roots behind a mount.
    pub(super) hidden: &'a [Vec<u8>],
    /// Paths that have a file capability in the baseline: nobody sees here whether they still have, and a rule may ask.
    pub(super) capable: &'a HashSet<Vec<u8>>,
}

/// Folders that rules leave out whole and that can be named to find: those without a wildcard.
pub(super) fn left_out(rules: &RuleSet) -> Vec<Vec<u8>> {
    let named = rules.rules().iter().filter(|rule| rule.mask == Mask::NONE);
    let mut paths: Vec<Vec<u8>> = named
        .filter_map(|rule| rule.pattern.text().strip_suffix(b"/**"))
        .filter(|path| !path.is_empty() && !path.iter().any(|b| b"*?[\\".contains(b)))
        .filter(|path| rules.prunes(&rules.narrow(&rules.all(), path)).is_some())
        .map(<[u8]>::to_vec)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The rules that can matter in a folder; `None` where nothing below it is looked at.
type Open = Option<Rc<Vec<u16>>>;

/// Decides about every entry, and drops the troubles of folders that nobody asked about.
pub(super) fn decide(
    entries: BTreeMap<Vec<u8>, Entry>,
    troubles: Vec<Trouble>,
    terms: &Terms<'_>,
    coverage: &mut Coverage,
) -> Vec<Planned> {
    let bytes = [terms.limits.bytes, terms.limits.guard_bytes];
    let (folders, ignored) = (HashMap::new(), BTreeMap::new());
    let mut plan = Plan { terms, coverage, folders, ignored, planned: Vec::new(), bytes };
    for path in terms.hidden {
        plan.enter(path, &terms.rules.all());
    }
    for (path, entry) in entries {
        plan.entry(path, entry);
    }
    for trouble in troubles {
        plan.trouble(trouble);
    }
    plan.finish()
}

struct Plan<'a> {
    terms: &'a Terms<'a>,
    coverage: &'a mut Coverage,
    folders: HashMap<Vec<u8>, Open>,
    ignored: BTreeMap<u16, u64>,
    planned: Vec<Planned>,
    /// Bytes that may still be hashed: outside of guard roots, and in them.
    bytes: [u64; 2],
}

impl Plan<'_> {
    fn is_scope(&self, path: &[u8]) -> bool {
        self.terms.scopes.iter().any(|scope| scope == path)
    }

    /// The rules that matter among a path's neighbours.
    fn around(&self, path: &[u8]) -> Open {
        if self.is_scope(path) {
            return Some(Rc::new(self.terms.rules.all()));
        }
        super::trust::parent(path).and_then(|folder| self.folders.get(folder)).cloned().flatten()
    }

    fn entry(&mut self, path: Vec<u8>, Entry { stat, target }: Entry) {
        let Some(rules) = self.around(&path) else { return self.astray(&path) };
        self.coverage.walked += 1;
        if path.len() > PATH_MOST {
            let folder = super::trust::parent(&path).unwrap_or(b"/").to_vec();
            self.folders.insert(path, None);
            return note(self.coverage, trouble(&folder, Part::Below, Why::Limit));
        }
        if let Ok(at) = self.terms.mounts.binary_search_by(|mount| mount.path.cmp(&path))
            && let Some(mount) = self.terms.mounts.get(at).filter(|mount| !mount.is_local() && path != b"/")
        {
            let fs_type = mount.fs_type[..mount.fs_type.len().min(255)].to_vec();
            self.folders.entry(path.clone()).or_insert(None);
            return self.coverage.skipped_mounts.push(SkippedMount { path, fs_type });
        }
        if stat.is_directory() {
            self.enter(&path, &rules);
        }
        self.record(path, stat, target, &rules);
    }

    /// An entry of a folder that is not open: closed by what is told elsewhere, or never listed as a folder, so that nobody
    /// knows which rules matter in it.
    fn astray(&mut self, path: &[u8]) {
        let above = |path| std::iter::successors(super::trust::parent(path), |path| super::trust::parent(path));
        let known = above(path).find_map(|folder| self.folders.get(folder));
        if matches!(known, Some(None)) || self.terms.hidden.iter().any(|hidden| hidden == path) {
            return;
        }
        // Once for the folder, whatever is in it.
        let folder = super::trust::parent(path).unwrap_or(b"/");
        self.folders.insert(folder.to_vec(), None);
        note(self.coverage, trouble(folder, Part::Below, Why::Racing));
    }

    fn enter(&mut self, path: &[u8], above: &[u16]) {
        let rules = self.terms.rules.narrow(above, path);
        let open = match self.terms.rules.prunes(&rules) {
            Some(rule) => {
                self.coverage.pruned.push((rule, path.to_vec()));
                None
            }
            None => Some(Rc::new(rules)),
        };
        self.folders.insert(path.to_vec(), open);
    }

    fn record(&mut self, path: Vec<u8>, stat: Stat, target: Option<Vec<u8>>, rules: &[u16]) {
        let Some(kind) = stat.kind else {
            return note(self.coverage, trouble(&path, Part::Entry, Why::Io));
        };
        let facts = Facts { kind, mode: stat.mode };
        let (rule, mask) = self.terms.rules.decide(rules, &path, facts, &mut || self.terms.capable.contains(&path));
        if mask == Mask::NONE {
            *self.ignored.entry(rule).or_default() += 1;
            return;
        }
        if kind == Kind::Symlink && mask.has(Attr::Target) && target.is_none() {
            return note(self.coverage, trouble(&path, Part::Entry, Why::Racing));
        }
        let mut content = Content::NotAsked;
        if kind == Kind::File && mask.has(Attr::Content) {
            let left = &mut self.bytes[usize::from(GUARD_ROOTS.iter().any(|guard| within(&path, guard)))];
            if stat.size > self.terms.limits.file_bytes {
                self.coverage.oversize += 1;
                content = Content::Oversize;
            } else if let Some(rest) = left.checked_sub(stat.size) {
                *left = rest;
                content = Content::Wanted;
            } else {
                note(self.coverage, trouble(&path, Part::Content, Why::Limit));
                content = Content::Unread(Why::Limit);
            }
        }
        self.planned.push(Planned { path, stat, kind, target, mask, content });
    }

    /// Keeps a trouble unless it is of a place that nobody asked about.
    fn trouble(&mut self, trouble: Trouble) {
        let known = self.is_scope(&trouble.path) || self.terms.hidden.contains(&trouble.path);
        let closed = matches!(self.folders.get(&trouble.path), Some(None));
        if !closed && (known || self.around(&trouble.path).is_some()) {
            note(self.coverage, trouble);
        }
    }

    fn finish(self) -> Vec<Planned> {
        self.coverage.ignored = self.ignored.into_iter().collect();
        let (skipped, pruned) = (&mut self.coverage.skipped_mounts, &mut self.coverage.pruned);
        let lost = skipped.len().saturating_sub(Coverage::MOST) as u64;
        skipped.truncate(Coverage::MOST);
        pruned.sort_by(|a, b| a.1.cmp(&b.1));
        pruned.truncate(Coverage::MOST);
        self.coverage.troubles_total += lost;
        self.planned
    }
}

/// Counts a trouble, and keeps its detail while there is room.
pub(super) fn note(coverage: &mut Coverage, trouble: Trouble) {
    coverage.troubles_total += 1;
    if coverage.troubles.len() < Coverage::MOST {
        coverage.troubles.push(trouble);
    }
}

/// The records of what was planned, by the encoding of the probe.
pub(super) fn records(planned: &[Planned], users: &Names, groups: &Names) -> Vec<Record> {
    let leaders = leaders(planned);
    let mut out = Vec::new();
    let mut records = Vec::with_capacity(planned.len());
    for (number, entry) in planned.iter().enumerate() {
        out.clear();
        let leader = leaders.get(&number).map(|leader| planned[*leader].path.as_slice());
        entry.encode(leader, users, groups, &mut out);
        records.extend(Record::parse(&out).ok());
    }
    records
}

impl Planned {
    fn encode(&self, leader: Option<&[u8]>, users: &Names, groups: &Names, out: &mut Vec<u8>) {
        let (mask, stat) = (self.mask, &self.stat);
        let mut record = RecordWriter::new(out, &[&b"fs:"[..], &self.path].concat());
        record.present(Attr::Kind, &[self.kind as u8]);
        if mask.has(Attr::Mode) && self.kind != Kind::Symlink {
            record.present(Attr::Mode, &stat.mode.to_le_bytes());
        }
        if mask.has(Attr::Owner) {
            record.present(Attr::Owner, &users.name(stat.uid));
        }
        if mask.has(Attr::Group) {
            record.present(Attr::Group, &groups.name(stat.gid));
        }
        if self.kind == Kind::File && mask.has(Attr::Size) {
            record.present(Attr::Size, &stat.size.to_le_bytes());
        }
        match &self.content {
            Content::NotAsked => {}
            Content::Oversize => record.put(Attr::Content, Value::Oversize),
            Content::Wanted => record.put(Attr::Content, Value::Unread(Why::NotRead)),
            Content::Unread(why) => record.put(Attr::Content, Value::Unread(*why)),
            Content::Read(digest) => record.present(Attr::Content, digest),
        }
        if let Some(target) = self.target.as_ref().filter(|_| self.kind == Kind::Symlink && mask.has(Attr::Target)) {
            record.present(Attr::Target, target);
        }
        if matches!(self.kind, Kind::Block | Kind::Char) && mask.has(Attr::Device) {
            record.present(Attr::Device, format!("{}:{}", stat.device.0, stat.device.1).as_bytes());
        }
        if let Some(leader) = leader {
            record.present(Attr::Link, leader);
        }
    }
}

/// For each file that has more than one name in the set, the first of them.
fn leaders(planned: &[Planned]) -> HashMap<usize, usize> {
    let mut groups: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    for (number, entry) in planned.iter().enumerate() {
        if entry.kind == Kind::File && entry.stat.links > 1 && entry.mask.has(Attr::Link) {
            groups.entry((entry.stat.dev, entry.stat.ino)).or_default().push(number);
        }
    }
    // Entries are in the order of their paths.
    let groups = groups.into_values().filter(|group| group.len() > 1);
    groups.flat_map(|group| group.clone().into_iter().map(move |number| (number, group[0]))).collect()
}
