//! OpenSSH certificates (PROTOCOL.certkeys), of users and of hosts: what one says, whether its authority signed it, and
//! whether it holds for a name at a time.
//!
//! Read here and not by the `ssh-key` crate, whose 0.6 refuses the certificates that never expire.
//!
//! *Invariant:* pure; what is not understood makes a certificate worthless, never good.

use std::time::{SystemTime, UNIX_EPOCH};

use super::encoding::{Reader, put_string};
use super::signature;
use crate::model::text::escape;
use crate::transport::known_hosts::fingerprint;
use crate::transport::pattern;

/// What stands behind the name of the key's type.
const SUFFIX: &str = "-cert-v01@openssh.com";
/// PROTOCOL.certkeys: `SSH2_CERT_TYPE_USER` and `SSH2_CERT_TYPE_HOST`.
const OF_USER: u32 = 1;
const OF_HOST: u32 = 2;

/// A certificate that was read; nothing of it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// As it is sent.
    pub(super) blob: Vec<u8>,
    /// The key that it is about, without the certificate.
    pub(super) key: Vec<u8>,
    /// The key that signed it.
    pub(super) authority: Vec<u8>,
    kind: u32,
    serial: u64,
    id: String,
    principals: Vec<String>,
    valid_after: u64,
    valid_before: u64,
    critical: Vec<(String, String)>,
    signature: Vec<u8>,
    /// How much of the blob is signed.
    signed: usize,
}

/// Whether a public key is a certificate, by the type that it names.
pub(super) fn is_certificate(blob: &[u8]) -> bool {
    Reader::new(blob).text().is_some_and(|kind| kind.ends_with(SUFFIX))
}

/// The type of the key within a certificate's.
fn plain_kind(kind: &str) -> Option<String> {
    let name = kind.strip_suffix(SUFFIX)?;
    Some(if name.starts_with("sk-") { format!("{name}@openssh.com") } else { name.to_owned() })
}

impl Certificate {
    /// Reads the binary form.
    pub(super) fn parse(blob: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(blob);
        let kind = plain_kind(reader.text()?)?;
        let _nonce = reader.string()?;
        let parts = match kind.as_str() {
            "ssh-ed25519" => 1,
            signature::SK_ECDSA => 3,
            "ssh-rsa" | signature::SK_ED25519 => 2,
            name if name.starts_with("ecdsa-") => 2,
            _ => return None,
        };
        let mut key = Vec::new();
        put_string(&mut key, kind.as_bytes());
        for _ in 0..parts {
            put_string(&mut key, reader.string()?);
        }
        let serial = reader.u64()?;
        let kind = reader.u32()?;
        let id = reader.text()?.to_owned();
        let mut names = Reader::new(reader.string()?);
        let mut principals = Vec::new();
        while !names.is_empty() {
            principals.push(names.text()?.to_owned());
        }
        let (valid_after, valid_before) = (reader.u64()?, reader.u64()?);
        let mut options = Reader::new(reader.string()?);
        let mut critical = Vec::new();
        while !options.is_empty() {
            let (name, value) = (options.text()?, options.string()?);
            let value = Reader::new(value).text().unwrap_or_default();
            critical.push((name.to_owned(), value.to_owned()));
        }
        let (_extensions, _reserved) = (reader.string()?, reader.string()?);
        let authority = reader.string()?.to_vec();
        let signed = blob.len().checked_sub(reader.rest().len())?;
        let signature = reader.string()?.to_vec();
        reader.is_empty().then(|| Self {
            blob: blob.to_vec(),
            key,
            authority,
            kind,
            serial,
            id,
            principals,
            valid_after,
            valid_before,
            critical,
            signature,
            signed,
        })
    }

    /// `certificate "ID", serial 5`, the id as its authority chose it.
    pub(super) fn name(&self) -> String {
        format!("certificate \"{}\", serial {}", shown(&self.id), self.serial)
    }

    /// `SHA256:...` of the authority's key.
    pub(super) fn authority_fingerprint(&self) -> String {
        fingerprint(&self.authority)
    }

    /// Until when it holds, for a person.
    pub(super) fn valid_until(&self) -> String {
        if self.valid_before == u64::MAX { "for ever".to_owned() } else { format!("until {}", day(self.valid_before)) }
    }

