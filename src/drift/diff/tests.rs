//! Diffs: their form, their caps, and what is said in their place.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::{BYTES_MAX, LINES_MAX, WORK, unified};

fn diff(before: &str, after: &str) -> (String, usize, usize) {
    let diff = unified(before.as_bytes(), after.as_bytes(), &mut { WORK }).unwrap();
    (diff.text, diff.added, diff.removed)
}

#[test]
fn a_diff_is_unified_with_three_lines_around() {
    let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let after = "1\n2\n3\n4\nfive\n5b\n6\n7\n8\n9\n";
    assert_eq!(diff(before, after), ("@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+5b\n 6\n 7\n 8\n".to_owned(), 2, 1));
    assert_eq!(diff("", "a\n"), ("@@ -0,0 +1,1 @@\n+a\n".to_owned(), 1, 0));
    assert_eq!(diff("a\n", "a"), ("@@ -1,1 +1,1 @@\n-a\n+a (no line feed at the end)\n".to_owned(), 1, 1));
}

#[test]
fn control_bytes_are_written_out() {
    assert_eq!(diff("a\n", "\x1b[2J\u{202e}\r\n").0, "@@ -1,1 +1,1 @@\n-a\n+\\x1b[2J\\u{202e}\\r\n");
}

#[test]
fn a_diff_is_capped() {
    let (text, added, _) = diff("", &"line\n".repeat(1_000));
    assert_eq!((text.lines().count(), added), (LINES_MAX + 1, 1_000));
    assert!(text.ends_with("... 801 more lines\n"), "{text}");
    let (text, ..) = diff("", &format!("{}\n", "x".repeat(60_000)));
    assert!(text.len() < BYTES_MAX && text.ends_with("... 1 more lines\n"), "{text}");
}

#[test]
fn work_is_bounded() {
    let many = |word: &str| (0..30_000).map(|n| format!("{word}{n}")).collect::<Vec<_>>().join("\n");
    assert!(unified(many("a").as_bytes(), many("b").as_bytes(), &mut { WORK }).is_none());
    let mut little = 100;
    assert!(unified(b"a\nb\n", b"c\nd\n", &mut little).is_some());
    assert_eq!(little, 84);
}
