//! Users, groups, passwords and subordinate ids.
//!
//! *Invariant:* what is said of a password is its state, never more.

use super::{Changes, after, file_name, first, members, named, part, words};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// Groups whose members are root, or can become it.
const POWERFUL: [&str; 14] = [
    "root", "sudo", "wheel", "admin", "docker", "podman", "lxd", "incus", "libvirt", "disk", "shadow", "kmem", "adm",
    "staff",
];

/// Hash algorithms that are broken by now.
const WEAK: [&str; 6] = ["md5", "des", "bsdi-des", "nt", "sha1", "other"];

/// A line of passwd.
pub(super) fn user(pair: &Pair<'_>) -> Said {
    let name = named(pair, "user:");
    let about = format!("user {}", shown(name, 32));
    let said = match first(pair) {
        (None, Some(value)) => user_added(name, &about, value),
        (Some(value), None) => {
            let uid = part(value, "uid");
            let severity = if uid == b"0" { Severity::High } else { Severity::Medium };
            Said::new(Code::AccountChanged, severity, format!("{about} removed (uid {})", shown(&uid, 10)))
        }
        (Some(before), Some(after)) => user_changed(&about, before, after, &pair.after),
        (None, None) => Said::new(Code::AccountChanged, Severity::Medium, about),
    };
    match name.first() {
        Some(b'#') => said.because("Some C libraries take this line for a comment, others for an account."),
        Some(b'+' | b'-') => said.because("It takes accounts from the network, or leaves them out."),
        _ => said,
    }
}

fn user_added(name: &[u8], about: &str, value: &[u8]) -> Said {
    let (uid, shell, password) = (part(value, "uid"), part(value, "shell"), part(value, "password"));
    let number = shown(&uid, 10);
    let logs_in = is_login(&shell);
    let (severity, what) = if uid == b"0" {
        (Severity::Critical, "added with uid 0".to_owned())
    } else if password == b"empty" {
        (Severity::Critical, format!("added with an empty password (uid {number})"))
    } else if matches!(name.first(), Some(b'+')) {
        (Severity::Critical, "added: accounts come from the network".to_owned())
    } else if logs_in {
        (Severity::High, format!("added with uid {number} and shell {}", shown(&shell, 40)))
    } else {
        (Severity::Medium, format!("added with uid {number}, without a login shell"))
    };
    let said = Said::new(Code::AccountChanged, severity, format!("{about} {what}"));
    if uid == b"0" { said.because("Whoever is this user is root.") } else { said }
}

fn user_changed(about: &str, before: &[u8], after: &[u8], all: &[&[u8]]) -> Said {
    let mut changes = Changes::new();
    let (old, new) = (part(before, "uid"), part(after, "uid"));
    let id = if new == b"0" { Severity::Critical } else { shift(&old, &new, Severity::High) };
    changes.differ(before, after, "uid", id);
    let (old_group, new_group) = (part(before, "gid"), part(after, "gid"));
    let group = if new_group == b"0" { Severity::High } else { shift(&old_group, &new_group, Severity::Medium) };
    changes.differ(before, after, "gid", group);
    let shell = (is_login(&part(before, "shell")), is_login(&part(after, "shell")));
    changes.differ(before, after, "shell", if shell == (false, true) { Severity::High } else { Severity::Medium });
    changes.differ(before, after, "home", Severity::Medium);
    let empty = part(after, "password") == b"empty";
    changes.differ(before, after, "password", if empty { Severity::Critical } else { Severity::High });
    changes.differ(before, after, "gecos", Severity::Low);
    let (was, is) = (part(before, "also"), part(after, "also"));
    if was != is && !is.is_empty() {
        let severity = if new == b"0" { Severity::Critical } else { Severity::Medium };
        changes.note(severity, format!("shares its uid with {}", shown(&is, 32)));
    } else if was != is {
        changes.note(Severity::Medium, format!("shares its uid with {} no more", shown(&was, 32)));
    }
    // A later line of the same name has no effect as long as the first is there.
    if changes.0.is_empty() && all.iter().any(|line| part(line, "uid") == b"0") {
        changes.note(Severity::High, "another line of the same name, with uid 0".to_owned());
    }
    changes.said(Code::AccountChanged, about)
}

