//! What readings of lines share: words, numbers, colon fields, and values of several named parts.
//!
//! *Invariant:* total on any bytes; [`Parts`] writes different text for different parts.

use super::NotParsed;
use crate::protocol::order;
use alloc::vec::Vec;

/// A value of several parts, `uid=0 home=/root`: blanks and backslashes within a part are written `\xNN`.
#[derive(Debug, Default)]
pub(super) struct Parts(Vec<u8>);

impl Parts {
    /// Adds `name=bytes`.
    #[inline(never)]
    pub(super) fn named(&mut self, name: &[u8], bytes: &[u8]) -> &mut Self {
        self.gap();
        self.0.extend_from_slice(name);
        self.0.push(b'=');
        quote(bytes, &mut self.0);
        self
    }

    /// Adds a part without a name.
    #[inline(never)]
    pub(super) fn word(&mut self, bytes: &[u8]) -> &mut Self {
        self.gap();
        quote(bytes, &mut self.0);
        self
    }

    /// The value.
    pub(super) fn text(&self) -> &[u8] {
        &self.0
    }

    fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push(b' ');
        }
    }
}

#[inline(never)]
fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b' ' => out.extend_from_slice(b"\\x20"),
            b'\\' => out.extend_from_slice(b"\\x5c"),
            _ => out.push(*byte),
        }
    }
}

/// Whether a byte parts words.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// Takes the next word off a line; empty at its end.
#[inline(never)]
pub(super) fn word<'a>(line: &mut &'a [u8]) -> &'a [u8] {
    let text = skip(line);
    let end = text.iter().position(|b| is_blank(*b)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    *line = skip(rest);
    word
}

/// A line without the blanks that it begins with.
#[inline(never)]
pub(super) fn skip(line: &[u8]) -> &[u8] {
    let at = line.iter().position(|b| !is_blank(*b)).unwrap_or(line.len());
    line.split_at(at).1
}

/// A line without blanks at both ends.
#[inline(never)]
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let line = skip(line);
    let end = line.iter().rposition(|b| !is_blank(*b)).map_or(0, |at| at + 1);
    line.split_at(end).0
}

/// A number, without the zeros before it, where it is one of at most 32 bits.
#[inline(never)]
pub(super) fn number(text: &[u8]) -> Result<&[u8], NotParsed> {
    let bare = text.iter().position(|b| *b != b'0').map_or(text.len().saturating_sub(1), |at| at);
    let bare = text.split_at(bare).1;
    let value = bare.iter().try_fold(0u64, |sum, b| {
        b.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(b - b'0')))
    });
    let fits = value.is_some_and(|value| u32::try_from(value).is_ok());
    if fits && !text.is_empty() { Ok(bare) } else { Err(NotParsed("a number is expected")) }
}

/// What is done with the fields of a line.
type Each<'a, 'f> = dyn FnMut(&[&'a [u8]]) -> Result<(), NotParsed> + 'f;

/// The lines of a table of colon fields that are no comments, each with its fields, so many of them at least and at most;
/// a line that begins with `#` is a comment unless it has all fields, because only some C libraries skip it then.
pub(super) fn table<'a>(
    bytes: &'a [u8],
    (least, most): (usize, usize),
    each: &mut Each<'a, '_>,
) -> Result<(), NotParsed> {
    let mut fields: Vec<&[u8]> = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        fields.clear();
        // One more than there may be is enough to refuse.
        fields.extend(line.splitn(most + 1, |b| *b == b':'));
        let first = line.first().copied().unwrap_or_default();
        if trim(line).is_empty() || first == b'#' && fields.len() < least {
            continue;
        }
        if fields.len() < least || fields.len() > most || is_blank(first) {
            return Err(NotParsed("a line has other fields than it should"));
        }
        each(&fields)?;
    }
    Ok(())
}

/// A field of a line; a line that is short of it has none in it.
pub(super) fn at<'a>(fields: &[&'a [u8]], number: usize) -> &'a [u8] {
    fields.get(number).copied().unwrap_or_default()
}

/// Members of a list with commas: sorted, each once.
pub(super) fn members(list: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = list.split(|b| *b == b',').map(trim).filter(|name| !name.is_empty()).collect();
    order::sort(&mut names, Ord::cmp);
    names.dedup();
    names.join(&b","[..])
}

/// How a password field stands, and the algorithm of its hash; never the hash.
pub(super) fn password(field: &[u8]) -> (&'static [u8], &'static [u8]) {
    let bare = field.iter().position(|b| *b != b'!').unwrap_or(field.len());
    let hash = field.split_at(bare).1;
    let algorithm = algorithm(hash);
    let state: &[u8] = match field {
        [] => b"empty",
        [b'!', ..] => b"locked",
        [b'*', ..] => b"none",
        _ => b"set",
    };
    (state, algorithm)
}

/// crypt(5).
fn algorithm(hash: &[u8]) -> &'static [u8] {
    const PREFIXES: [(&[u8], &[u8]); 14] = [
        (b"$y$", b"yescrypt"),
        (b"$gy$", b"gost-yescrypt"),
        (b"$7$", b"scrypt"),
        (b"$2a$", b"bcrypt"),
        (b"$2b$", b"bcrypt"),
        (b"$2x$", b"bcrypt"),
        (b"$2y$", b"bcrypt"),
        (b"$6$", b"sha512"),
        (b"$5$", b"sha256"),
        (b"$sha1", b"sha1"),
        (b"$md5", b"sun-md5"),
        (b"$1$", b"md5"),
        (b"$3$", b"nt"),
        (b"_", b"bsdi-des"),
    ];
    if matches!(hash, [] | [b'*', ..]) {
        return b"none";
    }
    match PREFIXES.iter().find(|(prefix, _)| hash.starts_with(prefix)) {
        Some((_, name)) => name,
        None if hash.len() == 13 => b"des",
        None => b"other",
    }
}

/// For each id the place of the first that is the same.
pub(super) fn firsts(ids: &[&[u8]]) -> Vec<usize> {
    // The order is stable, so that the first of equal ids stays the first of them.
    let sorted = order::of(ids.len(), &mut |a, b| at(ids, a).cmp(at(ids, b)));
    let mut firsts: Vec<usize> = (0..ids.len()).collect();
    let mut first = 0;
    for (rank, place) in sorted.iter().enumerate() {
        let place = *place as usize;
        if rank == 0 || at(ids, first) != at(ids, place) {
            first = place;
        }
        if let Some(slot) = firsts.get_mut(place) {
            *slot = first;
        }
    }
    firsts
}
