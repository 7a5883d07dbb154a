//! The packages that differ, what their files turned out to be, and the one line that tells it.
//!
//! *Invariant:* a line says "all as the vendor shipped them" only where each file was proven.

use super::{Found, count};
use crate::drift::version::Direction;
use crate::model::text::escape;
use crate::model::{CauseKind, Class, Code, Finding, Severity};
use crate::protocol::{Attr, System};
use std::collections::{BTreeMap, BTreeSet};

/// Packages that differ, by subject.
pub(super) struct Packages(BTreeMap<Vec<u8>, Package>);

/// A package that differs.
pub(super) struct Package {
    /// What happened to it.
    pub(super) kind: CauseKind,
    /// Of its own finding.
    pub(super) severity: Severity,
    /// The number of that finding.
    own: usize,
    /// Its versions, there and here.
    versions: [Option<String>; 2],
    direction: Option<Direction>,
    /// Findings that it explains.
    explained: Vec<usize>,
    /// Paths by what they are.
    paths: BTreeMap<Standing, BTreeSet<Vec<u8>>>,
}

/// What a differing path of a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Proven to be as shipped.
    Shipped,
    /// Proven not to be.
    Altered,
    /// A file without a proof: the database tells nothing of it, or it could not be read.
    Unproven,
    /// A link of which the database does not tell where it points.
    Link,
    /// A folder.
    Folder,
    /// Gone with the old version.
    Gone,
    /// A list of the package database itself.
    Database,
    /// A script that the package manager runs as root, which the database proves as little as links.
    Script,
}

/// Whether a file of dpkg's database is anything else than one of its lists: a maintainer script, say.
fn is_script(file: &[u8]) -> bool {
    const LISTS: [&[u8]; 7] =
        [b".list", b".md5sums", b".conffiles", b".shlibs", b".symbols", b".triggers", b".templates"];
    !LISTS.iter().any(|end| file.ends_with(end))
}

impl Packages {
    /// The packages that findings are about; gives those findings their class.
    pub(super) fn of(findings: &mut [Finding]) -> Self {
        let mut packages: BTreeMap<Vec<u8>, Package> = BTreeMap::new();
        for (own, finding) in findings.iter_mut().enumerate() {
            let direction = Direction::of(finding);
            let kind = match finding.code {
                Code::PackageAdded => CauseKind::PackageAdded,
                Code::PackageRemoved => CauseKind::PackageRemoved,
                Code::PackageVersion => CauseKind::PackageVersion,
                Code::PackageState => {
                    let is = |side: Option<&str>, state: &str| side.is_some_and(|text| text.ends_with(state));
                    let (before, after) = (finding.before.text(Attr::State), finding.after.text(Attr::State));
                    if after.is_some_and(|state| state.starts_with("hold ")) {
                        finding.told.class = Some(Class::Held);
                    }
                    // dpkg keeps the name of a package whose configuration stayed.
                    if is(before, " installed") && is(after, " config-files") {
                        CauseKind::PackageRemoved
                    } else if is(before, " config-files") && is(after, " installed") {
                        CauseKind::PackageAdded
                    } else {
                        continue;
                    }
                }
                _ => continue,
            };
            finding.told.class = match direction {
                Some(Direction::Upgraded) => Some(Class::Upgraded),
                Some(Direction::Downgraded) => Some(Class::Downgraded),
                Some(Direction::Rebuilt) => Some(Class::LocalBuild),
                Some(Direction::Changed) | None => finding.told.class,
            };
            let version = |side: &crate::model::Attributes| side.text(Attr::Version).map(str::to_owned);
            let package = Package {
                kind,
                severity: finding.severity,
                own,
                versions: [version(&finding.before), version(&finding.after)],
                direction,
                explained: vec![own],
                paths: BTreeMap::new(),
            };
            // A state beside a version is told by the version.
            match packages.get(&finding.subject) {
                Some(other) if other.kind == CauseKind::PackageVersion => {}
                Some(_) | None => {
                    packages.insert(finding.subject.clone(), package);
                }
            }
        }
        Self(packages)
    }

    /// The package of a subject, where it differs.
    pub(super) fn get(&mut self, subject: &[u8]) -> Option<&mut Package> {
        self.0.get_mut(subject)
    }

