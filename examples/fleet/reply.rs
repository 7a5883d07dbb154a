//! An answer under way: frames, counted and hashed for the trailer.
//!
//! *Invariant:* byte for byte what a probe sends: hello, preamble, frames, and at the end the trailer over all of it.

use driftscan::collect::probe_digest;
use driftscan::protocol::bytes::put_varint;
use driftscan::protocol::reply::{BATCH, BatchWriter, FrameKind, HELLO, MAGIC, Trailer};
use driftscan::protocol::sketch::{Symbol, WIDTH};
use driftscan::protocol::{Digest, Record};
use sha2::{Digest as _, Sha256};

/// The frames so far.
pub(crate) struct Reply {
    waiting: Vec<u8>,
    hash: Sha256,
    frames: u64,
    bytes: u64,
}

impl Reply {
    /// Begins with the probe's hello.
    pub(crate) fn new() -> Self {
        let mut reply = Self { waiting: Vec::with_capacity(4_096), hash: Sha256::new(), frames: 0, bytes: 0 };
        reply.push(HELLO);
        reply.push(probe_digest().as_bytes());
        reply.push(b"\n");
        reply
    }

    /// Opens the answer to a request of this nonce.
    pub(crate) fn open(&mut self, nonce: &[u8; 32]) {
        self.push(&MAGIC);
        self.push(nonce);
    }

    /// Adds a frame.
    pub(crate) fn frame(&mut self, kind: FrameKind, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.push(&[kind as u8]);
        self.push(&length.to_le_bytes());
        self.push(payload);
        self.frames += 1;
    }

    /// Adds symbols, the first of which has this index.
    pub(crate) fn symbols(&mut self, first: usize, symbols: &[Symbol]) {
        let most = BATCH / WIDTH;
        for (at, chunk) in symbols.chunks(most).enumerate() {
            let mut payload = Vec::with_capacity(chunk.len() * WIDTH + 5);
            put_varint(&mut payload, (first + at * most) as u64);
            for symbol in chunk {
                symbol.encode(&mut payload);
            }
            self.frame(FrameKind::Symbols, &payload);
        }
    }

    /// Adds records, which ascend, and their end.
    pub(crate) fn records<'a>(&mut self, records: impl Iterator<Item = &'a Record>) {
        let (mut writer, mut payload, mut count) = (BatchWriter::default(), Vec::new(), 0);
        for record in records {
            writer.put(record.view().encoded(), &mut payload);
            count += 1;
            if payload.len() >= BATCH {
                self.frame(FrameKind::Batch, &payload);
                payload.clear();
            }
        }
        if !payload.is_empty() {
            self.frame(FrameKind::Batch, &payload);
        }
        payload.clear();
        put_varint(&mut payload, count);
        self.frame(FrameKind::End, &payload);
    }

    /// Ends it.
    pub(crate) fn close(&mut self) {
        let digest: Digest = self.hash.clone().finalize().into();
        let mut payload = Vec::new();
        Trailer { frames: self.frames, bytes: self.bytes, digest }.encode(&mut payload);
        self.frame(FrameKind::Trailer, &payload);
    }

    /// What is to be sent now.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.waiting)
    }

    fn push(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
    }
}
