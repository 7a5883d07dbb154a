//! The key under which secrets are digested, and HMAC-SHA-256 (RFC 2104) over it.
//!
//! A secret of few letters is found by its plain digest in no time. Under a key that stays with the controller, and that a
//! host holds for the length of a scan, a digest only tells whether two secrets are the same.
//!
//! *Invariant:* a key is in no text: what prints it prints nothing.

use super::digest::Digest;
use sha2::{Digest as _, Sha256};

/// SHA-256 takes so many bytes at once.
const BLOCK: usize = 64;

/// A key of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(pub [u8; 32]);

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretKey")
    }
}

impl SecretKey {
    /// What names the key in a baseline, and gives nothing of it away.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let full: Digest = Sha256::new().chain_update(b"driftscan key id").chain_update(self.0).finalize().into();
        [full[0], full[1], full[2], full[3]]
    }

    /// A hash that takes the content next, piece by piece.
    #[must_use]
    pub fn begin(&self) -> Sha256 {
        self.padded(0x36)
    }

    /// The digest of what a hash of [`Self::begin`] took.
    #[must_use]
    pub fn end(&self, content: Sha256) -> Digest {
        self.padded(0x5c).chain_update(content.finalize()).finalize().into()
    }

    /// A hash that took the key, filled up to a block, with every byte changed.
    fn padded(&self, pad: u8) -> Sha256 {
        let mut block = [pad; BLOCK];
        for (byte, key) in block.iter_mut().zip(&self.0) {
            *byte ^= key;
        }
        Sha256::new_with_prefix(block)
    }
}
