//! What package managers wrote down: which package became which version, when, by which command, for whom.
//!
//! *Invariant:* pure and total; a line that is not understood is passed over.

use super::lines::{cut, lines, words};
use super::time::{self, Time};

/// What happened to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// When.
    pub(super) time: Time,
    /// Whose log.
    pub(super) log: &'static str,
    /// The package's name.
    pub(super) name: Vec<u8>,
    /// The version before, where the log tells.
    pub(super) old: Option<Vec<u8>>,
    /// The version after; `None` where it was removed.
    pub(super) new: Option<Vec<u8>>,
    /// The command, as it was logged.
    pub(super) command: Option<Vec<u8>>,
    /// For whom.
    pub(super) by: Option<Vec<u8>>,
}

/// The most events of one log.
const MOST: usize = 20_000;

fn event(time: Time, log: &'static str, name: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) -> Event {
    let version = |version: Option<&[u8]>| version.map(<[u8]>::to_vec);
    Event { time, log, name: name.to_vec(), old: version(old), new: version(new), command: None, by: None }
}

/// dpkg.log: `2026-11-22 06:27:34 upgrade nginx:amd64 1.22.1-9 1.22.1-10`.
pub(super) fn dpkg(bytes: &[u8], is_cut: bool) -> Vec<Event> {
    let read = |line| {
        let (time, rest) = time::iso(line)?;
        let words: Vec<&[u8]> = words(rest).take(4).collect();
        let [action, package, old, new] = words[..] else { return None };
        let name = package.split(|b| *b == b':').next().unwrap_or(package);
        let version = |version: &'_ [u8]| (version != b"<none>").then(|| version.to_vec());
        let (old, new) = (version(old), version(new));
        match action {
            b"install" | b"upgrade" => Some(event(time, "dpkg", name, old.as_deref(), new.as_deref())),
            b"remove" | b"purge" => Some(event(time, "dpkg", name, old.as_deref(), None)),
            _ => None,
        }
    };
    lines(bytes, is_cut).filter_map(read).take(MOST).collect()
}

/// apt's history.log: paragraphs of `Start-Date`, `Commandline`, `Requested-By` and lists.
pub(super) fn apt(bytes: &[u8], is_cut: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut start, mut command, mut by) = (None, None, None);
    for line in lines(bytes, is_cut) {
        let Some((key, value)) = cut(line, b": ") else { continue };
        match key {
            b"Start-Date" => {
                start = time::iso(value).map(|(time, _)| time);
                (command, by) = (None, None);
            }
            b"Commandline" => command = Some(value.to_vec()),
            b"Requested-By" => by = words(value).next().map(<[u8]>::to_vec),
            b"Install" | b"Reinstall" | b"Upgrade" | b"Downgrade" | b"Remove" | b"Purge" => {
                let Some(time) = start else { continue };
                for (name, versions) in apt_list(value) {
                    let (first, second) = cut(versions, b", ").map_or((versions, None), |(a, b)| (a, Some(b)));
                    let second = second.filter(|word| *word != b"automatic");
                    let (old, new) = match key {
                        b"Upgrade" | b"Downgrade" => (Some(first), second),
                        b"Remove" | b"Purge" => (Some(first), None),
                        _ => (None, Some(first)),
                    };
                    if events.len() < MOST {
                        let event = event(time, "apt", name, old, new);
                        events.push(Event { command: command.clone(), by: by.clone(), ..event });
                    }
                }
            }
            _ => {}
        }
    }
    events
}

/// `nginx:amd64 (1.22.1-9, 1.22.1-10), libx:amd64 (2, automatic)`: name and what is in the brackets.
fn apt_list(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, tail) = cut(rest, b" (")?;
        let (versions, tail) = cut(tail, b")")?;
        rest = tail.strip_prefix(b", ").unwrap_or(tail);
        Some((name.split(|b| *b == b':').next().unwrap_or(name), versions))
    })
}

/// unattended-upgrades.log: `2026-11-19 06:12:03,120 INFO Packages that will be upgraded: nginx openssl`.
pub(super) fn unattended(bytes: &[u8], is_cut: bool) -> Vec<Event> {
    let read = |line| {
        let (time, rest) = time::iso(line)?;
        let (_, names) = cut(rest, b"Packages that will be upgraded: ")?;
        let command = Some(b"unattended-upgrade".to_vec());
        let of = move |name: &[u8]| Event {
            command: command.clone(),
            ..event(time, "unattended-upgrades", name, None, None)
        };
        Some(words(names).map(of).collect::<Vec<_>>())
    };
    lines(bytes, is_cut).filter_map(read).flatten().take(MOST).collect()
}

