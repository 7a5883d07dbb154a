//! A baseline through today's policy: the same records a host would answer, or "recapture".

use super::{baseline, header, small};
use crate::manifest::{Baseline, ProjectedSet, Recapture};
use crate::policy::witness;
use crate::protocol::{Attr, Mask, Record, RuleSet, Value, digest};
use crate::protocol_tests::{file, folder, lacking, mount, package, rules, set, with};
use proptest::prelude::*;

fn project(baseline: &Baseline, rules: &RuleSet, scopes: &[&str], live: bool) -> Result<ProjectedSet, Recapture> {
    let scopes: Vec<Vec<u8>> = scopes.iter().map(|scope| scope.as_bytes().to_vec()).collect();
    ProjectedSet::new(baseline, rules, &scopes, live, None, &witness)
}

fn subjects(set: &ProjectedSet) -> Vec<&str> {
    set.records.iter().map(|record| std::str::from_utf8(record.subject()).unwrap()).collect()
}

fn strict() -> RuleSet {
    rules(&[("/**", Mask::STRICT)])
}

#[test]
fn a_running_system_has_kernel_architecture_and_mounts() {
    let set = project(&small(), &strict(), &["/"], true).unwrap();
    assert_eq!(set.records.len(), small().records.len());
    let set = project(&small(), &strict(), &["/"], false).unwrap();
    assert_eq!(subjects(&set), ["fact:os.id", "fs:/", "fs:/etc", "fs:/etc/mtab", "fs:/etc/passwd", "pkg:bash:amd64"]);
}

#[test]
fn another_size_cap_asks_for_a_new_capture() {
    let captured = |content: Value<'_>| baseline(vec![folder("/"), with(&file("/a", 1), Attr::Content, content)]);
    let under = |baseline: &Baseline, most| {
        ProjectedSet::new(baseline, &strict(), &[b"/".to_vec()], true, Some(most), &witness).map(|_| ())
    };
    let between = Err(Recapture::Oversize { path: "/a".to_owned(), size: 7 });
    let whole = captured(Value::Present(&[1; 32]));
    assert_eq!((under(&whole, 7), under(&whole, 6)), (Ok(()), between.clone()));
    let oversize = captured(Value::Oversize);
    assert_eq!((under(&oversize, 6), under(&oversize, 7)), (Ok(()), between));
}

#[test]
fn scopes_are_whole_components() {
    let all = baseline(vec![
        folder("/"),
        folder("/etc"),
        file("/etc/a", 1),
        file("/etc-old", 1),
        package("bash", "1"),
        mount("/", "ext4", ""),
        mount("/etc/x", "ext4", ""),
        mount("/etc-x", "ext4", ""),
    ]);
    let set = project(&all, &strict(), &["/etc"], true).unwrap();
    assert_eq!(subjects(&set), ["fs:/etc", "fs:/etc/a", "mount:/etc/x", "pkg:bash:amd64"]);
}

#[test]
fn rules_take_attributes_and_paths_away() {
    let rules = rules(&[("/**", Mask::STRICT), ("/etc/passwd", Mask::PRESENCE), ("/etc/mtab", Mask::NONE)]);
    let set = project(&small(), &rules, &["/"], true).unwrap();
    assert!(!subjects(&set).contains(&"fs:/etc/mtab"));
    let passwd = set.records.iter().find(|record| record.subject() == b"fs:/etc/passwd").unwrap();
    assert_eq!(passwd.view().mask(), Mask::PRESENCE);
    assert_eq!(passwd.view().kind(), small().record(b"fs:/etc/passwd").unwrap().view().kind());
}

