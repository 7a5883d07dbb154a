//! What is common, who is a snowflake, and what that makes of a host.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::model::{Cause, CauseKind, Class, Code, CommonAt, Finding, HostOutcome, Severity};
use crate::report::samples::{any_fleet, drifted, finding, fleet, host, unreadable, unverifiable};
use proptest::prelude::*;

fn settled(hosts: Vec<HostOutcome>) -> FleetOutcome {
    let mut run = fleet(hosts, &[]);
    settle(&mut run, &Waivers::default(), jiff::civil::date(2026, 11, 21));
    run
}

fn edit(name: &str, severity: Severity) -> Finding {
    finding(severity, Code::ContentChanged, &format!("fs:/etc/{name}"), &[], &[])
}

/// `count` hosts of a group, each with these findings.
fn group(name: &str, count: usize, findings: &[Finding]) -> Vec<HostOutcome> {
    let one = |n| host(&format!("{name}-{n:03}"), name, "web@1");
    let made = (1..=count).map(one);
    made.map(|host| if findings.is_empty() { host } else { drifted(host, findings.to_vec()) }).collect()
}

fn decisions(run: &FleetOutcome) -> Vec<Decision> {
    run.hosts.iter().map(|host| host.decision).collect()
}

#[test]
fn what_most_have_is_the_templates_affair_and_what_one_has_is_its_own() {
    let common = edit("ssl.cnf", Severity::Medium);
    let mut hosts = group("web", 5, std::slice::from_ref(&common));
    hosts[3].findings.push(edit("fix", Severity::High));
    hosts.extend(group("web-new", 0, &[]));
    hosts.push(host("web-009", "web", "web@1"));
    let run = settled(hosts);
    let fix = [Decision::FixTemplate; 3];
    assert_eq!(decisions(&run), [&fix[..], &[Decision::Replace, Decision::FixTemplate, Decision::Keep]].concat());
    let row = &run.common[0];
    assert_eq!((run.common.len(), row.fingerprint, row.hosts.len(), row.of), (1, common.fingerprint, 5, 6));
    let flake = run.hosts[3].snowflake.unwrap();
    assert_eq!((flake.alone, flake.rare), (1, 1));
    assert!(flake.score > run.hosts[0].snowflake.unwrap().score && run.hosts[5].snowflake.is_none());
    // The verdicts and the status stay what they are.
    assert_eq!((run.count(Verdict::Drifted), run.status()), (5, 2));
}

#[test]
fn a_share_and_a_number_are_both_needed() {
    let low = [edit("a", Severity::Low)];
    let few = settled(group("web", 2, &low));
    assert!(few.common.is_empty() && decisions(&few) == [Decision::Replace; 2]);
    let half = settled([group("web", 3, &low), group("web", 6, &[]).split_off(3)].concat());
    assert!(half.common.is_empty(), "exactly half is not more than half");
    assert_eq!(settled(group("web", 3, &low)).common.len(), 1);
    let mut strict = fleet(group("web", 3, &low), &[]);
    strict.common_at = CommonAt { permille: 500, hosts: 4 };
    settle(&mut strict, &Waivers::default(), jiff::civil::date(2026, 11, 21));
    assert!(strict.common.is_empty());
    // One host is no fleet: what it alone has would be the template's affair, and no hand edit would ever be one.
    let mut alone = fleet(group("web", 1, &low), &[]);
    alone.common_at = CommonAt { permille: 1, hosts: 1 };
    settle(&mut alone, &Waivers::default(), jiff::civil::date(2026, 11, 21));
    assert!(alone.common.is_empty() && decisions(&alone) == [Decision::Replace]);
}

#[test]
fn shares_are_those_of_a_group_and_of_hosts_that_were_compared() {
    let low = [edit("a", Severity::Low)];
    let silent =
        |n: usize| unverifiable(host(&format!("x-{n}"), "web", "web@1"), crate::model::Reason::Timeout, "-", None);
    let run = settled([group("web", 3, &low), (0..9).map(silent).collect(), group("db", 20, &[])].concat());
    assert_eq!((run.common[0].hosts.len(), run.common[0].of), (3, 3));
    // The same on three hosts of a large other group is not common there.
    let other = settled([group("db", 20, &[]), group("db", 23, &low).split_off(20)].concat());
    assert!(other.common.is_empty());
}

