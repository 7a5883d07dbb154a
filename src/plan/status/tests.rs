//! What became of plans: by handle, by name, among newcomers, and what proves it.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::inventory::hosts_file;
use crate::model::{Code, Finding, Reason, Severity};
use crate::report::plan::samples;
use crate::report::samples::{drifted, finding, host, unverifiable};

/// Three planned hosts of a group of six, the middle one with a handle that stays.
fn plan() -> Plan {
    let mut plan = samples::of(&samples::report(), samples::FLEET, samples::SETTINGS, None);
    let item = plan.items.first().unwrap().clone();
    let named = |name: &str, machine: &str| Item {
        host: name.into(),
        group: "web".into(),
        machine_id: Some(machine.into()),
        host_key: Some(format!("ED25519 SHA256:{machine}")),
        target: "web@2".into(),
        fingerprints: vec![hex(&edit().fingerprint)],
        handle: crate::plan::Handle(if name == "web-02" { vec![("tf".into(), "aws.web[2]".into())] } else { vec![] }),
        ..item.clone()
    };
    plan.items = vec![named("web-01", "m1"), named("web-02", "m2"), named("web-03", "m3")];
    let wave = |number, hosts: &[&str]| crate::plan::Wave {
        number,
        group: "web".into(),
        zone: None,
        canary: number == 1,
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
    };
    plan.waves = vec![wave(1, &["web-01"]), wave(2, &["web-02", "web-03"])];
    let group = plan.groups.first_mut().unwrap();
    group.name = "web".into();
    group.members = (1..=6)
        .map(|n| crate::plan::Member {
            host: format!("web-{n:02}"),
            machine_id: Some(format!("m{n}")),
            host_key: None,
            handle: crate::plan::Handle::default(),
        })
        .collect();
    plan.groups.truncate(1);
    plan
}

fn edit() -> Finding {
    finding(Severity::High, Code::ContentChanged, "fs:/etc/app.conf", &[], &[])
}

fn machine(name: &str, id: &str, key: &str) -> HostOutcome {
    let mut one = host(name, "web", "web@2");
    one.evidence.machine_id = Some(id.into());
    one.host_key = Some(format!("ED25519 SHA256:{key}"));
    one
}

/// The words of what became of each, with the host that stands there.
fn told(fleet: &str, outcomes: &[HostOutcome], waves: &[usize]) -> Vec<(String, &'static str, Option<String>)> {
    let plan = plan();
    let hosts = hosts_file::parse("hosts.txt", fleet.as_bytes()).unwrap().hosts;
    let asked: Vec<Host> = super::asked(&plan, waves, &hosts).into_iter().cloned().collect();
    let fresh: Vec<Fresh<'_>> = asked
        .iter()
        .map(|host| Fresh { host, outcome: outcomes.iter().find(|outcome| outcome.name == host.name) })
        .collect();
    let status = status(&plan, waves, &fresh, "2026-11-25T00:00:00Z", &BTreeMap::new(), &|_| "edited".to_owned());
    status.fates.into_iter().map(|fate| (fate.host, fate.became.word(), fate.now)).collect()
}

const SAME: &str = "[web]\nweb-01\nweb-02 tf=aws.web[2]\nweb-03\nweb-04\n";

#[test]
fn a_new_machine_id_a_new_host_key_and_no_drift_are_all_needed() {
    let mut grave = drifted(machine("web-03", "n3", "n3"), vec![edit()]);
    let seen =
        |third: HostOutcome| told(SAME, &[machine("web-01", "m1", "n1"), machine("web-02", "n2", "n2"), third], &[]);
    let words = |third: HostOutcome| seen(third).into_iter().map(|(_, word, _)| word).collect::<Vec<_>>();
    assert_eq!(words(grave.clone()), ["same-machine", "replaced", "drifted-again"]);
    grave.evidence.machine_id = None;
    assert_eq!(words(grave)[2], "unverifiable");
    assert_eq!(words(machine("web-03", "n3", "m3"))[2], "unverifiable", "the host key was copied");
    let mut keyless = machine("web-03", "n3", "n3");
    keyless.host_key = None;
    assert_eq!(words(keyless)[2], "unverifiable");
    let mut old = machine("web-03", "n3", "n3");
    (old.verdict, old.reference, old.versions_behind) = (Verdict::Outdated, Some("web@1".into()), Some(1));
    assert_eq!(words(old)[2], "behind");
    let silent = unverifiable(machine("web-03", "n3", "n3"), Reason::Timeout, "no answer", None);
    assert_eq!(words(silent)[2], "unverifiable");
}

