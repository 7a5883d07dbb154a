//! The conversation with a probe: request, answer, and follow-ups only where the host differs.
//!
//! *Invariant:* records that come are hashed again to the ids that were asked for, and the corrected set must give the
//! host's root; one full listing is the last resort, then the host is `protocol`.

use super::bootstrap::command;
use super::failure::Failure;
use super::frames::{Frames, NoReply, answers_another, broken};
use super::probe::PROBE;
use crate::drift::judge::{Found, Observation};
use crate::drift::reference::FIRST;
use crate::drift::{Difference, Peeled, Reference, peel};
use crate::manifest::Identity;
use crate::manifest::projected::set_of;
use crate::model::Reason;
use crate::model::text::escape;
use crate::protocol::reply::{BatchReader, FrameKind, Root, Texts, identity};
use crate::protocol::request::{FollowUp, IDS_MAX, Limits, Mode, Request};
use crate::protocol::sketch::Symbol;
use crate::protocol::{Coverage, Id, Reader, Record, RuleSet, Salt, digest};
use crate::transport::{Connection, Exchange};

/// What is asked of one host.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The host's name, bound into its answer.
    pub host: &'a str,
    /// The folder to scan as if it were `/`.
    pub root: &'a str,
    /// Whether kernel and mounts are part of the set.
    pub live: bool,
    /// Whether the probe runs under sudo.
    pub sudo: bool,
    /// One hashing process.
    pub gentle: bool,
    /// Bounds of the walk.
    pub limits: Limits,
    /// What is walked.
    pub scopes: &'a [Vec<u8>],
    /// What is compared.
    pub rules: &'a RuleSet,
    /// Of the run.
    pub salt: &'a Salt,
    /// Fresh for this host.
    pub nonce: [u8; 32],
}

impl Ask<'_> {
    /// The request's bytes.
    #[must_use]
    pub fn request(&self, mode: Mode) -> Vec<u8> {
        Request {
            nonce: self.nonce,
            host: self.host.as_bytes().to_vec(),
            salt: *self.salt,
            root: self.root.as_bytes().to_vec(),
            live: self.live,
            gentle: self.gentle,
            mode,
            limits: self.limits,
            scopes: self.scopes.to_vec(),
            rules: self.rules.clone(),
        }
        .encode()
    }
}

/// The records of a golden machine.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The system it is.
    pub identity: Identity,
    /// What is true of it alone.
    pub evidence: Texts,
    /// What was read.
    pub coverage: Coverage,
    /// Raw records.
    pub records: Vec<Record>,
}

/// How many bytes a host may send: its whole listing once, and room for everything else.
#[must_use]
pub fn budget(references: &[Reference]) -> u64 {
    let listing: usize = references
        .first()
        .map_or(0, |reference| reference.set.set.records.iter().map(|record| record.view().encoded().len()).sum());
    (8 << 20) + listing as u64 * 5 / 4
}

/// How many bytes a host's records may take here. The budget of the wire does not bound that: a subject of 4 KiB that
/// shares all but a byte with the one before comes in a few bytes.
fn space(references: &[Reference]) -> u64 {
    budget(references) * 2
}

/// The same for a golden machine, which has no baseline yet.
const CAPTURE_SPACE: u64 = 2 << 30;

/// Scans one host and finds what differs from the first reference.
///
/// # Errors
/// A [`Failure`], where no observation could be made.
pub fn observe(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    references: &[Reference],
) -> Result<Observation, Failure> {
    let mode = Mode::Sketch(u32::try_from(FIRST).unwrap_or(0));
    run(connection, ask, mode, |talk| {
        let identity = talk.identity()?;
        let evidence = talk.texts(FrameKind::Evidence)?;
        let coverage = talk.coverage()?;
        let root = talk.root(&coverage)?;
        let symbols = talk.symbols(0, FIRST)?;
        let found = match references.first() {
            Some(selected) if selected.identity.fits(&identity) => {
                talk.compare(references, selected, &root, symbols)?
            }
            _ => Found::AnotherSystem,
        };
        Ok(Observation { identity, evidence, coverage, live: ask.live, found })
    })
}

