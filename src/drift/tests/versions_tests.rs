//! Which version a host is compared with, and what that makes of it.

use super::{difference, observed, policy, reference, told, troubled, whole};
use crate::drift::{Choice, Difference, Found, Judgement, Observation, Reference, Versions, judge};
use crate::manifest::Identity;
use crate::model::text::escape;
use crate::model::{Code, Image, Severity, Verdict};
use crate::policy::Policy;
use crate::protocol::coverage::{Coverage, Part, Trouble, Why};
use crate::protocol::reply::{Texts, evidence};
use crate::protocol::{Attr, Record, Value};
use crate::protocol_tests::{fact, file, folder, package, set, with};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn debian() -> Identity {
    reference(1, &[file("/a", 1)]).identity
}

/// A machine of a version: so many of its files are as that version has them.
fn machine(version: u8) -> Vec<Record> {
    let mut records = vec![folder("/")];
    records.extend((0..20).map(|number| file(&format!("/usr/bin/{number:02}"), version)));
    records.push(file("/usr/lib/os-release", version));
    records.push(package("nginx", &format!("1.{version}")));
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
    records
}

/// Three versions, the newest first: `web@3`, `web@2`, `web@1`.
fn three() -> Vec<Reference> {
    [3, 2, 1].map(|version| reference(u64::from(version), &machine(version))).into()
}

/// Puts a record in the place of the one of its subject.
fn put(records: &mut Vec<Record>, record: Record) {
    records.retain(|other| other.subject() != record.subject());
    records.push(record);
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
}

/// What a scan makes of a host with these records.
fn observation(references: &Versions, host: &[Record], coverage: Coverage, image: &Image) -> Observation {
    let full = |reference: &Reference| difference(&reference.set.set.records, host);
    let equal = references.iter().position(|reference| full(reference) == Difference::default());
    let found = equal.map_or_else(|| Found::Different(full(&references[0])), Found::Equal);
    let choice = match &found {
        Found::Different(difference) => references.choose(difference, &debian(), image),
        Found::Equal(_) | Found::AnotherSystem => Choice::default(),
    };
    let mut observation = Observation { choice, ..observed(coverage, found) };
    for (name, word) in [(evidence::IMAGE_ID, &image.id), (evidence::IMAGE_VERSION, &image.version)] {
        if let Some(word) = word {
            observation.evidence.put(name, word.as_bytes());
        }
    }
    observation
}

/// The judgement of a host that says this of its image.
fn scanned(references: Vec<Reference>, host: &[Record], image: &Image, policy: &Policy) -> Judgement {
    let references = Versions::new(references);
    judge(&references, &observation(&references, host, whole(), image), policy)
}

fn silent() -> Image {
    Image::default()
}

fn version(word: &str) -> Image {
    Image { id: None, version: Some(word.to_owned()) }
}

#[test]
fn a_host_between_versions_is_compared_with_the_nearest_one() {
    let mut host = machine(1);
    put(&mut host, file("/usr/bin/07", 9));
    let judgement = scanned(three(), &host, &silent(), &policy(""));
    assert_eq!((judgement.verdict, judgement.reference.as_str()), (Verdict::Drifted, "web@1"));
    assert_eq!(judgement.versions_behind, Some(2));
    assert_eq!(told(&judgement.findings), ["content-changed fs:/usr/bin/07"]);
    assert_eq!(judgement.findings[0].told.explanation, ["other bytes of the same size"]);
}

#[test]
fn a_host_nearest_to_the_selected_version_is_judged_as_ever() {
    let mut host = machine(3);
    put(&mut host, file("/usr/bin/07", 9));
    let judgement = scanned(three(), &host, &silent(), &policy(""));
    assert_eq!((judgement.reference.as_str(), judgement.versions_behind), ("web@3", None));
    assert_eq!(told(&judgement.findings), ["content-changed fs:/usr/bin/07"]);
}

