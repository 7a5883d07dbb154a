//! SHA-256 with domain separation: the digest of a record, of a set of records, and the short ids of the sketch.
//!
//! *Invariant:* equality of hosts is decided by full digests only; ids are for finding differences.

use sha2::{Digest as _, Sha256};

/// A full SHA-256.
pub type Digest = [u8; 32];

/// Salts the ids of one run, so that nobody can prepare two records with one id.
pub type Salt = [u8; 16];

/// The first 8 bytes of SHA-256 over salt and record digest; never decides equality.
pub type Id = u64;

/// The digest of one encoded record.
#[must_use]
pub fn of_record(encoded: &[u8]) -> Digest {
    Sha256::new().chain_update(b"driftscan.record.1\0").chain_update(encoded).finalize().into()
}

/// The id of a record in a run.
#[must_use]
pub fn id(salt: &Salt, record: &Digest) -> Id {
    let full: Digest = Sha256::new().chain_update(salt).chain_update(record).finalize().into();
    let mut head = [0u8; 8];
    head.copy_from_slice(&full[..8]);
    u64::from_le_bytes(head)
}

/// The digest of a set, from its records' digests in ascending order.
pub fn of_set<'a>(ascending: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut hash = Sha256::new_with_prefix(b"driftscan.set.1\0");
    for digest in ascending {
        hash.update(digest);
    }
    hash.finalize().into()
}

/// What a host must answer to prove a set: bound to the run's nonce and to the host's name, so that neither an old
/// answer nor another host's passes.
#[must_use]
pub fn root(nonce: &[u8; 32], host: &[u8], set: &Digest) -> Digest {
    Sha256::new()
        .chain_update(b"driftscan.root.1\0")
        .chain_update(nonce)
        .chain_update((host.len() as u64).to_le_bytes())
        .chain_update(host)
        .chain_update(set)
        .finalize()
        .into()
}

/// A digest of evidence that must not be reversible by a table of plain hashes of the same text.
#[must_use]
pub fn of_evidence(label: &[u8], text: &[u8]) -> Digest {
    Sha256::new()
        .chain_update(b"driftscan.evidence.1\0")
        .chain_update(label)
        .chain_update(b"\0")
        .chain_update(text)
        .finalize()
        .into()
}
