//! Known hosts: what the files say about a host, and whether the key it shows is one of theirs.
//!
//! libssh2's own lookup is not used: it lets a `@revoked` key match, knows no patterns and no `@cert-authority`, and
//! gives up a whole file for one bad line (tried).
//!
//! *Invariant:* pure; a line that can't be read is skipped and told, and takes no other line with it; where it may have
//! revoked a key, the hosts that it may be about are told apart.

mod line;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use line::{Concern, Line, Marker};

/// A key that a file knows a host by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// Key type.
    pub kind: String,
    /// `SHA256:...`.
    pub fingerprint: String,
}

/// One file, read once a run.
#[derive(Debug)]
pub(super) struct KnownHostsFile {
    path: PathBuf,
    lines: Vec<Line>,
    /// Which of the lines name a host plainly: a fleet of ten thousand has as many lines, and each host would try them all.
    named: HashMap<String, Vec<usize>>,
    /// Those that may be about any host: patterns, negations, hashed names.
    others: Vec<usize>,
    /// `file:line: what is wrong`.
    pub(super) warnings: Vec<String>,
    damaged: Vec<Damaged>,
}

/// A line that may have revoked a key, and can't be read.
#[derive(Debug)]
struct Damaged {
    line: usize,
    why: &'static str,
    concerns: Concern,
}

/// A certificate authority that a file trusts for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) known: KnownKey,
    /// Its key, in SSH's own encoding.
    pub(super) blob: Vec<u8>,
}

impl KnownHostsFile {
    /// Reads the content of a file.
    pub(super) fn parse(path: &Path, content: &[u8]) -> Self {
        let mut file = Self {
            path: path.to_owned(),
            lines: Vec::new(),
            named: HashMap::new(),
            others: Vec::new(),
            warnings: Vec::new(),
            damaged: Vec::new(),
        };
        for (index, raw) in content.split(|byte| *byte == b'\n').enumerate() {
            match line::parse(raw, index + 1) {
                Ok(Some(line)) => file.add(line),
                Ok(None) => {}
                Err(damage) => {
                    let (line, why) = (index + 1, damage.why);
                    file.warnings.push(format!("{}:{line}: {why}; the line is skipped", path.display()));
                    if damage.concerns != Concern::Nobody {
                        file.damaged.push(Damaged { line, why, concerns: damage.concerns });
                    }
                }
            }
        }
        file
    }

    fn add(&mut self, line: Line) {
        let at = self.lines.len();
        match line.hosts.plain() {
            Some(names) => names.for_each(|name| self.named.entry(name.to_ascii_lowercase()).or_default().push(at)),
            None => self.others.push(at),
        }
        self.lines.push(line);
    }

    /// Reads a file, which may be absent. One that is there and can't be read may revoke the key of any host.
    pub(super) fn read(path: &Path) -> Self {
        match std::fs::read(path) {
            Ok(content) => Self::parse(path, &content),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Self::parse(path, b"")
            }
            Err(error) => {
                let mut file = Self::parse(path, b"");
                file.warnings.push(format!("{}: {error}; it may revoke any key", path.display()));
                file.damaged.push(Damaged { line: 0, why: "the file can't be read", concerns: Concern::Everybody });
                file
            }
        }
    }

    /// The lines that may be about a host, in their order; no other line is.
    fn candidates(&self, name: &HostName) -> impl Iterator<Item = &Line> {
        let named =
            [Some(&name.full), name.bare.as_ref()].into_iter().flatten().filter_map(|name| self.named.get(name));
        let mut found: Vec<usize> = self.others.iter().chain(named.flatten()).copied().collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.lines.get(at))
    }

    fn known(&self, line: &Line) -> KnownKey {
        KnownKey {
            file: self.path.clone(),
            line: line.number,
            kind: line.kind.clone(),
            fingerprint: fingerprint(&line.blob),
        }
    }
}

/// How a host is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostName {
    /// `host`, or `[host]:port` where the port is not 22.
    full: String,
    /// The host alone, where `full` has a port: a line without a port vouches for every port, as in ssh(1).
    bare: Option<String>,
}

impl HostName {
    /// Of a host as it is dialled.
    pub(super) fn new(host: &str, port: u16) -> Self {
        let host = host.to_ascii_lowercase();
        if port == 22 {
            Self { full: host, bare: None }
        } else {
            Self { full: format!("[{host}]:{port}"), bare: Some(host) }
        }
    }

    /// Of a `HostKeyAlias`, to which no port is added.
    pub(super) fn alias(alias: &str) -> Self {
        Self { full: alias.to_ascii_lowercase(), bare: None }
    }

    /// As a certificate names it: without a port.
    pub(super) fn certified(&self) -> &str {
        self.bare.as_deref().unwrap_or(&self.full)
    }

    /// As it is written in a file.
    pub(super) fn as_str(&self) -> &str {
        &self.full
    }
}

/// What the files say about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// A line holds this key for this host.
    Known(KnownKey),
    /// No line is about this host.
    Unknown,
    /// Lines are about this host, and none holds this key.
    Changed(Vec<KnownKey>),
    /// A line revokes this key for this host.
    Revoked(KnownKey),
    /// Only certificate authorities are known for this host.
    AuthorityOnly(KnownKey),
}

