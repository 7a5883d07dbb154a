//! The ways to collect on a host: which command is executed, what its first word means, which way is tried next.
//!
//! *Invariant:* a way is left for the next one only where nothing was observed and the failure is of that way alone: a
//! refusal of sudo, a broken answer or a lost connection stays what it is, and is told once.

use super::bootstrap::{self, INSTALLED, NO_PLACE};
use super::failure::{Failure, contains, first_words};
use super::opening::{Hello, Word};
use super::probe::{PACKED, PROBE};
use super::sh;
use crate::inventory::ProbeChoice;
use crate::model::Reason;
use crate::protocol::request::VERSION;
use crate::transport::Exit;

/// Of the probe as it is, and packed.
const LENGTHS: (usize, usize) = (PROBE.len(), PACKED.len());

/// One way to collect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// The installed probe where there is one, else a streamed one, in one command.
    Either,
    /// A probe that is uploaded.
    Stream,
    /// The probe of the image.
    Installed,
    /// The POSIX shell fallback.
    Sh,
}

impl Way {
    /// The first way of a choice.
    #[must_use]
    pub fn first(choice: ProbeChoice) -> Self {
        match choice {
            ProbeChoice::Auto => Self::Either,
            ProbeChoice::Stream => Self::Stream,
            ProbeChoice::Installed => Self::Installed,
            ProbeChoice::Sh => Self::Sh,
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Either => "installed or stream",
            Self::Stream => "stream",
            Self::Installed => "installed",
            Self::Sh => "sh",
        }
    }

    /// What is executed on the host.
    #[must_use]
    pub fn command(self, sudo: bool) -> String {
        match self {
            Self::Either => bootstrap::either(sudo, LENGTHS),
            Self::Stream => bootstrap::stream(sudo, LENGTHS),
            Self::Installed => bootstrap::installed(sudo),
            Self::Sh => sh::command(sudo),
        }
    }

    /// Whether the host's first word is one that this way waits for.
    pub(super) fn admits(self, word: &Word) -> Result<(), Failure> {
        match (self, word) {
            (Self::Stream | Self::Either, Word::Ready(_)) => Ok(()),
            (Self::Installed | Self::Either, Word::Hello(hello)) if hello.is_understood() => Ok(()),
            (Self::Installed | Self::Either, Word::Hello(hello)) => Err(another_release(hello)),
            (Self::Stream, Word::Hello(_)) => Err(bound()),
            (Self::Installed | Self::Sh, Word::Ready(_)) | (Self::Sh, Word::Hello(_)) => {
                Err(Failure::protocol("a word that nobody waited for"))
            }
        }
    }

    /// What a command's end says, where no answer came.
    pub(super) fn failure(self, exit: &Exit, word: Option<&Word>, sudo: bool, noise: &[u8]) -> Failure {
        let failure = Failure::of_exit(exit, sudo, noise);
        match (self, word, failure.reason) {
            (Self::Installed, None, _) => not_started(exit, failure, noise),
            // The bootstrap ends with 95 or says a word first.
            (Self::Either, None, Reason::ProbeUnavailable) if matches!(exit.status, Some(126 | 127)) => {
                not_started(exit, failure, noise)
            }
            (Self::Either, None, Reason::Sudo) => Failure {
                remedy: Some(format!(
                    "allow in sudoers, with NOPASSWD, what the host has: {INSTALLED} (driftscan probe export writes the \
                     line), else /bin/sh; or leave out --sudo"
                )),
                ..failure
            },
            (Self::Either | Self::Stream | Self::Installed | Self::Sh, _, _) => failure,
        }
    }

    /// The way to try after this one failed; `None` where that is the end.
    ///
    /// Where sudo refuses, nothing else is tried; and what sudo has not allowed yet is not asked of it after an installed probe
    /// that can't be used: whoever allowed that probe alone gets no mail about `sudo sh`.
    pub(super) fn next(self, choice: ProbeChoice, sudo: bool, missed: &Missed) -> Option<Self> {
        let of_this_way = missed.failure.reason == Reason::ProbeUnavailable
            && matches!(missed.status, None | Some(NO_PLACE | 126 | 127));
        if choice != ProbeChoice::Auto || !of_this_way {
            return None;
        }
        match (self, &missed.word) {
            // A key that is bound to a command runs nothing else.
            (Self::Sh, _) | (Self::Stream, Some(Word::Hello(_))) => None,
            (Self::Stream, _) | (Self::Either | Self::Installed, Some(Word::Ready(_))) => Some(Self::Sh),
            (Self::Either | Self::Installed, Some(Word::Hello(hello))) => {
                (!hello.is_understood() && !sudo).then_some(Self::Stream)
            }
            (Self::Either | Self::Installed, None) if missed.status == Some(NO_PLACE) => Some(Self::Sh),
            (Self::Either | Self::Installed, None) => (!sudo).then_some(Self::Stream),
        }
    }
}

