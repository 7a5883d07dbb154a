//! The set as the controller sees it: digests, ids, symbols, records in order.
//!
//! *Invariant:* what is sent for an id is the record whose digest went into the root.

use crate::hash::encode;
use crate::owners::Owners;
use crate::protocol::bytes::put_varint;
use crate::protocol::reply::{BATCH, BatchWriter, FrameKind};
use crate::protocol::{Digest, Id, Reader, Salt, digest, sketch};
use crate::slots::{Content, Slot, Slots};
use crate::stream::Output;
use crate::tree::Tree;
use alloc::vec::Vec;

/// Everything that is compared.
pub struct Set<'a> {
    pub tree: &'a Tree,
    pub owners: &'a Owners,
    pub slots: &'a Slots,
    /// Encoded packages, facts and mounts.
    pseudo: Vec<(Digest, Vec<u8>)>,
    /// Of entries, then of pseudo-entries.
    ids: Vec<Id>,
}

impl<'a> Set<'a> {
    /// Puts the set together.
    pub fn new(tree: &'a Tree, owners: &'a Owners, slots: &'a Slots, salt: &Salt, mut pseudo: Vec<Vec<u8>>) -> Self {
        crate::order::sort(&mut pseudo, |a, b| subject(a).cmp(subject(b)));
        let pseudo: Vec<(Digest, Vec<u8>)> = pseudo.into_iter().map(|r| (digest::of_record(&r), r)).collect();
        let mut set = Self { tree, owners, slots, pseudo, ids: Vec::new() };
        set.ids = (0..set.len()).map(|at| digest::id(salt, set.digest(at))).collect();
        set
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.tree.entries.len() + self.pseudo.len()
    }

    fn digest(&self, at: usize) -> &Digest {
        const NONE: Digest = [0; 32];
        let entries = self.tree.entries.len();
        if at < entries {
            self.slots.record(at).try_into().unwrap_or(&NONE)
        } else {
            &self.pseudo[at - entries].0
        }
    }

    /// The digest of the set.
    pub fn of_set(&self) -> Digest {
        // Eight bytes decide nearly always, and stand side by side.
        let head = |at| u64::from_be_bytes(self.digest(at).first_chunk().copied().unwrap_or_default());
        let heads: Vec<u64> = (0..self.len()).map(head).collect();
        let order = crate::order::of(self.len(), &mut |a, b| {
            heads[a].cmp(&heads[b]).then_with(|| self.digest(a).cmp(self.digest(b)))
        });
        digest::of_set(order.iter().map(|at| self.digest(*at as usize)))
    }

    /// Sends the symbols `from..to`.
    pub fn send_symbols(&self, from: usize, to: usize, output: &mut Output) {
        let symbols = sketch::symbols(self.ids.iter().copied(), from, to);
        let most = BATCH / sketch::WIDTH;
        for (at, chunk) in symbols.chunks(most).enumerate() {
            let mut payload = Vec::with_capacity(chunk.len() * sketch::WIDTH + 5);
            put_varint(&mut payload, (from + at * most) as u64);
            for symbol in chunk {
                symbol.encode(&mut payload);
            }
            output.frame(FrameKind::Symbols, &payload);
        }
    }

    /// Sends the records of these ids, which ascend.
    pub fn send_records(&self, ids: &[Id], output: &mut Output) {
        let wanted = (0..self.len()).filter(|at| ids.binary_search(&self.ids[*at]).is_ok());
        let mut records: Vec<Vec<u8>> = wanted.map(|at| self.encoded(at)).collect();
        crate::order::sort(&mut records, |a, b| subject(a).cmp(subject(b)));
        let mut batches = Batches::new(output);
        for record in &records {
            batches.put(record);
        }
        batches.end();
    }

    /// Sends every record.
    pub fn send_all(&self, output: &mut Output) {
        let entries = self.tree.entries.len();
        let mut files = self.tree.in_path_order().into_iter().map(|at| at as usize).peekable();
        let mut others = (0..self.pseudo.len()).peekable();
        let mut batches = Batches::new(output);
        // "fact:" sorts before "fs:", "mount:" and "pkg:" after it.
        while let Some(at) = others.next_if(|at| subject(&self.pseudo[*at].1) < &b"fs:"[..]) {
            batches.put(&self.pseudo[at].1);
        }
        for at in files.by_ref() {
            batches.put(&self.encoded(at));
        }
        for at in others {
            batches.put(&self.encoded(entries + at));
        }
        batches.end();
    }

    fn encoded(&self, at: usize) -> Vec<u8> {
        let Some(entry) = self.tree.entries.get(at) else {
            return self.pseudo[at - self.tree.entries.len()].1.clone();
        };
        let none = Slot { content: Content::NotAsked, xattrs: None, rest: 0, record: [0; 32] };
        let slot = self.slots.slot(at).unwrap_or(none);
        let (mut path, mut out) = (Vec::new(), Vec::new());
        encode(self.tree, self.owners, self.slots, entry, &slot, &mut path, &mut out);
        out
    }
}

fn subject(record: &[u8]) -> &[u8] {
    Reader::new(record).string(crate::protocol::record::SUBJECT_MAX, "subject").unwrap_or_default()
}

struct Batches<'a> {
    output: &'a mut Output,
    writer: BatchWriter,
    payload: Vec<u8>,
    records: u64,
}

impl<'a> Batches<'a> {
    fn new(output: &'a mut Output) -> Self {
        Self { output, writer: BatchWriter::default(), payload: Vec::new(), records: 0 }
    }

    fn put(&mut self, record: &[u8]) {
        self.writer.put(record, &mut self.payload);
        self.records += 1;
        if self.payload.len() >= BATCH {
            self.output.frame(FrameKind::Batch, &self.payload);
            self.payload.clear();
        }
    }

    fn end(self) {
        if !self.payload.is_empty() {
            self.output.frame(FrameKind::Batch, &self.payload);
        }
        let mut count = Vec::new();
        put_varint(&mut count, self.records);
        self.output.frame(FrameKind::End, &count);
    }
}
