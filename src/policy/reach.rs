//! How far a scan may go: its roots and its limits.
//!
//! *Invariant:* goes on after a mistake; what it returns without one is a scope that a host can walk.

use super::mistake::Collected;
use super::table::Word;
use super::v1;
use crate::protocol::request::Limits;
use toml::Spanned;

/// The most scope roots of a request.
const ROOTS: usize = 256;

/// Checks the roots of a scan: absolute, plain, none inside another.
pub(super) fn roots(words: Option<&Spanned<Vec<Word>>>, mistakes: &mut Collected) -> Vec<Vec<u8>> {
    let Some(words) = words else {
        return vec![b"/".to_vec()];
    };
    if words.get_ref().is_empty() {
        mistakes.note(words.span(), "a scope without roots scans nothing", "write roots = [\"/\"], or leave it out");
    }
    if let Some(over) = words.get_ref().get(ROOTS) {
        mistakes.note(over.span(), format!("more than {ROOTS} roots"), "name the folder that holds them");
    }
    let mut roots: Vec<Vec<u8>> = Vec::new();
    for word in words.get_ref() {
        let text = word.get_ref().as_str();
        if let Some((message, remedy)) = misshapen(text) {
            mistakes.note(word.span(), message, remedy);
            continue;
        }
        let path = text.as_bytes();
        if let Some(other) = roots.iter().find(|other| within(path, other) || within(other, path)) {
            let other = crate::model::text::escape(other);
            mistakes.note(word.span(), format!("this root and `{other}` overlap"), "keep the outer one");
            continue;
        }
        roots.push(path.to_vec());
    }
    roots.sort();
    roots
}

fn misshapen(root: &str) -> Option<(&'static str, &'static str)> {
    let Some(rest) = root.strip_prefix('/') else {
        return Some(("a root begins with /", "write the whole path"));
    };
    if root.len() > 4_096 || root.contains('\0') {
        return Some(("no path of a file system is like this", "write the path of a folder"));
    }
    if root.contains('*') {
        return Some(("a root is a folder, not a pattern", "name the folder; patterns go into rules"));
    }
    let plain = rest.is_empty() || rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
    (!plain).then_some(("a root is written in its shortest form", "leave out `//`, `.`, `..` and a / at the end"))
}

fn within(path: &[u8], root: &[u8]) -> bool {
    root == b"/" || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Limits, with the defaults of the protocol for those not written.
pub(super) fn limits(raw: &v1::Limits, mistakes: &mut Collected) -> Limits {
    let or = |written: Option<&Spanned<u64>>, default: u64| written.map_or(default, |written| *written.get_ref());
    let mut small = |written: Option<&Spanned<u64>>, default: u32, most: u32, what: &str| {
        let Some(written) = written else {
            return default;
        };
        match u32::try_from(*written.get_ref()) {
            Ok(number) if number <= most => number,
            Ok(_) | Err(_) => {
                mistakes.note(
                    written.span(),
                    format!("{what} beyond what a probe keeps to"),
                    format!("write at most {most}"),
                );
                default
            }
        }
    };
    let default = Limits::default();
    Limits {
        entries: or(raw.entries.as_ref(), default.entries),
        bytes: or(raw.bytes.as_ref(), default.bytes),
        guard_entries: or(raw.guard_entries.as_ref(), default.guard_entries),
        // Set for each comparison: it is a bound of the answer, not of the host.
        guard_records: default.guard_records,
        guard_bytes: or(raw.guard_bytes.as_ref(), default.guard_bytes),
        file_bytes: or(raw.file_bytes.as_ref(), default.file_bytes),
        depth: small(raw.depth.as_ref(), default.depth, 4_096, "a depth"),
        seconds: small(raw.seconds.as_ref(), default.seconds, 86_400, "a time"),
    }
}
