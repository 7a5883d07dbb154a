//! The digest of how a fleet is reached: with it a run that is taken up is known to have looked at the same machines.
//!
//! *Invariant:* whatever flags, `ssh_config` and lists of revoked keys make of a host is in it; what the run itself writes, a new
//! key in `known_hosts`, is not.

use crate::model::text::hex;
use crate::scan::{Target, Way};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::Path;

/// SHA-256, hexadecimal.
pub(super) fn digest(targets: &[Target]) -> String {
    let mut hash = Sha256::new();
    let mut files: BTreeSet<&Path> = BTreeSet::new();
    for target in targets {
        let Target { name, group: _, address, way, root, sudo, probe, comparison: _ } = target;
        let ground = match way {
            Way::Local => "local".to_owned(),
            Way::Ssh(route) => {
                files.extend(route.trust_files());
                route.ground()
            }
        };
        let line = format!("{name:?} {address:?} {root:?} {sudo} {} {ground:?}\n", probe.word());
        hash.update(line);
    }
    for file in files {
        // What can't be read is told where the routes are made.
        let bytes = std::fs::read(file).unwrap_or_default();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| distrusts(line)) {
            hash.update(line);
            hash.update(b"\n");
        }
    }
    hex(&hash.finalize())
}

/// Whether a line is more than a key of a host: a marker of `known_hosts`, or a part of a list of revoked keys.
fn distrusts(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let is_key = |line: &[u8]| [&b"ssh-"[..], b"ecdsa-", b"sk-", b"AAAA"].iter().any(|kind| line.starts_with(kind));
    // A list may also be binary, and then begins with its name.
    line.starts_with(b"@") || is_key(line) || line.starts_with(b"SSHKRL") || !line.is_ascii()
}
