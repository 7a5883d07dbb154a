//! One visit of a host by its own programs, from the first word to the records.
//!
//! *Invariant:* nothing is opened before stat told what it is and who could swap it.

use super::digests::Digests;
use super::listing;
use super::machine::{Machine, Sources, Words};
use super::mounts::{self, Mount, within};
use super::owners::Names;
use super::packages;
use super::plan::{self, Terms, note};
use super::script::FILES;
use super::stream::Stream;
use super::trust::Trust;
use super::walk::{Bounds, Walk, place, trouble};
use crate::collect::converse::Ask;
use crate::collect::failure::Failure;
use crate::model::Reason;
use crate::model::text::escape;
use crate::protocol::coverage::{Coverage, Part, Why};
use crate::protocol::reply::{Texts, evidence};
use crate::protocol::{Kind, Mask, Record, System};
use crate::transport::Connection;
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

/// Levels that find goes down: a path of so many names fits into what xargs of busybox takes.
const DEPTH_MOST: u32 = 100;
/// The most bytes of a file that is read as a whole.
const FILE_MOST: u64 = 64 << 20;
/// Bytes of a listing of the trees that only the system writes, and of each that everybody may write.
const LISTING_MOST: u64 = 192 << 20;
const GUARD_MOST: u64 = 2 << 20;

const STATUS: &[u8] = b"/var/lib/dpkg/status";
/// Pieces of dpkg's work that are not folded into its status file yet.
const UPDATES: &[u8] = b"/var/lib/dpkg/updates";

/// A visit under way.
pub(super) struct Visit<'a> {
    stream: Stream<'a>,
    ask: &'a Ask<'a>,
    /// The scanned root on the host; empty where it is `/`.
    prefix: Vec<u8>,
    words: Words,
    mounts: Option<Vec<Mount>>,
    trust: Trust,
    coverage: Coverage,
    start: Instant,
    depth: u32,
}

impl<'a> Visit<'a> {
    /// Starts the text on the host and asks what it needs to know before it looks at files.
    pub(super) fn open(connection: &'a mut dyn Connection, ask: &'a Ask<'a>) -> Result<Self, Failure> {
        let start = Instant::now();
        let root = ask.root.as_bytes();
        if !listing::is_plain(root) || root.contains(&b'\n') {
            return Err(Failure::new(Reason::Io, "the sh way wants the folder to scan in its shortest form"));
        }
        let prefix = if root == b"/" { Vec::new() } else { root.to_vec() };
        let depth = ask.limits.depth.min(DEPTH_MOST);
        let mut stream = Stream::open(connection, ask.sudo, &ask.nonce, depth, &prefix)?;
        let words = words(&mut stream)?;
        stream.verb('m', "")?;
        let table = stream.frame()?;
        let mounts = (table.status == 0 && !table.payload.is_empty()).then(|| mounts::parse(&table.payload, root));
        let mut coverage = Coverage::default();
        if mounts.is_none() {
            note(&mut coverage, trouble(b"mountinfo", Part::Source, Why::Io));
        }
        let trust = Trust::new(words.uid);
        let mut visit = Self { stream, ask, prefix, words, mounts, trust, coverage, start, depth };
        visit.look()?;
        Ok(visit)
    }

