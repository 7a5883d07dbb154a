//! Host keys: the files of a run, the verdict on a key or a certificate, and writing down a new key.
//!
//! *Invariant:* nothing is offered to a host before its key was accepted here; a changed key is never accepted.

use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use rustix::fs::{FlockOperation, flock};

use super::certificate::{Certificate, is_certificate};
use super::revoked_keys;
use super::route::Route;
use crate::transport::HostKeyFault;
use crate::transport::known_hosts::{self, HostName, KnownHostsFile, KnownKey, Trust, fingerprint, kind_of};

/// Host key algorithms that are asked for, the best first. Without `ssh-rsa` and `ssh-dss`, which are signatures over SHA-1.
const OFFERED: &[(&str, &str)] = &[
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512"),
    ("ssh-rsa", "rsa-sha2-256"),
];

/// Algorithms of certificates, asked for where an authority is known for a host: a server that has one would show it first,
/// and where none is known that would look like a changed key.
const CERTIFIED: &[(&str, &str)] = &[
    ("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com"),
    ("ssh-rsa", "rsa-sha2-512-cert-v01@openssh.com"),
    ("ssh-rsa", "rsa-sha2-256-cert-v01@openssh.com"),
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
        let file = Arc::new(KnownHostsFile::read(path));
        lock(&self.warnings).extend(file.warnings.iter().cloned());
        files.insert(path.to_owned(), Arc::clone(&file));
        file
    }

    /// Lines and files that could not be read.
    pub(super) fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).clone()
    }

    /// What is known of a host: the files, and what its command prints, of the key it shows where it showed one.
    pub(super) fn known(
        &self,
        route: &Route,
        shown: Option<&[u8]>,
        deadline: Instant,
    ) -> Result<Vec<Arc<KnownHostsFile>>, HostKeyFault> {
        let mut known = route.known.clone();
        if let Some(command) = &route.known_hosts_command {
            let printed = command.run(&route.lookup, shown, deadline).map_err(|detail| HostKeyFault::Unknowable {
                name: route.lookup.as_str().to_owned(),
                source_text: "KnownHostsCommand".to_owned(),
                detail,
            })?;
            lock(&self.warnings).extend(printed.warnings.iter().cloned());
            known.push(Arc::new(printed));
        }
        Ok(known)
    }

    /// Decides on the key or the certificate that a host shows.
    pub(super) fn verify(
        &self,
        route: &Route,
        accept_new: bool,
        blob: &[u8],
        deadline: Instant,
    ) -> Result<Accepted, HostKeyFault> {
        let known = self.known(route, Some(blob), deadline)?;
        let certificate = if is_certificate(blob) { Some(Certificate::parse(blob)) } else { None };
        // The handshake proved that the host holds this key, whatever the certificate says about it.
        let plain = certificate.as_ref().map_or(blob, |read| read.as_ref().map_or(blob, |read| read.key.as_slice()));
        let shown = Shown::of(route, plain);
        refuse_revoked(route, &known, &shown, blob, certificate.as_ref().and_then(Option::as_ref), deadline)?;
        if let Some(pin) = &route.pin {
            let place = route.place.to_string();
            return if pin.trim_end_matches('=') == shown.fingerprint {
                Ok(Accepted { key: shown.key(), by: format!("host-key= at {place}") })
            } else {
                Err(shown.into_fault(|name, kind, fingerprint| HostKeyFault::NotThePin {
                    name,
                    kind,
                    fingerprint,
                    pin: pin.clone(),
                    place,
                }))
            };
        }
        let refused = match &certificate {
            None => None,
            Some(None) => Some("can't be read".to_owned()),
            Some(Some(certificate)) => match vouches(&known, &route.lookup, certificate) {
                Ok(by) => return Ok(Accepted { key: shown.key(), by }),
                Err(why) => Some(why),
            },
        };
        match (known_hosts::ask(&known, &route.lookup, plain), refused) {
            (Trust::Known(known), _) => {
                Ok(Accepted { key: shown.key(), by: format!("{}:{}", known.file.display(), known.line) })
            }
            (_, Some(detail)) => Err(shown.into_fault(|name, kind, fingerprint| HostKeyFault::Certificate {
                name,
                kind,
                fingerprint,
                detail,
            })),
            (Trust::Unknown, None) => {
                if let (true, Some(file)) = (accept_new, &route.record_in) {
                    let by = self.add(file, &route.lookup, plain, route.hash_names)?;
                    return Ok(Accepted { key: shown.key(), by });
                }
                let files = route.known_files.clone();
                Err(shown.into_fault(|name, kind, fingerprint| HostKeyFault::Unknown {
                    name,
                    kind,
                    fingerprint,
                    files,
                }))
            }
            (distrust, None) => {
                Err(shown.into_fault(|name, kind, fingerprint| fault_of(distrust, name, kind, fingerprint)))
            }
        }
    }

    /// Makes a key known, unless this run or another one made a different key known meanwhile.
    fn add(&self, file: &Path, name: &HostName, blob: &[u8], hashed: bool) -> Result<String, HostKeyFault> {
        let text = || (name.as_str().to_owned(), kind_of(blob).unwrap_or("unknown").to_owned(), fingerprint(blob));
        let not_recorded = |detail: String| {
            let (name, kind, fingerprint) = text();
            HostKeyFault::NotRecorded { name, kind, fingerprint, file: file.to_owned(), detail }
        };
        let mut added = lock(&self.added);
        match added.get(name.as_str()) {
            Some(same) if same == blob => return Ok(format!("{}, added by this run", file.display())),
            Some(_) => return Err(not_recorded("this run added another key for the same name".to_owned())),
            None => {}
        }
        match record(file, name, blob, hashed) {
            Ok(Trust::Unknown | Trust::Known(_)) => {
                added.insert(name.as_str().to_owned(), blob.to_vec());
                Ok(format!("{}, added by this run", file.display()))
            }
            Ok(distrust) => {
                let (name, kind, fingerprint) = text();
                Err(fault_of(distrust, name, kind, fingerprint))
            }
            Err(error) => Err(not_recorded(error.to_string())),
        }
    }
}

