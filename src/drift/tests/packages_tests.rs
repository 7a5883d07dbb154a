//! Packages as causes: what a host's word explains, and what it never does.

use super::{PLAIN, difference, observed, reference, whole};
use crate::drift::{Found, Judgement, judge};
use crate::model::{Class, Finding, Severity, Verdict};
use crate::protocol::reply::{Owned, Shipped};
use crate::protocol::{Attr, Record};
use crate::protocol_tests::{file, folder, package, set, symlink};

const NGINX: &[u8] = b"pkg:nginx:amd64";

/// What a host says of a path.
type Said = (&'static str, Shipped, bool, &'static [&'static [u8]]);

/// The judgement of a host that answers so; every file of the golden machine is nginx's.
fn told(before: &[Record], after: &[Record], said: &[Said]) -> Judgement {
    let golden: Vec<Record> = before
        .iter()
        .map(|r| if r.view().path().is_some() { set(r, Attr::Package, NGINX) } else { r.clone() })
        .collect();
    let mut observation = observed(whole(), Found::Different(difference(before, after)));
    for (path, shipped, is_config, owners) in said {
        let owners = owners.iter().map(|owner| owner.to_vec()).collect();
        let owned = Owned { shipped: *shipped, is_config: *is_config, owners };
        observation.answers.owners.insert(path.as_bytes().to_vec(), owned);
    }
    judge(&[reference(1, &golden)], &observation, &PLAIN)
}

fn of<'a>(judgement: &'a Judgement, path: &str) -> &'a Finding {
    let mut findings = judgement.findings.iter();
    findings.find(|finding| finding.path() == Some(path.as_bytes())).unwrap()
}

fn titles(judgement: &Judgement) -> Vec<&str> {
    judgement.causes.iter().map(|cause| cause.title.as_str()).collect()
}

fn base() -> Vec<Record> {
    vec![folder("/"), file("/usr/bin/a", 1), file("/usr/bin/b", 1), package("nginx", "1.22.1-9")]
}

/// The same with other files and another version.
fn upgraded() -> Vec<Record> {
    vec![folder("/"), file("/usr/bin/a", 2), file("/usr/bin/b", 2), package("nginx", "1.22.1-10")]
}

#[test]
fn an_upgrade_explains_what_is_proven() {
    let both = [("/usr/bin/a", Shipped::Same, false, &[NGINX][..]), ("/usr/bin/b", Shipped::Same, false, &[NGINX])];
    let judgement = told(&base(), &upgraded(), &both);
    assert_eq!(titles(&judgement), ["nginx 1.22.1-9 -> 1.22.1-10, 2 files, all as the vendor shipped them"]);
    assert!(judgement.findings.iter().all(|finding| finding.cause == Some(0)), "{judgement:#?}");
    assert_eq!(judgement.causes[0].severity, Severity::Medium);
    // It explains, and the host is drifted all the same.
    assert_eq!((judgement.verdict, judgement.causes[0].findings), (Verdict::Drifted, 3));
    let back = told(&upgraded(), &base(), &both);
    assert_eq!(titles(&back), ["nginx 1.22.1-10 -> 1.22.1-9, downgraded, 2 files, all as the vendor shipped them"]);
}

#[test]
fn without_a_proof_nothing_is_explained() {
    for said in [
        &[][..],
        &[("/usr/bin/a", Shipped::Unread, false, &[NGINX][..])],
        &[("/usr/bin/a", Shipped::Untold, false, &[NGINX])],
        &[("/usr/bin/a", Shipped::Unowned, false, &[])],
        &[("/usr/bin/a", Shipped::Same, false, &[b"pkg:other:amd64"])],
    ] {
        let judgement = told(&base(), &upgraded(), said);
        assert!(judgement.causes.is_empty(), "{said:?}: {judgement:#?}");
        assert!(judgement.findings.iter().all(|finding| finding.cause.is_none()), "{said:?}");
    }
}

#[test]
fn what_is_not_as_shipped_stays_and_is_graver() {
    let said = [("/usr/bin/a", Shipped::Same, false, &[NGINX][..]), ("/usr/bin/b", Shipped::Altered, false, &[NGINX])];
    let judgement = told(&base(), &upgraded(), &said);
    assert_eq!(titles(&judgement), ["nginx 1.22.1-9 -> 1.22.1-10, 1 of 2 files as shipped"]);
    let tampered = of(&judgement, "/usr/bin/b");
    assert_eq!((tampered.cause, tampered.told.class), (None, Some(Class::Tampered)));
    assert!(tampered.severity >= Severity::High && tampered.severity > of(&judgement, "/usr/bin/a").severity);
    let config = [("/usr/bin/b", Shipped::Altered, true, &[NGINX][..])];
    assert_eq!(of(&told(&base(), &upgraded(), &config), "/usr/bin/b").told.class, Some(Class::EditedConfig));
}

