//! The conversation with a probe: request, answer, and follow-ups only where the host differs.
//!
//! *Invariant:* records that come are hashed again to the ids that were asked for, and the corrected set must give the
//! host's root; one full listing is the last resort, then the host is `protocol`.

use super::bounds::Bounds;
use super::failure::Failure;
use super::frames::{Frames, broken};
use super::opening::{NoReply, Opening, Packing, Word, answers_another};
use super::probe::{PACKED, PROBE};
use super::ran::Ran;
use super::sh;
use super::way::{Missed, Way};
use crate::drift::inquiry::{Answers, questions};
use crate::drift::judge::{Found, Observation};
use crate::drift::reference::FIRST;
use crate::drift::{Choice, Difference, Peeled, Reference, Versions, golden, peel};
use crate::inventory::ProbeChoice;
use crate::manifest::Identity;
use crate::manifest::projected::set_of;
use crate::manifest::texts::TOTAL_MAX;
use crate::model::text::escape;
use crate::model::{Image, Reason};
use crate::policy::Policy;
use crate::protocol::reply::{BatchReader, FrameKind, Root, Text, TextState, Texts, identity};
use crate::protocol::request::{FollowUp, IDS_MAX, Limits, Mode, RequestRef, Want};
use crate::protocol::sketch::Symbol;
use crate::protocol::{Attr, Coverage, Id, Reader, Record, RuleSet, Salt, SecretKey, digest};
use crate::transport::{Connection, Exchange};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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
    /// What collects.
    pub probe: ProbeChoice,
    /// One hashing process.
    pub gentle: bool,
    /// Bounds of the walk.
    pub limits: Limits,
    /// Bounds of the answer.
    pub bounds: Bounds,
    /// When all of it must be over.
    pub deadline: Instant,
    /// What is walked.
    pub scopes: &'a [Vec<u8>],
    /// What is compared.
    pub rules: &'a RuleSet,
    /// The key of keyed digests, where the rules have some.
    pub key: Option<&'a SecretKey>,
    /// What decides which texts may be asked for; without one, none are.
    pub policy: Option<&'a Policy>,
    /// Of the run.
    pub salt: &'a Salt,
    /// Fresh for this host.
    pub nonce: [u8; 32],
}

