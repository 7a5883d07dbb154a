//! A host in memory, made of the shared protocol: it takes the probe and a request, and answers as a probe does, or as
//! its script bends the answer.

use crate::collect::bootstrap::READY;
use crate::collect::{PROBE, probe_digest};
use crate::protocol::bytes::put_varint;
use crate::protocol::reply::{
    BatchWriter, FrameKind, HELLO, MAGIC, Owned, Root, Shipped, Text, TextState, Texts, Trailer, identity,
};
use crate::protocol::request::{FollowUp, Mode, Request};
use crate::protocol::usage::Usage;
use crate::protocol::{Coverage, Digest, Id, Record, digest, sketch};
use crate::transport::{Connection, Exchange, Exit, Phase, Traffic, TransportError};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::time::Instant;

/// A frame before it is sent.
pub(super) type Frame = (FrameKind, Vec<u8>);

/// Which answer is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Identity, evidence, coverage, root, and symbols or records.
    First,
    /// To a follow-up.
    Follow(FollowUp),
    /// The trailer.
    Last,
}

type Script = Box<dyn Fn(&Stage, &mut Vec<Frame>)>;

/// What a host is and how it answers.
pub(super) struct Host {
    pub(super) records: Vec<Record>,
    pub(super) os: &'static str,
    pub(super) coverage: Coverage,
    /// What it says of itself.
    pub(super) evidence: Texts,
    /// What it says of every place.
    pub(super) usage: Option<Usage>,
    /// Comes before the reply.
    pub(super) noise: Vec<u8>,
    /// Comes after the trailer.
    pub(super) after: Vec<u8>,
    /// Answers another nonce, or for another host.
    pub(super) nonce: Option<[u8; 32]>,
    pub(super) name: Option<&'static [u8]>,
    pub(super) exit: Exit,
    /// Bends answers; what it leaves is hashed into the trailer.
    pub(super) script: Script,
    /// The most bytes of one read.
    pub(super) chunk: usize,
    /// What was asked after the first answer.
    pub(super) asked: RefCell<Vec<FollowUp>>,
    /// Everything that was answered.
    pub(super) said: RefCell<Vec<u8>>,
}

impl Host {
    /// An honest host.
    pub(super) fn of(records: Vec<Record>) -> Self {
        Self {
            records,
            os: "debian",
            coverage: Coverage { systems: 1, ..Coverage::default() },
            evidence: Texts::default(),
            usage: None,
            noise: Vec::new(),
            after: Vec::new(),
            nonce: None,
            name: None,
            exit: Exit { status: Some(0), ..Exit::default() },
            script: Box::new(|_, _| {}),
            chunk: usize::MAX,
            asked: RefCell::default(),
            said: RefCell::default(),
        }
    }

    /// A host that bends its answers.
    pub(super) fn bent(records: Vec<Record>, script: impl Fn(&Stage, &mut Vec<Frame>) + 'static) -> Self {
        Self { script: Box::new(script), ..Self::of(records) }
    }

    /// The records as this request wants them, by subject.
    fn set(&self, request: &Request) -> Vec<Record> {
        let mut set: Vec<Record> = Vec::new();
        for record in &self.records {
            let mask = request.rules.mask_of(record.view());
            let mut encoded = Vec::new();
            if request.mode == Mode::Capture {
                encoded.extend_from_slice(record.view().encoded());
            } else {
                record.view().project(mask, &mut encoded);
            }
            if mask != crate::protocol::Mask::NONE {
                set.push(Record::parse(&encoded).unwrap());
            }
        }
        set.sort_by(|a, b| a.subject().cmp(b.subject()));
        set
    }
}

/// The digest of a record.
pub(super) fn digest_of(record: &Record) -> Digest {
    digest::of_record(record.view().encoded())
}

/// Batches of these records and their end.
pub(super) fn batches<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Frame> {
    let (mut writer, mut payload, mut count, mut frames) = (BatchWriter::default(), Vec::new(), 0, Vec::new());
    for record in records {
        writer.put(record.view().encoded(), &mut payload);
        count += 1;
        if payload.len() > 64 * 1024 {
            frames.push((FrameKind::Batch, std::mem::take(&mut payload)));
        }
    }
    if !payload.is_empty() {
        frames.push((FrameKind::Batch, payload));
    }
    frames.push((FrameKind::End, varint(count)));
    frames
}