/// The key that a host showed, for people.
struct Shown {
    name: String,
    kind: String,
    fingerprint: String,
}

impl Shown {
    fn of(route: &Route, plain: &[u8]) -> Self {
        Self {
            name: route.lookup.as_str().to_owned(),
            kind: kind_of(plain).unwrap_or("unknown").to_owned(),
            fingerprint: fingerprint(plain),
        }
    }

    /// `TYPE SHA256:...`.
    fn key(&self) -> String {
        format!("{} {}", self.kind, self.fingerprint)
    }

    fn into_fault(self, fault: impl FnOnce(String, String, String) -> HostKeyFault) -> HostKeyFault {
        fault(self.name, self.kind, self.fingerprint)
    }

    fn revoked(&self, by: KnownKey) -> HostKeyFault {
        let (name, kind, fingerprint) = (self.name.clone(), self.kind.clone(), self.fingerprint.clone());
        HostKeyFault::Revoked { name, kind, fingerprint, file: by.file, line: by.line }
    }
}

/// What is told where the files hold anything but this key.
fn fault_of(trust: Trust, name: String, kind: String, fingerprint: String) -> HostKeyFault {
    match trust {
        Trust::Known(known) => HostKeyFault::Changed { name, kind, fingerprint, known: vec![known] },
        Trust::Changed(known) => HostKeyFault::Changed { name, kind, fingerprint, known },
        Trust::Revoked(known) => HostKeyFault::Revoked { name, kind, fingerprint, file: known.file, line: known.line },
        Trust::AuthorityOnly(known) => {
            HostKeyFault::AuthorityOnly { name, kind, fingerprint, file: known.file, line: known.line }
        }
        Trust::Unknown => HostKeyFault::Unknown { name, kind, fingerprint, files: Vec::new() },
    }
}

/// Refuses a key, a certificate or an authority that is revoked anywhere, and a host of which that can't be told.
fn refuse_revoked(
    route: &Route,
    known: &[Arc<KnownHostsFile>],
    shown: &Shown,
    blob: &[u8],
    certificate: Option<&Certificate>,
    deadline: Instant,
) -> Result<(), HostKeyFault> {
    if let Some((file, line, why)) = known_hosts::damage(known, &route.lookup) {
        return Err(HostKeyFault::Unknowable {
            name: shown.name.clone(),
            source_text: format!("{}:{line}", file.display()),
            detail: format!("may revoke its key and can't be read: {why}"),
        });
    }
    let plain = certificate.map_or(blob, |certificate| certificate.key.as_slice());
    let suspects = [Some(blob), Some(plain), certificate.map(|certificate| certificate.authority.as_slice())];
    for suspect in suspects.into_iter().flatten() {
        if let Some(by) = known_hosts::revoked(known, &route.lookup, suspect) {
            return Err(shown.revoked(by));
        }
    }
    let Some(list) = &route.revoked_keys else { return Ok(()) };
    match revoked_keys::revokes(list, blob, deadline) {
        Ok(false) => Ok(()),
        Ok(true) => Err(HostKeyFault::RevokedByList {
            name: shown.name.clone(),
            kind: shown.kind.clone(),
            fingerprint: shown.fingerprint.clone(),
            list: list.clone(),
        }),
        Err(why) => Err(HostKeyFault::Unknowable {
            name: shown.name.clone(),
            source_text: format!("RevokedHostKeys {}", list.display()),
            detail: format!("can't be enforced: {why}"),
        }),
    }
}