#[test]
fn a_scope_wider_than_the_capture_is_refused() {
    let mut narrow = header(strict());
    narrow.scopes = vec![b"/etc".to_vec(), b"/usr".to_vec()];
    let narrow = Baseline::new(narrow, vec![folder("/etc"), file("/etc/a", 1)]).unwrap();
    assert!(project(&narrow, &strict(), &["/etc"], true).is_ok());
    assert!(project(&narrow, &strict(), &["/etc/ssh", "/usr"], true).is_ok());
    for scope in ["/", "/etcetera", "/var"] {
        assert_eq!(
            project(&narrow, &strict(), &["/etc", scope], true).unwrap_err(),
            Recapture::Scope { scope: scope.to_owned() }
        );
    }
}

#[test]
fn content_that_the_capture_left_out_is_refused_once_it_is_compared() {
    let metadata = rules(&[("/**", Mask::METADATA)]);
    let log = lacking(&lacking(&file("/var/log", 1), Attr::Size), Attr::Content);
    let captured = Baseline::new(header(metadata.clone()), vec![folder("/"), log]).unwrap();
    assert!(project(&captured, &metadata, &["/"], true).is_ok());
    assert!(project(&captured, &rules(&[("/**", Mask::PRESENCE)]), &["/"], true).is_ok());
    let error = project(&captured, &strict(), &["/"], true).unwrap_err();
    assert_eq!(error, Recapture::Content { path: "/var/log".to_owned() });
    // What is out of today's scope is not compared.
    assert!(project(&captured, &strict(), &["/etc"], true).is_ok());
}

#[test]
fn paths_that_the_capture_left_out_are_refused_once_they_are_compared() {
    let few = rules(&[("/**", Mask::STRICT), ("/var/cache/**", Mask::NONE)]);
    let captured = Baseline::new(header(few.clone()), vec![folder("/"), folder("/etc")]).unwrap();
    assert!(project(&captured, &few, &["/"], true).is_ok());
    let error = project(&captured, &strict(), &["/"], true).unwrap_err();
    assert_eq!(error, Recapture::Ignored { pattern: "/var/cache/**".to_owned() });
    let fewer = rules(&[("/**", Mask::STRICT), ("/var/**", Mask::NONE)]);
    assert!(project(&captured, &fewer, &["/"], true).is_ok(), "leaving out more is always possible");
}

#[test]
fn the_set_is_that_of_its_records_whatever_their_order() {
    let set = project(&small(), &strict(), &["/"], true).unwrap();
    let mut digests: Vec<_> = set.records.iter().map(|r| digest::of_record(r.view().encoded())).collect();
    assert_eq!(set.digests(), digests);
    digests.sort_unstable();
    assert_eq!(*set.set(), digest::of_set(&digests));
    digests.reverse();
    assert_eq!(*set.set(), crate::manifest::projected::set_of(&digests));
    let ids = set.ids(&[3; 16]);
    assert!(ids.is_sorted() && ids.len() == set.records.len());
    assert!(ids.iter().all(|(id, at)| *id == digest::id(&[3; 16], &set.digests()[*at as usize])));
    assert_ne!(set.ids(&[4; 16]), ids);
}

proptest! {
    #[test]
    fn projecting_twice_is_projecting_once(a in 0usize..4, b in 0usize..4) {
        let masks = [Mask::NONE, Mask::PRESENCE, Mask::METADATA, Mask::STRICT];
        let rules = rules(&[("/**", masks[a]), ("/etc/**", masks[b])]);
        let once = project(&small(), &rules, &["/"], true).unwrap();
        let records: Vec<Record> = once.records.clone();
        if records.iter().any(|record| record.view().path().is_some()) {
            let again = project(&Baseline::new(header(rules.clone()), records).unwrap(), &rules, &["/"], true).unwrap();
            prop_assert_eq!(again.set(), once.set());
        }
    }
}

