//! Honest hosts: equal, older, different by little, by much and by everything.

use super::host_tests::{Host, Wire};
use super::{NONCE, RULES, ask, debian, difference, drifted, found, look, machine, reference};
use crate::collect::{Ask, Bounds, Ran, capture, observe};
use crate::drift::reference::FIRST;
use crate::drift::{Found, Versions};
use crate::policy::PolicyFile;
use crate::protocol::reply::{Texts, ability, evidence};
use crate::protocol::request::{FollowUp, Limits, Mode, Request};
use crate::protocol::usage::{Count, Usage};
use crate::protocol::{Attr, Record};
use crate::protocol_tests::{fact, file, folder, package, set};

#[test]
fn a_host_that_is_equal_is_asked_nothing_more() {
    let host = Host::of(machine(50));
    assert_eq!(found(&host, &machine(50)), Ok(Found::Equal(0)));
    assert_eq!(*host.asked.borrow(), [FollowUp::Bye]);
    // Undrifted, a kilobyte and a half.
    let said = host.said.borrow().len();
    assert!(said < 1_500, "{said} bytes");
}

#[test]
fn a_host_that_equals_an_older_version_is_asked_nothing_more() {
    let host = Host::of(drifted(50, 20));
    let references =
        Versions::new(vec![reference(3, &machine(50)), reference(2, &machine(49)), reference(1, &drifted(50, 20))]);
    let observation = observe(&mut Wire::to(&host), &ask(), &references, &mut Ran::default()).unwrap();
    assert_eq!(observation.found, Found::Equal(2));
    assert_eq!(*host.asked.borrow(), [FollowUp::Bye]);
}

/// Policies decide whether anything is asked besides.
fn policy() -> crate::policy::Policy {
    crate::policy::PolicyFile::parse("policy.toml", "schema = \"driftscan.policy/v1\"\n")
        .unwrap()
        .for_system("debian", &[])
}

fn able() -> Texts {
    let mut texts = Texts::default();
    texts.put(evidence::ABILITY, b"another");
    texts.put(evidence::ABILITY, ability::USAGE);
    texts
}

#[test]
fn only_a_probe_that_can_tell_and_a_host_that_differs_are_asked_what_would_be_lost() {
    let policy = policy();
    let references = Versions::new(vec![reference(2, &machine(50)), reference(1, &drifted(50, 20))]);
    let count = Count { files: 1, bytes: 1 << 40, newest: 0, ..Count::default() };
    let usage = Some(Usage { count, ..Usage::default() });
    for (records, evidence, wanted) in [
        (machine(50), able(), false),
        (drifted(50, 20), able(), true),
        (drifted(50, 3), able(), true),
        (drifted(50, 20), Texts::default(), false),
        (drifted(50, 3), Texts::default(), false),
    ] {
        let host = Host { evidence, usage: usage.clone(), ..Host::of(records) };
        let ask = Ask { policy: Some(&policy), ..ask() };
        let observation = observe(&mut Wire::to(&host), &ask, &references, &mut Ran::default()).unwrap();
        let asked = host.asked.borrow().iter().any(|message| matches!(message, FollowUp::Usage(_)));
        assert_eq!((asked, observation.answers.usage.is_some()), (wanted, wanted), "{:?}", observation.found);
        let state = crate::drift::judge(&references, &observation, &policy).state;
        assert_eq!(state.is_some(), wanted);
        assert!(state.is_none_or(|state| state.items.iter().any(|item| item.path == "/srv")));
    }
}

#[test]
fn what_differs_is_found_with_as_few_questions_as_there_can_be() {
    let base = machine(2_000);
    for (changed, questions) in
        [(1, "records bye"), (15, "records bye"), (60, "more records bye"), (150, "more more records bye")]
    {
        let host = Host::of(drifted(2_000, changed));
        let after = drifted(2_000, changed);
        assert_eq!(found(&host, &base), Ok(Found::Different(difference(&base, &after))), "{changed}");
        let word = |message: &FollowUp| match message {
            FollowUp::More(_) => "more",
            FollowUp::Records(_) => "records",
            FollowUp::Listing => "listing",
            FollowUp::Texts(_) => "texts",
            FollowUp::Owners { .. } => "owners",
            FollowUp::Usage(_) => "usage",
            FollowUp::Bye => "bye",
        };
        let asked: Vec<&str> = host.asked.borrow().iter().map(word).collect();
        assert_eq!(asked.join(" "), questions, "{changed}");
    }
}

#[test]
fn what_is_only_gone_or_only_new_is_found() {
    let base = machine(60);
    let fewer: Vec<Record> = base[..40].to_vec();
    let host = Host::of(fewer.clone());
    assert_eq!(found(&host, &base), Ok(Found::Different(difference(&base, &fewer))));
    assert!(!host.asked.borrow().iter().any(|message| matches!(message, FollowUp::Records(_))), "nothing to send");
    let more = [base.clone(), vec![fact("kernel", "6"), package("zsh", "5"), file("/z", 1)]].concat();
    assert_eq!(found(&Host::of(more.clone()), &base), Ok(Found::Different(difference(&base, &more))));
    assert_eq!(found(&Host::of(Vec::new()), &base), Ok(Found::Different(difference(&base, &[]))));
}

