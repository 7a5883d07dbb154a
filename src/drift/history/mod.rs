//! How it happened, as far as the host's own logs tell.
//!
//! *Invariant:* evidence is shown and never decides: a host could have written what it likes into its logs.

mod command;
mod lines;
mod logins;
mod packages;
mod time;
mod traces;

pub(super) use traces::{asked as traces_asked, find as find_traces};

use super::inquiry::Answers;
use crate::model::text::escape;
use crate::model::{Cause, Change, Code, Finding};
use crate::protocol::reply::{Text, TextState};
use crate::protocol::request::Want;
use crate::protocol::{Attr, System};
use lines::{cut, words};
use logins::{Login, People};
use packages::Event;
use time::Time;

/// The logs, and how much of each one's end is asked for.
pub(super) const LOGS: [(&str, u32); 12] = [
    ("/var/log/apt/history.log", 96 << 10),
    ("/var/log/apt/history.log.1", 32 << 10),
    ("/var/log/auth.log", 128 << 10),
    ("/var/log/dnf.log", 96 << 10),
    ("/var/log/dnf.rpm.log", 96 << 10),
    ("/var/log/dpkg.log", 128 << 10),
    ("/var/log/pacman.log", 96 << 10),
    ("/var/log/secure", 128 << 10),
    ("/var/log/unattended-upgrades/unattended-upgrades.log", 32 << 10),
    // Whole records of 384 bytes.
    ("/var/log/wtmp", 384 * 256),
    ("/var/log/yum.log", 64 << 10),
    ("/var/log/zypp/history", 96 << 10),
];

/// The most files whose times are asked for.
pub(super) const STATS: usize = 200;
/// The most lines of evidence of one finding.
const SHOWN: usize = 6;
/// A login or a command this long before a change may have made it.
const WINDOW: i64 = 3_600;

/// What the logs of one host tell.
#[derive(Debug, Default)]
pub(super) struct Story {
    packages: Vec<Event>,
    people: People,
}

/// Reads the logs that came; `now` is the host's clock.
pub(super) fn read(answers: &Answers, now: Option<i64>) -> Story {
    let mut story = Story::default();
    for (path, most) in LOGS {
        let key = (path.as_bytes().to_vec(), Want::Tail(most));
        let Some(Text { state, bytes }) = answers.texts.get(&key) else { continue };
        let is_cut = match state {
            TextState::Whole => false,
            TextState::Cut => true,
            TextState::NotParsed | TextState::Secret | TextState::Absent | TextState::Unread => continue,
        };
        match path.rsplit('/').next().unwrap_or_default() {
            "dpkg.log" => story.packages.extend(packages::dpkg(bytes, is_cut)),
            "history.log" | "history.log.1" => story.packages.extend(packages::apt(bytes, is_cut)),
            "unattended-upgrades.log" => story.packages.extend(packages::unattended(bytes, is_cut)),
            "history" => story.packages.extend(packages::commanded(packages::zypp(bytes, is_cut))),
            "pacman.log" => story.packages.extend(packages::commanded(packages::pacman(bytes, is_cut))),
            "auth.log" | "secure" => {
                let People { logins, sudo } = logins::auth(bytes, is_cut, now);
                story.people.logins.extend(logins);
                story.people.sudo.extend(sudo);
            }
            "wtmp" => story.people.logins.extend(logins::wtmp(bytes)),
            // dnf and yum, below.
            _ => {}
        }
    }
    story.packages.extend(packages::commanded(rpm(answers, now)));
    story
}

/// dnf writes its packages into one log and its commands into another.
fn rpm(answers: &Answers, now: Option<i64>) -> (Vec<Event>, Vec<(Time, Vec<u8>)>) {
    let mut read = (Vec::new(), Vec::new());
    for (path, most) in LOGS.iter().filter(|(path, _)| path.contains("/dnf") || path.contains("/yum")) {
        let Some(text) = answers.texts.get(&(path.as_bytes().to_vec(), Want::Tail(*most))) else { continue };
        let (events, commands) = packages::rpm(&text.bytes, text.state == TextState::Cut, now);
        read.0.extend(events);
        read.1.extend(commands);
    }
    read
}

