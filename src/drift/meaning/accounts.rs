//! Sentences of accounts and access: who there is, who may log in, who may become whom, what runs for whom.
//!
//! *Invariant:* total on any record; no sentence holds more of a record than the view wrote.

mod access;
mod jobs;
mod sshd;
mod sudo;
mod users;

use super::{ORDER, Pair, Said, shown};
use crate::model::{Change, Code, Severity};
use crate::protocol::View;

/// The sentence of one record; none where the view reads something else.
pub(super) fn sentence(view: View, path: &[u8], pair: &Pair<'_>) -> Option<Said> {
    type Tell = fn(&[u8], &Pair<'_>) -> Said;
    const FIRST: &str = "The first line of a name decides.";
    // How a record is told, and what it is where its records only changed their places.
    let (tell, code, why): (Tell, Code, &str) = match view {
        View::Passwd => (|_, pair| users::user(pair), Code::AccountChanged, FIRST),
        View::Group => (|_, pair| users::group(pair), Code::GroupChanged, FIRST),
        View::Shadow => (|_, pair| users::password(pair), Code::AccountChanged, FIRST),
        View::Gshadow => (|_, pair| users::group_password(pair), Code::GroupChanged, FIRST),
        View::Subid => (users::range, Code::AccountChanged, FIRST),
        View::Sudoers => (|_, pair| sudo::sentence(pair), Code::SudoChanged, "The last rule that matches decides."),
        View::AuthorizedKeys => (access::key, Code::KeyChanged, "The first line of a key decides."),
        View::Sshd => (sshd::sentence, Code::SshdChanged, "The first value that applies decides."),
        View::Pam => (access::pam, Code::PamChanged, "Modules run in the order of their lines."),
        View::Cron => (jobs::sentence, Code::JobChanged, "A setting holds for the jobs that follow it."),
        View::Ini
        | View::Sysctl
        | View::Fstab
        | View::Hosts
        | View::Resolv
        | View::Sources
        | View::Certificates
        | View::Lines
        | View::LineSet
        | View::Alternatives
        | View::Stanzas
        | View::Adjtime
        | View::MachineId
        | View::Hostname
        | View::HostKey
        | View::OwnId
        | View::HostText
        | View::Keyed
        | View::Modules
        | View::Assignments => return None,
    };
    Some(if pair.key == ORDER {
        let title = format!("{}: the same records stand in another order", shown(path, 60));
        Said::new(code, Severity::High, title).because(why)
    } else {
        tell(path, pair)
    })
}

/// The part of a value that this names, its escapes undone; empty where there is none.
fn part(value: &[u8], name: &str) -> Vec<u8> {
    words(value).into_iter().find_map(|word| after(&word, name).map(<[u8]>::to_vec)).unwrap_or_default()
}

/// What follows `NAME=` in a word.
fn after<'a>(word: &'a [u8], name: &str) -> Option<&'a [u8]> {
    word.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// The words of a value, their escapes undone.
fn words(value: &[u8]) -> Vec<Vec<u8>> {
    value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).map(plain).collect()
}

/// Undoes `\x20` and `\x5c`.
fn plain(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((byte, tail)) = rest.split_first() {
        let (byte, tail) = match (rest.strip_prefix(b"\\x20"), rest.strip_prefix(b"\\x5c")) {
            (Some(tail), _) => (b' ', tail),
            (None, Some(tail)) => (b'\\', tail),
            (None, None) => (*byte, tail),
        };
        out.push(byte);
        rest = tail;
    }
    out
}

/// What a key names after its namespace.
fn named<'a>(pair: &Pair<'a>, namespace: &str) -> &'a [u8] {
    pair.key.strip_prefix(namespace.as_bytes()).unwrap_or(pair.key)
}

/// The first values of both sides: those that take effect.
fn first<'a>(pair: &Pair<'a>) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
    (pair.before.first().copied(), pair.after.first().copied())
}

/// The name of a file without its folder.
fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Parts that differ, each with a weight, as one sentence: `uid 7 -> 0, shell /bin/a -> /bin/b`, the gravest first.
struct Changes(Vec<(Severity, String)>);

impl Changes {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn note(&mut self, severity: Severity, text: String) {
        self.0.push((severity, text));
    }

    fn differ(&mut self, before: &[u8], after: &[u8], name: &str, severity: Severity) {
        let side = |bytes: &[u8]| if bytes.is_empty() { "none".to_owned() } else { shown(bytes, 40) };
        let part = (part(before, name), part(after, name));
        if part.0 != part.1 {
            self.note(severity, format!("{name} {} -> {}", side(&part.0), side(&part.1)));
        }
    }

    fn said(mut self, code: Code, about: &str) -> Said {
        self.0.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        let severity = self.0.first().map_or(Severity::Medium, |(severity, _)| *severity);
        let texts: Vec<String> = self.0.into_iter().map(|(_, text)| text).collect();
        let what = if texts.is_empty() { "another line, which the first hides".to_owned() } else { texts.join(", ") };
        Said::new(code, severity, format!("{about}: {what}"))
    }
}

/// Members that only one side has: `anna added, bob removed`.
fn members(before: &[u8], after: &[u8], name: &str) -> Option<(bool, String)> {
    let list = |value: &[u8]| -> Vec<Vec<u8>> {
        part(value, name).split(|byte| *byte == b',').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (old, new) = (list(before), list(after));
    let only = |these: &[Vec<u8>], others: &[Vec<u8>]| -> Vec<String> {
        these.iter().filter(|name| !others.contains(name)).map(|name| shown(name, 32)).collect()
    };
    let (gone, come) = (only(&old, &new), only(&new, &old));
    let mut texts = Vec::new();
    if !come.is_empty() {
        texts.push(format!("{} added", come.join(" and ")));
    }
    if !gone.is_empty() {
        texts.push(format!("{} removed", gone.join(" and ")));
    }
    (!texts.is_empty()).then(|| (!come.is_empty(), texts.join(", ")))
}

/// `A -> B` of a setting that a side may lack.
fn from_to(before: &str, after: &str, change: Change) -> String {
    match change {
        Change::Added => format!("not set -> {after}"),
        Change::Removed => format!("{before} -> not set"),
        Change::Changed => format!("{before} -> {after}"),
    }
}

#[cfg(test)]
mod tests;
