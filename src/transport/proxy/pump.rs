//! The pump: a thread that carries the bytes of one connection between a socket pair and a child process, counts them,
//! and owns the child.
//!
//! The session on the other end of the pair can be shut down at once, as a TCP connection can; a child can't.
//!
//! *Invariant:* what it holds is bounded, whatever either side sends; ends with its child reaped.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionbio;

use super::process::Process;
use crate::sys::{self, Wish};

/// Bytes that are moved at once.
const BUFFER: usize = 64 << 10;
/// How much of what the child gave is taken in while nobody reads it: more than the budget before the login, so that a flood
/// is seen as one by its count, however slowly libssh2 reads it (a banner is read byte by byte).
const AHEAD: usize = 1_280 << 10;
/// How much of the child's standard error is kept.
const WORDS_KEPT: usize = 4 << 10;
/// What a child gets to end by itself once its input ended, and again once it was asked.
const GRACE: Duration = Duration::from_millis(300);
/// A descriptor tells what is to do; this is for the end of the run.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// The same where a descriptor that hung up would tell without end.
const SHORT_WAIT: Duration = Duration::from_millis(5);
/// How long the end of a run waits for the pumps: they kill at once then.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct End {
    /// Its status; `None` where a signal ended it, ours included.
    pub(in crate::transport) status: Option<i32>,
    /// The first 4 KiB of its standard error, raw.
    pub(in crate::transport) words: Vec<u8>,
}

/// What went through, and how it ended.
#[derive(Debug, Default)]
pub(in crate::transport) struct Meter {
    sent: AtomicU64,
    received: AtomicU64,
    end: Mutex<Option<End>>,
    ended: Condvar,
}

impl Meter {
    /// Bytes that the child took.
    pub(in crate::transport) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes that the child gave.
    pub(in crate::transport) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How the child ended, waited for a while.
    pub(in crate::transport) fn end(&self, longest: Duration) -> Option<End> {
        let end = lock(&self.end);
        let waited = self.ended.wait_timeout_while(end, longest, |end| end.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

/// Our end of a connection through a child.
#[derive(Debug)]
pub(in crate::transport) struct Link {
    pub(in crate::transport) near: UnixStream,
    pub(in crate::transport) meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct Shared {
    running: Mutex<usize>,
    fewer: Condvar,
    /// No other is started.
    refusing: AtomicBool,
    /// Those that run end at once.
    closing: AtomicBool,
}

/// The pumps of a run.
#[derive(Debug, Default)]
pub(super) struct Pumps(Arc<Shared>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One pump's place in the count.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        *lock(&self.0.running) -= 1;
        self.0.fewer.notify_all();
    }
}

impl Pumps {
    /// Starts a child and its pump.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<Link> {
        let place = {
            let mut running = lock(&self.0.running);
            if self.0.refusing.load(Ordering::SeqCst) {
                return Err(io::Error::other("the run is ending"));
            }
            *running += 1;
            Place(Arc::clone(&self.0))
        };
        let (near, far) = UnixStream::pair()?;
        far.set_nonblocking(true)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::start(command)?;
        let (input, output) = (process.child.stdin.take(), process.child.stdout.take());
        let errors = process.child.stderr.take();
        for descriptor in [
            input.as_ref().map(|pipe| pipe.as_fd()),
            output.as_ref().map(|pipe| pipe.as_fd()),
            errors.as_ref().map(|pipe| pipe.as_fd()),
        ]
        .into_iter()
        .flatten()
        {
            ioctl_fionbio(descriptor, true)?;
        }
        let meter = Arc::new(Meter::default());
        let own = Arc::clone(&meter);
        let flow = Flow {
            far,
            input,
            output,
            errors,
            up: Buffer::default(),
            down: Buffer::default(),
            words: Vec::new(),
            meter: Arc::clone(&meter),
        };
        std::thread::Builder::new().name("pump".to_owned()).stack_size(256 << 10).spawn(move || {
            let closing = || place.0.closing.load(Ordering::SeqCst);
            let end = flow.run(process, &closing);
            *lock(&own.end) = Some(end);
            own.ended.notify_all();
            drop(place);
        })?;
        Ok(Link { near, meter })
    }

    /// Lets no other start, and waits until those that run have ended; their sockets are the caller's to shut down.
    pub(super) fn close(&self) {
        let running = lock(&self.0.running);
        self.0.refusing.store(true, Ordering::SeqCst);
        // A word of good-bye may be under way.
        let waited = self.0.fewer.wait_timeout_while(running, GRACE / 2, |running| *running > 0);
        let (running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        self.0.closing.store(true, Ordering::SeqCst);
        drop(self.0.fewer.wait_timeout_while(running, LAST_WAIT, |running| *running > 0));
    }
}

/// Bytes on their way.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    from: usize,
}

/// What a call on a descriptor that does not block came to.
enum Moved {
    Bytes(usize),
    Nothing,
    End,
}

impl Moved {
    fn of(result: io::Result<usize>) -> Self {
        match result {
            Ok(0) => Self::End,
            Ok(count) => Self::Bytes(count),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Self::Nothing
            }
            Err(_) => Self::End,
        }
    }
}

impl Buffer {
    fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.from)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in what is there.
    fn fill(&mut self, from: &mut impl Read) -> Moved {
        // What was passed on makes room, once it is at least as much as what has to be moved for it.
        if self.from >= self.len() {
            self.bytes.drain(..self.from);
            self.from = 0;
        }
        let held = self.bytes.len();
        self.bytes.resize(held + BUFFER, 0);
        let moved = Moved::of(from.read(self.bytes.get_mut(held..).unwrap_or_default()));
        self.bytes.truncate(held + if let Moved::Bytes(count) = moved { count } else { 0 });
        moved
    }

