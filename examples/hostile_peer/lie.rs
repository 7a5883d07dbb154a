//! Misbehaviours of a probe: what is done to each message of an honest conversation.
//!
//! *Invariant:* what is not bent stays as the real probe said it, so that everything else about the host is true.

use driftscan::protocol::bytes::{put_string, put_varint};
use driftscan::protocol::reply::{
    BATCH, BatchReader, BatchWriter, FRAME_MAX, FrameKind, Root, Texts, evidence, identity,
};
use driftscan::protocol::request::{FollowUp, Request};
use driftscan::protocol::usage::{Count, FOLDERS_MAX, LARGEST_MAX, Large, Usage};
use driftscan::protocol::{Attr, Coverage, Malformed, Record, Value};

/// A frame before it is sent.
pub(crate) type Frame = (FrameKind, Vec<u8>);

/// What is bent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    OldNonce,
    OtherHost,
    Twice,
    Unsorted,
    NotAsked,
    Missing,
    WrongCount,
    WrongRecordCount,
    ForgedRoot,
    ForgedSymbols,
    ForgedSymbolsAndListing,
    SymbolsWithoutEnd,
    EntriesWithoutEnd,
    LongNamesWithoutEnd,
    FramesWithoutEnd,
    OversizedFrame,
    UnknownFrame,
    HugeSize,
    HugeMode,
    HugeInteger,
    HugeCounts,
    GarbageCoverage,
    OddTexts,
    ManyTexts,
    OddUsage,
    GarbageUsage,
    ClockAhead,
    ClockBehind,
    OtherSystem,
    Noise,
    MuchNoise,
    FalseStart,
    NoTrailer,
    WrongTrailer,
    TrailerTwice,
    BytesAfter,
    StopsHalfway,
    StallsHalfway,
    Drips,
    Status137,
    Status1,
    Refuses,
}

impl Lie {
    /// Bends what the real probe is asked.
    pub(crate) fn bend_request(self, request: &mut Request) {
        match self {
            Self::OldNonce => request.nonce[0] ^= 1,
            Self::OtherHost => request.host.extend_from_slice(b"-other"),
            _ => {}
        }
    }

    /// Bytes before the preamble.
    pub(crate) fn noise(self, preamble: &[u8]) -> Vec<u8> {
        match self {
            Self::Noise => b"Welcome. The weather is fine, and there is no mail.\r\n".repeat(1_200),
            Self::MuchNoise => b"Welcome. The weather is fine, and there is no mail.\r\n".repeat(2_000),
            // All of a preamble but its last byte.
            Self::FalseStart => preamble[..preamble.len() - 1].to_vec(),
            _ => Vec::new(),
        }
    }

    /// Bends one frame of the answer to this message, or to the request; gives what is sent in its place.
    pub(crate) fn bend(self, asked: Option<&FollowUp>, kind: FrameKind, payload: Vec<u8>) -> Vec<Frame> {
        let bent = match (self, kind) {
            (
                Self::Twice | Self::Unsorted | Self::NotAsked | Self::Missing | Self::HugeSize | Self::HugeMode,
                FrameKind::Batch,
            ) => rewritten(&payload, |records| self.bend_records(records)),
            (Self::Twice | Self::NotAsked, FrameKind::End) => added(&payload, 1),
            (Self::Missing, FrameKind::End) => added(&payload, -1),
            (Self::WrongCount, FrameKind::End) => added(&payload, 5),
            (Self::HugeInteger, FrameKind::End) => Ok(vec![0xff; 10]),
            (Self::WrongRecordCount, FrameKind::Root) => root(&payload, |root| root.records += 1),
            (Self::ForgedRoot, FrameKind::Root) => root(&payload, |root| root.root[0] ^= 1),
            (Self::HugeCounts, FrameKind::Root) => root(&payload, |root| root.records = u64::MAX),
            (Self::ForgedSymbols | Self::ForgedSymbolsAndListing, FrameKind::Symbols) => Ok(forged(&payload)),
            (Self::ForgedSymbolsAndListing, FrameKind::Batch) if asked == Some(&FollowUp::Listing) => {
                rewritten(&payload, |records| records.truncate(records.len() / 2))
            }
            (Self::HugeCounts, FrameKind::Coverage) => coverage(&payload, |coverage| {
                (coverage.walked, coverage.compared, coverage.hashed_bytes) = (u64::MAX, u64::MAX, u64::MAX);
                (coverage.packages, coverage.millis, coverage.oversize) = (u64::MAX, u64::MAX, u64::MAX);
            }),
            (Self::GarbageCoverage, FrameKind::Coverage) | (Self::GarbageUsage, FrameKind::Usage) => {
                Ok(vec![0xa5; 300])
            }
            (Self::ClockAhead, FrameKind::Evidence) => clock(&payload, TEN_YEARS),
            (Self::ClockBehind, FrameKind::Evidence) => clock(&payload, -TEN_YEARS),
            (Self::OtherSystem, FrameKind::Identity) => texts(&payload, |texts| {
                replace(texts, identity::OS_ID, b"plan9");
            }),
            (Self::OddTexts, FrameKind::Evidence) => texts(&payload, |texts| {
                for name in [evidence::HOSTNAME, evidence::ADDRESS, evidence::BOOT, evidence::CLOCK, evidence::UID] {
                    replace(texts, name, b"\x1b]0;owned\x07\n::error::\xff\xe2\x80\xae-9223372036854775809");
                }
            }),
            (Self::ManyTexts, FrameKind::Evidence) => texts(&payload, |texts| {
                texts.0 = vec![(vec![b'n'; 64], vec![b't'; 4_096]); 257];
            }),
            (Self::OddUsage, FrameKind::Usage) => Ok(odd_usage()),
            (Self::UnknownFrame, FrameKind::Coverage) => return vec![(FrameKind::StatDigests, payload)],
            (Self::Refuses, FrameKind::Identity) => return vec![(FrameKind::Refused, b"\x1b[2J13".to_vec())],
            _ => return vec![(kind, payload)],
        };
        // What can't be read can't be bent.
        vec![(kind, bent.unwrap_or(payload))]
    }

