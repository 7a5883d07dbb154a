//! Path patterns over bytes: `*` and `?` within a component, `[...]` classes, `**` for whole components.
//!
//! `/a/**` is everything below `/a` but not `/a` itself; `/**` alone is everything with the root.
//!
//! *Invariant:* matching is total and bounded: no pattern and no path can make it panic or blow up (`*` backtracks to
//! its last occurrence only, `**` costs at most components x components).

use super::bytes::Malformed;
use alloc::vec::Vec;

/// A checked pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Vec<u8>,
    /// Bytes before the first wildcard: a path that differs there is refused without matching.
    literal: usize,
    shape: Shape,
}

/// The common shapes, which need no walk over components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    /// No wildcard at all.
    Exact,
    /// `/**`.
    All,
    /// A literal folder and `/**`.
    Below,
    /// `/**/` and one component.
    Name,
    /// Anything else.
    Any,
}

impl Pattern {
    /// The longest pattern.
    pub const MAX: usize = 1024;

    /// Checks a pattern: absolute, no empty, `.` or `..` component, `**` only as a whole component, classes closed.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn new(text: &[u8]) -> Result<Self, Malformed> {
        if text.len() > Self::MAX {
            return Err(Malformed("pattern: longer than 1,024 bytes"));
        }
        let Some(rest) = text.strip_prefix(b"/") else {
            return Err(Malformed("pattern: it must begin with /"));
        };
        let mut deep = 0;
        if !rest.is_empty() {
            for part in rest.split(|b| *b == b'/') {
                match part {
                    b"" => return Err(Malformed("pattern: empty component (// or a / at the end)")),
                    b"." | b".." => return Err(Malformed("pattern: . or .. component")),
                    b"**" => deep += 1,
                    part if part.windows(2).any(|w| w == b"**") => {
                        return Err(Malformed("pattern: ** must be a whole component"));
                    }
                    part => classes_closed(part)?,
                }
            }
        }
        if deep > 4 {
            return Err(Malformed("pattern: more than four **"));
        }
        if text.contains(&0) {
            return Err(Malformed("pattern: NUL byte"));
        }
        let wild = text.iter().position(|b| matches!(b, b'*' | b'?' | b'[' | b'\\')).unwrap_or(text.len());
        let shape = match text {
            text if wild == text.len() => Shape::Exact,
            b"/**" => Shape::All,
            text if text.ends_with(b"/**") && wild + 2 == text.len() => Shape::Below,
            [b'/', b'*', b'*', b'/', name @ ..] if name != b"**" && !name.contains(&b'/') => Shape::Name,
            _ => Shape::Any,
        };
        Ok(Self { text: text.to_vec(), literal: wild, shape })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the whole path matches.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        let literal = &self.text[..self.literal];
        match self.shape {
            Shape::Exact => path == literal,
            Shape::All => true,
            // "/a/**" has the literal "/a/", and neither "/a" nor "/a/" is below it.
            Shape::Below => path.len() > literal.len() && path.starts_with(literal),
            Shape::Name => {
                let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
                !name.is_empty() && component(&self.text[b"/**/".len()..], name)
            }
            Shape::Any => path.starts_with(literal) && tails(&self.text, path) && deep(parts(&self.text), parts(path)),
        }
    }

    /// Whether something below the directory could match: a subtree for which no rule answers yes is decided.
    #[must_use]
    pub fn reaches_below(&self, dir: &[u8]) -> bool {
        let shared = self.literal.min(dir.len());
        if self.text[..shared] != dir[..shared] {
            return false;
        }
        let mut pattern = parts(&self.text);
        for part in parts(dir) {
            match pattern.next() {
                None => return false,
                Some(b"**") => return true,
                Some(glob) if !component(glob, part) => return false,
                Some(_) => {}
            }
        }
        pattern.next().is_some()
    }

    /// Whether everything below the directory matches, whatever its name.
    #[must_use]
    pub fn covers_below(&self, dir: &[u8]) -> bool {
        let Some(head) = self.text.strip_suffix(b"/**") else {
            return false;
        };
        let mut dirs = parts(dir);
        for glob in parts(head) {
            match dirs.next() {
                Some(part) if glob != b"**" && component(glob, part) => {}
                _ => return false,
            }
        }
        true
    }
}

