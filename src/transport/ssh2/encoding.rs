//! SSH's own encoding (RFC 4251, section 5): lengths, strings and numbers of keys, certificates and agents.
//!
//! *Invariant:* pure; reading past the end is `None`, never a panic, and nothing is allocated by a length that was read.

/// Reads one value after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_be_bytes(*bytes))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (string, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(string)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Adds a string. One of 4 GiB or more can't be said, and is cut; nothing here comes near.
pub(super) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend(string.iter().take(usize::try_from(length).unwrap_or(usize::MAX)));
}

/// Adds a number that is not negative, as an `mpint`.
pub(super) fn put_number(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    put_string(out, &[sign, digits].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_come_back() {
        let mut out = Vec::new();
        put_string(&mut out, b"abc");
        // The examples of RFC 4251, section 5.
        put_number(&mut out, &[0, 0x80]);
        put_number(&mut out, &[]);
        assert_eq!(out, b"\0\0\0\x03abc\0\0\0\x02\0\x80\0\0\0\0");
        let mut reader = Reader::new(&out);
        assert_eq!(
            (reader.text(), reader.string(), reader.string()),
            (Some("abc"), Some(&b"\0\x80"[..]), Some(&b""[..]))
        );
        assert!(reader.is_empty() && reader.byte().is_none());
    }

    #[test]
    fn a_length_beyond_the_end_is_nothing() {
        assert_eq!(Reader::new(&[0xff; 8]).string(), None);
        assert_eq!(Reader::new(&[0, 0, 0]).u32(), None);
        assert_eq!(Reader::new(&[0; 7]).u64(), None);
    }
}