/// Asks the files about the key a host shows. A revocation anywhere wins; then a match; then a contradiction.
pub(super) fn ask(files: &[Arc<KnownHostsFile>], name: &HostName, blob: &[u8]) -> Trust {
    if let Some(revoked) = revoked(files, name, blob) {
        return Trust::Revoked(revoked);
    }
    if let Some(known) =
        find(files, name, |line| line.marker == Marker::None && line.blob == blob && mentions(line, name))
    {
        return Trust::Known(known);
    }
    // From here only the full name counts: a key of another port of the same machine contradicts nothing.
    let named = |line: &Line| line.marker == Marker::None && line.hosts.matches(&name.full);
    let others: Vec<KnownKey> = every(files, name, named).collect();
    if !others.is_empty() {
        return Trust::Changed(others);
    }
    match find(files, name, |line| line.marker == Marker::Authority && mentions(line, name)) {
        Some(authority) => Trust::AuthorityOnly(authority),
        None => Trust::Unknown,
    }
}

/// The line that revokes a key, or an authority's key, for a host.
pub(super) fn revoked(files: &[Arc<KnownHostsFile>], name: &HostName, blob: &[u8]) -> Option<KnownKey> {
    find(files, name, |line| line.marker == Marker::Revoked && line.blob == blob && mentions(line, name))
}

/// The authorities whose certificates vouch for a host.
pub(super) fn authorities(files: &[Arc<KnownHostsFile>], name: &HostName) -> Vec<Authority> {
    let wanted = |line: &&Line| line.marker == Marker::Authority && mentions(line, name);
    let of_file = |file: &Arc<KnownHostsFile>| -> Vec<Authority> {
        let lines = file.candidates(name).filter(wanted);
        lines.map(|line| Authority { known: file.known(line), blob: line.blob.clone() }).collect()
    };
    files.iter().flat_map(of_file).collect()
}

/// A line that may have revoked a key of this host and can't be read: its file, its number and what is wrong with it.
pub(super) fn damage(files: &[Arc<KnownHostsFile>], name: &HostName) -> Option<(PathBuf, usize, &'static str)> {
    files.iter().find_map(|file| {
        let concerns = |damaged: &&Damaged| match &damaged.concerns {
            Concern::Nobody => false,
            Concern::Everybody => true,
            Concern::Some(hosts) => {
                hosts.matches(&name.full) || name.bare.as_deref().is_some_and(|bare| hosts.matches(bare))
            }
        };
        file.damaged.iter().find(concerns).map(|damaged| (file.path.clone(), damaged.line, damaged.why))
    })
}

/// The line of a certificate authority for a host.
pub(super) fn authority(files: &[Arc<KnownHostsFile>], name: &HostName) -> Option<KnownKey> {
    find(files, name, |line| line.marker == Marker::Authority && mentions(line, name))
}

/// The line that revokes the key of a fingerprint for a host.
pub(super) fn revoked_print(files: &[Arc<KnownHostsFile>], name: &HostName, print: &str) -> Option<KnownKey> {
    find(files, name, |line| line.marker == Marker::Revoked && mentions(line, name) && fingerprint(&line.blob) == print)
}

/// The types of the keys that are known for a host, to ask the server for one of those first.
pub(super) fn kinds(files: &[Arc<KnownHostsFile>], name: &HostName) -> Vec<String> {
    // The lines of the full name first: with them a key of another port can't hide the right one.
    let (mut kinds, mut of_bare) = (Vec::new(), Vec::new());
    let of_hosts = |line: &&Line| line.marker == Marker::None;
    for line in files.iter().flat_map(|file| file.candidates(name)).filter(of_hosts) {
        let by_full = line.hosts.matches(&name.full);
        let list = if by_full { &mut kinds } else { &mut of_bare };
        if !list.contains(&line.kind) && (by_full || mentions_bare(line, name)) {
            list.push(line.kind.clone());
        }
    }
    of_bare.retain(|kind| !kinds.contains(kind));
    kinds.append(&mut of_bare);
    kinds
}

fn mentions(line: &Line, name: &HostName) -> bool {
    line.hosts.matches(&name.full) || mentions_bare(line, name)
}

fn mentions_bare(line: &Line, name: &HostName) -> bool {
    name.bare.as_deref().is_some_and(|bare| line.hosts.matches(bare))
}

fn every(
    files: &[Arc<KnownHostsFile>],
    name: &HostName,
    wanted: impl Fn(&Line) -> bool,
) -> impl Iterator<Item = KnownKey> {
    files.iter().flat_map(move |file| {
        file.candidates(name).filter(|line| wanted(line)).map(|line| file.known(line)).collect::<Vec<_>>()
    })
}

fn find(files: &[Arc<KnownHostsFile>], name: &HostName, wanted: impl Fn(&Line) -> bool) -> Option<KnownKey> {
    files.iter().find_map(|file| file.candidates(name).find(|line| wanted(line)).map(|line| file.known(line)))
}

/// `SHA256:...` as ssh-keygen(1) writes it.
pub(super) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// The type that a public key names inside itself; `None` where it is no public key.
pub(super) fn kind_of(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let kind = std::str::from_utf8(rest.get(..length)?).ok()?;
    let sound =
        !kind.is_empty() && kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    sound.then_some(kind)
}

/// The line that makes a key known, with its line break; with a salt the name is hashed (`HashKnownHosts`).
pub(super) fn new_line(name: &HostName, blob: &[u8], salt: Option<&[u8]>) -> Option<String> {
    let shown = salt.map_or_else(|| name.full.clone(), |salt| line::hashed(&name.full, salt));
    Some(format!("{shown} {} {}\n", kind_of(blob)?, STANDARD.encode(blob)))
}

#[cfg(test)]
mod tests;
