//! This machine: commands run as children of this process, under the same terms as over SSH.
//!
//! *Invariant:* a child never outlives its exchange: its process group is killed at the deadline, at the budget, and when
//! it is given up.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{Connection, Exchange, Exit, Phase, STDERR_KEPT, Traffic, TransportError};
use crate::sys::{self, Wish};

/// Until somebody calls `allow`.
const FIRST_BUDGET: u64 = 1 << 20;
const FIRST_TIME: Duration = Duration::from_secs(60);
/// How much output is taken in while input is stuck.
const AHEAD: usize = 1 << 20;

/// Runs commands on this machine, through `/bin/sh -c`.
#[derive(Debug)]
pub struct LocalConnection {
    traffic: Traffic,
    /// Absolute, in the counting of `traffic.received`.
    limit: u64,
    budget: u64,
    deadline: Instant,
}

impl LocalConnection {
    /// Makes a connection that may receive 1 MiB within a minute, until [`Connection::allow`] says otherwise.
    #[must_use]
    pub fn new() -> Self {
        let deadline = Instant::now() + FIRST_TIME;
        Self { traffic: Traffic::default(), limit: FIRST_BUDGET, budget: FIRST_BUDGET, deadline }
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

impl Default for LocalConnection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection for LocalConnection {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Exchange + '_>, TransportError> {
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| here("starting /bin/sh", &error))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let exchange = LocalExchange {
            connection: self,
            child,
            stdin,
            stdout,
            stderr,
            ahead: VecDeque::new(),
            kept: Vec::new(),
            ended: false,
        };
        for pipe in [
            exchange.stdin.as_ref().map(AsFd::as_fd),
            exchange.stdout.as_ref().map(AsFd::as_fd),
            exchange.stderr.as_ref().map(AsFd::as_fd),
        ]
        .into_iter()
        .flatten()
        {
            fcntl_getfl(pipe)
                .and_then(|flags| fcntl_setfl(pipe, flags | OFlags::NONBLOCK))
                .map_err(|error| here("preparing a pipe", &error.into()))?;
        }
        Ok(Box::new(exchange))
    }

    fn host_key(&self) -> Option<&str> {
        None
    }

    fn key_used(&self) -> Option<&str> {
        None
    }

    fn traffic(&self) -> Traffic {
        self.traffic
    }

    fn allow(&mut self, budget_bytes: u64, deadline: Instant) {
        self.budget = budget_bytes;
        self.limit = self.traffic.received.saturating_add(budget_bytes);
        self.deadline = deadline;
    }
}

fn here(action: &'static str, error: &io::Error) -> TransportError {
    TransportError::Here { action, detail: error.to_string() }
}

struct LocalExchange<'c> {
    connection: &'c mut LocalConnection,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// Output that came while input was written.
    ahead: VecDeque<u8>,
    /// The beginning of standard error.
    kept: Vec<u8>,
    /// The child was waited for.
    ended: bool,
}