#[test]
fn a_host_that_differs_in_everything_lists() {
    let (base, other) = (machine(1_500), drifted(1_500, 1_500));
    let host = Host::of(other.clone());
    assert_eq!(found(&host, &base), Ok(Found::Different(difference(&base, &other))));
    assert!(host.asked.borrow().contains(&FollowUp::Listing));
    // A number that is far off needs no symbols.
    let host = Host::of(machine(3_000));
    assert!(matches!(found(&host, &base), Ok(Found::Different(_))));
    assert_eq!(*host.asked.borrow(), [FollowUp::Listing, FollowUp::Bye]);
}

#[test]
fn an_answer_in_single_bytes_is_the_same_answer() {
    let base = machine(30);
    for chunk in [1, 2, 47, 48, 49, 4_095] {
        let host = Host { chunk, ..Host::of(drifted(30, 3)) };
        assert_eq!(found(&host, &base), Ok(Found::Different(difference(&base, &drifted(30, 3)))), "{chunk}");
    }
}

#[test]
fn another_system_is_told_and_not_compared() {
    let host = Host { os: "alpine", ..Host::of(machine(5)) };
    let observation = look(&mut Wire::to(&host), &machine(5)).unwrap();
    assert_eq!((observation.found, observation.identity.os.as_str()), (Found::AnotherSystem, "alpine"));
    let nowhere =
        observe(&mut Wire::to(&Host::of(machine(5))), &ask(), &Versions::default(), &mut Ran::default()).unwrap();
    assert_eq!(nowhere.found, Found::AnotherSystem);
}

#[test]
fn a_capture_brings_everything_raw() {
    let raw = vec![folder("/"), set(&file("/a", 1), Attr::Selinux, b"label"), package("zsh", "5")];
    let captured = capture(&mut Wire::to(&Host::of(raw.clone())), &ask(), &mut Ran::default()).unwrap();
    assert_eq!((captured.identity, captured.records), (debian(), raw));
    assert_eq!(captured.coverage.compared, 3);
}

#[test]
fn the_request_says_what_was_asked() {
    let limits = Limits { seconds: 7, ..Limits::default() };
    let bytes = crate::collect::Ask { gentle: true, live: false, limits, ..ask() }.request(Mode::Sketch(FIRST as u32));
    let request = Request::decode(&bytes[12..]).unwrap();
    let limits = Limits { guard_records: u64::MAX, ..limits };
    assert_eq!((request.nonce, request.host.as_slice(), request.limits), (NONCE, &b"web-1"[..], limits));
    assert_eq!((request.live, request.gentle, request.mode), (false, true, Mode::Sketch(64)));
    assert_eq!((request.root.as_slice(), &request.rules), (&b"/"[..], &*RULES));
}

#[test]
fn a_host_may_send_its_listing_and_something_more() {
    let small = Bounds::of(&[reference(1, &machine(1))]);
    let large = Bounds::of(&[reference(1, &machine(1_000)), reference(2, &machine(1))]);
    assert!(small.wire > 16 << 20 && large.wire > small.wire + 50_000 && large.records > 8 << 20);
    assert!(large.guard_records > small.guard_records + 160_000 && large.wire > (8 << 20) + large.guard_records);
}

/// What explains a host between versions is asked about the version that it is nearest to, on the same connection.
#[test]
fn a_host_between_versions_is_asked_about_the_nearest_one() {
    let mut records = drifted(50, 20);
    records.push(file("/z", 1));
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
    let host = Host::of(records.clone());
    let references =
        Versions::new(vec![reference(3, &machine(50)), reference(2, &machine(49)), reference(1, &drifted(50, 20))]);
    let policy = PolicyFile::parse("policy.toml", "schema = \"driftscan.policy/v1\"\n").unwrap();
    let policy = policy.for_system("debian", &[]);
    let ask = Ask { policy: Some(&policy), ..ask() };
    let observation = observe(&mut Wire::to(&host), &ask, &references, &mut Ran::default()).unwrap();
    assert_eq!(observation.found, Found::Different(difference(&machine(50), &records)));
    assert_eq!((observation.choice.nearest, observation.choice.at()), (2, 2));
    let from_nearest = difference(&drifted(50, 20), &records);
    assert_eq!(observation.choice.older, Some((2, from_nearest)));
    let owners = host.asked.borrow().iter().find_map(|message| match message {
        FollowUp::Owners { paths, .. } => Some(paths.clone()),
        _ => None,
    });
    assert_eq!(owners, Some(vec![b"/z".to_vec()]));
}
