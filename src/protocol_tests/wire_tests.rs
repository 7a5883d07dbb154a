//! Frames and messages: they come back, every cut is noticed, and no bytes make a reader panic.

use super::{any_record, bent, rules};
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::reply::{BatchReader, BatchWriter, FrameKind, Root, Texts, Trailer};
use crate::protocol::request::{FollowUp, IDS_MAX, Limits, Mode, Request, VERSION};
use crate::protocol::usage::{Count, Large, Place, Survey, Usage};
use crate::protocol::{Malformed, Mask, Record, sketch};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_coverage() -> impl Strategy<Value = Coverage> {
    let path = || vec(any::<u8>(), 0..12);
    let part = proptest::sample::select(vec![Part::Below, Part::Entry, Part::Content, Part::Xattrs, Part::Source]);
    let why = proptest::sample::select(Why::ALL.to_vec());
    let trouble = (path(), part, why, any::<u16>());
    let lists = (vec(any::<(u16, u64)>(), 0..4), vec((any::<u16>(), path()), 0..4), vec((path(), path()), 0..4));
    (any::<[u64; 7]>(), 0..0x40u8, lists, vec(trouble, 0..4), any::<u32>()).prop_map(
        |(n, systems, (ignored, pruned, mounts), troubles, more)| Coverage {
            walked: n[0],
            compared: n[1],
            hashed_bytes: n[2],
            oversize: n[3],
            packages: n[4],
            systems,
            flags_untold: n[5],
            millis: n[6],
            ignored,
            pruned,
            skipped_mounts: mounts.into_iter().map(|(path, fs_type)| SkippedMount { path, fs_type }).collect(),
            troubles_total: troubles.len() as u64 + u64::from(more),
            troubles: troubles.into_iter().map(|(path, part, why, errno)| Trouble { path, part, why, errno }).collect(),
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let path = || "(/[a-z]{1,3}){1,3}|/".prop_map(String::into_bytes);
    let mode = prop_oneof![(0..=sketch::MOST as u32).prop_map(Mode::Sketch), Just(Mode::Listing), Just(Mode::Capture)];
    let limits = (any::<[u64; 5]>(), 0..=1u32 << 16, 0..=1u32 << 24);
    let small = (any::<[u8; 32]>(), vec(any::<u8>(), 0..9), any::<[u8; 16]>(), any::<(bool, bool)>());
    (small, path(), vec(path(), 0..4), mode, limits, any::<bool>()).prop_map(
        |((nonce, host, salt, (live, gentle)), root, scopes, mode, (n, depth, seconds), ruled)| Request {
            nonce,
            host,
            salt,
            root,
            live,
            gentle,
            mode,
            limits: Limits {
                entries: n[0],
                bytes: n[1],
                guard_entries: n[2],
                guard_bytes: n[3],
                guard_records: n[4],
                file_bytes: n[0] ^ n[4],
                depth,
                seconds,
            },
            scopes,
            rules: if ruled { rules(&[("/**", Mask::STRICT), ("/etc/**", Mask::NONE)]) } else { rules(&[]) },
            key: None,
        },
    )
}

fn bytes_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

fn any_count() -> impl Strategy<Value = Count> {
    let count = (any::<u64>(), any::<u64>(), any::<i64>(), any::<bool>(), any::<bool>());
    count.prop_map(|(files, bytes, newest, more, unread)| Count { files, bytes, newest, more, unread })
}

/// What a host may say of a place.
pub(crate) fn any_usage() -> impl Strategy<Value = Usage> {
    let name = || vec(any::<u8>().prop_filter("a name", |b| !matches!(b, 0 | b'/' | b'.')), 1..9);
    let path = vec(name(), 1..4).prop_map(|names| [b"/".to_vec(), names.join(&b'/')].concat());
    let file = (path, any::<u64>(), any::<i64>()).prop_map(|(path, bytes, modified)| Large { path, bytes, modified });
    (any_count(), vec((name(), any_count()), 0..5), vec(file, 0..5)).prop_map(|(count, folders, largest)| Usage {
        count,
        folders,
        largest,
    })
}

fn any_survey() -> impl Strategy<Value = Survey> {
    let place = (any::<bool>(), vec(vec(any::<u8>(), 0..9), 0..3));
    let places = proptest::collection::btree_map("(/[a-z]{1,3}){1,3}|/", place, 0..5);
    (any::<u64>(), 0..=1u32 << 24, places).prop_map(|(entries, millis, places)| {
        let place = |(path, (each, leave_out)): (String, _)| Place { path: path.into_bytes(), each, leave_out };
        Survey { entries, millis, places: places.into_iter().map(place).collect() }
    })
}

#[test]
fn places_of_a_survey_ascend_and_names_are_names() {
    let place = |path: &str| Place { path: path.as_bytes().to_vec(), each: false, leave_out: Vec::new() };
    for (places, word) in [
        (vec![place("/b"), place("/a")], "order of places"),
        (vec![place("/a"), place("/a")], "order of places"),
        (vec![place("/a/../b")], "place"),
        (vec![place("a")], "place"),
    ] {
        let bytes = FollowUp::Usage(Survey { entries: 1, millis: 1, places }).encode();
        assert_eq!(FollowUp::decode(bytes[0], &bytes[5..]), Err(Malformed(word)));
    }
    for name in ["", ".", "..", "a/b", "a\0"] {
        let folders = vec![(name.as_bytes().to_vec(), Count::default())];
        let bytes = bytes_of(|out| Usage::encode(Some(&Usage { folders, ..Usage::default() }), out));
        assert_eq!(Usage::decode(&bytes), Err(Malformed("name")), "{name:?}");
    }
    assert_eq!(Usage::decode(&[0]), Ok(None));
    assert!(Usage::decode(&[]).is_err() && Usage::decode(&[0, 0]).is_err() && Usage::decode(&[2]).is_err());
}

#[test]
fn a_count_of_troubles_is_never_below_their_detail() {
    let trouble = Trouble { path: b"/a".to_vec(), part: Part::Entry, why: Why::Io, errno: 5 };
    let coverage = Coverage { troubles: vec![trouble], troubles_total: 0, ..Coverage::default() };
    assert_eq!(Coverage::decode(&bytes_of(|out| coverage.encode(out))), Err(Malformed("count of troubles")));
}

#[test]
fn a_request_asks_for_nothing_that_this_version_lacks() {
    let request = Request {
        nonce: [1; 32],
        host: b"web-1".to_vec(),
        salt: [2; 16],
        root: b"/".to_vec(),
        live: true,
        gentle: false,
        mode: Mode::Sketch(64),
        limits: Limits::default(),
        scopes: vec![b"/".to_vec()],
        rules: rules(&[("/**", Mask::STRICT)]),
        key: None,
    };
    let body = request.encode()[12..].to_vec();
    assert_eq!(Request::decode(&body), Ok(request.clone()));
    let with = |at: usize, byte: u8| {
        let mut body = body.clone();
        body[at] = byte;
        Request::decode(&body).unwrap_err().0
    };
    assert_eq!(with(0, VERSION as u8 + 1), "request: another version");
    assert_eq!(with(2, 2), "request: it asks for an ability that this version lacks");
    let flags = 2 + 1 + 32 + 6 + 16 + 2;
    assert_eq!((with(flags, 4), with(flags + 1, 3)), ("flags", "mode"));
    // A listing has no number of symbols.
    assert_eq!(with(flags + 1, 1), "mode");
    for path in ["", "etc", "/etc/", "//", "/a//b", "/a/../b", "/.", "/a\0b"] {
        let changed = Request { scopes: vec![path.as_bytes().to_vec()], ..request.clone() };
        assert_eq!(Request::decode(&changed.encode()[12..]), Err(Malformed("scope")), "{path:?}");
        let changed = Request { root: path.as_bytes().to_vec(), ..request.clone() };
        assert_eq!(Request::decode(&changed.encode()[12..]), Err(Malformed("root")), "{path:?}");
    }
}

#[test]
fn ids_of_a_follow_up_ascend_and_are_not_too_many() {
    let decode = |message: &FollowUp| {
        let bytes = message.encode();
        FollowUp::decode(bytes[0], &bytes[5..])
    };
    for ids in [vec![2, 1], vec![1, 1]] {
        assert_eq!(decode(&FollowUp::Records(ids)), Err(Malformed("order of ids")));
    }
    let most: Vec<u64> = (0..IDS_MAX as u64).collect();
    assert_eq!(decode(&FollowUp::Records(most.clone())), Ok(FollowUp::Records(most)));
    assert_eq!(decode(&FollowUp::Records((0..=IDS_MAX as u64).collect())), Err(Malformed("ids")));
    assert_eq!(decode(&FollowUp::More(sketch::MOST as u32 + 1)), Err(Malformed("symbols")));
    assert_eq!(FollowUp::decode(b'B', b"x"), Err(Malformed("message")));
    assert_eq!(FollowUp::decode(b'X', b""), Err(Malformed("message type")));
}

#[test]
fn texts_are_found_by_name_in_any_order() {
    let mut texts = Texts::default();
    texts.put(b"b", b"2");
    texts.put(b"a", b"1");
    texts.put(b"b", b"3");
    assert_eq!((texts.text(b"b"), texts.text(b"c")), (Some(&b"2"[..]), None));
    assert_eq!(texts.texts(b"b").collect::<Vec<_>>(), [b"2", b"3"]);
    assert!(texts.0.is_sorted_by(|a, b| a.0 <= b.0));
}

#[test]
fn frames_have_their_numbers() {
    for number in 0..=255u8 {
        assert!(FrameKind::of(number).is_none_or(|kind| kind as u8 == number));
    }
    assert_eq!((FrameKind::of(0), FrameKind::of(14)), (None, None));
}

/// The records by subject, each subject once.
fn ordered(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
    records.dedup_by(|a, b| a.subject() == b.subject());
    records
}

fn batch(records: &[&Record]) -> Vec<u8> {
    let mut writer = BatchWriter::default();
    bytes_of(|out| records.iter().for_each(|record| writer.put(record.view().encoded(), out)))
}

fn read(payloads: &[&[u8]]) -> Result<Vec<Record>, Malformed> {
    let (mut reader, mut records) = (BatchReader::default(), Vec::new());
    for payload in payloads {
        reader.read(payload, |record| {
            records.push(record);
            Ok::<_, Malformed>(())
        })?;
    }
    Ok(records)
}

#[test]
fn a_second_record_of_a_subject_is_refused() {
    let (a, b) = (super::file("/a", 1), super::file("/b", 1));
    let order = Err(Malformed("order of records"));
    assert_eq!(read(&[&batch(&[&a, &super::file("/a", 2)])]), order);
    assert_eq!(read(&[&batch(&[&b, &a])]), order);
    assert_eq!(read(&[&batch(&[&a]), &batch(&[&a])]), order, "over two batches");
    assert_eq!(read(&[&batch(&[&super::file("/a/b", 1), &a])]), order, "a prefix comes first");
}

proptest! {
    #[test]
    fn coverages_come_back_and_no_part_of_one_does(coverage in any_coverage()) {
        let bytes = bytes_of(|out| coverage.encode(out));
        prop_assert_eq!(Coverage::decode(&bytes), Ok(coverage));
        for cut in 0..bytes.len() {
            prop_assert!(Coverage::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn a_coverage_that_is_taken_is_canonical(bytes in any_coverage().prop_flat_map(|c| bent(bytes_of(|out| c.encode(out))))) {
        if let Ok(coverage) = Coverage::decode(&bytes) {
            prop_assert_eq!(bytes_of(|out| coverage.encode(out)), bytes);
        }
    }

    #[test]
    fn requests_come_back_and_no_part_of_one_does(request in any_request()) {
        let message = request.encode();
        let body = &message[12..];
        prop_assert_eq!(u32::from_le_bytes(message[8..12].try_into().unwrap()) as usize, body.len());
        prop_assert_eq!(Request::decode(body), Ok(request));
        for cut in 0..body.len() {
            prop_assert!(Request::decode(&body[..cut]).is_err());
        }
    }

    #[test]
    fn a_request_that_is_taken_means_what_it_says(bytes in any_request().prop_flat_map(|r| bent(r.encode()[12..].to_vec()))) {
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(Request::decode(&request.encode()[12..]), Ok(request));
        }
    }

    #[test]
    fn usages_come_back_and_no_part_of_one_does(usage in any_usage()) {
        let bytes = bytes_of(|out| Usage::encode(Some(&usage), out));
        for cut in 0..bytes.len() {
            prop_assert!(Usage::decode(&bytes[..cut]).is_err());
        }
        prop_assert_eq!(Usage::decode(&bytes), Ok(Some(usage)));
    }

    #[test]
    fn surveys_come_back(survey in any_survey()) {
        let bytes = FollowUp::Usage(survey.clone()).encode();
        for cut in 5..bytes.len() {
            prop_assert!(FollowUp::decode(bytes[0], &bytes[5..cut]).is_err());
        }
        prop_assert_eq!(FollowUp::decode(bytes[0], &bytes[5..]), Ok(FollowUp::Usage(survey)));
    }

    #[test]
    fn follow_ups_come_back(more in 0..=sketch::MOST as u32, ids: std::collections::BTreeSet<u64>) {
        let ids: Vec<u64> = ids.into_iter().collect();
        for message in [FollowUp::More(more), FollowUp::Records(ids), FollowUp::Listing, FollowUp::Bye] {
            let bytes = message.encode();
            for cut in 5..bytes.len() {
                prop_assert!(FollowUp::decode(bytes[0], &bytes[5..cut]).is_err());
            }
            prop_assert_eq!(FollowUp::decode(bytes[0], &bytes[5..]), Ok(message));
        }
    }

    #[test]
    fn small_frames_come_back(records: u64, frames: u64, bytes: u64, digest: [u8; 32], texts in vec((vec(any::<u8>(), 0..5), vec(any::<u8>(), 0..9)), 0..5)) {
        let root = Root { root: digest, records };
        prop_assert_eq!(Root::decode(&bytes_of(|out| root.encode(out))), Ok(root));
        let trailer = Trailer { frames, bytes, digest };
        let encoded = bytes_of(|out| trailer.encode(out));
        prop_assert_eq!(Trailer::decode(&encoded), Ok(trailer));
        prop_assert!(Trailer::decode(&[&encoded[..], b"x"].concat()).is_err());
        let mut put = Texts::default();
        for (name, text) in &texts {
            put.put(name, text);
        }
        let encoded = bytes_of(|out| put.encode(out));
        for cut in 0..encoded.len() {
            prop_assert!(Texts::decode(&encoded[..cut]).is_err());
        }
        prop_assert_eq!(Texts::decode(&encoded), Ok(put));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(kind: u8, bytes: Vec<u8>) {
        let _ = Coverage::decode(&bytes);
        let _ = Texts::decode(&bytes);
        let _ = Root::decode(&bytes);
        let _ = Trailer::decode(&bytes);
        let _ = Usage::decode(&bytes);
        let _ = Request::decode(&bytes);
        let _ = FollowUp::decode(kind, &bytes);
        let _ = read(&[&bytes, &bytes]);
    }

    #[test]
    fn batches_come_back(records in vec(any_record(), 0..12), split in any::<proptest::sample::Index>()) {
        let records = ordered(records);
        let at = split.index(records.len() + 1);
        let mut writer = BatchWriter::default();
        let payloads: Vec<Vec<u8>> = [&records[..at], &records[at..]]
            .iter()
            .map(|part| bytes_of(|out| part.iter().for_each(|record| writer.put(record.view().encoded(), out))))
            .collect();
        prop_assert_eq!(read(&[&payloads[0], &payloads[1]]).unwrap(), records);
    }

    #[test]
    fn what_a_bent_batch_gives_is_in_order(bytes in vec(any_record(), 1..6).prop_flat_map(|records| {
        let records = ordered(records);
        bent(batch(&records.iter().collect::<Vec<_>>()))
    })) {
        if let Ok(records) = read(&[&bytes]) {
            prop_assert!(records.is_sorted_by(|a, b| a.subject() < b.subject()));
        }
    }
}
