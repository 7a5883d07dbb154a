//! Private key files: read and decrypted once a run, held in memory that is wiped.
//!
//! A passphrase costs 0.2 s of bcrypt, which libssh2 would pay for each host; what it gets from here is not encrypted.
//!
//! *Invariant:* a key never reaches a message or a log; a file others could read is refused, as ssh(1) refuses it.

use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ssh_key::{LineEnding, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use super::AskPassphrase;
use crate::transport::KeyFault;
use crate::transport::known_hosts::fingerprint;

/// As often as ssh(1) asks.
const ASKED: usize = 3;
/// A 16,384 bit RSA key has 13 kB.
const LARGEST_KEY: u64 = 64 << 10;

/// A key that can be offered.
pub(super) struct Key {
    pub(super) path: PathBuf,
    /// Public half in SSH's encoding; `None` for a PEM key without its `.pub`.
    pub(super) blob: Option<Vec<u8>>,
    /// PEM, not encrypted but for the old formats.
    pub(super) pem: Zeroizing<String>,
    /// Of a PEM key in an old format; libssh2 must be given one, or OpenSSL asks on the terminal.
    pub(super) passphrase: Zeroizing<String>,
}

impl Key {
    /// `SHA256:... (path)`.
    pub(super) fn label(&self) -> String {
        let shown = self.blob.as_deref().map_or_else(|| "key".to_owned(), fingerprint);
        format!("{shown} ({})", self.path.display())
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
    keys: Mutex<HashMap<PathBuf, Result<Arc<Key>, KeyFault>>>,
}

impl KeyRing {
    /// Reads a key, or gives it again. Its passphrase is asked for only where `ask` is given, one key at a time.
    pub(super) fn key(&self, path: &Path, ask: Option<&AskPassphrase>) -> Result<Arc<Key>, KeyFault> {
        // Held while asking: two hosts with one key must not ask twice.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.get(path)
            && !(matches!(known, Err(KeyFault::Locked { .. })) && ask.is_some())
        {
            return known.clone();
        }
        let key = read(path, ask).map(Arc::new);
        keys.insert(path.to_owned(), key.clone());
        key
    }
}

/// The public half of a key, without its passphrase: of the file itself, else of the `.pub` beside it.
pub(super) fn public_half(path: &Path) -> Option<Vec<u8>> {
    let text = content(path).ok();
    let own = text.and_then(|text| PrivateKey::from_openssh(text.as_bytes()).ok()?.public_key().to_bytes().ok());
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
    if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return read_openssh(path, text, ask);
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(if is_public(path) {
            KeyFault::Public { path: path.to_owned() }
        } else {
            KeyFault::Format { path: path.to_owned(), detail: "no private key in it".to_owned() }
        });
    }
    let encrypted = text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("BEGIN ENCRYPTED PRIVATE KEY");
    let passphrase = if encrypted {
        // Wrong or right shows at the first login: only libssh2 reads these formats.
        ask.and_then(|ask| ask(path)).ok_or_else(|| KeyFault::Locked { path: path.to_owned() })?
    } else {
        Zeroizing::default()
    };
    Ok(Key { path: path.to_owned(), blob: public_half(path), pem: text, passphrase })
}

fn is_public(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| PublicKey::from_openssh(text.trim()).is_ok())
}

fn read_openssh(path: &Path, text: Zeroizing<String>, ask: Option<&AskPassphrase>) -> Result<Key, KeyFault> {
    let format = |error: ssh_key::Error| KeyFault::Format { path: path.to_owned(), detail: error.to_string() };
    let sealed = PrivateKey::from_openssh(text.as_bytes()).map_err(format)?;
    let blob = Some(sealed.public_key().to_bytes().map_err(format)?);
    if sealed.algorithm().as_str().starts_with("sk-") {
        return Err(KeyFault::Token { path: path.to_owned() });
    }
    let pem = if sealed.is_encrypted() {
        unseal(path, &sealed, ask)?.to_openssh(LineEnding::LF).map_err(format)?
    } else {
        text
    };
    Ok(Key { path: path.to_owned(), blob, pem, passphrase: Zeroizing::default() })
}

fn unseal(path: &Path, sealed: &PrivateKey, ask: Option<&AskPassphrase>) -> Result<PrivateKey, KeyFault> {
    let mut before: Option<Zeroizing<String>> = None;
    for _ in 0..ASKED {
        let Some(passphrase) = ask.and_then(|ask| ask(path)).filter(|new| before.as_ref() != Some(new)) else { break };
        match sealed.decrypt(passphrase.as_bytes()) {
            Ok(key) => return Ok(key),
            Err(ssh_key::Error::Crypto) => before = Some(passphrase),
            Err(error) => return Err(KeyFault::Format { path: path.to_owned(), detail: error.to_string() }),
        }
    }
    Err(match before {
        Some(_) => KeyFault::WrongPassphrase { path: path.to_owned() },
        None => KeyFault::Locked { path: path.to_owned() },
    })
}
