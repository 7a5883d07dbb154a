//! A running ssh: its process, its log, and what it and its proxies say on standard error.
//!
//! *Invariant:* it has no terminal, ends with this value, and nothing it says fills memory.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use super::log::{Log, Sign};
use crate::sys::{self, Wish};
use crate::transport::TransportError;
use crate::transport::child::Group;
use crate::transport::pipes::{here, take, unblock};

/// How much of standard error is kept: the server's banner and the words of proxies.
const SAID_KEPT: usize = 4 << 10;
/// How much of the log is read in all. What it has to tell comes in a few hundred bytes a message.
const LOG_READ: usize = 1 << 20;

/// An ssh that runs.
#[derive(Debug)]
pub(super) struct Client {
    group: Group,
    /// What was read of the log.
    pub(super) log: Log,
    pipe: Option<File>,
    /// Held until ssh has opened it too: a pipe that nobody writes to is at its end.
    writer: Option<OwnedFd>,
    read: usize,
    stderr: Option<File>,
    said: Vec<u8>,
}

impl Client {
    /// Starts ssh with its log in a pipe of our own.
    pub(super) fn start(
        ssh: &Path,
        arguments: impl FnOnce(&mut Command, &Path),
        log: impl FnOnce(u32) -> Log,
    ) -> Result<Self, TransportError> {
        const STARTING: &str = "starting ssh";
        let (reader, writer) = io::pipe().map_err(|error| here(STARTING, &error))?;
        // ssh closes what it inherits, so it opens the pipe by this name. Only the same account can.
        let name = format!("/proc/{}/fd/{}", std::process::id(), writer.as_raw_fd());
        let mut command = Command::new(ssh);
        arguments(&mut command, Path::new(&name));
        // The locale changes the system's words, which are read here; nobody is there to answer a question.
        command.env("LC_ALL", "C").env("SSH_ASKPASS_REQUIRE", "never");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        sys::set_apart(&mut command);
        let mut child = command.spawn().map_err(|error| here(STARTING, &error))?;
        let stderr = child.stderr.take();
        let group = Group::new(child);
        let stderr = stderr.map(|pipe| File::from(OwnedFd::from(pipe)));
        let pipe = File::from(OwnedFd::from(reader));
        for end in [Some(&pipe), stderr.as_ref()].into_iter().flatten() {
            unblock(end.as_fd()).map_err(|error| here("preparing a pipe", &error))?;
        }
        let log = log(group.id());
        let (pipe, writer) = (Some(pipe), Some(writer.into()));
        Ok(Self { group, log, pipe, writer, read: 0, stderr, said: Vec::new() })
    }

    /// Waits until ssh says something, at most so long, and takes in what it said.
    pub(super) fn listen(&mut self, most: Duration) -> Result<Vec<Sign>, TransportError> {
        let mut wishes: Vec<Wish<'_>> = Vec::with_capacity(2);
        for pipe in [&self.pipe, &self.stderr].into_iter().flatten() {
            wishes.push(Wish::new(pipe.as_fd(), true, false));
        }
        sys::poll(&mut wishes, most).map_err(|error| here("waiting for ssh", &error))?;
        self.take_in()
    }

    /// Takes in what ssh said, without waiting.
    pub(super) fn take_in(&mut self) -> Result<Vec<Sign>, TransportError> {
        let mut signs = Vec::new();
        let mut buffer = [0; 4_096];
        while let Some(pipe) = &mut self.pipe {
            match take(pipe, &mut buffer)? {
                None => break,
                Some(0) => self.pipe = None,
                Some(count) => {
                    self.writer = None;
                    self.read += count;
                    self.log.feed(buffer.get(..count).unwrap_or_default(), &mut signs);
                    if self.read > LOG_READ {
                        self.pipe = None;
                    }
                }
            }
        }
        let mut once = 0;
        while let (Some(pipe), true) = (&mut self.stderr, once < 64) {
            once += 1;
            match take(pipe, &mut buffer)? {
                None => break,
                Some(0) => self.stderr = None,
                Some(count) => {
                    let room = SAID_KEPT.saturating_sub(self.said.len());
                    self.said.extend(buffer.iter().take(count.min(room)));
                }
            }
        }
        Ok(signs)
    }

    /// How it ended, where it did.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, TransportError> {
        self.group.ended().map_err(|error| here("waiting for ssh", &error))
    }

    /// The beginning of its standard error, raw.
    pub(super) fn said(&self) -> &[u8] {
        &self.said
    }

    /// Ends it and its proxies.
    pub(super) fn kill(&mut self) {
        self.group.kill();
    }
}