fn classes_closed(part: &[u8]) -> Result<(), Malformed> {
    let mut at = 0;
    while at < part.len() {
        match part[at] {
            b'\\' => {
                if at + 1 == part.len() {
                    return Err(Malformed("pattern: \\ at the end of a component"));
                }
                at += 2;
            }
            b'[' => match class_end(part, at) {
                Some(end) => at = end + 1,
                None => return Err(Malformed("pattern: [ without ]")),
            },
            _ => at += 1,
        }
    }
    Ok(())
}

/// The index of the `]` that closes the class opened at `open`.
fn class_end(part: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    if matches!(part.get(at), Some(b'!' | b'^')) {
        at += 1;
    }
    let first = at;
    while let Some(byte) = part.get(at) {
        if *byte == b']' && at > first {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

/// Whether the components after the last `**` match those at the end of the path: refuses most paths at once.
fn tails(pattern: &[u8], path: &[u8]) -> bool {
    let mut path = path.rsplit(|b| *b == b'/');
    for glob in pattern.rsplit(|b| *b == b'/') {
        match path.next() {
            _ if glob == b"**" => return true,
            Some(part) if component(glob, part) => {}
            Some(_) | None => return false,
        }
    }
    true
}

/// Matches components, `**` standing for any number of them (at least one at the end).
fn deep<'a>(
    mut pattern: impl Iterator<Item = &'a [u8]> + Clone,
    mut path: impl Iterator<Item = &'a [u8]> + Clone,
) -> bool {
    // Backtracking to the last ** only is enough: an earlier ** could only eat more of what the later one may eat.
    let mut retry = None;
    loop {
        let before = path.clone();
        match pattern.next() {
            Some(b"**") => {
                if pattern.clone().next().is_none() {
                    return path.next().is_some();
                }
                retry = Some((pattern.clone(), before));
                continue;
            }
            Some(glob) => match path.next() {
                Some(part) if component(glob, part) => continue,
                Some(_) => {}
                None => return false,
            },
            None => {
                if path.next().is_none() {
                    return true;
                }
            }
        }
        let Some((after, start)) = &mut retry else {
            return false;
        };
        if start.next().is_none() {
            return false;
        }
        pattern = after.clone();
        path = start.clone();
    }
}

/// Matches one component, with `*`, `?`, `[...]` and `\` escapes.
fn component(glob: &[u8], name: &[u8]) -> bool {
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if g < glob.len() && glob[g] == b'*' {
            g += 1;
            star = Some((g, n));
            continue;
        }
        if n == name.len() && g == glob.len() {
            return true;
        }
        if n < name.len()
            && let Some(width) = one(&glob[g..], name[n])
        {
            g += width;
            n += 1;
            continue;
        }
        match &mut star {
            Some((after, from)) if *from < name.len() => {
                *from += 1;
                g = *after;
                n = *from;
            }
            _ => return false,
        }
    }
}

/// How many bytes of the glob match this byte.
fn one(glob: &[u8], byte: u8) -> Option<usize> {
    match glob {
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [b'[', ..] => {
            let end = class_end(glob, 0)?;
            let (negated, from) = match glob.get(1) {
                Some(b'!' | b'^') => (true, 2),
                _ => (false, 1),
            };
            let mut class = &glob[from..end];
            let mut found = false;
            while let [low, rest @ ..] = class {
                if let [b'-', high, rest @ ..] = rest {
                    found |= (*low..=*high).contains(&byte);
                    class = rest;
                } else {
                    found |= *low == byte;
                    class = rest;
                }
            }
            (found != negated).then_some(end + 1)
        }
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}
