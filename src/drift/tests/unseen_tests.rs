//! What nobody looked at is neither changed nor removed.

use super::{PLAIN, difference, only, skipping, told, troubled, whole};
use crate::drift::compare;
use crate::model::{Change, Code};
use crate::protocol::coverage::{Coverage, Part, Why};
use crate::protocol::{Attr, Record, Value};
use crate::protocol_tests::{fact, file, folder, mount, package, set, with};

fn gone(before: &[Record], coverage: &Coverage) -> Vec<String> {
    told(&compare(&difference(before, &[]), coverage, &PLAIN))
}

#[test]
fn unread_attributes_are_no_finding() {
    let plain = set(&set(&file("/a", 1), Attr::Acl, b"x"), Attr::Capability, b"01");
    for (attr, _) in plain.view().attrs().filter(|(attr, _)| *attr != Attr::Kind) {
        for why in Why::ALL {
            let unread = with(&plain, attr, Value::Unread(why));
            let difference = difference(std::slice::from_ref(&plain), &[unread]);
            assert_eq!(compare(&difference, &whole(), &PLAIN), [], "{attr:?}");
        }
    }
}

#[test]
fn the_other_attributes_of_such_a_file_are_compared() {
    let unread = with(&set(&file("/a", 1), Attr::Mode, &[0, 0]), Attr::Content, Value::Unread(Why::Denied));
    let found = compare(&difference(&[file("/a", 1)], &[unread]), &whole(), &PLAIN);
    only(&found, Code::ModeChanged);
}

#[test]
fn a_fact_that_was_not_read_is_no_finding() {
    let unread = with(&fact("kernel", "6"), Attr::Text, Value::Unread(Why::Io));
    assert_eq!(compare(&difference(&[fact("kernel", "6")], &[unread]), &whole(), &PLAIN), []);
}

/// It passed for another type, and one finding was all that it could have.
#[test]
fn a_type_that_was_not_read_hides_no_other_difference() {
    let unread = with(&set(&file("/a", 2), Attr::Mode, &[0, 0]), Attr::Kind, Value::Unread(Why::Io));
    let found = compare(&difference(&[file("/a", 1)], &[unread]), &whole(), &PLAIN);
    assert_eq!(told(&found), ["content-changed fs:/a", "mode-changed fs:/a"]);
}

#[test]
fn a_folder_that_could_not_be_listed_hides_what_is_below_it() {
    let before = [file("/a/b/c", 1), file("/a/b", 1), file("/a/bc", 1), file("/d", 1)];
    for part in [Part::Below, Part::Entry] {
        let coverage = troubled(&[("/a/b", part, Why::Denied)]);
        assert_eq!(gone(&before, &coverage), ["file-removed fs:/a/bc", "file-removed fs:/d"]);
    }
    assert_eq!(gone(&before, &troubled(&[("/", Part::Below, Why::Limit)])), [""; 0]);
    for part in [Part::Content, Part::Xattrs, Part::Source] {
        assert_eq!(gone(&before, &troubled(&[("/a/b", part, Why::Denied)])).len(), 4, "{part:?} hides nothing");
    }
}

#[test]
fn what_is_there_below_such_a_folder_is_a_finding_all_the_same() {
    let coverage = troubled(&[("/a", Part::Below, Why::Limit)]);
    let found = compare(&difference(&[file("/a/b", 1)], &[file("/a/b", 2), file("/a/c", 1)]), &coverage, &PLAIN);
    assert_eq!(told(&found), ["content-changed fs:/a/b", "file-added fs:/a/c"]);
}

#[test]
fn troubles_without_detail_leave_no_removal_certain() {
    let coverage = Coverage { troubles_total: 1, ..whole() };
    let found = compare(&difference(&[file("/a", 1)], &[file("/b", 1)]), &coverage, &PLAIN);
    assert_eq!(told(&found), ["file-added fs:/b"]);
}

#[test]
fn packages_and_mounts_are_gone_only_where_their_source_was_read() {
    let before = [package("a", "1"), mount("/m", "ext4", "")];
    assert_eq!(gone(&before, &whole()), ["mount-removed mount:/m", "package-removed pkg:a:amd64"]);
    let without = Coverage { systems: 0, ..whole() };
    assert_eq!(gone(&before, &without), ["mount-removed mount:/m"]);
    let coverage = troubled(&[("packages", Part::Source, Why::Packages), ("mountinfo", Part::Source, Why::Io)]);
    assert_eq!(gone(&before, &coverage), [""; 0]);
}

