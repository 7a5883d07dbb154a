//! What the plan knows of a machine that a script can ask for again.
//!
//! *Invariant:* only what tells one machine from every other of the group counts: a machine id that two members share is
//! none, and a host key that can't be asked for directly is none.

use std::collections::HashMap;

use crate::model::text::unhex;
use crate::plan::{Item, Plan};

/// A machine as it was scanned.
pub(super) struct Identity<'a> {
    /// The port of its ssh server.
    pub(super) port: u16,
    /// The host without port and user.
    pub(super) address: &'a str,
    /// Type as ssh-keyscan knows it, and fingerprint.
    key: Option<(&'static str, &'a str)>,
    /// Digest of the machine id.
    machine_id: Option<&'a str>,
}

/// How many members have each machine id.
pub(super) struct Machines<'a>(HashMap<&'a str, usize>);

impl<'a> Machines<'a> {
    /// Counts them.
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut counts = HashMap::new();
        for member in plan.groups.iter().flat_map(|group| &group.members) {
            if let Some(id) = &member.machine_id {
                *counts.entry(id.as_str()).or_insert(0) += 1;
            }
        }
        Self(counts)
    }

    /// What is known of a machine.
    pub(super) fn identity<'b>(&self, item: &'b Item) -> Identity<'b> {
        let (address, port) = endpoint(&item.address).unwrap_or((&item.address, 22));
        let own = |id: &str| unhex::<32>(id).is_some() && self.0.get(id).is_none_or(|count| *count < 2);
        Identity {
            port,
            address,
            key: item.host_key.as_deref().filter(|_| !item.jump).and_then(host_key),
            machine_id: item.machine_id.as_deref().filter(|id| own(id)),
        }
    }
}

impl Identity<'_> {
    /// Whether anything tells the machine from others.
    pub(super) fn is_known(&self) -> bool {
        self.key.is_some() || self.machine_id.is_some()
    }

    /// Whether its host key can be asked for.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// `PORT TYPE FINGERPRINT`, the latter two `-` where there is none.
    pub(super) fn key_words(&self) -> [String; 3] {
        let (kind, fingerprint) = self.key.unwrap_or(("-", "-"));
        [self.port.to_string(), kind.to_owned(), fingerprint.to_owned()]
    }

    /// `DIGEST PORT TYPE FINGERPRINT`.
    pub(super) fn all_words(&self) -> [String; 4] {
        let [port, kind, fingerprint] = self.key_words();
        [self.machine_id.unwrap_or("-").to_owned(), port, kind, fingerprint]
    }
}

/// `TYPE SHA256:...`: the type as ssh-keyscan(1) takes it. A certificate's fingerprint is not what it would show.
fn host_key(text: &str) -> Option<(&'static str, &str)> {
    let (kind, fingerprint) = text.split_once(' ')?;
    let kind = match kind {
        "ssh-ed25519" | "ED25519" => "ed25519",
        "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" | "RSA" => "rsa",
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" | "ECDSA" => "ecdsa",
        _ => return None,
    };
    let digest = fingerprint.strip_prefix("SHA256:")?;
    let shaped = digest.len() == 43 && digest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    shaped.then_some((kind, fingerprint))
}

/// `[user@]host:port` or `[user@][v6]:port`.
fn endpoint(text: &str) -> Option<(&str, u16)> {
    let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    Some((host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_and_keys() {
        assert_eq!(endpoint("driftscan@web-01.example.net:2222"), Some(("web-01.example.net", 2222)));
        assert_eq!(endpoint("a@[2001:db8::17]:22"), Some(("2001:db8::17", 22)));
        assert_eq!(endpoint("local"), None);
        let print = "SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE";
        for (kind, asked) in [("ssh-ed25519", "ed25519"), ("ED25519", "ed25519"), ("ecdsa-sha2-nistp256", "ecdsa")] {
            assert_eq!(host_key(&format!("{kind} {print}")), Some((asked, print)));
        }
        for wrong in ["ssh-ed25519-cert-v01@openssh.com", "ssh-dss", "-t"] {
            assert_eq!(host_key(&format!("{wrong} {print}")), None);
        }
        assert_eq!(host_key("ssh-ed25519 SHA256:short"), None);
    }
}
