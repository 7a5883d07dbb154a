//! What is state and what is not, by values; and what hostile answers can't do.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::drift::Reference;
use crate::drift::tests::{self, difference};
use crate::protocol::coverage::SkippedMount;
use crate::protocol::reply::{Owned, Shipped};
use crate::protocol::usage::Large;
use crate::protocol::{Attr, Mask, Record};
use crate::protocol_tests::wire_tests::any_usage;
use crate::protocol_tests::{file, folder, lacking, mount, rules, set, symlink};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOW: i64 = 1_795_000_000;

/// A template with these records, and one that matters to nobody: none has no file.
fn reference(records: &[Record]) -> Reference {
    let mut records = records.to_vec();
    records.push(file("/etc/motd", 1));
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
    // What programs write while they run is compared by its metadata.
    let rules = rules(&[("/**", Mask::STRICT), ("/var/lib/**", Mask::METADATA)]);
    tests::reference_under(&rules, 1, &records)
}

fn count(files: u64, bytes: u64) -> Count {
    Count { files, bytes, newest: NOW, ..Count::default() }
}

fn usage(files: u64, bytes: u64) -> Usage {
    Usage { count: count(files, bytes), ..Usage::default() }
}

fn each(folders: &[(&str, Count)]) -> Usage {
    let folders = folders.iter().map(|(name, count)| (name.as_bytes().to_vec(), *count)).collect();
    Usage { folders, ..Usage::default() }
}

fn answers(usage: Vec<(&str, Usage)>) -> Answers {
    let usage = usage.into_iter().map(|(path, usage)| (path.as_bytes().to_vec(), usage)).collect();
    Answers { usage: Some(usage), ..Answers::default() }
}

fn state_of(before: &[Record], after: &[Record], answers: &Answers) -> StateAtRisk {
    let base = reference(before);
    at_risk(&base.set.set, &difference(before, after), answers, &Coverage::default(), Some(NOW)).unwrap()
}

fn held(usage: Vec<(&str, Usage)>) -> Vec<String> {
    held_of(&[folder("/")], &[folder("/")], usage)
}

fn held_of(before: &[Record], after: &[Record], usage: Vec<(&str, Usage)>) -> Vec<String> {
    let state = state_of(before, after, &answers(usage));
    state.items.iter().map(|item| format!("{} {} {}", item.kind.word(), item.path, item.bytes)).collect()
}

fn sized(path: &str, bytes: u64) -> Record {
    set(&file(path, 1), Attr::Size, &bytes.to_le_bytes())
}

#[test]
fn nobody_looked_is_not_nothing() {
    let base = reference(&[]);
    let nothing = Difference::default();
    assert_eq!(at_risk(&base.set.set, &nothing, &Answers::default(), &Coverage::default(), None), None);
    let looked = at_risk(&base.set.set, &nothing, &answers(Vec::new()), &Coverage::default(), None);
    assert_eq!(looked, Some(StateAtRisk::default()));
}

#[test]
fn what_the_baseline_has_is_no_state() {
    let base = [folder("/srv"), sized("/srv/a", 500), sized("/srv/b", 700)];
    assert_eq!(held_of(&base, &base, vec![("/srv", usage(2, 1_200))]), [] as [&str; 0]);
    assert_eq!(held_of(&base, &base, vec![("/srv", usage(3, 1_250))]), ["service /srv 50"]);
    // Another content is another file; another mode is not.
    let after = [
        folder("/srv"),
        set(&sized("/srv/a", 500), Attr::Mode, &[0, 1]),
        set(&sized("/srv/b", 700), Attr::Content, &[9; 32]),
    ];
    assert_eq!(held_of(&base, &after, vec![("/srv", usage(2, 1_200))]), ["service /srv 700"]);
    // One is gone and one has come.
    let after = [folder("/srv"), sized("/srv/a", 500), sized("/srv/c", 100)];
    assert_eq!(held_of(&base, &after, vec![("/srv", usage(2, 600))]), ["service /srv 100"]);
}

/// The probe follows no link, so that nobody looked where the data is now.
#[test]
fn a_place_that_became_a_link_is_not_looked_into() {
    let base = [folder("/var/lib/mysql"), symlink("/var/mail", "spool/mail")];
    let after = [symlink("/var/lib/mysql", "/bigdisk/mysql"), symlink("/var/mail", "spool/mail")];
    let state = state_of(&base, &after, &answers(Vec::new()));
    assert_eq!((state.items.len(), state.unseen), (0, vec!["/var/lib/mysql".to_owned()]));
}

#[test]
fn mounts_past_those_that_are_asked_about_are_named() {
    let after: Vec<Record> = (0..70).map(|n| mount(&format!("/disks/{n:02}"), "xfs", "")).collect();
    let state = state_of(&[], &after, &answers(Vec::new()));
    assert_eq!(state.unseen.first().map(String::as_str), Some("/disks/64"));
    assert_eq!(state.unseen.len(), 6);
}

