//! Sentences of package sources and of trusted certificates.
//!
//! *Invariant:* whatever lets a host take programs or peers from somebody else weighs high.

use super::{change, told, unless_removed};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// One source.
pub(super) fn sentence(path: &[u8], pair: &Pair<'_>) -> Said {
    if pair.key.starts_with(b"[") || !(has(pair.key, b" ") || has(pair.key, b"/")) {
        return repository(pair);
    }
    let system = if has(path, b"/apk/") { "apk" } else { "apt" };
    let key = shown(pair.key, 70);
    let values = told(if pair.after.is_empty() { &pair.before } else { &pair.after }, 40);
    let title = match pair.change() {
        Change::Added => format!("{system} source added: {key} {values}"),
        Change::Removed => format!("{system} source removed: {key} {values}"),
        Change::Changed => change(&format!("{system} source {key}:"), pair),
    };
    let said = |severity| Said::new(Code::SourceChanged, severity, title.trim_end().to_owned());
    if pair.change() == Change::Removed {
        return said(Severity::Medium);
    }
    if pair.change() == Change::Added {
        return said(Severity::High).because("packages of that source can be installed here, and run as root");
    }
    let trust = |values: &[&[u8]]| -> Vec<Vec<u8>> {
        let words = values.iter().flat_map(|value| value.split(|byte| matches!(byte, b' ' | b'[' | b']')));
        let counts = |word: &&[u8]| {
            [&b"trusted="[..], b"signed-by=", b"allow-", b"check-"].iter().any(|option| word.starts_with(option))
        };
        words.filter(counts).map(<[u8]>::to_vec).collect()
    };
    if trust(&pair.before) == trust(&pair.after) {
        said(Severity::Medium)
    } else {
        said(Severity::High).because("another key, or none, vouches for its packages")
    }
}

/// Settings of a repository that decide where packages come from and who vouches for them.
const GRAVE: [&[u8]; 11] = [
    b"baseurl",
    b"mirrorlist",
    b"metalink",
    b"gpgcheck",
    b"repo_gpgcheck",
    b"pkg_gpgcheck",
    b"gpgkey",
    b"sslverify",
    b"Server",
    b"SigLevel",
    b"Include",
];

/// A setting of a repository of yum, zypper or pacman: `[base] baseurl`.
pub(super) fn repository(pair: &Pair<'_>) -> Said {
    let (section, setting) = super::units::split(pair.key);
    let what = if section.is_empty() {
        format!("repository: {}", shown(setting, 30))
    } else {
        format!("repository {}: {}", shown(section, 30), shown(setting, 30))
    };
    let title = change(&what, pair);
    let severity = if GRAVE.contains(&setting) { Severity::High } else { Severity::Medium };
    let said = Said::new(Code::SourceChanged, unless_removed(pair, severity, Severity::Medium), title);
    if said.severity == Severity::High {
        return said.because("it decides where packages come from and who vouches for them");
    }
    said
}

/// A certificate of a bundle.
pub(super) fn certificate(path: &[u8], pair: &Pair<'_>) -> Said {
    let digest = pair.key.strip_prefix(b"certificate ").unwrap_or(pair.key);
    let digest = shown(digest.get(..23).unwrap_or(digest), 40);
    let names = if pair.after.is_empty() { &pair.before } else { &pair.after };
    let kind = if has(path, b"/private") { "certificate" } else { "CA certificate" };
    let (word, severity) = match pair.change() {
        Change::Added => ("added", Severity::High),
        Change::Removed => ("removed", Severity::Medium),
        Change::Changed => ("changed", Severity::High),
    };
    let title = format!("{kind} {word}: {digest}... {}", told(names, 40));
    let said = Said::new(Code::TrustChanged, severity, title.trim_end().to_owned());
    if severity == Severity::High {
        said.because("whoever holds its key can pass for any peer of this host")
    } else {
        said
    }
}

pub(super) fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
