//! Views in baselines, and the golden texts beside them.

use super::{baseline, header, rules, words_of};
use crate::manifest::{Baseline, BaselineError, GoldenText, GoldenTexts, ProjectedSet, Recapture};
use crate::protocol::view::{Form, VERSION, View, Viewed};
use crate::protocol::{Attr, Mask, Record, Rule, RuleSet};
use crate::protocol_tests::{file, lacking, rule, set};
use sha2::{Digest as _, Sha256};

/// The value of a view whose text is this.
pub(super) fn viewed_as(view: View, version: u8, form: Form, text: &[u8]) -> Viewed {
    Viewed { view, version, form, digest: Sha256::digest(text).into() }
}

/// A file that is compared by a view.
fn viewed(path: &str, viewed: &Viewed) -> Record {
    let record = lacking(&lacking(&file(path, 1), Attr::Size), Attr::Content);
    set(&record, Attr::View, &viewed.encode())
}

fn passwd(version: u8) -> Record {
    viewed("/etc/passwd", &viewed_as(View::Passwd, version, Form::Parsed, b"root\t0\n"))
}

/// Rules by which everything is compared, and one path by a view.
fn by(view: View) -> RuleSet {
    let rule = Rule { view: Some(view), ..rule("/etc/passwd", Mask::VIEWED) };
    RuleSet::new(vec![self::rule("/**", Mask::STRICT), rule]).unwrap()
}

fn project(record: Record, rules: &RuleSet) -> Result<ProjectedSet, Recapture> {
    let captured = Baseline::new(header(by(View::Passwd)), vec![file("/a", 1), record]).unwrap();
    ProjectedSet::new(&captured, rules, &[b"/".to_vec()], true, None, &crate::policy::witness)
}