/// Adds the stories of the host's logs to findings and causes. `now` is the host's clock, seconds since 1970.
pub(super) fn tell(findings: &mut [Finding], causes: &mut [Cause], answers: &Answers, story: Story, now: Option<i64>) {
    let Story { packages, people } = story;
    let people = people.without_us(now);
    let story = Story { packages, people };
    for finding in findings.iter_mut() {
        match finding.code {
            Code::PackageAdded | Code::PackageRemoved | Code::PackageVersion | Code::PackageState => {
                let told = story.of_package(finding);
                for cause in causes.iter_mut().filter(|cause| cause.subject == finding.subject) {
                    cause.evidence.extend(told.iter().cloned());
                }
                finding.told.evidence.extend(told);
            }
            // What a package brought is told with the package.
            _ if finding.cause.is_some() => {}
            _ => {
                if let Some(path) = finding.path() {
                    let told = story.of_file(path, finding.code, answers);
                    finding.told.evidence.extend(told);
                }
            }
        }
    }
}

impl Story {
    /// `2026-11-19 06:12 apt: unattended-upgrade (nginx 1.22.1-9 -> 1.22.1-10)`, the latest first.
    fn of_package(&self, finding: &Finding) -> Vec<String> {
        let Some((system, name, _)) = System::of(&finding.subject) else { return Vec::new() };
        let of_system = |log: &str| match system {
            System::Dpkg => matches!(log, "apt" | "dpkg" | "unattended-upgrades"),
            System::Rpm => matches!(log, "dnf" | "yum" | "zypp"),
            System::Pacman => log == "pacman",
            System::Apk | System::Snap | System::Flatpak => false,
        };
        let (old, new) = (finding.before.text(Attr::Version), finding.after.text(Attr::Version));
        // dpkg keeps the name of a package whose configuration stayed: only its state tells that it is gone.
        let change = match finding.code {
            Code::PackageState if finding.after.text(Attr::State).is_some_and(|s| s.ends_with(" config-files")) => {
                Change::Removed
            }
            _ => finding.change,
        };
        let fits = |event: &&Event| {
            of_system(event.log) && event.name == name && {
                // A version that is not told is the same as before.
                let is = |logged: Option<&[u8]>, ours: Option<&str>| {
                    ours.is_none() || logged.is_none() || is_version(logged, ours)
                };
                match change {
                    // Another package database entry of the same version may be a rebuild: only the name is known.
                    Change::Added | Change::Changed => {
                        (event.new.is_some() || event.log == "unattended-upgrades") && is(event.new.as_deref(), new)
                    }
                    Change::Removed => event.new.is_none() && is(event.old.as_deref(), old),
                }
            }
        };
        let mut events: Vec<&Event> = self.packages.iter().filter(fits).collect();
        // A log with a command tells more than one without.
        events.sort_by_key(|event| {
            std::cmp::Reverse((event.time.seconds / 600, event.command.is_some(), event.new.is_some(), event.time))
        });
        let Some(best) = events.first() else { return Vec::new() };
        let mut told = vec![best.line()];
        // Who stood behind a command that somebody gave under sudo.
        if best.by.is_none()
            && let Some(sudo) = self.people.sudo.iter().rev().find(|sudo| {
                let named = cut(&sudo.command, name).is_some();
                (0..WINDOW).contains(&sudo.time.before(best.time))
                    && (named || program_of(best) == program(&sudo.command))
            })
        {
            told.push(format!("{} sudo by {}: {}", sudo.time, escape(&sudo.user), command::shown(&sudo.command)));
        }
        told
    }