#[test]
fn on_a_tie_the_newer_version_stays() {
    let one = |version: u8| vec![folder("/"), file("/a", version)];
    let versions = Versions::new([3, 2, 1].map(|version| reference(u64::from(version), &one(version))).into());
    let host = [folder("/"), file("/a", 9)];
    let choice = versions.choose(&difference(&one(3), &host), &debian(), &silent());
    assert_eq!(choice, Choice::default());
}

#[test]
fn what_is_as_in_the_newer_version_says_so() {
    let mut host = machine(1);
    put(&mut host, file("/usr/bin/07", 3));
    host.retain(|record| record.subject() != b"fs:/usr/bin/08");
    let mut versions = three();
    let without: Vec<Record> = machine(3).into_iter().filter(|record| record.subject() != b"fs:/usr/bin/08").collect();
    versions[0] = reference(3, &without);
    let judgement = scanned(versions, &host, &silent(), &policy(""));
    assert_eq!(judgement.reference, "web@1");
    let said = |path: &str| {
        let finding = judgement.findings.iter().find(|finding| finding.path() == Some(path.as_bytes())).unwrap();
        finding.told.explanation.last().cloned().unwrap()
    };
    assert_eq!(said("/usr/bin/07"), "as in web@3");
    assert_eq!(said("/usr/bin/08"), "gone in web@3 too");
}

#[test]
fn below_the_threshold_it_is_outdated_and_never_clean() {
    let mut host = machine(1);
    put(&mut host, set(&machine(1)[3], Attr::Mode, &0o600u16.to_le_bytes()));
    let judgement = scanned(three(), &host, &silent(), &policy("drift_at = \"critical\""));
    assert_eq!((judgement.verdict, judgement.versions_behind), (Verdict::Outdated, Some(2)));
    assert_eq!(judgement.findings.len(), 1);
}

/// It equals the old version but for a file that nobody could read: that must not turn drift into a gap.
#[test]
fn a_gap_does_not_make_an_old_host_unverifiable() {
    let mut host = machine(1);
    put(&mut host, with(&machine(1)[3], Attr::Content, Value::Unread(Why::Denied)));
    let coverage = troubled(&[("/usr/bin/02", Part::Content, Why::Denied)]);
    let versions = Versions::new(three());
    let mut observation = observation(&versions, &host, coverage, &silent());
    assert_eq!(observation.choice.at(), 2);
    let judgement = judge(&versions, &observation, &policy(""));
    assert_eq!((judgement.verdict, judgement.reference.as_str()), (Verdict::Drifted, "web@3"));
    assert_eq!(judgement.versions_behind, None);
    // Where the policy excuses it by name, everything was read that is asked.
    let excusing = policy("excuse_unreadable = [\"/usr/bin/02\"]");
    let judgement = judge(&versions, &observation, &excusing);
    assert_eq!((judgement.verdict, judgement.versions_behind), (Verdict::Outdated, Some(2)));
    // With drift of its own it is told against the version that it is nearest to, gap or not.
    put(&mut host, file("/usr/bin/07", 9));
    observation = self::observation(&versions, &host, observation.coverage, &silent());
    let judgement = judge(&versions, &observation, &policy(""));
    assert_eq!((judgement.verdict, judgement.reference.as_str()), (Verdict::Drifted, "web@1"));
    assert_eq!(judgement.reasons.len(), 1);
}

#[test]
fn a_version_of_another_system_is_never_the_nearest() {
    let mut versions = three();
    versions[2].identity.os_version = "11".to_owned();
    let mut host = machine(1);
    put(&mut host, file("/usr/bin/07", 9));
    assert_eq!(scanned(versions, &host, &silent(), &policy("")).reference, "web@3");
}

