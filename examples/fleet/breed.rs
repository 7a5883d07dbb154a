//! What each host of a fleet for a census holds: one of several kinds of machine, a few planted oddities, and noise.
//!
//! A host of kind 0 holds the golden tree. One of another kind has other versions of a fifth of the packages, other bytes in a
//! seventh of the files, and files of its own. A snowflake has one to four things that no other host has. With noise every
//! host has files whose bytes are its own and one whose name is, and each of a pool of small changes with a chance of 15 %.
//!
//! *Invariant:* depends on seed, numbers and subjects alone: each question that is asked of a host finds the same host.

use std::sync::Arc;

use driftscan::protocol::record::RecordWriter;
use driftscan::protocol::{Attr, Record, Value};
use sha2::{Digest as _, Sha256};

/// Files whose bytes are each host's own, where there is noise.
pub(crate) const OWN: [&str; 3] = ["etc/app/node-id", "etc/app/instance.conf", "usr/lib/app/seed"];
/// Packages of the golden tree, where hosts are of several kinds.
pub(crate) const PACKAGES: u32 = 60;
/// Files that only a kind has.
const FILES: usize = 40;
/// Small changes that any host may have.
const POOL: u64 = 24;
/// How many of a thousand hosts have one of them.
const CHANCE: u64 = 150;
/// Where most files of the golden tree are.
const LIBRARIES: &[u8] = b"fs:/usr/lib/package-";

/// What is to be simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breeds {
    pub(crate) hosts: u32,
    pub(crate) kinds: u32,
    pub(crate) snowflakes: u32,
    pub(crate) noise: bool,
    pub(crate) seed: u64,
}

/// One host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breed {
    pub(crate) kind: u32,
    /// Which of the snowflakes it is.
    pub(crate) snowflake: Option<u32>,
}

impl Breeds {
    /// Whether hosts differ in more than their parts.
    pub(crate) fn is_any(self) -> bool {
        self.kinds > 1 || self.snowflakes > 0 || self.noise
    }

    /// Every host, in an order that the seed shuffles; the snowflakes are of all kinds in turn.
    pub(crate) fn cast(self) -> Vec<Breed> {
        let mut order: Vec<u32> = (0..self.hosts).collect();
        order.sort_by_key(|host| self.draw("order", u64::from(*host), 0));
        let mut cast = vec![Breed { kind: 0, snowflake: None }; order.len()];
        for (place, host) in (0..).zip(order) {
            let kind = place % self.kinds.max(1);
            let snowflake = (place < self.snowflakes).then_some(place);
            if let Some(seat) = cast.get_mut(host as usize) {
                *seat = Breed { kind, snowflake };
            }
        }
        cast
    }