/// An attempt that gave no observation.
#[derive(Debug)]
pub(super) struct Missed {
    /// Why.
    pub(super) failure: Failure,
    /// What the host said first.
    pub(super) word: Option<Word>,
    /// How its command ended, where that is why.
    pub(super) status: Option<i32>,
}

impl Missed {
    /// A failure that says all there is to say.
    pub(super) fn plain(failure: Failure) -> Self {
        // No way of collecting repairs it: `next` asks for a status or a word.
        Self { failure, word: None, status: Some(0) }
    }

    /// The failure of the last way, which tells of those before it. The cure of a key that is bound to another probe is the
    /// cure of that probe.
    pub(super) fn after(self, before: &[Failure]) -> Failure {
        let Some(first) = before.first() else { return self.failure };
        let texts: Vec<&str> = before.iter().chain([&self.failure]).map(|failure| failure.text.as_str()).collect();
        let is_bound = matches!(self.word, Some(Word::Hello(_)));
        let last = self.failure.remedy.clone().filter(|_| !is_bound);
        Failure { text: texts.join("; then: "), remedy: last.or_else(|| first.remedy.clone()), ..self.failure }
    }
}

fn another_release(hello: &Hello) -> Failure {
    let text = format!(
        "the installed probe is of another release: it speaks protocol {} (sha256:{}), this driftscan protocol {VERSION}",
        hello.protocol, hello.digest
    );
    let remedy = "install the probe of this release (driftscan probe export), or use probe=stream until then";
    Failure { remedy: Some(remedy.to_owned()), ..Failure::new(Reason::ProbeUnavailable, text) }
}

fn bound() -> Failure {
    let text = "the host answers with a probe of its own: the key is bound to a command (command= in authorized_keys, or \
                ForceCommand), and nothing can be streamed";
    let remedy = "use probe=installed, or probe=auto";
    Failure { remedy: Some(remedy.to_owned()), ..Failure::new(Reason::ProbeUnavailable, text) }
}

