//! Lines of a log's tail, and words of a line.
//!
//! *Invariant:* linear in the text, and bounded: a log of more lines than [`MOST`] is read from its end.

/// The most lines of one log.
pub(super) const MOST: usize = 20_000;
/// A longer line is cut here.
const LONGEST: usize = 16 << 10;

/// The lines of a tail, the oldest first; of a tail that was cut, without the first, which is a part of one.
pub(super) fn lines(bytes: &[u8], cut: bool) -> impl Iterator<Item = &[u8]> {
    let bytes = match bytes.iter().position(|b| *b == b'\n').filter(|_| cut) {
        Some(at) => bytes.get(at + 1..).unwrap_or_default(),
        None => bytes,
    };
    let count = bytes.split(|b| *b == b'\n').count();
    let lines = bytes.split(|b| *b == b'\n').skip(count.saturating_sub(MOST));
    lines.map(|line| line.get(..LONGEST).unwrap_or(line)).filter(|line| !line.is_empty())
}

/// What is before and after the first occurrence.
pub(super) fn cut<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = text.windows(at.len().max(1)).position(|window| window == at)?;
    Some((text.get(..found)?, text.get(found + at.len()..)?))
}

/// Words between white space.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}
