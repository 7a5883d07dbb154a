//! What the controller asks of a probe: one request, then follow-ups on the same stream.
//!
//! A message is a type byte, a little-endian u32 length and a payload. A probe answers nothing that it does not
//! understand whole.
//!
//! *Invariant:* no field of a request reaches a shell, and none widens what a probe may reveal.

use super::bytes::{Malformed, Reader, put_string, put_varint};
use super::digest::{Id, Salt};
use super::rule::RuleSet;
use super::secret::SecretKey;
use super::usage::Survey;
use super::view::View;
use alloc::vec::Vec;

/// Raised with every change of a message's bytes.
pub const VERSION: u16 = 1;
/// Opens a request; the probe skips nothing before it.
pub const MAGIC: [u8; 8] = *b"DRIFTRQ1";
/// The longest request and the longest follow-up.
pub const MESSAGE_MAX: usize = 1 << 20;
/// The most paths of one follow-up.
pub const PATHS_MAX: usize = 20_000;
/// The longest text of one file.
pub const TEXT_MAX: usize = 192 * 1024;
/// The most ids of one follow-up.
pub const IDS_MAX: usize = 100_000;

/// Bounds of one walk; reaching one is a [`super::Why::Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of the trees that only the system writes.
    pub entries: u64,
    /// Bytes hashed there.
    pub bytes: u64,
    /// Entries of each tree that ordinary users can write.
    pub guard_entries: u64,
    /// Bytes hashed there.
    pub guard_bytes: u64,
    /// Bytes that the records of all those trees together may take in the answer.
    pub guard_records: u64,
    /// A file above is recorded as oversize.
    pub file_bytes: u64,
    /// Components of a path.
    pub depth: u32,
    /// Seconds of the whole scan on the host.
    pub seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            bytes: 1 << 40,
            guard_entries: 200_000,
            guard_bytes: 16 << 30,
            guard_records: u64::MAX,
            file_bytes: 1 << 30,
            depth: 128,
            seconds: 90,
        }
    }
}

/// How the host's set is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The root and this many symbols; records as they are asked for.
    Sketch(u32),
    /// The root and every record, projected.
    Listing,
    /// Every record with all attributes, for a capture.
    Capture,
}

/// The request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Fresh for each host.
    pub nonce: [u8; 32],
    /// The host's name in the run, bound into its answer.
    pub host: Vec<u8>,
    /// Fresh for each run.
    pub salt: Salt,
    /// The folder to scan as if it were `/`.
    pub root: Vec<u8>,
    /// Whether the root is the running system: then kernel and mounts are part of the set.
    pub live: bool,
    /// One hashing process instead of several.
    pub gentle: bool,
    /// How to answer.
    pub mode: Mode,
    /// Bounds.
    pub limits: Limits,
    /// Absolute paths inside the root; none inside another.
    pub scopes: Vec<Vec<u8>>,
    /// What is compared.
    pub rules: RuleSet,
    /// The key of keyed digests; there where a rule asks for one, and only there.
    pub key: Option<SecretKey>,
}

/// Bits of abilities that a request needs; a probe refuses one it does not know.
const ABILITIES: u64 = KEYED;
/// A key stands behind the rules, for digests that only tell whether two secrets are the same.
const KEYED: u64 = 1;

/// A request whose larger parts are somebody else's: a run sends the same rules to every host.
#[derive(Debug, Clone, Copy)]
pub struct RequestRef<'a> {
    /// Fresh for each host.
    pub nonce: &'a [u8; 32],
    /// The host's name in the run.
    pub host: &'a [u8],
    /// Fresh for each run.
    pub salt: &'a Salt,
    /// The folder to scan.
    pub root: &'a [u8],
    /// Whether the root is the running system.
    pub live: bool,
    /// One hashing process.
    pub gentle: bool,
    /// How to answer.
    pub mode: Mode,
    /// Bounds.
    pub limits: Limits,
    /// Absolute paths inside the root.
    pub scopes: &'a [Vec<u8>],
    /// What is compared.
    pub rules: &'a RuleSet,
    /// The key of keyed digests; sent where a rule asks for one, and only there.
    pub key: Option<&'a SecretKey>,
}

impl RequestRef<'_> {
    /// The whole first message with magic and length.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let key = self.key.filter(|_| self.rules.is_keyed());
        let mut body = Vec::new();
        body.extend_from_slice(&VERSION.to_le_bytes());
        put_varint(&mut body, if key.is_some() { KEYED } else { 0 });
        body.extend_from_slice(self.nonce);
        put_string(&mut body, self.host);
        body.extend_from_slice(self.salt);
        put_string(&mut body, self.root);
        body.push(u8::from(self.live) | u8::from(self.gentle) << 1);
        let (mode, symbols) = match self.mode {
            Mode::Sketch(symbols) => (0, symbols),
            Mode::Listing => (1, 0),
            Mode::Capture => (2, 0),
        };
        body.push(mode);
        put_varint(&mut body, u64::from(symbols));
        let l = &self.limits;
        for n in [
            l.entries,
            l.bytes,
            l.guard_entries,
            l.guard_bytes,
            l.guard_records,
            l.file_bytes,
            u64::from(l.depth),
            u64::from(l.seconds),
        ] {
            put_varint(&mut body, n);
        }
        put_varint(&mut body, self.scopes.len() as u64);
        for scope in self.scopes {
            put_string(&mut body, scope);
        }
        self.rules.encode(&mut body);
        if let Some(SecretKey(key)) = key {
            body.extend_from_slice(key);
        }
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&(body.len() as u32).to_le_bytes());
        out.extend_from_slice(&body);
        out
    }
}