    /// Passes on what can be passed on.
    fn drain(&mut self, to: &mut impl Write) -> Moved {
        let moved = Moved::of(to.write(self.bytes.get(self.from..).unwrap_or_default()));
        if let Moved::Bytes(count) = moved {
            self.from += count;
        }
        if self.is_empty() && self.bytes.capacity() > 2 * BUFFER {
            *self = Self::default();
        }
        moved
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

struct Flow {
    far: UnixStream,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    /// To the child.
    up: Buffer,
    /// From the child.
    down: Buffer,
    words: Vec<u8>,
    meter: Arc<Meter>,
}

impl Flow {
    fn run(mut self, mut process: Process, closing: &dyn Fn() -> bool) -> End {
        self.carry(closing);
        // All that the child gave is in the pair: its reader comes to the end after it.
        let _ = self.far.shutdown(Shutdown::Write);
        self.input = None;
        if !process.wait(GRACE, || self.drop_output(closing)) {
            process.ask();
            process.wait(GRACE, || self.drop_output(closing));
        }
        let status = process.end().and_then(|status| status.code());
        self.keep_words();
        End { status, words: self.words }
    }

    /// Carries until one side has ended and what it sent was passed on.
    fn carry(&mut self, closing: &dyn Fn() -> bool) {
        let mut hung_up: Option<Instant> = None;
        let mut near_ended = false;
        while !closing() {
            let done_up = near_ended && (self.up.is_empty() || self.input.is_none());
            let done_down = self.output.is_none() && self.down.is_empty();
            let late = hung_up.is_some_and(|since| since.elapsed() > GRACE);
            if done_up || done_down || late {
                return;
            }
            let Ok(ready) = self.poll(hung_up.is_some()) else { return };
            let is_ready = |side| ready.contains(&side);
            if is_ready(Side::Errors) {
                self.keep_words();
            }
            // The pair hung up, while the child does not take what came before.
            if is_ready(Side::Far) && !self.up.is_empty() && self.down.is_empty() {
                hung_up.get_or_insert_with(Instant::now);
            }
            if is_ready(Side::Input)
                && let Some(input) = &mut self.input
            {
                match self.up.drain(input) {
                    Moved::Bytes(count) => {
                        self.meter.sent.fetch_add(count as u64, Ordering::Relaxed);
                    }
                    Moved::Nothing => {}
                    Moved::End => self.input = None,
                }
            }
            if self.input.is_none() {
                self.up.clear();
            }
            if is_ready(Side::Far) && self.up.is_empty() && !near_ended {
                near_ended = matches!(self.up.fill(&mut self.far), Moved::End);
            }
            if is_ready(Side::Far) && !self.down.is_empty() && matches!(self.down.drain(&mut self.far), Moved::End) {
                return;
            }
            if is_ready(Side::Output)
                && let Some(output) = &mut self.output
            {
                match self.down.fill(output) {
                    Moved::Bytes(count) => {
                        self.meter.received.fetch_add(count as u64, Ordering::Relaxed);
                    }
                    Moved::Nothing => {}
                    Moved::End => self.output = None,
                }
            }
        }
    }

    /// Waits until something can be moved.
    fn poll(&self, hung_up: bool) -> io::Result<Vec<Side>> {
        let far = self.far.as_fd();
        let mut wishes = Vec::with_capacity(4);
        let mut which = Vec::with_capacity(4);
        // Without a wish too, to learn that it hung up.
        if !hung_up || self.up.is_empty() || !self.down.is_empty() {
            wishes.push(Wish::new(far, self.up.is_empty(), !self.down.is_empty()));
            which.push(Side::Far);
        }
        if let Some(input) = self.input.as_ref().filter(|_| !self.up.is_empty()) {
            wishes.push(Wish::new(input.as_fd(), false, true));
            which.push(Side::Input);
        }
        if let Some(output) = self.output.as_ref().filter(|_| self.down.len() < AHEAD) {
            wishes.push(Wish::new(output.as_fd(), true, false));
            which.push(Side::Output);
        }
        if let Some(errors) = &self.errors {
            wishes.push(Wish::new(errors.as_fd(), true, false));
            which.push(Side::Errors);
        }
        sys::poll(&mut wishes, if hung_up { SHORT_WAIT } else { LONGEST_WAIT })?;
        Ok(wishes.iter().zip(which).filter(|(wish, _)| wish.ready).map(|(_, side)| side).collect())
    }

    /// Empties standard error and keeps its beginning.
    fn keep_words(&mut self) {
        let Some(errors) = &mut self.errors else { return };
        let mut buffer = [0; 4 << 10];
        // So many at once, then the others have their turn again.
        for _ in 0..16 {
            match Moved::of(errors.read(&mut buffer)) {
                Moved::Bytes(count) => {
                    let room = WORDS_KEPT.saturating_sub(self.words.len());
                    self.words.extend(buffer.iter().take(count.min(room)));
                }
                Moved::Nothing => return,
                Moved::End => {
                    self.errors = None;
                    return;
                }
            }
        }
    }

    /// Throws away what a child still says that is about to end, so that it does not wait for a reader.
    fn drop_output(&mut self, closing: &dyn Fn() -> bool) -> bool {
        self.keep_words();
        if let Some(output) = &mut self.output
            && matches!(self.down.fill(output), Moved::End)
        {
            self.output = None;
        }
        self.down.clear();
        !closing()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Far,
    Input,
    Output,
    Errors,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests;
