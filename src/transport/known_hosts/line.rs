//! One line of a `known_hosts` file (sshd(8), `SSH_KNOWN_HOSTS FILE FORMAT`).
//!
//! *Invariant:* pure; bytes that are not a line of this format are an error with a reason, never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::transport::pattern;

/// What stands before the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// Nothing: the key is the host's.
    None,
    /// `@revoked`.
    Revoked,
    /// `@cert-authority`.
    Authority,
}

/// The names a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hosts {
    /// Names and patterns between commas.
    Patterns(String),
    /// `|1|salt|hash`: HMAC-SHA1 of one name.
    Hashed { salt: Vec<u8>, hash: [u8; 20] },
}

impl Hosts {
    /// The names of a line without patterns and negations, which is about these hosts and no others.
    pub(super) fn plain(&self) -> Option<impl Iterator<Item = &str>> {
        match self {
            Self::Patterns(patterns) if !patterns.contains(['*', '?', '!']) => Some(patterns.split(',')),
            Self::Patterns(_) | Self::Hashed { .. } => None,
        }
    }

    /// Whether the line is about a host, given in lower case.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => pattern::list(patterns.split(','), name),
            Self::Hashed { salt, hash } => hmac_sha1(salt, name.as_bytes()) == *hash,
        }
    }
}

/// A line that was understood.
#[derive(Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    pub(super) marker: Marker,
    pub(super) hosts: Hosts,
    /// Key type.
    pub(super) kind: String,
    /// The key, in SSH's own encoding.
    pub(super) blob: Vec<u8>,
}

/// A line that was not understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) why: &'static str,
    /// Whose trust it may have taken away; a line that could only have given trust concerns nobody.
    pub(super) concerns: Concern,
}

/// The hosts that a damaged line may be about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concern {
    Nobody,
    Some(Hosts),
    Everybody,
}

/// Reads a line; `None` where it is empty or a comment.
pub(super) fn parse(raw: &[u8], number: usize) -> Result<Option<Line>, Damage> {
    read(raw, number).map_err(|why| Damage { why, concerns: concern(raw) })
}

/// Whom a line would concern that revokes, or that has a marker nobody knows: `@revokd` must not pass for garbage.
fn concern(raw: &[u8]) -> Concern {
    let mut fields = raw.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    match fields.next() {
        Some(b"@cert-authority") => Concern::Nobody,
        Some(marker) if marker.starts_with(b"@") => {
            fields.next().and_then(|field| hosts(text(field).ok()?).ok()).map_or(Concern::Everybody, Concern::Some)
        }
        _ => Concern::Nobody,
    }
}

fn read(raw: &[u8], number: usize) -> Result<Option<Line>, &'static str> {
    let mut fields = raw.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let Some(mut first) = fields.next().filter(|field| !field.starts_with(b"#")) else {
        return Ok(None);
    };
    let mut marker = Marker::None;
    if first.starts_with(b"@") {
        marker = match first {
            b"@revoked" => Marker::Revoked,
            b"@cert-authority" => Marker::Authority,
            _ => return Err("unknown marker"),
        };
        first = fields.next().ok_or("no host after the marker")?;
    }
    let hosts = hosts(text(first)?)?;
    let kind = text(fields.next().ok_or("no key type")?)?;
    let encoded = fields.next().ok_or("no key")?;
    let blob = STANDARD.decode(encoded).map_err(|_| "the key is not base64")?;
    if super::kind_of(&blob) != Some(kind) {
        return Err("the key is not of the type that stands before it");
    }
    Ok(Some(Line { number, marker, hosts, kind: kind.to_owned(), blob }))
}

fn text(field: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(field).map_err(|_| "bytes that are not UTF-8")
}

fn hosts(field: &str) -> Result<Hosts, &'static str> {
    let Some(hashed) = field.strip_prefix("|1|") else {
        return if field.starts_with('|') {
            Err("unknown kind of hashed name")
        } else {
            Ok(Hosts::Patterns(field.to_owned()))
        };
    };
    let (salt, hash) = hashed.split_once('|').ok_or("a hashed name without its hash")?;
    let salt = STANDARD.decode(salt).map_err(|_| "the salt is not base64")?;
    let hash = STANDARD.decode(hash).map_err(|_| "the hash is not base64")?;
    Ok(Hosts::Hashed { salt, hash: hash.try_into().map_err(|_| "the hash is not 20 bytes long")? })
}

/// A name as `HashKnownHosts` writes it.
pub(super) fn hashed(name: &str, salt: &[u8]) -> String {
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hmac_sha1(salt, name.as_bytes())))
}

/// HMAC-SHA1 (RFC 2104). The `hmac` crate in use goes with another generation of the digest traits than `sha1` does.
fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    const BLOCK: usize = 64;
    let mut padded = [0_u8; BLOCK];
    let digest: [u8; 20];
    let key = if key.len() > BLOCK {
        digest = Sha1::digest(key).into();
        &digest
    } else {
        key
    };
    for (slot, byte) in padded.iter_mut().zip(key) {
        *slot = *byte;
    }
    let inner = Sha1::new().chain_update(padded.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha1::new().chain_update(padded.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::model::text::hex;
    use proptest::prelude::*;

    #[test]
    fn hmac_gives_the_values_of_rfc_2202() {
        assert_eq!(
            hex(&hmac_sha1(b"Jefe", b"what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hex(&hmac_sha1(&[0xaa; 80], long)), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }

    #[test]
    fn empty_lines_and_comments_are_nothing() {
        for line in ["", "   ", "\r", "# web ssh-ed25519 AAAA", "  # x"] {
            assert!(matches!(parse(line.as_bytes(), 1), Ok(None)), "{line:?}");
        }
    }

    #[test]
    fn garbage_is_named() {
        for (line, why) in [
            ("web", "no key type"),
            ("web ssh-ed25519", "no key"),
            ("web ssh-ed25519 %%%", "the key is not base64"),
            ("web ssh-ed25519 AAAA", "the key is not of the type that stands before it"),
            ("@nobody web ssh-ed25519 AAAA", "unknown marker"),
            ("@revoked", "no host after the marker"),
            ("|1|AAAA ssh-ed25519 AAAA", "a hashed name without its hash"),
            ("|1|AAAA|AAAA ssh-ed25519 AAAA", "the hash is not 20 bytes long"),
            ("|2|x|y ssh-ed25519 AAAA", "unknown kind of hashed name"),
        ] {
            assert_eq!(parse(line.as_bytes(), 1).err().map(|damage| damage.why), Some(why), "{line}");
        }
    }

    #[test]
    fn a_damaged_revocation_concerns_the_hosts_it_names_or_all() {
        let concerns = |line: &str| parse(line.as_bytes(), 1).unwrap_err().concerns;
        assert_eq!(concerns("web ssh-ed25519 %%%"), Concern::Nobody);
        assert_eq!(concerns("@cert-authority * ssh-ed25519 %%%"), Concern::Nobody);
        assert_eq!(concerns("@revoked web ssh-ed25519 %%%"), Concern::Some(Hosts::Patterns("web".to_owned())));
        assert_eq!(concerns("@revokd web ssh-ed25519 AAAA"), Concern::Some(Hosts::Patterns("web".to_owned())));
        assert_eq!(concerns("@revoked"), Concern::Everybody);
        assert_eq!(concerns("@revoked |1|x|y ssh-ed25519 AAAA"), Concern::Everybody);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw: Vec<u8>) {
            let _ = parse(&raw, 1);
        }
    }
}