/// An integer as a payload.
pub(super) fn varint(n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, n);
    bytes
}

/// A frame of these symbols.
pub(super) fn symbols(ids: &[Id], from: usize, to: usize) -> Frame {
    let mut payload = varint(from as u64);
    for symbol in sketch::symbols(ids.iter().copied(), from, to) {
        symbol.encode(&mut payload);
    }
    (FrameKind::Symbols, payload)
}

/// A probe at work.
struct Probe<'h> {
    host: &'h Host,
    request: Option<Request>,
    set: Vec<Record>,
    ids: Vec<Id>,
    symbols: usize,
    input: Vec<u8>,
    output: Vec<u8>,
    read: usize,
    hash: Sha256,
    sent: u64,
    frames: u64,
    closed: bool,
    ended: bool,
}

impl Probe<'_> {
    fn send(&mut self, stage: &Stage, mut frames: Vec<Frame>) {
        (self.host.script)(stage, &mut frames);
        for (kind, payload) in frames {
            let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
            let bytes = [&[kind as u8][..], &length, &payload].concat();
            self.hash.update(&bytes);
            self.sent += bytes.len() as u64;
            self.frames += 1;
            self.output.extend_from_slice(&bytes);
        }
    }

    /// Answers whatever has come whole.
    fn work(&mut self) {
        if self.request.is_none() && !self.begin() {
            return;
        }
        while let Some(length) = self.input.get(1..5).map(|l| u32::from_le_bytes(l.try_into().unwrap()) as usize) {
            let Some(payload) = self.input.get(5..5 + length) else { break };
            let message = FollowUp::decode(self.input[0], payload).unwrap();
            self.input.drain(..5 + length);
            self.follow(message);
        }
        if self.closed && !self.ended {
            self.follow(FollowUp::Bye);
        }
    }

    fn begin(&mut self) -> bool {
        let head = PROBE.len() + 12;
        let Some(length) = self.input.get(head - 4..head).map(|l| u32::from_le_bytes(l.try_into().unwrap()) as usize)
        else {
            return false;
        };
        if self.input.len() < head + length {
            return false;
        }
        assert_eq!(&self.input[..PROBE.len()], PROBE);
        let request = Request::decode(&self.input[head..head + length]).unwrap();
        self.input.drain(..head + length);
        let host = self.host;
        self.set = host.set(&request);
        let digests: Vec<Digest> = self.set.iter().map(digest_of).collect();
        self.ids = digests.iter().map(|digest| digest::id(&request.salt, digest)).collect();
        let hello = [HELLO, probe_digest().as_bytes(), b"\n"].concat();
        let preamble = [&hello, &MAGIC[..], &host.nonce.unwrap_or(request.nonce)].concat();
        self.hash.update(&preamble);
        self.sent += preamble.len() as u64;
        self.output.extend_from_slice(&preamble);

        let encoded = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut payload = Vec::new();
            write(&mut payload);
            payload
        };
        let mut words = Texts::default();
        words.put(identity::OS_ID, host.os.as_bytes());
        words.put(identity::OS_VERSION, b"12");
        words.put(identity::ARCH, b"x86_64");
        let records = self.set.len() as u64;
        let coverage = Coverage { compared: records, ..host.coverage.clone() };
        let set = crate::manifest::projected::set_of(&digests);
        let name = host.name.unwrap_or(&request.host);
        let root = Root { root: digest::root(&host.nonce.unwrap_or(request.nonce), name, &set), records };
        let mut frames = vec![
            (FrameKind::Identity, encoded(&|out| words.encode(out))),
            (FrameKind::Evidence, encoded(&|out| host.evidence.encode(out))),
            (FrameKind::Coverage, encoded(&|out| coverage.encode(out))),
            (FrameKind::Root, encoded(&|out| root.encode(out))),
        ];
        match request.mode {
            Mode::Sketch(count) => {
                self.symbols = count as usize;
                frames.push(symbols(&self.ids, 0, self.symbols));
            }
            Mode::Listing | Mode::Capture => frames.extend(batches(&self.set)),
        }
        self.request = Some(request);
        self.send(&Stage::First, frames);
        true
    }

    fn follow(&mut self, message: FollowUp) {
        self.host.asked.borrow_mut().push(message.clone());
        let frames = match &message {
            FollowUp::More(to) => {
                let from = std::mem::replace(&mut self.symbols, *to as usize);
                vec![symbols(&self.ids, from, self.symbols)]
            }
            FollowUp::Records(ids) => {
                let wanted =
                    self.set.iter().zip(&self.ids).filter(|(_, id)| ids.contains(id)).map(|(record, _)| record);
                batches(wanted)
            }
            FollowUp::Listing => batches(&self.set),
            FollowUp::Texts(questions) => {
                let mut payload = Vec::new();
                Text { state: TextState::Unread, bytes: Vec::new() }.encode(&mut payload);
                vec![(FrameKind::Text, payload); questions.len()]
            }
            FollowUp::Owners { paths, .. } => {
                let mut payload = Vec::new();
                for _ in paths {
                    Owned { shipped: Shipped::Unread, is_config: false, owners: Vec::new() }.encode(&mut payload);
                }
                vec![(FrameKind::Owned, payload)]
            }
            FollowUp::Usage(survey) => {
                let mut payload = Vec::new();
                Usage::encode(self.host.usage.as_ref(), &mut payload);
                vec![(FrameKind::Usage, payload); survey.places.len()]
            }
            FollowUp::Bye => return self.end(),
        };
        self.send(&Stage::Follow(message), frames);
    }

    fn end(&mut self) {
        self.ended = true;
        let trailer = Trailer { frames: self.frames, bytes: self.sent, digest: self.hash.clone().finalize().into() };
        let mut payload = Vec::new();
        trailer.encode(&mut payload);
        self.send(&Stage::Last, vec![(FrameKind::Trailer, payload)]);
        self.output.extend_from_slice(&self.host.after);
    }
}

