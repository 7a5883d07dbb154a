//! The bytes of a baseline: canonical, exact, and every damage to them noticed.

use super::texts_tests::viewed_as;
use super::{baseline, header, small};
use crate::manifest::{Baseline, Identity, Label};
use crate::protocol::record::RecordWriter;
use crate::protocol::view::{Form, View};
use crate::protocol::{Attr, Kind, Mask, Record, RuleSet, Value, When};
use crate::protocol_tests::{any_record_of, file, lacking, raw_record, rule, rules, set, with};
use proptest::collection::vec;
use proptest::prelude::*;

/// The format is frozen: a file of this version is read by every later one.
#[test]
fn the_bytes_are_these() {
    insta::assert_snapshot!(String::from_utf8(small().write()).unwrap(), @r##"
    {"schema":"driftscan.baseline/v1","version":1,"template":"web","label":"1","serial":1,"hash":"sha256","os":"debian","os_version":"12","arch":"x86_64","live":true,"scopes":["/"],"capture":[{"path":"/**","compares":"everything"}],"views":[]}
    {"subject":"fact:kernel","value":"6.1"}
    {"subject":"fact:os.id","value":"debian"}
    {"subject":"fs:/","type":"directory","mode":"0755","owner":"#0","group":"#0"}
    {"subject":"fs:/etc","type":"directory","mode":"0755","owner":"#0","group":"#0"}
    {"subject":"fs:/etc/mtab","type":"symlink","target":"/proc/mounts"}
    {"subject":"fs:/etc/passwd","type":"file","mode":"0644","owner":"#0","group":"#0","size":7,"content":"sha256:0101010101010101010101010101010101010101010101010101010101010101"}
    {"subject":"mount:/","fstype":"ext4","options":""}
    {"subject":"pkg:bash:amd64","version":"5.2","state":"install ok installed"}
    {"records":8,"sha256":"ed9cb4f7ccbc62e20be980029c75f567a17a539c9e9a4fecad1887b6cf307056"}
    "##);
}

#[test]
fn capturing_in_another_order_gives_the_same_bytes() {
    let mut records = small().records;
    records.reverse();
    assert_eq!(baseline(records).write(), small().write());
}

#[test]
fn names_that_are_no_text_come_back_byte_for_byte() {
    let odd = |subject: &[u8]| {
        raw_record(subject, &[(Attr::Kind, Value::Present(b"l")), (Attr::Target, Value::Present(b"\xff/\n"))])
    };
    let written = baseline(vec![odd(b"fs:/a\xff"), odd(b"fs:/a\"\\\n\x01"), odd("fs:/é\u{202e}".as_bytes())]);
    let bytes = written.write();
    assert!(std::str::from_utf8(&bytes).is_ok());
    assert_eq!(Baseline::read(&bytes), Ok(written));
}

#[test]
fn every_attribute_and_oversize_come_back() {
    let mut encoded = Vec::new();
    let mut writer = RecordWriter::new(&mut encoded, b"fs:/all");
    let viewed = viewed_as(View::Shadow, 1, Form::Parsed, b"x").encode();
    for attr in Attr::ALL {
        let bytes: &[u8] = match attr {
            Attr::Kind => b"f",
            Attr::Mode => &[0xed, 0x0f],
            Attr::Size => &[0xff; 8],
            Attr::Content => &[0xab; 32],
            Attr::View => &viewed,
            _ => b"x",
        };
        writer.present(attr, bytes);
    }
    let big = with(&file("/big", 1), Attr::Content, Value::Oversize);
    let written = baseline(vec![Record::parse(&encoded).unwrap(), big]);
    assert_eq!(Baseline::read(&written.write()), Ok(written));
}

#[test]
fn the_header_comes_back() {
    let mut rules = vec![rule("/**", Mask::STRICT), rule("/a", Mask::METADATA), rule("/b", Mask::PRESENCE)];
    rules.push(crate::protocol::Rule {
        when: When { kinds: 0x7f, conditions: When::KNOWN },
        ..rule("/[a]/\\*", Mask::NONE)
    });
    let mut header = header(RuleSet::new(rules).unwrap());
    header.label = Label::parse("a+b_c.d-1@2026.11.1").unwrap();
    header.serial = u64::MAX;
    header.live = false;
    header.scopes = vec![b"/etc".to_vec(), b"/\xff".to_vec()];
    let written = Baseline::new(header, vec![file("/etc/a", 1)]).unwrap();
    assert_eq!(Baseline::read(&written.write()), Ok(written));
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    let written = small();
    assert_eq!(Baseline::read(&written.write()).unwrap().digest, written.digest);
    assert_ne!(baseline(vec![file("/etc/passwd", 2)]).digest, baseline(vec![file("/etc/passwd", 1)]).digest);
}

#[test]
fn no_bit_can_flip_unnoticed() {
    let whole = small();
    let bytes = whole.write();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << bit;
            assert!(Baseline::read(&bent).is_err(), "bit {bit} of byte {at}: {:?}", char::from(bytes[at]));
        }
    }
}

