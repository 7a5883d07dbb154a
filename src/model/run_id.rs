//! The name of a run: when it started and four random hexadecimal digits.
//!
//! *Invariant:* sorts by time as text, and is safe as a folder's name.

use std::fmt;

/// `20261121T023004Z-7c1f`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Builds an id from a time in the form `20261121T023004Z` and two random bytes.
    #[must_use]
    pub fn new(compact_utc: &str, random: [u8; 2]) -> Self {
        Self(format!("{compact_utc}-{:02x}{:02x}", random[0], random[1]))
    }

    /// Accepts the text of an id and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, random) = text.split_once('-')?;
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let shaped = time.len() == 16
            && time.as_bytes()[8] == b'T'
            && time.ends_with('Z')
            && digits(&time[..8])
            && digits(&time[9..15])
            && random.len() == 4
            && random.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        shaped.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
