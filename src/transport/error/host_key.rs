//! Why a host key was not accepted.
//!
//! *Invariant:* both fingerprints in full, with the file and line; the remedy never tells anybody to trust the network.

use std::path::PathBuf;

use thiserror::Error;

use crate::transport::known_hosts::KnownKey;

/// A host key that is not known to be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HostKeyFault {
    /// No file knows this host.
    #[error("the host key of {name} is not known: it shows {kind} {fingerprint}")]
    Unknown {
        /// The host as it is looked up, `[host]:port` where the port is not 22.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// Where it was looked up.
        files: Vec<PathBuf>,
    },
    /// The host is known by other keys.
    #[error("the host key of {name} has changed: it shows {kind} {fingerprint}, known is {}", known_text(.known))]
    Changed {
        /// The host as it is looked up.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// The keys it should have shown one of.
        known: Vec<KnownKey>,
    },
    /// The hosts file names another key.
    #[error(
        "the host key of {name} is not the one of its host-key=: it shows {kind} {fingerprint}, {place} says {pin}"
    )]
    NotThePin {
        /// The host.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// `SHA256:...` as written.
        pin: String,
        /// Where it is written.
        place: String,
    },
    /// The key is marked `@revoked`.
    #[error("the host key of {name} is revoked: it shows {kind} {fingerprint}, revoked at {}:{line}", .file.display())]
    Revoked {
        /// The host as it is looked up.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// The file that revokes it.
        file: PathBuf,
        /// Its line.
        line: usize,
    },
    /// Only a certificate authority is known for this host.
    #[error(
        "the host key of {name} can't be verified: it shows {kind} {fingerprint} without a certificate, and only a certificate \
         authority is known for it ({}:{line})", .file.display()
    )]
    AuthorityOnly {
        /// The host as it is looked up.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// The file with the `@cert-authority` line.
        file: PathBuf,
        /// Its line.
        line: usize,
    },
    /// ssh refused it for a reason that only ssh knows.
    #[error("ssh does not accept the host key of {name}: it shows {kind} {fingerprint}: {detail}")]
    NotAccepted {
        /// The host as it is looked up.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// ssh's words.
        detail: String,
    },
    /// It shows a certificate that does not vouch for it, and its key is not known either.
    #[error(
        "the host certificate of {name} is not good: it {detail}; the key itself, {kind} {fingerprint}, is not known either"
    )]
    Certificate {
        /// The host as it is looked up.
        name: String,
        /// Type of the key that the certificate is about.
        kind: String,
        /// `SHA256:...` of that key.
        fingerprint: String,
        /// What is wrong with the certificate.
        detail: String,
    },
    /// The key, or the authority of its certificate, is in the list of `RevokedHostKeys`.
    #[error("the host key of {name} is revoked: it shows {kind} {fingerprint}, revoked by {}", .list.display())]
    RevokedByList {
        /// The host as it is looked up.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// The list.
        list: PathBuf,
    },
    /// What is known or revoked can't be told, so that nothing may be trusted.
    #[error("whether to trust the host key of {name} can't be told: {source_text} {detail}")]
    Unknowable {
        /// The host as it is looked up.
        name: String,
        /// The line, the command or the list that gave no answer.
        source_text: String,
        /// Why it gave none.
        detail: String,
    },
    /// A new key could not be written down.
    #[error("the new host key of {name} ({kind} {fingerprint}) could not be added to {}: {detail}", .file.display())]
    NotRecorded {
        /// The host as it is looked up.
        name: String,
        /// Key type.
        kind: String,
        /// `SHA256:...` of the key it showed.
        fingerprint: String,
        /// The file it belongs in.
        file: PathBuf,
        /// What the system said.
        detail: String,
    },
}

fn known_text(known: &[KnownKey]) -> String {
    let each: Vec<String> = known
        .iter()
        .map(|key| format!("{} {} ({}:{})", key.kind, key.fingerprint, key.file.display(), key.line))
        .collect();
    each.join(", ")
}