/// dnf.rpm.log and yum.log: `... Upgrade: nginx-1:1.22.1-9.el9.x86_64`; and dnf.log: `... Command: dnf -y upgrade`.
pub(super) fn rpm(bytes: &[u8], is_cut: bool, now: Option<i64>) -> (Vec<Event>, Vec<(Time, Vec<u8>)>) {
    let (mut events, mut commands) = (Vec::new(), Vec::new());
    for line in lines(bytes, is_cut) {
        let Some((time, rest)) = time::either(line, now) else { continue };
        if let Some((_, command)) = cut(rest, b"Command: ") {
            commands.push((time, command.to_vec()));
            continue;
        }
        let Some((action, package)) = cut(rest, b": ") else { continue };
        let action = words(action).last().unwrap_or_default();
        let Some((name, version)) = words(package).next().and_then(nevra) else { continue };
        let log = if cut(line, b"DEBUG").is_some()
            || rest.first() == Some(&b' ') && line.first().is_some_and(u8::is_ascii_digit)
        {
            "dnf"
        } else {
            "yum"
        };
        // `Upgraded`, `Obsoleted` and `Cleanup` tell of the version that went; `Updated` of yum of the one that came.
        let (old, new) = match action {
            b"Installed" | b"Upgrade" | b"Downgrade" | b"Reinstall" | b"Updated" => (None, Some(version)),
            b"Erase" | b"Erased" | b"Removed" => (Some(version), None),
            _ => continue,
        };
        if events.len() < MOST {
            events.push(event(time, log, name, old, new));
        }
    }
    (events, commands)
}

/// Name and `[epoch:]version-release` of `name-[epoch:]version-release.arch`.
fn nevra(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.get(..text.iter().rposition(|b| *b == b'.')?)?;
    let release = text.iter().rposition(|b| *b == b'-')?;
    let version = text.get(..release)?.iter().rposition(|b| *b == b'-')?;
    let (name, version) = (text.get(..version)?, text.get(version + 1..)?);
    (!name.is_empty()).then_some((name, version))
}

/// zypp's history: `2026-11-19 06:12:03|install|nginx|1.22.1-9|x86_64|root@web-01|repo|...`.
pub(super) fn zypp(bytes: &[u8], is_cut: bool) -> (Vec<Event>, Vec<(Time, Vec<u8>)>) {
    let (mut events, mut commands) = (Vec::new(), Vec::new());
    for line in lines(bytes, is_cut) {
        let fields: Vec<&[u8]> = line.split(|b| *b == b'|').take(6).collect();
        let Some((time, _)) = fields.first().and_then(|field| time::iso(field)) else { continue };
        match (fields.get(1).map(|word| word.trim_ascii()), fields.get(2), fields.get(3)) {
            (Some(b"install"), Some(name), Some(version)) => {
                events.push(event(time, "zypp", name, None, Some(version)));
            }
            (Some(b"remove"), Some(name), Some(version)) => {
                events.push(event(time, "zypp", name, Some(version), None));
            }
            (Some(b"command"), _, Some(command)) => {
                commands.push((time, command.iter().copied().filter(|b| *b != b'\'').collect()));
            }
            _ => {}
        }
    }
    (events, commands)
}

/// pacman.log: `[2026-11-19T06:12:03+0000] [ALPM] upgraded nginx (1.22-1 -> 1.23-1)`, `[PACMAN] Running 'pacman -Syu'`.
pub(super) fn pacman(bytes: &[u8], is_cut: bool) -> (Vec<Event>, Vec<(Time, Vec<u8>)>) {
    let (mut events, mut commands) = (Vec::new(), Vec::new());
    for line in lines(bytes, is_cut) {
        let Some((time, rest)) = line.strip_prefix(b"[").and_then(time::iso) else { continue };
        if let Some((_, command)) = cut(rest, b"[PACMAN] Running '") {
            commands.push((time, command.strip_suffix(b"'").unwrap_or(command).to_vec()));
            continue;
        }
        let Some((_, told)) = cut(rest, b"[ALPM] ") else { continue };
        let Some((head, versions)) = cut(told, b" (") else { continue };
        let versions = versions.strip_suffix(b")").unwrap_or(versions);
        let mut head = words(head);
        let (Some(action), Some(name)) = (head.next(), head.next()) else { continue };
        let both = cut(versions, b" -> ");
        let (old, new) = match (action, both) {
            (b"upgraded" | b"downgraded", Some((old, new))) => (Some(old), Some(new)),
            (b"installed" | b"reinstalled", _) => (None, Some(versions)),
            (b"removed", _) => (Some(versions), None),
            _ => continue,
        };
        events.push(event(time, "pacman", name, old, new));
    }
    (events, commands)
}

/// Gives each event the last command of the same log before it, of the hour before.
pub(super) fn commanded((mut events, commands): (Vec<Event>, Vec<(Time, Vec<u8>)>)) -> Vec<Event> {
    for event in &mut events {
        let near = |(time, _): &&(Time, Vec<u8>)| (0..3_600).contains(&time.before(event.time));
        event.command = commands.iter().rev().find(near).map(|(_, command)| command.clone());
    }
    events
}
