//! What find wrote to its standard error: which folders it could not enter, and how it ended.
//!
//! *Invariant:* a word that is not understood is a loss of everything, never of nothing.

/// What find and xargs said of one listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    /// Paths that it may not look into.
    pub(super) denied: Vec<Vec<u8>>,
    /// Paths that went away while it looked.
    pub(super) gone: Vec<Vec<u8>>,
    /// Other words, or an end that is not told.
    pub(super) other: Option<Vec<u8>>,
}

impl Said {
    /// Reads the words. `nonce` marks the lines that the text itself adds.
    pub(super) fn parse(text: &[u8], nonce: &str) -> Self {
        let mut said = Self::default();
        let (mut find, mut xargs) = (None, None);
        for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            if let Some(end) = line.strip_prefix(nonce.as_bytes()) {
                match end.strip_prefix(b" find ") {
                    Some(status) => find = Some(status),
                    None => xargs = end.strip_prefix(b" xargs ").or(xargs),
                }
                continue;
            }
            let told = DENIED.iter().find_map(|why| path(line, why)).map(|path| (true, path));
            match told.or_else(|| path(line, b": No such file or directory").map(|path| (false, path))) {
                Some((true, path)) => said.denied.push(path),
                Some((false, path)) => said.gone.push(path),
                None => said.other = said.other.or_else(|| Some(line[..line.len().min(200)].to_vec())),
            }
        }
        let explained = !said.denied.is_empty() || !said.gone.is_empty();
        let end = match (find, xargs) {
            (Some(b"0"), Some(b"0" | b"123")) => None,
            (Some(b"1"), Some(b"0" | b"123")) if explained => None,
            (Some(_), Some(_)) => Some(&b"find or xargs did not end well"[..]),
            _ => Some(&b"more errors than are kept"[..]),
        };
        said.other = said.other.or_else(|| end.map(<[u8]>::to_vec));
        said
    }
}

const DENIED: [&[u8]; 2] = [b": Permission denied", b": Operation not permitted"];

/// The path of `find: PATH: WHY`, quoted as GNU's does in the C locale or bare as busybox's does.
fn path(line: &[u8], why: &[u8]) -> Option<Vec<u8>> {
    let told = line.strip_prefix(b"find: ")?.strip_suffix(why)?;
    let path = match told.strip_prefix(b"'") {
        Some(quoted) => unquote(quoted.strip_suffix(b"'")?)?,
        None => told.to_vec(),
    };
    super::listing::is_plain(&path).then_some(path)
}

/// Undoes the C escapes of GNU's quoting.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            quoted @ (b'\\' | b'\'' | b'"') => quoted,
            high @ b'0'..=b'3' => {
                let mut digit = || bytes.next().filter(|b| (b'0'..=b'7').contains(b)).map(|b| b - b'0');
                (high - b'0') << 6 | digit()? << 3 | digit()?
            }
            _ => return None,
        });
    }
    Some(out)
}
