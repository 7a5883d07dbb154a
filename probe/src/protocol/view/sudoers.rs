//! sudoers(5).
//!
//! `alias KIND NAME` -> its members; then, in the order of the file, because the last one that matches wins, `defaults[SCOPE]
//! NAME` -> the setting, and `rule USERS` -> `HOSTS=(RUNAS) TAGS: COMMANDS`; so for each part of the file that `include` ->
//! the directive ends.
//!
//! *Invariant:* nothing moves over an include, and no setting over another one, whose scope may hold it; `#1000` and `#include` are no comments; a comment ends at its line even where that ends in a backslash.

use super::scan::{is_blank, skip};
use super::{Fields, MOST, NotParsed, Order};
use alloc::vec::Vec;

pub(super) fn text(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Vec::new();
    let mut part = Section::new();
    let mut rest = bytes;
    // A scope is written with each of its settings: a file can't ask for more room than its size explains.
    let mut room = 4 * MOST;
    while !rest.is_empty() {
        let line = logical(&mut rest)?;
        if !line.is_empty() {
            one(&line, &mut room, &mut part, &mut out)?;
        }
    }
    part.end(&mut out)?;
    Ok(out)
}

/// What stands between two includes.
struct Section {
    aliases: Fields,
    settings: Fields,
    rules: Fields,
}

impl Section {
    fn new() -> Self {
        let rules = Fields::new(Order::AsWritten);
        Self { aliases: Fields::new(Order::ByKey), settings: Fields::new(Order::AsWritten), rules }
    }

    /// Writes it, and begins the next one.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), NotParsed> {
        let Self { aliases, settings, rules } = core::mem::replace(self, Self::new());
        for fields in [aliases, settings, rules] {
            out.append(&mut fields.finish()?);
        }
        Ok(())
    }
}

fn one(line: &[u8], room: &mut usize, part: &mut Section, out: &mut Vec<u8>) -> Result<(), NotParsed> {
    if let Some(b'@' | b'#') = line.first()
        && line.split_at(1).1.starts_with(b"include")
    {
        part.rules.put(b"include", &[b"@", line.split_at(1).1].concat());
        return part.end(out);
    }
    if let Some(scoped) = line.strip_prefix(b"Defaults")
        && scoped.first().is_some_and(|b| matches!(b, b' ' | b':' | b'@' | b'!' | b'>'))
    {
        // `Defaults:USER`, `Defaults@HOST`, `Defaults>RUNAS`, `Defaults!COMMAND`, then the settings.
        let end =
            if scoped.first() == Some(&b' ') { 0 } else { outside(scoped, |b| b == b' ').unwrap_or(scoped.len()) };
        let (scope, list) = scoped.split_at(end);
        let mut list = skip(list);
        while !list.is_empty() {
            let (setting, tail) = list.split_at(outside(list, |b| b == b',').unwrap_or(list.len()));
            list = tail.split_first().map_or(&b""[..], |(_, tail)| tail);
            *room = room.checked_sub(scope.len()).ok_or(NotParsed("its settings are too many"))?;
            let name = setting.strip_prefix(b"!").unwrap_or(setting);
            let name = name.split_at(outside(name, |b| matches!(b, b'=' | b'+' | b'-' | b' ')).unwrap_or(name.len())).0;
            part.settings.put(&[b"defaults", scope, b" ", name].concat(), setting);
        }
        return Ok(());
    }
    for kind in [&b"User_Alias"[..], b"Runas_Alias", b"Host_Alias", b"Cmnd_Alias", b"Cmd_Alias"] {
        let Some(mut list) = line.strip_prefix(kind).and_then(|list| list.strip_prefix(b" ")) else { continue };
        while !list.is_empty() {
            // `A = x, y : B = z`; a colon within a member is escaped, but in an address.
            let (alias, tail) = list.split_at(next_alias(list));
            list = tail.split_first().map_or(&b""[..], |(_, tail)| tail);
            let at = outside(alias, |b| b == b'=').ok_or(NotParsed("an alias has no members"))?;
            let (name, members) = alias.split_at(at);
            part.aliases.put(&[b"alias ", kind, b" ", name].concat(), members.split_at(1).1);
        }
        return Ok(());
    }
    let end = outside(line, |b| b == b' ').ok_or(NotParsed("a rule has no command"))?;
    let (users, spec) = line.split_at(end);
    if outside(spec, |b| b == b'=').is_none() {
        return Err(NotParsed("a rule has no command"));
    }
    part.rules.put(&[b"rule ", users].concat(), skip(spec));
    Ok(())
}

