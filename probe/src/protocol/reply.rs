//! What a probe answers: a preamble, typed frames in a strict order, a trailer over all of it.
//!
//! Before it reads anything, a probe says [`HELLO`], the SHA-256 of its own program in hexadecimal, and a newline: so a
//! probe of another release is known before it is asked. Preamble: [`MAGIC`] and the request's nonce. Frame: type byte, little-endian u32 length, payload. The order is
//! `Identity Evidence Coverage Root (Symbols | Batch* End)`, then for each follow-up `Symbols` or `Batch* End`, then
//! `Trailer`. No trailer, no observation.
//!
//! *Invariant:* every length is checked against a cap before anything of that size is allocated.

use super::bytes::{Malformed, Reader, put_string, put_varint};
use super::digest::Digest;
use super::record::{Record, SUBJECT_MAX};
use alloc::vec::Vec;

/// Opens what a probe says before it reads. The number is [`super::request::VERSION`]; up to it the line is frozen for all
/// releases.
pub const HELLO: &[u8] = b"driftscan-probe 1 sha256:";
/// Opens a reply.
pub const MAGIC: [u8; 16] = *b"\x16driftscan-repl\n";
/// The longest frame.
pub const FRAME_MAX: usize = 256 * 1024;
/// Bytes of record batches are cut at about this size.
pub const BATCH: usize = 64 * 1024;

/// Frame types. The number is the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// Operating system and architecture, to refuse a wrong baseline early.
    Identity = 1,
    /// What is true of this machine alone; never part of the set.
    Evidence = 2,
    /// [`super::Coverage`].
    Coverage = 3,
    /// [`Root`].
    Root = 4,
    /// Coded symbols: first index, then 16 bytes each.
    Symbols = 5,
    /// Front-coded records.
    Batch = 6,
    /// Ends batches: how many records they held.
    End = 7,
    /// Frames, bytes and SHA-256 of all that went before, preamble included.
    Trailer = 8,
    /// The probe can't answer: a text.
    Refused = 9,
    /// Reserved: digests of directories' stats, for incremental scans.
    StatDigests = 10,
    /// One [`Text`], in the order in which they were asked for.
    Text = 11,
    /// The [`Owned`] of some of the paths that were asked for, in their order.
    Owned = 12,
    /// One [`super::usage::Usage`], in the order in which the places were asked for.
    Usage = 13,
}

impl FrameKind {
    const ALL: [Self; 13] = [
        Self::Identity,
        Self::Evidence,
        Self::Coverage,
        Self::Root,
        Self::Symbols,
        Self::Batch,
        Self::End,
        Self::Trailer,
        Self::Refused,
        Self::StatDigests,
        Self::Text,
        Self::Owned,
        Self::Usage,
    ];

    /// The type of a wire number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// Named texts, in ascending order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Texts {
    /// Adds a text; callers add in any order.
    pub fn put(&mut self, name: &[u8], text: &[u8]) {
        let at = self.0.partition_point(|(n, _)| n.as_slice() <= name);
        self.0.insert(at, (name.to_vec(), text.to_vec()));
    }

    /// The first text of a name.
    #[must_use]
    pub fn text(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_slice())
    }

    /// Every text of a name.
    pub fn texts<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, text)| text.as_slice())
    }

    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.len() as u64);
        for (name, text) in &self.0 {
            put_string(out, name);
            put_string(out, text);
        }
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// Malformed bytes, more than 256 texts, or a text above 4 KiB.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(payload);
        let mut texts = Vec::new();
        for _ in 0..r.at_most(256, "texts")? {
            texts.push((r.string(64, "name")?.to_vec(), r.string(4096, "text")?.to_vec()));
        }
        r.end("texts")?;
        Ok(Self(texts))
    }
}

/// Names of the texts of [`FrameKind::Identity`].
pub mod identity {
    /// `ID` of os-release.
    pub const OS_ID: &[u8] = b"os.id";
    /// `VERSION_ID` of os-release.
    pub const OS_VERSION: &[u8] = b"os.version";
    /// `uname -m`, where the root is live; else the architecture that the package database names.
    pub const ARCH: &[u8] = b"arch";
}

/// Names of the texts of [`FrameKind::Evidence`].
pub mod evidence {
    /// Hexadecimal [`crate::protocol::digest::of_evidence`] of the machine id.
    pub const MACHINE_ID: &[u8] = b"machine-id";
    /// Seconds since 1970 at which the kernel started.
    pub const BOOT: &[u8] = b"boot";
    /// The host's own clock, seconds since 1970.
    pub const CLOCK: &[u8] = b"clock";
    /// One address of the host; several may follow.
    pub const ADDRESS: &[u8] = b"address";
    /// The host's own name for itself.
    pub const HOSTNAME: &[u8] = b"hostname";
    /// The numeric user id the probe ran as.
    pub const UID: &[u8] = b"uid";
    /// `IMAGE_ID` of os-release.
    pub const IMAGE_ID: &[u8] = b"image.id";
    /// `IMAGE_VERSION` of os-release.
    pub const IMAGE_VERSION: &[u8] = b"image.version";
    /// Begins the names of what no other host may have: `identity.machine-id`, `identity.ssh-host-key.ssh-ed25519`; each a
    /// hexadecimal [`crate::protocol::digest::of_evidence`].
    pub const IDENTITY: &[u8] = b"identity.";
    /// What the probe can be asked beyond what every probe of its protocol answers: one of [`super::ability`]; several may
    /// follow. A probe of an older build says none, and is asked nothing that it would not understand.
    pub const ABILITY: &[u8] = b"ability";
}