    /// Whether its authority signed it, by an algorithm other than SHA-1.
    fn is_signed(&self) -> bool {
        let message = self.blob.get(..self.signed).unwrap_or_default();
        signature::is_valid(&self.authority, &self.signature, message)
    }

    fn signature_kind(&self) -> &str {
        Reader::new(&self.signature).text().unwrap_or("unknown")
    }

    /// What is wrong with its time.
    fn untimely(&self, now: SystemTime) -> Option<String> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        if now < self.valid_after {
            Some(format!("is not valid before {} (it is {} here)", day(self.valid_after), day(now)))
        } else if now >= self.valid_before {
            Some(format!("expired at {} (it is {} here)", day(self.valid_before), day(now)))
        } else {
            None
        }
    }

    /// Why it does not vouch for a host of this name, after its authority was found to be trusted.
    ///
    /// The rules are those of `sshkey_cert_check_host` of OpenSSH: the name is looked up without its port.
    pub(super) fn fault_for_host(&self, name: &str, now: SystemTime) -> Option<String> {
        if self.kind != OF_HOST {
            return Some("is a certificate of a user, not of a host".to_owned());
        }
        if matches!(self.signature_kind(), "ssh-rsa" | "ssh-dss") {
            return Some("is signed over SHA-1".to_owned());
        }
        if !self.is_signed() {
            return Some("has a signature that is not its authority's".to_owned());
        }
        if let Some(untimely) = self.untimely(now) {
            return Some(untimely);
        }
        if self.principals.is_empty() {
            return Some("names no host that it is for".to_owned());
        }
        if !self.principals.iter().any(|principal| pattern::glob(principal, name)) {
            return Some(format!("is for {}, not for {name}", list(&self.principals)));
        }
        // None is defined for hosts, and a critical one that is not known must be refused.
        self.critical
            .first()
            .map(|(option, _)| format!("has the critical option {}, which is not known", shown(option)))
    }

    /// Why it is not worth offering to any host.
    pub(super) fn fault_for_users(&self, now: SystemTime) -> Option<String> {
        if self.kind != OF_USER {
            return Some("is a certificate of a host, not of a user".to_owned());
        }
        self.untimely(now)
    }

    /// What may be the reason where a host refused it.
    pub(super) fn suspicions(&self, user: &str, now: SystemTime) -> Vec<String> {
        let mut told = Vec::new();
        let name = self.name();
        if let Some(untimely) = self.untimely(now) {
            told.push(format!("The {name} {untimely}: get a new one."));
        }
        if self.principals.is_empty() {
            told.push(format!("The {name} names no user it is for: hosts refuse that."));
        } else if !self.principals.iter().any(|principal| principal == user) {
            told.push(format!(
                "The {name} is for {}, not for {user}: log in as one of them (--user), unless the host maps names \
                 (AuthorizedPrincipalsFile).",
                list(&self.principals)
            ));
        }
        for (option, value) in &self.critical {
            match option.as_str() {
                "source-address" => {
                    told.push(format!("The {name} is good for logins from {} only.", shown(value)));
                }
                "force-command" | "verify-required" => {}
                other => {
                    told.push(format!("The {name} has the critical option {}: the host must know it.", shown(other)));
                }
            }
        }
        if matches!(self.signature_kind(), "ssh-rsa" | "ssh-dss") {
            told.push(format!("The {name} is signed over SHA-1, which OpenSSH refuses: have it signed anew."));
        }
        told.push(format!(
            "The host must trust the authority {} (TrustedUserCAKeys), and its clock must be right.",
            self.authority_fingerprint()
        ));
        told
    }

    /// The command that the certificate puts in place of any that is asked for.
    pub(super) fn forced_command(&self) -> Option<String> {
        self.critical.iter().find(|(option, _)| option == "force-command").map(|(_, command)| shown(command))
    }
}

fn shown(text: &str) -> String {
    escape(text.chars().take(100).collect::<String>().as_bytes())
}

fn list(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(5).map(|name| self::shown(name)).collect();
    if names.len() > 5 {
        shown.push(format!("{} more", names.len() - 5));
    }
    shown.join(", ")
}

/// `2026-11-22T03:09:46Z`.
fn day(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "a time beyond all calendars".to_owned(), |time| time.to_string())
}
