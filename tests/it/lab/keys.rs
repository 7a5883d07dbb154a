//! Keys made by `ssh-keygen`.
//!
//! *Invariant:* every key is a file of the lab, of mode 0600, with its public half beside it.

use super::tool;
use std::path::{Path, PathBuf};

/// Makes a key of a type, with a passphrase where one is given.
pub(crate) fn generate(file: &Path, kind: &str, passphrase: Option<&str>) -> PathBuf {
    let bits: &[&str] = if kind == "rsa" { &["-b", "2048"] } else { &[] };
    let path = file.to_str().unwrap();
    let args = [&["-q", "-t", kind, "-N", passphrase.unwrap_or(""), "-C", "lab", "-f", path], bits].concat();
    tool("ssh-keygen", &args);
    file.to_owned()
}

/// Signs a key by an authority, with more words for `ssh-keygen` (`-h` for a host); returns the certificate.
pub(crate) fn certify(authority: &Path, key: &Path, more: &[&str]) -> PathBuf {
    let public = key.with_extension("pub");
    let args = [&["-q", "-s", authority.to_str().unwrap(), "-I", "lab"], more, &[public.to_str().unwrap()]].concat();
    tool("ssh-keygen", &args);
    PathBuf::from(format!("{}-cert.pub", key.display()))
}

/// Puts a passphrase on a key that has none.
pub(crate) fn encrypt(key: &Path, passphrase: &str) {
    tool("ssh-keygen", &["-q", "-p", "-P", "", "-N", passphrase, "-f", key.to_str().unwrap()]);
}

/// The public half, `ssh-ed25519 AAAA...`, without its comment.
pub(crate) fn public_key(key: &Path) -> String {
    let line = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// `SHA256:...` of a key.
pub(crate) fn fingerprint(key: &Path) -> String {
    let output = tool("ssh-keygen", &["-l", "-E", "sha256", "-f", key.with_extension("pub").to_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
}
