//! Private key files: read and decrypted once a run, held in memory that is wiped.
//!
//! A passphrase costs 0.2 s of bcrypt, which libssh2 would pay for each host. Whatever the format, a wrong one shows where it
//! is asked for and not at the first login.
//!
//! *Invariant:* a key never reaches a message or a log; a file others could read is refused, as ssh(1) refuses it.

use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::PublicKey;
use zeroize::Zeroizing;

use super::AskPassphrase;
use super::certificate::Certificate;
use super::openssh_key::{StoredKey, is_openssh};
use super::private_key::{PemFault, PrivateKey};
use crate::transport::KeyFault;
use crate::transport::known_hosts::fingerprint;

/// As often as ssh(1) asks.
const ASKED: usize = 3;
/// A 16,384 bit RSA key has 13 kB.
const LARGEST_KEY: u64 = 64 << 10;

/// A certificate is a few kB; one with thousands of principals is still below this.
const LARGEST_CERTIFICATE: u64 = 256 << 10;

/// A key that can be offered.
pub(super) struct Key {
    pub(super) path: PathBuf,
    pub(super) private: PrivateKey,
}

impl Key {
    /// Public half in SSH's encoding.
    pub(super) fn blob(&self) -> &[u8] {
        self.private.public_half()
    }

    /// `SHA256:... (path)`.
    pub(super) fn label(&self) -> String {
        format!("{} ({})", fingerprint(self.blob()), self.path.display())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The keys of a run, by path.
#[derive(Debug, Default)]
pub(super) struct KeyRing {
    keys: Mutex<HashMap<PathBuf, KnownKey>>,
    certificates: Mutex<HashMap<PathBuf, CertificateFile>>,
}

/// A key that was read, and whether somebody could have been asked for its passphrase.
#[derive(Debug)]
struct KnownKey {
    key: Result<Arc<Key>, KeyFault>,
    asked: bool,
}

/// What a certificate file holds: nothing where it is absent.
type CertificateFile = Option<Result<Arc<Certificate>, String>>;

impl KeyRing {
    /// Reads a key, or gives it again. Its passphrase is asked for only where `ask` is given, one key at a time,
    /// and not again where nobody gave it.
    pub(super) fn key(&self, path: &Path, ask: Option<&AskPassphrase>) -> Result<Arc<Key>, KeyFault> {
        // Held while asking: two hosts with one key must not ask twice.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.get(path)
            && (known.asked || ask.is_none() || !matches!(known.key, Err(KeyFault::Locked { .. })))
        {
            return known.key.clone();
        }
        let key = read(path, ask).map(Arc::new);
        keys.insert(path.to_owned(), KnownKey { key: key.clone(), asked: ask.is_some() });
        key
    }

    /// Reads a certificate, or gives it again; why it is none, for a person.
    pub(super) fn certificate(&self, path: &Path) -> CertificateFile {
        let mut certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        certificates.entry(path.to_owned()).or_insert_with(|| read_certificate(path)).clone()
    }
}

/// Where ssh(1) looks for the certificate of a key: `KEY-cert.pub`.
pub(super) fn certificate_beside(key: &Path) -> PathBuf {
    let mut beside = key.as_os_str().to_owned();
    beside.push("-cert.pub");
    PathBuf::from(beside)
}

fn read_certificate(path: &Path) -> CertificateFile {
    let told = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        other => other,
    };
    let read = |told: std::io::Result<std::fs::Metadata>| {
        if told.map_err(|error| error.to_string())?.len() > LARGEST_CERTIFICATE {
            return Err("it is larger than a certificate".to_owned());
        }
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let encoded = text.split_whitespace().nth(1).ok_or("it is not a certificate")?;
        let blob = STANDARD.decode(encoded).map_err(|_| "it is not a certificate")?;
        Certificate::parse(&blob).ok_or_else(|| "it is not a certificate".to_owned())
    };
    Some(read(told).map(Arc::new).map_err(|why| format!("the certificate {} can't be used: {why}", path.display())))
}

/// The public half of a key, without its passphrase: of the file itself, else of the `.pub` beside it.
pub(super) fn public_half(path: &Path) -> Option<Vec<u8>> {
    let text = content(path).ok();
    let own = text.and_then(|text| Some(StoredKey::parse(&text).ok()?.public_half().to_vec()));
    own.or_else(|| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".pub");
        let text = std::fs::read_to_string(beside).ok()?;
        PublicKey::from_openssh(text.trim()).ok()?.to_bytes().ok()
    })
}