    /// The package whose own files of the package database a path is one of.
    pub(super) fn of_database(&mut self, path: &[u8]) -> Option<(&mut Package, Standing)> {
        if let Some(file) = path.strip_prefix(b"/var/lib/dpkg/info/") {
            let stem = file.get(..file.iter().rposition(|b| *b == b'.')?)?;
            let mut parts = stem.splitn(2, |b| *b == b':');
            let (name, arch) = (parts.next()?, parts.next());
            let named = |subject: &[u8]| {
                System::of(subject).is_some_and(|(system, its, of)| {
                    system == System::Dpkg && its == name && arch.is_none_or(|arch| arch == of)
                })
            };
            let standing = if is_script(file) { Standing::Script } else { Standing::Database };
            return self.0.iter_mut().find(|(subject, _)| named(subject)).map(|(_, package)| (package, standing));
        }
        let folder = path.strip_prefix(b"/var/lib/pacman/local/")?.split(|b| *b == b'/').next()?;
        let named = |subject: &[u8], package: &Package| {
            let Some((System::Pacman, name, _)) = System::of(subject) else { return false };
            let is = |version: &String| [name, b"-", version.as_bytes()].concat() == folder;
            package.versions.iter().flatten().any(is)
        };
        let standing = if path.ends_with(b"/install") { Standing::Script } else { Standing::Database };
        self.0.iter_mut().find(|(subject, package)| named(subject, package)).map(|(_, package)| (package, standing))
    }

    /// Causes of the packages that explain more than their own finding.
    pub(super) fn explained(self, findings: &mut [Finding]) -> Vec<Found> {
        let mut found = Vec::new();
        for (subject, package) in self.0 {
            let Some(own) = findings.get(package.own) else { continue };
            if package.explained.len() < 2 && package.number(Standing::Altered) == 0 {
                continue;
            }
            let title = package.title(&subject);
            let fingerprint = own.fingerprint;
            found.push(Found { kind: package.kind, subject, title, fingerprint, findings: package.explained });
        }
        found
    }
}

impl Package {
    /// Notes what a path is.
    pub(super) fn note(&mut self, standing: Standing, path: &[u8]) {
        self.paths.entry(standing).or_default().insert(path.to_vec());
    }

    /// Explains a finding. What is critical weighs high at least, whatever the host's database says of it.
    pub(super) fn explain(&mut self, at: usize, finding: &mut Finding) {
        self.explained.push(at);
        let floor = if finding.severity == Severity::Critical { Severity::High } else { Severity::Info };
        finding.severity = finding.severity.min(self.severity.max(floor));
    }

    fn number(&self, standing: Standing) -> usize {
        self.paths.get(&standing).map_or(0, BTreeSet::len)
    }

    /// `nginx 1.22.1-9 -> 1.22.1-10, 37 files, all as the vendor shipped them`.
    fn title(&self, subject: &[u8]) -> String {
        let name = System::of(subject).map_or(subject, |(_, name, _)| name);
        let mut parts = vec![format!("{} {}", escape(name), self.what())];
        let (shipped, altered) = (self.number(Standing::Shipped), self.number(Standing::Altered));
        let unproven = self.number(Standing::Unproven);
        let all = shipped + altered + unproven;
        if shipped > 0 && shipped == all {
            let end = if all == 1 { "as the vendor shipped it" } else { "all as the vendor shipped them" };
            parts.push(format!("{}, {end}", count(all, "file", "files")));
        } else if all > 0 {
            parts.push(format!("{shipped} of {} as shipped", count(all, "file", "files")));
        }
        let links = self.number(Standing::Link);
        if links > 0 {
            parts.push(format!("{} not proven", count(links, "link", "links")));
        }
        let scripts = self.number(Standing::Script);
        if scripts > 0 {
            parts.push(format!("{} not proven", count(scripts, "script", "scripts")));
        }
        let gone = self.number(Standing::Gone);
        if gone > 0 {
            parts.push(format!("{} gone", count(gone, "path", "paths")));
        }
        parts.join(", ")
    }

    fn what(&self) -> String {
        let [before, after] = &self.versions;
        let with = |version: &Option<String>, word: &str| match version {
            Some(version) => format!("{version} {word}"),
            None => word.to_owned(),
        };
        match self.kind {
            CauseKind::PackageAdded => with(after, "added"),
            CauseKind::PackageRemoved => with(before, "removed"),
            _ => match (before, after) {
                (Some(before), Some(after)) if self.direction == Some(Direction::Downgraded) => {
                    format!("{before} -> {after}, downgraded")
                }
                (Some(before), Some(after)) => format!("{before} -> {after}"),
                _ => "another build of the same version".to_owned(),
            },
        }
    }
}
