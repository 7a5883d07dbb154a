//! The path that two patterns share, held to all short paths.

use crate::manifest::overlap::overlap;
use crate::policy::PolicyFile;
use crate::protocol::{Mask, Pattern};
use crate::protocol_tests::pattern_tests::{any_path, any_pattern};
use proptest::collection::vec;
use proptest::prelude::*;

fn shared(a: &str, b: &str) -> Option<String> {
    let pattern = |text: &str| Pattern::new(text.as_bytes()).unwrap();
    overlap(&pattern(a), &pattern(b)).map(|path| String::from_utf8(path).unwrap())
}

#[test]
fn paths_that_two_patterns_share() {
    for (a, b, path) in [
        ("/", "/**", Some("/")),
        ("/**", "/**", Some("/")),
        ("/a/**", "/**", Some("/a/x")),
        ("/a/**", "/a", None),
        ("/a/**", "/**/b", Some("/a/b")),
        ("/**/a", "/a", Some("/a")),
        ("/a*", "/*b", Some("/ab")),
        ("/*.conf", "/app-*", Some("/app-.conf")),
        ("/a*c*e", "/*b*d*", Some("/acbde")),
        ("/[ab]", "/[bc]", Some("/b")),
        ("/[!a-z0-9]", "/[!A-Z]", Some("/\u{1}")),
        ("/[a]", "/\\a", Some("/a")),
        ("/[]]", "/\\]", Some("/]")),
        ("/?", "/??", None),
        ("/a/*/c", "/a/b/**", Some("/a/b/c")),
        ("/a", "/b", None),
    ] {
        assert_eq!(shared(a, b).as_deref(), path, "{a} {b}");
        assert_eq!(shared(a, b).is_some(), shared(b, a).is_some(), "{a} {b}");
    }
}

#[test]
fn the_shipped_rules_are_asked_in_no_time() {
    let rules = PolicyFile::default().for_system("debian", &[]).compile();
    let compared: Vec<_> = rules.rules().iter().filter(|rule| rule.mask != Mask::NONE).collect();
    let start = std::time::Instant::now();
    let mut found = 0;
    for rule in rules.rules().iter().filter(|rule| rule.mask == Mask::NONE) {
        found += compared.iter().filter(|other| overlap(&rule.pattern, &other.pattern).is_some()).count();
    }
    assert!(found > 0 && start.elapsed().as_secs() < 5, "{found} in {:?}", start.elapsed());
}

proptest! {
    #[test]
    fn a_path_that_both_match_is_found(a in any_pattern(), b in any_pattern(), paths in vec(any_path(), 30)) {
        let pattern = |text: &str| Pattern::new(text.as_bytes()).unwrap();
        let both = |path: &[u8]| pattern(&a).matches(path) && pattern(&b).matches(path);
        match shared(&a, &b) {
            Some(path) => prop_assert!(both(path.as_bytes())),
            None => for path in paths {
                prop_assert!(!both(path.as_bytes()), "{} {} share {}", a, b, path);
            }
        }
    }
}
