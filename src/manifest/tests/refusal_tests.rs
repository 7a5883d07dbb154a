//! What is no baseline, each refused in words of its own. The trailers agree: this is not about damage.

use super::texts_tests::viewed_as;
use super::{baseline, changed, header, sealed, small};
use crate::manifest::{Baseline, BaselineError};
use crate::protocol::view::{Form, View};
use crate::protocol::{Attr, Mask, Rule, RuleSet, Value, Why};
use crate::protocol_tests::{fact, file, folder, lacking, package, record, rule, rules, set, with};

fn words(result: Result<Baseline, BaselineError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn unchanged_lines_are_read() {
    assert_eq!(changed("bash", "bash").unwrap(), small());
}

#[test]
fn another_schema() {
    let error = changed("driftscan.baseline/v1", "driftscan.baseline/v2");
    assert_eq!(words(error), "line 1: schema \"driftscan.baseline/v2\" is not \"driftscan.baseline/v1\"");
    for bytes in [&b""[..], b"\n", b"{}", b"[1]", b"{\"schema\":1}", b"PK\x03\x04"] {
        assert!(matches!(Baseline::read(bytes), Err(BaselineError::Schema { .. })), "{bytes:?}");
    }
}

#[test]
fn another_version_hash_or_view() {
    let lacks = "line 1: it needs an ability that this version of driftscan lacks";
    assert_eq!(words(changed("\"version\":1", "\"version\":2")), lacks);
    assert_eq!(words(changed("\"hash\":\"sha256\"", "\"hash\":\"sha512\"")), lacks);
    assert_eq!(words(changed("\"views\":[]", "\"views\":[\"fstab\"]")), lacks);
}

#[test]
fn an_unknown_field() {
    assert!(words(changed("\"live\"", "\"expires\":1,\"live\"")).starts_with("line 1: unknown field `expires`"));
    assert!(words(changed("\"mode\"", "\"mood\"")).contains("unknown field `mood`"));
    assert!(
        words(changed("\"compares\":\"everything\"", "\"compares\":\"everything\",\"x\":1"))
            .contains("unknown field `x`")
    );
}

#[test]
fn a_field_that_is_missing_or_there_twice() {
    assert!(words(changed("\"serial\":1,", "")).contains("missing field `serial`"));
    assert!(words(changed("\"serial\":1,", "\"serial\":1,\"serial\":1,")).contains("duplicate field `serial`"));
    assert!(
        words(changed("\"mode\":\"0644\"", "\"mode\":\"0644\",\"mode\":\"0644\"")).contains("duplicate field `mode`")
    );
    assert!(words(changed("\"subject\":\"pkg:bash:amd64\",", "")).contains("no subject"));
}

#[test]
fn a_value_that_means_nothing_or_is_spelt_otherwise() {
    for (from, to, wrong) in [
        ("\"mode\":\"0644\"", "\"mode\":\"644\"", "mode"),
        ("\"mode\":\"0644\"", "\"mode\":\"00644\"", "mode"),
        ("\"mode\":\"0644\"", "\"mode\":\"10644\"", "width"),
        ("\"mode\":\"0644\"", "\"mode\":\"06x4\"", "mode"),
        ("\"type\":\"file\"", "\"type\":\"door\"", "type"),
        ("\"size\":7", "\"size\":-7", "invalid value"),
        ("\"size\":7", "\"size\":7.0", "invalid type"),
        ("sha256:01", "sha256:0", "content"),
        ("sha256:01", "md5:01", "content"),
        ("\"fs:/etc/passwd\"", "{\"b64\":\"ZnM6L2E=\"}", "b64 of what is plain text"),
        ("\"fs:/etc/passwd\"", "{\"b64\":\"!\"}", "b64"),
        ("\"fs:/etc/passwd\"", "\"\"", "subject"),
        ("\"compares\":\"everything\"", "\"compares\":\"all\"", "compares"),
        ("\"path\":\"/**\"", "\"path\":\"**\"", "must begin with /"),
        ("\"template\":\"web\"", "\"template\":\"../web\"", "template"),
    ] {
        let error = words(changed(from, to));
        assert!(error.starts_with("line ") && error.contains(wrong), "{to}: {error}");
    }
}

#[test]
fn records_out_of_order_or_twice() {
    let text = String::from_utf8(small().write()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let swapped = [lines[0], lines[2], lines[1]].join("\n") + "\n";
    assert!(matches!(Baseline::read(&sealed(&swapped, 2)), Err(BaselineError::Empty | BaselineError::Unfit { .. })));
    let twice = [lines[0], lines[3], lines[3]].join("\n") + "\n";
    assert_eq!(words(Baseline::read(&sealed(&twice, 2))), "fs:/: out of order, or there twice");
    let error = Baseline::new(header(rules(&[])), vec![file("/a", 1), file("/a", 2)]);
    assert_eq!(words(error), "fs:/a: out of order, or there twice");
}

#[test]
fn a_wrong_count_or_digest() {
    let text = String::from_utf8(small().write()).unwrap();
    let lines = &text[..=text[..text.len() - 1].rfind('\n').unwrap()];
    assert_eq!(words(Baseline::read(&sealed(lines, 9))), "altered: 8 records, and the trailer says 9");
    let altered = text.replacen("bash", "dash", 1);
    let error = words(Baseline::read(altered.as_bytes()));
    assert_eq!(error, "altered: the lines do not have the digest that the trailer names");
    assert_eq!(words(Baseline::read(lines.as_bytes())), "incomplete: the last line is not a trailer");
    assert_eq!(words(Baseline::read(text.trim_end().as_bytes())), "incomplete: the last line is not a trailer");
}

#[test]
fn nothing_to_compare() {
    let error = Baseline::new(header(rules(&[])), vec![package("bash", "1"), fact("os.id", "debian")]);
    assert_eq!(error, Err(BaselineError::Empty));
    assert_eq!(Baseline::new(header(rules(&[])), vec![folder("/")]), Err(BaselineError::Empty), "the root alone");
    let text = String::from_utf8(small().write()).unwrap();
    assert_eq!(Baseline::read(&sealed(&format!("{}\n", text.lines().next().unwrap()), 0)), Err(BaselineError::Empty));
}

#[test]
fn what_a_baseline_never_holds() {
    let new = |record| words(Baseline::new(header(rules(&[])), vec![file("/a", 1), record]));
    let unread = with(&file("/b", 1), Attr::Acl, Value::Unread(Why::Denied));
    assert_eq!(new(unread), "fs:/b: an attribute that was not read");
    assert_eq!(new(lacking(&file("/b", 1), Attr::Kind)), "fs:/b: a path without a type");
    let stranger = |subject| record(subject, &[(Attr::Text, Value::Present(b"x"))]);
    for subject in ["container:1/fs:/x", "fs:x", "fs:", "mount:x", "x"] {
        assert_eq!(new(stranger(subject)), format!("{subject}: a subject of no namespace that this version knows"));
    }
    assert_eq!(new(stranger("a\u{202e}\n")), "a\\u{202e}\\n: a subject of no namespace that this version knows");
}

#[test]
fn a_baseline_of_other_rules_has_other_bytes() {
    let other = Baseline::new(header(rules(&[("/**", Mask::METADATA)])), small().records).unwrap();
    assert_ne!(other.digest, baseline(small().records).digest);
}

#[test]
fn another_spelling_of_the_same_records() {
    let altered =
        Err(BaselineError::Altered("its bytes are not those that driftscan writes for what they say".to_owned()));
    for (from, to) in [
        ("\"mode\":\"0644\"", "\"mode\": \"0644\""),
        ("\"mode\":\"0644\"", "\"mode\":\"0644\",\"acl\":null"),
        ("\"type\":\"file\",\"mode\":\"0644\"", "\"mode\":\"0644\",\"type\":\"file\""),
        ("pkg:bash", "pkg:b\\u0061sh"),
        ("sha256:01", "sha256:+1"),
        ("\n{\"subject\":\"pkg", "\n\n{\"subject\":\"pkg"),
        ("\"scopes\":[\"/\"]", "\"scopes\":[ \"/\"]"),
        ("\"compares\":\"everything\"", "\"compares\":\"everything\",\"kinds\":[]"),
    ] {
        let bytes = String::from_utf8(small().write()).unwrap();
        let lines = bytes[..=bytes[..bytes.len() - 1].rfind('\n').unwrap()].replacen(from, to, 1);
        assert_eq!(Baseline::read(&sealed(&lines, small().records.len())), altered, "{to}");
    }
    let spaced = String::from_utf8(small().write()).unwrap().replace("\"records\":8", "\"records\": 8");
    assert_eq!(Baseline::read(spaced.as_bytes()), altered);
}

/// `write` had no word for them, and left them out or wrote another one.
#[test]
fn a_view_or_a_mask_that_the_format_has_no_word_for() {
    let viewed = set(&file("/b", 1), Attr::View, b"fstab/1");
    let error = words(Baseline::new(header(rules(&[])), vec![file("/a", 1), viewed]));
    assert_eq!(error, "fs:/b: a view that this version doesn't know");
    let folder = set(&folder("/b"), Attr::View, &viewed_as(View::Fstab, 1, Form::Parsed, b"").encode());
    let error = words(Baseline::new(header(rules(&[])), vec![file("/a", 1), folder]));
    assert_eq!(error, "fs:/b: a view of what is no regular file");
    for strange in [Mask::STRICT.with(Attr::Selinux), Mask::ALL, Mask(1 << Attr::Content as u32)] {
        let error = words(Baseline::new(header(rules(&[("/**", Mask::STRICT), ("/b", strange)])), vec![file("/a", 1)]));
        assert_eq!(error, "/b: a rule that this version can't store");
    }
    let viewed =
        RuleSet::new(vec![Rule { view: Some(crate::protocol::View::Fstab), ..rule("/b", Mask::STRICT) }]).unwrap();
    assert_eq!(words(Baseline::new(header(viewed), vec![file("/a", 1)])), "/b: a rule that this version can't store");
}

#[test]
fn words_of_a_pull_request_reach_no_terminal() {
    let name = "\\u001b]0;owned\\u0007\\u202e";
    for error in [
        changed("\"live\"", &format!("\"{name}\":1,\"live\"")),
        changed("\"mode\"", &format!("\"{name}\"")),
        changed("driftscan.baseline/v1", name),
    ] {
        let words = words(error);
        assert!(!words.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}");
    }
}