/// Where another alias begins: at a colon that a name and `=` follow.
fn next_alias(list: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = outside(list.split_at(from).1, |b| b == b':') {
        let colon = from + at;
        let tail = list.split_at(colon + 1).1;
        let name = tail.iter().position(|b| !(b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_'));
        if name.is_some_and(|end| end > 0 && tail.get(end) == Some(&b'=')) {
            return colon;
        }
        from = colon + 1;
    }
    list.len()
}

/// The first byte outside quotes, and not escaped, of which this holds.
fn outside(text: &[u8], holds: impl Fn(u8) -> bool) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().position(|b| {
        if escaped {
            escaped = false;
            return false;
        }
        escaped = *b == b'\\';
        quoted ^= *b == b'"';
        !quoted && holds(*b)
    })
}

/// Takes a line with those that continue it, without its comment; blanks are single, and none stand around `,`, `:`, `=`.
fn logical(rest: &mut &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut line: Vec<u8> = Vec::new();
    let (mut quoted, mut gap) = (false, false);
    loop {
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let (mut text, tail) = rest.split_at(end);
        *rest = tail.split_first().map_or(&b""[..], |(_, tail)| tail);
        let mut continued = false;
        while let Some((byte, after)) = text.split_first() {
            text = after;
            match byte {
                b'\\' if skip(text).is_empty() => {
                    continued = true;
                    text = b"";
                    gap |= !quoted;
                }
                b'\\' => {
                    put(&mut line, &mut gap, quoted, b'\\', true);
                    if let Some((next, after)) = text.split_first() {
                        line.push(*next);
                        text = after;
                    }
                }
                b'#' if !quoted && is_comment(&line, text) => text = b"",
                b'"' => {
                    put(&mut line, &mut gap, quoted, b'"', true);
                    quoted = !quoted;
                }
                blank if is_blank(*blank) && !quoted => gap = true,
                other => put(&mut line, &mut gap, quoted, *other, false),
            }
        }
        if !continued || rest.is_empty() {
            return if quoted { Err(NotParsed("a quote is not closed")) } else { Ok(line) };
        }
    }
}

/// Adds a byte, with the blank before it where that parts words.
fn put(line: &mut Vec<u8>, gap: &mut bool, quoted: bool, byte: u8, literal: bool) {
    let tight = |b: u8| matches!(b, b',' | b':' | b'=');
    let before = line.last().copied();
    // A mark that a backslash made a plain byte parts words like any other.
    let escaped = line.len() >= 2 && line.get(line.len() - 2) == Some(&b'\\');
    let joins = before.is_none_or(|b| !escaped && (tight(b)));
    if *gap && !joins && (literal || !tight(byte)) {
        line.push(b' ');
    }
    *gap = *gap && quoted;
    line.push(byte);
}

/// Whether `#` begins a comment: not before a number, which makes it an id, nor where it begins a directive.
fn is_comment(line: &[u8], after: &[u8]) -> bool {
    let number = after.strip_prefix(b"-").unwrap_or(after);
    let id = number.first().is_some_and(u8::is_ascii_digit);
    let directive = [&b"include"[..], b"includedir"].iter().any(|word| {
        line.is_empty() && after.strip_prefix(*word).and_then(<[u8]>::first).is_some_and(|b| is_blank(*b) || *b == b'"')
    });
    !(id || directive)
}
