//! One running command over SSH.
//!
//! The session does not block while a command runs: a loop of our own waits for the socket, so that standard error is
//! drained, output is taken in while input is stuck, and a cut is seen at once.
//!
//! *Invariant:* what is held in memory is bounded, whatever the command prints; given up, it takes the connection with it.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::Duration;

use ssh2::{BlockDirections, Channel, Error, Session};

use super::fault;
use super::watchdog::Guard;
use crate::model::text::escape;
use crate::sys::{self, Wish};
use crate::transport::{Exchange, Exit, Phase, STDERR_KEPT, TransportError};

/// How much output is taken in while input is stuck.
const AHEAD: usize = 1 << 20;
/// The watchdog ends a wait; this is for the case that it is gone.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

pub(super) struct SshExchange<'c> {
    session: &'c Session,
    guard: &'c Guard,
    channel: Channel,
    /// Output that came while input was written.
    ahead: VecDeque<u8>,
    /// The beginning of standard error.
    kept: Vec<u8>,
    ended: bool,
}

impl<'c> SshExchange<'c> {
    pub(super) fn new(session: &'c Session, guard: &'c Guard, channel: Channel) -> Self {
        session.set_blocking(false);
        Self { session, guard, channel, ahead: VecDeque::new(), kept: Vec::new(), ended: false }
    }

    /// The error behind one that came through `io`, which loses libssh2's code.
    fn explain(&self, error: &io::Error) -> TransportError {
        match Error::last_session_error(self.session) {
            Some(last) => fault::explain(self.session, self.guard, Phase::Command, &last),
            None => TransportError::Closed { phase: Phase::Command, detail: error.to_string() },
        }
    }

    /// Empties standard error, so that the command never waits for us there.
    fn drain_stderr(&mut self) -> Result<(), TransportError> {
        let mut stream = self.channel.stderr();
        let mut buffer = [0; 4_096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.guard.delivered(count);
                    let room = STDERR_KEPT.saturating_sub(self.kept.len());
                    self.kept.extend(buffer.iter().take(count.min(room)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(self.explain(&error)),
            }
        }
    }

    /// Waits until the socket has something to do.
    fn wait(&self) -> Result<(), TransportError> {
        if let Some(breach) = self.guard.breach() {
            return Err(fault::breached(breach, Phase::Command));
        }
        let write = matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both);
        sys::poll(&mut [Wish::new(self.guard.socket(), true, write)], LONGEST_WAIT)
            .map_err(|error| TransportError::Here { action: "waiting for a socket", detail: error.to_string() })
    }

    /// Reads what is there: `None` where nothing is, 0 at the end.
    fn take(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, TransportError> {
        match self.channel.read(buffer) {
            Ok(count) if count > 0 => {
                self.guard.delivered(count);
                return Ok(Some(count));
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(self.explain(&error)),
            _ => {}
        }
        // Unread standard error hides the end from libssh2, and can fill the window.
        self.drain_stderr()?;
        Ok(self.channel.eof().then_some(0))
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, TransportError> {
        if !self.ahead.is_empty() {
            return self.ahead.read(buffer).map_err(|error| self.explain(&error));
        }
        loop {
            if let Some(count) = self.take(buffer)? {
                return Ok(count);
            }
            self.wait()?;
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<usize, TransportError> {
        loop {
            match self.channel.write(bytes) {
                Ok(count) if count > 0 => return Ok(count),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(self.explain(&error)),
                _ => {}
            }
            // The host may wait for us to read before it reads on.
            if self.ahead.len() < AHEAD {
                let mut buffer = [0; 16 << 10];
                match self.take(&mut buffer)? {
                    Some(0) => {
                        let detail = "it ended before it had read its input".to_owned();
                        return Err(TransportError::Closed { phase: Phase::Command, detail });
                    }
                    Some(count) => {
                        self.ahead.extend(buffer.iter().take(count));
                        continue;
                    }
                    None => {}
                }
            }
            self.wait()?;
        }
    }

    /// Repeats a call of libssh2 until it does not block.
    fn until_done(&mut self, call: impl Fn(&mut Channel) -> Result<(), Error>) -> Result<(), TransportError> {
        loop {
            match call(&mut self.channel) {
                Ok(()) => return Ok(()),
                Err(error) if io::Error::from(Error::from_errno(error.code())).kind() == io::ErrorKind::WouldBlock => {
                    self.wait()?;
                }
                Err(error) => return Err(fault::explain(self.session, self.guard, Phase::Command, &error)),
            }
        }
    }

    fn run_out(&mut self) -> Result<Exit, TransportError> {
        self.end_input()?;
        self.ahead.clear();
        let mut sink = vec![0; 64 << 10];
        while self.read_some(&mut sink)? > 0 {}
        // The status comes between the end of the output and the close, which is the server's to send.
        self.until_done(Channel::wait_close)?;
        self.until_done(Channel::close)?;
        self.ended = true;
        let signal = self.channel.exit_signal().ok().and_then(|exit| exit.exit_signal);
        let status = self.channel.exit_status().ok().filter(|_| signal.is_none());
        let signal = signal.map(|name| escape(name.chars().take(32).collect::<String>().as_bytes()));
        Ok(Exit { status, signal, stderr: std::mem::take(&mut self.kept) })
    }

    fn end_input(&mut self) -> Result<(), TransportError> {
        self.until_done(Channel::send_eof)
    }
}

impl Read for SshExchange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer).map_err(TransportError::into_io)
    }
}

impl Write for SshExchange<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.write_some(bytes).map_err(TransportError::into_io)
    }

    /// Nothing is held back here; `flush` of libssh2 throws received data away.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Exchange for SshExchange<'_> {
    fn close_write(&mut self) -> Result<(), TransportError> {
        self.end_input()
    }

    fn finish(mut self: Box<Self>) -> Result<Exit, TransportError> {
        self.run_out()
    }
}

impl Drop for SshExchange<'_> {
    fn drop(&mut self) {
        if self.ended {
            self.session.set_blocking(true);
            return;
        }
        // Freeing the channel would wait for the host to close it.
        self.guard.give_up();
        // And without end, where a packet stands half-sent: with the socket gone, the call that began it finishes it.
        sys::unplug(self.session);
        let _ = self.channel.read(&mut [0]);
        let _ = self.channel.write(&[0]);
    }
}