impl Write for Probe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.work();
        Ok(())
    }
}

impl Read for Probe<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.output[self.read..];
        if rest.is_empty() && !self.ended {
            // A real host would say nothing until the deadline.
            let detail = "the host waits as well".to_owned();
            return Err(io::Error::other(TransportError::Timeout { phase: Phase::Command, detail }));
        }
        let count = rest.len().min(into.len()).min(self.host.chunk);
        into[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

impl Exchange for Probe<'_> {
    fn close_write(&mut self) -> Result<(), TransportError> {
        self.closed = true;
        self.work();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Exit, TransportError> {
        *self.host.said.borrow_mut() = self.output;
        Ok(self.host.exit.clone())
    }
}

/// Bytes that are answered whatever is asked.
struct Tape<'t> {
    left: &'t [u8],
    chunk: usize,
    exit: Exit,
}

impl Read for Tape<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.chunk.min(into.len());
        self.left.read(&mut into[..most])
    }
}

impl Write for Tape<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Exchange for Tape<'_> {
    fn close_write(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Exit, TransportError> {
        Ok(self.exit)
    }
}

/// A connection to a host in memory, or to a tape.
pub(super) enum Wire<'h> {
    Probe(&'h Host),
    Tape(&'h [u8], usize, Exit),
}

impl<'h> Wire<'h> {
    /// To a host.
    pub(super) fn to(host: &'h Host) -> Self {
        Self::Probe(host)
    }

    /// To a host that says these bytes, so many at a time, and ends well.
    pub(super) fn saying(bytes: &'h [u8], chunk: usize) -> Self {
        Self::Tape(bytes, chunk, Exit { status: Some(0), ..Exit::default() })
    }
}

impl Connection for Wire<'_> {
    fn exec(&mut self, _: &str) -> Result<Box<dyn Exchange + '_>, TransportError> {
        Ok(match self {
            Self::Tape(left, chunk, exit) => Box::new(Tape { left, chunk: *chunk, exit: exit.clone() }),
            Self::Probe(host) => Box::new(Probe {
                host,
                request: None,
                set: Vec::new(),
                ids: Vec::new(),
                symbols: 0,
                input: Vec::new(),
                output: [&host.noise, READY].concat(),
                read: 0,
                hash: Sha256::new(),
                sent: 0,
                frames: 0,
                closed: false,
                ended: false,
            }),
        })
    }

    fn host_key(&self) -> Option<&str> {
        None
    }

    fn key_used(&self) -> Option<&str> {
        None
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    fn allow(&mut self, _: u64, _: Instant) {}
}
