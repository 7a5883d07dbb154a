//! Each kind of difference gives its finding, once.

use super::{between, difference, findings, only, policy, told, whole};
use crate::drift::compare;
use crate::model::{Change, Code};
use crate::protocol::{Attr, Record, Value};
use crate::protocol_tests::{fact, file, folder, lacking, mount, package, set, symlink, with};

fn texts(attributes: &crate::model::Attributes) -> String {
    let text = |(attr, text): &(Attr, String)| format!("{}={text}", crate::model::finding::attr_name(*attr));
    attributes.0.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_attribute_has_its_code() {
    let plain = file("/a", 1);
    for (attr, bytes, code) in [
        (Attr::Mode, &0o600u16.to_le_bytes()[..], Code::ModeChanged),
        (Attr::Owner, b"anna", Code::OwnerChanged),
        (Attr::Group, b"anna", Code::OwnerChanged),
        (Attr::Size, &[8, 0, 0, 0, 0, 0, 0, 0], Code::ContentChanged),
        (Attr::Content, &[2; 32], Code::ContentChanged),
        (Attr::View, b"x", Code::ContentChanged),
        (Attr::Target, b"x", Code::TargetChanged),
        (Attr::Device, b"1:2", Code::DeviceChanged),
        (Attr::Capability, b"01", Code::CapabilityChanged),
        (Attr::Acl, b"user::rw-", Code::AclChanged),
        (Attr::Xattr, b"user.x", Code::XattrChanged),
        (Attr::Selinux, b"label", Code::SelinuxChanged),
        (Attr::Flags, b"i", Code::FlagsChanged),
    ] {
        let other = set(&plain, attr, bytes);
        let finding = only(&between(&plain, &other), code).clone();
        assert_eq!((finding.change, &finding.subject[..]), (Change::Changed, &b"fs:/a"[..]));
        assert!(finding.after.text(attr).is_some(), "{attr:?}");
        only(&between(&other, &plain), code);
    }
}

#[test]
fn the_mask_of_an_access_list_is_no_finding_of_its_own() {
    let plain = set(&file("/a", 1), Attr::Mode, &0o640u16.to_le_bytes());
    let masked = set(&set(&plain, Attr::Mode, &0o660u16.to_le_bytes()), Attr::Acl, b"u:anna:rw-");
    let finding = only(&between(&plain, &masked), Code::AclChanged).clone();
    assert_eq!(texts(&finding.after), "mode=0660 acl=u:anna:rw-");
    // Any other bit is told as the mode that it is.
    let opened = set(&masked, Attr::Mode, &0o662u16.to_le_bytes());
    assert_eq!(told(&between(&plain, &opened)), ["acl-changed fs:/a", "mode-changed fs:/a"]);
}

#[test]
fn pseudo_entries_have_their_codes() {
    let before = [
        package("a", "1"),
        package("b", "1"),
        package("c", "1"),
        fact("kernel", "1"),
        fact("x", "1"),
        mount("/m", "ext4", "nodev"),
        mount("/n", "ext4", ""),
    ];
    let after = [
        package("a", "2"),
        set(&package("b", "1"), Attr::State, b"hold ok installed"),
        package("d", "1"),
        fact("kernel", "2"),
        fact("y", "1"),
        mount("/m", "ext4", ""),
        mount("/o", "ext4", ""),
    ];
    assert_eq!(
        told(&findings(&before, &after)),
        [
            "fact-changed fact:kernel",
            "fact-changed fact:x",
            "fact-changed fact:y",
            "mount-added mount:/o",
            "mount-changed mount:/m",
            "mount-removed mount:/n",
            "package-added pkg:d:amd64",
            "package-removed pkg:c:amd64",
            "package-state pkg:b:amd64",
            "package-version pkg:a:amd64",
        ]
    );
}

#[test]
fn what_comes_and_goes_is_told_with_all_that_is_compared() {
    let found = findings(&[file("/a", 1)], &[]);
    let removed = only(&found, Code::FileRemoved);
    assert_eq!((removed.change, texts(&removed.after).as_str()), (Change::Removed, ""));
    insta::assert_snapshot!(texts(&removed.before), @"type=file mode=0644 owner=root group=root size=7 content=sha256:0101010101010101010101010101010101010101010101010101010101010101");
    let found = findings(&[], &[symlink("/l", "a\n\u{202e}")]);
    let added = only(&found, Code::FileAdded);
    assert_eq!((added.change, texts(&added.before).as_str()), (Change::Added, ""));
    insta::assert_snapshot!(texts(&added.after), @r#"type=symlink target=a\n\u{202e}"#);
}

#[test]
fn another_type_is_one_finding() {
    let link = set(&set(&symlink("/a", "b"), Attr::Mode, &0o777u16.to_le_bytes()), Attr::Owner, b"anna");
    for (before, after) in [(file("/a", 1), link), (folder("/a"), file("/a", 1))] {
        let found = between(&before, &after);
        let finding = only(&found, Code::TypeChanged);
        assert!(finding.before.text(Attr::Kind).is_some() && finding.after.text(Attr::Kind).is_some());
    }
}

#[test]
fn several_attributes_are_several_findings() {
    let after = set(&set(&set(&file("/a", 2), Attr::Mode, &[0, 2]), Attr::Group, b"x"), Attr::Acl, b"y");
    assert_eq!(
        told(&between(&file("/a", 1), &after)),
        ["acl-changed fs:/a", "content-changed fs:/a", "mode-changed fs:/a", "owner-changed fs:/a"]
    );
}

/// A new owner was shown with the group that had stayed, and new content with the size that had.
#[test]
fn a_finding_holds_only_the_attributes_that_differ() {
    for (attr, bytes, code, before, after) in [
        (Attr::Owner, &b"anna"[..], Code::OwnerChanged, "owner=root", "owner=anna"),
        (Attr::Group, b"anna", Code::OwnerChanged, "group=root", "group=anna"),
        (Attr::Size, &[8, 0, 0, 0, 0, 0, 0, 0], Code::ContentChanged, "size=7", "size=8"),
    ] {
        let found = between(&file("/a", 1), &set(&file("/a", 1), attr, bytes));
        let finding = only(&found, code);
        assert_eq!((texts(&finding.before).as_str(), texts(&finding.after).as_str()), (before, after));
    }
    let found = between(&mount("/m", "ext4", "nodev"), &mount("/m", "ext4", ""));
    let finding = only(&found, Code::MountChanged);
    assert_eq!((texts(&finding.before).as_str(), texts(&finding.after).as_str()), ("options=nodev", "options="));
    // What was not read on one side says nothing of the other.
    let unread = with(&set(&file("/a", 1), Attr::Owner, b"anna"), Attr::Group, Value::Unread(crate::protocol::Why::Io));
    assert_eq!(texts(&only(&between(&file("/a", 1), &unread), Code::OwnerChanged).after), "owner=anna");
}

#[test]
fn oversize_differs_from_content_and_not_from_itself() {
    let big = with(&file("/a", 1), Attr::Content, Value::Oversize);
    let found = between(&file("/a", 1), &big);
    assert_eq!(only(&found, Code::ContentChanged).after.text(Attr::Content), Some("oversize"));
    only(&between(&big, &file("/a", 1)), Code::ContentChanged);
    assert_eq!(between(&big, &big), []);
}

#[test]
fn hard_links_are_compared_only_between_groups() {
    let link = |first: &str| set(&file("/b", 1), Attr::Link, first.as_bytes());
    let alone = file("/b", 1);
    assert_eq!(between(&link("/a"), &alone), []);
    assert_eq!(between(&alone, &link("/a")), []);
    only(&between(&link("/a"), &link("/b")), Code::LinkChanged);
}

#[test]
fn an_attribute_that_a_side_lacks_differs() {
    let plain = file("/a", 1);
    only(&between(&plain, &lacking(&plain, Attr::Content)), Code::ContentChanged);
    only(&between(&lacking(&plain, Attr::Owner), &plain), Code::OwnerChanged);
}

#[test]
fn findings_come_worst_first_then_by_subject() {
    let before = [file("/etc/shadow", 1), file("/srv/a", 1), file("/srv/b", 1)];
    let after = [file("/etc/shadow", 2), set(&file("/srv/a", 2), Attr::Mode, &[0, 0]), file("/srv/b", 2)];
    let found = findings(&before, &after);
    assert!(found.is_sorted_by(|a, b| (b.severity, &a.subject, a.code) <= (a.severity, &b.subject, b.code)));
    assert_eq!((found.len(), &found[0].subject[..]), (4, &b"fs:/etc/shadow"[..]));
}

#[test]
fn names_of_findings_do_not_depend_on_host_policy_or_other_findings() {
    let before = [file("/a", 1), file("/b", 1)];
    let after = [file("/a", 2), file("/b", 2)];
    let alone = findings(&before[..1], &after[..1]);
    let both = findings(&before, &after);
    let lenient = compare(&difference(&before, &after), &whole(), &policy("drift_at = \"critical\""));
    let name = |found: &[crate::model::Finding]| {
        found.iter().find(|f| f.subject == b"fs:/a").map(|f| (f.fingerprint, f.key)).unwrap()
    };
    assert_eq!(name(&alone), name(&both));
    assert_eq!(name(&alone), name(&lenient));
}

#[test]
fn a_fingerprint_names_both_sides_and_a_key_neither() {
    let finding = |before: &Record, after: &Record| between(before, after).remove(0);
    let (one, two, three) = (file("/a", 1), file("/a", 2), file("/a", 3));
    let base = finding(&one, &two);
    for other in [finding(&one, &three), finding(&three, &two), finding(&two, &one)] {
        assert_ne!(other.fingerprint, base.fingerprint);
        assert_eq!(other.key, base.key);
    }
    let elsewhere = finding(&file("/b", 1), &file("/b", 2));
    assert!(elsewhere.fingerprint != base.fingerprint && elsewhere.key != base.key);
    let mode = finding(&one, &set(&one, Attr::Mode, &[0, 0]));
    assert!(mode.fingerprint != base.fingerprint && mode.key != base.key);
    // What else differs of the file has a finding of its own, and no part in this one.
    let also = between(&one, &set(&two, Attr::Mode, &[0, 0]));
    assert!(also.iter().any(|finding| finding.fingerprint == base.fingerprint));
    // Waivers hold these: they may never change.
    insta::assert_snapshot!(crate::model::text::hex(&base.fingerprint), @"d471348f5d2fbce3bdc9ddc4f7d0426debfa636e5e8c660bcbc46ec1d81a7ded");
    insta::assert_snapshot!(crate::model::text::hex(&base.key), @"31c7121607dccc480ffe66d6dabdd2376a2f46005d0d58fe5fb8885f3b2642dc");
}