#[test]
fn rights_are_not_proven_by_digests() {
    let setuid = set(&file("/usr/bin/c", 1), Attr::Mode, &0o4755u16.to_le_bytes());
    let opened = set(&file("/usr/bin/a", 2), Attr::Mode, &0o4755u16.to_le_bytes());
    let after = [upgraded(), vec![setuid]].concat();
    let after: Vec<Record> =
        after.into_iter().map(|r| if r.subject() == opened.subject() { opened.clone() } else { r }).collect();
    let said: Vec<Said> =
        ["/usr/bin/a", "/usr/bin/b", "/usr/bin/c"].map(|path| (path, Shipped::Same, false, &[NGINX][..])).into();
    let judgement = told(&base(), &after, &said);
    assert_eq!(of(&judgement, "/usr/bin/c").cause, None);
    let mode = judgement.findings.iter().find(|f| f.code == crate::model::Code::ModeChanged).unwrap();
    assert_eq!(mode.cause, None);
    assert_eq!(judgement.findings.iter().filter(|finding| finding.cause.is_some()).count(), 3);
}

#[test]
fn the_same_version_with_other_bytes_is_a_rewritten_database() {
    let after = [folder("/"), file("/usr/bin/a", 2), file("/usr/bin/b", 1), package("nginx", "1.22.1-9")];
    let judgement = told(&base(), &after, &[("/usr/bin/a", Shipped::Same, false, &[NGINX])]);
    let finding = of(&judgement, "/usr/bin/a");
    assert_eq!((finding.told.class, finding.severity >= Severity::High), (Some(Class::DatabaseRewritten), true));
    // The golden machine's own configuration may be the edited one.
    let judgement = told(&base(), &after, &[("/usr/bin/a", Shipped::Same, true, &[NGINX])]);
    assert_ne!(of(&judgement, "/usr/bin/a").told.class, Some(Class::DatabaseRewritten));
}

#[test]
fn a_file_that_is_gone_goes_with_its_package_alone() {
    let gone = |version: &str| vec![folder("/"), file("/usr/bin/b", 1), package("nginx", version)];
    // Nobody answered: it may still be in the list.
    assert!(told(&base(), &gone("1.22.1-10"), &[]).causes.is_empty());
    let judgement = told(&base(), &gone("1.22.1-10"), &[("/usr/bin/a", Shipped::Unowned, false, &[])]);
    assert_eq!(titles(&judgement), ["nginx 1.22.1-9 -> 1.22.1-10, 1 path gone"]);
    let judgement = told(&base(), &gone("1.22.1-10"), &[("/usr/bin/a", Shipped::Unread, false, &[NGINX])]);
    assert_eq!(of(&judgement, "/usr/bin/a").told.class, Some(Class::Tampered));
    assert!(judgement.causes.is_empty());
    let judgement = told(&base(), &gone("1.22.1-9")[..2], &[]);
    assert_eq!(titles(&judgement), ["nginx 1.22.1-9 removed, 1 path gone"]);
}

#[test]
fn links_that_a_database_does_not_tell_are_counted_apart() {
    let before = [folder("/"), symlink("/usr/lib/l", "a"), file("/x", 1), package("nginx", "1")];
    let after = [folder("/"), symlink("/usr/lib/l", "b"), file("/x", 2), package("nginx", "2")];
    let said = [("/usr/lib/l", Shipped::Untold, false, &[NGINX][..]), ("/x", Shipped::Same, false, &[NGINX])];
    let title = "nginx 1 -> 2, 1 file, as the vendor shipped it, 1 link not proven";
    assert_eq!(titles(&told(&before, &after, &said)), [title]);
}

#[test]
fn what_runs_as_root_is_told_with_its_package_and_never_called_as_shipped() {
    let setuid = |byte| set(&file("/usr/bin/s", byte), Attr::Mode, &0o4755u16.to_le_bytes());
    let script = |byte| file("/var/lib/dpkg/info/nginx.postinst", byte);
    let list = |byte| file("/var/lib/dpkg/info/nginx.md5sums", byte);
    let before = [base(), vec![setuid(1), list(1), symlink("/usr/bin/l", "a"), script(1)]].concat();
    let after = [upgraded(), vec![setuid(2), list(2), symlink("/usr/bin/l", "/tmp/x"), script(2)]].concat();
    let said: Vec<Said> =
        ["/usr/bin/a", "/usr/bin/b", "/usr/bin/s"].map(|path| (path, Shipped::Same, false, &[NGINX][..])).into();
    let link = [("/usr/bin/l", Shipped::Untold, false, &[NGINX][..])];
    let judgement = told(&before, &after, &[said, link.to_vec()].concat());
    assert_eq!(
        titles(&judgement),
        [
            "nginx 1.22.1-9 -> 1.22.1-10, 3 files, all as the vendor shipped them, 1 link not proven, 1 script not proven"
        ]
    );
    for path in ["/usr/bin/s", "/usr/bin/l", "/var/lib/dpkg/info/nginx.postinst"] {
        let finding = of(&judgement, path);
        assert_eq!((finding.cause, finding.told.class), (Some(0), None), "{path}");
    }
    assert_eq!(of(&judgement, "/var/lib/dpkg/info/nginx.md5sums").told.class, Some(Class::AsShipped));
}
