//! What readings of lines share: words, numbers, colon fields, and values of several named parts.
//!
//! *Invariant:* total on any bytes; [`Parts`] writes different text for different parts.

use super::NotParsed;
use alloc::vec::Vec;

/// A value of several parts, `uid=0 home=/root`: blanks and backslashes within a part are written `\xNN`.
#[derive(Debug, Default)]
pub(super) struct Parts(Vec<u8>);

impl Parts {
    /// Adds `name=bytes`.
    pub(super) fn named(&mut self, name: &[u8], bytes: &[u8]) -> &mut Self {
        self.gap();
        self.0.extend_from_slice(name);
        self.0.push(b'=');
        quote(bytes, &mut self.0);
        self
    }

    /// Adds a part without a name.
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
pub(super) fn word<'a>(line: &mut &'a [u8]) -> &'a [u8] {
    let text = skip(line);
    let end = text.iter().position(|b| is_blank(*b)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    *line = skip(rest);
    word
}

/// A line without the blanks that it begins with.
pub(super) fn skip(line: &[u8]) -> &[u8] {
    let at = line.iter().position(|b| !is_blank(*b)).unwrap_or(line.len());
    line.split_at(at).1
}

/// A line without blanks at both ends.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let line = skip(line);
    let end = line.iter().rposition(|b| !is_blank(*b)).map_or(0, |at| at + 1);
    line.split_at(end).0
}

/// A number, without the zeros before it, where it is one of at most 32 bits.
pub(super) fn number(text: &[u8]) -> Result<&[u8], NotParsed> {
    let bare = text.iter().position(|b| *b != b'0').map_or(text.len().saturating_sub(1), |at| at);
    let bare = text.split_at(bare).1;
    let value = bare.iter().try_fold(0u64, |sum, b| {
        b.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(b - b'0')))
    });
    let fits = value.is_some_and(|value| u32::try_from(value).is_ok());
    if fits && !text.is_empty() { Ok(bare) } else { Err(NotParsed("a number is expected")) }
}

/// The lines of a table of colon fields that are no comments, each with its fields, `N` of them at least and `most` at
/// most; a line that begins with `#` is a comment unless it has all fields, because only some C libraries skip it then.
pub(super) fn table<'a, const N: usize>(
    bytes: &'a [u8],
    most: usize,
    mut each: impl FnMut([&'a [u8]; N], Option<&'a [u8]>) -> Result<(), NotParsed>,
) -> Result<(), NotParsed> {
    for line in bytes.split(|b| *b == b'\n') {
        let mut fields: [&[u8]; N] = [b""; N];
        let count = line.split(|b| *b == b':').count();
        if trim(line).is_empty() || line.first() == Some(&b'#') && count < N {
            continue;
        }
        if count < N || count > most || line.first().is_some_and(|b| is_blank(*b)) {
            return Err(NotParsed("a line has other fields than it should"));
        }
        let mut parts = line.split(|b| *b == b':');
        for (field, part) in fields.iter_mut().zip(&mut parts) {
            *field = part;
        }
        each(fields, parts.next())?;
    }
    Ok(())
}

/// Members of a list with commas: sorted, each once.
pub(super) fn members(list: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = list.split(|b| *b == b',').map(trim).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
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
    let mut order: Vec<(&[u8], usize)> = ids.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut firsts: Vec<usize> = (0..ids.len()).collect();
    let mut first = (&b""[..], usize::MAX);
    for (id, at) in order {
        if first.1 == usize::MAX || first.0 != id {
            first = (id, at);
        }
        if let Some(slot) = firsts.get_mut(at) {
            *slot = first.1;
        }
    }
    firsts
}
