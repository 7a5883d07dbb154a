//! The rules of the planner, one by one.
//!
//! *Invariant:* each rule by the smallest fleet that shows it.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::inventory::hosts_file;
use crate::model::{
    Cause, CauseKind, Code, CommonDrift, Reason, Severity, Snowflake, StateAtRisk, StateItem, StateKind, Verdict,
};
use crate::report::samples;

/// A fleet and what came of it, by words: `web-01=drifted`.
struct Bench {
    fleet: String,
    report: FleetOutcome,
    settings: String,
}

impl Bench {
    /// `fleet` is a hosts file; each host's verdict is its `v=` tag, `clean` where it has none, and `none` for a host that was
    /// not scanned.
    fn new(fleet: &str) -> Self {
        let hosts = hosts_file::parse("hosts.txt", fleet.as_bytes()).unwrap().hosts;
        let mut outcomes = Vec::new();
        for host in &hosts {
            let mut one = samples::host(&host.name, &host.group, "web@2");
            one.state = Some(StateAtRisk::default());
            match host.tags.iter().find(|(key, _)| key == "v").map_or("clean", |(_, value)| value.as_str()) {
                "clean" => {}
                "none" => continue,
                "outdated" => {
                    one.verdict = Verdict::Outdated;
                    one.decision = Decision::Replace;
                    one.reference = Some("web@1".into());
                    one.versions_behind = Some(1);
                }
                "drifted" => {
                    let own = format!("fs:/etc/{}", host.name);
                    one = samples::drifted(one, vec![edit(Severity::Medium, &own)]);
                }
                "common" => {
                    one = samples::drifted(one, vec![edit(Severity::Medium, "fs:/etc/shared")]);
                    one.decision = Decision::FixTemplate;
                }
                "unverifiable" => one = samples::unverifiable(one, Reason::Timeout, "late", None),
                other => panic!("{other}"),
            }
            outcomes.push(one);
        }
        let settings = "schema = \"driftscan.plan-settings/v1\"\n".to_owned();
        Self { fleet: fleet.into(), report: samples::fleet(outcomes, &[("web", "web@2")]), settings }
    }

    fn settings(mut self, text: &str) -> Self {
        self.settings += text;
        self
    }

    fn host(&mut self, name: &str) -> &mut HostOutcome {
        self.report.hosts.iter_mut().find(|host| host.name == name).unwrap()
    }

    fn plan(&self) -> Plan {
        crate::report::plan::samples::of(&self.report, &self.fleet, &self.settings, None)
    }

    /// Waves, then what is deferred and refused, a line each.
    fn told(&self) -> String {
        let plan = self.plan();
        let waves = plan.waves.iter().map(|wave| format!("{} {}", wave.number, wave.hosts.join(" ")));
        let deferred = plan.deferred.iter().map(|deferred| format!("{} {}", deferred.host, deferred.why));
        let refused = plan.refused.iter().map(|refused| format!("{} {}", refused.group, refused.why));
        waves.chain(deferred).chain(refused).collect::<Vec<_>>().join("\n")
    }
}

fn edit(severity: Severity, subject: &str) -> Finding {
    samples::finding(severity, Code::ContentChanged, subject, &[], &[])
}

