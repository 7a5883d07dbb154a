//! Keys that may log in, and PAM.
//!
//! *Invariant:* a key is told by its fingerprint.

use super::{after, file_name, first, part, words};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// A line of `authorized_keys`.
pub(super) fn key(path: &[u8], pair: &Pair<'_>) -> Said {
    let user = user_of(path);
    // A file that is nobody's is named whole: it says which account it is about.
    let who = shown(user, if user == path { 60 } else { 24 });
    let of = |value: &[u8]| {
        let comment = part(value, "comment");
        if comment.is_empty() { String::new() } else { format!(" ({})", shown(&comment, 24)) }
    };
    let print = shown(pair.key, 50);
    let grave = if user == b"root" || user == b"toor" { Severity::Critical } else { Severity::High };
    let (before, after_) = first(pair);
    match (before, after_) {
        (None, Some(value)) => {
            let said =
                Said::new(Code::KeyChanged, grave, format!("{who} may be logged in to with key {print}{}", of(value)));
            match options(value).join(", ") {
                none if none.is_empty() => said,
                some => said.because(&format!("Its options: {}", crate::drift::meaning::elide(&some, 300))),
            }
        }
        (Some(value), None) => Said::new(
            Code::KeyChanged,
            Severity::Medium,
            format!("{who} may no longer be logged in to with key {print}{}", of(value)),
        ),
        (Some(before), Some(after)) => {
            let (old, new) = (options(before), options(after));
            let only = |these: &[String], others: &[String]| -> Vec<String> {
                these.iter().filter(|option| !others.contains(option)).cloned().collect()
            };
            let (gone, come) = (only(&old, &new), only(&new, &old));
            let (severity, what) = match (gone.is_empty(), come.is_empty()) {
                (false, _) => (grave, format!("option {} removed", gone.join(", "))),
                (true, false) => (Severity::High, format!("option {} added", come.join(", "))),
                (true, true) if old != new => (Severity::High, "options in another order".to_owned()),
                (true, true) if part(before, "comment") != part(after, "comment") => {
                    (Severity::Low, format!("comment{} ->{}", of(before), of(after)))
                }
                (true, true) => (Severity::Medium, "given another number of times".to_owned()),
            };
            let print = crate::drift::meaning::elide(&print, 20);
            Said::new(Code::KeyChanged, severity, format!("key {print} of {who}: {what}"))
        }
        (None, None) => Said::new(Code::KeyChanged, Severity::High, format!("key {print} of {who}")),
    }
}

fn options(value: &[u8]) -> Vec<String> {
    words(value).iter().filter_map(|word| after(word, "option")).map(|option| shown(option, 60)).collect()
}

/// Whose keys or jobs a file holds, by its place.
fn user_of(path: &[u8]) -> &[u8] {
    let mut places = path.split(|byte| *byte == b'/').skip(1);
    match (places.next(), places.next()) {
        (Some(b"root"), _) => b"root",
        (Some(b"home"), Some(user)) => user,
        (Some(b"etc"), _) => match path.rsplit(|byte| *byte == b'/').next() {
            Some(name) if !name.starts_with(b"authorized_keys") => name,
            Some(_) | None => path,
        },
        (Some(_) | None, _) => path,
    }
}

/// Lines of one type in one file of pam.d.
pub(super) fn pam(path: &[u8], pair: &Pair<'_>) -> Said {
    let about = format!("PAM {}: {}", shown(file_name(path), 24), shown(pair.key, 24));
    let (gone, come) = pair.only();
    let line = |value: &[u8]| shown(&words(value).join(&b" "[..]), 50);
    let is_auth = pair.key.ends_with(b"auth") || pair.key == b"@include";
    let added = come.iter().map(|value| weight(value, is_auth)).max();
    let removed = gone.iter().map(|_| if is_auth { Severity::High } else { Severity::Medium }).max();
    let more = |count: usize| if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    let severity = added.max(removed).unwrap_or(Severity::High);
    let title = match (&gone[..], &come[..]) {
        ([], []) => format!("{about} lines stand in another order"),
        ([], [first, ..]) => {
            let gravest = come.iter().max_by_key(|value| weight(value, is_auth)).unwrap_or(first);
            format!("{about} line added: {}{}", line(gravest), more(come.len()))
        }
        ([first, ..], []) => format!("{about} line removed: {}{}", line(first), more(gone.len())),
        ([old, ..], [new, ..]) => {
            let line = |value: &[u8]| shown(&words(value).join(&b" "[..]), 30);
            format!("{about}: {} -> {}{}", line(old), line(new), more(gone.len().max(come.len())))
        }
    };
    let said = Said::new(Code::PamChanged, severity, title);
    if severity == Severity::Critical {
        return said.because("It can let people in without proof, or run a program at each login.");
    }
    match pair.change() {
        Change::Removed if is_auth => said.because("What it demanded at a login is no longer demanded."),
        Change::Removed | Change::Added | Change::Changed => said,
    }
}

/// What an added line weighs.
fn weight(value: &[u8], is_auth: bool) -> Severity {
    let words = words(value);
    let module = |name: &[u8]| words.iter().any(|word| file_name(word) == name);
    // Debian's own files end with a required pam_permit, which lets nobody in that others refuse.
    let decides = !words.iter().any(|word| matches!(&word[..], b"required" | b"requisite" | b"optional"));
    let elsewhere = words.iter().any(|word| word.starts_with(b"/") && word.ends_with(b".so"));
    match () {
        () if is_auth && decides && module(b"pam_permit.so") => Severity::Critical,
        () if module(b"pam_exec.so") || module(b"pam_script.so") || elsewhere => Severity::Critical,
        () => Severity::High,
    }
}