    fn bend_records(self, records: &mut Vec<Vec<u8>>) {
        match self {
            Self::Twice => {
                let good = records.first().map(|record| plain(&subject(record), 0o644, 7));
                records.splice(1..1, good);
            }
            Self::Unsorted => records.reverse(),
            Self::NotAsked => records.push(plain(b"fs:/zzz-never-asked-for", 0o644, 7)),
            Self::Missing => drop(records.pop()),
            Self::HugeSize => {
                for record in records {
                    *record = with(record, Attr::Size, &(1_u64 << 63).to_le_bytes());
                }
            }
            Self::HugeMode => {
                for record in records {
                    *record = with(record, Attr::Mode, &[0xff; 4]);
                }
            }
            _ => {}
        }
    }

    /// Frames that are sent again and again in the place of a frame of this kind.
    pub(crate) fn endless(self, kind: FrameKind) -> Option<Endless> {
        match (self, kind) {
            (Self::EntriesWithoutEnd, FrameKind::Batch) => Some(Endless::Entries(0)),
            (Self::LongNamesWithoutEnd, FrameKind::Batch) => Some(Endless::LongNames(0)),
            (Self::FramesWithoutEnd, FrameKind::Coverage) => Some(Endless::Same(FrameKind::Coverage)),
            (Self::SymbolsWithoutEnd, FrameKind::Symbols) => Some(Endless::Same(FrameKind::Symbols)),
            _ => None,
        }
    }
}

/// Ten years in seconds.
const TEN_YEARS: i64 = 315_576_000;

/// Frames without end.
pub(crate) enum Endless {
    /// Records of new paths, ascending.
    Entries(u64),
    /// The same with names of 4,000 bytes, which front coding sends in a few.
    LongNames(u64),
    /// The longest frame of a kind.
    Same(FrameKind),
}

impl Iterator for Endless {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let (next, head) = match self {
            Self::Same(kind) => return Some((*kind, vec![0; FRAME_MAX])),
            Self::Entries(next) => (next, "fs:/".to_owned()),
            Self::LongNames(next) => (next, format!("fs:/{}", "a".repeat(4_000))),
        };
        let (mut writer, mut payload) = (BatchWriter::default(), Vec::new());
        // The first record of a batch shares nothing, whatever the one before was.
        while payload.len() < BATCH {
            *next += 1;
            writer.put(&plain(format!("{head}{next:016}").as_bytes(), 0o644, *next), &mut payload);
        }
        Some((FrameKind::Batch, payload))
    }
}

/// A file's record with this mode and size.
fn plain(subject: &[u8], mode: u16, size: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    put_string(&mut encoded, subject);
    for (attr, value) in [(Attr::Kind, &b"f"[..]), (Attr::Mode, &mode.to_le_bytes()), (Attr::Size, &size.to_le_bytes())]
    {
        put_attr(&mut encoded, attr, value);
    }
    encoded
}

