//! Verdicts: clean wants everything, drift outranks gaps, and no gap makes anything better.

use super::{PLAIN, difference, judged, observed, policy, reference, told, troubled, whole};
use crate::drift::{Found, Judgement, judge};
use crate::model::{Decision, Reason, Severity, Verdict};
use crate::policy::Policy;
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::{Attr, Record, Value};
use crate::protocol_tests::{fact, file, folder, package, set, with};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn base() -> Vec<Record> {
    vec![folder("/"), file("/a", 1), file("/srv/a", 1), file("/srv/b", 1), package("bash", "1"), fact("kernel", "6")]
}

fn reasons(judgement: &Judgement) -> Vec<Reason> {
    judgement.reasons.iter().map(|obstacle| obstacle.reason).collect()
}

fn clean_but_for(coverage: Coverage, policy: &Policy) -> Judgement {
    judged(&base(), &base(), coverage, policy)
}

#[test]
fn a_host_that_equals_the_selected_version_is_clean() {
    let judgement = clean_but_for(whole(), &policy(""));
    assert_eq!((judgement.verdict, judgement.verdict.decision()), (Verdict::Clean, Decision::Keep));
    assert_eq!((judgement.reference.as_str(), judgement.versions_behind), ("web@1", None));
    assert!(judgement.coverage.complete && judgement.findings.is_empty() && judgement.reasons.is_empty());
}

#[test]
fn a_host_that_equals_an_older_version_is_outdated() {
    let references = [reference(3, &[file("/a", 3)]), reference(2, &[file("/a", 2)]), reference(1, &[file("/a", 1)])];
    let judgement = judge(&references, &observed(whole(), Found::Equal(2)), &policy(""));
    assert_eq!((judgement.verdict, judgement.versions_behind), (Verdict::Outdated, Some(2)));
    assert_eq!((judgement.reference.as_str(), judgement.verdict.decision()), ("web@1", Decision::Replace));
    let gap = troubled(&[("/x", Part::Content, Why::Denied)]);
    let judgement = judge(&references, &observed(gap, Found::Equal(1)), &policy(""));
    assert_eq!((judgement.verdict, judgement.versions_behind), (Verdict::Unverifiable, None));
}

#[test]
fn another_system_is_not_compared() {
    let judgement = judge(&[reference(1, &base())], &observed(Coverage::default(), Found::AnotherSystem), &policy(""));
    assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![Reason::WrongBaseline]));
    assert!(judgement.reasons[0].text.contains("it is debian 12 x86_64, and web@1 is of another system"));
}

#[test]
fn drift_outranks_gaps_and_the_gaps_are_told() {
    let coverage = troubled(&[("/x", Part::Content, Why::Denied)]);
    let judgement = judged(&base(), &[], coverage, &policy(""));
    assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Drifted, vec![Reason::Unreadable]));
    assert!(!judgement.coverage.complete);
}

#[test]
fn findings_below_the_threshold_are_told_and_no_drift() {
    let mut after = base();
    after[2] = set(&after[2], Attr::Mode, &0o600u16.to_le_bytes());
    let strict = judged(&base(), &after, whole(), &policy(""));
    assert_eq!(strict.verdict, Verdict::Drifted);
    let lenient = policy("drift_at = \"high\"");
    let judgement = judged(&base(), &after, whole(), &lenient);
    assert_eq!(
        (judgement.verdict, told(&judgement.findings)),
        (Verdict::Clean, vec!["mode-changed fs:/srv/a".to_owned()])
    );
    let judgement = judged(&base(), &after, troubled(&[("/x", Part::Entry, Why::Io)]), &lenient);
    assert_eq!(judgement.verdict, Verdict::Unverifiable);
}

#[test]
fn each_gap_has_its_reason() {
    for (why, reason) in [
        (Why::NotRead, Reason::Internal),
        (Why::Denied, Reason::Unreadable),
        (Why::Io, Reason::Io),
        (Why::Racing, Reason::Racing),
        (Why::Limit, Reason::Limit),
        (Why::Packages, Reason::Packages),
    ] {
        for part in [Part::Below, Part::Entry, Part::Content, Part::Xattrs, Part::Source] {
            let judgement = clean_but_for(troubled(&[("/x", part, why)]), &policy(""));
            assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![reason]));
        }
    }
    let lost = clean_but_for(Coverage { troubles_total: 1, ..whole() }, &policy(""));
    assert_eq!((lost.verdict, reasons(&lost)), (Verdict::Unverifiable, vec![Reason::Limit]));
}