impl Request {
    /// The whole first message with magic and length.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        RequestRef {
            nonce: &self.nonce,
            host: &self.host,
            salt: &self.salt,
            root: &self.root,
            live: self.live,
            gentle: self.gentle,
            mode: self.mode,
            limits: self.limits,
            scopes: &self.scopes,
            rules: &self.rules,
            key: self.key.as_ref(),
        }
        .encode()
    }

    /// Reads a body, without magic and length.
    ///
    /// # Errors
    /// Malformed bytes, another version, an ability that this version lacks; rules that need a key without one, or a key
    /// that no rule needs.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(body);
        if u16::from_le_bytes(r.array("version")?) != VERSION {
            return Err(Malformed("request: another version"));
        }
        let abilities = r.varint("abilities")?;
        if abilities & !ABILITIES != 0 {
            return Err(Malformed("request: it asks for an ability that this version lacks"));
        }
        let nonce = r.array("nonce")?;
        let host = r.string(512, "host")?.to_vec();
        let salt = r.array("salt")?;
        let root = absolute(r.string(4096, "root")?, "root")?;
        let flags = r.u8("flags")?;
        if flags > 3 {
            return Err(Malformed("flags"));
        }
        let mode = (r.u8("mode")?, r.at_most(super::sketch::MOST, "symbols")? as u32);
        let mode = match mode {
            (0, symbols) => Mode::Sketch(symbols),
            (1, 0) => Mode::Listing,
            (2, 0) => Mode::Capture,
            _ => return Err(Malformed("mode")),
        };
        let limits = Limits {
            entries: r.varint("limits")?,
            bytes: r.varint("limits")?,
            guard_entries: r.varint("limits")?,
            guard_bytes: r.varint("limits")?,
            guard_records: r.varint("limits")?,
            file_bytes: r.varint("limits")?,
            depth: r.at_most(1 << 16, "depth")? as u32,
            seconds: r.at_most(1 << 24, "seconds")? as u32,
        };
        let mut scopes = Vec::new();
        for _ in 0..r.at_most(256, "scopes")? {
            scopes.push(absolute(r.string(4096, "scope")?, "scope")?);
        }
        let rules = RuleSet::decode(&mut r)?;
        let key = if abilities & KEYED == 0 { None } else { Some(SecretKey(r.array("key")?)) };
        // Without its key a secret would be digested so that it can be guessed.
        if key.is_some() != rules.is_keyed() {
            return Err(Malformed("key"));
        }
        r.end("request")?;
        let (live, gentle) = (flags & 1 != 0, flags & 2 != 0);
        Ok(Self { nonce, host, salt, root, live, gentle, mode, limits, scopes, rules, key })
    }
}

/// A path without empty, `.` and `..` parts.
pub(super) fn absolute(path: &[u8], what: &'static str) -> Result<Vec<u8>, Malformed> {
    let whole = path.starts_with(b"/") && !path.contains(&0);
    let plain =
        path == b"/" || path[1.min(path.len())..].split(|b| *b == b'/').all(|p| !matches!(p, b"" | b"." | b".."));
    if whole && plain { Ok(path.to_vec()) } else { Err(Malformed(what)) }
}

/// The logs whose ends a probe tells; a star stands for what follows in the name.
pub const LOGS: [&[u8]; 16] = [
    b"/var/log/dpkg.log*",
    b"/var/log/apt/history.log*",
    b"/var/log/dnf.rpm.log",
    b"/var/log/dnf.log",
    b"/var/log/yum.log",
    b"/var/log/zypp/history",
    b"/var/log/pacman.log",
    b"/var/log/apk.log",
    b"/var/log/auth.log",
    b"/var/log/auth.log.1",
    b"/var/log/secure",
    b"/var/log/wtmp",
    b"/var/log/wtmp.db",
    b"/var/lib/wtmpdb/wtmp.db",
    b"/var/lib/dnf/history*",
    b"/var/log/unattended-upgrades/unattended-upgrades.log",
];

/// Whether a path is one of [`LOGS`].
#[must_use]
pub fn is_log(path: &[u8]) -> bool {
    LOGS.iter().any(|log| match log.strip_suffix(b"*") {
        Some(start) => path.strip_prefix(start).is_some_and(|rest| !rest.contains(&b'/')),
        None => path == *log,
    })
}