impl Ask<'_> {
    /// The request's bytes.
    #[must_use]
    pub fn request(&self, mode: Mode) -> Vec<u8> {
        RequestRef {
            nonce: &self.nonce,
            host: self.host.as_bytes(),
            salt: self.salt,
            root: self.root.as_bytes(),
            live: self.live,
            gentle: self.gentle,
            mode,
            limits: Limits { guard_records: self.bounds.guard_records, ..self.limits },
            scopes: self.scopes,
            rules: self.rules,
            key: self.key,
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
    /// Texts of its files, as they came.
    pub texts: BTreeMap<(Vec<u8>, Want), Text>,
}

/// Scans one host and finds what differs from the selected version, and from the one that it is nearest to; `ran` tells
/// what was executed there, whatever came of it.
///
/// # Errors
/// A [`Failure`], where no observation could be made.
pub fn observe(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    references: &Versions,
    ran: &mut Ran,
) -> Result<Observation, Failure> {
    let mode = Mode::Sketch(u32::try_from(FIRST).unwrap_or(0));
    run(
        connection,
        ask,
        mode,
        ran,
        |connection| sh::observe(connection, ask, references),
        |talk| {
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
            let choice = match &found {
                Found::Different(difference) => references.choose(difference, &identity, &Image::of(&evidence)),
                Found::Equal(_) | Found::AnotherSystem => Choice::default(),
            };
            // What is asked is what the findings will be about: those against the version that was chosen.
            let compared = match (&found, &choice.older) {
                (Found::Different(_), Some((_, difference))) | (Found::Different(difference), None) => Some(difference),
                (Found::Equal(_) | Found::AnotherSystem, _) => None,
            };
            // A host that equals an older version is to be replaced as well.
            let outdated = match &found {
                Found::Equal(at @ 1..) => references.get(*at),
                Found::Equal(_) | Found::Different(_) | Found::AnotherSystem => None,
            };
            let answers = match (compared, outdated.or(references.get(choice.at())), ask.policy) {
                (Some(difference), Some(reference), Some(policy)) => {
                    let mut answers = talk.inquire(&questions(difference, reference, policy))?;
                    answers.hold_to(difference);
                    answers.usage = talk.survey(&evidence, &reference.set.set, difference)?;
                    answers
                }
                (None, Some(older), Some(_)) if outdated.is_some() => {
                    let usage = talk.survey(&evidence, &older.set.set, &Difference::default())?;
                    Answers { usage, ..Answers::default() }
                }
                _ => Answers::default(),
            };
            Ok(Observation { identity, evidence, coverage, live: ask.live, found, choice, answers })
        },
    )
}

/// Reads everything of a golden machine.
///
/// # Errors
/// A [`Failure`], where it could not be read as a whole.
pub fn capture(connection: &mut dyn Connection, ask: &Ask<'_>, ran: &mut Ran) -> Result<Captured, Failure> {
    run(
        connection,
        ask,
        Mode::Capture,
        ran,
        |connection| sh::capture(connection, ask),
        |talk| {
            let identity = talk.identity()?;
            let evidence = talk.texts(FrameKind::Evidence)?;
            let coverage = talk.coverage()?;
            let root = talk.root(&coverage)?;
            let records = talk.records(coverage.compared, Bounds::CAPTURE.records)?;
            let digests: Vec<_> = records.iter().map(|record| digest::of_record(record.view().encoded())).collect();
            if digest::root(&ask.nonce, ask.host.as_bytes(), &set_of(&digests)) != root.root {
                return Err(Failure::protocol("the listing does not give the root"));
            }
            let questions = ask.policy.map_or_else(Vec::new, |policy| golden::questions(&records, policy));
            let texts = talk.texts_of(&questions, 2 * TOTAL_MAX)?;
            let texts = questions.into_iter().zip(texts).collect();
            let records = talk.with_owners(records)?;
            Ok(Captured { identity, evidence, coverage, records, texts })
        },
    )
}

/// Reads texts of files, in ascending order of path and want, and walks nothing. What can't be told by the way that
/// collects is unread.
///
/// # Errors
/// A [`Failure`], where no conversation came about.
pub fn texts(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    questions: &[(Vec<u8>, Want)],
    ran: &mut Ran,
) -> Result<Vec<Text>, Failure> {
    let unread = Text { state: TextState::Unread, bytes: Vec::new() };
    let nothing = RuleSet::default();
    let ask = &Ask { scopes: &[], rules: &nothing, ..*ask };
    run(
        connection,
        ask,
        Mode::Capture,
        ran,
        |_| Ok(vec![unread.clone(); questions.len()]),
        |talk| {
            talk.identity()?;
            talk.texts(FrameKind::Evidence)?;
            let coverage = talk.coverage()?;
            talk.root(&coverage)?;
            talk.records(coverage.compared, Bounds::CAPTURE.records)?;
            let mut texts = talk.texts_of(questions, 2 * TOTAL_MAX)?;
            texts.resize(questions.len(), unread.clone());
            Ok(texts)
        },
    )
}

/// What libssh2 puts in one packet. The probe is sent from where it lies, but for the part that shares a packet with the
/// request: a copy of the whole for each host under way would be the largest thing in memory.
const PACKET: usize = 32_700;

/// Collects in the ways of the choice, one after another, until one of them works or none is left. Where several were
/// tried, the failure tells of each.
fn run<T>(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    mode: Mode,
    ran: &mut Ran,
    by_shell: impl Fn(&mut dyn Connection) -> Result<T, Failure>,
    conversation: impl Fn(&mut Talk<'_, '_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut way = Way::first(ask.probe);
    let mut before: Vec<Failure> = Vec::new();
    loop {
        ran.begin(way, ask.sudo);
        let result = match way {
            Way::Sh => {
                connection.allow(ask.bounds.shell, ask.deadline);
                by_shell(connection).map_err(Missed::plain)
            }
            Way::Either | Way::Stream | Way::Installed => {
                connection.allow(ask.bounds.wire, ask.deadline);
                attempt(connection, ask, mode, way, ran, &conversation)
            }
        };
        let missed = match result {
            Ok(result) => return Ok(result),
            Err(missed) => missed,
        };
        ran.failed(&missed.failure);
        match way.next(ask.probe, ask.sudo, &missed) {
            Some(next) => {
                before.push(missed.failure);
                way = next;
            }
            None => return Err(missed.after(&before)),
        }
    }
}

/// Starts a probe in one way, lets `conversation` talk to it, and sees it end well.
fn attempt<T>(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    mode: Mode,
    way: Way,
    ran: &mut Ran,
    conversation: &impl Fn(&mut Talk<'_, '_>) -> Result<T, Failure>,
) -> Result<T, Missed> {
    let plain = |error| Missed::plain(Failure::of_transport(&error));
    let mut exchange = connection.exec(&way.command(ask.sudo)).map_err(plain)?;
    let mut word = None;
    let opened = open(&mut *exchange, ask, mode, way, &mut word);
    if let Some(word) = &word {
        ran.word(word, opened.is_ok());
    }
    let frames = match opened {
        Ok(frames) => frames,
        Err(Unopened::Refused(failure)) => {
            // Its command ends with the input, and the connection is good for the next way.
            exchange.finish().map_err(plain)?;
            return Err(Missed { failure, word, status: None });
        }
        Err(Unopened::Failed(failure)) => return Err(Missed { failure, word, status: Some(0) }),
        Err(Unopened::Ended(noise)) => {
            let exit = exchange.finish().map_err(plain)?;
            let failure = way.failure(&exit, word.as_ref(), ask.sudo, &noise);
            return Err(Missed { failure, word, status: exit.status.or(Some(0)) });
        }
    };
    let mut talk = Talk { exchange: &mut *exchange, frames, ask };
    let result = conversation(&mut talk).and_then(|result| talk.bye().map(|()| result));
    let result = match result {
        Err(failure) if failure.reason != Reason::Truncated => return Err(Missed::plain(failure)),
        result => result,
    };
    let exit = exchange.finish().map_err(plain)?;
    match result {
        Ok(result) if exit.status == Some(0) && exit.signal.is_none() => Ok(result),
        Ok(_) => Err(Missed::plain(Failure::of_bad_end(&exit))),
        Err(_) => Err(Missed::plain(Failure::of_exit(&exit, ask.sudo, b""))),
    }
}

/// Why no conversation began.
enum Unopened {
    /// The host said a word that this way can't go on from.
    Refused(Failure),
    /// The connection failed, or the host broke the protocol.
    Failed(Failure),
    /// The command ended; it said this.
    Ended(Vec<u8>),
}

impl From<NoReply> for Unopened {
    fn from(none: NoReply) -> Self {
        match none {
            NoReply::Failed(failure) => Self::Failed(failure),
            NoReply::Ended(noise) if answers_another(&noise) => {
                Self::Failed(Failure::protocol("it answers another request"))
            }
            NoReply::Ended(noise) => Self::Ended(noise),
        }
    }
}

/// Waits for the host's first word, sends what it calls for, and finds the beginning of the reply.
fn open(
    exchange: &mut dyn Exchange,
    ask: &Ask<'_>,
    mode: Mode,
    way: Way,
    word: &mut Option<Word>,
) -> Result<Frames, Unopened> {
    let mut opening = Opening::default();
    let said = word.insert(opening.word(exchange)?);
    way.admits(said).map_err(Unopened::Refused)?;
    let request = ask.request(mode);
    let (head, tail) = match said {
        Word::Ready(packing) => {
            let probe = match packing {
                Packing::Plain => PROBE,
                Packing::Gzip => PACKED,
            };
            let (head, tail) = probe.split_at(probe.len() - probe.len() % PACKET);
            (head, [tail, &request].concat())
        }
        Word::Hello(_) => (&b""[..], request),
    };
    // A host that does not get the probe whole stops listening: what it says is read below.
    let written = exchange.write_all(head).and_then(|()| exchange.write_all(&tail)).and_then(|()| exchange.flush());
    drop(tail);
    let hello = match said {
        Word::Ready(_) => &opening.hello(exchange)?,
        Word::Hello(hello) => hello,
    };
    let frames = opening.reply(exchange, hello, &ask.nonce)?;
    written.map_err(|error| Unopened::Failed(broken(error)))?;
    Ok(frames)
}

/// A conversation under way.
pub(super) struct Talk<'a, 'b> {
    exchange: &'a mut (dyn Exchange + 'b),
    frames: Frames,
    ask: &'a Ask<'a>,
}

impl Talk<'_, '_> {
    pub(super) fn payload(&mut self, kind: FrameKind) -> Result<Vec<u8>, Failure> {
        self.frames.expect(&mut self.exchange, kind)
    }

    /// The time that is left for this host.
    pub(super) fn left(&self) -> Duration {
        self.ask.deadline.saturating_duration_since(Instant::now())
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
                        if record.view().attr(Attr::Package).is_some() {
                            return Err(Failure::protocol("a record with what only a baseline has"));
                        }
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

    pub(super) fn send(&mut self, message: &FollowUp) -> Result<(), Failure> {
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
        let found = self.find(references, selected, root, symbols)?;
        let base = |at: usize| references.get(at).map_or(0, |reference| reference.set.set.records.len() as u64);
        let proven = match &found {
            Found::Equal(at) => base(*at),
            Found::Different(difference) => {
                let own = selected.set.set.records.len() as u64;
                own.saturating_sub(difference.removed.len() as u64).saturating_add(difference.added.len() as u64)
            }
            Found::AnotherSystem => root.records,
        };
        // The root proves the set, and with it the number of records, which coverage repeats to people.
        if proven == root.records { Ok(found) } else { Err(Failure::protocol("a count that its root disproves")) }
    }

    /// What the host has, proven by its root.
    fn find(
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
        let space = self.ask.bounds.records;
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