fn content(path: &Path) -> Result<Zeroizing<String>, KeyFault> {
    let unreadable = |detail: String| KeyFault::Unreadable { path: path.to_owned(), detail };
    let told = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyFault::Absent { path: path.to_owned() },
        _ => unreadable(error.to_string()),
    })?;
    if !told.is_file() || told.len() > LARGEST_KEY {
        return Err(unreadable("it is not a file of a key's size".to_owned()));
    }
    let own = told.uid() == rustix::process::getuid().as_raw();
    if own && told.mode() & 0o077 != 0 {
        return Err(KeyFault::TooOpen { path: path.to_owned(), mode: told.mode() & 0o7777 });
    }
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| unreadable(error.to_string()))?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| KeyFault::Format { path: path.to_owned(), detail: "it is not text".to_owned() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn read(path: &Path, ask: Option<&AskPassphrase>) -> Result<Key, KeyFault> {
    let text = match content(path) {
        // Everybody may read a public key, so this is the better answer.
        Err(KeyFault::TooOpen { .. }) if is_public(path) => return Err(KeyFault::Public { path: path.to_owned() }),
        other => other?,
    };
    if is_openssh(&text) {
        return read_openssh(path, &text, ask);
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(if is_public(path) {
            KeyFault::Public { path: path.to_owned() }
        } else {
            KeyFault::Format { path: path.to_owned(), detail: "no private key in it".to_owned() }
        });
    }
    let format = |detail: String| KeyFault::Format { path: path.to_owned(), detail };
    let encrypted = text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("BEGIN ENCRYPTED PRIVATE KEY");
    let open = |passphrase: Option<&[u8]>| match PrivateKey::of_pem(text.as_bytes(), passphrase) {
        Ok(key) => Ok(Some(key)),
        Err(PemFault::Passphrase) => Ok(None),
        Err(PemFault::Format(detail)) => Err(format(detail)),
    };
    let private = if encrypted {
        unseal(path, ask, |passphrase| open(Some(passphrase)))?
    } else {
        open(None)?.ok_or_else(|| format("it is encrypted in a way that is not known".to_owned()))?
    };
    Ok(Key { path: path.to_owned(), private })
}

fn is_public(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| PublicKey::from_openssh(text.trim()).is_ok())
}

fn read_openssh(path: &Path, text: &str, ask: Option<&AskPassphrase>) -> Result<Key, KeyFault> {
    let format = |detail: String| KeyFault::Format { path: path.to_owned(), detail };
    let stored = StoredKey::parse(text).map_err(format)?;
    if stored.is_of_token() {
        return Err(KeyFault::Token { path: path.to_owned() });
    }
    let private = if stored.is_encrypted() {
        unseal(path, ask, |passphrase| stored.open(passphrase).map_err(format))?
    } else {
        stored.open(&[]).map_err(format)?.ok_or_else(|| format("it is damaged".to_owned()))?
    };
    Ok(Key { path: path.to_owned(), private })
}

/// Asks for a passphrase until it opens the key, as often as ssh(1) does; an empty answer gives up.
fn unseal<K>(
    path: &Path,
    ask: Option<&AskPassphrase>,
    open: impl Fn(&[u8]) -> Result<Option<K>, KeyFault>,
) -> Result<K, KeyFault> {
    let mut tried = false;
    for _ in 0..ASKED {
        let Some(passphrase) = ask.and_then(|ask| ask(path)).filter(|given| !given.is_empty()) else { break };
        if let Some(key) = open(passphrase.as_bytes())? {
            return Ok(key);
        }
        tried = true;
    }
    Err(if tried {
        KeyFault::WrongPassphrase { path: path.to_owned() }
    } else {
        KeyFault::Locked { path: path.to_owned() }
    })
}
