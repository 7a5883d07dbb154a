//! Host keys: the files of a run, the verdict on a key, and writing down a new one.
//!
//! *Invariant:* nothing is offered to a host before its key was accepted here; a changed key is never accepted.

use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, flock};

use super::route::Route;
use crate::transport::HostKeyFault;
use crate::transport::known_hosts::{self, HostName, KnownHostsFile, Trust, fingerprint, kind_of};

/// Host key algorithms that are asked for, the best first. Without certificates, which come next; without `ssh-rsa` and
/// `ssh-dss`, which are signatures over SHA-1.
const OFFERED: &[(&str, &str)] = &[
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512"),
    ("ssh-rsa", "rsa-sha2-256"),
];

/// A key that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    /// `TYPE SHA256:...`.
    pub(super) key: String,
    /// What vouches for it.
    pub(super) by: String,
}

/// The `known_hosts` files of a run, and the keys that it added.
#[derive(Debug, Default)]
pub(super) struct HostKeys {
    files: Mutex<HashMap<PathBuf, Arc<KnownHostsFile>>>,
    added: Mutex<HashMap<String, Vec<u8>>>,
    warnings: Mutex<Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HostKeys {
    /// The files, each read once; one that is absent is empty.
    pub(super) fn files(&self, paths: &[PathBuf]) -> Vec<Arc<KnownHostsFile>> {
        paths.iter().map(|path| self.file(path)).collect()
    }

    fn file(&self, path: &Path) -> Arc<KnownHostsFile> {
        let mut files = lock(&self.files);
        if let Some(file) = files.get(path) {
            return Arc::clone(file);
        }
        let content = std::fs::read(path).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                lock(&self.warnings).push(format!("{}: {error}; no key of it is known", path.display()));
            }
            Vec::new()
        });
        let file = Arc::new(KnownHostsFile::parse(path, &content));
        lock(&self.warnings).extend(file.warnings.iter().cloned());
        files.insert(path.to_owned(), Arc::clone(&file));
        file
    }

    /// Lines and files that could not be read.
    pub(super) fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).clone()
    }

    /// Decides on the key that a host shows.
    pub(super) fn verify(&self, route: &Route, accept_new: bool, blob: &[u8]) -> Result<Accepted, HostKeyFault> {
        let name = route.lookup.as_str().to_owned();
        let kind = kind_of(blob).unwrap_or("unknown").to_owned();
        let fingerprint = fingerprint(blob);
        let key = format!("{kind} {fingerprint}");
        let trust = known_hosts::ask(&route.known, &route.lookup, blob);
        if let (Some(pin), false) = (&route.pin, matches!(trust, Trust::Revoked(_))) {
            let place = route.place.to_string();
            return if pin.trim_end_matches('=') == fingerprint {
                Ok(Accepted { key, by: format!("host-key= at {place}") })
            } else {
                Err(HostKeyFault::NotThePin { name, kind, fingerprint, pin: pin.clone(), place })
            };
        }
        match trust {
            Trust::Known(known) => Ok(Accepted { key, by: format!("{}:{}", known.file.display(), known.line) }),
            Trust::Changed(known) => Err(HostKeyFault::Changed { name, kind, fingerprint, known }),
            Trust::Revoked(known) => {
                Err(HostKeyFault::Revoked { name, kind, fingerprint, file: known.file, line: known.line })
            }
            Trust::AuthorityOnly(known) => {
                Err(HostKeyFault::AuthorityOnly { name, kind, fingerprint, file: known.file, line: known.line })
            }
            Trust::Unknown => {
                if let (true, Some(file)) = (accept_new, &route.record_in) {
                    let by = self.add(file, &route.lookup, blob)?;
                    Ok(Accepted { key, by })
                } else {
                    Err(HostKeyFault::Unknown { name, kind, fingerprint, files: route.known_files.clone() })
                }
            }
        }
    }

    /// Makes a key known, unless this run or another one made a different key known meanwhile.
    fn add(&self, file: &Path, name: &HostName, blob: &[u8]) -> Result<String, HostKeyFault> {
        let text = || (name.as_str().to_owned(), kind_of(blob).unwrap_or("unknown").to_owned(), fingerprint(blob));
        let mut added = lock(&self.added);
        match added.get(name.as_str()) {
            Some(same) if same == blob => return Ok(format!("{}, added by this run", file.display())),
            Some(_) => {
                let (name, kind, fingerprint) = text();
                let detail = "this run added another key for the same name".to_owned();
                return Err(HostKeyFault::NotRecorded { name, kind, fingerprint, file: file.to_owned(), detail });
            }
            None => {}
        }
        match record(file, name, blob) {
            Ok(Trust::Unknown | Trust::Known(_)) => {
                added.insert(name.as_str().to_owned(), blob.to_vec());
                Ok(format!("{}, added by this run", file.display()))
            }
            Ok(Trust::Changed(known)) => {
                let (name, kind, fingerprint) = text();
                Err(HostKeyFault::Changed { name, kind, fingerprint, known })
            }
            Ok(Trust::Revoked(known)) => {
                let (name, kind, fingerprint) = text();
                Err(HostKeyFault::Revoked { name, kind, fingerprint, file: known.file, line: known.line })
            }
            Ok(Trust::AuthorityOnly(known)) => {
                let (name, kind, fingerprint) = text();
                Err(HostKeyFault::AuthorityOnly { name, kind, fingerprint, file: known.file, line: known.line })
            }
            Err(error) => {
                let (name, kind, fingerprint) = text();
                let detail = error.to_string();
                Err(HostKeyFault::NotRecorded { name, kind, fingerprint, file: file.to_owned(), detail })
            }
        }
    }
}