#[test]
fn views_and_the_rules_that_ask_for_them_are_words() {
    let records = vec![
        passwd(1),
        viewed("/etc/shadow", &viewed_as(View::Shadow, 2, Form::Bytes, b"")),
        viewed("/etc/key", &viewed_as(View::Keyed, 1, Form::Parsed, b"")),
    ];
    let header = crate::manifest::Header { key: Some([1, 2, 3, 0xff]), ..header(by(View::Passwd)) };
    let keyless = crate::manifest::Header { key: None, ..header.clone() };
    assert_eq!(
        words_of(Baseline::new(keyless, records.clone())),
        "fs:/etc/key: a keyed digest, and the header names no key"
    );
    let written = Baseline::new(header, records).unwrap();
    insta::assert_snapshot!(String::from_utf8(written.write()).unwrap(), @r##"
    {"schema":"driftscan.baseline/v1","version":1,"template":"web","label":"1","serial":1,"hash":"sha256","os":"debian","os_version":"12","arch":"x86_64","live":true,"scopes":["/"],"capture":[{"path":"/**","compares":"everything"},{"path":"/etc/passwd","compares":"view","view":"passwd"}],"views":["passwd/1","shadow/2","keyed/1"],"key":"010203ff"}
    {"subject":"fs:/etc/key","type":"file","mode":"0644","owner":"#0","group":"#0","view":"keyed/1:hmac-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    {"subject":"fs:/etc/passwd","type":"file","mode":"0644","owner":"#0","group":"#0","view":"passwd/1:sha256:7e95ca47e0322ac9991f49c2159c60dd653b7e5ed8499130eb529f4c4ed32036"}
    {"subject":"fs:/etc/shadow","type":"file","mode":"0644","owner":"#0","group":"#0","view":"shadow/2/bytes:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    {"records":3,"sha256":"ae81e6c8d5a328f1eee4594d55afe54a6cb2f3ea909f0233428f5bcb695d9ebc"}
    "##);
    assert_eq!(Baseline::read(&written.write()), Ok(written));
}

#[test]
fn a_projection_wants_the_same_view_of_the_same_version() {
    let projected = project(passwd(VERSION), &by(View::Passwd)).unwrap();
    let kept = projected.records.iter().find(|record| record.view().path() == Some(b"/etc/passwd")).unwrap();
    assert!(kept.view().attr(Attr::View).is_some() && kept.view().attr(Attr::Content).is_none());
    for (record, rules) in [
        (passwd(VERSION), by(View::Group)),
        (passwd(VERSION + 1), by(View::Passwd)),
        (file("/etc/passwd", 1), by(View::Passwd)),
    ] {
        let error = project(record, &rules).unwrap_err();
        assert!(matches!(error, Recapture::View { .. }), "{error}");
        assert!(error.to_string().contains("/etc/passwd"), "{error}");
    }
    assert!(matches!(project(passwd(VERSION), &by(View::Keyed)), Err(Recapture::View { .. })));
    let strict = rules(&[("/**", Mask::STRICT)]);
    assert!(matches!(project(passwd(VERSION), &strict), Err(Recapture::Content { .. })));
    let metadata = rules(&[("/**", Mask::METADATA)]);
    assert!(project(passwd(VERSION), &metadata).unwrap().records.iter().all(|r| r.view().attr(Attr::View).is_none()));
}

fn texts() -> GoldenTexts {
    let mut texts = GoldenTexts::default();
    texts.put(b"/etc/passwd", GoldenText { view: Some(View::Passwd), text: b"root\t0\n"[..].into() });
    texts.put(b"/etc/passwd", GoldenText { view: None, text: b"root:x:0\n\xff"[..].into() });
    texts
}

fn with_texts() -> Baseline {
    baseline(vec![passwd(1), file("/a", 1)]).with_texts(texts()).unwrap()
}

#[test]
fn texts_come_back_and_are_bound() {
    let written = with_texts();
    let bytes = written.texts.write(&written.header.label);
    insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap(), @r##"
    {"schema":"driftscan.texts/v1","baseline":"web@1"}
    {"path":"/etc/passwd","text":{"b64":"cm9vdDp4OjAK/w=="}}
    {"path":"/etc/passwd","view":"passwd","text":"root\t0\n"}
    {"texts":2,"sha256":"4a31e95dec1ed1a2f31a5edb2040f4862ca86d54c6d7cfd961fadff13ac7854c"}
    "##);
    let mut read = Baseline::read(&written.write()).unwrap();
    assert!(read.texts.0.is_empty());
    read.read_texts(&bytes).unwrap();
    assert_eq!(read, written);
    assert_eq!(read.texts.of_view(b"/etc/passwd", View::Passwd), Some(&b"root\t0\n"[..]));
    assert_eq!(read.texts.content(b"/etc/passwd"), Some(&b"root:x:0\n\xff"[..]));
    assert_ne!(written.digest, baseline(vec![passwd(1), file("/a", 1)]).digest, "the texts are part of the digest");
    let without = baseline(vec![passwd(1), file("/a", 1)]).with_texts(GoldenTexts::default()).unwrap();
    assert_eq!(without, baseline(vec![passwd(1), file("/a", 1)]), "none leave no trace");
}

#[test]
fn no_bit_of_the_texts_can_flip_unnoticed() {
    let written = with_texts();
    let bytes = written.texts.write(&written.header.label);
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let mut read = Baseline::read(&written.write()).unwrap();
        assert!(matches!(read.read_texts(&bent), Err(BaselineError::Texts(_))), "byte {at}");
        assert!(GoldenTexts::read(&bent, &written.header.label).is_err(), "byte {at}");
        assert!(GoldenTexts::read(&bytes[..at], &written.header.label).is_err(), "cut at {at}");
    }
}

#[test]
fn texts_of_what_is_not_there_are_refused() {
    let mut texts = texts();
    texts.put(b"/etc/none", GoldenText { view: None, text: [].into() });
    let error = baseline(vec![passwd(1), file("/a", 1)]).with_texts(texts);
    assert_eq!(words_of(error), "texts: /etc/none is no file of the baseline");
    let label = crate::manifest::Label::parse("web@2").unwrap();
    let bytes = with_texts().texts.write(&label);
    assert!(GoldenTexts::read(&bytes, &with_texts().header.label).is_err(), "of another baseline");
}