    /// When it was changed, who was there, and what they did.
    fn of_file(&self, path: &[u8], code: Code, answers: &Answers) -> Vec<String> {
        let Some((modified, changed)) = times(path, answers) else { return Vec::new() };
        let content = matches!(code, Code::ContentChanged | Code::FileAdded) || code >= Code::AccountChanged;
        let when = Time::utc(if content { modified } else { changed });
        let mut told = vec![format!("changed {when}")];
        // A time that was set back tells of nobody; the kernel's own time of change does.
        let moments = [Time::utc(modified), Time::utc(changed)];
        let near = |time: Time| moments.iter().any(|moment| (-60..=WINDOW).contains(&time.before(*moment)));
        let at_work = |event: &&Event| moments.iter().any(|moment| event.time.before(*moment).abs() <= 120);
        if let Some(event) = self.packages.iter().rev().find(at_work) {
            told.push(format!("at that time {}", event.line()));
        }
        let mut logins: Vec<&Login> = self.people.logins.iter().filter(|login| near(login.time)).collect();
        // sshd and the login records tell of one login twice.
        logins.sort();
        logins.dedup_by(|a, b| a.user == b.user && b.time.before(a.time).abs() <= 60);
        for login in logins.iter().rev().take(2) {
            let from =
                if login.from.is_empty() { String::new() } else { format!(" from {}", escape(short(&login.from))) };
            told.push(format!("{} {} logged in{from}", login.time, escape(short(&login.user))));
        }
        let mut sudo: Vec<_> = self.people.sudo.iter().filter(|sudo| near(sudo.time)).collect();
        sudo.sort_by_key(|sudo| (cut(&sudo.command, path).is_some(), sudo.time));
        for sudo in sudo.iter().rev().take(3) {
            told.push(format!(
                "{} sudo by {}: {}",
                sudo.time,
                escape(short(&sudo.user)),
                command::shown(&sudo.command)
            ));
        }
        told.truncate(SHOWN);
        told
    }
}

impl Event {
    fn line(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(", for {}", escape(short(by)))).unwrap_or_default();
        let what = self.command.as_ref().map(|command| format!(" {}", command::shown(command))).unwrap_or_default();
        let name = escape(short(&self.name));
        let version = |version: &Option<Vec<u8>>| version.as_ref().map(|version| escape(short(version)));
        let versions = match (version(&self.old), version(&self.new)) {
            (Some(old), Some(new)) => format!("{name} {old} -> {new}"),
            (None, Some(new)) => format!("{name} {new} installed"),
            (Some(old), None) => format!("{name} {old} removed"),
            (None, None) => name,
        };
        format!("{} {}{by}:{what} ({versions})", self.time, self.log)
    }
}

fn program_of(event: &Event) -> &[u8] {
    event.command.as_deref().map_or(b"", program)
}

fn program(text: &[u8]) -> &[u8] {
    command::program(text)
}

/// Hostile names are long.
fn short(bytes: &[u8]) -> &[u8] {
    bytes.get(..80).unwrap_or(bytes)
}

/// Whether a logged version is that of a record: with or without its epoch.
fn is_version(logged: Option<&[u8]>, ours: Option<&str>) -> bool {
    let (Some(logged), Some(ours)) = (logged.map(escape), ours) else { return false };
    let bare = |text: &str| text.split_once(':').map_or(text, |(_, rest)| rest).to_owned();
    logged == ours || bare(&logged) == bare(ours)
}

/// When a path was last written, where that was asked.
pub(super) fn changed(path: &[u8], answers: &Answers) -> Option<i64> {
    times(path, answers).map(|(modified, _)| modified)
}

/// Times of modification and change of a path, from the probe's `size=.. mtime=.. ctime=.. uid=..`.
fn times(path: &[u8], answers: &Answers) -> Option<(i64, i64)> {
    let text = answers.texts.get(&(path.to_vec(), Want::Stat)).filter(|text| text.state == TextState::Whole)?;
    let field = |name: &[u8]| {
        words(&text.bytes)
            .find_map(|word| std::str::from_utf8(word.strip_prefix(name)?).ok()?.split('.').next()?.parse().ok())
    };
    let modified = field(b"mtime=")?;
    Some((modified, field(b"ctime=").unwrap_or(modified)))
}

#[cfg(test)]
mod tests;