/// Reads everything of a golden machine.
///
/// # Errors
/// A [`Failure`], where it could not be read as a whole.
pub fn capture(connection: &mut dyn Connection, ask: &Ask<'_>) -> Result<Captured, Failure> {
    run(connection, ask, Mode::Capture, |talk| {
        let identity = talk.identity()?;
        let evidence = talk.texts(FrameKind::Evidence)?;
        let coverage = talk.coverage()?;
        let root = talk.root(&coverage)?;
        let records = talk.records(coverage.compared, CAPTURE_SPACE)?;
        let digests: Vec<_> = records.iter().map(|record| digest::of_record(record.view().encoded())).collect();
        if digest::root(&ask.nonce, ask.host.as_bytes(), &set_of(&digests)) != root.root {
            return Err(Failure::protocol("the listing does not give the root"));
        }
        Ok(Captured { identity, evidence, coverage, records })
    })
}

/// Starts the probe, lets `conversation` talk to it, and sees it end well.
fn run<T>(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    mode: Mode,
    conversation: impl FnOnce(&mut Talk<'_, '_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut exchange = connection.exec(&command(ask.sudo, PROBE.len())).map_err(|e| Failure::of_transport(&e))?;
    let opening = [PROBE, &ask.request(mode)].concat();
    // A host that has no place for the probe stops listening: what it says is read below.
    let written = exchange.write_all(&opening).and_then(|()| exchange.flush());
    let frames = match Frames::open(&mut *exchange, &ask.nonce) {
        Ok(frames) => frames,
        Err(NoReply::Failed(failure)) => return Err(failure),
        Err(NoReply::Ended(noise)) => {
            if answers_another(&noise) {
                return Err(Failure::protocol("it answers another request"));
            }
            let exit = exchange.finish().map_err(|error| Failure::of_transport(&error))?;
            return Err(Failure::of_exit(&exit, ask.sudo, &noise));
        }
    };
    written.map_err(broken)?;
    let mut talk = Talk { exchange: &mut *exchange, frames, ask };
    let result = conversation(&mut talk).and_then(|result| talk.bye().map(|()| result));
    let result = match result {
        Err(failure) if failure.reason != Reason::Truncated => return Err(failure),
        result => result,
    };
    let exit = exchange.finish().map_err(|error| Failure::of_transport(&error))?;
    match result {
        Ok(result) if exit.status == Some(0) && exit.signal.is_none() => Ok(result),
        Ok(_) => Err(Failure::of_bad_end(&exit)),
        Err(_) => Err(Failure::of_exit(&exit, ask.sudo, b"")),
    }
}

/// A conversation under way.
struct Talk<'a, 'b> {
    exchange: &'a mut (dyn Exchange + 'b),
    frames: Frames,
    ask: &'a Ask<'a>,
}

impl Talk<'_, '_> {
    fn payload(&mut self, kind: FrameKind) -> Result<Vec<u8>, Failure> {
        self.frames.expect(&mut self.exchange, kind)
    }

    fn texts(&mut self, kind: FrameKind) -> Result<Texts, Failure> {
        Texts::decode(&self.payload(kind)?).map_err(Failure::protocol)
    }

    fn identity(&mut self) -> Result<Identity, Failure> {
        let texts = self.texts(FrameKind::Identity)?;
        // Words of os-release are plain; what is not is shown, and fits no baseline.
        let text = |name| texts.text(name).map(escape).unwrap_or_default();
        Ok(Identity { os: text(identity::OS_ID), os_version: text(identity::OS_VERSION), arch: text(identity::ARCH) })
    }

    fn coverage(&mut self) -> Result<Coverage, Failure> {
        Coverage::decode(&self.payload(FrameKind::Coverage)?).map_err(Failure::protocol)
    }

    fn root(&mut self, coverage: &Coverage) -> Result<Root, Failure> {
        let root = Root::decode(&self.payload(FrameKind::Root)?).map_err(Failure::protocol)?;
        if root.records == coverage.compared { Ok(root) } else { Err(Failure::protocol("two counts of records")) }
    }

    fn symbols(&mut self, from: usize, to: usize) -> Result<Vec<Symbol>, Failure> {
        let mut symbols = Vec::with_capacity(to - from);
        while symbols.len() < to - from {
            let payload = self.payload(FrameKind::Symbols)?;
            let mut reader = Reader::new(&payload);
            let first = reader.at_most(to, "symbols").map_err(Failure::protocol)?;
            if first != from + symbols.len() || reader.is_empty() {
                return Err(Failure::protocol("symbols out of order"));
            }
            while !reader.is_empty() {
                symbols.push(Symbol::decode(&mut reader).map_err(Failure::protocol)?);
            }
        }
        if symbols.len() == to - from { Ok(symbols) } else { Err(Failure::protocol("more symbols than asked for")) }
    }

