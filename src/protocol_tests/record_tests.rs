//! Records: equal records have equal bytes, and no other bytes are records.

use super::{any_record, bent, file, raw_record, set};
use crate::protocol::record::{RecordWriter, SUBJECT_MAX, VALUE_MAX};
use crate::protocol::{Attr, Kind, Mask, Record, Value, Why};
use proptest::prelude::*;

fn parse(subject: &[u8], attrs: &[u8]) -> Result<Record, &'static str> {
    let mut bytes = Vec::new();
    RecordWriter::new(&mut bytes, subject).raw(attrs);
    Record::parse(&bytes).map_err(|malformed| malformed.0)
}

fn one(attr: Attr, value: Value<'_>) -> Result<Record, &'static str> {
    let mut attrs = Vec::new();
    RecordWriter::resume(&mut attrs).put(attr, value);
    parse(b"fs:/a", &attrs)
}

#[test]
fn attributes_are_read_as_they_were_written() {
    let record = set(&file("/etc/motd", 3), Attr::Mode, &0o4755u16.to_le_bytes());
    let view = record.view();
    assert_eq!((view.subject(), view.path()), (&b"fs:/etc/motd"[..], Some(&b"/etc/motd"[..])));
    assert_eq!((view.kind(), view.mode(), view.size()), (Some(Kind::File), Some(0o4755), Some(7)));
    assert_eq!(view.present(Attr::Content), Some(&[3u8; 32][..]));
    assert_eq!(view.attr(Attr::Target), None);
    assert_eq!(view.mask().without(Mask::STRICT), Mask::NONE);
    assert_eq!(super::package("a", "1").view().path(), None);
}

#[test]
fn a_subject_is_never_empty_and_holds_no_nul() {
    assert_eq!(parse(b"", b""), Err("subject"));
    assert_eq!(parse(b"fs:/a\0", b""), Err("subject"));
    assert!(parse(&vec![b'a'; SUBJECT_MAX], b"").is_ok());
    assert_eq!(parse(&vec![b'a'; SUBJECT_MAX + 1], b""), Err("subject"));
}

#[test]
fn attributes_ascend_and_are_known() {
    let mut attrs = Vec::new();
    let mut writer = RecordWriter::resume(&mut attrs);
    writer.present(Attr::Owner, b"a");
    writer.present(Attr::Owner, b"a");
    assert_eq!(parse(b"fs:/a", &attrs), Err("order of attributes"));
    assert_eq!(parse(b"fs:/a", &[4, 0, 3, 0]), Err("order of attributes"));
    assert_eq!(parse(b"fs:/a", &[0, 0]), Err("attribute"));
    assert_eq!(parse(b"fs:/a", &[23, 0]), Err("attribute"));
    assert_eq!(parse(b"fs:/a", &[3]), Err("value"));
}

#[test]
fn values_have_the_width_of_their_attribute() {
    let wrong = Err("width of an attribute");
    for (attr, bytes) in [
        (Attr::Kind, &b""[..]),
        (Attr::Kind, b"x"),
        (Attr::Kind, b"ff"),
        (Attr::Mode, b"\x00"),
        (Attr::Mode, b"\x00\x10"),
        (Attr::Mode, b"\x00\x00\x00"),
        (Attr::Size, b"\x00"),
        (Attr::Content, &[0; 31]),
        (Attr::Content, &[0; 33]),
        (Attr::Target, b""),
        (Attr::Target, b"a\0b"),
        (Attr::Link, &[b'a'; 4097]),
        (Attr::Owner, &[b'a'; 1025]),
        (Attr::Selinux, &[b'a'; 1025]),
    ] {
        assert_eq!(one(attr, Value::Present(bytes)), wrong, "{attr:?} {}", bytes.len());
    }
    assert!(one(Attr::Acl, Value::Present(&vec![0; VALUE_MAX])).is_ok());
    assert_eq!(one(Attr::Acl, Value::Present(&vec![0; VALUE_MAX + 1])), Err("value"));
    assert!(one(Attr::Content, Value::Oversize).is_ok());
    assert_eq!(one(Attr::Acl, Value::Oversize), Err("oversize attribute"));
    assert!(one(Attr::Acl, Value::Unread(Why::Denied)).is_ok());
}

#[test]
fn a_value_says_in_one_way_that_it_was_not_read() {
    // Tag 2 with no reason, an unknown one, two of them; tag 1 with bytes; tag 3.
    for attrs in [&[6, 2][..], &[6, 6, 9], &[6, 10, 1, 1], &[6, 5, 0], &[6, 3]] {
        assert!(parse(b"fs:/a", attrs).is_err(), "{attrs:?}");
    }
}

/// The bytes of a record are hashed on both sides: these may never change within a protocol version.
#[test]
fn the_encoding_is_pinned() {
    let record = super::record(
        "fs:/a",
        &[
            (Attr::Kind, Value::Present(b"f")),
            (Attr::Mode, Value::Present(&0o755u16.to_le_bytes())),
            (Attr::Content, Value::Oversize),
            (Attr::Capability, Value::Unread(Why::Denied)),
        ],
    );
    assert_eq!(record.view().encoded(), b"\x05fs:/a\x01\x04f\x02\x08\xed\x01\x06\x01\x0a\x06\x01");
    let digest = crate::protocol::digest::of_record(record.view().encoded());
    insta::assert_snapshot!(crate::model::text::hex(&digest), @"3a3b03db4065d8f454f54a18d9fbbe8e06fcebd50b8d3a4350231f51e3e7f6f4");
    insta::assert_snapshot!(format!("{:016x}", crate::protocol::digest::id(&[7; 16], &digest)), @"31404726b43cd258");
    let set = crate::protocol::digest::of_set([&digest, &digest]);
    insta::assert_snapshot!(crate::model::text::hex(&set), @"7529d278a909cb75fdfcf3944f5c187b0eb4e5000ffa547c326992dfaa856b6d");
    let root = crate::protocol::digest::root(&[9; 32], b"web-1", &set);
    insta::assert_snapshot!(crate::model::text::hex(&root), @"683fe8bf90882b0d3aa7ce895c9e5df9ff0e9b6f9ea65ea513e86e5b1f324727");
}

#[test]
fn numbers_of_the_wire_are_those_of_the_enums() {
    for attr in Attr::ALL {
        assert_eq!(Attr::of(attr as u8), Some(attr));
        // Whom a path belongs to explains and is never compared.
        assert_eq!(Mask::ALL.has(attr), attr != Attr::Package);
        assert!(Mask::NONE.with(attr).has(attr));
    }
    let all = Attr::ALL.iter().fold(Mask::NONE, |mask, attr| mask.with(*attr));
    assert_eq!(all, Mask::ALL.with(Attr::Package));
    assert_eq!((Attr::of(0), Attr::of(23), Attr::of(255)), (None, None, None));
    for why in Why::ALL {
        assert_eq!(Why::of(why as u8), Some(why));
    }
    for kind in Kind::ALL {
        assert_eq!(Kind::of(kind as u8), Some(kind));
    }
    assert_eq!(Kind::ALL.iter().fold(0, |bits, kind| bits + kind.bit()), 0x7f);
}

#[test]
fn a_root_is_bound_to_nonce_host_and_set() {
    use crate::protocol::digest::root;
    let one = root(&[1; 32], b"web-1", &[5; 32]);
    assert_ne!(one, root(&[2; 32], b"web-1", &[5; 32]));
    assert_ne!(one, root(&[1; 32], b"web-2", &[5; 32]));
    assert_ne!(one, root(&[1; 32], b"web-1", &[6; 32]));
    // The host's length is part of it: no byte of the name can pass for one of the set.
    assert_ne!(root(&[1; 32], b"web-1\x05", &[5; 32]), root(&[1; 32], b"web-1", &[5; 32]));
}

proptest! {
    #[test]
    fn records_come_back(record in any_record()) {
        let bytes = record.view().encoded();
        prop_assert_eq!(Record::parse(bytes).unwrap(), record.clone());
        let attrs: Vec<_> = record.view().attrs().collect();
        prop_assert_eq!(raw_record(record.subject(), &attrs), record);
    }

    #[test]
    fn bytes_that_are_taken_are_canonical(bytes in any_record().prop_flat_map(|r| bent(r.view().encoded().to_vec()))) {
        if let Ok(record) = Record::parse(&bytes) {
            prop_assert_eq!(record.view().encoded(), bytes.as_slice());
            let attrs: Vec<_> = record.view().attrs().collect();
            let again = raw_record(record.subject(), &attrs);
            prop_assert_eq!(again.view().encoded(), bytes.as_slice());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        if let Ok(record) = Record::parse(&bytes) {
            prop_assert!(!record.subject().is_empty());
        }
    }

    #[test]
    fn no_part_of_a_record_is_a_record_of_the_same_attributes(record in any_record()) {
        let bytes = record.view().encoded();
        for cut in 0..bytes.len() {
            if let Ok(part) = Record::parse(&bytes[..cut]) {
                prop_assert!(part.view().attrs().count() < record.view().attrs().count());
            }
        }
    }

    #[test]
    fn projections_are_records_and_compose(record in any_record(), a: u32, b: u32) {
        let project = |record: &Record, mask| {
            let mut out = Vec::new();
            record.view().project(Mask(mask), &mut out);
            Record::parse(&out).unwrap()
        };
        let once = project(&record, a);
        prop_assert_eq!(project(&once, a), once.clone());
        prop_assert_eq!(project(&once, b), project(&record, a & b));
        prop_assert_eq!(once.subject(), record.subject());
        prop_assert_eq!(once.view().mask(), Mask(record.view().mask().0 & a));
        prop_assert_eq!(project(&record, Mask::ALL.0), record);
    }
}