impl LocalExchange<'_> {
    /// Reads from a pipe that may have nothing: `None` where it would block.
    fn take(pipe: &mut impl Read, buffer: &mut [u8]) -> Result<Option<usize>, TransportError> {
        loop {
            match pipe.read(buffer) {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(here("reading from a pipe", &error)),
            }
        }
    }

    /// Empties standard error, so that the child never waits for us there.
    fn drain_stderr(&mut self) -> Result<(), TransportError> {
        let mut buffer = [0; 4_096];
        while let Some(pipe) = &mut self.stderr {
            match Self::take(pipe, &mut buffer)? {
                None => break,
                Some(0) => self.stderr = None,
                Some(count) => {
                    self.connection.receive(count)?;
                    let room = STDERR_KEPT.saturating_sub(self.kept.len());
                    self.kept.extend(buffer.iter().take(count.min(room)));
                }
            }
        }
        Ok(())
    }

    /// Waits until a pipe can be used, draining standard error meanwhile.
    fn wait(&mut self, read: bool, write: bool) -> Result<(), TransportError> {
        let left = self.connection.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::Timeout { phase: Phase::Command, detail: "its deadline passed".to_owned() });
        }
        let mut wishes = Vec::with_capacity(3);
        wishes.extend(self.stdout.as_ref().filter(|_| read).map(|pipe| Wish::new(pipe.as_fd(), true, false)));
        wishes.extend(self.stdin.as_ref().filter(|_| write).map(|pipe| Wish::new(pipe.as_fd(), false, true)));
        wishes.extend(self.stderr.as_ref().map(|pipe| Wish::new(pipe.as_fd(), true, false)));
        sys::poll(&mut wishes, left).map_err(|error| here("waiting for a pipe", &error))?;
        self.drain_stderr()
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, TransportError> {
        if !self.ahead.is_empty() {
            return self.ahead.read(buffer).map_err(|error| here("reading from memory", &error));
        }
        loop {
            let Some(pipe) = &mut self.stdout else { return Ok(0) };
            if let Some(count) = Self::take(pipe, buffer)? {
                self.connection.receive(count)?;
                return Ok(count);
            }
            self.wait(true, false)?;
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<usize, TransportError> {
        loop {
            let Some(pipe) = &mut self.stdin else {
                return Err(closed("its input was ended already"));
            };
            match pipe.write(bytes) {
                Ok(count) => {
                    self.connection.traffic.sent = self.connection.traffic.sent.saturating_add(count as u64);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.make_room()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(closed("it reads no more input"));
                }
                Err(error) => return Err(here("writing to a pipe", &error)),
            }
        }
    }

    /// Takes output in while input is stuck: the child may wait for us to read before it reads on.
    fn make_room(&mut self) -> Result<(), TransportError> {
        let mut buffer = [0; 16 << 10];
        let reads = self.ahead.len() < AHEAD && self.stdout.is_some();
        if let (true, Some(pipe)) = (reads, &mut self.stdout) {
            match Self::take(pipe, &mut buffer)? {
                Some(0) => self.stdout = None,
                Some(count) => {
                    self.connection.receive(count)?;
                    self.ahead.extend(buffer.iter().take(count));
                    return Ok(());
                }
                None => {}
            }
        }
        self.wait(reads, true)
    }

    fn run_out(&mut self) -> Result<Exit, TransportError> {
        self.stdin = None;
        self.ahead.clear();
        let mut sink = vec![0; 64 << 10];
        while self.read_some(&mut sink)? > 0 {}
        // Both pipes are at their end, or held open by a grandchild that nobody asked for.
        let mut pause = Duration::from_micros(200);
        let status = loop {
            self.drain_stderr()?;
            if let Some(status) = self.child.try_wait().map_err(|error| here("waiting for a child", &error))? {
                break status;
            }
            if Instant::now() >= self.connection.deadline {
                return Err(TransportError::Timeout {
                    phase: Phase::Command,
                    detail: "its deadline passed".to_owned(),
                });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        self.drain_stderr()?;
        self.ended = true;
        let signal = status.signal().map(signal_name);
        Ok(Exit { status: status.code(), signal, stderr: std::mem::take(&mut self.kept) })
    }

    fn kill(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended already, and its group with it.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn closed(detail: &str) -> TransportError {
    TransportError::Closed { phase: Phase::Command, detail: detail.to_owned() }
}

/// The names of RFC 4254, section 6.10; others by number.
fn signal_name(signal: i32) -> String {
    match signal {
        libc::SIGABRT => "ABRT".to_owned(),
        libc::SIGALRM => "ALRM".to_owned(),
        libc::SIGFPE => "FPE".to_owned(),
        libc::SIGHUP => "HUP".to_owned(),
        libc::SIGILL => "ILL".to_owned(),
        libc::SIGINT => "INT".to_owned(),
        libc::SIGKILL => "KILL".to_owned(),
        libc::SIGPIPE => "PIPE".to_owned(),
        libc::SIGQUIT => "QUIT".to_owned(),
        libc::SIGSEGV => "SEGV".to_owned(),
        libc::SIGTERM => "TERM".to_owned(),
        other => other.to_string(),
    }
}

impl Read for LocalExchange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer).map_err(TransportError::into_io)
    }
}

impl Write for LocalExchange<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.write_some(bytes).map_err(TransportError::into_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Exchange for LocalExchange<'_> {
    fn close_write(&mut self) -> Result<(), TransportError> {
        self.stdin = None;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Exit, TransportError> {
        self.run_out()
    }
}

impl Drop for LocalExchange<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
            // A child that was killed ends at once: this leaves no zombie and does not wait.
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests;
