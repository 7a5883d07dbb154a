//! What every host of the fleet answers to one question, prepared once: the golden set and the drifted one, and where hosts are
//! of several kinds the set of each host when it is first asked.
//!
//! *Invariant:* once it stands ready, a host's own answer costs one hash over its nonce and name.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use driftscan::protocol::coverage::Coverage;
use driftscan::protocol::record::RecordWriter;
use driftscan::protocol::reply::{FrameKind, Owned, Root, Shipped, Text, TextState};
use driftscan::protocol::request::{FollowUp, Mode, Request};
use driftscan::protocol::sketch::{Symbol, symbols};
use driftscan::protocol::usage::Usage;
use driftscan::protocol::{Attr, Digest, Id, Reader, Record, Salt, Value, digest};
use tokio::sync::OnceCell;

use crate::breed::{Breed, Breeds};
use crate::cast::Part;
use crate::rehearsal::{Rehearsal, rehearse};
use crate::reply::Reply;

/// The file that somebody edited on a drifted host.
const EDITED: &[u8] = b"fs:/etc/ssh/sshd_config";

/// One set of records, as the hosts that have it tell it.
struct Set {
    records: Vec<Arc<Record>>,
    ids: Vec<Id>,
    digest: Digest,
    opening: Vec<Symbol>,
}

impl Set {
    fn new(records: Vec<Arc<Record>>, salt: &Salt, mode: Mode) -> Self {
        let digests: Vec<Digest> = records.iter().map(|record| digest::of_record(record.view().encoded())).collect();
        let ids: Vec<Id> = digests.iter().map(|record| digest::id(salt, record)).collect();
        let opening = match mode {
            Mode::Sketch(many) => symbols(ids.iter().copied(), 0, many as usize),
            Mode::Listing | Mode::Capture => Vec::new(),
        };
        let mut ascending: Vec<&Digest> = digests.iter().collect();
        ascending.sort_unstable();
        let digest = digest::of_set(ascending);
        Self { records, ids, digest, opening }
    }
}

/// The answers to one question.
pub(crate) struct Script {
    mode: Mode,
    salt: Salt,
    rehearsal: Rehearsal,
    coverage: Coverage,
    golden: Set,
    drifted: Set,
    /// The hosts of a census, each with its set.
    bred: Option<(Breeds, Vec<Bred>)>,
}

/// A host of a census, and its set once it was asked.
type Bred = (Breed, OnceLock<Set>);

/// What is simulated beside parts: the hosts of a census.
type Cast = (Breeds, Vec<Breed>);

impl Script {
    fn new(request: &Request, cast: Option<&Cast>) -> io::Result<Self> {
        let mut rehearsal = rehearse(request)?;
        let records = std::mem::take(&mut rehearsal.records);
        let records: Vec<Arc<Record>> = records.into_iter().map(Arc::new).collect();
        let edited = records
            .iter()
            .map(|record| if record.subject() == EDITED { Arc::new(edit(record)) } else { Arc::clone(record) });
        let drifted = Set::new(edited.collect(), &request.salt, request.mode);
        let golden = Set::new(records, &request.salt, request.mode);
        let coverage = Coverage::decode(&rehearsal.coverage).map_err(|_| io::Error::other("no coverage"))?;
        let bred = cast.map(|(breeds, cast)| (*breeds, cast.iter().map(|breed| (*breed, OnceLock::new())).collect()));
        Ok(Self { mode: request.mode, salt: request.salt, rehearsal, coverage, golden, drifted, bred })
    }

    /// The first answer of a host to a request of this nonce.
    pub(crate) fn open(&self, at: (Part, usize), nonce: &[u8; 32], host: &[u8], reply: &mut Reply) {
        let set = self.set_of(at);
        reply.open(nonce);
        reply.frame(FrameKind::Identity, &self.rehearsal.identity);
        reply.frame(FrameKind::Evidence, &self.rehearsal.evidence);
        let mut coverage = Vec::new();
        Coverage { compared: set.records.len() as u64, ..self.coverage.clone() }.encode(&mut coverage);
        reply.frame(FrameKind::Coverage, &coverage);
        let mut root = Vec::new();
        Root { root: digest::root(nonce, host, &set.digest), records: set.records.len() as u64 }.encode(&mut root);
        reply.frame(FrameKind::Root, &root);
        match self.mode {
            Mode::Sketch(_) => reply.symbols(0, &set.opening),
            Mode::Listing | Mode::Capture => reply.records(set.records.iter().map(AsRef::as_ref)),
        }
    }