    /// Records to their end: so many at most, which take so many bytes at most.
    fn records(&mut self, most: u64, mut space: u64) -> Result<Vec<Record>, Failure> {
        let full = format!("its records take more than {} MiB", space >> 20);
        let mut records = Vec::new();
        let mut reader = BatchReader::default();
        loop {
            let (kind, payload) = self.frames.next(&mut self.exchange)?;
            match kind {
                FrameKind::Batch => {
                    reader.read(&payload, |record| {
                        let bytes = (record.view().encoded().len() + size_of::<Record>()) as u64;
                        space = space.checked_sub(bytes).ok_or_else(|| Failure::new(Reason::Limit, full.as_str()))?;
                        records.push(record);
                        let too_many = records.len() as u64 > most;
                        if too_many { Err(Failure::protocol("more records than announced")) } else { Ok(()) }
                    })?;
                }
                FrameKind::End => {
                    let mut end = Reader::new(&payload);
                    let count = end.varint("count").and_then(|count| end.end("count").map(|()| count));
                    let agrees = count.map_err(Failure::protocol)? == records.len() as u64;
                    return if agrees { Ok(records) } else { Err(Failure::protocol("records are missing")) };
                }
                _ => return Err(Failure::protocol("frames out of order")),
            }
        }
    }

    fn send(&mut self, message: &FollowUp) -> Result<(), Failure> {
        self.exchange.write_all(&message.encode()).and_then(|()| self.exchange.flush()).map_err(broken)
    }

    fn bye(&mut self) -> Result<(), Failure> {
        self.send(&FollowUp::Bye)?;
        self.exchange.close_write().map_err(|error| Failure::of_transport(&error))?;
        self.frames.end(&mut self.exchange)
    }

    fn compare(
        &mut self,
        references: &[Reference],
        selected: &Reference,
        root: &Root,
        symbols: Vec<Symbol>,
    ) -> Result<Found, Failure> {
        let host = self.ask.host.as_bytes();
        if let Some(at) = references.iter().position(|reference| reference.set.root(&self.ask.nonce, host) == root.root)
        {
            return Ok(Found::Equal(at));
        }
        let space = space(references);
        if let Some(difference) = self.reconcile(selected, root, symbols, space)? {
            return Ok(Found::Different(difference));
        }
        self.send(&FollowUp::Listing)?;
        let listing = self.records(root.records, space)?;
        let (lacks, has) = selected.set.split(listing);
        selected
            .set
            .explain(&lacks, has, &self.ask.nonce, host, &root.root)
            .map(Found::Different)
            .ok_or_else(|| Failure::protocol("the listing does not give the root"))
    }

    /// Decodes the sketch, asking for more symbols while that is cheaper than a listing; `None` where it is not, or where
    /// the symbols can't be true.
    fn reconcile(
        &mut self,
        selected: &Reference,
        root: &Root,
        mut symbols: Vec<Symbol>,
        space: u64,
    ) -> Result<Option<Difference>, Failure> {
        let most = selected.set.most_symbols();
        // A difference in number is a lower bound of the difference.
        if root.records.abs_diff(selected.set.set.records.len() as u64) > most as u64 {
            return Ok(None);
        }
        let (added, removed) = loop {
            match peel(&selected.set, &symbols) {
                Peeled::Done { added, removed } => break (added, removed),
                Peeled::Forged => return Ok(None),
                Peeled::More if symbols.len() >= most => return Ok(None),
                Peeled::More => {
                    let to = (symbols.len() * 4).min(most);
                    self.send(&FollowUp::More(u32::try_from(to).unwrap_or(u32::MAX)))?;
                    let more = self.symbols(symbols.len(), to)?;
                    symbols.extend(more);
                }
            }
        };
        if added.len() > IDS_MAX {
            return Ok(None);
        }
        let records = self.asked(&added, space)?;
        Ok(selected.set.explain(&removed, records, &self.ask.nonce, self.ask.host.as_bytes(), &root.root))
    }

    /// The records of these ids, each hashed again to its id.
    fn asked(&mut self, ids: &[Id], space: u64) -> Result<Vec<Record>, Failure> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.send(&FollowUp::Records(ids.to_vec()))?;
        let records = self.records(ids.len() as u64, space)?;
        let mut came: Vec<Id> = records
            .iter()
            .map(|record| digest::id(self.ask.salt, &digest::of_record(record.view().encoded())))
            .collect();
        came.sort_unstable();
        if came == ids { Ok(records) } else { Err(Failure::protocol("records that were not asked for")) }
    }
}
