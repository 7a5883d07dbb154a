//! Masking: what looks like a secret leaves a text before anything else reads it.
//!
//! Values of keys that name a secret, passwords in URLs and on command lines, tokens of known issuers, password hashes,
//! PEM bodies, and long strings that look random. It is made for the side of too much: a masked word that was none costs a
//! detail of a diff.
//!
//! *Invariant:* pure, deterministic, and linear in the text; equal texts are masked alike, so that a diff of masked texts
//! shows no difference that was not there.

mod commands;
mod secret_words;
mod tokens;

use crate::protocol::request::Want;
use secret_words::{Strength, is_plain, is_weakly_plain, strength};
use std::ops::Range;

/// What stands in the place of a secret.
pub const MASKED: &[u8] = b"[masked]";

/// Masks the answer to a question. A view that leaves secrets out by itself is left as it is: its fingerprints and
/// algorithms are what is told. So is a login record, which has no lines.
#[must_use]
pub fn of_want(want: Want, bytes: &[u8]) -> Vec<u8> {
    match want {
        Want::View(view) if view.is_public() => bytes.to_vec(),
        Want::Tail(_) if bytes.contains(&0) => bytes.to_vec(),
        Want::Stat => bytes.to_vec(),
        Want::View(_) | Want::Head(_) | Want::Tail(_) => text(bytes),
    }
}

/// Masks a text.
#[must_use]
pub fn text(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut state = State::Plain;
    for whole in bytes.split_inclusive(|b| *b == b'\n') {
        let (line, end) = whole.strip_suffix(b"\n").map_or((whole, &b""[..]), |line| (line, &b"\n"[..]));
        state = match state {
            State::Pem if find(line, b"-----END").is_some() => {
                masked(line, &mut Vec::new(), &mut out);
                out.extend_from_slice(end);
                State::Plain
            }
            State::Pem => State::Pem,
            State::Below(indent) if line.iter().all(u8::is_ascii_whitespace) || indent_of(line) > indent => {
                if !line.iter().all(u8::is_ascii_whitespace) {
                    out.extend_from_slice(&line[..indent_of(line)]);
                    out.extend_from_slice(MASKED);
                }
                out.extend_from_slice(end);
                State::Below(indent)
            }
            State::Continued => {
                out.extend_from_slice(MASKED);
                out.extend_from_slice(end);
                if line.ends_with(b"\\") { State::Continued } else { State::Plain }
            }
            State::Plain | State::Below(_) => {
                let (mut spans, mut next) = (Vec::new(), State::Plain);
                tokens::spans(line, &mut spans);
                next = keyed(line, &mut spans).unwrap_or(next);
                fields(line, &mut spans);
                commands::spans(line, &mut spans);
                if let Some(at) = find(line, b"-----BEGIN ") {
                    let rest = line.get(at + 11..).unwrap_or_default();
                    let body = find(rest, b"-----").map_or(line.len(), |dashes| at + 11 + dashes + 5);
                    spans.push(body..find(line, b"-----END").filter(|to| *to >= body).unwrap_or(line.len()));
                    if find(line, b"-----END").is_none() {
                        next = State::Pem;
                    }
                }
                masked(line, &mut spans, &mut out);
                out.extend_from_slice(end);
                if next == State::Pem {
                    // The body, however many lines it has.
                    out.extend_from_slice(MASKED);
                    out.extend_from_slice(end);
                }
                next
            }
        };
    }
    out
}

/// What the lines before say of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Plain,
    /// It is in a PEM block.
    Pem,
    /// It belongs to a key that names a secret where it is indented deeper than this.
    Below(usize),
    /// It continues a secret's line.
    Continued,
}

fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

fn find(line: &[u8], word: &[u8]) -> Option<usize> {
    line.windows(word.len()).position(|window| window == word)
}

/// Appends the line with the spans replaced; spans that meet become one.
fn masked(line: &[u8], spans: &mut Vec<Range<usize>>, out: &mut Vec<u8>) {
    spans.retain(|span| span.start < span.end);
    spans.sort_by_key(|span| span.start);
    let mut at = 0;
    for span in spans {
        let end = span.end.min(line.len());
        if end <= at {
            continue;
        }
        let from = span.start.max(at);
        out.extend_from_slice(line.get(at..from).unwrap_or_default());
        // In the text of a view a tab parts key and value.
        for (number, part) in line.get(from..end).unwrap_or_default().split(|b| *b == b'\t').enumerate() {
            if number > 0 {
                out.push(b'\t');
            }
            let is_rest = number == 0 && from > span.start;
            if !part.is_empty() && !is_rest {
                out.extend_from_slice(MASKED);
            }
        }
        at = end;
    }
    out.extend_from_slice(line.get(at..).unwrap_or_default());
}

