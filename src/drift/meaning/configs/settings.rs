//! Sentences of settings that are lines or assignments, and of what is this host's own.
//!
//! *Invariant:* a file whose meaning is not known here is told by its name and its key, never by a guess.

use super::sources::has;
use super::{base, change, told};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// Lines that differ, all of them in one record.
pub(super) fn lines(path: &[u8], pair: &Pair<'_>) -> Said {
    let (before, after) = pair.only();
    if path == b"/etc/ld.so.preload" {
        let title = change("library that every program loads", pair);
        return Said::new(Code::SettingChanged, Severity::Critical, title)
            .because("the loader puts it into every program, those of root included");
    }
    if path == b"/etc/ld.so.conf" || has(path, b"/ld.so.conf.d/") || has(path, b"/ld-musl-") {
        return Said::new(Code::SettingChanged, Severity::High, change("loader: library path", pair))
            .because("libraries of that folder can take the place of the system's");
    }
    if path == b"/etc/timezone" {
        return Said::new(Code::SettingChanged, Severity::Low, change("time zone", pair));
    }
    let command_line = has(path, b"/cmdline") || has(path, b"/loader/entries/") || has(path, b"grub");
    let code = if command_line { Code::KernelChanged } else { Code::SettingChanged };
    let name = shown(base(path), 40);
    let title = match (before.as_slice(), after.as_slice()) {
        ([], []) => format!("{name}: lines in another order"),
        ([_], [_]) => change(&format!("{name}:"), pair),
        ([], [one]) => format!("{name}: line added: {}", told(&[one], 60)),
        ([one], []) => format!("{name}: line removed: {}", told(&[one], 60)),
        ([], [one, more @ ..]) => format!("{name}: {} lines added: {} ...", more.len() + 1, told(&[one], 40)),
        ([one, more @ ..], []) => format!("{name}: {} lines removed: {} ...", more.len() + 1, told(&[one], 40)),
        (gone, [one, ..]) => {
            format!("{name}: {} lines removed, {} added: {} ...", gone.len(), after.len(), told(&[one], 30))
        }
    };
    Said::new(code, Severity::Medium, title)
}

/// `KEY=value`.
pub(super) fn assignment(path: &[u8], pair: &Pair<'_>) -> Said {
    let key = pair.key.trim_ascii_end();
    let name = shown(base(path), 30);
    let what = format!("{name}: {}", shown(key.strip_suffix(b":").unwrap_or(key), 40));
    let title = change(&what, pair);
    let variable = key.strip_prefix(b"export ").unwrap_or(key);
    let said = |code, severity| Said::new(code, severity, title.clone());
    if matches!(variable, b"PATH" | b"BASH_ENV" | b"ENV" | b"PROMPT_COMMAND" | b"PYTHONPATH" | b"PERL5LIB")
        || variable.starts_with(b"LD_")
    {
        return said(Code::SettingChanged, Severity::High).because("it decides which programs and libraries are run");
    }
    if base(path) == b"nsswitch.conf" {
        let accounts = [&b"passwd"[..], b"shadow", b"group", b"sudoers", b"initgroups"];
        return if accounts.iter().any(|word| key.starts_with(word)) {
            said(Code::SettingChanged, Severity::High).because("it decides where accounts come from")
        } else {
            said(Code::ResolverChanged, Severity::Medium)
        };
    }
    let has_selinux = matches!(key, b"SELINUX" | b"SELINUXTYPE");
    if has_selinux && pair.change() != Change::Added {
        return said(Code::SettingChanged, Severity::High).because("mandatory access control is not what it was");
    }
    if key.starts_with(b"GRUB_CMDLINE") {
        return said(Code::KernelChanged, Severity::High).because("the kernel's command line switches its protections");
    }
    let locale = key.starts_with(b"LC_") || matches!(key, b"LANG" | b"LANGUAGE" | b"KEYMAP" | b"XKBLAYOUT" | b"FONT");
    said(Code::SettingChanged, if locale { Severity::Low } else { Severity::Medium })
}

/// A line of update-alternatives' own file.
pub(super) fn alternative(path: &[u8], pair: &Pair<'_>) -> Said {
    let what = format!("alternative {}: {}", shown(base(path), 30), shown(pair.key, 50));
    Said::new(Code::AlternativeChanged, Severity::Low, change(&what, pair))
}

/// A field of a stanza.
pub(super) fn stanza(path: &[u8], pair: &Pair<'_>) -> Said {
    if let Some(package) = pair.key.strip_suffix(b" Auto-Installed") {
        let package = shown(package, 50);
        let title = if pair.after.iter().any(|value| *value == b"1") {
            format!("package {package} counts as installed for others, not by hand")
        } else {
            format!("package {package} counts as installed by hand")
        };
        return Said::new(Code::SettingChanged, Severity::Low, title);
    }
    let what = format!("{}: {}", shown(base(path), 30), shown(pair.key, 50));
    Said::new(Code::SettingChanged, Severity::Medium, change(&what, pair))
}

/// Whether the hardware clock runs in UTC.
pub(super) fn clock(pair: &Pair<'_>) -> Said {
    Said::new(Code::SettingChanged, Severity::Low, change("hardware clock", pair))
}

/// A machine id, a host's key, an id that was made for this host: the views tell their form alone.
pub(super) fn identity(path: &[u8], pair: &Pair<'_>) -> Said {
    let what = format!("{}: {}", shown(base(path), 40), shown(pair.key, 20));
    let severity = if pair.key == b"comment" { Severity::Low } else { Severity::Medium };
    Said::new(Code::SettingChanged, severity, change(&what, pair))
}