/// Values of [`evidence::ABILITY`].
pub mod ability {
    /// It answers [`crate::protocol::request::FollowUp::Usage`].
    pub const USAGE: &[u8] = b"usage";
}

/// The answer that decides equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// [`super::digest::root`].
    pub root: Digest,
    /// Records in the set.
    pub records: u64,
}

impl Root {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.root);
        put_varint(out, self.records);
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// Malformed bytes.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(payload);
        let root = Self { root: r.array("root")?, records: r.varint("records")? };
        r.end("root")?;
        Ok(root)
    }
}

/// What came of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TextState {
    /// It is here whole.
    Whole = 0,
    /// It is here, cut at its cap.
    Cut = 1,
    /// A view could not read it; there is no text.
    NotParsed = 2,
    /// The probe's own list of secrets, or what the file holds, forbids it.
    Secret = 3,
    /// There is no such regular file.
    Absent = 4,
    /// It could not be read.
    Unread = 5,
}

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What came of it.
    pub state: TextState,
    /// The bytes; empty unless whole or cut.
    pub bytes: Vec<u8>,
}

impl Text {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.state as u8);
        put_string(out, &self.bytes);
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// Malformed bytes.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(payload);
        let state = match r.u8("state of a text")? {
            0 => TextState::Whole,
            1 => TextState::Cut,
            2 => TextState::NotParsed,
            3 => TextState::Secret,
            4 => TextState::Absent,
            5 => TextState::Unread,
            _ => return Err(Malformed("state of a text")),
        };
        let bytes = r.string(super::request::TEXT_MAX, "text")?.to_vec();
        r.end("text")?;
        if !bytes.is_empty() && !matches!(state, TextState::Whole | TextState::Cut) {
            return Err(Malformed("text"));
        }
        Ok(Self { state, bytes })
    }
}

/// Whether a file is as its package shipped it, by the digests that the host's package database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Shipped {
    /// No package has it.
    Unowned = 0,
    /// It is.
    Same = 1,
    /// It is not.
    Altered = 2,
    /// A package has it, and no digest to tell.
    Untold = 3,
    /// The file or the database could not be read.
    Unread = 4,
}

/// What the host's package database says of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// As shipped or not.
    pub shipped: Shipped,
    /// A configuration file in the words of its package system.
    pub is_config: bool,
    /// Subjects of its packages, `pkg:nginx:amd64`; the first decides.
    pub owners: Vec<Vec<u8>>,
}

impl Owned {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.shipped as u8 | u8::from(self.is_config) << 7);
        put_varint(out, self.owners.len() as u64);
        for owner in &self.owners {
            put_string(out, owner);
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// Malformed bytes.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let head = r.u8("owned")?;
        let shipped = match head & 0x7f {
            0 => Shipped::Unowned,
            1 => Shipped::Same,
            2 => Shipped::Altered,
            3 => Shipped::Untold,
            4 => Shipped::Unread,
            _ => return Err(Malformed("owned")),
        };
        let mut owners = Vec::new();
        for _ in 0..r.at_most(16, "owners")? {
            owners.push(r.string(1024, "owner")?.to_vec());
        }
        Ok(Self { shipped, is_config: head & 0x80 != 0, owners })
    }
}

/// The last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// Frames before this one.
    pub frames: u64,
    /// Bytes before this frame, hello and preamble included.
    pub bytes: u64,
    /// SHA-256 of them.
    pub digest: Digest,
}

impl Trailer {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.frames);
        put_varint(out, self.bytes);
        out.extend_from_slice(&self.digest);
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// Malformed bytes.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(payload);
        let trailer = Self { frames: r.varint("frames")?, bytes: r.varint("bytes")?, digest: r.array("digest")? };
        r.end("trailer")?;
        Ok(trailer)
    }
}

/// Writes records front-coded: how many bytes of the subject stay as in the record before.
#[derive(Debug, Default)]
pub struct BatchWriter {
    before: Vec<u8>,
}

impl BatchWriter {
    /// Appends one record to a batch; subjects must ascend over the batches of one answer.
    pub fn put(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        let mut r = Reader::new(encoded);
        let subject = r.string(SUBJECT_MAX, "subject").unwrap_or_default();
        let shared = subject.iter().zip(&self.before).take_while(|(a, b)| a == b).count();
        put_varint(out, shared as u64);
        put_string(out, &subject[shared..]);
        put_string(out, r.rest());
        self.before.clear();
        self.before.extend_from_slice(subject);
    }
}

/// Reads the batches of one answer and holds them to their order: a second record of one subject is refused.
#[derive(Debug, Default)]
pub struct BatchReader {
    before: Vec<u8>,
}

impl BatchReader {
    /// Reads one batch, giving each record to `each`, which may stop it: a few bytes can stand for a long subject, so a
    /// small batch may unpack to much.
    ///
    /// # Errors
    /// Malformed bytes, subjects that do not strictly ascend, and what `each` returns.
    pub fn read<E: From<Malformed>>(
        &mut self,
        payload: &[u8],
        mut each: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut r = Reader::new(payload);
        while !r.is_empty() {
            let shared = r.at_most(self.before.len(), "shared subject")?;
            let tail = r.string(SUBJECT_MAX, "subject")?;
            let attrs = r.string(FRAME_MAX, "attributes")?;
            if tail <= &self.before[shared..] {
                return Err(Malformed("order of records").into());
            }
            self.before.truncate(shared);
            self.before.extend_from_slice(tail);
            let mut encoded = Vec::with_capacity(self.before.len() + attrs.len() + 3);
            put_string(&mut encoded, &self.before);
            encoded.extend_from_slice(attrs);
            each(Record::parse(&encoded)?)?;
        }
        Ok(())
    }
}