#[test]
fn one_reason_names_three_places_and_counts_the_rest() {
    let troubles: Vec<_> = ["/\u{202e}", "/b", "/c", "/d", "/e"].map(|path| (path, Part::Content, Why::Denied)).into();
    let judgement = clean_but_for(troubled(&troubles), &policy(""));
    assert_eq!(judgement.reasons.len(), 1);
    assert_eq!(judgement.reasons[0].text, "not readable: /\\u{202e}, /b, /c and 2 more");
}

#[test]
fn a_host_without_packages_is_not_one_whose_packages_are_gone() {
    let without = Coverage { systems: 0, ..whole() };
    let after: Vec<Record> = base().into_iter().filter(|record| !record.subject().starts_with(b"pkg:")).collect();
    let judgement = judged(&base(), &after, without.clone(), &policy(""));
    assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![Reason::Packages]));
    assert!(judgement.findings.is_empty());
    // A broken database is told once.
    let broken = Coverage { systems: 0, ..troubled(&[("packages", Part::Source, Why::Packages)]) };
    assert_eq!(reasons(&judged(&base(), &after, broken, &policy(""))), [Reason::Packages]);
    // Where the baseline has none there is nothing to miss.
    assert_eq!(judged(&after, &after, without, &policy("")).verdict, Verdict::Clean);
}

#[test]
fn what_is_excused_by_name_is_clean_and_told() {
    let excusing = policy("excuse_unreadable = [\"/root/**\", \"/etc/key\"]");
    for (path, part, why, verdict) in [
        ("/root/x", Part::Content, Why::Denied, Verdict::Clean),
        ("/root", Part::Below, Why::Denied, Verdict::Clean),
        ("/etc/key", Part::Xattrs, Why::Denied, Verdict::Clean),
        ("/etc/keys", Part::Content, Why::Denied, Verdict::Unverifiable),
        ("/", Part::Below, Why::Denied, Verdict::Unverifiable),
        ("/root/x", Part::Content, Why::Racing, Verdict::Unverifiable),
        ("/root/x", Part::Content, Why::Limit, Verdict::Unverifiable),
        ("/root/x", Part::Content, Why::NotRead, Verdict::Unverifiable),
        ("/root/x", Part::Source, Why::Denied, Verdict::Unverifiable),
    ] {
        let judgement = clean_but_for(troubled(&[(path, part, why)]), &excusing);
        assert_eq!(judgement.verdict, verdict, "{path} {part:?} {why:?}");
        assert_eq!(judgement.coverage.troubles.len(), 1);
        assert_eq!(judgement.coverage.troubles[0].excused, verdict == Verdict::Clean);
    }
}

#[test]
fn a_source_is_never_excused() {
    let all = policy("excuse_unreadable = [\"/**\"]");
    for source in ["packages", "mountinfo", "hashing process"] {
        let judgement = clean_but_for(troubled(&[(source, Part::Source, Why::Denied)]), &all);
        assert_eq!(judgement.verdict, Verdict::Unverifiable, "{source}");
    }
}

