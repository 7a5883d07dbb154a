//! `RevokedHostKeys` of `ssh_config(5)`: a list of public keys, or a key revocation list (KRL) that ssh-keygen(1) reads.
//!
//! *Invariant:* a list that can't be read revokes everything, as it does for ssh(1).

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::certificate::Certificate;
use super::child;
use crate::model::text::escape;
use crate::transport::known_hosts::kind_of;

/// PROTOCOL.krl.
const KRL_MAGIC: &[u8] = b"SSHKRL\n\0";
const LARGEST_LIST: u64 = 64 << 20;
/// How ssh-keygen(1) ends for a key that is revoked, and for nothing else that it says so of.
const REVOKED: i32 = 1;

/// Whether a list revokes the key that a host shows, which may be a certificate.
///
/// # Errors
///
/// Why it can't be told, for a person.
pub(super) fn revokes(list: &Path, shown: &[u8], deadline: Instant) -> Result<bool, String> {
    let told = std::fs::metadata(list).map_err(|error| error.to_string())?;
    if !told.is_file() || told.len() > LARGEST_LIST {
        return Err("it is not a file of a usual size".to_owned());
    }
    let content = std::fs::read(list).map_err(|error| error.to_string())?;
    if content.starts_with(KRL_MAGIC) {
        return ask_ssh_keygen(list, shown, deadline);
    }
    let certificate = Certificate::parse(shown);
    let suspects: Vec<&[u8]> = match &certificate {
        Some(certificate) => vec![shown, &certificate.key, &certificate.authority],
        None => vec![shown],
    };
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let key = line.split(u8::is_ascii_whitespace).nth(1).and_then(|field| STANDARD.decode(field).ok());
        match key.filter(|key| kind_of(key).is_some()) {
            Some(key) if suspects.contains(&key.as_slice()) => return Ok(true),
            Some(_) => {}
            None => return Err(format!("line {} is not a public key", index + 1)),
        }
    }
    Ok(false)
}

/// Asks about one key of a KRL.
fn ask_ssh_keygen(list: &Path, shown: &[u8], deadline: Instant) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("a temporary file is needed: {error}");
    let kind = kind_of(shown).ok_or("the key names no type")?;
    let mut key = tempfile::NamedTempFile::new().map_err(failed)?;
    key.write_all(format!("{kind} {}\n", STANDARD.encode(shown)).as_bytes()).map_err(failed)?;
    let words = ["-Q".into(), "-f".into(), list.as_os_str().to_owned(), key.path().as_os_str().to_owned()];
    let words: Vec<String> = words
        .into_iter()
        .map(std::ffi::OsString::into_string)
        .collect::<Result<_, _>>()
        .map_err(|_| "its path is not UTF-8".to_owned())?;
    let answer = child::run("ssh-keygen", &words, deadline)
        .map_err(|why| format!("it is a KRL, which ssh-keygen has to read, and that {why} (install openssh-client)"))?;
    let says_revoked = answer.output.windows(7).any(|words| words == b"REVOKED");
    match answer.status.code() {
        Some(0) if !says_revoked => Ok(false),
        Some(REVOKED) if says_revoked => Ok(true),
        _ => Err(format!("ssh-keygen can't read it: {}", escape(answer.complaint.as_bytes()))),
    }
}