/// The installed probe did not say a word.
fn not_started(exit: &Exit, failure: Failure, noise: &[u8]) -> Failure {
    let says = first_words(&exit.stderr, noise);
    let said = if says.is_empty() { says } else { format!(": {says}") };
    let told = |text: String, remedy: &str| Failure {
        remedy: Some(remedy.to_owned()),
        ..Failure::new(Reason::ProbeUnavailable, text)
    };
    // sudo(8) ends with 1 where the command is not there, and names it.
    let absent = contains(&exit.stderr, b"not found") && contains(&exit.stderr, INSTALLED.as_bytes());
    match (failure.reason, exit.status) {
        (Reason::Sudo, _) if !absent => Failure {
            text: format!("sudo refused to run the installed probe{said}"),
            remedy: Some(format!(
                "allow {INSTALLED} in sudoers with NOPASSWD, by the digest of the very file that is installed: driftscan \
                 probe export writes the line, visudo -cf checks it"
            )),
            ..failure
        },
        (Reason::Sudo, _) | (_, Some(127)) => told(
            format!("no probe is installed at {INSTALLED}{said}"),
            "bake it into the image (driftscan probe export writes it), or use probe=auto",
        ),
        (_, Some(126)) => told(
            format!("the installed probe can't be executed{said}"),
            "it must be of mode 0755, on a file system that allows execution, on an x86-64 host",
        ),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::opening::Opening;

    fn ended(status: i32, stderr: &str) -> Exit {
        Exit { status: Some(status), signal: None, stderr: stderr.as_bytes().to_vec() }
    }

    fn hello(protocol: u16) -> Option<Word> {
        let line = format!("driftscan-probe {protocol} sha256:{}\n", "ab".repeat(32));
        Opening::default().word(&mut line.as_bytes()).ok()
    }

    /// What follows an attempt that ended so.
    fn then(way: Way, word: Option<&Word>, exit: &Exit) -> Option<Way> {
        let failure = way.failure(exit, word, true, b"");
        let word = word.cloned();
        way.next(ProbeChoice::Auto, false, &Missed { failure, word, status: exit.status })
    }

    #[test]
    fn the_ways_of_auto() {
        use Way::{Either, Sh, Stream};
        let ready = Some(Word::Ready(super::super::opening::Packing::Plain));
        let old = hello(1);
        for (way, word, status, stderr, next) in [
            // No place; a place that does not execute; an upload that came short.
            (Either, None, 95, "", Some(Sh)),
            (Either, ready.as_ref(), 126, "Permission denied", Some(Sh)),
            (Either, ready.as_ref(), 95, "", Some(Sh)),
            (Stream, ready.as_ref(), 127, "", Some(Sh)),
            // What is installed can't be started.
            (Either, None, 126, "Exec format error", Some(Stream)),
            (Either, None, 127, "", Some(Stream)),
            // Whatever sudo refuses is not asked again in other words.
            (Either, None, 1, "sudo: a password is required", None),
            (Either, None, 127, "sudo: not found", None),
            (Stream, None, 1, "sudo: a password is required", None),
            // It ran, and broke.
            (Either, old.as_ref(), 137, "", None),
            (Either, old.as_ref(), 0, "", None),
            (Either, old.as_ref(), 64, "", None),
            (Either, ready.as_ref(), 101, "", None),
            (Sh, None, 126, "", None),
        ] {
            assert_eq!(then(way, word, &ended(status, stderr)), next, "{way:?} {word:?} {status} {stderr}");
        }
    }

    #[test]
    fn a_probe_of_another_release_is_passed_over_once() {
        let Some(word) = hello(7) else { panic!("no hello") };
        let refused = |way: Way| {
            let failure = way.admits(&word).err();
            failure.map(|failure| Missed { failure, word: Some(word.clone()), status: None })
        };
        for (choice, way, next) in [
            (ProbeChoice::Auto, Way::Either, Some(Way::Stream)),
            (ProbeChoice::Auto, Way::Stream, None),
            (ProbeChoice::Installed, Way::Installed, None),
            (ProbeChoice::Stream, Way::Stream, None),
        ] {
            assert_eq!(refused(way).and_then(|missed| way.next(choice, false, &missed)), next, "{choice:?} {way:?}");
            // sudo may allow the installed probe alone.
            assert_eq!(refused(way).and_then(|missed| way.next(choice, true, &missed)), None, "{choice:?} {way:?}");
        }
        let (skewed, bound) = (refused(Way::Either).map(|m| m.failure), refused(Way::Stream));
        let told = bound.zip(skewed).map(|(bound, skewed)| bound.after(&[skewed]));
        assert!(told.is_some_and(|told| {
            told.text.contains("protocol 7")
                && told.text.contains("; then: the host answers")
                && told.remedy.is_some_and(|remedy| remedy.contains("probe export"))
        }));
    }

    #[test]
    fn only_auto_has_a_second_way() {
        for choice in [ProbeChoice::Stream, ProbeChoice::Installed, ProbeChoice::Sh] {
            let way = Way::first(choice);
            for status in [95, 126, 127] {
                let failure = way.failure(&ended(status, ""), None, false, b"");
                assert_eq!(
                    way.next(choice, false, &Missed { failure, word: None, status: Some(status) }),
                    None,
                    "{choice:?}"
                );
            }
        }
    }

    #[test]
    fn an_installed_probe_that_says_nothing_is_told_by_its_reason() {
        for (status, stderr, reason, words) in [
            (
                1,
                "sudo: a password is required",
                Reason::Sudo,
                "sudo refused to run the installed probe: sudo: a password",
            ),
            (
                1,
                "sudo: /usr/libexec/driftscan-probe: command not found",
                Reason::ProbeUnavailable,
                "no probe is installed",
            ),
            (
                127,
                "sh: 1: exec: /usr/libexec/driftscan-probe: not found",
                Reason::ProbeUnavailable,
                "no probe is installed",
            ),
            (
                126,
                "sh: 1: exec: /usr/libexec/driftscan-probe: Permission denied",
                Reason::ProbeUnavailable,
                "can't be executed",
            ),
            (64, "", Reason::Protocol, "did not understand"),
            (137, "", Reason::ProbeUnavailable, "signal 9"),
        ] {
            let failure = Way::Installed.failure(&ended(status, stderr), None, true, b"");
            assert_eq!(failure.reason, reason, "{status} {stderr}");
            assert!(failure.text.contains(words), "{}", failure.text);
        }
    }
}
