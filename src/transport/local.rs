//! This machine: commands run as children of this process, under the same terms as over SSH.
//!
//! *Invariant:* a child never outlives its exchange: its process group is killed at the deadline, at the budget, and when
//! it is given up.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::child::Group;
use super::pipes::{Pipes, Terms, here};
use super::{Connection, Exchange, Exit, Traffic, TransportError};

/// Until somebody calls `allow`.
const FIRST_TIME: Duration = Duration::from_secs(60);

/// Runs commands on this machine, through `/bin/sh -c`.
#[derive(Debug)]
pub struct LocalConnection {
    terms: Terms,
}

impl LocalConnection {
    /// Makes a connection that may receive 1 MiB within a minute, until [`Connection::allow`] says otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self { terms: Terms::first(Instant::now() + FIRST_TIME) }
    }
}

impl Default for LocalConnection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection for LocalConnection {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Exchange + '_>, TransportError> {
        let mut command_line = Command::new("/bin/sh");
        command_line.arg("-c").arg(command).process_group(0);
        command_line.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command_line.spawn().map_err(|error| here("starting /bin/sh", &error))?;
        let ends = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Group::new(child);
        let (Some(stdin), Some(stdout), Some(stderr)) = ends else {
            return Err(here("starting /bin/sh", &io::Error::other("it has no pipes")));
        };
        let pipes = Pipes::new(stdin.into(), stdout.into(), stderr.into())?;
        Ok(Box::new(LocalExchange { terms: &mut self.terms, child, pipes }))
    }

    fn host_key(&self) -> Option<&str> {
        None
    }

    fn key_used(&self) -> Option<&str> {
        None
    }

    fn traffic(&self) -> Traffic {
        self.terms.traffic
    }

    fn allow(&mut self, budget_bytes: u64, deadline: Instant) {
        self.terms.allow(budget_bytes, deadline);
    }
}

struct LocalExchange<'c> {
    terms: &'c mut Terms,
    child: Group,
    pipes: Pipes,
}

impl LocalExchange<'_> {
    fn run_out(&mut self) -> Result<Exit, TransportError> {
        self.pipes.run_dry(self.terms)?;
        // Both pipes are at their end, or held open by a grandchild that nobody asked for.
        let mut pause = Duration::from_micros(200);
        let status = loop {
            self.pipes.drain_stderr(self.terms)?;
            if let Some(status) = self.child.ended().map_err(|error| here("waiting for a child", &error))? {
                break status;
            }
            self.terms.left()?;
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        self.pipes.drain_stderr(self.terms)?;
        let signal = status.signal().map(signal_name);
        Ok(Exit { status: status.code(), signal, stderr: self.pipes.take_stderr() })
    }
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
        self.pipes.read(buffer, self.terms).map_err(TransportError::into_io)
    }
}

impl Write for LocalExchange<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipes.write(bytes, self.terms).map_err(TransportError::into_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Exchange for LocalExchange<'_> {
    fn close_write(&mut self) -> Result<(), TransportError> {
        self.pipes.close_write();
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Exit, TransportError> {
        self.run_out()
    }
}

#[cfg(test)]
mod tests;
