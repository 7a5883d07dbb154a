//! What stat and find tell of paths, batch by batch: the lines of stat, the names, and where links point.
//!
//! *Invariant:* a batch counts only as a whole; a name never decides what is another name's.

use crate::collect::failure::Failure;
use crate::protocol::Kind;

/// What stat tells of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    /// `None` where it is no type that Linux knows.
    pub(super) kind: Option<Kind>,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) ino: u64,
    pub(super) dev: u64,
    pub(super) links: u64,
    /// Major and minor number of a device.
    pub(super) device: (u32, u32),
    /// When the inode changed last, as the host writes it: seconds, with nine digits more where its stat knows them.
    pub(super) changed: Vec<u8>,
}

impl Stat {
    /// Reads a line of `%f %u %g %s %i %d %h %t %T %Z`.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let words: Vec<&str> = line.split(' ').collect();
        // The readers of numbers allow a sign.
        let plain = |word: &&str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        let [raw, uid, gid, size, ino, dev, links, major, minor, changed] = words[..] else { return None };
        if !words.iter().all(plain) || changed.is_empty() || !changed.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None;
        }
        let hex = |word| u32::from_str_radix(word, 16).ok();
        let raw = hex(raw)?;
        Some(Self {
            kind: kind(raw),
            mode: u16::try_from(raw & 0o7777).ok()?,
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            size: size.parse().ok()?,
            ino: ino.parse().ok()?,
            dev: dev.parse().ok()?,
            links: links.parse().ok()?,
            device: (hex(major)?, hex(minor)?),
            changed: changed.as_bytes().to_vec(),
        })
    }

    /// Whether it is the same inode, unchanged since.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.ino, self.dev, self.size, &self.changed) == (other.ino, other.dev, other.size, &other.changed)
    }

    pub(super) fn is_directory(&self) -> bool {
        self.kind == Some(Kind::Directory)
    }
}

fn kind(mode: u32) -> Option<Kind> {
    match mode & 0o170_000 {
        0o100_000 => Some(Kind::File),
        0o040_000 => Some(Kind::Directory),
        0o120_000 => Some(Kind::Symlink),
        0o060_000 => Some(Kind::Block),
        0o020_000 => Some(Kind::Char),
        0o010_000 => Some(Kind::Fifo),
        0o140_000 => Some(Kind::Socket),
        _ => None,
    }
}

/// One path that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: Vec<u8>,
    /// `None` where it was gone, or nobody may look at it.
    pub(super) stat: Option<Stat>,
    /// Where a link points; `None` where that could not be read.
    pub(super) target: Option<Vec<u8>>,
}

/// Reads batches to their end. Where the listing was cut off, `cut` allows a last batch that is not whole, and leaves it out.
///
/// # Errors
/// Bytes that are no batch.
pub(super) fn parse(payload: &[u8], cut: bool) -> Result<Vec<Listed>, Failure> {
    let mut tokens = payload.split_inclusive(|b| *b == 0);
    let mut listed = Vec::new();
    while let Some(first) = tokens.next() {
        match batch(first, &mut tokens) {
            Some(batch) => listed.extend(batch?),
            None if cut => break,
            None => return Err(Failure::protocol("a listing that ends in the middle")),
        }
    }
    Ok(listed)
}

/// One batch; `None` where it is not whole.
fn batch<'a>(first: &'a [u8], tokens: &mut impl Iterator<Item = &'a [u8]>) -> Option<Result<Vec<Listed>, Failure>> {
    let malformed = |what: &str| Some(Err(Failure::protocol(format!("a listing with {what}"))));
    let lines = first.strip_suffix(b"\0")?;
    let mut listed = Vec::new();
    for line in lines.split(|b| *b == b'\n') {
        let path = tokens.next()?.strip_suffix(b"\0")?;
        if !is_plain(path) {
            return malformed("a name that is none");
        }
        let stat = if line == b"-" { None } else { Stat::parse(line) };
        if stat.is_none() && line != b"-" {
            return malformed("words that stat does not say");
        }
        listed.push(Listed { path: path.to_vec(), stat, target: None });
    }
    if tokens.next()? != b"\0" {
        return malformed("more names than lines");
    }
    let mut targets = Vec::new();
    loop {
        match tokens.next()?.strip_suffix(b"\0")? {
            b"" => break,
            target => targets.push(target),
        }
    }
    point(&mut listed, &targets);
    Some(Ok(listed))
}

/// Gives links their targets, each of which comes with the link's own path behind it. One that went away meanwhile would
/// shift all that follow: then none of the batch counts.
fn point(listed: &mut [Listed], targets: &[&[u8]]) {
    let is_link = |entry: &&mut Listed| entry.stat.as_ref().is_some_and(|stat| stat.kind == Some(Kind::Symlink));
    let mut links: Vec<&mut Listed> = listed.iter_mut().filter(is_link).collect();
    if links.len() != targets.len() {
        return;
    }
    for (link, told) in links.iter_mut().zip(targets) {
        let size = link.stat.as_ref().map_or(0, |stat| stat.size);
        let target =
            told.strip_suffix(link.path.as_slice()).filter(|target| !target.is_empty() && target.len() <= 4096);
        // Some file systems of the kernel's own tell no size.
        link.target = target.filter(|target| size == 0 || target.len() as u64 == size).map(<[u8]>::to_vec);
    }
}

/// Whether a path is absolute and in its shortest form.
pub(super) fn is_plain(path: &[u8]) -> bool {
    path == b"/"
        || path
            .strip_prefix(b"/")
            .is_some_and(|rest| rest.split(|b| *b == b'/').all(|p| !matches!(p, b"" | b"." | b"..")))
}
