//! Known hosts: what the files say about a host, and whether the key it shows is one of theirs.
//!
//! libssh2's own lookup is not used: it lets a `@revoked` key match, knows no patterns and no `@cert-authority`, and
//! gives up a whole file for one bad line (tried).
//!
//! *Invariant:* pure; a line that can't be read is skipped and told, and takes no other line with it.

mod line;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use line::{Line, Marker};

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
    /// `file:line: what is wrong`.
    pub(super) warnings: Vec<String>,
}

impl KnownHostsFile {
    /// Reads the content of a file.
    pub(super) fn parse(path: &Path, content: &[u8]) -> Self {
        let mut file = Self { path: path.to_owned(), lines: Vec::new(), warnings: Vec::new() };
        for (index, raw) in content.split(|byte| *byte == b'\n').enumerate() {
            match line::parse(raw, index + 1) {
                Ok(Some(line)) => file.lines.push(line),
                Ok(None) => {}
                Err(why) => file.warnings.push(format!("{}:{}: {why}; the line is skipped", path.display(), index + 1)),
            }
        }
        file
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
    if let Some(revoked) =
        find(files, |line| line.marker == Marker::Revoked && line.blob == blob && mentions(line, name))
    {
        return Trust::Revoked(revoked);
    }
    if let Some(known) = find(files, |line| line.marker == Marker::None && line.blob == blob && mentions(line, name)) {
        return Trust::Known(known);
    }
    // From here only the full name counts: a key of another port of the same machine contradicts nothing.
    let named = |marker: Marker| move |line: &Line| line.marker == marker && line.hosts.matches(&name.full);
    let others: Vec<KnownKey> = every(files, named(Marker::None)).collect();
    if !others.is_empty() {
        return Trust::Changed(others);
    }
    match find(files, |line| line.marker == Marker::Authority && mentions(line, name)) {
        Some(authority) => Trust::AuthorityOnly(authority),
        None => Trust::Unknown,
    }
}

/// The types of the keys that are known for a host, to ask the server for one of those first.
pub(super) fn kinds(files: &[Arc<KnownHostsFile>], name: &HostName) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    // The lines of the full name first: with them a key of another port can't hide the right one.
    for full_only in [true, false] {
        for known in every(files, |line| {
            line.marker == Marker::None && (line.hosts.matches(&name.full) || !full_only && mentions(line, name))
        }) {
            if !kinds.contains(&known.kind) {
                kinds.push(known.kind);
            }
        }
    }
    kinds
}

fn mentions(line: &Line, name: &HostName) -> bool {
    line.hosts.matches(&name.full) || name.bare.as_deref().is_some_and(|bare| line.hosts.matches(bare))
}

fn every(files: &[Arc<KnownHostsFile>], wanted: impl Fn(&Line) -> bool) -> impl Iterator<Item = KnownKey> {
    files.iter().flat_map(move |file| {
        file.lines.iter().filter(|line| wanted(line)).map(|line| file.known(line)).collect::<Vec<_>>()
    })
}

fn find(files: &[Arc<KnownHostsFile>], wanted: impl Fn(&Line) -> bool) -> Option<KnownKey> {
    files.iter().find_map(|file| file.lines.iter().find(|line| wanted(line)).map(|line| file.known(line)))
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

/// The line that makes a key known, with its line break.
pub(super) fn new_line(name: &HostName, blob: &[u8]) -> Option<String> {
    Some(format!("{} {} {}\n", name.full, kind_of(blob)?, STANDARD.encode(blob)))
}

#[cfg(test)]
mod tests;
