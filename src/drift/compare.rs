//! From the records that differ to findings: one a subject and kind of difference.
//!
//! *Invariant:* what was not read is never called changed or removed; `compare(a, a)` is empty, and `compare(a, b)` mirrors
//! `compare(b, a)`.

use super::describe::{attributes, fingerprint, key};
use super::reference::Difference;
use super::versions::side_by_side;
use crate::model::{Attributes, Change, Code, Finding, Severity, Told};
use crate::policy::Policy;
use crate::protocol::coverage::{Coverage, Part, SkippedMount};
use crate::protocol::record::RecordWriter;
use crate::protocol::{Attr, Kind, Record, RecordRef, System, Value, Why};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Which attributes make which kind of difference.
const CODES: [(Code, &[Attr]); 15] = [
    (Code::TypeChanged, &[Attr::Kind]),
    (Code::ModeChanged, &[Attr::Mode]),
    (Code::OwnerChanged, &[Attr::Owner, Attr::Group]),
    (Code::ContentChanged, &[Attr::Size, Attr::Content, Attr::View]),
    (Code::TargetChanged, &[Attr::Target]),
    (Code::DeviceChanged, &[Attr::Device]),
    (Code::CapabilityChanged, &[Attr::Capability]),
    (Code::AclChanged, &[Attr::Acl]),
    (Code::XattrChanged, &[Attr::Xattr]),
    (Code::SelinuxChanged, &[Attr::Selinux]),
    (Code::FlagsChanged, &[Attr::Flags]),
    (Code::LinkChanged, &[Attr::Link]),
    (Code::PackageVersion, &[Attr::Version, Attr::Build]),
    (Code::PackageState, &[Attr::State]),
    (Code::MountChanged, &[Attr::FsType, Attr::MountOptions]),
];

/// Compares the two sides of a difference under what the coverage says was seen.
#[must_use]
pub fn compare(difference: &Difference, coverage: &Coverage, policy: &Policy) -> Vec<Finding> {
    let mut comparison =
        Comparison { policy, seen: Seen::new(coverage), findings: Vec::new(), hidden: BTreeMap::new() };
    for (old, new) in side_by_side(&difference.removed, &difference.added, |record: &Record| record.subject()) {
        match (old.map(Record::view), new.map(Record::view)) {
            (Some(old), Some(new)) => comparison.changed(old, new),
            (Some(old), None) => comparison.removed(old),
            (None, Some(new)) => comparison.added(new),
            (None, None) => {}
        }
    }
    comparison.finish()
}

struct Comparison<'a> {
    policy: &'a Policy,
    seen: Seen<'a>,
    findings: Vec<Finding>,
    /// Mount points that lie over paths of the baseline: how many, and the file system type.
    hidden: BTreeMap<&'a [u8], (usize, &'a [u8])>,
}

