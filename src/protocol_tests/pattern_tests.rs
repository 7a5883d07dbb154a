//! Patterns: a table of what they mean, and a slow matcher that reads like the definition to hold the fast one to.

use crate::protocol::Pattern;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn pattern(text: &str) -> Pattern {
    Pattern::new(text.as_bytes()).unwrap()
}

#[test]
fn what_patterns_match() {
    for (text, yes, no) in [
        ("/", &["/"][..], &["/a"][..]),
        ("/**", &["/", "/a", "/a/b"], &[]),
        ("/a", &["/a"], &["/", "/ab", "/a/b", "/b"]),
        ("/a/**", &["/a/b", "/a/b/c"], &["/a", "/", "/ab", "/ab/c"]),
        ("/a/*", &["/a/b", "/a/.b"], &["/a", "/a/b/c"]),
        ("/*", &["/a"], &["/", "/a/b"]),
        ("/a*", &["/a", "/ab"], &["/b", "/a/b"]),
        ("/*a*b", &["/ab", "/xaxb", "/aab", "/abab"], &["/ba", "/abx"]),
        ("/a?c", &["/abc", "/a?c"], &["/ac", "/abbc", "/a/c"]),
        ("/**/a", &["/a", "/b/a", "/b/c/a", "/a/a"], &["/", "/a/b", "/ba"]),
        ("/a/**/b", &["/a/b", "/a/x/b", "/a/x/y/b", "/a/b/b"], &["/a", "/b", "/a/b/c"]),
        ("/a/**/b/**/c", &["/a/b/c", "/a/b/x/b/c", "/a/x/b/y/z/c"], &["/a/c", "/a/b", "/a/c/b"]),
        ("/**/b/**", &["/b/x", "/a/b/x", "/b/b"], &["/b", "/a/b", "/a"]),
        ("/a/**/**", &["/a/b", "/a/b/c"], &["/a"]),
        ("/**/*/b", &["/a/b", "/a/x/b"], &["/b"]),
        ("/[a-c]x", &["/ax", "/cx"], &["/dx", "/x"]),
        ("/[!a-c]x", &["/dx", "/-x"], &["/ax", "/x"]),
        ("/[^a]", &["/b", "/^"], &["/a"]),
        ("/[]a]", &["/]", "/a"], &["/b", "/[]a]"]),
        ("/[!]a]", &["/b"], &["/]", "/a"]),
        ("/[a-]", &["/a", "/-"], &["/b"]),
        ("/[-a]", &["/a", "/-"], &["/b"]),
        ("/[*?]", &["/*", "/?"], &["/a"]),
        ("/[a-c-e]", &["/b", "/-", "/e"], &["/d"]),
        ("/\\*", &["/*"], &["/a", "/\\*"]),
        ("/\\[a]", &["/[a]"], &["/a"]),
        ("/\\\\", &["/\\"], &["/\\\\"]),
        ("/a\\b", &["/ab"], &["/a\\b"]),
        ("/a]", &["/a]"], &["/a"]),
        ("/a/*.d/*", &["/a/x.d/y", "/a/.d/y"], &["/a/x.d", "/a/x/y"]),
    ] {
        let pattern = pattern(text);
        for path in yes {
            assert!(pattern.matches(path.as_bytes()), "{text} should match {path}");
        }
        for path in no {
            assert!(!pattern.matches(path.as_bytes()), "{text} should not match {path}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_bytes() {
    assert!(Pattern::new(b"/\xff?").unwrap().matches(b"/\xff\xfe"));
    assert!(Pattern::new(b"/[\x80-\xff]").unwrap().matches(b"/\xc3"));
    assert!(!Pattern::new(b"/?").unwrap().matches("/é".as_bytes()), "a wildcard is one byte");
}

#[test]
fn what_is_no_pattern() {
    for (text, wrong) in [
        ("", "must begin with /"),
        ("a", "must begin with /"),
        ("**", "must begin with /"),
        ("/a/", "empty component"),
        ("//", "empty component"),
        ("/a//b", "empty component"),
        ("/./a", ". or .."),
        ("/a/..", ". or .."),
        ("/a**", "whole component"),
        ("/**a", "whole component"),
        ("/***", "whole component"),
        ("/[a", "[ without ]"),
        ("/[]", "[ without ]"),
        ("/[!]", "[ without ]"),
        ("/[a/b]", "[ without ]"),
        ("/a\\", "\\ at the end"),
        ("/a\\/b", "\\ at the end"),
        ("/a\0b", "NUL"),
        ("/**/**/**/**/**", "more than four"),
    ] {
        let malformed = Pattern::new(text.as_bytes()).unwrap_err();
        assert!(malformed.0.contains(wrong), "{text:?}: {malformed}");
    }
    let long = format!("/{}", "a".repeat(Pattern::MAX - 1));
    assert!(Pattern::new(long.as_bytes()).is_ok());
    assert!(Pattern::new(format!("{long}a").as_bytes()).is_err());
}

#[test]
fn what_can_match_below_a_folder() {
    for (text, yes, no) in [
        ("/**", &["/", "/a"][..], &[][..]),
        ("/a", &["/"], &["/a", "/b"]),
        ("/a/b", &["/", "/a"], &["/a/b", "/b", "/a/bc"]),
        ("/a/**", &["/", "/a", "/a/b"], &["/b", "/ab"]),
        ("/a/*/c", &["/a", "/a/x"], &["/a/x/c", "/b"]),
        ("/**/c", &["/", "/c", "/a/b"], &[]),
        ("/etc*/x", &["/", "/etc", "/etc2"], &["/et", "/usr"]),
    ] {
        let pattern = pattern(text);
        for dir in yes {
            assert!(pattern.reaches_below(dir.as_bytes()), "{text} below {dir}");
        }
        for dir in no {
            assert!(!pattern.reaches_below(dir.as_bytes()), "{text} not below {dir}");
        }
    }
}

#[test]
fn a_pattern_of_stars_is_not_slow() {
    let text = format!("/**/{}b/**/{}b/**/{}b", "*a".repeat(60), "*a".repeat(60), "*a".repeat(60));
    let pattern = pattern(&text);
    let path = format!("/{}", "a".repeat(200)).repeat(20);
    let start = std::time::Instant::now();
    assert!(!pattern.matches(path.as_bytes()));
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}

/// Reads like the definition: `*` is the shortest tail that fits, whatever it costs.
fn slow_component(glob: &[u8], name: &[u8]) -> bool {
    match glob {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|eaten| slow_component(rest, &name[eaten..])),
        [b'?', rest @ ..] => !name.is_empty() && slow_component(rest, &name[1..]),
        [b'[', rest @ ..] => {
            let (negated, class) = match rest {
                [b'!' | b'^', class @ ..] => (true, class),
                class => (false, class),
            };
            // A ] that stands first is a member.
            let end = 1 + class[1..].iter().position(|b| *b == b']').unwrap();
            let Some(first) = name.first() else { return false };
            (slow_class(&class[..end], *first) != negated) && slow_component(&class[end + 1..], &name[1..])
        }
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            name.first() == Some(literal) && slow_component(rest, &name[1..])
        }
    }
}

fn slow_class(class: &[u8], byte: u8) -> bool {
    match class {
        [] => false,
        [low, b'-', high, rest @ ..] => (*low <= byte && byte <= *high) || slow_class(rest, byte),
        [one, rest @ ..] => *one == byte || slow_class(rest, byte),
    }
}

fn components(path: &[u8]) -> Vec<&[u8]> {
    if path == b"/" { Vec::new() } else { path[1..].split(|b| *b == b'/').collect() }
}

fn slow_path(globs: &[&[u8]], names: &[&[u8]]) -> bool {
    match globs {
        [] => names.is_empty(),
        [b"**"] => !names.is_empty(),
        [b"**", rest @ ..] => (0..=names.len()).any(|eaten| slow_path(rest, &names[eaten..])),
        [glob, rest @ ..] => {
            names.first().is_some_and(|name| slow_component(glob, name)) && slow_path(rest, &names[1..])
        }
    }
}

/// The definition of a match.
pub(super) fn slow(pattern: &[u8], path: &[u8]) -> bool {
    pattern == b"/**" || slow_path(&components(pattern), &components(path))
}

/// Patterns over the letters a and b, and a few oddities.
pub(crate) fn any_pattern() -> impl Strategy<Value = String> {
    let simple = select(vec![
        "a", "b", "ab", "*", "a*", "*b", "?", "??", "*a*", "*a*b", "[ab]", "[!a]", "[]a]", "[a-]b", "\\*", "a\\b",
        "[b-a]*", "?*",
    ]);
    let part = prop_oneof![4 => simple, 2 => Just("**")];
    vec(part, 0..6)
        .prop_filter("at most four **", |parts| parts.iter().filter(|part| **part == "**").count() <= 4)
        .prop_map(|parts| format!("/{}", parts.join("/")))
}

/// Names that those patterns tell apart.
const NAMES: [&str; 6] = ["a", "b", "ab", "ba", "aab", "*"];

/// Paths of those names.
pub(crate) fn any_path() -> impl Strategy<Value = String> {
    vec(select(NAMES.to_vec()), 0..6).prop_map(|parts| format!("/{}", parts.join("/")))
}

/// Every path below a folder, to this depth.
pub(super) fn below(dir: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut level = vec![dir.trim_end_matches('/').to_owned()];
    for _ in 0..depth {
        level = level.iter().flat_map(|dir| NAMES.map(|name| format!("{dir}/{name}"))).collect();
        found.extend_from_slice(&level);
    }
    found
}

proptest! {
    #[test]
    fn the_fast_matcher_is_the_slow_one(text in any_pattern(), paths in vec(any_path(), 8)) {
        let pattern = pattern(&text);
        for path in paths {
            prop_assert_eq!(pattern.matches(path.as_bytes()), slow(text.as_bytes(), path.as_bytes()), "{} {}", text, path);
        }
    }

    #[test]
    fn what_reaches_below_is_never_overlooked(text in any_pattern(), dir in any_path()) {
        let pattern = pattern(&text);
        // Three components more than the folder's: what a pattern of five can still want of most folders.
        let any = below(&dir, 3).iter().any(|path| pattern.matches(path.as_bytes()));
        let reaches = pattern.reaches_below(dir.as_bytes());
        prop_assert!(reaches || !any, "{} below {}", text, dir);
    }

    #[test]
    fn what_covers_below_covers_all(text in any_pattern(), dir in any_path()) {
        let pattern = pattern(&text);
        if pattern.covers_below(dir.as_bytes()) {
            prop_assert!(pattern.reaches_below(dir.as_bytes()));
            for path in below(&dir, 3) {
                prop_assert!(pattern.matches(path.as_bytes()), "{} covers {} but not {}", text, dir, path);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(text: Vec<u8>, path: Vec<u8>) {
        let text = [b"/", text.as_slice()].concat();
        if let Ok(pattern) = Pattern::new(&text) {
            let _ = (pattern.matches(&path), pattern.reaches_below(&path), pattern.covers_below(&path));
            prop_assert_eq!(pattern.text(), text.as_slice());
        }
    }
}