#[test]
fn a_mount_that_was_skipped_is_one_finding_with_a_count() {
    let before = [folder("/srv"), file("/srv/a", 1), file("/srv/b/c", 1), file("/srv-x", 1)];
    let found = compare(&difference(&before, &[]), &skipping(&[("/srv", "nfs4")]), &PLAIN);
    assert_eq!(told(&found), ["file-removed fs:/srv-x", "mount-hides mount:/srv"]);
    let hides = found.iter().find(|finding| finding.code == Code::MountHides).unwrap();
    assert_eq!(hides.change, Change::Changed);
    assert_eq!(hides.before.text(Attr::Text), Some("2 paths of the baseline"));
    assert_eq!(hides.after.text(Attr::FsType), Some("nfs4"));
    assert_eq!(hides.path(), Some(&b"/srv"[..]));
}

#[test]
fn an_empty_mount_point_is_no_finding() {
    let found = compare(&difference(&[folder("/mnt")], &[]), &skipping(&[("/mnt", "nfs4")]), &PLAIN);
    assert_eq!(found, []);
}

#[test]
fn of_two_mounts_the_inner_one_hides() {
    let before = [file("/srv/a", 1), file("/srv/in/b", 1), file("/srv/in/c", 1)];
    let found = compare(&difference(&before, &[]), &skipping(&[("/srv", "nfs4"), ("/srv/in", "tmpfs")]), &PLAIN);
    assert_eq!(told(&found), ["mount-hides mount:/srv", "mount-hides mount:/srv/in"]);
    let count = |subject: &[u8]| {
        let finding = found.iter().find(|finding| finding.subject == subject).unwrap();
        finding.before.text(Attr::Text).map(ToOwned::to_owned)
    };
    assert_eq!(count(b"mount:/srv").as_deref(), Some("1 path of the baseline"));
    assert_eq!(count(b"mount:/srv/in").as_deref(), Some("2 paths of the baseline"));
}

/// The mount lies on the file itself: what it hides is not below the mount point, and was never told.
#[test]
fn a_mount_over_a_file_hides_that_file() {
    let before = [folder("/etc"), file("/etc/shadow", 1)];
    let found = compare(&difference(&before, &before[..1]), &skipping(&[("/etc/shadow", "tmpfs")]), &PLAIN);
    assert_eq!(told(&found), ["mount-hides mount:/etc/shadow"]);
    assert_eq!(only(&found, Code::MountHides).before.text(Attr::Text), Some("1 path of the baseline"));
}

/// The detail that a full coverage gives up is cut at the end, where the mount table's trouble stands.
#[test]
fn troubles_without_detail_leave_no_lost_mount_certain() {
    let coverage = Coverage { troubles_total: 1, ..whole() };
    let before = [mount("/m", "ext4", ""), package("a", "1")];
    assert_eq!(gone(&before, &coverage), ["package-removed pkg:a:amd64"]);
}

/// Each removal was held to each trouble: a host that told 8,192 of them and lacked everything held a thread of ours for a while.
#[test]
fn many_troubles_and_many_removals_take_no_time() {
    let before: Vec<Record> = (0..30_000).map(|n| folder(&format!("/z/y/{n}"))).collect();
    let names: Vec<String> = (0..8_000).map(|n| format!("/a{n}")).collect();
    let mut troubles: Vec<(&str, Part, Why)> = names.iter().map(|name| (name.as_str(), Part::Below, Why::Io)).collect();
    troubles.push(("/z", Part::Below, Why::Io));
    let mut mounts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "nfs")).collect();
    mounts.push(("/z/y", "nfs"));
    let gone = difference(&before, &[]);
    let start = std::time::Instant::now();
    assert_eq!(compare(&gone, &troubled(&troubles), &PLAIN), []);
    assert_eq!(told(&compare(&gone, &skipping(&mounts), &PLAIN)), ["mount-hides mount:/z/y"]);
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}