    /// Asks about the folders above what is scanned, and about the files that are read as a whole.
    fn look(&mut self) -> Result<(), Failure> {
        let mut paths = BTreeSet::new();
        let files = FILES.iter().chain(&[UPDATES]).map(|file| place(&self.prefix, file));
        let scopes = self.ask.scopes.iter().map(|scope| place(&self.prefix, scope));
        for path in files.chain(scopes).chain([place(&self.prefix, b"/")]) {
            let mut above = Some(path.as_slice());
            while let Some(path) = above {
                paths.insert(path.to_vec());
                above = super::trust::parent(path);
            }
        }
        let mut block = paths.iter().cloned().collect::<Vec<_>>().join(&0);
        block.push(0);
        self.stream.block('s', &block)?;
        let frame = self.stream.frame()?;
        for entry in listing::parse(&frame.payload, false)? {
            if !paths.contains(&entry.path) {
                return Err(Failure::protocol("a path that was not asked for"));
            }
            if let Some(stat) = &entry.stat {
                self.trust.know(&entry.path, stat);
            }
        }
        let root = place(&self.prefix, b"/");
        let above = paths.iter().filter(|path| within(&root, path));
        for path in above {
            let text = match self.trust.stat(path) {
                Some(stat) if stat.is_directory() => continue,
                Some(stat) if stat.kind == Some(Kind::Symlink) => {
                    "the way to it leads through a symbolic link, which the sh way does not follow"
                }
                Some(_) => "Not a directory",
                None => "No such file or directory, or nobody may look at it",
            };
            return Err(Failure {
                remedy: Some("check root= in the hosts file".to_owned()),
                ..Failure::new(Reason::Io, format!("the folder to scan can't be opened: {text}"))
            });
        }
        let passwd = place(&self.prefix, b"/etc/passwd");
        let known = self.trust.stat(&passwd).cloned();
        match known.and_then(|stat| self.trust.danger(&passwd, &stat)) {
            // Without the tree's own names every owner would pass for another one.
            Some(folder) => Err(Failure {
                remedy: Some("let a probe run there, or keep the folder where root alone may write".to_owned()),
                ..Failure::new(
                    Reason::Unreadable,
                    format!("other accounts may write to {}, so that the sh way opens nothing below", escape(&folder)),
                )
            }),
            None => Ok(()),
        }
    }

    /// What the machine says it is.
    pub(super) fn machine(&mut self) -> Result<Machine, Failure> {
        let os_release = match self.file(b"/etc/os-release")? {
            Some(text) => Some(text),
            None => self.file(b"/usr/lib/os-release")?,
        };
        let kernel_stat = if self.ask.live {
            self.stream.verb('t', "")?;
            self.stream.frame()?.payload
        } else {
            Vec::new()
        };
        let sources = Sources {
            os_release: os_release.unwrap_or_default(),
            dpkg_arch: self.file(b"/var/lib/dpkg/arch")?.unwrap_or_default(),
            machine_id: self.file(b"/etc/machine-id")?,
            kernel_stat,
        };
        Ok(Machine::new(&self.words, &sources, self.ask.live))
    }

    /// Everything that is compared, but for the facts. `capable` are the paths that should have a file capability.
    pub(super) fn records(&mut self, capable: &HashSet<Vec<u8>>) -> Result<Vec<Record>, Failure> {
        let (ask, limits) = (self.ask, self.ask.limits);
        let until = self.start + Duration::from_secs(u64::from(limits.seconds));
        let users = Names::parse(&self.file(b"/etc/passwd")?.unwrap_or_default());
        let groups = Names::parse(&self.file(b"/etc/group")?.unwrap_or_default());
        let bounds = Bounds {
            depth: self.depth,
            entries: limits.entries,
            bytes: LISTING_MOST,
            guard_entries: limits.guard_entries,
            guard_bytes: GUARD_MOST,
        };
        let mut walk = Walk::new(&mut self.stream, &self.prefix, self.mounts.as_deref(), bounds, &mut self.trust);
        walk.run(ask.scopes, &plan::left_out(ask.rules))?;
        let Walk { entries, troubles, hidden, .. } = walk;
        let mounts = self.mounts.as_deref().unwrap_or_default();
        let terms = Terms { scopes: ask.scopes, rules: ask.rules, mounts, limits, hidden: &hidden, capable };
        let mut planned = plan::decide(entries, troubles, &terms, &mut self.coverage);
        let mut digests = Digests {
            stream: &mut self.stream,
            prefix: &self.prefix,
            trust: &mut self.trust,
            uid: self.words.uid,
            file_bytes: limits.file_bytes,
            until,
        };
        digests.run(&mut planned, &mut self.coverage)?;
        let mut records = plan::records(&planned, &users, &groups);
        records.extend(self.packages()?);
        if ask.live {
            records.extend(self.mount_records());
        }
        Ok(records)
    }

    /// Ends the visit; gives what it could see, and adds the host's clock, which is compared with ours right after.
    pub(super) fn bye(self, evidence: &mut Texts) -> Result<Coverage, Failure> {
        let Self { mut stream, mut coverage, start, .. } = self;
        evidence.put(evidence::CLOCK, &words(&mut stream)?.clock);
        stream.bye()?;
        coverage.millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(coverage)
    }

