//! The conversation with the shell text: verbs out, frames in.
//!
//! *Invariant:* a frame ends where the nonce of this scan and its own number stand, which no file on the host can know
//! beforehand; an answer that ends before is no answer.

use super::script::{END, LACKS, OPENING, command};
use crate::collect::failure::Failure;
use crate::collect::frames::broken;
use crate::model::Reason;
use crate::model::text::{escape, hex};
use crate::transport::{Connection, Exchange};

/// The most bytes of login banners and chatty profiles before the answer.
const NOISE_MAX: usize = 64 * 1024;
/// The most bytes of one frame; the connection's own budget is mostly below.
const FRAME_MAX: usize = 256 << 20;
/// The most bytes of names in one request: a block that `dd` reads whole.
pub(super) const BLOCK_MAX: usize = 256 << 10;

/// A conversation under way.
pub(super) struct Stream<'a> {
    /// `None` once it ended.
    exchange: Option<Box<dyn Exchange + 'a>>,
    nonce: String,
    ahead: Vec<u8>,
    frames: u32,
    sudo: bool,
}

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) payload: Vec<u8>,
    /// Of the program that made it.
    pub(super) status: u32,
}

impl<'a> Stream<'a> {
    /// Starts the text, gives it its terms and finds the beginning of its answer.
    pub(super) fn open(
        connection: &'a mut dyn Connection,
        sudo: bool,
        nonce: &[u8; 32],
        depth: u32,
        prefix: &[u8],
    ) -> Result<Self, Failure> {
        let exchange = connection.exec(&command(sudo)).map_err(|error| Failure::of_transport(&error))?;
        let mut stream = Self { exchange: Some(exchange), nonce: hex(nonce), ahead: Vec::new(), frames: 0, sudo };
        // The third word is what printf writes as a NUL: the texts can't hold a backslash.
        let terms = [format!("{}\n\\000\n{depth}\n", stream.nonce).as_bytes(), prefix, b"\n"].concat();
        // A host that can't run the text stops listening: what it says is read below.
        let _ = stream.send(&terms);
        let opening = format!("{OPENING}{}\n", stream.nonce);
        match stream.until(opening.as_bytes(), NOISE_MAX)? {
            Some(_) => Ok(stream),
            None => Err(stream.ended()),
        }
    }

    /// Sends bytes that the text reads.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let exchange = self.exchange.as_mut().ok_or_else(over)?;
        exchange.write_all(bytes).and_then(|()| exchange.flush()).map_err(broken)
    }

    /// Sends a verb and its argument.
    pub(super) fn verb(&mut self, verb: char, argument: &str) -> Result<(), Failure> {
        self.send(format!("{verb} {argument}\n").as_bytes())
    }

    /// Sends a verb and a block of paths, a NUL after each.
    pub(super) fn block(&mut self, verb: char, block: &[u8]) -> Result<(), Failure> {
        self.send(&[format!("{verb} {}\n", block.len()).as_bytes(), block].concat())
    }

    /// The answer to what was sent last.
    pub(super) fn frame(&mut self) -> Result<Frame, Failure> {
        self.frames += 1;
        let end = format!("{END}{} {} ", self.nonce, self.frames);
        let Some(payload) = self.until(end.as_bytes(), FRAME_MAX)? else { return Err(self.ended()) };
        let Some(status) = self.until(b"\n", 16)? else { return Err(self.ended()) };
        let status = std::str::from_utf8(&status).ok().and_then(|text| text.parse().ok());
        Ok(Frame { payload, status: status.ok_or_else(|| Failure::protocol("a frame without its status"))? })
    }

    /// Splits a payload where the words of this scan stand.
    pub(super) fn split(&self, payload: &[u8], word: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let mark = format!("{word}{}\n", self.nonce);
        let at = find(payload, mark.as_bytes(), 0)?;
        Some((payload[..at].to_vec(), payload[at + mark.len()..].to_vec()))
    }

    /// The nonce as it stands in the answer.
    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Ends the conversation and sees that it ended well.
    pub(super) fn bye(mut self) -> Result<(), Failure> {
        self.verb('q', "")?;
        let mut exchange = self.exchange.take().ok_or_else(over)?;
        exchange.close_write().map_err(|error| Failure::of_transport(&error))?;
        let more = exchange.read(&mut [0u8; 1]).map_err(broken)?;
        if more > 0 || !self.ahead.is_empty() {
            return Err(Failure::protocol("bytes after the last frame"));
        }
        let exit = exchange.finish().map_err(|error| Failure::of_transport(&error))?;
        if exit.status == Some(0) && exit.signal.is_none() { Ok(()) } else { Err(Failure::of_bad_end(&exit)) }
    }

    /// Reads up to a mark and takes it away; `None` where the output ended before.
    fn until(&mut self, mark: &[u8], most: usize) -> Result<Option<Vec<u8>>, Failure> {
        let mut searched = 0;
        let mut buffer = vec![0u8; 64 << 10];
        loop {
            let found = find(&self.ahead, mark, searched);
            // What may still be the beginning of the mark does not count yet; how much came in one read must not matter.
            if found.unwrap_or((self.ahead.len() + 1).saturating_sub(mark.len())) > most {
                return Err(Failure::protocol("more bytes than this part of an answer may have"));
            }
            if let Some(at) = found {
                let rest = self.ahead.split_off(at + mark.len());
                let mut head = std::mem::replace(&mut self.ahead, rest);
                head.truncate(at);
                return Ok(Some(head));
            }
            searched = self.ahead.len().saturating_sub(mark.len());
            match self.exchange.as_mut().ok_or_else(over)?.read(&mut buffer).map_err(broken)? {
                0 => return Ok(None),
                n => self.ahead.extend_from_slice(&buffer[..n]),
            }
        }
    }

    /// Why the answer ended early. The exchange is used up afterwards.
    fn ended(&mut self) -> Failure {
        let exit = match self.exchange.take().map(Exchange::finish) {
            Some(Ok(exit)) => exit,
            Some(Err(error)) => return Failure::of_transport(&error),
            None => return over(),
        };
        let lacks = format!("driftscan-sh-lacks {} ", self.nonce);
        if exit.status == Some(LACKS)
            && let Some(at) = find(&self.ahead, lacks.as_bytes(), 0)
        {
            let name = self.ahead[at + lacks.len()..].split(|b| *b == b'\n').next().unwrap_or_default();
            let text = format!("the host lacks the program {}, which the sh way needs", escape(name));
            return Failure {
                remedy: Some("install it, or let the probe run there: probe=installed".to_owned()),
                ..Failure::new(Reason::ProbeUnavailable, text)
            };
        }
        Failure::of_exit(&exit, self.sudo, &self.ahead)
    }
}

/// Somebody went on after the end.
fn over() -> Failure {
    Failure::new(Reason::Truncated, "the answer ended early")
}

/// Where a mark stands, from a place on.
fn find(bytes: &[u8], mark: &[u8], from: usize) -> Option<usize> {
    let (first, rest) = mark.split_first()?;
    let mut at = from;
    while let Some(next) = bytes.get(at..)?.iter().position(|b| b == first) {
        if bytes[at + next + 1..].starts_with(rest) {
            return Some(at + next);
        }
        at += next + 1;
    }
    None
}
