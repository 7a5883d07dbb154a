//! Comparison as algebra: nothing differs from itself, and a mirror changes sides and nothing else.

use super::{PLAIN, difference, findings, whole};
use crate::drift::{Difference, compare};
use crate::model::{Change, Code, Finding};
use crate::protocol::{Attr, Record, Value};
use crate::protocol_tests::{any_record_of, lacking};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Records of a small world, read whole; each subject once.
fn any_set() -> impl Strategy<Value = Vec<Record>> {
    let subject =
        select(vec!["fs:/", "fs:/a", "fs:/a/b", "fs:/c", "pkg:a:amd64", "pkg:b:amd64", "fact:kernel", "mount:/c"]);
    let record = any_record_of(subject.prop_map(|subject| subject.as_bytes().to_vec())).prop_map(|record| {
        let unread: Vec<Attr> =
            record.view().attrs().filter(|(_, v)| matches!(v, Value::Unread(_))).map(|(attr, _)| attr).collect();
        unread.into_iter().fold(record, |record, attr| lacking(&record, attr))
    });
    vec(record, 0..8).prop_map(|mut records| {
        records.sort_by(|a, b| a.subject().cmp(b.subject()));
        records.dedup_by(|a, b| a.subject() == b.subject());
        records
    })
}

fn mirrored(code: Code) -> Code {
    match code {
        Code::FileAdded => Code::FileRemoved,
        Code::FileRemoved => Code::FileAdded,
        Code::PackageAdded => Code::PackageRemoved,
        Code::PackageRemoved => Code::PackageAdded,
        Code::MountAdded => Code::MountRemoved,
        Code::MountRemoved => Code::MountAdded,
        other => other,
    }
}

/// What a finding says, without severity, which looks at the host's side.
fn said(finding: &Finding) -> (Vec<u8>, Code, Change, String, String) {
    let side = |attributes: &crate::model::Attributes| format!("{:?}", attributes.0);
    (finding.subject.clone(), finding.code, finding.change, side(&finding.before), side(&finding.after))
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(records in any_set()) {
        prop_assert_eq!(difference(&records, &records), Difference::default());
        prop_assert_eq!(findings(&records, &records), []);
        // Even where somebody names the same records on both sides.
        let both = Difference { removed: records.clone(), added: records };
        prop_assert_eq!(compare(&both, &whole(), &PLAIN), []);
    }

    #[test]
    fn the_mirror_changes_sides(a in any_set(), b in any_set()) {
        let forth = sorted(findings(&a, &b).iter().map(said).collect());
        let back = findings(&b, &a);
        let back = back.iter().map(said).map(|(subject, code, change, before, after)| {
            let change = match change {
                Change::Added => Change::Removed,
                Change::Removed => Change::Added,
                Change::Changed => Change::Changed,
            };
            (subject, mirrored(code), change, after, before)
        });
        prop_assert_eq!(forth, sorted(back.collect()));
    }

    #[test]
    fn a_finding_stands_once_and_is_about_what_differs(a in any_set(), b in any_set()) {
        let found = findings(&a, &b);
        let names = sorted(found.iter().map(|f| (f.key, f.fingerprint)).collect::<Vec<_>>());
        prop_assert!(names.is_sorted_by(|x, y| x.0 < y.0), "two findings of one key");
        let of = |records: &[Record], subject: &[u8]| records.iter().find(|r| r.subject() == subject).cloned();
        for finding in &found {
            let (before, after) = (of(&a, &finding.subject), of(&b, &finding.subject));
            prop_assert_ne!(&before, &after);
            prop_assert_eq!(finding.change == Change::Added, before.is_none());
            prop_assert_eq!(finding.change == Change::Removed, after.is_none());
        }
        prop_assert_eq!(findings(&a, &b), found);
    }

    #[test]
    fn whatever_differs_is_found(a in any_set(), b in any_set()) {
        // But for hard links that only one side has, and attributes that have no meaning for the subject.
        let subjects: Vec<Vec<u8>> = findings(&a, &b).into_iter().map(|finding| finding.subject).collect();
        let of = |records: &[Record], subject: &[u8]| records.iter().find(|r| r.subject() == subject).cloned();
        let strip = |record: Option<Record>| record.map(|r| lacking(&lacking(&r, Attr::Link), Attr::Text));
        for subject in a.iter().chain(&b).map(Record::subject) {
            let (before, after) = (of(&a, subject), of(&b, subject));
            let differs = if subject.starts_with(b"fact:") {
                before.as_ref().map(|r| r.view().present(Attr::Text)) != after.as_ref().map(|r| r.view().present(Attr::Text))
            } else {
                strip(before) != strip(after)
            };
            if differs {
                prop_assert!(subjects.iter().any(|s| s == subject), "{:?}", String::from_utf8_lossy(subject));
            }
        }
    }
}
