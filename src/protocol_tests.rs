//! Tests of the shared language, and the records that tests of higher floors are made of.
//!
//! *Invariant:* nothing here is built into the program.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may")]

mod accounts_tests;
mod codec_tests;
mod host_value_tests;
pub(crate) mod pattern_tests;
mod record_tests;
mod rule_tests;
mod secret_tests;
mod sketch_tests;
mod view_configs_tests;
pub(crate) mod wire_tests;

use crate::protocol::record::RecordWriter;
use crate::protocol::{Attr, Kind, Mask, Pattern, Record, Rule, RuleSet, Value, When, Why};
use proptest::collection::vec;
use proptest::prelude::*;

/// A record of these attributes, which ascend.
pub(crate) fn record(subject: &str, attrs: &[(Attr, Value<'_>)]) -> Record {
    raw_record(subject.as_bytes(), attrs)
}

/// As [`record`], for a subject that is no text.
pub(crate) fn raw_record(subject: &[u8], attrs: &[(Attr, Value<'_>)]) -> Record {
    let mut encoded = Vec::new();
    let mut writer = RecordWriter::new(&mut encoded, subject);
    for (attr, value) in attrs {
        writer.put(*attr, *value);
    }
    Record::parse(&encoded).unwrap()
}

/// A plain file of root's whose content is this byte, and whose size is 7.
pub(crate) fn file(path: &str, content: u8) -> Record {
    record(
        &format!("fs:{path}"),
        &[
            (Attr::Kind, Value::Present(b"f")),
            (Attr::Mode, Value::Present(&0o644u16.to_le_bytes())),
            (Attr::Owner, Value::Present(b"#0")),
            (Attr::Group, Value::Present(b"#0")),
            (Attr::Size, Value::Present(&7u64.to_le_bytes())),
            (Attr::Content, Value::Present(&[content; 32])),
        ],
    )
}

/// A folder of root's.
pub(crate) fn folder(path: &str) -> Record {
    record(
        &format!("fs:{path}"),
        &[
            (Attr::Kind, Value::Present(b"d")),
            (Attr::Mode, Value::Present(&0o755u16.to_le_bytes())),
            (Attr::Owner, Value::Present(b"#0")),
            (Attr::Group, Value::Present(b"#0")),
        ],
    )
}

/// A symbolic link.
pub(crate) fn symlink(path: &str, target: &str) -> Record {
    record(
        &format!("fs:{path}"),
        &[(Attr::Kind, Value::Present(b"l")), (Attr::Target, Value::Present(target.as_bytes()))],
    )
}

/// An installed package.
pub(crate) fn package(name: &str, version: &str) -> Record {
    record(
        &format!("pkg:{name}:amd64"),
        &[(Attr::Version, Value::Present(version.as_bytes())), (Attr::State, Value::Present(b"install ok installed"))],
    )
}

/// A fact.
pub(crate) fn fact(name: &str, text: &str) -> Record {
    record(&format!("fact:{name}"), &[(Attr::Text, Value::Present(text.as_bytes()))])
}

/// A mount with these protections.
pub(crate) fn mount(path: &str, fs_type: &str, options: &str) -> Record {
    record(
        &format!("mount:{path}"),
        &[(Attr::FsType, Value::Present(fs_type.as_bytes())), (Attr::MountOptions, Value::Present(options.as_bytes()))],
    )
}

/// The record with one attribute set.
pub(crate) fn with(record: &Record, attr: Attr, value: Value<'_>) -> Record {
    let mut attrs: Vec<(Attr, Value<'_>)> = record.view().attrs().filter(|(a, _)| *a != attr).collect();
    attrs.push((attr, value));
    attrs.sort_by_key(|(attr, _)| *attr);
    raw_record(record.subject(), &attrs)
}

/// The record with one attribute read as these bytes.
pub(crate) fn set(record: &Record, attr: Attr, bytes: &[u8]) -> Record {
    with(record, attr, Value::Present(bytes))
}

/// The record without one attribute.
pub(crate) fn lacking(record: &Record, attr: Attr) -> Record {
    let attrs: Vec<(Attr, Value<'_>)> = record.view().attrs().filter(|(a, _)| *a != attr).collect();
    raw_record(record.subject(), &attrs)
}

/// A rule without conditions.
pub(crate) fn rule(pattern: &str, mask: Mask) -> Rule {
    Rule { pattern: Pattern::new(pattern.as_bytes()).unwrap(), when: When::default(), mask, view: None }
}

/// Rules without conditions.
pub(crate) fn rules(rules: &[(&str, Mask)]) -> RuleSet {
    RuleSet::new(rules.iter().map(|(pattern, mask)| rule(pattern, *mask)).collect()).unwrap()
}

/// What an attribute may hold, unread included.
pub(crate) fn any_value(attr: Attr) -> BoxedStrategy<Option<Vec<u8>>> {
    let bytes = match attr {
        Attr::Kind => proptest::sample::select(Kind::ALL.to_vec()).prop_map(|kind| vec![kind as u8]).boxed(),
        Attr::Mode => (0u16..0o10000).prop_map(|mode| mode.to_le_bytes().to_vec()).boxed(),
        Attr::Size => any::<u64>().prop_map(|size| size.to_le_bytes().to_vec()).boxed(),
        Attr::Content => any::<[u8; 32]>().prop_map(Vec::from).boxed(),
        Attr::Target | Attr::Link => vec(1u8.., 1..9).boxed(),
        _ => vec(any::<u8>(), 0..9).boxed(),
    };
    proptest::option::of(bytes).boxed()
}

/// Any record of a subject, as attributes in ascending order.
pub(crate) fn any_record_of(subject: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Record> {
    let attrs = any::<u32>().prop_flat_map(|bits| {
        let chosen = Attr::ALL.into_iter().filter(|attr| Mask(bits & Mask::ALL.0).has(*attr));
        chosen.map(|attr| (Just(attr), any_value(attr), 0usize..6)).collect::<Vec<_>>()
    });
    (subject, attrs).prop_map(|(subject, attrs)| {
        let attrs: Vec<(Attr, Value<'_>)> = attrs
            .iter()
            .map(|(attr, bytes, why)| {
                let value = match bytes {
                    Some(bytes) => Value::Present(bytes),
                    None if *attr == Attr::Content && *why == 0 => Value::Oversize,
                    None => Value::Unread(Why::ALL[*why]),
                };
                (*attr, value)
            })
            .collect();
        raw_record(&subject, &attrs)
    })
}

/// Any record.
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    any_record_of(vec(1u8.., 1..20))
}

/// Bytes that are almost those: cut, or with a byte changed, taken out or put in.
pub(crate) fn bent(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    (0..=bytes.len(), any::<u8>(), 0u8..4).prop_map(move |(at, byte, how)| {
        let mut bytes = bytes.clone();
        match how {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => bytes[at] = byte,
            3 if at < bytes.len() => {
                bytes.remove(at);
            }
            _ => bytes.push(byte),
        }
        bytes
    })
}
