//! What was executed on a host: each way that was tried, with its command, what ran and why it failed.
//!
//! *Invariant:* a digest stands here only where these bytes were sent; what an installed probe says of itself is kept apart.

use super::failure::Failure;
use super::opening::{Hello, Word};
use super::probe::probe_digest;
use super::way::Way;
use crate::model::Collector;

/// One way that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which.
    pub way: Way,
    /// The command.
    pub command: String,
    /// What ran; `None` where nothing came to run.
    pub collector: Option<Collector>,
    /// What the installed probe says of itself.
    pub hello: Option<Hello>,
    /// Why there was no answer, escaped; `None` where there was one.
    pub failure: Option<String>,
}

/// All that was tried on one host, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ran {
    /// One a way.
    pub attempts: Vec<Attempt>,
}

impl Ran {
    pub(super) fn begin(&mut self, way: Way, sudo: bool) {
        let collector = (way == Way::Sh).then_some(Collector::Sh);
        let command = way.command(sudo);
        self.attempts.push(Attempt { way, command, collector, hello: None, failure: None });
    }

    /// The host's first word, and whether a reply began after it.
    pub(super) fn word(&mut self, word: &Word, replied: bool) {
        let Some(attempt) = self.attempts.last_mut() else { return };
        match word {
            Word::Ready(_) => attempt.collector = replied.then_some(Collector::Stream),
            Word::Hello(hello) => {
                attempt.collector = Some(Collector::Installed);
                attempt.hello = Some(hello.clone());
            }
        }
    }

    pub(super) fn failed(&mut self, failure: &Failure) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.failure = Some(failure.text.clone());
        }
    }

    /// What collected: of the last attempt.
    #[must_use]
    pub fn collector(&self) -> Option<Collector> {
        self.attempts.last()?.collector
    }

    /// The commands, a line each.
    #[must_use]
    pub fn commands(&self) -> Option<String> {
        let commands: Vec<&str> = self.attempts.iter().map(|attempt| attempt.command.as_str()).collect();
        (!commands.is_empty()).then(|| commands.join("\n"))
    }

    /// Digest of the probe that was sent, where one ran.
    #[must_use]
    pub fn sent_probe(&self) -> Option<&'static str> {
        let streamed = self.attempts.iter().any(|attempt| attempt.collector == Some(Collector::Stream));
        streamed.then(probe_digest)
    }

    /// The digest that an installed probe gives itself.
    #[must_use]
    pub fn said_digest(&self) -> Option<&str> {
        self.attempts.iter().find_map(|attempt| attempt.hello.as_ref()).map(|hello| hello.digest.as_str())
    }

    /// The installed probe that is not the one of this program.
    #[must_use]
    pub fn skewed(&self) -> Option<&Hello> {
        let hellos = self.attempts.iter().filter_map(|attempt| attempt.hello.as_ref());
        hellos.into_iter().find(|hello| hello.digest != probe_digest())
    }
}