#[test]
fn a_file_whose_size_nobody_compares_may_have_grown() {
    let blind = lacking(&lacking(&file("/var/lib/couchdb/shop.couch", 1), Attr::Size), Attr::Content);
    let base = [folder("/var/lib/couchdb"), blind];
    let told = held_of(&base, &base, vec![("/var/lib/couchdb", usage(1, 5_000_000))]);
    assert_eq!(told, ["database /var/lib/couchdb 5000000"]);
    assert!(held_of(&base, &base, vec![("/var/lib/couchdb", usage(1, 5_000))]).is_empty());
}

#[test]
fn a_database_that_nobody_has_used_is_none_where_the_template_has_it() {
    let fresh = || vec![("/var/lib/postgresql", usage(970, 40 << 20))];
    let base = [folder("/var/lib/postgresql")];
    assert!(held_of(&base, &base, fresh()).is_empty());
    // Somebody installed it on the host: whatever it holds is somebody's.
    assert_eq!(held(fresh()), ["database /var/lib/postgresql 41943040"]);
    assert!(held(vec![("/var/lib/postgresql", usage(3, 900))]).is_empty());
}

#[test]
fn databases_are_told_beside_those_of_the_server() {
    let usage = each(&[
        ("mysql", count(9, 1 << 30)),
        ("shop", count(2, 5_000)),
        ("#innodb_redo", count(9, 1 << 30)),
        ("empty", count(1, 65)),
    ]);
    let usage = Usage { count: count(5, 1 << 28), ..usage };
    assert_eq!(held(vec![("/var/lib/mysql", usage)]), ["database /var/lib/mysql/shop 5000"]);
}

#[test]
fn homes_are_told_each_and_the_largest_first() {
    let homes = each(&[("anna", count(1, 10)), ("bert", count(7, 90)), ("carl", Count::default())]);
    assert_eq!(held(vec![("/home", homes)]), ["home /home/bert 90", "home /home/anna 10"]);
}

#[test]
fn an_empty_mailbox_is_none() {
    assert!(held(vec![("/var/mail", usage(2, 0))]).is_empty());
}

#[test]
fn what_could_not_be_looked_into_is_named() {
    let shut = Count { unread: true, ..Count::default() };
    let partly = Count { unread: true, ..count(1, 5) };
    let homes = each(&[("anna", shut), ("bert", partly)]);
    let usage = vec![("/home", homes), ("/root", Usage { count: shut, ..Usage::default() })];
    let state = state_of(&[], &[], &answers(usage));
    assert_eq!(state.unseen, ["/home/anna", "/home/bert", "/root"]);
    assert_eq!(state.items.len(), 1);
    // Many of one place are that place.
    let many: Vec<(Vec<u8>, Count)> = (0..99).map(|n| (format!("u{n}").into_bytes(), shut)).collect();
    let state = state_of(&[], &[], &answers(vec![("/home", Usage { folders: many, ..Usage::default() })]));
    assert_eq!(state.unseen, ["/home"]);
}

#[test]
fn a_count_that_a_limit_ended_is_state_or_unseen() {
    let base = [folder("/srv"), sized("/srv/a", 500), sized("/srv/b", 500)];
    let cut = |files, bytes| Usage { count: Count { more: true, ..count(files, bytes) }, ..Usage::default() };
    let state = state_of(&base, &base, &answers(vec![("/srv", cut(9, 0))]));
    assert!(state.items.iter().all(|item| item.more) && state.items.len() == 1 && state.unseen.is_empty());
    let state = state_of(&base, &base, &answers(vec![("/srv", cut(1, 500))]));
    assert_eq!((state.items.len(), state.unseen), (0, vec!["/srv".to_owned()]));
}

#[test]
fn large_and_recent_files_of_trees_that_the_rules_leave_out() {
    let large =
        |path: &str, bytes, days: i64| Large { path: path.as_bytes().to_vec(), bytes, modified: NOW - days * 86_400 };
    let tree = Usage {
        largest: vec![
            large("/var/lib/app/blob", 100_000_000, 900),
            large("/var/lib/app/old", 99_000_000, 8),
            large("/var/lib/app/new", 11_000_000, 1),
            large("/var/lib/app/small", 9_000_000, 1),
            large("/var/lib/app/golden", 900_000_000, 1),
            large("/var/lib/app/packaged", 900_000_000, 1),
        ],
        ..Usage::default()
    };
    let mut answers = answers(vec![("/var/lib", tree)]);
    let owned = Owned { shipped: Shipped::Untold, is_config: false, owners: vec![b"pkg:app:amd64".to_vec()] };
    answers.owners.insert(b"/var/lib/app/packaged".to_vec(), owned);
    let base = [sized("/var/lib/app/golden", 7)];
    let state = state_of(&base, &base, &answers);
    let told: Vec<String> = state.items.iter().map(|item| format!("{} {}", item.kind.word(), item.path)).collect();
    assert_eq!(told, ["large-file /var/lib/app/blob", "recent-file /var/lib/app/new"]);
}