#[test]
fn image_version_names_the_version_where_another_one_is_nearer() {
    let mut host = machine(3);
    put(&mut host, file("/usr/lib/os-release", 2));
    put(&mut host, file("/usr/bin/07", 9));
    assert_eq!(scanned(three(), &host, &silent(), &policy("")).reference, "web@3");
    let judgement = scanned(three(), &host, &version("2"), &policy(""));
    assert_eq!((judgement.reference.as_str(), judgement.versions_behind), ("web@2", Some(1)));
    let mismatch = judgement.findings.iter().find(|finding| finding.code == Code::ImageMismatch).unwrap();
    assert_eq!(mismatch.severity, Severity::High);
    let title = "os-release says image version 2, and the content is nearer to web@3";
    assert_eq!(mismatch.told.title.as_deref(), Some(title));
    assert_eq!((mismatch.before.text(Attr::Text), mismatch.after.text(Attr::Text)), (Some("3"), Some("2")));
}

#[test]
fn content_that_equals_a_version_outweighs_image_version() {
    // os-release is what the equal version has, so that the golden machine said the same: no fault of the host.
    let judgement = scanned(three(), &machine(1), &version("3"), &policy(""));
    assert_eq!((judgement.verdict, judgement.reference.as_str()), (Verdict::Outdated, "web@1"));
    assert!(judgement.findings.is_empty(), "{:?}", judgement.findings);
    // Unless the baseline knows that it said something else.
    let mut versions = three();
    versions[0].image = version("3");
    versions[2].image = version("1");
    let judgement = scanned(versions, &machine(1), &version("3"), &policy(""));
    assert_eq!((judgement.verdict, judgement.reference.as_str()), (Verdict::Drifted, "web@1"));
    let title = "os-release says image version 3, and the content is that of web@1";
    assert_eq!(judgement.findings[0].told.title.as_deref(), Some(title));
    assert_eq!(judgement.findings.len(), 1);
}

/// Builds that forgot to give the image a new version: what all versions say tells none of them from another.
#[test]
fn an_image_version_that_several_versions_have_chooses_the_nearest_of_them() {
    for recorded in [true, false] {
        let mut versions: Vec<Reference> = Vec::new();
        for number in [3, 2, 1] {
            let mut records = machine(number);
            put(&mut records, file("/usr/lib/os-release", 1));
            versions.push(reference(u64::from(number), &records));
            if recorded {
                versions.last_mut().unwrap().image = version("1");
            }
        }
        let mut host = versions[1].set.set.records.clone();
        put(&mut host, file("/usr/bin/07", 9));
        let judgement = scanned(versions.clone(), &host, &version("1"), &policy(""));
        assert_eq!((judgement.reference.as_str(), judgement.versions_behind), ("web@2", Some(1)));
        assert_eq!(told(&judgement.findings), ["content-changed fs:/usr/bin/07"]);
        let clean = scanned(versions.clone(), &versions[0].set.set.records.clone(), &version("1"), &policy(""));
        assert_eq!(clean.verdict, Verdict::Clean, "{:?}", clean.findings);
    }
}

#[test]
fn a_word_that_no_baseline_can_answer_is_not_held_against_a_host() {
    // Nothing of os-release is compared, and the capture did not record what it said.
    let without = |version: u8| {
        let mut records = machine(version);
        records.retain(|record| record.subject() != b"fs:/usr/lib/os-release");
        records
    };
    let versions: Vec<Reference> = [3, 2, 1].map(|version| reference(u64::from(version), &without(version))).into();
    for word in ["1", "3", "2026-11", "\u{202e}"] {
        let judgement = scanned(versions.clone(), &without(3), &version(word), &policy(""));
        assert_eq!((judgement.verdict, judgement.findings.len()), (Verdict::Clean, 0), "{word}");
    }
}

#[test]
fn an_unknown_image_version_is_told_and_decides_nothing() {
    let mut versions = three();
    versions[0].image = version("3");
    let judgement = scanned(versions.clone(), &machine(3), &version("2026.12"), &policy(""));
    assert_eq!((judgement.verdict, judgement.findings.len()), (Verdict::Clean, 1));
    assert_eq!(judgement.findings[0].severity, Severity::Info);
    let title = "os-release says image version 2026.12, which is none of the versions of web here";
    assert_eq!(judgement.findings[0].told.title.as_deref(), Some(title));
    let mut host = machine(1);
    put(&mut host, file("/usr/bin/07", 9));
    assert_eq!(scanned(versions, &host, &version("2026.12"), &policy("")).reference, "web@1");
}