/// A group of hard links is named by its first path *in scope*: a narrower scope or a rule can take that one away.
#[test]
fn hard_links_are_named_as_a_host_of_this_scope_names_them() {
    let link = |path: &str, first: &str| set(&file(path, 1), Attr::Link, first.as_bytes());
    let all = baseline(vec![
        link("/bin/a", "/bin/a"),
        link("/usr/a", "/bin/a"),
        link("/usr/b", "/bin/a"),
        link("/usr/y", "/usr/y"),
        link("/usr/z", "/usr/y"),
    ]);
    let links = |rules: &RuleSet, scopes: &[&str]| {
        let set = project(&all, rules, scopes, true).unwrap();
        let link = |record: &Record| {
            let link = record.view().present(Attr::Link).map_or("-", |link| std::str::from_utf8(link).unwrap());
            format!("{} {link}", std::str::from_utf8(record.view().path().unwrap()).unwrap())
        };
        set.records.iter().map(link).collect::<Vec<_>>().join(", ")
    };
    let whole = "/bin/a /bin/a, /usr/a /bin/a, /usr/b /bin/a, /usr/y /usr/y, /usr/z /usr/y";
    assert_eq!(links(&strict(), &["/"]), whole);
    assert_eq!(links(&strict(), &["/usr"]), "/usr/a /usr/a, /usr/b /usr/a, /usr/y /usr/y, /usr/z /usr/y");
    let but = |path, mask| rules(&[("/**", Mask::STRICT), (path, mask)]);
    assert_eq!(links(&but("/usr/b", Mask::NONE), &["/usr"]), "/usr/a -, /usr/y /usr/y, /usr/z /usr/y");
    // Where links are not compared a path is no member of its group.
    assert_eq!(
        links(&but("/bin/a", Mask::METADATA), &["/"]),
        "/bin/a -, /usr/a /usr/a, /usr/b /usr/a, /usr/y /usr/y, /usr/z /usr/y"
    );
}

/// A sample of the capture's rule alone overlooked them: `/var/cache/x` is left out by both.
#[test]
fn a_narrow_rule_that_compares_inside_what_was_left_out() {
    for (left_out, compared) in [
        ("/var/cache/**", "/var/cache/app/**"),
        ("/var/cache/**", "/var/cache/app/conf"),
        ("/**/*.pyc", "/opt/app/**"),
        ("/usr/**/*.pyc", "/usr/lib/python3/__*__/*"),
        ("/opt/*/cache/**", "/opt/app/**"),
        ("/var/lib/[a-m]*", "/var/lib/*d"),
        ("/srv/a*", "/srv/*z"),
        ("/**/tmp/**", "/opt/**/keep"),
        ("/a/**/b/**", "/a/*/c/b/?"),
    ] {
        let then = rules(&[("/**", Mask::STRICT), (left_out, Mask::NONE)]);
        let now = rules(&[("/**", Mask::STRICT), (left_out, Mask::NONE), (compared, Mask::STRICT)]);
        let captured = Baseline::new(header(then), vec![folder("/etc")]).unwrap();
        let error = project(&captured, &now, &["/"], true).map(|set| set.records.len());
        assert_eq!(error, Err(Recapture::Ignored { pattern: left_out.to_owned() }), "{compared}");
    }
}

#[test]
fn a_rule_that_compares_elsewhere_needs_no_new_capture() {
    for (left_out, compared) in [
        ("/var/cache/**", "/var/lib/app/**"),
        ("/var/cache/**", "/var/cache"),
        ("/**/*.pyc", "/opt/app/conf"),
        ("/opt/*/cache/**", "/opt/app/*"),
        ("/srv/a*", "/srv/[b-z]*"),
        ("/a/**/b", "/a/**/c"),
    ] {
        let then = rules(&[("/**", Mask::STRICT), (left_out, Mask::NONE)]);
        let now = rules(&[("/**", Mask::STRICT), (left_out, Mask::NONE), (compared, Mask::METADATA)]);
        let captured = Baseline::new(header(then), vec![folder("/etc")]).unwrap();
        assert!(project(&captured, &now, &["/"], true).is_ok(), "{left_out} {compared}");
    }
}