#[test]
fn waves_double_up_to_the_budget() {
    let bench =
        Bench::new("[web]\nweb-[01-20] v=drifted\nweb-[21-60]\n").settings("[guards]\nmax_group_drift = \"100%\"\n");
    insta::assert_snapshot!(bench.told(), @r"
    1 web-01
    2 web-02 web-03
    3 web-04 web-05 web-06 web-07
    4 web-08 web-09 web-10 web-11 web-12 web-13
    5 web-14 web-15 web-16 web-17 web-18 web-19
    6 web-20
    ");
    let plan = bench.plan();
    assert_eq!(plan.waves.iter().filter(|wave| wave.canary).count(), 1);
    assert_eq!((plan.groups[0].floor, plan.groups[0].max_unavailable, plan.groups[0].declared), (54, 6, false));
    assert_eq!((plan.created.as_str(), plan.expires.as_str()), ("2026-11-21T02:30:08Z", "2026-11-22T02:30:08Z"));
}

#[test]
fn one_zone_a_wave_and_a_host_of_no_zone_alone() {
    let fleet =
        "[web]\nweb-[01-03] v=drifted zone=a\nweb-[04-06] v=drifted zone=b\nweb-[07-08] v=drifted\nweb-[09-40]\n";
    insta::assert_snapshot!(Bench::new(fleet).told(), @r"
    1 web-01
    2 web-02 web-03
    3 web-04 web-05 web-06
    4 web-07
    5 web-08
    ");
}

#[test]
fn members_of_a_quorum_go_one_by_one_and_not_while_one_is_away() {
    let fleet = "[db]\ndb-[01-03] v=outdated quorum=pg\ndb-[04-40] v=outdated\n";
    let bench = Bench::new(fleet).settings("[group.db]\nmax_unavailable = 20\n");
    let waves = bench.plan().waves;
    for wave in &waves {
        let members = wave.hosts.iter().filter(|host| ["db-01", "db-02", "db-03"].contains(&host.as_str()));
        assert!(members.count() <= 1, "{wave:?}");
    }
    // The member that is away is of another group.
    let bench =
        Bench::new("[db]\ndb-[01-03] v=drifted quorum=pg\ndb-[04-20]\n[arbiter]\narb-01 v=unverifiable quorum=pg\n");
    insta::assert_snapshot!(bench.told(), @"
    db-01 quorum
    db-02 quorum
    db-03 quorum
    ");
}

#[test]
fn what_was_not_verified_serves_nobody() {
    let bench = Bench::new("[web]\nweb-01 v=drifted\nweb-02 v=unverifiable\nweb-03 v=none\nweb-[04-10]\n");
    insta::assert_snapshot!(bench.told(), @"web-01 capacity");
    let plan = bench.plan();
    assert_eq!(plan.groups[0].unhealthy, ["web-02", "web-03"]);
    assert!(plan.deferred[0].reason.starts_with("8 of 10 hosts are known to serve, and 9 must"), "{:?}", plan.deferred);
    insta::assert_snapshot!(bench.settings("[group.web]\nfloor = 7\n").told(), @"1 web-01");
}

#[test]
fn the_only_host_of_a_group_waits_for_a_word() {
    let fleet = "[one]\none-01 v=drifted\n";
    let plan = Bench::new(fleet).plan();
    assert!(plan.deferred[0].reason.contains("[group.one] floor = 0"), "{:?}", plan.deferred);
    insta::assert_snapshot!(Bench::new(fleet).settings("[group.one]\nfloor = 0\n").told(), @"1 one-01");
    insta::assert_snapshot!(Bench::new(fleet).settings("[group.one]\nsurge = 1\n").told(), @"1 one-01");
    insta::assert_snapshot!(Bench::new(fleet).settings("[group.one]\nactuator = \"blue-green\"\n").told(), @"1 one-01");
}

#[test]
fn what_a_replacement_would_lose_is_never_planned() {
    let mut bench = Bench::new(
        "[web]\nweb-01 v=drifted pin=licence\nweb-02 v=drifted\nweb-03 v=drifted\nweb-04 v=drifted\nweb-05 v=drifted\n\
         web-06 v=drifted eip=eipalloc-1\n8.8.8.8 name=web-07 v=drifted\nweb-08 v=outdated\nweb-[09-60]\n",
    );
    bench.host("web-02").state = None;
    let item = StateItem {
        kind: StateKind::Database,
        path: "/var/lib/postgresql".into(),
        bytes: 2_134_000_000,
        files: 90,
        newest: Some("2026-11-20T01:00:00Z".into()),
        more: true,
    };
    bench.host("web-03").state = Some(StateAtRisk { items: vec![item], unseen: vec!["/srv".into()], rest: 0 });
    bench.host("web-04").state = Some(StateAtRisk { items: vec![], unseen: vec!["/home".into()], rest: 0 });
    bench.host("web-05").evidence.addresses = vec!["10.0.0.5".into(), "2a01:4f8::5".into()];
    insta::assert_snapshot!(bench.told(), @"
    1 web-08
    web-01 pinned
    web-02 state-unknown
    web-03 drain-first
    web-04 state-unknown
    web-05 public-address
    web-06 public-address
    web-07 public-address
    ");
    let plan = bench.plan();
    assert_eq!(
        plan.deferred[2].at_risk,
        ["database /var/lib/postgresql 2.1 GB or more, newest 2026-11-20", "not looked at: /srv"]
    );
}

#[test]
fn the_canary_asks_the_fewest_other_questions() {
    let mut bench = Bench::new("[web]\nweb-[01-03] v=drifted\nweb-04 v=outdated\nweb-[05-40]\n");
    bench.host("web-01").findings[0].severity = Severity::Critical;
    bench.host("web-02").snowflake = Some(Snowflake { score: 900, alone: 1, rare: 1 });
    bench.host("web-03").snowflake = Some(Snowflake { score: 100, alone: 1, rare: 1 });
    // Behind it the gravest first.
    insta::assert_snapshot!(bench.told(), @"
    1 web-04
    2 web-01 web-02
    3 web-03
    ");
    bench.host("web-04").verdict = Verdict::Clean;
    bench.host("web-04").decision = Decision::Keep;
    insta::assert_snapshot!(bench.told(), @"
    1 web-03
    2 web-01 web-02
    ");
}

#[test]
fn mass_drift_refuses_the_group_and_a_rollout_does_not() {
    let bench =
        Bench::new("[web]\nweb-[01-04] v=drifted\nweb-05 v=outdated\nweb-[06-10]\n[db]\ndb-[01-10] v=outdated\n");
    assert!(bench.told().ends_with("\nweb mass-drift"), "{}", bench.told());
    let plan = bench.plan();
    assert_eq!(plan.refused[0].hosts.len(), 5, "the outdated one as well");
    assert!(plan.refused[0].reason.starts_with("4 of 10 known hosts drifted, 40%; at most 30% may"));
    assert_eq!(plan.waves.iter().flat_map(|wave| &wave.hosts).count(), 10);
    // Two of four are half, and no mass.
    assert!(Bench::new("[web]\nweb-[01-02] v=drifted\nweb-[03-04]\n").told().starts_with("1 web-01"));
    // What counts is what is known.
    let bench = Bench::new("[web]\nweb-[01-03] v=drifted\nweb-[04-05]\nweb-[06-40] v=unverifiable\n");
    insta::assert_snapshot!(bench.told(), @"web mass-drift");
}

#[test]
fn a_shared_grave_difference_makes_the_baseline_suspect() {
    let mut bench = Bench::new("[web]\nweb-[01-04] v=drifted\nweb-[05-10]\n");
    for name in ["web-01", "web-02", "web-03"] {
        bench.host(name).findings.insert(0, edit(Severity::Critical, "fs:/etc/sudoers"));
    }
    insta::assert_snapshot!(bench.told(), @"web baseline-suspect");
    assert!(bench.plan().refused[0].reason.contains("3 of them share one difference"));
    for name in ["web-01", "web-02", "web-03"] {
        bench.host(name).findings[0].severity = Severity::High;
    }
    insta::assert_snapshot!(bench.told(), @"web mass-drift");
    let fingerprint = bench.host("web-01").findings[0].fingerprint;
    bench.report.common = vec![CommonDrift { group: "web".into(), fingerprint, hosts: vec!["web-01".into()], of: 10 }];
    insta::assert_snapshot!(bench.told(), @"web baseline-suspect");
}

#[test]
fn two_runs_are_required_where_it_is_said() {
    let mut bench = Bench::new("[web]\nweb-[01-03] v=drifted\nweb-04 v=outdated\nweb-[05-40]\n")
        .settings("[guards]\nrequire_two_runs = true\n");
    bench.host("web-01").findings[0].told.first_seen = Some("2026-11-21T01:30:04Z".into());
    bench.host("web-02").findings[0].told.first_seen = Some("2026-11-21T01:30:05Z".into());
    insta::assert_snapshot!(bench.told(), @"
    1 web-04
    2 web-01
    web-02 first-run
    web-03 first-run
    ");
    assert_eq!(bench.plan().items[1].first_seen.as_deref(), Some("2026-11-21T01:30:04Z"));
}

#[test]
fn a_run_before_that_saw_only_what_is_no_drift_of_its_own_is_none() {
    let mut bench =
        Bench::new("[web]\nweb-[01-04] v=drifted\nweb-[05-40]\n").settings("[guards]\nrequire_two_runs = true\n");
    let long_ago = || Some("2026-11-01T00:00:00Z".to_owned());
    // Known for long, and too small to count.
    let mut small = edit(Severity::Info, "fs:/etc/motd");
    small.told.first_seen = long_ago();
    bench.host("web-01").findings.push(small);
    // Known for long, and that of most of the group.
    let mut shared = edit(Severity::Medium, "fs:/etc/shared");
    shared.told.first_seen = long_ago();
    bench.report.common = vec![CommonDrift {
        group: "web".into(),
        fingerprint: shared.fingerprint,
        hosts: vec!["web-02".into()],
        of: 40,
    }];
    bench.host("web-02").findings.push(shared.clone());
    // The same where it is the host's own.
    bench.host("web-03").findings.push(shared);
    insta::assert_snapshot!(bench.told(), @"
    1 web-03
    web-01 first-run
    web-02 first-run
    web-04 first-run
    ");
}

#[test]
fn a_drifted_host_that_a_person_must_look_at_waits_and_is_told() {
    let mut bench = Bench::new("[web]\nweb-01 v=common\nweb-02 v=drifted\nweb-03 v=common\nweb-[04-20]\n");
    bench.host("web-03").decision = Decision::Investigate;
    bench.fleet = "[web]\nweb-01\nweb-02\nweb-[04-20]\n".into();
    bench.host("web-01").decision = Decision::Investigate;
    insta::assert_snapshot!(bench.told(), @"
    1 web-02
    web-01 investigate
    web-03 not-in-fleet
    ");
}

/// The name that is pinned, or that has the quorum, is that of the machine that the other name would end.
#[test]
fn a_machine_that_the_fleet_has_under_two_names_is_never_planned() {
    let mut bench = Bench::new("[web]\nweb-01 v=drifted\nweb-02 v=drifted\nweb-[03-40]\n[lb]\nlb-01 pin=licence\n");
    let key = "ED25519 SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk";
    for name in ["web-01", "lb-01"] {
        bench.host(name).evidence.machine_id = Some("ab".repeat(32));
        bench.host(name).host_key = Some(key.into());
    }
    // One of the two alone is shared by many a host, and the other tells them apart.
    bench.host("web-02").evidence.machine_id = Some("cd".repeat(32));
    bench.host("web-02").host_key = Some(key.into());
    insta::assert_snapshot!(bench.told(), @"
    1 web-02
    web-01 two-names
    ");
    let reason = bench.plan().deferred.remove(0).reason;
    assert!(reason.contains("lb-01"), "{reason}");
}

#[test]
fn common_drift_and_strangers_wait() {
    let mut bench = Bench::new("[web]\nweb-[01-03] v=common\nweb-04 v=drifted\nweb-[05-20]\n");
    bench.fleet = "[web]\nweb-[01-03]\nweb-[05-20]\n[api]\nweb-04\n".into();
    bench.host("web-20").name = "web-99".into();
    bench.host("web-99").verdict = Verdict::Outdated;
    bench.host("web-99").decision = Decision::Replace;
    insta::assert_snapshot!(bench.told(), @"
    web-01 common-drift
    web-02 common-drift
    web-03 common-drift
    web-04 not-in-fleet
    web-99 not-in-fleet
    ");
    let mut moved = Bench::new("[web]\nweb-01 v=drifted\nweb-[02-20]\n");
    moved.fleet = "[web] template=api\nweb-01\nweb-[02-20] template=web\n".into();
    assert!(moved.plan().deferred[0].reason.contains("wants template api of it now"));
    let reasons: Vec<String> = bench.plan().deferred.into_iter().skip(3).map(|deferred| deferred.reason).collect();
    assert!(reasons[0].contains("in group api now") && reasons[1].contains("no host of this name"), "{reasons:?}");
}

#[test]
fn evidence_is_the_gravest_and_causes_stand_for_their_files() {
    let mut bench =
        Bench::new("[web]\nweb-01 v=drifted tf=aws_instance.web[1] rack=7 owner=web-team zone=a\nweb-[02-10]\n");
    let host = bench.host("web-01");
    host.findings = (0..8).map(|n| edit(Severity::Low, &format!("fs:/usr/share/{n}"))).collect();
    for finding in &mut host.findings[..5] {
        finding.cause = Some(0);
    }
    host.findings.insert(0, edit(Severity::Critical, "fs:/etc/sudoers"));
    host.findings[8].waiver = Some(crate::model::WaiverUse {
        of: String::new(),
        owner: String::new(),
        reason: String::new(),
        until: String::new(),
    });
    host.causes = vec![Cause {
        kind: CauseKind::PackageVersion,
        subject: b"pkg:tar:amd64".to_vec(),
        title: "tar 1 -> 2, 5 files".into(),
        severity: Severity::Low,
        fingerprint: [7; 32],
        findings: 5,
        evidence: vec![],
    }];
    let item = bench.plan().items.remove(0);
    insta::assert_snapshot!(item.evidence.join("\n"), @"
    /etc/sudoers: content changed
    tar 1 -> 2, 5 files
    /usr/share/5: content changed
    /usr/share/6: content changed
    ");
    assert_eq!(item.fingerprints.len(), 4);
    assert_eq!(item.fingerprints[1], "07".repeat(32));
    assert_eq!((item.codes.as_slice(), item.severity), (&["content-changed".to_owned()][..], Some(Severity::Critical)));
    let handle = [("rack", "7"), ("tf", "aws_instance.web[1]"), ("v", "drifted")];
    assert_eq!(item.handle.0, handle.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!((item.zone.as_deref(), item.target.as_str()), (Some("a"), "web@2"));
}

#[test]
fn the_target_is_what_the_fleet_asks_for() {
    let bench = Bench::new("[web] template=web\nweb-01 v=outdated\nweb-02 v=outdated template=web@1.9\nweb-[03-40]\n");
    let targets: Vec<String> = bench.plan().items.into_iter().map(|item| item.target).collect();
    assert_eq!(targets, ["web@2", "web@1.9"]);
}

#[test]
fn a_plan_says_what_changed_since_the_last() {
    let bench = Bench::new("[web]\nweb-[01-04] v=drifted\nweb-[05-40]\n");
    let first = bench.plan();
    let again = |bench: &Bench, previous: &Plan| {
        crate::report::plan::samples::of(&bench.report, &bench.fleet, &bench.settings, Some(previous))
    };
    assert_eq!(again(&bench, &first), first, "nothing changed");
    let mut later = Bench::new(
        "[web]\nweb-01 v=outdated\nweb-02 v=drifted\nweb-03 v=drifted pin=x\nweb-05 v=drifted\nweb-[06-40]\n",
    );
    later.host("web-02").evidence.machine_id = Some("ab".into());
    let change = again(&later, &first).change.unwrap();
    assert_eq!(change.previous, first.id);
    assert_eq!(change.added, ["web-05"]);
    let pairs =
        |list: &[(String, String)]| list.iter().map(|(a, b)| format!("{a}: {b}")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(pairs(&change.removed), @"
    web-03: deferred: pinned
    web-04: not in the fleet
    ");
    insta::assert_snapshot!(pairs(&change.changed), @"
    web-01: outdated, was drifted; another handle
    web-02: another machine of this name
    ");
}

#[test]
fn a_run_that_was_cut_off_gives_no_plan() {
    let bench = Bench::new("[web]\nweb-01 v=drifted\nweb-[02-40]\n");
    let mut report = bench.report.clone();
    let input = |report: &FleetOutcome| {
        plan(&Input {
            report,
            report_digest: "",
            fleet: &[],
            inventory: "",
            settings: &Settings::default(),
            settings_digest: "",
            tool: "",
            previous: None,
            title: &|_| String::new(),
        })
    };
    report.selected = 41;
    assert_eq!(input(&report).unwrap_err(), Unplannable::Partial { done: 40, selected: 41 });
    report.selected = 40;
    report.interrupted = Some(15);
    assert!(input(&report).is_err());
    report.interrupted = None;
    report.started = "yesterday".into();
    assert_eq!(input(&report).unwrap_err(), Unplannable::NoTime);
}
