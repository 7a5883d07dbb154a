//! Secrets that show themselves: by their prefix, as a hash, in a URL, or by looking random.
//!
//! *Invariant:* every byte of a line is looked at a bounded number of times.

use std::ops::Range;

/// How tokens of known issuers begin.
const PREFIXES: [&[u8]; 32] = [
    b"AKIA",
    b"ASIA",
    b"AIza",
    b"ghp_",
    b"gho_",
    b"ghu_",
    b"ghs_",
    b"ghr_",
    b"github_pat_",
    b"glpat-",
    b"gldt-",
    b"glrt-",
    b"xoxb-",
    b"xoxp-",
    b"xoxa-",
    b"xoxr-",
    b"xoxs-",
    b"xapp-",
    b"sk_live_",
    b"sk_test_",
    b"rk_live_",
    b"whsec_",
    b"sk-",
    b"npm_",
    b"pypi-",
    b"hvs.",
    b"hvb.",
    b"dop_v1_",
    b"SG.",
    b"eyJ",
    b"AGE-SECRET-KEY-",
    b"dckr_pat_",
];

/// Adds what shows itself in a line.
pub(super) fn spans(line: &[u8], spans: &mut Vec<Range<usize>>) {
    urls(line, spans);
    hashes(line, spans);
    let in_token = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'+' | b'/' | b'~');
    let mut at = 0;
    while at < line.len() {
        let length = line.iter().skip(at).take_while(|b| in_token(**b)).count();
        let token = line.get(at..at + length).unwrap_or_default();
        if PREFIXES.iter().any(|prefix| token.starts_with(prefix) && token.len() >= prefix.len() + 12) {
            spans.push(at..at + length);
        } else if length >= SHORTEST {
            random(token, at, spans);
        }
        at += length + 1;
    }
}

/// The shortest string that can look random.
const SHORTEST: usize = 20;

/// Adds the parts of a token that look random: between dots, then between slashes where the whole does not.
fn random(token: &[u8], start: usize, spans: &mut Vec<Range<usize>>) {
    let mut at = start;
    for part in token.split(|b| matches!(b, b'.' | b'~')) {
        if is_random(part) {
            spans.push(at..at + part.len());
        } else {
            let mut from = at;
            for piece in part.split(|b| *b == b'/') {
                if is_random(piece) {
                    spans.push(from..from + piece.len());
                }
                from += piece.len() + 1;
            }
        }
        at += part.len() + 1;
    }
}

/// Whether letters of both cases and digits follow one another as they do by chance, and not as in words, names and
/// versions. An id in the form of a UUID is none: those name things.
fn is_random(part: &[u8]) -> bool {
    let (mut letters, mut digits, mut upper, mut lower, mut turns) = (0, 0, 0, 0, 0);
    let mut last = None;
    for byte in part {
        let class = match byte {
            b'0'..=b'9' => {
                digits += 1;
                0
            }
            b'a'..=b'z' => {
                lower += 1;
                1
            }
            b'A'..=b'Z' => {
                upper += 1;
                2
            }
            _ => continue,
        };
        letters += 1;
        turns += usize::from(last.is_some_and(|last| last != class));
        last = Some(class);
    }
    if letters < SHORTEST - 2 || part.len() < SHORTEST || is_uuid(part) {
        return false;
    }
    let mixed = (digits > 0 && upper + lower > 0) || (upper > 0 && lower > 0);
    let often = turns * 100 >= letters * 27 || digits >= 4 && letters >= 32 && turns * 100 >= letters * 20;
    mixed && often
}

fn is_uuid(part: &[u8]) -> bool {
    let groups: Vec<usize> = part.split(|b| *b == b'-').map(<[u8]>::len).collect();
    groups == [8, 4, 4, 4, 12] && part.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
}

/// Passwords in URLs: `scheme://user:password@host`.
fn urls(line: &[u8], spans: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(found) = super::find(line.get(at..).unwrap_or_default(), b"://") {
        let from = at + found + 3;
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`');
        let length = line.iter().skip(from).take_while(|b| !ends(b)).count();
        let url = line.get(from..from + length).unwrap_or_default();
        let host = url.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(url.len());
        let colon = url.iter().position(|b| *b == b':');
        // A password may hold a slash where nobody encoded it; a port is digits alone.
        let is_port = |colon: usize| url.get(colon + 1..host).is_some_and(|port| port.iter().all(u8::is_ascii_digit));
        let sign = match url.get(..host).unwrap_or_default().iter().rposition(|b| *b == b'@') {
            None if colon.is_some_and(|colon| colon < host && !is_port(colon)) => url.iter().rposition(|b| *b == b'@'),
            sign => sign,
        };
        if let Some(sign) = sign {
            match colon.filter(|colon| *colon < sign) {
                Some(colon) => spans.push(from + colon + 1..from + sign),
                // A token alone; a short one is a user's name.
                None if sign >= 16 => spans.push(from..from + sign),
                None => {}
            }
        }
        at = from + length;
    }
}

/// Hashes of passwords: `$6$salt$hash`, `{SSHA}hash`.
fn hashes(line: &[u8], spans: &mut Vec<Range<usize>>) {
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b':' | b'"' | b'\'' | b'<' | b',');
    let mut done = 0;
    for (at, byte) in line.iter().enumerate() {
        if at < done || !matches!(byte, b'$' | b'{') {
            continue;
        }
        let rest = line.get(at + 1..).unwrap_or_default();
        let close = if *byte == b'$' { b'$' } else { b'}' };
        let Some(name) = rest.iter().take(16).position(|b| *b == close).and_then(|to| rest.get(..to)) else { continue };
        let is_name = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let upper = name.to_ascii_uppercase();
        let known = [&b"SHA"[..], b"MD5", b"CRYPT", b"PBKDF2", b"ARGON2"];
        let is_scheme = *byte == b'$' || known.iter().any(|word| super::find(&upper, word).is_some());
        let body = at + name.len() + 2;
        let length = line.iter().skip(body).take_while(|b| !ends(b)).count();
        if is_name && is_scheme && length >= 8 {
            done = body + length;
            spans.push(at..done);
        }
    }
}
