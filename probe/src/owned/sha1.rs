//! SHA-1 (RFC 3174) in few bytes of program: apk and old packages of rpm know their files by it.
//!
//! *Invariant:* it only attributes a file to a package; what is equal is decided by SHA-256 alone.

use alloc::vec::Vec;

/// A digest under way.
pub struct Sha1 {
    state: [u32; 5],
    /// What does not fill a block yet.
    rest: Vec<u8>,
    len: u64,
}

impl Sha1 {
    /// Begins.
    pub fn new() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, rest: Vec::new(), len: 0 }
    }

    /// Takes bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() / 64 * 64;
        for block in self.rest[..whole].chunks_exact(64) {
            compress(&mut self.state, block);
        }
        self.rest.drain(..whole);
    }

    /// Ends.
    pub fn finish(mut self) -> Vec<u8> {
        let bits = self.len * 8;
        self.rest.push(0x80);
        let padded = (self.rest.len() + 8).next_multiple_of(64) - 8;
        self.rest.resize(padded, 0);
        self.update(&bits.to_be_bytes());
        self.state.iter().flat_map(|word| word.to_be_bytes()).collect()
    }
}

fn compress(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0u32; 80];
    for at in 0..80 {
        words[at] = match block.get(at * 4..at * 4 + 4) {
            Some(bytes) => bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)),
            None => (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1),
        };
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (at, word) in words.iter().enumerate() {
        let (mixed, constant) = match at / 20 {
            0 => (b & c | !b & d, 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (word, more) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(more);
    }
}
