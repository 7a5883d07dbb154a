//! Which subjects a pattern names, and whether it names too many.
//!
//! *Invariant:* a pattern without wildcards is never too broad, and one that names nothing of what it means always is.

use super::Subjects;
use crate::protocol::Pattern;

/// Bytes of its own that one name in a pattern must have.
const LEAST: usize = 2;

/// Why a text names no subjects.
pub(super) struct Unfit {
    /// What is wrong.
    pub(super) message: String,
    /// What to write instead.
    pub(super) remedy: &'static str,
}

/// Reads `NAMESPACE:PATTERN`.
pub(super) fn subjects(text: &str) -> Result<Subjects, Unfit> {
    let unfit = |message: &str, remedy| Err(Unfit { message: message.to_owned(), remedy });
    let Some((namespace, rest)) = text.split_once(':') else {
        let wild = text.bytes().all(|b| matches!(b, b'*' | b'?' | b'/'));
        return if wild {
            unfit(BROAD, NARROWER)
        } else {
            unfit("a subject begins with what kind of thing it is", "fs:/path, pkg:NAME, mount:/path, record:/file#KEY")
        };
    };
    if namespace.contains(['*', '?', '[']) {
        return unfit(BROAD, NARROWER);
    }
    if namespace.is_empty() || !namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return unfit("no kind of thing has this name", "fs:/path, pkg:NAME, mount:/path, record:/file#KEY");
    }
    let rooted = !rest.starts_with('/');
    let pattern = if rooted { format!("/{rest}") } else { rest.to_owned() };
    let pattern = match Pattern::new(pattern.as_bytes()) {
        Ok(pattern) => pattern,
        Err(error) => {
            return unfit(error.0, "`*` and `?` stay within a name, `**` stands for whole folders");
        }
    };
    if is_broad(namespace, rest.as_bytes()) {
        return unfit(BROAD, NARROWER);
    }
    Ok(Subjects { namespace: namespace.to_owned(), rest: pattern, rooted })
}

const BROAD: &str = "over-broad: this pattern covers whatever there is";
const NARROWER: &str = "name the folder, file or package that is meant";

/// Whether no name in a pattern says what is meant.
fn is_broad(namespace: &str, rest: &[u8]) -> bool {
    // A package's name ends at the colon: the architecture says nothing of which package it is.
    let named = if namespace == "pkg" { rest.split(|b| *b == b':').next().unwrap_or_default() } else { rest };
    let least = if namespace == "pkg" { 1 } else { LEAST };
    let wild = rest.iter().any(|b| matches!(b, b'*' | b'?' | b'['));
    wild && named.split(|b| *b == b'/').all(|name| literals(name) < least)
}

/// Bytes of a name that stand for themselves.
fn literals(name: &[u8]) -> usize {
    let (mut count, mut class, mut escaped) = (0, false, false);
    for byte in name {
        match byte {
            _ if escaped => (count, escaped) = (count + usize::from(!class), false),
            b'\\' => escaped = true,
            b'[' => class = true,
            b']' => class = false,
            b'*' | b'?' => {}
            _ => count += usize::from(!class),
        }
    }
    count
}