/// Ids of system accounts are given out in the order of installation, so that another one says little.
fn shift(before: &[u8], after: &[u8], else_: Severity) -> Severity {
    let number = |id: &[u8]| std::str::from_utf8(id).ok().and_then(|id| id.parse::<u32>().ok());
    let system = |id: Option<u32>| id.is_some_and(|id| (100..1000).contains(&id));
    if system(number(before)) && system(number(after)) { Severity::Low } else { else_ }
}

/// Whether a shell lets its user work; no shell is `/bin/sh`.
fn is_login(shell: &[u8]) -> bool {
    !matches!(file_name(shell), b"nologin" | b"false" | b"sync" | b"halt" | b"shutdown" | b"true")
}

/// A line of group.
pub(super) fn group(pair: &Pair<'_>) -> Said {
    let name = named(pair, "group:");
    let about = format!("group {}", shown(name, 32));
    let powerful = std::str::from_utf8(name).is_ok_and(|name| POWERFUL.contains(&name));
    let code = Code::GroupChanged;
    match first(pair) {
        (None, Some(value)) => {
            let (gid, list) = (part(value, "gid"), part(value, "members"));
            let severity = match () {
                () if gid == b"0" || part(value, "password") == b"empty" => Severity::High,
                () if powerful && !list.is_empty() => Severity::High,
                () if list.is_empty() => Severity::Low,
                () => Severity::Medium,
            };
            let members = if list.is_empty() { String::new() } else { format!(": {}", shown(&list, 50)) };
            Said::new(code, severity, format!("{about} added with gid {}{members}", shown(&gid, 10)))
        }
        (Some(value), None) => {
            Said::new(code, Severity::Medium, format!("{about} removed (gid {})", shown(&part(value, "gid"), 10)))
        }
        (Some(before), Some(after)) => {
            let mut changes = Changes::new();
            if let Some((come, text)) = members(before, after, "members") {
                changes.note(if powerful && come { Severity::High } else { Severity::Medium }, text);
            }
            let (old, new) = (part(before, "gid"), part(after, "gid"));
            let id = if new == b"0" { Severity::High } else { shift(&old, &new, Severity::Medium) };
            changes.differ(before, after, "gid", id);
            changes.differ(before, after, "password", Severity::High);
            changes.differ(before, after, "also", Severity::Medium);
            if changes.0.is_empty() && powerful {
                changes.note(Severity::High, "another line of the same name, whose members count too".to_owned());
            }
            let said = changes.said(code, &about);
            if powerful && said.severity >= Severity::High {
                return said.because("Members of this group can become root, or read what only root may.");
            }
            said
        }
        (None, None) => Said::new(code, Severity::Medium, about),
    }
}

