//! Digests as sha256sum tells them, matched to the files that were asked for.
//!
//! *Invariant:* a line counts for the one file whose name stands behind it; names that sha256sum would write differently, or
//! in more than one line, are asked for alone.

use super::listing::Stat;
use crate::collect::failure::Failure;
use crate::protocol::Digest;

/// What came of one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hashed {
    pub(super) digest: Option<Digest>,
    /// What stat said after the digest.
    pub(super) after: Option<Stat>,
}

/// Whether a name can stand in a line with others.
pub(super) fn is_quiet(name: &[u8]) -> bool {
    !name.iter().any(|b| *b < b' ' || *b == b'\\' || *b == 0x7f)
}

/// One file that was asked for: its name, and its inode.
pub(super) struct Asked<'a> {
    pub(super) path: &'a [u8],
    pub(super) inode: (u64, u64),
}

/// Reads the answer to one block of names.
///
/// # Errors
/// An answer of another form.
pub(super) fn parse(payload: &[u8], asked: &[Asked<'_>]) -> Result<Vec<Hashed>, Failure> {
    let mut hashed = vec![Hashed::default(); asked.len()];
    let mut tokens: Vec<&[u8]> = payload.split(|b| *b == 0).collect();
    if tokens.pop() != Some(b"") || !tokens.len().is_multiple_of(2) {
        return Err(Failure::protocol("digests that end in the middle"));
    }
    let alone = asked.len() == 1;
    let (mut at, mut seen) = (0, 0);
    for pair in tokens.chunks(2) {
        let [digests, stats] = pair else { continue };
        for line in digests.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            if alone {
                // Whatever the name makes of the lines behind: the first one begins with the digest.
                if at == 0 {
                    hashed[0].digest = digest(line.strip_prefix(b"\\").unwrap_or(line)).map(|(digest, _)| digest);
                    at = 1;
                }
                continue;
            }
            let Some((digest, name)) = digest(line) else { return Err(Failure::protocol("a line without a digest")) };
            let Some(ahead) = asked[at..].iter().position(|file| file.path == name) else {
                return Err(Failure::protocol("the digest of a file that was not asked for"));
            };
            hashed[at + ahead].digest = Some(digest);
            at += ahead + 1;
        }
        for line in stats.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let Some(stat) = Stat::parse(line) else {
                return Err(Failure::protocol("words that stat does not say"));
            };
            // Another inode by now: nobody's, so that its file counts as changed.
            if let Some(ahead) = asked[seen..].iter().position(|file| file.inode == (stat.dev, stat.ino)) {
                hashed[seen + ahead].after = Some(stat);
                seen += ahead + 1;
            }
        }
    }
    Ok(hashed)
}

/// `HEX  NAME`.
fn digest(line: &[u8]) -> Option<(Digest, &[u8])> {
    let (digits, name) = line.split_at_checked(64)?;
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    name.strip_prefix(b"  ").map(|name| (digest, name))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