#[test]
fn another_templates_image_never_chooses_and_is_grave() {
    let image = Image { id: Some("api".to_owned()), version: Some("1".to_owned()) };
    let mut versions = three();
    for (reference, word) in versions.iter_mut().zip(["3", "2", "1"]) {
        reference.image = Image { id: Some("web".to_owned()), version: Some(word.to_owned()) };
    }
    let mut host = machine(3);
    put(&mut host, file("/usr/bin/07", 9));
    let judgement = scanned(versions, &host, &image, &policy(""));
    assert_eq!(judgement.reference, "web@3");
    let mismatch = judgement.findings.iter().find(|finding| finding.subject == b"fact:image.id").unwrap();
    assert_eq!((mismatch.code, mismatch.severity), (Code::ImageMismatch, Severity::High));
    assert_eq!(mismatch.told.title.as_deref(), Some("os-release says image api, and web@3 is of image web"));
}

#[test]
fn hostile_words_are_escaped_and_short() {
    let mut versions = three();
    versions[0].image = Image { id: Some("web".to_owned()), version: Some("3".to_owned()) };
    let versions = Versions::new(versions);
    for word in [&b"3\x1b[2J\n"[..], &[b'9'; 10_000], "\u{202e}3".as_bytes(), b"\xff\xfe", b"3\\"] {
        let mut observation = observation(&versions, &machine(3), whole(), &silent());
        observation.evidence.put(evidence::IMAGE_ID, word);
        observation.evidence.put(evidence::IMAGE_VERSION, word);
        let judgement = judge(&versions, &observation, &policy(""));
        assert_eq!(judgement.findings.len(), 2, "{word:?}");
        for finding in &judgement.findings {
            let title = finding.told.title.as_deref().unwrap();
            assert!(title.chars().count() <= 150, "{title}");
            assert_eq!(escape(title.replace('\\', "").as_bytes()), title.replace('\\', ""), "{title}");
            let after = finding.after.text(Attr::Text).unwrap();
            assert_eq!(after, escape(&word[..word.len().min(256)]));
        }
    }
    // An empty word says nothing.
    let mut observation = observation(&versions, &machine(3), whole(), &silent());
    observation.evidence.put(evidence::IMAGE_VERSION, b"");
    assert_eq!(judge(&versions, &observation, &policy("")).findings, []);
}

/// Records of a small world; each subject once.
fn any_set() -> impl Strategy<Value = Vec<Record>> {
    let place = select(vec!["/usr/lib/os-release", "/b", "/c/d", "/e", "/f", "/g", "/h", "/i"]);
    let path = (place, 0..3_u8).prop_map(|(path, seed)| file(path, seed));
    let other = (select(vec!["bash", "nginx"]), 0..3_u8).prop_map(|(name, n)| package(name, &n.to_string()));
    let record = prop_oneof![6 => path, 1 => other, 1 => (0..3_u8).prop_map(|n| fact("kernel", &n.to_string()))];
    vec(record, 0..12).prop_map(|records| {
        let mut all = vec![folder("/"), file("/a", 1)];
        for record in records {
            put(&mut all, record);
        }
        all
    })
}

/// Versions, and a host that is one of them but for a few records, so that most are near to some version.
fn any_fleet() -> impl Strategy<Value = (Vec<Vec<Record>>, Vec<Record>)> {
    (vec(any_set(), 1..6), 0..6_usize, any_set(), 0..4_usize).prop_map(|(sets, of, changes, few)| {
        let mut host = sets[of % sets.len()].clone();
        for record in changes.into_iter().rev().take(few) {
            put(&mut host, record);
        }
        (sets, host)
    })
}

