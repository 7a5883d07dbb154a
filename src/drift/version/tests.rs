#![expect(clippy::unwrap_used, reason = "a test may")]

use super::{Direction, compare};
use crate::drift::describe::attributes;
use crate::model::{Attributes, Change, Code, Finding, Severity};
use crate::protocol::{Attr, System};
use proptest::prelude::*;
use std::cmp::Ordering;

/// Pairs that the real `apk version -t` of apk-tools 3 (built from its sources of June 2026) was asked about, and its
/// answers. Made by a generator of our own; apk is in no distribution that the tests can count on.
const APK: &str = include_str!("tests/apk.txt");

#[test]
fn apks_own_answers() {
    let mut asked = 0;
    for line in APK.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (Some(a), Some(answer), Some(b), None) = (words.next(), words.next(), words.next(), words.next()) else {
            panic!("{line}");
        };
        let order = match answer {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            _ => Ordering::Greater,
        };
        assert_eq!(compare(System::Apk, a, b), Some(order), "{line}");
        assert_eq!(compare(System::Apk, b, a), Some(order.reverse()), "{line}, the other way round");
        asked += 1;
    }
    assert!(asked > 500, "{asked}");
}

/// Examples of the manuals, oldest first.
#[test]
fn each_system_has_its_own_order() {
    for (system, ascending) in [
        (System::Dpkg, &["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0+b1", "1.0.1", "1:0.1"][..]),
        (System::Rpm, &["1.0~rc1-1", "1.0-1", "1.0^git1-1", "1.0.1-1", "1.10-1", "1:0.9-1"]),
        (System::Apk, &["1.0_alpha", "1.0_rc2", "1.0", "1.0_git5", "1.0_p1", "1.0a", "1.0.1-r0", "1.0.1-r1"]),
        (
            System::Pacman,
            &["1.0a-1", "1.0b-1", "1.0beta-1", "1.0p-1", "1.0rc-1", "1.0-1", "1.0.a-1", "1.0.1-1", "1:0.1-1"],
        ),
        (System::Snap, &["9", "10", "123"]),
    ] {
        for (at, a) in ascending.iter().enumerate() {
            for (other, b) in ascending.iter().enumerate() {
                assert_eq!(compare(system, a, b), Some(at.cmp(&other)), "{system:?} {a} {b}");
            }
        }
    }
}

#[test]
fn what_a_system_refuses_has_no_order() {
    for (system, text) in [
        (System::Dpkg, ""),
        (System::Dpkg, "a:1"),
        (System::Dpkg, "1 2"),
        (System::Dpkg, "1-"),
        (System::Apk, "a"),
        (System::Apk, "1.0_new"),
        (System::Apk, "1.0-1"),
        (System::Apk, "1..0"),
        (System::Snap, "x1"),
        (System::Flatpak, "0f"),
    ] {
        assert_eq!(compare(system, text, "1"), None, "{system:?} {text}");
        assert_eq!(compare(system, "1", text), None, "{system:?} {text}");
    }
}

fn finding(subject: &str, before: &[(Attr, &str)], after: &[(Attr, &str)]) -> Finding {
    let side =
        |pairs: &[(Attr, &str)]| Attributes(pairs.iter().map(|(attr, text)| (*attr, (*text).to_owned())).collect());
    Finding {
        code: Code::PackageVersion,
        change: Change::Changed,
        subject: subject.as_bytes().to_vec(),
        severity: Severity::Medium,
        fingerprint: [0; 32],
        key: [0; 32],
        before: side(before),
        after: side(after),
        told: crate::model::Told::default(),
        cause: None,
        waiver: None,
    }
}

#[test]
fn a_finding_says_where_the_package_went() {
    let went = |subject: &str, before: &str, after: &str| {
        Direction::of(&finding(subject, &[(Attr::Version, before)], &[(Attr::Version, after)])).unwrap()
    };
    assert_eq!(went("pkg:nginx:amd64", "1.9-1", "1.10-1"), Direction::Upgraded);
    assert_eq!(went("pkg:nginx:amd64", "1.10-1", "1.9-1"), Direction::Downgraded);
    assert_eq!(went("pkg:nginx:amd64", "1.10-1", "?"), Direction::Changed);
    // A tilde is older for rpm, and refused by apk.
    assert_eq!(went("pkg:rpm:nginx:x86_64", "1.0~1-1", "1.0-1"), Direction::Upgraded);
    assert_eq!(went("pkg:apk:nginx:x86_64", "1.0~x", "1.0"), Direction::Changed);
    // Of kernels beside each other the newest counts.
    assert_eq!(went("pkg:rpm:kernel:x86_64", "5.14-1 5.14-9", "5.14-9 5.14-10"), Direction::Upgraded);
    assert_eq!(went("pkg:rpm:kernel:x86_64", "5.14-1 5.14-9", "5.14-9"), Direction::Changed);
    assert_eq!(went("pkg:snap:core22:", "9 10", "10 11"), Direction::Upgraded);
    assert_eq!(went("pkg:flatpak:app/org.x/stable:x86_64", "0f", "f0"), Direction::Changed);
    let rebuilt = finding("pkg:rpm:nginx:x86_64", &[(Attr::Build, "a")], &[(Attr::Build, "b")]);
    assert_eq!(Direction::of(&rebuilt), Some(Direction::Rebuilt));
    let added = Finding { code: Code::PackageAdded, ..rebuilt };
    assert_eq!(Direction::of(&added), None);
    assert_eq!(attributes(None, &[]), Attributes::default());
}

const SYSTEMS: [System; 4] = [System::Dpkg, System::Rpm, System::Apk, System::Pacman];

/// Versions that are near each other, with what systems treat apart in them.
fn any_version() -> impl Strategy<Value = String> {
    "([01]:)?[0-2]{1,2}([.~^+_a-c][0-2a-c]{1,2}){0,3}(_(rc|p|git)[0-2]?)?-r?[0-2](\\.[0-2])?"
}

proptest! {
    /// Whatever a host writes has an order or none, and no panic.
    #[test]
    fn any_text_is_compared(a in ".{0,12}", b in ".{0,12}") {
        for system in System::ALL {
            prop_assert_eq!(compare(system, &a, &b), compare(system, &b, &a).map(Ordering::reverse), "{:?}", system);
        }
    }

    #[test]
    fn the_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
        for system in SYSTEMS {
            let order = |a: &str, b: &str| compare(system, a, b);
            prop_assert_eq!(order(&a, &b), order(&b, &a).map(Ordering::reverse), "{:?}", system);
            if let (Some(ab), Some(bc), Some(ac)) = (order(&a, &b), order(&b, &c), order(&a, &c)) {
                prop_assert_eq!(order(&a, &a), Some(Ordering::Equal));
                if ab == bc || ab == Ordering::Equal {
                    prop_assert_eq!(ac, bc, "{:?}", system);
                } else if bc == Ordering::Equal {
                    prop_assert_eq!(ac, ab, "{:?}", system);
                }
            }
        }
    }
}
