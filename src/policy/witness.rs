//! A path that a pattern matches.
//!
//! *Invariant:* total; for a pattern that matches anything at all the path matches it.

use crate::protocol::Pattern;

/// Builds a sample path: a wildcard becomes `x`, a class its first member, `**` one component.
///
/// Serves to ask of one policy what another one's rule is about: whether today's rules compare what a capture left out,
/// say. Where a class has no member the sample is the pattern with the class left out, and matches nothing either.
#[must_use]
pub fn witness(pattern: &Pattern) -> Vec<u8> {
    let text = pattern.text();
    if text == b"/" {
        return text.to_vec();
    }
    let mut path = Vec::with_capacity(text.len());
    for part in text.split(|b| *b == b'/').skip(1) {
        path.push(b'/');
        if part == b"**" {
            path.push(b'x');
        } else {
            component(part, &mut path);
        }
    }
    path
}

fn component(glob: &[u8], path: &mut Vec<u8>) {
    let from = path.len();
    let mut rest = glob;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            // A run of wildcards and letters may not come to `.` or `..`, which are no names: `x` never does.
            (b'*' | b'?', _) => path.push(b'x'),
            (b'\\', [literal, after @ ..]) => {
                path.push(*literal);
                rest = after;
            }
            (b'[', _) => {
                let (class, after) = class(tail);
                path.extend(member(class));
                rest = after;
            }
            (byte, _) => path.push(*byte),
        }
    }
    if path.len() == from {
        path.push(b'x');
    }
}

/// Splits what follows a `[` at its `]`, which may be the class's first member.
fn class(tail: &[u8]) -> (&[u8], &[u8]) {
    let first = 1 + usize::from(matches!(tail.first(), Some(b'!' | b'^')));
    match tail.iter().enumerate().find(|(at, byte)| **byte == b']' && *at >= first) {
        Some((end, _)) => (&tail[..end], &tail[end + 1..]),
        None => (tail, b""),
    }
}

/// The first byte that the class takes, the shared matcher being the judge; letters before oddities.
fn member(class: &[u8]) -> Option<u8> {
    let pattern = Pattern::new(&[b"/[", class, b"]"].concat()).ok()?;
    let likely = class.iter().copied().filter(|byte| !matches!(byte, b'!' | b'^'));
    likely.chain(*b"xa0_").chain(1..=u8::MAX).find(|byte| *byte != b'/' && pattern.matches(&[b'/', *byte]))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> String {
        String::from_utf8(witness(&Pattern::new(text.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn samples_read_like_paths() {
        assert_eq!(of("/"), "/");
        assert_eq!(of("/**"), "/x");
        assert_eq!(of("/var/log/**"), "/var/log/x");
        assert_eq!(of("/usr/**/__pycache__/*.pyc"), "/usr/x/__pycache__/x.pyc");
        assert_eq!(of("/a/[b-d]?[!x]\\*"), "/a/bxa*");
        assert_eq!(of("/a/[]b]"), "/a/]");
    }

    proptest! {
        #[test]
        fn a_witness_matches(text in r"(/(\*\*|[a-z*?]{1,4}|[a-z]?\[[!^]?[a-z\]-]{1,4}\][a-z*]?|\\[*a]b)){1,6}") {
            if let Ok(pattern) = Pattern::new(text.as_bytes()) {
                let path = witness(&pattern);
                // A class like `[z-a]` has no member, and no path matches its pattern.
                let hollow = text.contains('-');
                prop_assert!(hollow || pattern.matches(&path), "{text} {:?}", String::from_utf8_lossy(&path));
            }
        }

        #[test]
        fn it_never_panics(text: Vec<u8>) {
            if let Ok(pattern) = Pattern::new(&text) {
                prop_assert!(witness(&pattern).starts_with(b"/"));
            }
        }
    }
}
