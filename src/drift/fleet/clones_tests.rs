//! Hosts that share identities, and hosts that do not.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::report::samples;

/// Hosts that are clean, with these identities.
fn run(hosts: &[&[(&str, &str)]]) -> FleetOutcome {
    let host = |(number, identities): (usize, &&[(&str, &str)])| {
        let mut host = samples::host(&format!("web-{number:02}"), "web", "web@1");
        let owned = |(kind, digest): &(&str, &str)| ((*kind).to_owned(), (*digest).to_owned());
        host.evidence.identities = identities.iter().map(owned).collect();
        host
    };
    let mut outcome = samples::fleet(hosts.iter().enumerate().map(host).collect(), &[("web", "web@1")]);
    outcome.drift_at = Severity::High;
    outcome
}

fn titles(host: &HostOutcome) -> Vec<&str> {
    host.findings.iter().filter_map(|finding| finding.told.title.as_deref()).collect()
}

#[test]
fn hosts_with_one_machine_id_are_drifted_and_name_each_other() {
    let mut outcome =
        run(&[&[("machine-id", "aa")], &[("machine-id", "bb")], &[("machine-id", "aa")], &[("machine-id", "aa")]]);
    find(&mut outcome);
    assert_eq!(titles(&outcome.hosts[0]), ["machine-id shared with web-02 and 1 more"]);
    assert_eq!(titles(&outcome.hosts[3]), ["machine-id shared with web-00 and 1 more"]);
    let verdicts: Vec<Verdict> = outcome.hosts.iter().map(|host| host.verdict).collect();
    assert_eq!(verdicts, [Verdict::Drifted, Verdict::Clean, Verdict::Drifted, Verdict::Drifted]);
    assert_eq!(outcome.hosts[0].decision, Verdict::Drifted.decision());
    assert!(outcome.hosts[1].findings.is_empty());
    // One waiver can speak of all of them.
    assert_eq!(outcome.hosts[0].findings[0].fingerprint, outcome.hosts[3].findings[0].fingerprint);
    assert_eq!(outcome.hosts[0].findings[0].subject, b"fact:identity.machine-id");
}

#[test]
fn looking_twice_gives_what_looking_once_gives() {
    let keys = [("ssh-host-key.ssh-ed25519", "cc"), ("ssh-host-key.ssh-rsa", "dd"), ("random-seed", "ee")];
    let mut outcome = run(&[&keys, &keys]);
    find(&mut outcome);
    // Keys of all types were copied together.
    assert_eq!(titles(&outcome.hosts[0]), ["SSH host key shared with web-01", "random seed shared with web-01"]);
    let once = outcome.clone();
    find(&mut outcome);
    assert_eq!(outcome, once);
}

#[test]
fn a_waiver_stays_and_a_seed_alone_is_no_drift_where_drift_begins_higher() {
    let mut outcome = run(&[&[("random-seed", "ee")], &[("random-seed", "ee")]]);
    find(&mut outcome);
    assert_eq!(outcome.hosts[0].verdict, Verdict::Clean);
    assert_eq!(outcome.hosts[0].findings[0].severity, Severity::Medium);
    let (of, owner, reason, until) = ("x".into(), "dba".into(), "r".into(), "2026-12-31".into());
    outcome.hosts[0].findings[0].waiver = Some(crate::model::WaiverUse { of, owner, reason, until });
    let waived = outcome.clone();
    find(&mut outcome);
    assert_eq!(outcome, waived);
}

#[test]
fn one_host_with_a_seed_in_two_places_is_nobodys_clone() {
    let mut outcome = run(&[&[("random-seed", "ee"), ("random-seed", "ee")], &[]]);
    let before = outcome.clone();
    find(&mut outcome);
    assert_eq!(outcome, before);
}

#[test]
fn a_machine_that_is_named_twice_is_asked_about() {
    let mut outcome = run(&[&[("machine-id", "aa")], &[("machine-id", "aa")]]);
    for host in &mut outcome.hosts {
        host.evidence.machine_id = Some("aa".to_owned());
        host.evidence.boot = Some("2026-11-21T02:30:04Z".to_owned());
    }
    find(&mut outcome);
    let explanation = &outcome.hosts[1].findings[0].told.explanation;
    assert!(explanation.last().unwrap().contains("names twice"), "{explanation:?}");
    outcome.hosts[0].evidence.boot = None;
    find(&mut outcome);
    let explanation = &outcome.hosts[1].findings[0].told.explanation;
    assert!(!explanation.last().unwrap().contains("names twice"), "{explanation:?}");
}