impl Comparison<'_> {
    fn changed(&mut self, old: RecordRef<'_>, new: RecordRef<'_>) {
        if old.subject().starts_with(b"fact:") {
            if differs(old, new, Attr::Text) {
                self.push(Code::FactChanged, Change::Changed, Some(old), Some(new), &[Attr::Text]);
            }
            return;
        }
        // Another type makes every other attribute another one as well: one finding says it. A type that was not read is
        // no other type, or whoever answers so would hide every other difference.
        let another_type = old.kind().zip(new.kind()).is_some_and(|(old, new)| old != new);
        let masked = mask_of_acl(old, new);
        for (code, attrs) in CODES {
            if another_type && code != Code::TypeChanged || masked && code == Code::ModeChanged {
                continue;
            }
            let mut differing: Vec<Attr> = attrs.iter().copied().filter(|attr| differs(old, new, *attr)).collect();
            if masked && code == Code::AclChanged {
                differing.insert(0, Attr::Mode);
            }
            if !differing.is_empty() {
                self.push(code, Change::Changed, Some(old), Some(new), &differing);
            }
        }
    }

    fn added(&mut self, new: RecordRef<'_>) {
        let code = match namespace(new.subject()) {
            Namespace::File => Code::FileAdded,
            Namespace::Package => Code::PackageAdded,
            Namespace::Fact => Code::FactChanged,
            Namespace::Mount => Code::MountAdded,
        };
        self.push(code, Change::Added, None, Some(new), &Attr::ALL);
    }

    fn removed(&mut self, old: RecordRef<'_>) {
        if !self.seen.is_known_absent(old) {
            return;
        }
        if let Some(path) = old.path()
            && let Some((mount, fs_type)) = self.seen.hiding(path)
        {
            // The mount point itself is seen as a mount; a file that a mount lies over is hidden like what is below one.
            if mount != path || old.kind() != Some(Kind::Directory) {
                self.hidden.entry(mount).or_insert((0, fs_type)).0 += 1;
            }
            return;
        }
        let code = match namespace(old.subject()) {
            Namespace::File => Code::FileRemoved,
            Namespace::Package => Code::PackageRemoved,
            Namespace::Fact => Code::FactChanged,
            Namespace::Mount => Code::MountRemoved,
        };
        self.push(code, Change::Removed, Some(old), None, &Attr::ALL);
    }

    fn push(
        &mut self,
        code: Code,
        change: Change,
        old: Option<RecordRef<'_>>,
        new: Option<RecordRef<'_>>,
        attrs: &[Attr],
    ) {
        let subject = old.or(new).map(RecordRef::subject).unwrap_or_default();
        self.findings.push(Finding {
            code,
            change,
            subject: subject.to_vec(),
            severity: self.policy.severity(code, change, subject, old, new),
            fingerprint: fingerprint(code, subject, old, new, attrs),
            key: key(code, subject),
            before: attributes(old, attrs),
            after: attributes(new, attrs),
            told: Told::default(),
            cause: None,
            waiver: None,
        });
    }

    fn finish(mut self) -> Vec<Finding> {
        for (mount, (count, fs_type)) in std::mem::take(&mut self.hidden) {
            let subject = [&b"mount:"[..], mount].concat();
            let side = |attr, bytes: &[u8]| {
                let mut encoded = Vec::new();
                RecordWriter::new(&mut encoded, &subject).present(attr, bytes);
                Record::parse(&encoded).ok()
            };
            let old = side(
                Attr::Text,
                format!("{count} path{} of the baseline", if count == 1 { "" } else { "s" }).as_bytes(),
            );
            let new = side(Attr::FsType, fs_type);
            let (old, new) = (old.as_ref().map(Record::view), new.as_ref().map(Record::view));
            self.push(Code::MountHides, Change::Changed, old, new, &Attr::ALL);
        }
        by_weight(&mut self.findings);
        self.findings
    }
}

/// Whether an attribute was read on both sides, as far as it is there, and is not the same.
fn differs(old: RecordRef<'_>, new: RecordRef<'_>, attr: Attr) -> bool {
    let (old, new) = (old.attr(attr), new.attr(attr));
    if matches!(old, Some(Value::Unread(_))) || matches!(new, Some(Value::Unread(_))) {
        return false;
    }
    // A file may lose its second name to a path outside the scope, or to a copy that did not keep links: only two
    // groups can be compared.
    if attr == Attr::Link && (old.is_none() || new.is_none()) {
        return false;
    }
    old != new
}

/// Whether a mode differs because an access control list does: beside a list, the group's bits are the list's mask.
fn mask_of_acl(old: RecordRef<'_>, new: RecordRef<'_>) -> bool {
    let bits = old.mode().zip(new.mode()).map_or(0, |(old, new)| old ^ new);
    bits != 0 && bits & !0o070 == 0 && differs(old, new, Attr::Acl)
}

enum Namespace {
    File,
    Package,
    Fact,
    Mount,
}

fn namespace(subject: &[u8]) -> Namespace {
    if subject.starts_with(b"pkg:") {
        Namespace::Package
    } else if subject.starts_with(b"fact:") {
        Namespace::Fact
    } else if subject.starts_with(b"mount:") {
        Namespace::Mount
    } else {
        Namespace::File
    }
}

/// What the coverage says about things that did not come.
struct Seen<'a> {
    /// Directories whose entries are unknown, and entries that could not be examined.
    blind: HashSet<&'a [u8]>,
    /// Mount points that were not entered, with their file system's type.
    skipped: HashMap<&'a [u8], &'a [u8]>,
    /// More was lost than is told in detail: then nothing that did not come is known to be absent.
    detail_lost: bool,
    /// Package systems that were read whole, as bits.
    packages: u8,
    mounts: bool,
}

