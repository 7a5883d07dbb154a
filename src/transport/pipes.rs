//! The three pipes of a command, and the terms they are read under: shared by commands on this machine and by those that the
//! system's ssh runs on another.
//!
//! *Invariant:* never blocks but in `poll`, which ends at the deadline; what is held in memory is bounded, whatever comes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::{Phase, STDERR_KEPT, Traffic, TransportError};
use crate::sys::{self, Wish};

/// Until somebody calls `allow`.
const FIRST_BUDGET: u64 = 1 << 20;
/// How much output is taken in while input is stuck.
const AHEAD: usize = 1 << 20;

/// How much may come, and until when.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) traffic: Traffic,
    /// Absolute, in the counting of `traffic.received`.
    limit: u64,
    budget: u64,
    deadline: Instant,
}

impl Terms {
    /// 1 MiB until a deadline.
    pub(super) fn first(deadline: Instant) -> Self {
        Self { traffic: Traffic::default(), limit: FIRST_BUDGET, budget: FIRST_BUDGET, deadline }
    }

    /// So many bytes more, until another deadline.
    pub(super) fn allow(&mut self, budget: u64, deadline: Instant) {
        self.budget = budget;
        self.limit = self.traffic.received.saturating_add(budget);
        self.deadline = deadline;
    }

    /// Until when.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time that is left, which is never nothing.
    pub(super) fn left(&self) -> Result<Duration, TransportError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::Timeout { phase: Phase::Command, detail: "its deadline passed".to_owned() });
        }
        Ok(left)
    }

    fn receive(&mut self, count: usize) -> Result<(), TransportError> {
        self.traffic.received = self.traffic.received.saturating_add(count as u64);
        if self.traffic.received > self.limit {
            let received = self.traffic.received.saturating_sub(self.limit).saturating_add(self.budget);
            return Err(TransportError::Limit { phase: Phase::Command, received, budget: self.budget });
        }
        Ok(())
    }
}

/// Our ends of a command's standard input, output and error.
#[derive(Debug)]
pub(super) struct Pipes {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    /// Output that came while input was written.
    ahead: VecDeque<u8>,
    /// The beginning of standard error.
    kept: Vec<u8>,
}

impl Pipes {
    /// Takes the ends over and makes them non-blocking.
    pub(super) fn new(stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd) -> Result<Self, TransportError> {
        for pipe in [&stdin, &stdout, &stderr] {
            unblock(pipe.as_fd()).map_err(|error| here("preparing a pipe", &error))?;
        }
        let (stdin, stdout, stderr) = (Some(stdin.into()), Some(stdout.into()), Some(stderr.into()));
        Ok(Self { stdin, stdout, stderr, ahead: VecDeque::new(), kept: Vec::new() })
    }

    /// Ends the command's input.
    pub(super) fn close_write(&mut self) {
        self.stdin = None;
    }