/// Whether the word that begins there is the line's first, but for marks of comments, lists and shells.
fn is_first(line: &[u8], at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    let before = before.trim_ascii_start();
    let before = before.trim_ascii_start().strip_prefix(b"#").unwrap_or(before).trim_ascii();
    let marks = before.iter().all(|b| matches!(b, b'#' | b';' | b'-' | b'"' | b'\'' | b'*' | b'{' | b',' | b' '));
    marks || matches!(before, b"export" | b"set" | b"setenv" | b"ENV" | b"define(" | b"- name:")
}

/// Where the quoted string ends whose first byte is there.
fn quoted_end(line: &[u8], from: usize, quote: u8) -> usize {
    let mut is_escaped = false;
    for (at, byte) in line.iter().enumerate().skip(from) {
        match *byte {
            b'\\' if !is_escaped => is_escaped = true,
            byte if byte == quote && !is_escaped => return at,
            _ => is_escaped = false,
        }
    }
    line.len()
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The longest key that is looked at.
const KEY_MAX: usize = 80;

/// Values after `=`, `:`, `=>`, `<key>`, or a quoted string right after the key; tells what follows on the next lines.
fn keyed(line: &[u8], spans: &mut Vec<Range<usize>>) -> Option<State> {
    let mut next = None;
    let mut done = 0;
    // Rules of audit: `-F key=name`.
    let is_rule = line.starts_with(b"-");
    for (at, byte) in line.iter().enumerate() {
        if at < done || !matches!(byte, b'=' | b':' | b'>' | b' ' | b'\t') {
            continue;
        }
        let before = line.get(..at).unwrap_or_default();
        let key_end = if matches!(byte, b' ' | b'\t') {
            at
        } else {
            let trimmed = before.iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'"' | b'\'' | b']' | b'+' | b'?'));
            trimmed.map_or(0, |last| last + 1)
        };
        let head = before.get(..key_end).unwrap_or_default();
        let long = head.iter().rev().take(KEY_MAX).take_while(|b| is_key_byte(**b)).count();
        let key = head.get(key_end - long..).unwrap_or_default();
        let key_start = key_end - long;
        let is_tag = *byte == b'>' && key_start > 0 && line.get(key_start - 1) == Some(&b'<');
        // A tag of sudoers(5).
        let is_tag_of_sudo = key == b"PASSWD" && *byte == b':';
        let strength = strength(key);
        // `key` and `auth` alone are also words.
        let is_bare = strength == Strength::Weak && (matches!(byte, b' ' | b'\t' | b'>') || is_rule);
        if strength == Strength::None || is_bare || is_tag_of_sudo || *byte == b'>' && !is_tag {
            continue;
        }
        let is_weak = strength != Strength::Strong;
        let skip = |b: &u8| matches!(b, b' ' | b'\t' | b'=' | b':' | b'>');
        let from = at + line.iter().skip(at).take_while(|b| skip(b)).count();
        let first = line.get(from).copied();
        let (from, to) = match first {
            Some(quote @ (b'"' | b'\'' | b'`')) => (from + 1, quoted_end(line, from + 1, quote)),
            // A key and words: `fields` looks at those.
            _ if matches!(byte, b' ' | b'\t') => continue,
            _ if is_tag => (from, from + line.iter().skip(from).take_while(|b| **b != b'<').count()),
            _ if is_first(line, key_start) || key.to_ascii_lowercase().ends_with(b"authorization") => {
                let rest = line.get(from..).unwrap_or_default();
                // The quote that began before the key ends the value.
                let end = rest.iter().position(|b| matches!(b, b'"' | b'\'')).unwrap_or(rest.len());
                (from, from + if key_start > 0 && !is_first(line, key_start) { end } else { rest.len() })
            }
            _ => {
                let stops = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`');
                (from, from + line.iter().skip(from).take_while(|b| !stops(b)).count())
            }
        };
        let value = line.get(from..to).unwrap_or_default();
        let bare = value.trim_ascii();
        let below = matches!(bare, b"" | b"|" | b">" | b"-" | b"+" | b"|-" | b">-" | b"|+" | b">+");
        if is_weak && (bare.is_empty() || is_weakly_plain(bare)) {
            continue;
        }
        if below && is_first(line, key_start) {
            next = Some(State::Below(indent_of(line)));
        } else if bare.ends_with(b"\\") {
            next = Some(State::Continued);
            spans.push(from..to);
        } else if !is_plain(key, bare) {
            spans.push(from..to);
        }
        done = to;
    }
    next
}

/// Where the words of a line are.
fn word_ranges(line: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in line.split(u8::is_ascii_whitespace) {
        if !word.is_empty() {
            words.push(at..at + word.len());
        }
        at += word.len() + 1;
    }
    words
}

/// Whether a name and a value apart by spaces are a key and its secret, wherever they stand in a directive.
fn is_directive(name: &[u8], value: &[u8], is_last: bool) -> bool {
    let is_compound = name.iter().skip(1).any(|b| matches!(b, b'_' | b'-'));
    let is_loud = name.len() > 2 && name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_name = name.iter().all(|b| is_key_byte(*b) || *b == b'$');
    match strength(name) {
        Strength::Strong => {
            let is_other = matches!(value.first(), Some(b'-' | b'/' | b'|' | b'&' | b'>' | b'<' | b'=' | b'#' | b'('));
            is_name
                && (is_compound || is_loud || is_last && value.ends_with(b";"))
                && !is_other
                && !is_plain(name, value)
        }
        Strength::Compound => is_name && is_last && !is_weakly_plain(value),
        // `stats auth user:password`
        Strength::Weak => name == b"auth" && is_last && value.contains(&b':') && !is_weakly_plain(value),
        Strength::None => false,
    }
}

/// Keys and values apart by spaces, options of commands, and headers.
fn fields(line: &[u8], spans: &mut Vec<Range<usize>>) {
    let words = word_ranges(line);
    let word = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();
    let has = |name: &[u8]| words.iter().any(|range| word(range).ends_with(name));
    let first = words.iter().position(|range| !matches!(word(range), b"#" | b";" | b"export" | b"set" | b"-"));
    let is_login = has(b"login") || has(b"user");
    let (is_mysql, is_sshpass) =
        (has(b"mysql") || has(b"mysqldump") || has(b"mysqladmin") || has(b"mariadb"), has(b"sshpass"));
    for (number, range) in words.iter().enumerate() {
        let this = word(range);
        let Some(next) = words.get(number + 1).cloned() else {
            if is_mysql && this.len() > 2 && this.starts_with(b"-p") {
                spans.push(range.start + 2..range.end);
            }
            continue;
        };
        let bare = this.trim_ascii_start();
        let name = bare.iter().position(|b| !matches!(b, b'-' | b'#' | b'"' | b'\'')).unwrap_or(0);
        let name = bare.get(name..).unwrap_or_default();
        let is_secret = |name: &[u8]| strength(name) == Strength::Strong;
        let is_option = this.starts_with(b"-") && this.len() > 2 && is_secret(name);
        let is_pair = Some(number) == first && is_secret(name) && words.len() == number + 2;
        let is_account = is_login && is_secret(name);
        let is_header = matches!(
            this.to_ascii_lowercase().rsplit(|b| matches!(b, b'"' | b'\'')).next(),
            Some(b"bearer" | b"basic")
        ) && word(&next).len() >= 8;
        let lower = name.to_ascii_lowercase();
        let is_by = lower == b"by" && number > 0 && word(&words[number - 1]).eq_ignore_ascii_case(b"identified");
        let is_pass = is_by || is_sshpass && this == b"-p";
        let is_always = Some(number) == first
            && matches!(
                &lower[..],
                b"requirepass"
                    | b"masterauth"
                    | b"rocommunity"
                    | b"rwcommunity"
                    | b"rocommunity6"
                    | b"rwcommunity6"
                    | b"com2sec"
            );
        // A setting without a value, as views write it: its name twice.
        if !name.is_empty() && word(&next) == name {
            continue;
        }
        if matches!(&lower[..], b"rootpw" | b"userpw" | b"sshpw") && Some(number) == first {
            spans.push(next.start..line.len());
        } else if is_pass
            || !this.starts_with(b"-") && is_directive(name, word(&next), words.len() == number + 2)
            || (is_option || is_pair || is_account || is_header || is_always) && !is_plain(name, word(&next))
        {
            spans.push(next);
        } else if (is_sshpass || is_mysql) && this.len() > 2 && this.starts_with(b"-p") {
            spans.push(range.start + 2..range.end);
        }
    }
}

#[cfg(test)]
mod tests;
