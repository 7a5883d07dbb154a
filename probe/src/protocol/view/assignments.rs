//! `KEY=value` as shells read it, `key = value`, `KEY value`, `key: value`: default(5) files, locale.conf(5),
//! `/etc/environment`, login.defs(5), nsswitch.conf(5).
//!
//! The key of a line without `=` keeps a space at its end, so that `KEY value` is never taken for `KEY=value`. Quotes are
//! folded where they quote nothing that a shell would read in another way.
//!
//! *Invariant:* a file whose lines depend on each other (a value with `$`, a line that is no assignment) stays in its order;
//! one whose quotes go over several lines is refused.

use super::NotParsed;
use super::spaced::{Pairs, cut, lines, squeeze, trim, word};
use alloc::vec::Vec;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut all = Pairs::default();
    let mut ordered = false;
    for line in lines(bytes)? {
        let line = trim(line);
        if line.is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        if is_open(line) {
            return Err(NotParsed("a value of several lines"));
        }
        ordered |= line.iter().any(|b| matches!(b, b'$' | b'`'));
        if let Some((key, value)) = assignment(line) {
            all.put(&key, &folded(value));
        } else {
            ordered = true;
            let (key, rest) = word(line);
            let rest =
                if rest.iter().any(|b| matches!(b, b'"' | b'\'' | b'\\')) { rest.to_vec() } else { squeeze(rest) };
            all.put(&[key, b" "].concat(), &rest);
        }
    }
    if !ordered {
        all.sort();
    }
    all.text()
}

/// Key and value. A shell takes no blank beside the sign, and its variables are in capitals; others don't mind.
fn assignment(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (exported, rest) = match word(line) {
        (b"export", rest) if !rest.is_empty() => (&b"export "[..], rest),
        _ => (&b""[..], line),
    };
    let at = rest.iter().position(|b| *b == b'=')?;
    let (key, value) = cut(rest, b'=')?;
    let beside = |at: usize| rest.get(at).is_some_and(|b| matches!(b, b' ' | b'\t'));
    let spaced = at.checked_sub(1).is_some_and(beside) || beside(at + 1);
    let is_shell = !key.iter().any(u8::is_ascii_lowercase) || !exported.is_empty();
    let is_name = !key.is_empty() && key.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    (is_name && !(spaced && is_shell)).then(|| ([exported, key].concat(), value))
}

/// Whether a quote or a backslash carries the line on.
fn is_open(line: &[u8]) -> bool {
    let (mut quote, mut escaped) = (0, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote != b'\'' => escaped = true,
            b'"' | b'\'' if quote == 0 => quote = *byte,
            byte if *byte == quote => quote = 0,
            _ => {}
        }
    }
    quote != 0 || escaped
}

/// `'a'` and `"a"` are `a`; `'a b'` is `"a b"`; whatever a shell would look into stays as it is.
fn folded(value: &[u8]) -> Vec<u8> {
    let ([b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\'']) = value else { return value.to_vec() };
    let is_plain = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b',' | b'@' | b'+' | b'%' | b'=')
    };
    if inner.iter().all(is_plain) {
        inner.to_vec()
    } else if inner.iter().any(|b| matches!(b, b'$' | b'`' | b'\\' | b'"' | b'\'' | b'!')) {
        value.to_vec()
    } else {
        [b"\"", inner, b"\""].concat()
    }
}
