//! Sentences of the system's configuration: units, kernel, mounts, names, sources, trust, and settings of every kind.
//!
//! *Invariant:* total on any record; no sentence holds more of a record than the view wrote.

mod kernel;
mod mounts;
mod names;
mod settings;
mod sources;
mod units;

use super::{ORDER, Pair, Said, plain, shown};
use crate::model::{Change, Code, Severity};
use crate::protocol::View;

/// The sentence of one record; none where the view reads something else.
pub(super) fn sentence(view: View, path: &[u8], pair: &Pair<'_>) -> Option<Said> {
    type Tell = fn(&[u8], &Pair<'_>) -> Said;
    // How a record is told, and what it is where its records only changed their places, if there is a word of its own.
    let (tell, code): (Tell, Option<Code>) = match view {
        View::Ini => (units::sentence, units::unit(path).map(|_| Code::UnitChanged)),
        View::Sysctl => (|_, pair| kernel::sysctl(pair), Some(Code::KernelChanged)),
        View::Modules => (|_, pair| kernel::module(pair), Some(Code::KernelChanged)),
        View::Fstab => (mounts::sentence, Some(Code::FstabChanged)),
        View::Hosts => (|_, pair| names::hosts(pair), Some(Code::ResolverChanged)),
        View::Resolv => (|_, pair| names::resolver(pair), Some(Code::ResolverChanged)),
        View::Hostname => (names::own_name, None),
        View::Sources => (sources::sentence, Some(Code::SourceChanged)),
        View::Certificates => (sources::certificate, None),
        View::Lines | View::LineSet | View::HostText => (settings::lines, None),
        View::Assignments => (settings::assignment, None),
        View::Alternatives => (settings::alternative, None),
        View::Stanzas => (settings::stanza, None),
        View::Adjtime => (|_, pair| settings::clock(pair), None),
        View::MachineId | View::HostKey | View::OwnId => (settings::identity, None),
        View::Keyed
        | View::Passwd
        | View::Group
        | View::Shadow
        | View::Gshadow
        | View::Subid
        | View::Sudoers
        | View::AuthorizedKeys
        | View::Sshd
        | View::Pam
        | View::Cron => return None,
    };
    Some(if pair.key == ORDER {
        let said = plain::sentence(path, pair);
        Said { code: code.unwrap_or(said.code), ..said }
    } else {
        tell(path, pair)
    })
}

/// Values as they may stand in a title; what a host's own fact was put back for is told by the fact's name.
fn told(values: &[&[u8]], most: usize) -> String {
    const MARK: u8 = 1;
    let mut out = Vec::new();
    for (at, piece) in values.join(&b"; "[..]).split(|byte| *byte == MARK).enumerate() {
        match piece {
            fact if at % 2 == 1 => out.extend_from_slice(&[b"<", fact, b">"].concat()),
            piece => out.extend_from_slice(piece),
        }
    }
    shown(out.trim_ascii(), most)
}

/// `WHAT a -> b`, `WHAT added: b`, `WHAT removed: a`, within what a line holds.
fn change(what: &str, pair: &Pair<'_>) -> String {
    let room = super::line::MOST.saturating_sub(what.chars().count() + 12).max(24);
    let (mut before, mut after) = pair.only();
    if before.is_empty() && after.is_empty() {
        (before, after) = (pair.before.clone(), pair.after.clone());
    }
    let side = |values: &[&[u8]], most| match told(values, most) {
        text if text.is_empty() => "(empty)".to_owned(),
        text => text,
    };
    match pair.change() {
        Change::Added if is_blank(&pair.after) => format!("{what} added"),
        Change::Removed if is_blank(&pair.before) => format!("{what} removed"),
        Change::Added => format!("{what} added: {}", side(&pair.after, room)),
        Change::Removed => format!("{what} removed: {}", side(&pair.before, room)),
        Change::Changed => match (before.is_empty(), after.is_empty()) {
            (true, _) => format!("{what} added: {}", side(&after, room)),
            (_, true) => format!("{what} removed: {}", side(&before, room)),
            _ => {
                // A short side leaves its room to the other one.
                let short = |values: &[&[u8]]| side(values, room / 2).chars().count();
                let (first, second) = (
                    side(&before, room.saturating_sub(short(&after)).max(room / 2)),
                    side(&after, room.saturating_sub(short(&before)).max(room / 2)),
                );
                // Two values that are cut alike would look the same.
                if first == second { format!("{what} changed: {first}") } else { format!("{what} {first} -> {second}") }
            }
        },
    }
}

fn is_blank(values: &[&[u8]]) -> bool {
    values.iter().all(|value| value.is_empty())
}

/// The last name of a path.
fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Low for what was taken away, else this.
fn unless_removed(pair: &Pair<'_>, severity: Severity, removed: Severity) -> Severity {
    if pair.change() == Change::Removed { removed } else { severity }
}

#[cfg(test)]
mod tests;
