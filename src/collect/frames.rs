//! The reply as frames: everything from the probe's hello on is hashed and counted.
//!
//! *Invariant:* no frame longer than its cap is ever held, and nothing counts before the trailer agrees.

use super::failure::Failure;
use crate::model::Reason;
use crate::protocol::Digest;
use crate::protocol::reply::{FRAME_MAX, FrameKind, Trailer};
use crate::transport::TransportError;
use sha2::{Digest as _, Sha256};
use std::io::Read;

/// A reply being read.
pub(super) struct Frames {
    hash: Sha256,
    count: u64,
    bytes: u64,
    /// Bytes read beyond the preamble.
    ahead: Vec<u8>,
}

impl Frames {
    /// The frames behind this beginning; `ahead` was read already.
    pub(super) fn after(beginning: &[u8], ahead: Vec<u8>) -> Self {
        Self { hash: Sha256::new_with_prefix(beginning), count: 0, bytes: beginning.len() as u64, ahead }
    }

    /// The next frame.
    pub(super) fn next(&mut self, from: &mut dyn Read) -> Result<(FrameKind, Vec<u8>), Failure> {
        let mut head = [0u8; 5];
        self.fill(from, &mut head)?;
        let kind = FrameKind::of(head[0]).ok_or_else(|| Failure::protocol("unknown frame"))?;
        let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if len > FRAME_MAX {
            return Err(Failure::protocol("a frame above its cap"));
        }
        let mut payload = vec![0; len];
        self.fill(from, &mut payload)?;
        if kind == FrameKind::Trailer {
            self.prove(&payload)?;
        } else {
            self.hash.update(head);
            self.hash.update(&payload);
            self.bytes += (head.len() + payload.len()) as u64;
            self.count += 1;
        }
        Ok((kind, payload))
    }

    /// The next frame, which must be of this kind.
    pub(super) fn expect(&mut self, from: &mut dyn Read, expected: FrameKind) -> Result<Vec<u8>, Failure> {
        let (kind, payload) = self.next(from)?;
        if kind == FrameKind::Refused {
            return Err(refused(&payload));
        }
        if kind == expected { Ok(payload) } else { Err(Failure::protocol("frames out of order")) }
    }

    /// The end: a trailer that agrees, and nothing after it.
    pub(super) fn end(&mut self, from: &mut dyn Read) -> Result<(), Failure> {
        self.expect(from, FrameKind::Trailer)?;
        let more = from.read(&mut [0u8; 1]).map_err(broken)?;
        if more == 0 && self.ahead.is_empty() { Ok(()) } else { Err(Failure::protocol("bytes after the trailer")) }
    }

    fn prove(&self, payload: &[u8]) -> Result<(), Failure> {
        let trailer = Trailer::decode(payload).map_err(Failure::protocol)?;
        let digest: Digest = self.hash.clone().finalize().into();
        let expected = Trailer { frames: self.count, bytes: self.bytes, digest };
        if trailer == expected { Ok(()) } else { Err(Failure::protocol("the trailer does not agree")) }
    }

    fn fill(&mut self, from: &mut dyn Read, into: &mut [u8]) -> Result<(), Failure> {
        let ready = self.ahead.len().min(into.len());
        into[..ready].copy_from_slice(&self.ahead[..ready]);
        self.ahead.drain(..ready);
        let mut at = ready;
        while at < into.len() {
            match from.read(&mut into[at..]).map_err(broken)? {
                0 => return Err(Failure::new(Reason::Truncated, "the answer ended early")),
                n => at += n,
            }
        }
        Ok(())
    }
}

/// The probe's own refusal: the number of a kernel error.
fn refused(payload: &[u8]) -> Failure {
    let errno = std::str::from_utf8(payload).ok().and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
    let why = std::io::Error::from_raw_os_error(errno).to_string();
    let reason = if matches!(errno, libc::EACCES | libc::EPERM) { Reason::Unreadable } else { Reason::Io };
    Failure {
        remedy: Some("check root= in the hosts file".to_owned()),
        ..Failure::new(reason, format!("the folder to scan can't be opened: {why}"))
    }
}

/// An error of reading or writing.
pub(super) fn broken(error: std::io::Error) -> Failure {
    Failure::of_transport(&TransportError::from_io(error))
}