#[test]
fn a_critical_finding_is_never_folded_away() {
    let run = settled(group("web", 500, &[edit("passwd", Severity::Critical), edit("a", Severity::Low)]));
    assert_eq!(decisions(&run), [Decision::Replace; 500]);
    assert_eq!(run.common.len(), 1, "the other one is common all the same");
    let mut one_worse = group("web", 4, &[edit("a", Severity::High)]);
    one_worse[0].findings[0].severity = Severity::Critical;
    assert_eq!(decisions(&settled(one_worse))[..2], [Decision::Replace, Decision::FixTemplate]);
}

/// A host on which a folder came with four files, one of which is its own where `odd` says so.
fn with_tree(n: usize, odd: bool) -> HostOutcome {
    let mut inside: Vec<Finding> =
        ["", "/a", "/b", "/c"].iter().map(|f| edit(&format!("app{f}"), Severity::Low)).collect();
    if odd {
        inside[3] =
            finding(Severity::Low, Code::ContentChanged, "fs:/etc/app/c", &[], &[(crate::protocol::Attr::Size, "9")]);
    }
    let cause = Cause {
        kind: CauseKind::TreeAdded,
        subject: inside[0].subject.clone(),
        title: "/etc/app added: 4 entries".into(),
        severity: Severity::Low,
        fingerprint: inside[0].fingerprint,
        findings: 4,
        evidence: vec![],
    };
    for finding in &mut inside {
        finding.cause = Some(0);
    }
    let mut host = drifted(host(&format!("web-{n:02}"), "web", "web@1"), inside);
    host.causes = vec![cause];
    host
}

#[test]
fn a_cause_is_common_only_with_all_that_it_explains() {
    let run = settled((1..=6).map(|n| with_tree(n, n == 4)).collect());
    assert_eq!(run.common[0].hosts.len(), 5);
    assert_eq!((run.hosts[3].decision, run.hosts[0].decision), (Decision::Replace, Decision::FixTemplate));
    assert_eq!(run.hosts[3].snowflake.unwrap().alone, 1);
}

#[test]
fn the_same_bytes_told_another_way_are_another_thing() {
    let mut hosts = group("web", 6, &[edit("a", Severity::Low)]);
    hosts[2].findings[0].told.class = Some(Class::Tampered);
    let run = settled(hosts);
    assert_eq!((run.common[0].hosts.len(), run.hosts[2].decision), (5, Decision::Replace));
}

#[test]
fn what_was_not_read_is_looked_at_and_what_is_behind_is_replaced() {
    let low = [edit("a", Severity::Low)];
    let mut hosts = group("web", 5, &low);
    hosts[1] = drifted(unreadable(host("web-002", "web", "web@1"), &["/root"]), low.to_vec());
    hosts[2].versions_behind = Some(1);
    let run = settled(hosts);
    assert_eq!(decisions(&run)[..3], [Decision::FixTemplate, Decision::Investigate, Decision::Replace]);
}

#[test]
fn drift_below_the_threshold_is_no_common_change() {
    let run = settled(group("web", 5, &[edit("a", Severity::Info), edit("b", Severity::Medium)]));
    assert_eq!((run.common.len(), run.hosts[0].decision), (1, Decision::FixTemplate));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn settling_decides_once_and_never_keeps_a_drifted_host(mut run in any_fleet()) {
        settle(&mut run, &Waivers::default(), jiff::civil::date(2026, 11, 21));
        let once = run.clone();
        settle(&mut run, &Waivers::default(), jiff::civil::date(2026, 11, 21));
        prop_assert_eq!(&run, &once);
        for host in &run.hosts {
            prop_assert_eq!(host.verdict == Verdict::Clean, host.decision == Decision::Keep);
            let grave = host.findings.iter().any(|f| f.severity == Severity::Critical && f.waiver.is_none());
            prop_assert!(!grave || host.decision != Decision::FixTemplate);
        }
        for row in &run.common {
            prop_assert!(row.hosts.len() >= run.common_at.hosts as usize && row.hosts.len() <= row.of);
        }
    }
}
