//! Sentences of fstab and crypttab.
//!
//! *Invariant:* every field that differs is told; a protection that was dropped weighs most.

use super::{base, told};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

const PROTECTIONS: [&[u8]; 4] = [b"nosuid", b"nodev", b"noexec", b"ro"];

/// One line. The value is device, type and options in fstab, device, key file and options in crypttab.
pub(super) fn sentence(path: &[u8], pair: &Pair<'_>) -> Said {
    let file = shown(base(path), 20);
    let place = shown(pair.key, 40);
    let (before, after) = (told(&pair.before, 60), told(&pair.after, 60));
    match pair.change() {
        Change::Added => Said::new(Code::FstabChanged, Severity::Medium, format!("{file}: {place} added: {after}")),
        Change::Removed => {
            Said::new(Code::FstabChanged, Severity::Medium, format!("{file}: {place} removed: {before}"))
        }
        Change::Changed => {
            let (&[old], &[new]) = (&pair.before[..], &pair.after[..]) else {
                let title = format!("{file}: lines of {place} changed: {after}");
                return Said::new(Code::FstabChanged, Severity::Medium, title);
            };
            one(&file, &place, old, new)
        }
    }
}

fn one(file: &str, place: &str, old: &[u8], new: &[u8]) -> Said {
    let words = |value| <[u8]>::split(value, |byte| *byte == b' ').collect::<Vec<_>>();
    let (old, new) = (words(old), words(new));
    let second = if file == "crypttab" { "key file" } else { "type" };
    let names = ["device", second, "options", "dump", "check order"];
    let mut parts = Vec::new();
    let mut severity = Severity::Medium;
    for (at, name) in names.into_iter().enumerate() {
        let side = |words: &[&[u8]]| words.get(at).map_or_else(String::new, |word| told(&[word], 30));
        let (before, after) = (old.get(at).copied().unwrap_or_default(), new.get(at).copied().unwrap_or_default());
        if before == after {
            continue;
        }
        if at != 2 {
            parts.push(format!("{name} {} -> {}", or_none(side(&old)), or_none(side(&new))));
            continue;
        }
        let (dropped, gained) = (lacking(before, after), lacking(after, before));
        if dropped.iter().any(|option| PROTECTIONS.contains(option)) {
            severity = Severity::High;
        }
        for (options, word) in [(dropped, "dropped"), (gained, "added")] {
            if !options.is_empty() {
                let names: Vec<String> = options.iter().map(|option| told(&[option], 30)).collect();
                parts.push(format!("options {} {word}", names.join(",")));
            }
        }
    }
    let said = Said::new(Code::FstabChanged, severity, format!("{file}: {place} {}", parts.join(", ")));
    if severity == Severity::High {
        said.because("an option that keeps strangers' programs harmless is gone")
    } else {
        said
    }
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Options of these that are not among the others; `defaults` is none.
fn lacking<'a>(these: &'a [u8], others: &'a [u8]) -> Vec<&'a [u8]> {
    let split = |options| <[u8]>::split(options, |byte: &u8| *byte == b',');
    let counts = |option: &&[u8]| !option.is_empty() && *option != b"defaults";
    split(these).filter(counts).filter(|option| !split(others).any(|other| other == *option)).collect()
}