/// Adds a line under a lock, in one write, where the file as it is now still knows nothing of the host.
fn record(file: &Path, name: &HostName, blob: &[u8]) -> io::Result<Trust> {
    // A name with any of these would be a pattern, a list or another field.
    if name.as_str().contains(|c: char| c.is_whitespace() || c.is_control() || "*?!,|#@".contains(c)) {
        return Err(io::Error::other("the name has characters that mean something else in known_hosts"));
    }
    let line = known_hosts::new_line(name, blob).ok_or_else(|| io::Error::other("the key names no type"))?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut open = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    flock(&open, FlockOperation::LockExclusive)?;
    let mut content = Vec::new();
    open.rewind()?;
    open.read_to_end(&mut content)?;
    let now = Arc::new(KnownHostsFile::parse(file, &content));
    let trust = known_hosts::ask(&[now], name, blob);
    if trust == Trust::Unknown {
        let torn = content.last().is_some_and(|byte| *byte != b'\n');
        let text = if torn { format!("\n{line}") } else { line };
        open.write_all(text.as_bytes())?;
        open.sync_data()?;
    }
    // The lock goes with the descriptor.
    Ok(trust)
}

/// The algorithms to ask a host for: those of its known keys first, so that a host with several keys shows a known one.
pub(super) fn methods(route: &Route) -> Vec<&'static str> {
    let known = known_hosts::kinds(&route.known, &route.lookup);
    let rank = |kind: &str| known.iter().position(|other| other == kind).unwrap_or(known.len());
    let mut offered: Vec<&(&str, &str)> = OFFERED.iter().collect();
    offered.sort_by_key(|(kind, _)| rank(kind));
    offered.into_iter().map(|(_, method)| *method).collect()
}

/// The algorithms that are left when keys of a type are ruled out.
pub(super) fn without(methods: &[&'static str], kind: &str) -> Vec<&'static str> {
    let of_kind = |method: &str| OFFERED.iter().any(|(own, name)| *own == kind && *name == method);
    methods.iter().copied().filter(|method| !of_kind(method)).collect()
}