impl<'a> Seen<'a> {
    fn new(coverage: &'a Coverage) -> Self {
        let lost = |name: &[u8]| coverage.troubles.iter().any(|t| t.part == Part::Source && t.path.starts_with(name));
        let detail_lost = coverage.troubles_total > coverage.troubles.len() as u64;
        let blind = |part| matches!(part, Part::Below | Part::Entry);
        let mounts = coverage.skipped_mounts.iter();
        Self {
            blind: coverage.troubles.iter().filter(|t| blind(t.part)).map(|t| t.path.as_slice()).collect(),
            skipped: mounts.map(|mount| (mount.path.as_slice(), mount.fs_type.as_slice())).collect(),
            detail_lost,
            packages: whole(coverage),
            // The trouble of the mount table may be among those without detail; packages say so in a field of their own.
            mounts: !detail_lost && !lost(b"mountinfo"),
        }
    }

    /// Whether the host was seen not to have it; the alternative is that nobody could look.
    fn is_known_absent(&self, record: RecordRef<'_>) -> bool {
        match namespace(record.subject()) {
            Namespace::File => {
                !self.detail_lost
                    && record.path().is_some_and(|path| !places(path).any(|place| self.blind.contains(place)))
            }
            Namespace::Package => {
                System::of(record.subject()).is_some_and(|(system, _, _)| self.packages & system.bit() != 0)
            }
            Namespace::Mount => self.mounts,
            Namespace::Fact => true,
        }
    }

    /// The innermost mount over a path.
    fn hiding(&self, path: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        places(path).find_map(|place| self.skipped.get_key_value(place)).map(|(place, fs_type)| (*place, *fs_type))
    }
}

/// The package systems that were read whole, as bits. A system of bundles that is not there has none; a distribution's own
/// that is not there was not found.
fn whole(coverage: &Coverage) -> u8 {
    let there = coverage.systems | System::Snap.bit() | System::Flatpak.bit();
    let sources = coverage.troubles.iter().filter(|trouble| trouble.part == Part::Source);
    sources.fold(there, |left, trouble| match trouble.path.strip_prefix(b"packages") {
        None => left,
        // They changed meanwhile, all that is known of them.
        Some([]) => 0,
        Some(room) => {
            let named = |system: &System| room.strip_prefix(b":") == Some(system.word().as_bytes());
            // A trouble hides what its own system lost, and nothing of another one.
            System::ALL.into_iter().find(named).map_or(0, |system| left & !system.bit())
        }
    })
}

/// A path and the folders that it is in, from the inside out. There may be as many troubles as findings, so that each
/// finding asks for its own few folders and not for every trouble.
pub(super) fn places(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let folders =
        path.iter().enumerate().rev().filter(|(at, byte)| **byte == b'/' && *at > 0).map(|(at, _)| &path[..at]);
    std::iter::once(path).chain(folders).chain(std::iter::once(&b"/"[..]))
}

/// Whether a set of findings makes a host drifted.
#[must_use]
pub fn is_drift(findings: &[Finding], drift_at: Severity) -> bool {
    findings.iter().any(|finding| finding.severity >= drift_at)
}

/// What a reason of the probe is called in a verdict.
#[must_use]
pub fn reason(why: Why) -> crate::model::Reason {
    use crate::model::Reason;
    match why {
        Why::NotRead => Reason::Internal,
        Why::Denied => Reason::Unreadable,
        Why::Io => Reason::Io,
        Why::Racing => Reason::Racing,
        Why::Limit => Reason::Limit,
        Why::Packages => Reason::Packages,
    }
}

/// Puts findings in the order of a report: the worst first, then by subject and code.
pub fn by_weight(findings: &mut [Finding]) {
    findings.sort_by(|a, b| (b.severity, &a.subject, a.code).cmp(&(a.severity, &b.subject, b.code)));
}

/// The finding of a mount that is in the way, where no mount table is compared.
#[must_use]
pub fn mount_added(mount: &SkippedMount, policy: &Policy) -> Finding {
    let subject = [&b"mount:"[..], &mount.path].concat();
    let mut encoded = Vec::new();
    RecordWriter::new(&mut encoded, &subject).present(Attr::FsType, &mount.fs_type);
    let record = Record::parse(&encoded).ok();
    let new = record.as_ref().map(Record::view);
    Finding {
        code: Code::MountAdded,
        change: Change::Added,
        severity: policy.severity(Code::MountAdded, Change::Added, &subject, None, new),
        fingerprint: fingerprint(Code::MountAdded, &subject, None, new, &Attr::ALL),
        key: key(Code::MountAdded, &subject),
        before: Attributes::default(),
        after: attributes(new, &Attr::ALL),
        subject,
        told: Told::default(),
        cause: None,
        waiver: None,
    }
}
