//! Standard input and output as framed streams; every byte sent goes into the trailer's digest.
//!
//! *Invariant:* a frame is sent whole or the process ends; nothing is written but the hello, the preamble and frames.

use crate::protocol::bytes::Malformed;
use crate::protocol::reply::{self, FrameKind, Trailer};
use crate::protocol::request::{self, FollowUp, Request};
use crate::sys::{stdin, stdout};
use alloc::vec::Vec;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

/// Where answers go.
pub struct Output {
    buffer: Vec<u8>,
    digest: Sha256,
    frames: u64,
    bytes: u64,
}

impl Output {
    /// Says which probe this is; whoever asks waits for it. A program that can't read itself says a digest that fits none.
    pub fn hello() -> Self {
        let mut output = Self { buffer: Vec::with_capacity(64 * 1024), digest: Sha256::new(), frames: 0, bytes: 0 };
        let program = crate::place::own_program().unwrap_or_default();
        output.push(reply::HELLO);
        output.push(&crate::xattrs::hex(&Sha256::digest(&program)));
        output.push(b"\n");
        output.flush();
        output
    }

    /// Opens the reply to a request.
    pub fn open(&mut self, nonce: &[u8; 32]) {
        self.push(&reply::MAGIC);
        self.push(nonce);
    }

    /// Sends one frame; large ones must have been cut by the caller.
    pub fn frame(&mut self, kind: FrameKind, payload: &[u8]) {
        self.push(&[kind as u8]);
        self.push(&(payload.len() as u32).to_le_bytes());
        self.push(payload);
        self.frames += 1;
    }

    /// Sends the trailer and everything that waits.
    pub fn close(mut self) {
        let digest = self.digest.clone().finalize().into();
        let mut payload = Vec::new();
        Trailer { frames: self.frames, bytes: self.bytes, digest }.encode(&mut payload);
        self.frame(FrameKind::Trailer, &payload);
        self.flush();
    }

    /// Sends everything that waits.
    pub fn flush(&mut self) {
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            match rustix::io::write(stdout(), rest) {
                Ok(n) => rest = &rest[n..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait(stdout(), rustix::event::PollFlags::OUT),
                // Nobody listens any more.
                Err(_) => crate::sys::exit(74),
            }
        }
        self.buffer.clear();
    }

    fn push(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= 64 * 1024 {
            self.flush();
        }
    }
}

fn wait(fd: rustix::fd::BorrowedFd<'_>, flags: rustix::event::PollFlags) {
    let _ = rustix::event::poll(&mut [rustix::event::PollFd::from_borrowed_fd(fd, flags)], None);
}

/// Whether the other side of standard output has hung up.
pub fn hung_up() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok_and(|n| n > 0) && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

fn fill(into: &mut [u8]) -> bool {
    let mut at = 0;
    while at < into.len() {
        // A controller that is gone without a word must not leave a process behind for good.
        let patience = rustix::event::Timespec { tv_sec: 600, tv_nsec: 0 };
        let mut input = [rustix::event::PollFd::from_borrowed_fd(stdin(), rustix::event::PollFlags::IN)];
        if rustix::event::poll(&mut input, Some(&patience)) == Ok(0) {
            return false;
        }
        match rustix::io::read(stdin(), &mut into[at..]) {
            Ok(0) => return false,
            Ok(n) => at += n,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait(stdin(), rustix::event::PollFlags::IN),
            Err(_) => return false,
        }
    }
    true
}

fn body(len: [u8; 4]) -> Result<Vec<u8>, Malformed> {
    let len = u32::from_le_bytes(len) as usize;
    if len > request::MESSAGE_MAX {
        return Err(Malformed("length of a message"));
    }
    let mut bytes = alloc::vec![0; len];
    if fill(&mut bytes) { Ok(bytes) } else { Err(Malformed("end of input")) }
}

/// Reads the request.
pub fn request() -> Result<Request, Malformed> {
    let mut head = [0u8; 12];
    if !fill(&mut head) || head[..8] != request::MAGIC {
        return Err(Malformed("request"));
    }
    Request::decode(&body([head[8], head[9], head[10], head[11]])?)
}

/// Reads a follow-up; the end of input is a [`FollowUp::Bye`] that nobody waits for.
pub fn follow_up() -> Result<Option<FollowUp>, Malformed> {
    let mut head = [0u8; 5];
    if !fill(&mut head) {
        return Ok(None);
    }
    FollowUp::decode(head[0], &body([head[1], head[2], head[3], head[4]])?).map(Some)
}
