//! What the machine is: identity, stable facts, and evidence, from the same sources as the probe's.
//!
//! *Invariant:* facts of a root that is not the running system come from its files, never from the kernel that runs.

use crate::manifest::Identity;
use crate::model::text::{escape, hex};
use crate::protocol::record::RecordWriter;
use crate::protocol::reply::{Texts, evidence};
use crate::protocol::view::is_machine_id;
use crate::protocol::{Attr, Record, digest};

/// Fields of os-release(5) that are facts.
const OS_RELEASE: [(&[u8], &[u8]); 4] = [
    (b"ID", b"fact:os.id"),
    (b"ID_LIKE", b"fact:os.like"),
    (b"VARIANT_ID", b"fact:os.variant"),
    (b"VERSION_ID", b"fact:os.version"),
];

/// Fields of os-release(5) that name the image, and the evidence that they are.
const IMAGE: [(&[u8], &[u8]); 2] = [(b"IMAGE_ID", evidence::IMAGE_ID), (b"IMAGE_VERSION", evidence::IMAGE_VERSION)];

/// What the kernel and a few programs say of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) arch: Vec<u8>,
    pub(super) kernel: Vec<u8>,
    pub(super) hostname: Vec<u8>,
    pub(super) uid: u32,
    pub(super) clock: Vec<u8>,
}

impl Words {
    /// Reads the lines of `uname -m`, `uname -r`, `uname -n`, `id -u` and `date +%s`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = text.strip_suffix(b"\n")?.split(|b| *b == b'\n').map(<[u8]>::to_vec);
        let (arch, kernel, hostname) = (lines.next()?, lines.next()?, lines.next()?);
        let uid = std::str::from_utf8(&lines.next()?).ok()?.parse().ok()?;
        let clock = lines.next()?;
        let digits = clock.iter().all(u8::is_ascii_digit);
        (digits && lines.next().is_none()).then_some(Self { arch, kernel, hostname, uid, clock })
    }
}

/// The machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) identity: Identity,
    pub(super) evidence: Texts,
    /// Pseudo-entries.
    pub(super) records: Vec<Record>,
}

/// Files of the tree that tell of the machine; empty where they could not be read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) os_release: Vec<u8>,
    pub(super) dpkg_arch: Vec<u8>,
    pub(super) machine_id: Option<Vec<u8>>,
    /// `/proc/stat`.
    pub(super) kernel_stat: Vec<u8>,
}

impl Machine {
    /// Puts together what the sources say.
    pub(super) fn new(words: &Words, sources: &Sources, live: bool) -> Self {
        let mut identity = Identity { os: String::new(), os_version: String::new(), arch: String::new() };
        let mut evidence = Texts::default();
        let mut records = Vec::new();
        for (field, subject) in OS_RELEASE {
            let Some(value) = os_release(&sources.os_release, field) else { continue };
            match field {
                b"ID" => identity.os = escape(&value),
                b"VERSION_ID" => identity.os_version = escape(&value),
                _ => {}
            }
            records.extend(fact(subject, &value));
        }
        for (field, name) in IMAGE {
            if let Some(value) = os_release(&sources.os_release, field) {
                evidence.put(name, &value);
            }
        }
        if live {
            identity.arch = escape(&words.arch);
            records.extend(fact(b"fact:arch", &words.arch));
            records.extend(fact(b"fact:kernel", &words.kernel));
            evidence.put(evidence::HOSTNAME, &words.hostname);
            let mut lines = sources.kernel_stat.split(|b| *b == b'\n');
            if let Some(boot) = lines.find_map(|line| line.strip_prefix(b"btime ")) {
                evidence.put(evidence::BOOT, boot);
            }
        } else if let Some(arch) = sources.dpkg_arch.split(|b| *b == b'\n').next() {
            identity.arch = escape(arch);
        }
        if let Some(id) = &sources.machine_id {
            let digest = digest::of_evidence(b"machine-id", id.trim_ascii());
            evidence.put(evidence::MACHINE_ID, hex(&digest).as_bytes());
            if is_machine_id(id.trim_ascii()) {
                evidence.put(&[evidence::IDENTITY, b"machine-id"].concat(), hex(&digest).as_bytes());
            }
        }
        evidence.put(evidence::UID, words.uid.to_string().as_bytes());
        Self { identity, evidence, records }
    }
}

fn fact(subject: &[u8], value: &[u8]) -> Option<Record> {
    let mut out = Vec::new();
    RecordWriter::new(&mut out, subject).present(Attr::Text, &value[..value.len().min(4096)]);
    Record::parse(&out).ok()
}

/// The value of a field, unquoted as a shell would for the plain cases that os-release(5) allows.
fn os_release(text: &[u8], field: &[u8]) -> Option<Vec<u8>> {
    let value = text
        .split(|b| *b == b'\n')
        .find_map(|line| line.strip_prefix(field).and_then(|rest| rest.strip_prefix(b"=")))?
        .trim_ascii();
    let quoted = |quote: &[u8]| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    let plain = quoted(b"\"").or_else(|| quoted(b"'")).unwrap_or(value);
    Some(plain.iter().copied().filter(|b| *b != b'\\').take(256).collect())
}
