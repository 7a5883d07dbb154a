//! dpkg: a list of paths for each package, MD5 sums beside it, those of configuration files in the status file
//! (dpkg-query(1), deb-control(5)); diversions (dpkg-divert(1)).
//!
//! *Invariant:* a list that no package of the status file belongs to says nothing.

use super::{Wanted, unhex};
use crate::protocol::System;
use alloc::vec::Vec;
use rustix::io::{Errno, Result};

/// The longest file of the database.
const MOST: usize = 64 << 20;
/// The most packages; the largest archives have half of it.
const PACKAGES: usize = 200_000;
const INFO: &[u8] = b"/var/lib/dpkg/info/";

/// A paragraph of the status file.
struct Package<'a> {
    name: &'a [u8],
    arch: &'a [u8],
    conffiles: &'a [u8],
}

/// Reads the lists.
pub fn claim(wanted: &mut Wanted<'_>) -> Result<()> {
    let place = wanted.host.place;
    let status = place.read(b"/var/lib/dpkg/status", MOST)?;
    let mut packages = paragraphs(&status)?;
    crate::order::sort(&mut packages, |a, b| (a.name, a.arch).cmp(&(b.name, b.arch)));
    let diversions = match place.read(b"/var/lib/dpkg/diversions", MOST) {
        Err(Errno::NOENT) => Vec::new(),
        result => result?,
    };
    let diversions = Diversions::of(&diversions);
    let mut names = place.names(INFO)?;
    crate::order::sort(&mut names, |a, b| a.cmp(b));
    let mut path = Vec::new();
    for file in &names {
        let Some(stem) = file.strip_suffix(b".list") else { continue };
        let (name, arch) = match stem.iter().position(|b| *b == b':') {
            Some(at) => (&stem[..at], Some(&stem[at + 1..])),
            None => (stem, None),
        };
        let at = packages.partition_point(|p| (p.name, p.arch) < (name, arch.unwrap_or_default()));
        let Some(package) = packages.get(at).filter(|p| p.name == name && arch.is_none_or(|arch| p.arch == arch))
        else {
            continue;
        };
        wanted.begin(System::Dpkg, name, package.arch)?;
        let list = place.read(&[INFO, file].concat(), MOST)?;
        for line in list.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            wanted.claim(diversions.moved(line, name));
        }
        if wanted.number.is_none() {
            continue;
        }
        for line in package.conffiles.split(|b| *b == b'\n') {
            let Some((conffile, sum)) = conffile(line) else { continue };
            if let Some(claim) = wanted.claimed(diversions.moved(conffile, name)) {
                claim.is_config = true;
                claim.digest = unhex(sum).unwrap_or_default();
            }
        }
        if !wanted.prove {
            continue;
        }
        let sums = match place.read(&[INFO, stem, b".md5sums"].concat(), MOST) {
            // Some packages ship none.
            Err(Errno::NOENT) => continue,
            result => result?,
        };
        for line in sums.split(|b| *b == b'\n') {
            // Thirty-two digits, two spaces, a path without its first slash.
            let (Some(sum), Some(file)) = (line.get(..32), line.get(34..)) else { continue };
            path.clear();
            path.push(b'/');
            path.extend_from_slice(file);
            if let Some(claim) = wanted.claimed(diversions.moved(&path, name))
                && claim.digest.is_empty()
            {
                claim.digest = unhex(sum).unwrap_or_default();
            }
        }
    }
    Ok(())
}

fn paragraphs(text: &[u8]) -> Result<Vec<Package<'_>>> {
    let none = || Package { name: b"", arch: b"", conffiles: b"" };
    let (mut packages, mut package) = (Vec::new(), none());
    let (mut at, mut from) = (0, None);
    for line in text.split(|b| *b == b'\n') {
        let start = at;
        at += line.len() + 1;
        if line.starts_with(b" ") {
            if let Some(from) = from {
                package.conffiles = &text[from..start + line.len()];
            }
            continue;
        }
        from = None;
        if line.is_empty() {
            if !package.name.is_empty() {
                packages.push(package);
            }
            package = none();
            if packages.len() > PACKAGES {
                return Err(Errno::BADMSG);
            }
        } else if let Some(name) = line.strip_prefix(b"Package: ") {
            package.name = name.trim_ascii();
        } else if let Some(arch) = line.strip_prefix(b"Architecture: ") {
            package.arch = arch.trim_ascii();
        } else if line.starts_with(b"Conffiles:") {
            from = Some(at);
        }
    }
    Ok(packages)
}

/// ` /etc/nginx/nginx.conf 5f4d... obsolete`.
fn conffile(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut line = line.trim_ascii();
    for word in [&b" remove-on-upgrade"[..], b" obsolete"] {
        line = line.strip_suffix(word).unwrap_or(line);
    }
    let at = line.iter().rposition(|b| *b == b' ')?;
    Some((&line[..at], &line[at + 1..]))
}

/// Where files of packages were put instead: from, to, and the package that may stay; sorted.
struct Diversions<'a>(Vec<(&'a [u8], &'a [u8], &'a [u8])>);

impl<'a> Diversions<'a> {
    fn of(text: &'a [u8]) -> Self {
        let mut lines = text.split(|b| *b == b'\n');
        let mut all = Vec::new();
        while let (Some(from), Some(to), Some(by)) = (lines.next(), lines.next(), lines.next()) {
            all.push((from, to, by));
        }
        crate::order::sort(&mut all, |a, b| a.0.cmp(b.0));
        Self(all)
    }

    fn moved<'b>(&'b self, path: &'b [u8], package: &[u8]) -> &'b [u8] {
        let at = self.0.binary_search_by(|(from, _, _)| (*from).cmp(path));
        match at.ok().and_then(|at| self.0.get(at)) {
            Some((_, to, by)) if *by != package => to,
            _ => path,
        }
    }
}