#[test]
fn replacements_are_found_by_handle_and_among_what_is_new_in_the_group() {
    let fleet = "[web]\nweb-01\nnew-a tf=aws.web[2]\nnew-b\nweb-04\nnew-c\n[db]\nnew-d\n";
    let silent = unverifiable(machine("web-01", "", ""), Reason::Unreachable, "refused", None);
    let silent = HostOutcome { evidence: crate::model::Evidence::default(), ..silent };
    let outcomes = [silent, machine("new-a", "n2", "k2"), machine("new-b", "n1", "k1"), machine("new-c", "m4", "k4")];
    let there = |now: &str| Some(now.to_owned());
    assert_eq!(
        told(fleet, &outcomes, &[]),
        [
            // The old name is an old line of the hosts file.
            ("web-01".to_owned(), "replaced", there("new-b")),
            ("web-02".to_owned(), "replaced", there("new-a")),
            // new-c is a member that was renamed, and new-d is of another group.
            ("web-03".to_owned(), "gone", None),
        ]
    );
    // The second wave alone: what is new goes to the first wave first.
    assert_eq!(told(fleet, &outcomes, &[2])[1].1, "gone");
    assert_eq!(told("[web]\nweb-04\nweb-05\n", &[], &[]).iter().filter(|(_, word, _)| *word == "gone").count(), 3);
}

#[test]
fn the_exit_says_whether_a_pipeline_may_go_on() {
    let fate = |became| Fate {
        host: String::new(),
        group: "web".into(),
        wave: 1,
        became,
        now: None,
        found_by: None,
        says: String::new(),
        findings: vec!["edited".into()],
        again: 0,
    };
    let exit = |all: &[Became]| {
        Status { plan: String::new(), fates: all.iter().map(|b| fate(*b)).collect(), relapses: vec![] }.exit()
    };
    assert_eq!(exit(&[Became::Replaced, Became::Replaced]), 0);
    assert_eq!(exit(&[Became::Replaced, Became::Unverifiable]), 3);
    for became in [Became::SameMachine, Became::DriftedAgain, Became::Behind, Became::Gone] {
        assert_eq!(exit(&[became, Became::Unverifiable, Became::Replaced]), 2);
    }
    let again = [fate(Became::DriftedAgain), fate(Became::DriftedAgain), fate(Became::Replaced)];
    let told = relapses(&again);
    assert_eq!((told[0].of, told[0].shared.as_deref()), (3, Some("edited")));
}

#[test]
fn drift_that_comes_back_points_at_the_template() {
    let plan = plan();
    let item = &plan.items[0];
    let past = Past { first: Some("2026-11-22T00:00:00Z".into()), clean: Some("2026-11-23T00:00:00Z".into()) };
    let text = relapse_of("new machine, drifted", item, 1, Some(&past), "2026-11-25T01:00:00Z");
    assert_eq!(
        text,
        "new machine, drifted 3 days after it came, clean until 2026-11-23, with 1 of the 1 findings that it was replaced for: \
         the template or an automation makes them"
    );
    assert!(relapse_of("x", item, 0, None, "2026-11-25T01:00:00Z").ends_with("never seen clean"));
}

#[test]
fn only_one_new_machine_of_the_right_version_is_a_replacement() {
    let words = |fleet: &str, outcomes: &[HostOutcome]| {
        told(fleet, outcomes, &[]).into_iter().map(|(_, word, _)| word).collect::<Vec<_>>()
    };
    // A machine that the plan knew by another name has the old name now.
    let outcomes = [machine("web-01", "m5", "k5"), machine("web-02", "n2", "n2"), machine("web-03", "n3", "n3")];
    assert_eq!(words(SAME, &outcomes), ["gone", "replaced", "replaced"]);
    // One new machine under all three names.
    let outcomes = ["web-01", "web-02", "web-03"].map(|name| machine(name, "n1", "n1"));
    assert_eq!(words(SAME, &outcomes), ["replaced", "gone", "gone"]);
    // The fleet asks less of it than the plan does.
    let mut old = machine("web-03", "n3", "n3");
    old.reference = Some("web@1".into());
    let outcomes = [machine("web-01", "n1", "n1"), machine("web-02", "n2", "n2"), old];
    assert_eq!(words(SAME, &outcomes), ["replaced", "replaced", "unverifiable"]);
}