/// Such a record differs, gives no finding, and no trouble told of it: the host was clean. A probe that hits a limit in
/// the middle of an extended attribute answers so, and so does whoever wants to hide an ACL.
#[test]
fn an_attribute_that_came_unread_without_a_trouble_is_a_gap() {
    let mut after = base();
    for (attr, part) in [(Attr::Acl, Part::Xattrs), (Attr::Content, Part::Content), (Attr::Mode, Part::Entry)] {
        for (why, reason) in [(Why::Limit, Reason::Limit), (Why::Denied, Reason::Unreadable)] {
            after[2] = with(&base()[2], attr, Value::Unread(why));
            let judgement = judged(&base(), &after, whole(), &policy(""));
            assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![reason]), "{attr:?}");
            assert!(judgement.reasons[0].text.contains("/srv/a"), "{:?}", judgement.reasons);
            assert!(!judgement.coverage.complete);
            // A trouble of another part of it, or of another path, is no account of this one.
            let elsewhere = [("/srv/a", Part::Source, why), ("/srv/b", part, why)];
            let excusing = policy("excuse_unreadable = [\"/srv/b\"]");
            assert_eq!(judged(&base(), &after, troubled(&elsewhere[1..]), &excusing).verdict, Verdict::Unverifiable);
            assert_eq!(judged(&base(), &after, troubled(&elsewhere[..1]), &policy("")).verdict, Verdict::Unverifiable);
        }
    }
    // With its trouble it is one gap, and can be excused.
    after[2] = with(&base()[2], Attr::Content, Value::Unread(Why::Denied));
    let told = troubled(&[("/srv/a", Part::Content, Why::Denied)]);
    let judgement = judged(&base(), &after, told.clone(), &policy(""));
    assert_eq!(
        (judgement.verdict, judgement.reasons[0].text.as_str()),
        (Verdict::Unverifiable, "not readable: /srv/a")
    );
    assert_eq!(judged(&base(), &after, told, &policy("excuse_unreadable = [\"/srv/a\"]")).verdict, Verdict::Clean);
    // A package, a fact or a mount has no path to be told by.
    let mut after = base();
    after[5] = with(&base()[5], Attr::Text, Value::Unread(Why::Io));
    let judgement = judged(&base(), &after, whole(), &policy(""));
    assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![Reason::Io]));
}

#[test]
fn a_trouble_of_a_folders_content_stands_for_the_files_in_it() {
    let mut after = base();
    after[2] = with(&base()[2], Attr::Content, Value::Unread(Why::Denied));
    let told = |part, why| troubled(&[("/srv", part, why)]);
    let excusing = policy("excuse_unreadable = [\"/srv/**\"]");
    let judgement = judged(&base(), &after, told(Part::Content, Why::Denied), &policy(""));
    assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![Reason::Unreadable]));
    assert_eq!(judgement.reasons[0].text, "not readable: /srv");
    assert_eq!(judged(&base(), &after, told(Part::Content, Why::Denied), &excusing).verdict, Verdict::Clean);
    // Another part of the folder, or another reason, is no account of the file.
    assert_eq!(judged(&base(), &after, told(Part::Xattrs, Why::Denied), &excusing).verdict, Verdict::Unverifiable);
    after[2] = with(&base()[2], Attr::Content, Value::Unread(Why::Racing));
    assert_eq!(judged(&base(), &after, told(Part::Content, Why::Denied), &excusing).verdict, Verdict::Unverifiable);
    // Nor does a folder's trouble speak for attributes that are seen without opening anything.
    after[2] = with(&base()[2], Attr::Mode, Value::Unread(Why::Denied));
    assert_eq!(judged(&base(), &after, told(Part::Entry, Why::Denied), &excusing).verdict, Verdict::Unverifiable);
}

#[test]
fn what_nobody_could_see_is_excused_by_its_own_name_alone() {
    let blind = |words: &[&str]| {
        let troubles: Vec<_> = words.iter().map(|word| (*word, Part::Source, Why::Denied)).collect();
        troubled(&troubles)
    };
    let judgement = clean_but_for(blind(&["acls", "flags"]), &policy("excuse_unreadable = [\"/**\"]"));
    assert_eq!((judgement.verdict, reasons(&judgement)), (Verdict::Unverifiable, vec![Reason::Unreadable]));
    assert!(judgement.reasons[0].text.ends_with("of any entry: acls, flags"), "{:?}", judgement.reasons);
    let remedy = judgement.reasons[0].remedy.as_deref().unwrap();
    assert!(remedy.ends_with("excuse_unseen = [\"acls\", \"flags\"]"), "{remedy}");
    let some = policy("excuse_unseen = [\"flags\", \"selinux\"]");
    let judgement = clean_but_for(blind(&["acls", "flags"]), &some);
    assert_eq!(judgement.verdict, Verdict::Unverifiable);
    assert!(judgement.reasons[0].text.ends_with("of any entry: acls"), "{:?}", judgement.reasons);
    assert_eq!(judgement.coverage.troubles.iter().filter(|trouble| trouble.excused).count(), 1);
    assert_eq!(clean_but_for(blind(&["flags"]), &some).verdict, Verdict::Clean);
    // A path of that name, another part, another reason: nothing of what the word excuses.
    for (path, part, why) in [
        ("flags", Part::Content, Why::Denied),
        ("flags", Part::Source, Why::Io),
        ("packages", Part::Source, Why::Denied),
    ] {
        assert_eq!(clean_but_for(troubled(&[(path, part, why)]), &some).verdict, Verdict::Unverifiable);
    }
}