/// A line of shadow.
pub(super) fn password(pair: &Pair<'_>) -> Said {
    let name = named(pair, "user:");
    let about = format!("password of {}", shown(name, 32));
    let code = Code::PasswordChanged;
    match first(pair) {
        (None, Some(value)) => {
            let severity = match &part(value, "password")[..] {
                b"empty" => Severity::Critical,
                b"set" => Severity::High,
                _ => Severity::Low,
            };
            Said::new(code, severity, format!("{about} added: {}", state(value)))
        }
        (Some(value), None) => Said::new(code, Severity::Low, format!("{about} removed: {}", state(value))),
        (Some(before), Some(after)) => {
            let mut changes = Changes::new();
            let (old, new) = (part(before, "password"), part(after, "password"));
            let (was, is) = (part(before, "algorithm"), part(after, "algorithm"));
            if old != new {
                let severity = match &new[..] {
                    b"empty" => Severity::Critical,
                    b"set" => Severity::High,
                    _ => Severity::Medium,
                };
                changes.note(severity, format!("{} -> {}", shown(&old, 10), shown(&new, 10)));
            } else if was != is {
                let weak = std::str::from_utf8(&is).is_ok_and(|is| WEAK.contains(&is));
                let severity = if weak { Severity::High } else { Severity::Medium };
                changes.note(severity, format!("algorithm {} -> {}", shown(&was, 16), shown(&is, 16)));
            }
            for days in ["min", "max", "warn", "inactive", "expire"] {
                changes.differ(before, after, days, Severity::Medium);
            }
            if part(before, "change") != part(after, "change") {
                let text = match &part(after, "change")[..] {
                    b"forced" => "must be changed at the next login",
                    b"off" => "ageing is off",
                    _ => "need not be changed at once",
                };
                changes.note(Severity::Medium, text.to_owned());
            }
            changes.differ(before, after, "flag", Severity::Low);
            changes.said(code, &about)
        }
        (None, None) => Said::new(code, Severity::Medium, about),
    }
}

/// `set (yescrypt)`.
fn state(value: &[u8]) -> String {
    let (state, algorithm) = (part(value, "password"), part(value, "algorithm"));
    if algorithm == b"none" { shown(&state, 10) } else { format!("{} ({})", shown(&state, 10), shown(&algorithm, 16)) }
}

/// A line of gshadow.
pub(super) fn group_password(pair: &Pair<'_>) -> Said {
    let about = format!("group {}", shown(named(pair, "group:"), 32));
    let code = Code::GroupChanged;
    let (before, after) = first(pair);
    match pair.change() {
        Change::Added => {
            let value = after.unwrap_or_default();
            let severity = if matches!(&part(value, "password")[..], b"set") { Severity::High } else { Severity::Low };
            Said::new(code, severity, format!("{about} added to gshadow, its password: {}", state(value)))
        }
        Change::Removed => Said::new(code, Severity::Low, format!("{about} removed from gshadow")),
        Change::Changed => {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let mut changes = Changes::new();
            changes.differ(before, after, "password", Severity::High);
            changes.differ(before, after, "algorithm", Severity::Medium);
            if let Some((_, text)) = members(before, after, "admins") {
                changes.note(Severity::High, format!("administrator {text}"));
            }
            if let Some((_, text)) = members(before, after, "members") {
                changes.note(Severity::Medium, format!("{text} (gshadow)"));
            }
            changes.said(code, &about)
        }
    }
}

/// Ranges of subuid or subgid.
pub(super) fn range(path: &[u8], pair: &Pair<'_>) -> Said {
    let what = if file_name(path).starts_with(b"subgid") { "subordinate gids" } else { "subordinate uids" };
    let about = format!("{what} of {}", shown(named(pair, "range:"), 32));
    let text = |values: &[&[u8]]| {
        let range =
            |value: &&[u8]| format!("{}+{}", shown(&part(value, "start"), 10), shown(&part(value, "count"), 10));
        values.iter().map(range).collect::<Vec<String>>().join(" and ")
    };
    let (gone, come) = pair.only();
    // A range over real users makes whoever has it all of them.
    let real = |value: &&[u8]| {
        let start = words(value).iter().find_map(|word| after(word, "start").map(<[u8]>::len));
        start.is_some_and(|digits| digits < 5)
    };
    let severity = if come.iter().any(real) { Severity::Critical } else { Severity::Medium };
    let title = match (come.is_empty(), gone.is_empty()) {
        (false, true) => format!("{about} added: {}", text(&come)),
        (true, _) => format!("{about} removed: {}", text(&gone)),
        (false, false) => format!("{about}: {} -> {}", text(&gone), text(&come)),
    };
    let said = Said::new(Code::PasswordChanged, severity, title);
    if severity == Severity::Critical {
        return said.because("The range covers ids of real users: they can act as them in a namespace.");
    }
    said
}
