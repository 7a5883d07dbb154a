#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::report::samples::mixed_fleet;

/// Ten minutes after the sample began.
fn later() -> jiff::Timestamp {
    "2026-11-21T02:40:04Z".parse().unwrap()
}

/// A run of the sample that was killed after so many hosts.
fn cut(hosts: usize) -> FleetOutcome {
    let mut fleet = mixed_fleet();
    fleet.interrupted = Some(9);
    fleet.hosts.truncate(hosts);
    fleet
}

fn attempt(earlier: FleetOutcome, again: bool, now: jiff::Timestamp) -> Result<Resumption, NotResumable> {
    let today = mixed_fleet();
    let fleet: Vec<Reached<'_>> = today
        .hosts
        .iter()
        .map(|host| Reached { name: &host.name, group: &host.group, address: &host.address })
        .collect();
    let grounds = Grounds { digests: &today.digests, baselines: &today.baselines, drift_at: today.drift_at };
    resume(earlier, grounds, &fleet, again, now)
}

#[test]
fn hosts_that_were_done_are_kept_and_the_others_are_due() {
    let whole = mixed_fleet();
    let resumption = attempt(cut(7), false, later()).unwrap();
    assert_eq!(resumption.kept, whole.hosts[..7]);
    assert_eq!(resumption.due.iter().filter(|due| **due).count(), whole.hosts.len() - 7);
    assert!(resumption.due[7..].iter().all(|due| *due));
    assert_eq!(resumption.resumed.unwrap().hosts, 7);
}

#[test]
fn the_unverifiable_are_asked_again_only_where_the_run_is_named() {
    let unverifiable = |host: &HostOutcome| host.verdict == Verdict::Unverifiable;
    let all = mixed_fleet();
    let open = all.hosts.iter().filter(|host| unverifiable(host)).count();
    assert!(open > 0);
    let named = attempt(all.clone(), true, later()).unwrap();
    assert_eq!(named.due.iter().filter(|due| **due).count(), open);
    assert!(!named.kept.iter().any(unverifiable));
    let mut killed = all.clone();
    killed.interrupted = Some(9);
    assert_eq!(attempt(killed, false, later()).unwrap().kept, all.hosts);
    assert!(matches!(attempt(all, false, later()), Err(NotResumable::Whole { .. })));
}

#[test]
fn nothing_is_taken_over_from_a_run_that_decided_by_something_else() {
    type Change = fn(&mut FleetOutcome);
    let changes: [(Change, &str); 9] = [
        (|run| run.digests.inventory.push('0'), "fleet"),
        (|run| run.digests.ways.push('0'), "way"),
        (|run| run.digests.policy.push('0'), "policy"),
        (|run| run.drift_at = Severity::High, "policy"),
        (|run| run.digests.probe.push('0'), "driftscan"),
        (|run| run.digests.tool.push('0'), "driftscan"),
        (|run| run.baselines[0].digest.push('0'), "baselines"),
        (|run| run.baselines[0].label.push('0'), "baselines"),
        (|run| drop(run.baselines.pop()), "baselines"),
    ];
    for (change, word) in changes {
        let mut earlier = cut(7);
        change(&mut earlier);
        let error = attempt(earlier, true, later()).unwrap_err();
        assert!(matches!(&error, NotResumable::Other { what, .. } if what.contains(word)), "{error}");
    }
}

#[test]
fn an_outcome_is_never_older_than_an_hour() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    assert!(attempt(cut(7), false, at("2026-11-21T03:30:03Z")).is_ok());
    let old = attempt(cut(7), false, at("2026-11-21T03:30:04Z")).unwrap_err();
    assert_eq!(old.to_string().split(' ').nth(3), Some("60"), "{old}");
    // A run that took one up is as old as that one.
    let mut chain = cut(7);
    let since = "2026-11-21T01:35:00Z".to_owned();
    chain.resumed = Some(Resumed { run: RunId::new("20261121T013500Z", [0, 0]), since: since.clone(), hosts: 2 });
    assert!(matches!(attempt(chain.clone(), false, later()), Err(NotResumable::Old { .. })));
    let young = attempt(chain, false, at("2026-11-21T02:34:59Z")).unwrap();
    assert_eq!(young.resumed.unwrap().since, since);
    for wrong in ["2026-11-21T02:30:03Z", "2016-11-21T02:30:04Z"] {
        assert!(matches!(attempt(cut(7), false, at(wrong)), Err(NotResumable::Clock { .. })), "{wrong}");
    }
    let mut nonsense = cut(7);
    nonsense.started = "yesterday".into();
    assert!(matches!(attempt(nonsense, false, later()), Err(NotResumable::Clock { .. })));
}

#[test]
fn a_host_that_is_reached_elsewhere_now_is_scanned() {
    let mut earlier = cut(7);
    earlier.hosts[2].address.push('2');
    earlier.hosts[4].group = "other".into();
    let resumption = attempt(earlier, false, later()).unwrap();
    assert_eq!(resumption.kept.len(), 5);
    assert!(resumption.due[2] && resumption.due[4] && !resumption.due[3]);
}
