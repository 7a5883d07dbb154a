//! What a host says first: that it is ready to take a probe, or which probe it has; then the reply begins.
//!
//! The host speaks first in every way of collecting. What it says comes with the answer to the exec request, so that
//! waiting for it costs no round trip; and nothing is uploaded to a host that has no place for it, that has a probe, or
//! whose key is bound to a command.
//!
//! *Invariant:* noise between the words is skipped to a bound that is the same however the bytes are cut; a hello is a claim
//! of the host and proves nothing.

use super::bootstrap::{READY, READY_PACKED};
use super::failure::Failure;
use super::frames::{Frames, broken};
use crate::protocol::reply::MAGIC;
use crate::protocol::request::VERSION;
use std::io::Read;
use std::ops::Range;

/// The most bytes of login banners and chatty profiles before the reply.
const NOISE_MAX: usize = 64 * 1024;
/// More than any hello takes: a name, the digits of a protocol, a digest.
const HELLO_MAX: usize = 128;
/// The part of [`crate::protocol::reply::HELLO`] that all releases share.
const NAME: &[u8] = b"driftscan-probe ";

/// What a probe says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The version of the language that it speaks.
    pub protocol: u16,
    /// SHA-256 of its program, hexadecimal, as it says itself.
    pub digest: String,
    line: Vec<u8>,
}

impl Hello {
    /// Whether this program can talk to it.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.protocol == VERSION
    }

    /// The first hello in these bytes and where it stands.
    fn find(bytes: &[u8]) -> Option<(Range<usize>, Self)> {
        let starts = bytes.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
        starts.map(|(at, _)| at).find_map(|at| {
            let rest = &bytes[at..];
            let end = rest.iter().take(HELLO_MAX).position(|b| *b == b'\n')?;
            let words = std::str::from_utf8(&rest[NAME.len()..end]).ok()?;
            let (protocol, digest) = words.split_once(" sha256:")?;
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            let plain = protocol.bytes().all(|b| b.is_ascii_digit()) && digest.len() == 64 && digest.bytes().all(hex);
            let protocol = protocol.parse().ok().filter(|_| plain)?;
            Some((at..at + end + 1, Self { protocol, digest: digest.to_owned(), line: rest[..=end].to_vec() }))
        })
    }
}

/// How a bootstrap takes the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As it is.
    Plain,
    /// Packed by gzip.
    Gzip,
}

/// The first word of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// The bootstrap has a place for a probe and waits for it.
    Ready(Packing),
    /// A probe runs already.
    Hello(Hello),
}

impl Word {
    fn find(bytes: &[u8]) -> Option<(Range<usize>, Self)> {
        let word = |word: &[u8], packing| {
            let at = bytes.windows(word.len()).position(|window| window == word)?;
            Some((at..at + word.len(), packing))
        };
        let plain = word(READY, Packing::Plain);
        let ready = plain.into_iter().chain(word(READY_PACKED, Packing::Gzip)).min_by_key(|(at, _)| at.start);
        let hello = Hello::find(bytes);
        match (ready, hello) {
            (Some((ready, _)), Some((at, hello))) if at.start < ready.start => Some((at, Self::Hello(hello))),
            (Some((ready, packing)), _) => Some((ready, Self::Ready(packing))),
            (None, hello) => hello.map(|(at, hello)| (at, Self::Hello(hello))),
        }
    }
}

/// What stood where a word or a reply should be.
#[derive(Debug)]
pub(super) enum NoReply {
    /// The output ended; these bytes came.
    Ended(Vec<u8>),
    /// The connection failed, or the noise did not end.
    Failed(Failure),
}

/// A host's output until its reply begins.
#[derive(Debug, Default)]
pub(super) struct Opening {
    seen: Vec<u8>,
    /// Up to here it is understood.
    at: usize,
    noise: usize,
}

impl Opening {
    /// Waits for the first word.
    pub(super) fn word(&mut self, from: &mut dyn Read) -> Result<Word, NoReply> {
        self.find(from, HELLO_MAX, Word::find)
    }

    /// Waits for the hello of the probe that was sent. Its digest is not looked at: its file has the rest of the bootstrap's
    /// own trial behind it.
    pub(super) fn hello(&mut self, from: &mut dyn Read) -> Result<Hello, NoReply> {
        self.find(from, HELLO_MAX, Hello::find)
    }