    /// Adds the answer to a follow-up; whether that was the last one. `told` is how many symbols the client has.
    pub(crate) fn follow(&self, at: (Part, usize), message: &FollowUp, told: &mut usize, reply: &mut Reply) -> bool {
        let set = self.set_of(at);
        match message {
            FollowUp::More(to) => {
                let from = std::mem::replace(told, *to as usize).max(set.opening.len());
                reply.symbols(from, &symbols(set.ids.iter().copied(), from, *to as usize));
            }
            FollowUp::Records(ids) => {
                let asked = set.records.iter().zip(&set.ids).filter(|(_, id)| ids.binary_search(id).is_ok());
                reply.records(asked.map(|(record, _)| record.as_ref()));
            }
            FollowUp::Listing => reply.records(set.records.iter().map(AsRef::as_ref)),
            // Its files are numbers: there is no text to tell, and no package has them.
            FollowUp::Texts(questions) => {
                let mut payload = Vec::new();
                Text { state: TextState::Secret, bytes: Vec::new() }.encode(&mut payload);
                for _ in questions {
                    reply.frame(FrameKind::Text, &payload);
                }
            }
            FollowUp::Owners { paths, .. } => {
                let mut payload = Vec::new();
                for _ in paths {
                    Owned { shipped: Shipped::Unowned, is_config: false, owners: Vec::new() }.encode(&mut payload);
                }
                reply.frame(FrameKind::Owned, &payload);
            }
            // Nobody has used it: there is nothing to lose.
            FollowUp::Usage(survey) => {
                let mut payload = Vec::new();
                Usage::encode(None, &mut payload);
                for _ in &survey.places {
                    reply.frame(FrameKind::Usage, &payload);
                }
            }
            FollowUp::Bye => reply.close(),
        }
        *message == FollowUp::Bye
    }

    fn set_of(&self, (part, host): (Part, usize)) -> &Set {
        if let Some((breeds, hosts)) = &self.bred
            && let Some((breed, set)) = hosts.get(host)
        {
            let records = || breeds.records(&self.golden.records, host as u64, *breed);
            return set.get_or_init(|| Set::new(records(), &self.salt, self.mode));
        }
        match part {
            Part::Drifted => &self.drifted,
            Part::Golden | Part::Throttled | Part::Tarpit | Part::Stalled => &self.golden,
        }
    }
}

/// The record of a file whose content somebody changed, size kept.
fn edit(record: &Record) -> Record {
    let mut encoded = Vec::new();
    let mut writer = RecordWriter::new(&mut encoded, record.subject());
    for (attr, value) in record.view().attrs() {
        match (attr, value) {
            (Attr::Content, Value::Present(content)) => {
                let other: Vec<u8> = content.iter().map(|byte| !byte).collect();
                writer.present(attr, &other);
            }
            // The digest stands behind view, version and form.
            (Attr::View, Value::Present(viewed)) => {
                let (head, digest) = viewed.split_at_checked(3).unwrap_or((viewed, &[]));
                let other: Vec<u8> = digest.iter().map(|byte| !byte).collect();
                writer.present(attr, &[head, &other[..]].concat());
            }
            _ => writer.put(attr, value),
        }
    }
    Record::parse(&encoded).unwrap_or_else(|_| record.clone())
}

/// A request, as far as one host's differs from another's.
pub(crate) struct Question {
    pub(crate) nonce: [u8; 32],
    pub(crate) host: Vec<u8>,
    /// Everything behind the host's name: the same for the whole run.
    shared: Vec<u8>,
}

impl Question {
    /// Takes the beginning of a request's body apart (see [`Request::encode`]).
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        reader.array::<2>("version").ok()?;
        reader.varint("abilities").ok()?;
        let nonce = reader.array("nonce").ok()?;
        let host = reader.string(512, "host").ok()?.to_vec();
        Some(Self { nonce, host, shared: reader.rest().to_vec() })
    }
}

type Slot = Arc<OnceCell<Option<Arc<Script>>>>;

/// The scripts of every question that was asked so far.
pub(crate) struct Scripts {
    root: PathBuf,
    cast: Option<Arc<Cast>>,
    slots: Mutex<HashMap<Vec<u8>, Slot>>,
}

impl Scripts {
    /// For hosts whose disk is this folder.
    pub(crate) fn new(root: PathBuf, cast: Option<Cast>) -> Self {
        Self { root, cast: cast.map(Arc::new), slots: Mutex::default() }
    }

    /// The answers to a question; `None` where a probe would not understand it, or was to read another folder.
    pub(crate) async fn script(&self, question: &Question, body: &[u8]) -> Option<Arc<Script>> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(question.shared.clone()).or_default())
        };
        let prepare = || async {
            let request = Request::decode(body).ok()?;
            if request.root != self.root.as_os_str().as_encoded_bytes() {
                return None;
            }
            let cast = self.cast.clone();
            let made = tokio::task::spawn_blocking(move || Script::new(&request, cast.as_deref())).await.ok()?;
            made.map(Arc::new).inspect_err(|error| crate::complain(&format!("rehearsal: {error}"))).ok()
        };
        slot.get_or_init(prepare).await.clone()
    }
}
