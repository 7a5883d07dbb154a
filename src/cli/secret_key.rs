//! The file of the key under which secrets are digested.
//!
//! 64 hexadecimal digits and a line feed. The first capture that needs a key makes one; every later capture and scan reads
//! the same file.
//!
//! *Invariant:* a key that another account could read or change is refused; its digits are in no message.

use super::trouble::{Outcome, Trouble};
use crate::model::text::{hex, unhex};
use crate::protocol::SecretKey;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The key for a scan.
pub(super) fn read(named: Option<&Path>) -> Outcome<SecretKey> {
    let path = place(named)?;
    stored(&path)?.ok_or_else(|| {
        Trouble::with(
            format!("the policy compares secrets by a keyed digest, and there is no key in {}", path.display()),
            "bring the file that the baseline was captured with, or name it: --secret-key FILE",
        )
    })
}

/// The key for a capture, and whether it was made for it, with its place.
pub(super) fn read_or_create(named: Option<&Path>) -> Outcome<(SecretKey, Option<PathBuf>)> {
    let path = place(named)?;
    if let Some(key) = stored(&path)? {
        return Ok((key, None));
    }
    let key = SecretKey(super::capture::random()?);
    create(&path, &key).map_err(|error| Trouble::new(format!("{}: can't be written: {error}", path.display())))?;
    Ok((key, Some(path)))
}

/// Where the key is, where nobody named its file.
fn place(named: Option<&Path>) -> Outcome<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    config.map(|config| config.join("driftscan/secret.key")).ok_or_else(|| {
        Trouble::with("the policy compares secrets by a keyed digest, and there is no home folder", "--secret-key FILE")
    })
}

/// The key in a file; none where there is no file.
fn stored(path: &Path) -> Outcome<Option<SecretKey>> {
    const DIGITS: usize = 64;
    let refused = |why: String, hint: &str| Trouble::with(format!("the secret key {}: {why}", path.display()), hint);
    // Opening must not wait for whoever writes into a FIFO.
    let mut file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string(), "--secret-key FILE")),
    };
    let meta = file.metadata().map_err(|error| refused(error.to_string(), "--secret-key FILE"))?;
    if !meta.is_file() {
        return Err(refused("it is no regular file".to_owned(), "--secret-key FILE"));
    }
    if meta.uid() != 0 && meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("it belongs to another account".to_owned(), "chown it, or make a key of your own"));
    }
    if meta.mode() & 0o077 != 0 {
        let why = format!("its mode is {:04o}: others than its owner have rights on it", meta.mode() & 0o7777);
        return Err(refused(why, &format!("chmod 600 {}", path.display())));
    }
    let mut text = Zeroizing::new(String::with_capacity(DIGITS + 2));
    let read = Read::by_ref(&mut file).take(DIGITS as u64 + 2).read_to_string(&mut text);
    let key = read.ok().and_then(|_| unhex(text.strip_suffix('\n').unwrap_or(&text)));
    key.map(|key| Some(SecretKey(key))).ok_or_else(|| {
        refused(
            format!("it is not {DIGITS} hexadecimal digits and a line feed"),
            "restore it from where it is kept safe",
        )
    })
}

/// Writes a new key for its owner alone; never over another file.
fn create(path: &Path, key: &SecretKey) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let digits = Zeroizing::new(format!("{}\n", hex(&key.0)));
    file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