    /// Waits for the reply to this nonce by the probe whose hello was read.
    pub(super) fn reply(mut self, from: &mut dyn Read, hello: &Hello, nonce: &[u8; 32]) -> Result<Frames, NoReply> {
        let preamble = [&MAGIC[..], nonce].concat();
        let place = |bytes: &[u8]| {
            let found = bytes.windows(preamble.len()).position(|window| window == preamble);
            found.map(|at| (at..at + preamble.len(), ()))
        };
        self.find(from, preamble.len(), place)?;
        Ok(Frames::after(&[&hello.line[..], &preamble].concat(), self.seen.split_off(self.at)))
    }

    /// Reads until something is found; what may still be the beginning of something so long is no noise yet.
    fn find<T>(
        &mut self,
        from: &mut dyn Read,
        longest: usize,
        place: impl Fn(&[u8]) -> Option<(Range<usize>, T)>,
    ) -> Result<T, NoReply> {
        let mut searched = self.at;
        let mut buffer = [0u8; 4096];
        loop {
            let found = place(&self.seen[searched..]);
            let undecided = (self.seen.len() + 1).saturating_sub(longest).max(self.at);
            let noise = self.noise + found.as_ref().map_or(undecided, |(at, _)| searched + at.start) - self.at;
            if noise > NOISE_MAX {
                return Err(NoReply::Failed(Failure::protocol("more than 64 KiB before the reply")));
            }
            if let Some((at, thing)) = found {
                self.noise = noise;
                self.at = searched + at.end;
                return Ok(thing);
            }
            searched = self.seen.len().saturating_sub(longest).max(self.at);
            let n = from.read(&mut buffer).map_err(|error| NoReply::Failed(broken(error)))?;
            if n == 0 {
                return Err(NoReply::Ended(std::mem::take(&mut self.seen)));
            }
            self.seen.extend_from_slice(&buffer[..n]);
        }
    }
}

/// Whether noise holds the beginning of a reply to somebody else's nonce: an old answer, played again.
pub(super) fn answers_another(noise: &[u8]) -> bool {
    let nonce = 32;
    noise.windows(MAGIC.len() + nonce).any(|window| window.starts_with(&MAGIC))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::protocol::reply::HELLO;

    fn of(digest: &str) -> Hello {
        let line = [HELLO, digest.as_bytes(), b"\n"].concat();
        Hello { protocol: VERSION, digest: digest.to_owned(), line }
    }

    const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn the_hello_of_this_release_says_its_protocol() {
        let text = std::str::from_utf8(HELLO).unwrap();
        assert_eq!(text, format!("driftscan-probe {VERSION} sha256:"));
        assert!(of(DIGEST).line.len() + 20 < HELLO_MAX);
    }

    #[test]
    fn the_first_word_counts() {
        let hello = of(DIGEST);
        let line = String::from_utf8(hello.line.clone()).unwrap();
        let ready = std::str::from_utf8(READY).unwrap();
        let packed = std::str::from_utf8(READY_PACKED).unwrap();
        let newer = format!("driftscan-probe 517 sha256:{DIGEST}\n");
        for (said, word) in [
            (line.clone(), Some(Word::Hello(hello.clone()))),
            (format!("welcome{ready}{line}"), Some(Word::Ready(Packing::Plain))),
            (format!("welcome{packed}{ready}"), Some(Word::Ready(Packing::Gzip))),
            (format!("{ready}{packed}"), Some(Word::Ready(Packing::Plain))),
            (packed.trim_end().to_owned(), None),
            (format!("welcome{line}{ready}"), Some(Word::Hello(hello.clone()))),
            (format!("driftscan-probe is installed here\ndriftscan-{line}"), Some(Word::Hello(hello))),
            ("driftscan-probe is installed here\n".to_owned(), None),
            (line.trim_end().to_owned(), None),
            (line.replace("sha256:00", "sha256:0Z"), None),
            (line.replace(" 1 ", " +1 "), None),
            (line.replace(" 1 ", " 65536 "), None),
        ] {
            for chunk in [1, 3, 200] {
                let mut bytes = said.as_bytes();
                let mut from = Chunks(&mut bytes, chunk);
                match (Opening::default().word(&mut from), &word) {
                    (Ok(found), Some(word)) => assert_eq!(found, *word, "{said}"),
                    (Err(NoReply::Ended(all)), None) => assert_eq!(all, said.as_bytes()),
                    (other, _) => panic!("{said}: {other:?}"),
                }
            }
        }
        let (_, found) = Hello::find(newer.as_bytes()).unwrap();
        assert!(found.protocol == 517 && !found.is_understood());
    }

    struct Chunks<'a, 'b>(&'a mut &'b [u8], usize);

    impl Read for Chunks<'_, '_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.read(&mut into[..most])
        }
    }
}