#[test]
fn the_coverage_is_shown_in_printable_words() {
    let coverage = Coverage {
        walked: 9,
        oversize: 1,
        ignored: vec![(0, 3), (u16::MAX, 1)],
        pruned: vec![(9_999, b"/\xff".to_vec())],
        skipped_mounts: vec![SkippedMount { path: b"/\x1b".to_vec(), fs_type: b"nfs\n".to_vec() }],
        ..whole()
    };
    let shown = clean_but_for(coverage, &policy("")).coverage;
    assert_eq!((shown.walked, shown.oversize, shown.packages, shown.live), (9, 1, Some(0), true));
    assert_eq!(shown.ignored[1], ("(no rule)".to_owned(), 1));
    assert_eq!(shown.pruned, [("(no rule)".to_owned(), "/\\xff".to_owned())]);
    assert_eq!(shown.skipped_mounts, [("/\\x1b".to_owned(), "nfs\\n".to_owned())]);
}

fn any_trouble() -> impl Strategy<Value = Trouble> {
    let path = select(vec!["/", "/a", "/srv", "/srv/a", "/srv/b", "/x", "packages", "mountinfo"]);
    let part = select(vec![Part::Below, Part::Entry, Part::Content, Part::Xattrs, Part::Source]);
    (path, part, select(Why::ALL.to_vec())).prop_map(|(path, part, why)| Trouble {
        path: path.as_bytes().to_vec(),
        part,
        why,
        errno: 0,
    })
}

proptest! {
    #[test]
    fn less_coverage_never_gives_a_better_verdict(
        kept in subsequence(base(), 1..=6),
        changed in 0usize..6,
        troubles in proptest::collection::vec(any_trouble(), 0..3),
        more in any_trouble(),
        drift_at in select(Severity::ALL.to_vec()),
    ) {
        let policy = policy(&format!("drift_at = \"{}\"", drift_at.word()));
        let mut after = kept;
        if let Some(record) = after.get_mut(changed).filter(|record| record.view().path().is_some()) {
            *record = set(record, Attr::Mode, &[0, 0]);
        }
        let coverage = Coverage { troubles_total: troubles.len() as u64, troubles, ..whole() };
        let mut less = coverage.clone();
        less.troubles.push(more);
        less.troubles_total += 1;
        let fuller = judged(&base(), &after, coverage, &policy);
        let judgement = judged(&base(), &after, less.clone(), &policy);
        // No gap leads to clean or outdated; and drift that can still be seen is still drift. Only a removal can be
        // hidden by a gap, and is then not verified: nobody looked.
        prop_assert!(matches!(judgement.verdict, Verdict::Drifted | Verdict::Unverifiable));
        if judgement.verdict > fuller.verdict {
            prop_assert_eq!((fuller.verdict, judgement.verdict), (Verdict::Drifted, Verdict::Unverifiable));
            let worst = |j: &Judgement| j.findings.iter().filter(|f| f.severity >= drift_at).count();
            let removals = fuller.findings.iter().filter(|f| f.after.0.is_empty() && f.severity >= drift_at).count();
            prop_assert_eq!(worst(&fuller), removals);
        }
        // The same troubles without their detail hide no less.
        let bare = judged(&base(), &after, Coverage { troubles: Vec::new(), ..less }, &policy);
        prop_assert!(matches!(bare.verdict, Verdict::Drifted | Verdict::Unverifiable));
    }

    #[test]
    fn clean_has_no_gap_and_no_drift(kept in subsequence(base(), 1..=6), troubles in proptest::collection::vec(any_trouble(), 0..2)) {
        let coverage = Coverage { troubles_total: troubles.len() as u64, troubles, ..whole() };
        let judgement = judged(&base(), &kept, coverage.clone(), &PLAIN);
        if judgement.verdict == Verdict::Clean {
            prop_assert!(coverage.troubles.is_empty() && judgement.coverage.complete);
            prop_assert_eq!(difference(&base(), &kept), crate::drift::Difference::default());
        }
        prop_assert_eq!(judgement.coverage.complete, judgement.reasons.is_empty());
    }
}