fn any_image() -> impl Strategy<Value = Image> {
    let version = select(vec![None, Some("1"), Some("2"), Some("3"), Some("4"), Some("x")]);
    (select(vec![None, Some("web"), Some("api")]), version)
        .prop_map(|(id, version)| Image { id: id.map(str::to_owned), version: version.map(str::to_owned) })
}

fn numbered(sets: &[Vec<Record>]) -> Vec<Reference> {
    let serial = |at: usize| u64::try_from(sets.len() - at).unwrap();
    sets.iter().enumerate().map(|(at, records)| reference(serial(at), records)).collect()
}

proptest! {
    #[test]
    fn the_difference_from_an_older_version_is_that_of_the_full_sets(
        (sets, host) in any_fleet(),
        image in any_image(),
    ) {
        let versions = Versions::new(numbered(&sets));
        let from = |at: usize| difference(&sets[at], &host);
        let choice = versions.choose(&from(0), &debian(), &image);
        // The first of the least: on a tie the newest.
        let nearest = (0..sets.len()).min_by_key(|at| (from(*at).subjects(), *at)).unwrap();
        prop_assert_eq!(choice.nearest, nearest);
        let at = choice.at();
        prop_assert!(image.version.is_some() || at == nearest);
        if let Some((at, difference)) = choice.older {
            prop_assert!(at > 0);
            prop_assert_eq!(difference, from(at));
        }
    }

    #[test]
    fn no_choice_gives_a_better_verdict(
        (sets, mut host) in any_fleet(),
        unread in proptest::option::of((0..12_usize, select(Why::ALL.to_vec()))),
        excused: bool,
        image in any_image(),
        drift_at in select(Severity::ALL.to_vec()),
    ) {
        let mut coverage = whole();
        if let Some((at, why)) = unread
            && let Some(record) = host.get_mut(at).filter(|record| record.view().attr(Attr::Content).is_some())
        {
            let path = record.view().path().unwrap_or_default().to_vec();
            *record = with(record, Attr::Content, Value::Unread(why));
            coverage.troubles_total = 1;
            coverage.troubles = vec![Trouble { path, part: Part::Content, why, errno: 0 }];
        }
        let excuse = if excused { "excuse_unreadable = [\"/**\"]\n" } else { "" };
        let policy = policy(&format!("drift_at = \"{}\"\n{excuse}", drift_at.word()));
        let versions = Versions::new(numbered(&sets));
        let observation = observation(&versions, &host, coverage, &image);
        let judgement = judge(&versions, &observation, &policy);
        let plain = Observation { choice: Choice::default(), evidence: Texts::default(), ..observation.clone() };
        let selected = judge(&versions, &plain, &policy);
        if let Found::Different(_) = observation.found {
            let older = observation.choice.older.is_some();
            prop_assert!(!older || judgement.verdict != Verdict::Clean);
            if judgement.verdict > selected.verdict {
                // The one way that is open: what drift it has is that of an older version, and all of it was read.
                prop_assert_eq!((selected.verdict, judgement.verdict), (Verdict::Drifted, Verdict::Outdated));
                prop_assert!(older && judgement.reasons.is_empty());
                prop_assert!(judgement.versions_behind.is_some());
            }
            if !older && image == Image::default() {
                prop_assert_eq!(judgement.findings, selected.findings);
                prop_assert_eq!((judgement.verdict, judgement.reference), (selected.verdict, selected.reference));
            }
        }
    }

    /// A difference from both is never lost, whichever of them is chosen.
    #[test]
    fn what_differs_from_every_version_is_a_finding((sets, mut host) in any_fleet()) {
        put(&mut host, file("/b", 9));
        let versions = Versions::new(numbered(&sets));
        let judgement = judge(&versions, &observation(&versions, &host, whole(), &Image::default()), &policy(""));
        prop_assert!(judgement.findings.iter().any(|finding| finding.path() == Some(b"/b")));
        prop_assert_eq!(judgement.verdict, Verdict::Drifted);
    }
}