/// Appends a value that was read.
fn put_attr(out: &mut Vec<u8>, attr: Attr, value: &[u8]) {
    out.push(attr as u8);
    put_varint(out, (value.len() as u64) << 2);
    out.extend_from_slice(value);
}

/// The record with this value in the place of what it has; it need not be a record any more.
fn with(record: &[u8], attr: Attr, value: &[u8]) -> Vec<u8> {
    let Ok(record) = Record::parse(record) else { return record.to_vec() };
    let mut attrs: Vec<_> = record.view().attrs().filter(|(a, _)| *a != attr).collect();
    attrs.push((attr, Value::Present(value)));
    attrs.sort_by_key(|(attr, _)| *attr as u8);
    let mut encoded = Vec::new();
    put_string(&mut encoded, record.subject());
    for (attr, value) in attrs {
        if let Value::Present(bytes) = value {
            put_attr(&mut encoded, attr, bytes);
        }
    }
    encoded
}

fn subject(record: &[u8]) -> Vec<u8> {
    Record::parse(record).map(|record| record.subject().to_vec()).unwrap_or_default()
}

/// A batch with its records changed. Their order is the liar's.
fn rewritten(payload: &[u8], change: impl Fn(&mut Vec<Vec<u8>>)) -> Result<Vec<u8>, Malformed> {
    let mut records = Vec::new();
    BatchReader::default().read::<Malformed>(payload, |record| {
        records.push(record.view().encoded().to_vec());
        Ok(())
    })?;
    change(&mut records);
    let (mut writer, mut out) = (BatchWriter::default(), Vec::new());
    for record in &records {
        writer.put(record, &mut out);
    }
    Ok(out)
}

/// A count with so much added.
fn added(payload: &[u8], more: i64) -> Result<Vec<u8>, Malformed> {
    let count = driftscan::protocol::Reader::new(payload).varint("count")?;
    let mut out = Vec::new();
    put_varint(&mut out, count.saturating_add_signed(more));
    Ok(out)
}

fn root(payload: &[u8], change: impl Fn(&mut Root)) -> Result<Vec<u8>, Malformed> {
    let mut root = Root::decode(payload)?;
    change(&mut root);
    let mut out = Vec::new();
    root.encode(&mut out);
    Ok(out)
}

fn coverage(payload: &[u8], change: impl Fn(&mut Coverage)) -> Result<Vec<u8>, Malformed> {
    let mut coverage = Coverage::decode(payload)?;
    change(&mut coverage);
    let mut out = Vec::new();
    coverage.encode(&mut out);
    Ok(out)
}

fn texts(payload: &[u8], change: impl Fn(&mut Texts)) -> Result<Vec<u8>, Malformed> {
    let mut texts = Texts::decode(payload)?;
    change(&mut texts);
    let mut out = Vec::new();
    texts.encode(&mut out);
    Ok(out)
}

fn replace(texts: &mut Texts, name: &[u8], text: &[u8]) {
    texts.0.retain(|(n, _)| n != name);
    texts.put(name, text);
}

fn clock(payload: &[u8], seconds: i64) -> Result<Vec<u8>, Malformed> {
    texts(payload, |texts| {
        let now = texts.text(evidence::CLOCK).and_then(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok());
        replace(texts, evidence::CLOCK, now.unwrap_or(0).saturating_add(seconds).to_string().as_bytes());
    })
}

/// More than any disk holds, in the year -292,277,022,657 and in folders whose names act on a terminal.
fn odd_usage() -> Vec<u8> {
    let most = Count { files: u64::MAX, bytes: u64::MAX, newest: i64::MIN, more: true, unread: true };
    let name = |number: usize| format!("\u{1b}]0;owned\u{7}\n\u{202e}{number}").into_bytes();
    let path = b"/var/tmp/\x1b[2J\xff".to_vec();
    let usage = Usage {
        count: most,
        folders: (0..FOLDERS_MAX).map(|number| (name(number), Count { newest: i64::MAX, ..most })).collect(),
        largest: vec![Large { path, bytes: u64::MAX, modified: i64::MAX }; LARGEST_MAX],
    };
    let mut out = Vec::new();
    Usage::encode(Some(&usage), &mut out);
    out
}

/// Symbols that add up to nothing that is.
fn forged(payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    let first = payload.len().min(2);
    for (at, byte) in payload[first..].iter_mut().enumerate() {
        *byte ^= u8::try_from(at % 251).unwrap_or(0);
    }
    payload
}