/// Which text of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// What a view makes of it.
    View(View),
    /// Its bytes, from the start, this many at most.
    Head(u32),
    /// Its bytes, up to the end, this many at most; for [`LOGS`] alone.
    Tail(u32),
    /// Its size, time of change and owner, in one line; nothing of its content.
    Stat,
}

impl Want {
    fn encode(self, out: &mut Vec<u8>) {
        let (kind, number) = match self {
            Self::View(view) => (0, u32::from(view as u8)),
            Self::Head(most) => (1, most),
            Self::Tail(most) => (2, most),
            Self::Stat => (3, 0),
        };
        out.push(kind);
        put_varint(out, u64::from(number));
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = r.u8("want")?;
        let number = r.at_most(TEXT_MAX, "want")? as u32;
        match kind {
            0 => View::of(number as u16).map(Self::View).ok_or(Malformed("view")),
            1 => Ok(Self::Head(number)),
            2 => Ok(Self::Tail(number)),
            3 => Ok(Self::Stat),
            _ => Err(Malformed("want")),
        }
    }
}

/// What may follow the first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUp {
    /// Symbols up to this index.
    More(u32),
    /// The records of these ids, ascending.
    Records(Vec<Id>),
    /// Every record, projected.
    Listing,
    /// Texts of files, in ascending order of path and want. What the probe's own list of secrets forbids is refused.
    Texts(Vec<(Vec<u8>, Want)>),
    /// Which packages these paths belong to; ascending.
    Owners {
        /// Whether to read the files and say if they are as the packages shipped them.
        prove: bool,
        /// Which.
        paths: Vec<Vec<u8>>,
    },
    /// How much stands at these places; only of a probe that says [`super::reply::ability::USAGE`].
    Usage(Survey),
    /// That was all: the trailer, please.
    Bye,
}

impl FollowUp {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let kind = match self {
            Self::More(to) => {
                put_varint(&mut body, u64::from(*to));
                b'M'
            }
            Self::Records(ids) => {
                put_varint(&mut body, ids.len() as u64);
                for id in ids {
                    body.extend_from_slice(&id.to_le_bytes());
                }
                b'R'
            }
            Self::Listing => b'L',
            Self::Texts(texts) => {
                put_varint(&mut body, texts.len() as u64);
                for (path, want) in texts {
                    put_string(&mut body, path);
                    want.encode(&mut body);
                }
                b'T'
            }
            Self::Owners { prove, paths } => {
                body.push(u8::from(*prove));
                put_varint(&mut body, paths.len() as u64);
                for path in paths {
                    put_string(&mut body, path);
                }
                b'O'
            }
            Self::Usage(survey) => {
                survey.encode(&mut body);
                b'U'
            }
            Self::Bye => b'B',
        };
        let mut out = alloc::vec![kind];
        out.extend_from_slice(&(body.len() as u32).to_le_bytes());
        out.extend_from_slice(&body);
        out
    }

    /// Reads a message's type and payload.
    ///
    /// # Errors
    /// An unknown type or malformed payload.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(payload);
        let message = match kind {
            b'M' => Self::More(r.at_most(super::sketch::MOST, "symbols")? as u32),
            b'R' => {
                let n = r.at_most(IDS_MAX, "ids")?;
                let mut ids = Vec::with_capacity(n);
                for _ in 0..n {
                    ids.push(u64::from_le_bytes(r.array("id")?));
                }
                if ids.windows(2).any(|w| w[0] >= w[1]) {
                    return Err(Malformed("order of ids"));
                }
                Self::Records(ids)
            }
            b'L' => Self::Listing,
            b'T' => {
                let mut texts: Vec<(Vec<u8>, Want)> = Vec::new();
                for _ in 0..r.at_most(PATHS_MAX, "texts")? {
                    let path = absolute(r.string(4096, "path")?, "path")?;
                    let text = (path, Want::decode(&mut r)?);
                    if texts.last().is_some_and(|last| *last >= text) {
                        return Err(Malformed("order of texts"));
                    }
                    texts.push(text);
                }
                Self::Texts(texts)
            }
            b'O' => {
                let prove = match r.u8("prove")? {
                    0 => false,
                    1 => true,
                    _ => return Err(Malformed("prove")),
                };
                let mut paths: Vec<Vec<u8>> = Vec::new();
                for _ in 0..r.at_most(PATHS_MAX, "paths")? {
                    let path = absolute(r.string(4096, "path")?, "path")?;
                    if paths.last().is_some_and(|last| *last >= path) {
                        return Err(Malformed("order of paths"));
                    }
                    paths.push(path);
                }
                Self::Owners { prove, paths }
            }
            b'U' => Self::Usage(Survey::decode(&mut r)?),
            b'B' => Self::Bye,
            _ => return Err(Malformed("message type")),
        };
        r.end("message")?;
        Ok(message)
    }
}