impl HostKeyFault {
    /// What a person can do, one sentence a line.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { name, kind, fingerprint, .. } => {
                let shown = on_the_console(kind);
                format!(
                    "Compare {fingerprint} with the key on the host's console ({shown}).\n\
                     If it is the same, write host-key={fingerprint} in the hosts file, or scan once with \
                     --accept-new-host-keys, which adds {name} to known_hosts."
                )
            }
            Self::Changed { name, kind, fingerprint, known } => {
                let shown = on_the_console(kind);
                let file = known.first().map(|key| key.file.display().to_string()).unwrap_or_default();
                format!(
                    "Rebuilt? Compare {fingerprint} with the key on the host's console ({shown}).\n\
                     Only if it is the same: ssh-keygen -R '{name}' -f {file}, then add the new key.\n\
                     If nobody replaced the host, somebody may be answering in its place."
                )
            }
            Self::NotThePin { kind, fingerprint, place, .. } => {
                let shown = on_the_console(kind);
                format!(
                    "Rebuilt? Compare {fingerprint} with the key on the host's console ({shown}), then correct {place}."
                )
            }
            Self::Revoked { .. } | Self::RevokedByList { .. } => {
                "This key, or the authority that signed it, was declared stolen or retired. Give the host a new key, or \
                 replace the host."
                    .to_owned()
            }
            Self::AuthorityOnly { fingerprint, .. } => {
                format!(
                    "Give the host a certificate of that authority (HostCertificate in its sshd_config), or write \
                     host-key={fingerprint} in the hosts file after comparing it with the host's console."
                )
            }
            Self::Certificate { .. } => {
                "Sign the host's key anew (ssh-keygen -s CA -h -n NAME -V +52w), with the name that driftscan dials; or trust \
                 the authority that signed it by an @cert-authority line, if it is yours.\n\
                 If nobody changed the host or its certificate, somebody may be answering in its place."
                    .to_owned()
            }
            Self::Unknowable { source_text, .. } => {
                format!("Correct or remove what is at fault ({source_text}); until then nothing is trusted by it.")
            }
            Self::NotAccepted { kind, fingerprint, .. } => {
                let shown = on_the_console(kind);
                format!(
                    "Compare {fingerprint} with the key on the host's console ({shown}), and look at the host's options in \
                     ssh_config (RevokedHostKeys, VerifyHostKeyDNS, KnownHostsCommand)."
                )
            }
            Self::NotRecorded { file, .. } => {
                format!("Make {} writable, or write host-key= in the hosts file.", file.display())
            }
        }
    }
}

/// The command that shows the key where no network can lie about it.
fn on_the_console(kind: &str) -> String {
    let file = match kind {
        "ssh-ed25519" => "ed25519",
        "ssh-rsa" => "rsa",
        kind if kind.starts_with("ecdsa-") => "ecdsa",
        _ => "*",
    };
    format!("ssh-keygen -lf /etc/ssh/ssh_host_{file}_key.pub")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_shows_both_fingerprints_the_file_and_the_line() {
        let fault = HostKeyFault::Changed {
            name: "web-01".to_owned(),
            kind: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:new".to_owned(),
            known: vec![KnownKey {
                file: PathBuf::from("/home/a/.ssh/known_hosts"),
                line: 12,
                kind: "ssh-ed25519".to_owned(),
                fingerprint: "SHA256:old".to_owned(),
            }],
        };
        insta::assert_snapshot!(format!("{fault}\n{}", fault.remedy()), @r"
        the host key of web-01 has changed: it shows ssh-ed25519 SHA256:new, known is ssh-ed25519 SHA256:old (/home/a/.ssh/known_hosts:12)
        Rebuilt? Compare SHA256:new with the key on the host's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).
        Only if it is the same: ssh-keygen -R 'web-01' -f /home/a/.ssh/known_hosts, then add the new key.
        If nobody replaced the host, somebody may be answering in its place.
        ");
    }
}
