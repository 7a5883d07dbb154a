//! Packages of languages' own package systems, installed for the whole system: pip, npm, gem.
//!
//! *Invariant:* only what no package of the system owns is taken for one, and what runs with more rights than its caller's
//! stays a finding of its own.

use super::{Found, count, entry, is_privileged};
use crate::model::text::escape;
use crate::model::{CauseKind, Change, Class, Finding};
use std::collections::BTreeMap;

/// A language's package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package<'a> {
    system: &'static str,
    /// The folder that holds all packages.
    base: &'a [u8],
    name: &'a [u8],
    version: Option<&'a [u8]>,
}

/// The causes, of findings that have none yet.
pub(super) fn folded(findings: &mut [Finding]) -> Vec<Found> {
    let is_free = |finding: &Finding| {
        let unowned = matches!(finding.told.class, Some(Class::Unowned | Class::UnownedExecutable));
        finding.change == Change::Added && unowned && !is_privileged(finding)
    };
    let paths: Vec<Option<Vec<u8>>> =
        findings.iter().map(|f| if is_free(f) { entry(f).map(<[u8]>::to_vec) } else { None }).collect();
    let mut packages: BTreeMap<Package<'_>, Vec<usize>> = BTreeMap::new();
    let mut tops: BTreeMap<Vec<u8>, Package<'_>> = BTreeMap::new();
    for path in paths.iter().flatten() {
        if let Some((package, _)) = named(path) {
            tops.insert(path.clone(), package.clone());
            packages.entry(package).or_default();
        }
    }
    if packages.is_empty() {
        return Vec::new();
    }
    for (at, path) in paths.iter().enumerate() {
        let Some(path) = path else { continue };
        let package = match named(path) {
            Some((package, _)) => Some(package),
            None => packages.keys().find(|package| package.has(path)).cloned(),
        };
        // A folder that had to be made for a package came with the first that is in it.
        let package = package.or_else(|| {
            let below = [path.as_slice(), b"/"].concat();
            let first = tops.range(below.clone()..).next().filter(|(top, _)| top.starts_with(&below));
            first.map(|(_, package)| package.clone())
        });
        if let Some(list) = package.and_then(|package| packages.get_mut(&package)) {
            list.push(at);
        }
    }
    let mut found = Vec::new();
    for (package, list) in packages {
        let tops = list.iter().filter(|at| {
            let path = paths.get(**at).and_then(Option::as_deref).unwrap_or_default();
            named(path).is_some_and(|(_, is_top)| is_top)
        });
        let Some(top) = tops.min_by_key(|at| paths.get(**at)).or(list.first()).copied() else { continue };
        let files = list.iter().filter(|at| findings.get(**at).is_some_and(is_file)).count();
        let version = package.version.map(|version| format!(" {}", escape(version))).unwrap_or_default();
        let title = format!(
            "{} package {}{version} added, {}, no system package owns {}",
            package.system,
            escape(package.name),
            count(files, "file", "files"),
            if files == 1 { "it" } else { "them" }
        );
        let Some(own) = findings.get(top) else { continue };
        let (subject, fingerprint) = (own.subject.clone(), own.fingerprint);
        for at in &list {
            if let Some(finding) = findings.get_mut(*at) {
                finding.told.class = Some(Class::LanguagePackage);
            }
        }
        found.push(Found { kind: CauseKind::LanguagePackage, subject, title, fingerprint, findings: list });
    }
    found
}

fn is_file(finding: &Finding) -> bool {
    finding.after.text(crate::protocol::Attr::Kind) != Some("directory")
}

impl Package<'_> {
    /// Whether a path beside what names the package is its own: a module of its name.
    fn has(&self, path: &[u8]) -> bool {
        let rest = path.strip_prefix(self.base).and_then(|rest| rest.strip_prefix(b"/"));
        let Some(top) = rest.and_then(|rest| rest.split(|b| *b == b'/').next()) else { return false };
        let module = top.strip_suffix(b".py").unwrap_or(top);
        self.system == "pip" && plain(module) == plain(self.name)
    }
}

/// Python takes these for one name.
fn plain(name: &[u8]) -> Vec<u8> {
    name.iter().map(|byte| if matches!(byte, b'-' | b'.') { b'_' } else { byte.to_ascii_lowercase() }).collect()
}

/// The package that a path names, and whether it is the folder that stands for it.
fn named(path: &[u8]) -> Option<(Package<'_>, bool)> {
    let parts: Vec<&[u8]> = path.split(|b| *b == b'/').skip(1).collect();
    // How many bytes the first so many parts take, each with its slash.
    let base = |count: usize| {
        let len: usize = parts.iter().take(count).map(|part| part.len() + 1).sum();
        path.get(..len).unwrap_or_default()
    };
    let rest = match parts.as_slice() {
        [b"usr", b"local", rest @ ..] | [b"usr", rest @ ..] => rest,
        [b"var", b"lib", b"gems", _, rest @ ..] => return gem(rest, base(4)),
        _ => return None,
    };
    let at = parts.len() - rest.len();
    match rest {
        [b"lib", python, b"dist-packages" | b"site-packages", top, rest @ ..] if python.starts_with(b"python3") => {
            let stem = top.strip_suffix(b".dist-info").or_else(|| top.strip_suffix(b".egg-info"))?;
            let mut parts = stem.splitn(2, |b| *b == b'-');
            let (name, version) = (parts.next()?, parts.next());
            // `NAME-VERSION-py3.11.egg-info`.
            let version = version.and_then(|version| version.split(|b| *b == b'-').next());
            Some((Package { system: "pip", base: base(at + 3), name, version }, rest.is_empty()))
        }
        [b"lib", b"node_modules", scope, name, rest @ ..] if scope.starts_with(b"@") => {
            let whole = path.get(base(at + 2).len() + 1..base(at + 4).len())?;
            let _ = name;
            Some((Package { system: "npm", base: base(at + 2), name: whole, version: None }, rest.is_empty()))
        }
        [b"lib", b"node_modules", name, rest @ ..] if !name.starts_with(b"@") && !name.starts_with(b".") => {
            Some((Package { system: "npm", base: base(at + 2), name, version: None }, rest.is_empty()))
        }
        [b"lib", b"ruby", b"gems", _, rest @ ..] => gem(rest, base(at + 4)),
        _ => None,
    }
}

/// Of a folder of gems: `gems/NAME-VERSION/...`, `specifications/NAME-VERSION.gemspec`, `cache/NAME-VERSION.gem`.
fn gem<'a>(rest: &[&'a [u8]], base: &'a [u8]) -> Option<(Package<'a>, bool)> {
    let (stem, is_top) = match rest {
        [b"gems" | b"doc", stem, rest @ ..] => (*stem, rest.is_empty()),
        [b"extensions", _, _, stem, ..] => (*stem, false),
        [b"specifications", file] => (file.strip_suffix(b".gemspec")?, false),
        [b"cache", file] => (file.strip_suffix(b".gem")?, false),
        _ => return None,
    };
    let dash = stem.iter().rposition(|b| *b == b'-')?;
    let (name, version) = (stem.get(..dash)?, stem.get(dash + 1..)?);
    Some((Package { system: "gem", base, name, version: Some(version) }, is_top))
}
