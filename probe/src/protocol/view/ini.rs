//! Sections of `Key=value`: systemd.syntax(7), `NetworkManager`'s key files, lists of repositories, pacman.conf.
//!
//! A field is `[Section] Key`; the second section of one name is `[Section]#2`, since two `[Route]` are two routes. A line
//! without `=` has its section for a key.
//!
//! systemd's own files have sections like `[Service]`, one capitalised word: there keys and sections come in any order, a
//! backslash joins lines, and an empty `ExecStart=` or `Environment=` drops what stood before it. Programs that read other
//! sections mind order (pacman's repositories) or indentation (yum's lists), so these are kept.
//!
//! *Invariant:* settings that a program could tell apart are never folded: values of one key stay in their order, and a
//! section with any other empty assignment, which may reset its neighbours, stays as it was written.

use super::NotParsed;
use super::lines::{Fields, Order, Part, decimal};
use super::spaced::{Pairs, cut, goes_on, lines, trim, trim_start};
use crate::protocol::order;
use alloc::vec::Vec;

/// More sections than any file has that a person wrote.
const SECTIONS: usize = 4096;

struct Section {
    name: Vec<u8>,
    label: Vec<u8>,
    systemd: bool,
    pairs: Pairs,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut sections = Vec::new();
    let mut open = Section { name: Vec::new(), label: Vec::new(), systemd: false, pairs: Pairs::default() };
    let mut rows = lines(bytes)?;
    while let Some(row) = rows.next() {
        let systemd = open.systemd;
        let started = trim_start(row);
        let comment = |line: &[u8]| matches!(line.first(), Some(b'#' | b';'));
        if trim(row).is_empty() || comment(if systemd { started } else { row }) {
            continue;
        }
        if !systemd
            && started.len() < row.len()
            && let Some((_, value)) = open.pairs.0.last_mut()
        {
            value.push(b'\n');
            value.extend_from_slice(trim(row));
            continue;
        }
        if started.first() == Some(&b'[') {
            let name = trim(row).strip_prefix(b"[").and_then(|line| line.strip_suffix(b"]"));
            let name = name.filter(|name| !name.iter().any(|b| matches!(b, b'[' | b']')));
            let name = name.ok_or(NotParsed("a section's name that does not end"))?;
            let next = titled(name, &sections, &open)?;
            sections.push(core::mem::replace(&mut open, next));
            continue;
        }
        let mut line = started.to_vec();
        'joined: while systemd && goes_on(&line) {
            line.pop();
            line.push(b' ');
            loop {
                let Some(next) = rows.next() else { break 'joined };
                let next = trim_start(next);
                if !comment(next) {
                    line.extend_from_slice(next);
                    break;
                }
            }
        }
        match cut(&line, b'=').filter(|(key, _)| !key.is_empty()) {
            Some((key, value)) => open.pairs.put(key, value),
            None => open.pairs.put(b"", trim(&line)),
        }
    }
    sections.push(open);
    written(sections)
}

/// A section after those before it.
fn titled(name: &[u8], before: &[Section], open: &Section) -> Result<Section, NotParsed> {
    if before.len() >= SECTIONS {
        return Err(NotParsed("more sections than a view reads"));
    }
    let mut label = [b"[", name, b"]"].concat();
    let same = before.iter().filter(|section| section.name == name).count() + usize::from(open.name == name);
    if same > 0 && !name.is_empty() {
        label.push(b'#');
        decimal(same + 1, &mut label);
    }
    Ok(Section { name: name.to_vec(), label, systemd: is_systemd(name), pairs: Pairs::default() })
}

fn is_systemd(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().all(u8::is_ascii_alphanumeric)
}

/// Settings of which an empty assignment drops those of the same name, and nothing else.
fn resets(key: &[u8]) -> bool {
    key.starts_with(b"Exec") || key.starts_with(b"Environment")
}

fn written(mut sections: Vec<Section>) -> Result<Vec<u8>, NotParsed> {
    let of_systemd = |section: &Section| section.systemd || section.name.is_empty() && section.pairs.0.is_empty();
    if sections.iter().all(of_systemd) {
        order::sort(&mut sections, |a, b| a.name.cmp(&b.name));
    }
    let mut all = Fields::new(Order::AsWritten);
    for mut section in sections {
        let mut pairs = section.pairs.0.iter();
        // The order of a socket's addresses is that of the descriptors which its service is given.
        let free =
            section.systemd && section.name != b"Socket" && pairs.all(|(key, value)| !value.is_empty() || resets(key));
        if free {
            section.pairs.sort();
        }
        let mut kept: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (key, value) in section.pairs.0 {
            if free && value.is_empty() {
                while kept.last().is_some_and(|(before, _)| *before == key) {
                    kept.pop();
                }
            }
            kept.push((key, value));
        }
        // To systemd a section without settings is none.
        if kept.is_empty() && !section.systemd && !section.name.is_empty() {
            all.put(&section.label, b"");
        }
        for (key, value) in kept {
            let label = section.label.as_slice();
            let between: &[u8] = if label.is_empty() || key.is_empty() { b"" } else { b" " };
            all.put_parts(&[Part::Text(label), Part::Text(between), Part::Text(&key)], &[Part::Text(&value)]);
        }
    }
    all.finish()
}
