//! Where packages come from: sources.list(5) in both its forms, apk's `repositories`, lists of yum, zypper and pacman.
//!
//! A source of apt is `deb URI SUITE`, with its options and components for a value; a stanza of several types, URIs and
//! suites is so many sources. One of apk is its URI. The others are sections, see [`super::ini`].
//!
//! *Invariant:* sources stay in their order, which decides between equal versions; options and components are sets.

use super::lines::{Fields, Order, Part};
use super::spaced::{fingerprint, is_blank, lines, trim, trim_start, word};
use super::stanzas::{Stanza, stanzas};
use super::{NotParsed, ini};
use crate::protocol::order;
use alloc::vec::Vec;

/// More sources than one file has.
const SOURCES: usize = 2048;
/// More fields than a stanza has.
const FIELDS: usize = 64;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let is_text = |line: &&[u8]| !line.is_empty() && line.first() != Some(&b'#');
    let Some(first) = lines(bytes)?.map(trim).find(is_text) else { return Ok(Vec::new()) };
    let (start, rest) = word(first);
    let name = start.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-').unwrap_or(start.len());
    let after = start.get(name..).unwrap_or_default();
    let mut all = Fields::new(Order::AsWritten);
    if first.starts_with(b"[") || after.starts_with(b"=") || after.is_empty() && rest.starts_with(b"=") {
        return ini::read(bytes);
    } else if after.starts_with(b":") && !after.starts_with(b"://") {
        for stanza in stanzas(bytes)? {
            several(&mut all, &stanza)?;
        }
    } else {
        for line in lines(bytes)?.map(trim).filter(is_text) {
            if line.starts_with(b"deb") {
                one_line(&mut all, line)?;
            } else {
                apk(&mut all, line)?;
            }
        }
    }
    all.finish()
}

/// `deb [arch=amd64 signed-by=/x] http://deb.debian.org/debian bookworm main contrib # so`.
fn one_line(all: &mut Fields, line: &[u8]) -> Result<(), NotParsed> {
    const BROKEN: NotParsed = NotParsed("no source of apt");
    let mut rest = line;
    let kind = token(&mut rest).filter(|kind| matches!(*kind, b"deb" | b"deb-src")).ok_or(BROKEN)?;
    let mut options = Vec::new();
    if rest.first() == Some(&b'[') {
        let end = rest.iter().position(|b| *b == b']').ok_or(BROKEN)?;
        options = rest.get(1..end).unwrap_or_default().split(|b| is_blank(*b)).filter(|o| !o.is_empty()).collect();
        rest = trim_start(rest.get(end + 1..).unwrap_or_default());
    }
    let uri = token(&mut rest).ok_or(BROKEN)?;
    let suite = token(&mut rest).ok_or(BROKEN)?;
    let mut components = Vec::new();
    while let Some(component) = token(&mut rest) {
        components.push(component);
    }
    put(all, [kind, uri, suite], &value(options, components));
    Ok(())
}

/// The next word before a comment; blanks within brackets are part of it, as in `cdrom:[Debian 12]/`.
fn token<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut within = false;
    let mut end = rest.len();
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'[' if at > 0 => within = true,
            b']' => within = false,
            b'#' if !within => {
                *rest = rest.get(..at)?;
                end = at;
                break;
            }
            byte if is_blank(*byte) && !within => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let (found, left) = rest.split_at_checked(end)?;
    *rest = trim_start(left);
    (!found.is_empty()).then_some(found)
}

/// A stanza of deb822(5).
fn several(all: &mut Fields, stanza: &Stanza) -> Result<(), NotParsed> {
    let (mut kinds, mut uris, mut suites, mut components) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut options: Vec<Vec<u8>> = Vec::new();
    let mut names: Vec<Vec<u8>> = Vec::new();
    for (name, value) in stanza {
        let name = name.to_ascii_lowercase();
        if names.contains(&name) || names.len() > FIELDS {
            return Err(NotParsed("a field that stands twice, or too many"));
        }
        let words = || value.split(|b| is_blank(*b) || *b == b'\n').filter(|word| !word.is_empty()).collect();
        match &name[..] {
            b"types" => kinds = words(),
            b"uris" => uris = words(),
            b"suites" => suites = words(),
            b"components" => components = words(),
            b"enabled" if value == b"yes" => {}
            // A key that is written into the list is told by its digest.
            b"signed-by" if value.contains(&b'\n') => options.push(fingerprint(b"signed-by=sha256:", value)),
            _ => {
                let words: Vec<&[u8]> = words();
                options.push([&name[..], b"=", &words.join(&b',')].concat());
            }
        }
        names.push(name);
    }
    let many = kinds.len().saturating_mul(uris.len()).saturating_mul(suites.len());
    if many == 0 || many > SOURCES || all.count() + many > SOURCES {
        return Err(NotParsed("no source, or more than a view reads"));
    }
    let value = value(options.iter().map(Vec::as_slice).collect(), components);
    for kind in &kinds {
        for uri in &uris {
            for suite in &suites {
                put(all, [kind, uri, suite], &value);
            }
        }
    }
    Ok(())
}

/// Options and components, both sorted.
fn value(mut options: Vec<&[u8]>, mut components: Vec<&[u8]>) -> Vec<u8> {
    order::sort(&mut options, Ord::cmp);
    order::sort(&mut components, Ord::cmp);
    components.dedup();
    let mut value = components.join(&b' ');
    if !options.is_empty() {
        value = [b"[", &options.join(&b' ')[..], b"] ", &value].concat();
    }
    value
}

fn put(all: &mut Fields, [kind, uri, suite]: [&[u8]; 3], value: &[u8]) {
    let uri = uri.strip_suffix(b"/").unwrap_or(uri);
    let blank = Part::Text(b" ");
    all.put_parts(&[Part::Text(kind), blank, Part::Text(uri), blank, Part::Text(suite)], &[Part::Text(value)]);
}

/// `https://dl-cdn.alpinelinux.org/alpine/v3.20/main`, or `@edge https://...`.
fn apk(all: &mut Fields, line: &[u8]) -> Result<(), NotParsed> {
    let (first, rest) = word(line);
    let (tag, uri) = if first.starts_with(b"@") { (first, rest) } else { (&b""[..], line) };
    let is_uri = uri.starts_with(b"/") || uri.windows(3).any(|part| part == b"://");
    if !is_uri || uri.iter().any(|b| is_blank(*b)) {
        return Err(NotParsed("no repository"));
    }
    all.put(uri, tag);
    Ok(())
}