    /// What is kept of standard error.
    pub(super) fn take_stderr(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// Empties standard error, so that the command never waits for us there.
    pub(super) fn drain_stderr(&mut self, terms: &mut Terms) -> Result<(), TransportError> {
        let mut buffer = [0; 4_096];
        while let Some(pipe) = &mut self.stderr {
            match take(pipe, &mut buffer)? {
                None => break,
                Some(0) => self.stderr = None,
                Some(count) => {
                    terms.receive(count)?;
                    let room = STDERR_KEPT.saturating_sub(self.kept.len());
                    self.kept.extend(buffer.iter().take(count.min(room)));
                }
            }
        }
        Ok(())
    }

    /// Waits until standard error or another descriptor can be read, at most so long, and drains standard error.
    pub(super) fn wait_for(
        &mut self,
        other: BorrowedFd<'_>,
        most: Duration,
        terms: &mut Terms,
    ) -> Result<(), TransportError> {
        let left = terms.left()?.min(most);
        let mut wishes = vec![Wish::new(other, true, false)];
        wishes.extend(self.stderr.as_ref().map(|pipe| Wish::new(pipe.as_fd(), true, false)));
        sys::poll(&mut wishes, left).map_err(|error| here("waiting for a pipe", &error))?;
        self.drain_stderr(terms)
    }

    /// Waits until a pipe can be used, draining standard error meanwhile.
    fn wait(&mut self, read: bool, write: bool, terms: &mut Terms) -> Result<(), TransportError> {
        let left = terms.left()?;
        let mut wishes = Vec::with_capacity(3);
        wishes.extend(self.stdout.as_ref().filter(|_| read).map(|pipe| Wish::new(pipe.as_fd(), true, false)));
        wishes.extend(self.stdin.as_ref().filter(|_| write).map(|pipe| Wish::new(pipe.as_fd(), false, true)));
        wishes.extend(self.stderr.as_ref().map(|pipe| Wish::new(pipe.as_fd(), true, false)));
        sys::poll(&mut wishes, left).map_err(|error| here("waiting for a pipe", &error))?;
        self.drain_stderr(terms)
    }

    /// Reads output; 0 at its end.
    pub(super) fn read(&mut self, buffer: &mut [u8], terms: &mut Terms) -> Result<usize, TransportError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if !self.ahead.is_empty() {
            return self.ahead.read(buffer).map_err(|error| here("reading from memory", &error));
        }
        loop {
            let Some(pipe) = &mut self.stdout else { return Ok(0) };
            if let Some(count) = take(pipe, buffer)? {
                terms.receive(count)?;
                return Ok(count);
            }
            self.wait(true, false, terms)?;
        }
    }

    /// Writes input, some of it at least.
    pub(super) fn write(&mut self, bytes: &[u8], terms: &mut Terms) -> Result<usize, TransportError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(pipe) = &mut self.stdin else {
                return Err(closed("its input was ended already"));
            };
            match pipe.write(bytes) {
                Ok(count) => {
                    terms.traffic.sent = terms.traffic.sent.saturating_add(count as u64);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.make_room(terms)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(closed("it reads no more input"));
                }
                Err(error) => return Err(here("writing to a pipe", &error)),
            }
        }
    }

    /// Takes output in while input is stuck: the command may wait for us to read before it reads on.
    fn make_room(&mut self, terms: &mut Terms) -> Result<(), TransportError> {
        let mut buffer = [0; 16 << 10];
        let reads = self.ahead.len() < AHEAD && self.stdout.is_some();
        if let (true, Some(pipe)) = (reads, &mut self.stdout) {
            match take(pipe, &mut buffer)? {
                Some(0) => self.stdout = None,
                Some(count) => {
                    terms.receive(count)?;
                    self.ahead.extend(buffer.iter().take(count));
                    return Ok(());
                }
                None => {}
            }
        }
        self.wait(reads && self.stdout.is_some(), true, terms)
    }

    /// Ends the input and throws the output away, to its end.
    pub(super) fn run_dry(&mut self, terms: &mut Terms) -> Result<(), TransportError> {
        self.close_write();
        self.ahead.clear();
        let mut sink = vec![0; 64 << 10];
        while self.read(&mut sink, terms)? > 0 {}
        Ok(())
    }
}

/// Makes calls on a descriptor return at once.
pub(super) fn unblock(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fcntl_getfl(descriptor).and_then(|flags| fcntl_setfl(descriptor, flags | OFlags::NONBLOCK))?)
}

/// Reads from a pipe that may have nothing: `None` where it would block.
pub(super) fn take(pipe: &mut File, buffer: &mut [u8]) -> Result<Option<usize>, TransportError> {
    loop {
        match pipe.read(buffer) {
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(here("reading from a pipe", &error)),
        }
    }
}

/// A failure of this machine.
pub(super) fn here(action: &'static str, error: &io::Error) -> TransportError {
    TransportError::Here { action, detail: error.to_string() }
}

fn closed(detail: &str) -> TransportError {
    TransportError::Closed { phase: Phase::Command, detail: detail.to_owned() }
}