    /// A number that looks random.
    fn draw(self, what: &str, a: u64, b: u64) -> u64 {
        let digest = Sha256::digest(format!("{} {what} {a} {b}", self.seed));
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The records of a host, made from those of the golden tree.
    pub(crate) fn records(self, golden: &[Arc<Record>], host: u64, breed: Breed) -> Vec<Arc<Record>> {
        let mut records: Vec<Arc<Record>> = Vec::with_capacity(golden.len() + FILES);
        let (mut library, mut package) = (0u64, 0u64);
        for record in golden {
            let subject = record.subject();
            let mut own = None;
            if subject.starts_with(LIBRARIES) && record.view().attr(Attr::Target).is_none() {
                library += 1;
                if breed.kind > 0 && library % 7 == u64::from(breed.kind % 7) {
                    own = Some(other(record, &format!("kind {}", breed.kind)));
                }
                // Beside those in which kinds differ.
                let pool = library / 11;
                let has = || self.draw("pool", host, pool) % 1_000 < CHANCE;
                if self.noise && library % 11 == 3 && pool < POOL && has() {
                    own = Some(other(own.as_ref().unwrap_or(record), "pool"));
                }
            }
            if subject.starts_with(b"pkg:") {
                package += 1;
                if breed.kind > 0 && package % 5 == u64::from(breed.kind % 5) {
                    own = Some(other(record, &format!("{}.0", breed.kind)));
                }
            }
            if self.noise && OWN.iter().any(|path| subject == [b"fs:/", path.as_bytes()].concat()) {
                own = Some(other(record, &format!("host {host} {}", self.seed)));
            }
            records.push(own.map_or_else(|| Arc::clone(record), Arc::new));
        }
        let libraries: Vec<Arc<Record>> = golden.iter().filter(|record| is_library(record)).map(Arc::clone).collect();
        let Some(pattern) = libraries.first().map(Arc::clone) else { return records };
        let mut added = Vec::new();
        if breed.kind > 0 {
            let kind = breed.kind;
            let file =
                |n| renamed(&pattern, &format!("usr/lib/app-of-kind-{kind}-{n:02}.so"), None, &format!("{kind} {n}"));
            added.extend((0..FILES).map(file));
        }
        if self.noise {
            added.push(renamed(&pattern, &format!("usr/lib/app/instance-{host}.so"), None, "an instance"));
        }
        if let Some(number) = breed.snowflake {
            plant(&mut records, &mut added, &pattern, number);
        }
        records.extend(added.into_iter().map(Arc::new));
        records.sort_by(|a, b| a.subject().cmp(b.subject()));
        records
    }
}

fn is_library(record: &Arc<Record>) -> bool {
    record.subject().starts_with(LIBRARIES) && record.view().attr(Attr::Content).is_some()
}

/// What only one snowflake has: one thing on the first, two on the second, and so on to four.
fn plant(records: &mut [Arc<Record>], added: &mut Vec<Record>, pattern: &Record, number: u32) {
    let own = format!("snowflake {number}");
    let program = |path: &str, mode| renamed(pattern, &format!("{path}-{number}"), Some(mode), &own);
    let mut edit = |subject: &[u8], change: &dyn Fn(&Record) -> Record| {
        for record in records.iter_mut().filter(|record| record.subject() == subject) {
            *record = Arc::new(change(record));
        }
    };
    let changes = number % 4 + 1;
    added.push(program("usr/bin/rescue", if number.is_multiple_of(2) { 0o4755 } else { 0o755 }));
    if changes > 1 {
        edit(b"fs:/etc/ssh/sshd_config", &|record| other(record, &own));
    }
    if changes > 2 {
        added.push(program("usr/lib/libhook.so", 0o644));
    }
    if changes > 3 {
        edit(b"fs:/etc/passwd", &|record| other(record, &own));
    }
}

/// A record of the same form with other content or another version: what `salt` says.
fn other(record: &Record, salt: &str) -> Record {
    copied(record, record.subject(), |attr, value| match (attr, value) {
        (Attr::Content, Value::Present(content)) => Some(digest(content, salt)),
        // The digest stands behind view, version and form.
        (Attr::View, Value::Present(viewed)) => {
            let (head, digest) = viewed.split_at_checked(3).unwrap_or((viewed, &[]));
            Some([head, &self::digest(digest, salt)].concat())
        }
        (Attr::Version, Value::Present(version)) => Some([version, b"+", salt.as_bytes()].concat()),
        _ => None,
    })
}

/// A record at another path.
fn renamed(record: &Record, path: &str, mode: Option<u16>, salt: &str) -> Record {
    let subject = [b"fs:/", path.as_bytes()].concat();
    copied(record, &subject, |attr, value| match (attr, value) {
        (Attr::Content, Value::Present(content)) => Some(digest(content, salt)),
        (Attr::Mode, Value::Present(_)) => mode.map(|mode| mode.to_le_bytes().to_vec()),
        _ => None,
    })
}

fn copied(record: &Record, subject: &[u8], change: impl Fn(Attr, Value<'_>) -> Option<Vec<u8>>) -> Record {
    let mut encoded = Vec::new();
    let mut writer = RecordWriter::new(&mut encoded, subject);
    for (attr, value) in record.view().attrs() {
        match change(attr, value) {
            Some(bytes) => writer.present(attr, &bytes),
            None => writer.put(attr, value),
        }
    }
    Record::parse(&encoded).unwrap_or_else(|_| record.clone())
}

fn digest(content: &[u8], salt: &str) -> Vec<u8> {
    Sha256::new().chain_update(content).chain_update(salt).finalize().to_vec()
}
