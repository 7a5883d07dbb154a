//! The probe that was built with this program.
//!
//! *Invariant:* the bytes that are sent are the bytes whose digest is shown.

use crate::model::text::hex;
use sha2::{Digest as _, Sha256};
use std::sync::OnceLock;

/// A static program for x86-64 Linux.
pub static PROBE: &[u8] = include_bytes!(env!("DRIFTSCAN_PROBE"));

/// The same program packed by gzip, for hosts that can unpack it.
pub static PACKED: &[u8] = include_bytes!(env!("DRIFTSCAN_PROBE_PACKED"));

/// SHA-256 of [`PROBE`], hexadecimal.
#[must_use]
pub fn probe_digest() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| hex(&Sha256::digest(PROBE)))
}