#[test]
fn files_that_only_the_host_has_count_by_themselves_or_by_their_folder() {
    let mut after: Vec<Record> = (0..20).map(|n| sized(&format!("/opt/app/part-{n:02}"), 9_000_000)).collect();
    after.extend([sized("/opt/film", 300_000_000), sized("/srv/film", 300_000_000), sized("/swapfile", 1 << 31)]);
    after.extend([sized("/boot/initrd.img", 200_000_000), sized("/usr/bin/small", 7)]);
    after.sort_by(|a, b| a.subject().cmp(b.subject()));
    let told = held_of(&[], &after, vec![]);
    assert_eq!(told, ["large-file /opt/film 300000000", "large-file /opt/app 180000000"]);
}

#[test]
fn mounts_of_storage_are_asked_and_no_others() {
    let base = [mount("/", "ext4", ""), mount("/var/data", "xfs", ""), mount("/old", "xfs", "")];
    let after = [
        mount("/", "ext4", ""),
        mount("/home", "ext4", ""),
        mount("/boot/efi", "vfat", ""),
        mount("/media/cd", "iso9660", "ro"),
        mount("/mnt/archive", "ext4", "ro"),
        mount("/mnt/disk", "ext4", "nosuid"),
        mount("/mnt/share", "nfs4", ""),
        mount("/run/x", "ext4", ""),
        mount("/var/data", "xfs", ""),
    ];
    let reference = reference(&base);
    let differing = difference(&base, &after);
    let (mounts, _) = questions::mounts(&reference.set.set, &differing);
    assert_eq!(mounts, [&b"/mnt/disk"[..], b"/var/data"]);
    let asked = questions(&reference.set.set, &differing);
    assert!(asked.windows(2).all(|pair| pair[0].path < pair[1].path));
    assert!(asked.iter().any(|place| place.path == b"/mnt/disk"));
    let told = held_of(&base, &after, vec![("/mnt/disk", usage(3, 500))]);
    assert_eq!(told, ["mount /mnt/disk 500"]);
}

#[test]
fn a_disk_that_the_probe_does_not_enter_is_unseen() {
    let skipped = |path: &[u8], fs_type: &[u8]| SkippedMount { path: path.to_vec(), fs_type: fs_type.to_vec() };
    let skipped_mounts = vec![skipped(b"/mnt/usb", b"fuseblk"), skipped(b"/mnt/share", b"nfs4")];
    let coverage = Coverage { skipped_mounts, ..Coverage::default() };
    let base = reference(&[]);
    let state = at_risk(&base.set.set, &Difference::default(), &answers(Vec::new()), &coverage, None).unwrap();
    assert_eq!(state.unseen, ["/mnt/usb"]);
}

#[test]
fn what_is_past_the_list_is_counted() {
    let homes: Vec<(Vec<u8>, Count)> = (0..60).map(|n| (format!("u{n:02}").into_bytes(), count(1, n + 1))).collect();
    let state = state_of(&[], &[], &answers(vec![("/home", Usage { folders: homes, ..Usage::default() })]));
    assert_eq!((state.items.len(), state.rest), (MOST, 10));
    assert_eq!(state.items[0].path, "/home/u59");
}

#[test]
fn odd_times_are_none() {
    assert_eq!(time(0).as_deref(), Some("1970-01-01T00:00:00Z"));
    assert_eq!(time(253_402_000_000).as_deref(), Some("9999-12-28T12:26:40Z"));
    for odd in [-1, 253_402_300_800, i64::MIN, i64::MAX] {
        assert_eq!(time(odd), None, "{odd}");
    }
}

proptest! {
    #[test]
    fn whatever_a_host_says_is_bounded_and_printable(
        said in proptest::collection::vec((any::<proptest::sample::Index>(), any_usage()), 0..40),
        now: Option<i64>,
    ) {
        let base = reference(&[folder("/srv"), sized("/srv/a", 500), mount("/mnt/disk", "ext4", "")]);
        let nothing = Difference::default();
        let places = questions(&base.set.set, &nothing);
        let usage: BTreeMap<Vec<u8>, Usage> =
            said.into_iter().map(|(at, usage)| (at.get(&places).path.clone(), usage)).collect();
        let answers = Answers { usage: Some(usage), ..Answers::default() };
        let state = at_risk(&base.set.set, &nothing, &answers, &Coverage::default(), now).unwrap();
        prop_assert!(state.items.len() <= MOST && state.unseen.len() <= MOST);
        prop_assert!(state.items.is_sorted_by(|a, b| a.bytes >= b.bytes));
        let texts = state.items.iter().map(|item| &item.path).chain(&state.unseen);
        for text in texts.chain(state.items.iter().filter_map(|item| item.newest.as_ref())) {
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}