    /// One of the files that are read as a whole; `None` where it is none, or may not be opened.
    fn file(&mut self, path: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let Some(number) = FILES.iter().position(|file| *file == path) else { return Ok(None) };
        let place = place(&self.prefix, path);
        let regular = self.trust.stat(&place).filter(|stat| stat.kind == Some(Kind::File) && stat.size <= FILE_MOST);
        let Some(stat) = regular.cloned() else { return Ok(None) };
        if self.trust.danger(&place, &stat).is_some() {
            return Ok(None);
        }
        self.stream.verb('f', &(number + 1).to_string())?;
        let frame = self.stream.frame()?;
        Ok((frame.status == 0).then_some(frame.payload))
    }

    /// Of the places of package databases, those that are there.
    pub(super) fn places_there(&self) -> BTreeSet<Vec<u8>> {
        let there = |path: &&[u8]| self.trust.stat(&place(&self.prefix, path)).is_some();
        super::unseen::places().filter(there).map(<[u8]>::to_vec).collect()
    }

    /// The packages of dpkg's database; a database that can't be read as a whole is a trouble.
    fn packages(&mut self) -> Result<Vec<Record>, Failure> {
        let status = place(&self.prefix, STATUS);
        let Some(before) = self.trust.stat(&status).cloned() else { return Ok(Vec::new()) };
        self.coverage.systems |= System::Dpkg.bit();
        let found = match self.file(STATUS)? {
            Some(text) if !self.is_interrupted()? => packages::parse(&text),
            Some(_) | None => None,
        };
        // The database was looked at in the beginning, so that this also tells what changed during the whole visit.
        self.stream.block('s', &[&status[..], b"\0"].concat())?;
        let frame = self.stream.frame()?;
        let after = listing::parse(&frame.payload, false)?.into_iter().find_map(|entry| entry.stat);
        let same = after.is_some_and(|after| after.is_same(&before));
        match found {
            Some(packages) if same => {
                self.coverage.packages = packages.len() as u64;
                Ok(packages)
            }
            Some(_) => {
                note(&mut self.coverage, trouble(b"packages", Part::Source, Why::Packages));
                Ok(Vec::new())
            }
            None => {
                note(&mut self.coverage, trouble(b"packages:dpkg", Part::Source, Why::Packages));
                Ok(Vec::new())
            }
        }
    }

    /// Whether dpkg was interrupted: its pieces are numbered files.
    fn is_interrupted(&mut self) -> Result<bool, Failure> {
        let folder = place(&self.prefix, UPDATES);
        if self.trust.stat(&folder).is_none() {
            return Ok(false);
        }
        let bounds = Bounds { depth: 0, entries: 1_000, bytes: 1 << 20, guard_entries: 0, guard_bytes: 0 };
        let mut walk = Walk::new(&mut self.stream, &self.prefix, self.mounts.as_deref(), bounds, &mut self.trust);
        walk.run(&[UPDATES.to_vec()], &[])?;
        let piece = |path: &[u8]| {
            path.strip_prefix(UPDATES)
                .and_then(|rest| rest.strip_prefix(b"/"))
                .is_some_and(|name| name.iter().all(u8::is_ascii_digit))
        };
        Ok(walk.entries.keys().any(|path| piece(path)))
    }

    /// The mounts that the rules do not leave out.
    fn mount_records(&self) -> Vec<Record> {
        let in_scope = |mount: &&Mount| self.ask.scopes.iter().any(|scope| within(&mount.path, scope));
        let mounts = self.mounts.as_deref().unwrap_or_default().iter().filter(in_scope);
        let compared = |record: &Record| self.ask.rules.mask_of(record.view()) != Mask::NONE;
        mounts.filter_map(mounts::record).filter(compared).collect()
    }
}

/// What the kernel and a few programs say of themselves.
fn words(stream: &mut Stream<'_>) -> Result<Words, Failure> {
    stream.verb('u', "")?;
    let frame = stream.frame()?;
    Words::parse(&frame.payload).ok_or_else(|| Failure::protocol("words that no kernel says"))
}
