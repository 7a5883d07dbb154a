//! Who was on the host: logins of sshd and of the login records, commands of sudo.
//!
//! *Invariant:* pure and total; driftscan's own logins and commands are left out as far as they can be told, and nothing
//! that a person did is taken for one of them because of its name.

use super::lines::{cut, lines, words};
use super::time::{self, Time};
use std::collections::BTreeSet;

/// A login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Login {
    pub(super) time: Time,
    pub(super) user: Vec<u8>,
    /// Where from, as it was logged; empty for the console.
    pub(super) from: Vec<u8>,
}

/// A command under sudo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sudo {
    pub(super) time: Time,
    pub(super) user: Vec<u8>,
    pub(super) command: Vec<u8>,
}

/// What a log tells of people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct People {
    pub(super) logins: Vec<Login>,
    pub(super) sudo: Vec<Sudo>,
}

/// auth.log and secure.
pub(super) fn auth(bytes: &[u8], is_cut: bool, now: Option<i64>) -> People {
    let mut people = People::default();
    for line in lines(bytes, is_cut) {
        let Some((time, rest)) = time::either(line, now) else { continue };
        // Host, then `sudo:`, `sudo[12]:`, `sshd[12]:` or `sshd-session[12]:`.
        let Some((head, told)) = cut(rest, b": ") else { continue };
        let program = words(head).nth(1).unwrap_or_default();
        let program = program.split(|b| *b == b'[').next().unwrap_or_default();
        match program {
            b"sudo" => {
                let Some((user, fields)) = cut(told.trim_ascii_start(), b" : ") else { continue };
                // A refusal has its reason first, and no command that ran.
                let Some((before, command)) = cut(fields, b"COMMAND=") else { continue };
                if before.starts_with(b"TTY=") || before.starts_with(b"PWD=") {
                    people.sudo.push(Sudo { time, user: user.to_vec(), command: command.to_vec() });
                }
            }
            b"sshd" | b"sshd-session" => {
                let Some(rest) = told.strip_prefix(b"Accepted ") else { continue };
                let words: Vec<&[u8]> = words(rest).take(5).collect();
                if let [_, b"for", user, b"from", from] = words[..] {
                    people.logins.push(Login { time, user: user.to_vec(), from: from.to_vec() });
                }
            }
            _ => {}
        }
    }
    people
}

/// wtmp(5) of 64-bit Linux: records of 384 bytes, whole from the end of the file.
pub(super) fn wtmp(bytes: &[u8]) -> Vec<Login> {
    const RECORD: usize = 384;
    const USER_PROCESS: [u8; 2] = [7, 0];
    let field = |record: &[u8], at: usize, len: usize| {
        let bytes = record.get(at..at + len).unwrap_or_default();
        bytes.split(|b| *b == 0).next().unwrap_or_default().to_vec()
    };
    let mut logins: Vec<Login> = Vec::new();
    for record in bytes.rchunks_exact(RECORD) {
        let seconds = record.get(340..344).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let (Some(seconds), Some(kind)) = (seconds, record.get(..2)) else { continue };
        let user = field(record, 44, 32);
        if kind == USER_PROCESS && !user.is_empty() && seconds > 0 {
            logins.push(Login { time: Time::utc(i64::from(seconds)), user, from: field(record, 76, 256) });
        }
    }
    logins.reverse();
    logins
}

/// Whether a command is the start of a probe.
fn is_ours(command: &[u8]) -> bool {
    let has = |text: &[u8]| cut(command, text).is_some();
    words(command).next() == Some(b"/usr/libexec/driftscan-probe")
        || has(b"/.driftscan-XXXXXX") && has(b"driftscan-ready")
}

impl People {
    /// Leaves out driftscan's own: its commands, the logins that they came by, every login of an account that does nothing
    /// else under sudo, and what came in the minutes before `now`, which is this scan.
    pub(super) fn without_us(mut self, now: Option<i64>) -> Self {
        const JUST_NOW: i64 = 120;
        const LOGIN_TO_SUDO: i64 = 30;
        let (ours, others): (Vec<Sudo>, Vec<Sudo>) = self.sudo.into_iter().partition(|sudo| is_ours(&sudo.command));
        let people: BTreeSet<&[u8]> = others.iter().map(|sudo| sudo.user.as_slice()).collect();
        let accounts: BTreeSet<&[u8]> =
            ours.iter().map(|sudo| sudo.user.as_slice()).filter(|user| !people.contains(user)).collect();
        let led_to_ours = |login: &Login| {
            ours.iter()
                .any(|sudo| sudo.user == login.user && (0..=LOGIN_TO_SUDO).contains(&login.time.before(sudo.time)))
        };
        let just_now = |login: &Login| {
            now.is_some_and(|now| login.time.zoned && (-5..=JUST_NOW).contains(&(now - login.time.seconds)))
        };
        self.logins
            .retain(|login| !accounts.contains(login.user.as_slice()) && !led_to_ours(login) && !just_now(login));
        Self { logins: self.logins, sudo: others }
    }
}
