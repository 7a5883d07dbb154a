//! A program of this machine that answers a question: run without a shell, within a time and an amount of output.
//!
//! *Invariant:* nothing of it outlives the call, whatever it started; it is given no standard input.

use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::model::text::escape;
use crate::sys::{self, Wish};

/// What may be printed.
const MOST_OUTPUT: usize = 1 << 20;
/// How much of its complaint is shown.
const COMPLAINT_SHOWN: usize = 200;
/// The longest wait between two looks at the clock.
const TICK: Duration = Duration::from_millis(20);

/// How it ended.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: ExitStatus,
    pub(super) output: Vec<u8>,
    /// The first line of its standard error, for a person.
    pub(super) complaint: String,
}

/// Ends the child with all that it started.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            // Gone already is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// Runs a program until it ends.
///
/// # Errors
///
/// Why there is no answer, for a person.
pub(super) fn run(program: &str, arguments: &[String], deadline: Instant) -> Result<Answer, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = Reaped(command.spawn().map_err(|error| format!("can't be run: {error}"))?);
    let (Some(mut output), Some(mut errors)) = (child.0.stdout.take(), child.0.stderr.take()) else {
        return Err("can't be run".to_owned());
    };
    let lost = |error: io::Error| format!("can't be read from: {error}");
    for pipe in [output.as_fd(), errors.as_fd()] {
        fcntl_getfl(pipe).and_then(|flags| fcntl_setfl(pipe, flags | OFlags::NONBLOCK)).map_err(|e| lost(e.into()))?;
    }
    let (mut printed, mut complained) = (Vec::new(), Vec::new());
    let (mut open, mut complaining) = (true, true);
    while open || complaining {
        if Instant::now() >= deadline {
            return Err("did not end in time".to_owned());
        }
        let mut wishes = [Wish::new(output.as_fd(), open, false), Wish::new(errors.as_fd(), complaining, false)];
        sys::poll(&mut wishes, TICK).map_err(lost)?;
        if open {
            open = take(&mut output, &mut printed, MOST_OUTPUT).map_err(lost)?;
        }
        if complaining {
            complaining = take(&mut errors, &mut complained, MOST_OUTPUT).map_err(lost)?;
        }
        if printed.len() > MOST_OUTPUT {
            return Err("printed more than 1 MiB".to_owned());
        }
    }
    let status = loop {
        match child.0.try_wait().map_err(lost)? {
            Some(status) => break status,
            None if Instant::now() >= deadline => return Err("did not end in time".to_owned()),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let first = complained.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let complaint = escape(first.trim_ascii().get(..COMPLAINT_SHOWN).unwrap_or(first.trim_ascii()));
    Ok(Answer { status, output: printed, complaint })
}

/// Takes what is there, up to one byte more than the most; returns whether more may come.
fn take(pipe: &mut impl Read, into: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let mut buffer = [0; 16 << 10];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => into.extend(buffer.iter().take(count.min((most + 1).saturating_sub(into.len())))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if into.len() > most {
            return Ok(true);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    fn sh(text: &str, patience: Duration) -> Result<Answer, String> {
        run("/bin/sh", &["-c".to_owned(), text.to_owned()], Instant::now() + patience)
    }

    #[test]
    fn an_answer_has_output_status_and_the_first_complaint() {
        let answer = sh("echo a; echo >&2; echo b >&2; echo c >&2; exit 3", Duration::from_secs(10)).unwrap();
        assert_eq!((answer.output.as_slice(), answer.status.code()), (&b"a\n"[..], Some(3)));
        assert_eq!(answer.complaint, "b");
    }

    #[test]
    fn time_and_output_are_bounded_and_nothing_is_left_behind() {
        let start = Instant::now();
        assert!(sh("sleep 60 & sleep 60", Duration::from_millis(200)).unwrap_err().contains("in time"));
        assert!(sh("sleep 60 >/dev/null 2>&1 & exec sleep 60 >/dev/null 2>&1", Duration::from_millis(200)).is_err());
        assert!(sh("cat /dev/zero", Duration::from_secs(20)).unwrap_err().contains("1 MiB"));
        assert!(sh("yes >&2", Duration::from_millis(500)).unwrap_err().contains("in time"));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert!(run("/nonexistent/program", &[], Instant::now()).unwrap_err().starts_with("can't be run"));
    }
}
