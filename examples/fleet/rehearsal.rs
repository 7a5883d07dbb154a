//! The real probe, run once on the golden tree for each question that a scan asks of its whole fleet.
//!
//! *Invariant:* what the simulated hosts answer was said by the probe of this build; nothing of it is made up here.

use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use driftscan::collect::{PACKED, PROBE, READY, READY_PACKED, Way};
use driftscan::protocol::Record;
use driftscan::protocol::reply::{BatchReader, FrameKind, HELLO, MAGIC};
use driftscan::protocol::request::{Mode, Request};
use driftscan::transport::{Connection as _, LocalConnection};

/// For the scan of the golden tree.
const PATIENCE: Duration = Duration::from_secs(120);
/// For what the probe says of it.
const BUDGET: u64 = 1 << 30;

/// What the probe said.
pub(crate) struct Rehearsal {
    /// Payloads of frames, as they came.
    pub(crate) identity: Vec<u8>,
    pub(crate) evidence: Vec<u8>,
    pub(crate) coverage: Vec<u8>,
    /// Every record, in the order of their subjects.
    pub(crate) records: Vec<Record>,
}

/// Asks the probe for everything that it compares under this request.
pub(crate) fn rehearse(request: &Request) -> io::Result<Rehearsal> {
    let mode = match request.mode {
        Mode::Sketch(_) | Mode::Listing => Mode::Listing,
        Mode::Capture => Mode::Capture,
    };
    let request = Request { mode, ..request.clone() };
    let mut connection = LocalConnection::new();
    connection.allow(BUDGET, Instant::now() + PATIENCE);
    let mut exchange = connection.exec(&Way::Stream.command(false)).map_err(io::Error::other)?;
    let mut word = [0];
    let mut said = Vec::new();
    while word != *b"\n" && exchange.read(&mut word)? > 0 {
        said.extend_from_slice(&word);
    }
    let probe = match said.as_slice() {
        READY_PACKED => PACKED,
        READY => PROBE,
        _ => return Err(io::Error::other("this machine has no place for the probe")),
    };
    exchange.write_all(probe)?;
    exchange.write_all(&request.encode())?;
    exchange.close_write().map_err(io::Error::other)?;
    let mut reply = Vec::new();
    exchange.read_to_end(&mut reply)?;
    let exit = exchange.finish().map_err(io::Error::other)?;
    if exit.status != Some(0) {
        let words = String::from_utf8_lossy(&exit.stderr);
        return Err(io::Error::other(format!("the probe ended with {:?}: {}", exit.status, words.trim())));
    }
    read(&reply).ok_or_else(|| io::Error::other("the probe's answer is not a listing"))
}

/// Takes the answer apart. It comes from our own probe, so its trailer is not proven again.
fn read(reply: &[u8]) -> Option<Rehearsal> {
    let hello = reply.strip_prefix(HELLO)?;
    let (_digest, rest) = hello.split_at_checked(64)?;
    let mut rest = rest.strip_prefix(b"\n")?.strip_prefix(&MAGIC)?.get(32..)?;
    let mut said = Rehearsal { identity: Vec::new(), evidence: Vec::new(), coverage: Vec::new(), records: Vec::new() };
    let mut batches = BatchReader::default();
    while let Some((head, after)) = rest.split_first_chunk::<5>() {
        let length = usize::try_from(u32::from_le_bytes([head[1], head[2], head[3], head[4]])).ok()?;
        let (payload, after) = after.split_at_checked(length)?;
        rest = after;
        match FrameKind::of(head[0])? {
            FrameKind::Identity => said.identity = payload.to_vec(),
            FrameKind::Evidence => said.evidence = payload.to_vec(),
            FrameKind::Coverage => said.coverage = payload.to_vec(),
            FrameKind::Batch => batches
                .read::<driftscan::protocol::Malformed>(payload, |record| {
                    said.records.push(record);
                    Ok(())
                })
                .ok()?,
            FrameKind::Root | FrameKind::End => {}
            FrameKind::Trailer => return Some(said),
            FrameKind::Symbols
            | FrameKind::Refused
            | FrameKind::StatDigests
            | FrameKind::Text
            | FrameKind::Owned
            | FrameKind::Usage => return None,
        }
    }
    None
}