/// Who vouches for a certificate, for people; or why nobody does.
fn vouches(known: &[Arc<KnownHostsFile>], name: &HostName, certificate: &Certificate) -> Result<String, String> {
    let authorities = known_hosts::authorities(known, name);
    let Some(authority) = authorities.iter().find(|authority| authority.blob == certificate.authority) else {
        let trusted: Vec<String> = authorities
            .iter()
            .map(|authority| {
                let known = &authority.known;
                format!("{} ({}:{})", known.fingerprint, known.file.display(), known.line)
            })
            .collect();
        let trusted = if trusted.is_empty() { "no authority".to_owned() } else { trusted.join(", ") };
        return Err(format!("is signed by {}, and trusted for it is {trusted}", certificate.authority_fingerprint()));
    };
    match certificate.fault_for_host(name.certified(), SystemTime::now()) {
        Some(why) => Err(why),
        None => Ok(format!(
            "{} by the authority {} at {}:{}, valid {}",
            certificate.name(),
            authority.known.fingerprint,
            authority.known.file.display(),
            authority.known.line,
            certificate.valid_until(),
        )),
    }
}

/// Adds a line under a lock, in one write, where the file as it is now still knows nothing of the host.
fn record(file: &Path, name: &HostName, blob: &[u8], hashed: bool) -> io::Result<Trust> {
    // A name with any of these would be a pattern, a list or another field.
    if name.as_str().contains(|c: char| c.is_whitespace() || c.is_control() || "*?!,|#@".contains(c)) {
        return Err(io::Error::other("the name has characters that mean something else in known_hosts"));
    }
    let mut salt = [0; 20];
    if hashed {
        getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    }
    let line = known_hosts::new_line(name, blob, hashed.then_some(&salt))
        .ok_or_else(|| io::Error::other("the key names no type"))?;
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

/// The algorithms to ask a host for: of certificates first, where an authority is known, so that a host that was built anew
/// is known by its certificate; then of its known keys, so that a host with several keys shows a known one.
pub(super) fn methods(route: &Route, files: &[Arc<KnownHostsFile>]) -> Vec<&'static str> {
    let known = known_hosts::kinds(files, &route.lookup);
    let rank = |kind: &str| known.iter().position(|other| other == kind).unwrap_or(known.len());
    // A pin is of the key alone.
    let certified = route.pin.is_none() && !known_hosts::authorities(files, &route.lookup).is_empty();
    let mut methods = Vec::new();
    for list in [CERTIFIED, OFFERED].into_iter().skip(usize::from(!certified)) {
        let mut list: Vec<&(&str, &str)> = list.iter().collect();
        list.sort_by_key(|(kind, _)| rank(kind));
        methods.extend(list.into_iter().map(|(_, method)| *method));
    }
    methods
}

/// The algorithms that are left without certificates; `None` where that leaves nothing to hope for.
pub(super) fn without_certificates(
    methods: &[&'static str],
    route: &Route,
    files: &[Arc<KnownHostsFile>],
) -> Option<Vec<&'static str>> {
    let plain: Vec<&str> =
        methods.iter().copied().filter(|method| CERTIFIED.iter().all(|(_, name)| name != method)).collect();
    (plain.len() < methods.len() && !known_hosts::kinds(files, &route.lookup).is_empty()).then_some(plain)
}

/// The algorithms that are left when keys of a type are ruled out.
pub(super) fn without(methods: &[&'static str], kind: &str) -> Vec<&'static str> {
    let of_kind = |method: &str| OFFERED.iter().any(|(own, name)| *own == kind && *name == method);
    methods.iter().copied().filter(|method| !of_kind(method)).collect()
}