#[test]
fn no_part_is_a_baseline() {
    let bytes = small().write();
    for cut in 0..bytes.len() {
        assert!(Baseline::read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(Baseline::read(&[&bytes[..], b"\n"].concat()).is_err());
    assert!(Baseline::read(&[&bytes[..], &bytes[..]].concat()).is_err());
}

#[test]
fn a_record_is_found_by_its_subject() {
    let small = small();
    assert_eq!(small.record(b"fs:/etc/passwd"), Some(&file("/etc/passwd", 1)));
    assert_eq!((small.record(b"fs:/etc/shadow"), small.packages()), (None, 1));
}

#[test]
fn systems_fit_by_name_major_version_and_architecture() {
    let of = |os: &str, version: &str, arch: &str| Identity {
        os: os.to_owned(),
        os_version: version.to_owned(),
        arch: arch.to_owned(),
    };
    let debian = of("debian", "12", "x86_64");
    for (other, fits) in [
        (of("debian", "12", "x86_64"), true),
        (of("debian", "12.5", "x86_64"), true),
        (of("debian", "12", "amd64"), true),
        (of("debian", "12", ""), true),
        (of("debian", "13", "x86_64"), false),
        (of("debian", "1", "x86_64"), false),
        (of("debian", "", "x86_64"), false),
        (of("debian", "12", "aarch64"), false),
        (of("ubuntu", "12", "x86_64"), false),
        (of("", "", ""), false),
    ] {
        assert_eq!(debian.fits(&other), fits, "{other}");
        assert_eq!(other.fits(&debian), fits, "{other} the other way round");
    }
    assert_eq!(Identity::default().to_string().trim(), "unknown system");
}

#[test]
fn labels_are_safe_as_file_names() {
    for text in ["web@1", "a.b+c_d-e@2026.11.1", "0@0"] {
        assert_eq!(Label::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "web",
        "@1",
        "web@",
        "web@1@2",
        "../x@1",
        "web@..",
        "web@.1",
        "-x@1",
        "w/b@1",
        "web@1.json",
        "web@1.jsonl",
        "web@1.texts",
        "wéb@1",
        "web@a b",
    ] {
        assert!(Label::parse(text).is_err(), "{text}");
    }
    assert!(Label::parse(&format!("{}@1", "a".repeat(101))).is_err());
}

/// Records of a captured machine: every attribute was read, and none is a view.
fn any_captured() -> impl Strategy<Value = Vec<Record>> {
    let subject = vec(any::<u8>().prop_filter("NUL", |b| *b != 0), 1..6).prop_map(|tail| [b"fs:/", &tail[..]].concat());
    vec((any_record_of(subject), proptest::sample::select(Kind::ALL.to_vec())), 1..6).prop_map(|records| {
        let mut records: Vec<Record> = records
            .into_iter()
            .map(|(record, kind)| {
                let record = set(&lacking(&record, Attr::View), Attr::Kind, &[kind as u8]);
                let unread: Vec<Attr> =
                    record.view().attrs().filter(|(_, v)| matches!(v, Value::Unread(_))).map(|(a, _)| a).collect();
                unread.into_iter().fold(record, |record, attr| lacking(&record, attr))
            })
            .collect();
        records.sort_by(|a, b| a.subject().cmp(b.subject()));
        records.dedup_by(|a, b| a.subject() == b.subject());
        records
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(records in any_captured()) {
        let written = Baseline::new(header(rules(&[])), records).unwrap();
        let bytes = written.write();
        prop_assert_eq!(Baseline::read(&bytes).unwrap().write(), bytes.clone());
        prop_assert_eq!(Baseline::read(&bytes).unwrap(), written);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, at in any::<proptest::sample::Index>()) {
        prop_assert!(Baseline::read(&bytes).is_err());
        let mut whole = small().write();
        let at = at.index(whole.len());
        whole.splice(at..at, bytes.iter().copied());
        prop_assert_eq!(Baseline::read(&whole).is_ok(), bytes.is_empty());
    }
}
