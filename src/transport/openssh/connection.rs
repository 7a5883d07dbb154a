//! A connection that ssh holds for us, and the commands on it.
//!
//! *Invariant:* what is read was the command's own output: ssh's words and proxies' have pipes of their own. Given up, it takes
//! ssh with it.

use std::io::{self, Read, Write};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::client::Client;
use super::control::{Control, Word};
use crate::transport::pipes::{Pipes, Terms, here};
use crate::transport::{Connection, Exchange, Exit, Phase, Traffic, TransportError};

/// How long an ssh that closed its control connection is given to end itself.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A host that ssh reached, trusted and logged in to.
#[derive(Debug)]
pub struct OpenSshConnection {
    client: Client,
    /// For the first command; each further one gets its own.
    control: Option<Control>,
    socket: PathBuf,
    host_key: Option<String>,
    key_used: Option<String>,
    terms: Terms,
    given_up: bool,
}

impl OpenSshConnection {
    pub(super) fn new(
        client: Client,
        control: Control,
        socket: PathBuf,
        host_key: Option<String>,
        key_used: Option<String>,
        deadline: Instant,
    ) -> Self {
        let (control, terms) = (Some(control), Terms::first(deadline));
        Self { client, control, socket, host_key, key_used, terms, given_up: false }
    }

    /// Ends ssh.
    fn give_up(&mut self) {
        self.given_up = true;
        self.client.kill();
    }

    /// The connection is gone: how ssh says so.
    fn gone(&mut self) -> TransportError {
        let _ = self.client.take_in();
        let told =
            self.client.log.words.iter().rev().find(|line| line.contains("onnection") || line.contains("Timeout"));
        let detail = match told {
            Some(line) => line.chars().take(200).collect(),
            None => "ssh ended".to_owned(),
        };
        TransportError::Closed { phase: Phase::Command, detail }
    }

    fn failed(&mut self, error: &io::Error) -> TransportError {
        match error.kind() {
            io::ErrorKind::TimedOut => {
                TransportError::Timeout { phase: Phase::Command, detail: "its deadline passed".to_owned() }
            }
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => self.gone(),
            _ => here("speaking with ssh", error),
        }
    }

    /// Starts a command: its number, its control connection and our ends of its pipes.
    fn start(&mut self, command: &str) -> Result<(u32, Control, Pipes), TransportError> {
        const PIPES: &str = "making pipes";
        self.terms.left()?;
        let deadline = self.terms.deadline();
        let control = match self.control.take() {
            Some(control) => Some(control),
            None => Control::open(&self.socket, deadline).map_err(|error| self.failed(&error))?,
        };
        let Some(mut control) = control else { return Err(self.gone()) };
        let (input, stdin) = io::pipe().map_err(|error| here(PIPES, &error))?;
        let (stdout, output) = io::pipe().map_err(|error| here(PIPES, &error))?;
        let (stderr, errors) = io::pipe().map_err(|error| here(PIPES, &error))?;
        let ends = [input.as_fd(), output.as_fd(), errors.as_fd()];
        control.start(command, ends, deadline).map_err(|error| self.failed(&error))?;
        let pipes = Pipes::new(stdin.into(), stdout.into(), stderr.into())?;
        loop {
            match control.word(deadline).map_err(|error| self.failed(&error))? {
                Word::Opened(session) => return Ok((session, control, pipes)),
                Word::Refused(detail) => {
                    return Err(TransportError::ExecRefused { detail: format!("ssh says: {detail}") });
                }
                Word::Exit { .. } | Word::Other => {}
                Word::End => return Err(self.gone()),
            }
        }
    }
}

impl Connection for OpenSshConnection {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Exchange + '_>, TransportError> {
        if self.given_up {
            let detail = "it was given up on this side".to_owned();
            return Err(TransportError::Closed { phase: Phase::Command, detail });
        }
        let (session, control, pipes) = self.start(command)?;
        Ok(Box::new(OpenSshExchange { connection: self, session, control, pipes, ended: false }))
    }

    fn host_key(&self) -> Option<&str> {
        self.host_key.as_deref()
    }

    fn key_used(&self) -> Option<&str> {
        self.key_used.as_deref()
    }

    fn traffic(&self) -> Traffic {
        self.terms.traffic
    }

    fn allow(&mut self, budget_bytes: u64, deadline: Instant) {
        self.terms.allow(budget_bytes, deadline);
    }
}

impl Drop for OpenSshConnection {
    fn drop(&mut self) {
        self.client.kill();
        let _ = std::fs::remove_file(&self.socket);
    }
}

struct OpenSshExchange<'c> {
    connection: &'c mut OpenSshConnection,
    session: u32,
    control: Control,
    pipes: Pipes,
    ended: bool,
}

impl OpenSshExchange<'_> {
    fn run_out(&mut self) -> Result<Exit, TransportError> {
        let before = self.connection.terms.traffic.received;
        self.pipes.run_dry(&mut self.connection.terms)?;
        let mut status = None;
        // ssh closes the control connection when the server has closed the channel and all of its output is delivered.
        loop {
            match self.control.word_now().map_err(|error| self.connection.failed(&error))? {
                Some(Word::Exit { session, status: told }) if session == self.session => status = Some(told),
                Some(Word::End) => break,
                Some(_) => {}
                None => {
                    self.pipes.wait_for(self.control.as_fd(), Duration::from_secs(1), &mut self.connection.terms)?;
                }
            }
        }
        self.pipes.drain_stderr(&mut self.connection.terms)?;
        let stderr = self.pipes.take_stderr();
        if status.is_none() {
            self.is_still_there()?;
            // ssh writes these words itself, in the command's standard error.
            if before == 0 && stderr.starts_with(b"exec request failed") {
                self.ended = true;
                return Err(TransportError::ExecRefused { detail: "it denied the request".to_owned() });
            }
        }
        self.ended = true;
        Ok(Exit { status: status.map(u32::cast_signed), signal: None, stderr })
    }

    /// A command that ended without a status was ended by a signal, of which ssh tells nothing; or the connection is gone.
    fn is_still_there(&mut self) -> Result<(), TransportError> {
        let until = Instant::now() + LAST_WORDS;
        while Instant::now() < until {
            if self.connection.client.ended()?.is_some() {
                return Err(self.connection.gone());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Read for OpenSshExchange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pipes.read(buffer, &mut self.connection.terms).map_err(TransportError::into_io)
    }
}

impl Write for OpenSshExchange<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipes.write(bytes, &mut self.connection.terms).map_err(TransportError::into_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Exchange for OpenSshExchange<'_> {
    fn close_write(&mut self) -> Result<(), TransportError> {
        self.pipes.close_write();
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Exit, TransportError> {
        self.run_out()
    }
}

impl Drop for OpenSshExchange<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Closing the pipes alone would leave the command to end when it likes.
            self.connection.give_up();
        }
    }
}
