//! Outcomes for tests: fleets made by hand, and any fleet at all.
//!
//! *Invariant:* compiled for tests only.

use crate::model::{
    Attributes, BaselineUse, Cause, CauseKind, Change, Class, Code, Collector, CommonAt, CommonDrift, Decision,
    Digests, Evidence, Finding, FleetOutcome, History, HostCoverage, HostOutcome, Image, Obstacle, Reason, Resumed,
    RunId, Severity, Snowflake, Standing, StateAtRisk, StateItem, StateKind, Told, TroubleShown, Verdict, WaiverState,
    WaiverUse, Wire,
};
use crate::protocol::{Attr, System};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use sha2::{Digest as _, Sha256};

/// A host of which everything was read and nothing differs.
pub(crate) fn host(name: &str, group: &str, reference: &str) -> HostOutcome {
    HostOutcome {
        name: name.into(),
        group: group.into(),
        address: format!("driftscan@{name}.example.net:22"),
        verdict: Verdict::Clean,
        decision: Decision::Keep,
        reference: Some(reference.into()),
        versions_behind: None,
        reasons: vec![],
        findings: vec![],
        causes: vec![],
        coverage: Some(HostCoverage {
            complete: true,
            walked: 23_400,
            compared: 23_101,
            hashed_bytes: 850_000_000,
            packages: Some(412),
            systems: vec![System::Dpkg],
            live: true,
            ignored: vec![("/var/log/**".into(), 120), ("/run/**".into(), 52)],
            millis: 380,
            ..HostCoverage::default()
        }),
        collector: Some(Collector::Stream),
        host_key: Some("ED25519 SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk".into()),
        evidence: Evidence { uid: Some(0), ..Evidence::default() },
        snowflake: None,
        state: None,
        wire: Wire { sent: 50_000, received: 9_000, millis: 900, attempts: 1 },
    }
}

/// A finding with the fingerprint that its words give.
pub(crate) fn finding(
    severity: Severity,
    code: Code,
    subject: &str,
    before: &[(Attr, &str)],
    after: &[(Attr, &str)],
) -> Finding {
    let side = |pairs: &[(Attr, &str)]| Attributes(pairs.iter().map(|(a, t)| (*a, (*t).to_owned())).collect());
    Finding {
        code,
        change: match (before.is_empty(), after.is_empty()) {
            (true, _) => Change::Added,
            (false, true) => Change::Removed,
            (false, false) => Change::Changed,
        },
        subject: subject.as_bytes().to_vec(),
        severity,
        fingerprint: Sha256::digest(format!("{code:?} {subject} {before:?} {after:?}")).into(),
        key: Sha256::digest(format!("{code:?} {subject}")).into(),
        before: side(before),
        after: side(after),
        told: Told::default(),
        cause: None,
        waiver: None,
    }
}

/// The host with findings.
pub(crate) fn drifted(mut host: HostOutcome, findings: Vec<Finding>) -> HostOutcome {
    host.verdict = Verdict::Drifted;
    host.decision = Decision::Replace;
    host.findings = findings;
    host
}

/// The host with one reason, and nothing read.
pub(crate) fn unverifiable(mut host: HostOutcome, reason: Reason, text: &str, remedy: Option<&str>) -> HostOutcome {
    host.verdict = Verdict::Unverifiable;
    host.decision = Decision::Investigate;
    host.reasons = vec![Obstacle { reason, text: text.into(), remedy: remedy.map(Into::into) }];
    host.coverage = None;
    host.collector = None;
    host.host_key = None;
    host
}

/// The host with paths that could not be read as its only obstacle.
pub(crate) fn unreadable(mut host: HostOutcome, paths: &[&str]) -> HostOutcome {
    host.verdict = Verdict::Unverifiable;
    host.decision = Decision::Investigate;
    host.evidence.uid = Some(1001);
    host.reasons = vec![Obstacle {
        reason: Reason::Unreadable,
        text: format!("{} paths could not be read", paths.len()),
        remedy: Some("use --sudo".into()),
    }];
    if let Some(coverage) = &mut host.coverage {
        coverage.complete = false;
        coverage.troubles_total = paths.len() as u64;
        coverage.troubles = paths
            .iter()
            .map(|path| TroubleShown {
                path: (*path).into(),
                reason: Reason::Unreadable,
                part: "content",
                excused: false,
            })
            .collect();
    }
    host
}

/// A run of the given hosts.
pub(crate) fn fleet(hosts: Vec<HostOutcome>, baselines: &[(&str, &str)]) -> FleetOutcome {
    FleetOutcome {
        run: RunId::new("20261121T023004Z", [0x7c, 0x1f]),
        started: "2026-11-21T02:30:04Z".into(),
        millis: 4_120,
        resumed: None,
        interrupted: None,
        selected: hosts.len(),
        hosts,
        baselines: baselines
            .iter()
            .map(|(group, label)| BaselineUse {
                label: (*label).into(),
                digest: "ab".repeat(32),
                group: (*group).into(),
                note: None,
            })
            .collect(),
        digests: Digests {
            tool: "driftscan 0.1.0".into(),
            probe: "cd".repeat(32),
            policy: "ef".repeat(32),
            inventory: "01".repeat(32),
            ways: "23".repeat(32),
            waivers: String::new(),
        },
        drift_at: Severity::Low,
        allow_outdated: false,
        common_at: CommonAt::default(),
        common: vec![],
        history: None,
        waivers: vec![],
        notes: vec![],
    }
}

/// Twelve hosts with every verdict.
pub(crate) fn mixed_fleet() -> FleetOutcome {
    let web = |n: u8| host(&format!("web-{n:02}"), "web", "web@2026.11.3");
    let mut api_02 = drifted(
        host("api-02", "api", "api@2026.11.1"),
        vec![
            finding(
                Severity::Medium,
                Code::ContentChanged,
                "fs:/etc/nginx/nginx.conf",
                &[(Attr::Size, "1203"), (Attr::Content, "sha256:aa")],
                &[(Attr::Size, "1260"), (Attr::Content, "sha256:bb")],
            ),
            finding(
                Severity::Medium,
                Code::PackageVersion,
                "pkg:nginx:amd64",
                &[(Attr::Version, "1.22.1-9")],
                &[(Attr::Version, "1.22.1-10")],
            ),
        ],
    );
    api_02.reasons = vec![Obstacle {
        reason: Reason::Racing,
        text: "/var/lib/app/state.db changed while it was read, twice".into(),
        remedy: Some("scan again, or ignore it in the policy".into()),
    }];
    let web_04 = drifted(
        web(4),
        vec![
            finding(
                Severity::Critical,
                Code::FileAdded,
                "fs:/usr/local/bin/fix.sh",
                &[],
                &[(Attr::Kind, "file"), (Attr::Mode, "0755"), (Attr::Owner, "root"), (Attr::Group, "root")],
            ),
            finding(
                Severity::High,
                Code::ModeChanged,
                "fs:/etc/ssh/sshd_config",
                &[(Attr::Mode, "0600")],
                &[(Attr::Mode, "0666")],
            ),
            finding(
                Severity::Medium,
                Code::MountChanged,
                "mount:/boot",
                &[(Attr::MountOptions, "nosuid,nodev")],
                &[(Attr::MountOptions, "nodev")],
            ),
            finding(
                Severity::Low,
                Code::FactChanged,
                "fact:kernel",
                &[(Attr::Text, "6.1.0-28-amd64")],
                &[(Attr::Text, "6.1.0-31-amd64")],
            ),
        ],
    );
    let mut web_06 = host("web-06", "web", "web@2026.11.1");
    web_06.verdict = Verdict::Outdated;
    web_06.decision = Decision::Replace;
    web_06.versions_behind = Some(2);
    let db_02 = unverifiable(
        host("db-02", "db", "db@2026.10.2"),
        Reason::HostKey,
        "host key changed; driftscan did not log in\n\
         known_hosts:12  SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk\n\
         now (ED25519)   SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE",
        Some("Rebuilt? Compare it with the console, then update known_hosts."),
    );
    let api = |name| host(name, "api", "api@2026.11.1");
    fleet(
        vec![
            web(1),
            web(2),
            web(3),
            web_04,
            web(5),
            web_06,
            api("api-01"),
            api_02,
            api("api-03"),
            host("db-01", "db", "db@2026.10.2"),
            db_02,
            host("edge-01", "edge", "edge@2026.11.3"),
        ],
        &[("web", "web@2026.11.3"), ("api", "api@2026.11.1"), ("db", "db@2026.10.2"), ("edge", "edge@2026.11.3")],
    )
}

/// Text as hostile as a report could hold it.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,12}",
        "[ -~]{0,60}",
        any::<String>().prop_map(|text| text.chars().take(40).collect()),
        select(vec!["\x1b]0;x\x07", "\u{202e}cod", "a\nb", "\u{9b}2J", "", " ", "  \n ", "::error::x"])
            .prop_map(str::to_owned),
    ]
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    btree_map(select(Attr::ALL.to_vec()), any_text(), 0..4).prop_map(|pairs| Attributes(pairs.into_iter().collect()))
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let namespace = select(vec!["fs:/", "pkg:", "fact:", "mount:/", "container:1/fs:/", ""]);
    let name = prop_oneof!["[a-z]{1,8}(/[a-z.]{1,12}){0,6}".prop_map(String::into_bytes), vec(any::<u8>(), 0..30)];
    (
        select(Code::ALL),
        select(Change::ALL),
        (namespace, name),
        select(Severity::ALL),
        any::<[[u8; 32]; 2]>(),
        (any_attributes(), any_attributes()),
        (any_told(), proptest::option::of(0usize..3), proptest::option::of(any_waiver_use())),
    )
        .prop_map(|(code, change, (namespace, name), severity, [fingerprint, key], (before, after), rest)| {
            Finding {
                code,
                change,
                subject: [namespace.as_bytes(), &name].concat(),
                severity,
                fingerprint,
                key,
                before,
                after,
                told: rest.0,
                cause: rest.1,
                waiver: rest.2,
            }
        })
}

fn any_told() -> impl Strategy<Value = Told> {
    let texts = || prop_oneof![2 => Just(Vec::new()), 1 => vec(any_text(), 1..3)];
    let option = proptest::option::of::<proptest::strategy::BoxedStrategy<String>>;
    (
        option(any_text().boxed()),
        proptest::option::of(select(Class::ALL)),
        texts(),
        option(any_text().boxed()),
        (texts(), option(any_text().boxed())),
    )
        .prop_map(|(title, class, explanation, diff, (evidence, first_seen))| Told {
            title,
            class,
            explanation,
            diff,
            evidence,
            first_seen,
        })
}

fn any_waiver_use() -> impl Strategy<Value = WaiverUse> {
    (any_text(), any_text(), any_text(), any_text()).prop_map(|(of, owner, reason, until)| WaiverUse {
        of,
        owner,
        reason,
        until,
    })
}

fn any_cause() -> impl Strategy<Value = Cause> {
    (
        select(CauseKind::ALL),
        vec(any::<u8>(), 0..20),
        any_text(),
        select(Severity::ALL),
        any::<[u8; 32]>(),
        0usize..500,
        vec(any_text(), 0..2),
    )
        .prop_map(|(kind, subject, title, severity, fingerprint, findings, evidence)| Cause {
            kind,
            subject,
            title,
            severity,
            fingerprint,
            findings,
            evidence,
        })
}

fn any_waiver_state() -> impl Strategy<Value = WaiverState> {
    (
        any_waiver_use(),
        (proptest::option::of(any_text()), proptest::option::of(any_text())),
        any::<(u64, u64)>(),
        select(Standing::ALL),
        vec(any_text(), 0..4),
        0usize..500,
    )
        .prop_map(|(said, (group, why), (max_hosts, line), standing, hosts, findings)| WaiverState {
            of: said.of,
            group,
            owner: said.owner,
            reason: said.reason,
            until: said.until,
            max_hosts,
            line,
            standing,
            why,
            hosts,
            findings,
        })
}

fn any_coverage() -> impl Strategy<Value = HostCoverage> {
    let trouble = (
        any_text(),
        select(Reason::ALL),
        select(vec!["entries", "entry", "content", "xattrs", "source"]),
        any::<bool>(),
    )
        .prop_map(|(path, reason, part, excused)| TroubleShown { path, reason, part, excused });
    (
        any::<([bool; 2], [u64; 8], Option<u64>)>(),
        vec((any_text(), any::<u64>()), 0..4),
        vec((any_text(), any_text()), 0..3),
        vec((any_text(), any_text()), 0..3),
        vec(trouble, 0..5),
    )
        .prop_map(|(([complete, live], n, packages), ignored, pruned, skipped_mounts, troubles)| HostCoverage {
            complete,
            walked: n[0],
            compared: n[1],
            hashed_bytes: n[3],
            oversize: n[4],
            packages,
            systems: System::ALL.into_iter().filter(|system| n[7] >> *system as u8 & 1 == 1).collect(),
            live,
            flags_untold: n[5],
            ignored,
            pruned,
            skipped_mounts,
            troubles,
            troubles_total: n[6],
            millis: n[7],
        })
}

/// Any host.
pub(crate) fn any_host() -> impl Strategy<Value = HostOutcome> {
    let obstacle = (select(Reason::ALL), any_text(), proptest::option::of(any_text()))
        .prop_map(|(reason, text, remedy)| Obstacle { reason, text, remedy });
    let evidence = (
        proptest::option::of(any_text()),
        proptest::option::of(any_text()),
        any::<Option<i64>>(),
        vec(any_text(), 0..3),
        any::<Option<u32>>(),
        vec((any_text(), any_text()), 0..3),
    )
        .prop_map(|(machine_id, boot, clock_skew, addresses, uid, identities)| Evidence {
            hostname: machine_id.clone(),
            image: Image { id: boot.clone(), version: machine_id.clone() },
            machine_id,
            boot,
            clock_skew,
            addresses,
            uid,
            identities,
        });
    let wire = any::<(u64, u64, u64, u32)>().prop_map(|(sent, received, millis, attempts)| Wire {
        sent,
        received,
        millis,
        attempts,
    });
    let identity = (any_text(), select(vec!["", "web", "db", "x\ny"]), any_text(), proptest::option::of(any_text()));
    (
        identity,
        (select(Verdict::ALL.to_vec()), select(Decision::ALL.to_vec()), any::<Option<u32>>()),
        vec(obstacle, 0..3),
        (vec(any_finding(), 0..30), vec(any_cause(), 0..3)),
        proptest::option::of(any_coverage()),
        proptest::option::of(select(Collector::ALL)),
        (proptest::option::of(any_text()), evidence, any_standing(), wire),
    )
        .prop_map(
            |(
                (name, group, address, reference),
                (verdict, decision, versions_behind),
                reasons,
                (mut findings, mut causes),
                coverage,
                collector,
                (host_key, evidence, (snowflake, state), wire),
            )| {
                // A cause has a finding of its own, as a rule.
                for (at, cause) in causes.iter_mut().enumerate() {
                    if let Some(head) = findings.get(at).filter(|finding| finding.cause == Some(at)) {
                        cause.fingerprint = head.fingerprint;
                    }
                }
                findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.subject.cmp(&b.subject)));
                HostOutcome {
                    name,
                    group: group.to_owned(),
                    address,
                    verdict,
                    decision,
                    reference,
                    versions_behind,
                    reasons,
                    findings,
                    causes,
                    coverage,
                    collector,
                    host_key,
                    evidence,
                    snowflake,
                    state,
                    wire,
                }
            },
        )
}

/// What only the whole run tells.
fn any_fleet_words() -> impl Strategy<Value = (CommonAt, Vec<CommonDrift>, Option<History>)> {
    let common = (any_text(), any::<[u8; 32]>(), vec(any_text(), 0..3), 0usize..9)
        .prop_map(|(group, fingerprint, hosts, of)| CommonDrift { group, fingerprint, hosts, of });
    let at = (any::<u16>(), any::<u32>()).prop_map(|(permille, hosts)| CommonAt { permille, hosts });
    let history = (any::<[u8; 2]>(), 0usize..9)
        .prop_map(|(random, runs)| History { previous: RunId::new("20261120T023004Z", random), runs });
    (at, vec(common, 0..3), proptest::option::of(history))
}

/// What a host may lose, and how alone it stands.
fn any_standing() -> impl Strategy<Value = (Option<Snowflake>, Option<StateAtRisk>)> {
    let item = (
        select(StateKind::ALL),
        any_text(),
        any::<u64>(),
        any::<u64>(),
        proptest::option::of(any_text()),
        any::<bool>(),
    )
        .prop_map(|(kind, path, bytes, files, newest, more)| StateItem { kind, path, bytes, files, newest, more });
    let state = (vec(item, 0..3), any::<u64>(), vec(any_text(), 0..2));
    let state = state.prop_map(|(items, rest, unseen)| StateAtRisk { items, rest, unseen });
    let snowflake =
        (any::<u16>(), 0usize..9, 0usize..9).prop_map(|(score, alone, rare)| Snowflake { score, alone, rare });
    (proptest::option::of(snowflake), proptest::option::of(state))
}

/// Any run.
pub(crate) fn any_fleet() -> impl Strategy<Value = FleetOutcome> {
    let baseline = (any_text(), any_text(), select(vec!["", "web", "db"]), proptest::option::of(any_text()))
        .prop_map(|(label, digest, group, note)| BaselineUse { label, digest, group: group.to_owned(), note });
    let resumed = proptest::option::of((any::<[u8; 2]>(), any_text(), 0usize..9));
    (
        any::<[u8; 2]>(),
        (any_text(), any::<u64>(), proptest::option::of(select(vec![2, 9, 15, -1, i32::MAX]))),
        0usize..5,
        vec(any_host(), 0..6),
        vec(baseline, 0..3),
        (
            (vec(any_text(), 6), vec(any_waiver_state(), 0..4)),
            select(Severity::ALL),
            any::<bool>(),
            vec(any_text(), 0..3),
            (resumed, any_fleet_words()),
        ),
    )
        .prop_map(|(random, (started, millis, interrupted), more, hosts, baselines, rest)| {
            let ((digests, waivers), drift_at, allow_outdated, notes, (resumed, (common_at, common, history))) = rest;
            let mut digests = digests.into_iter();
            let mut next = || digests.next().unwrap_or_default();
            FleetOutcome {
                run: RunId::new("20261121T023004Z", random),
                started,
                millis,
                resumed: resumed.map(|(random, since, hosts)| Resumed {
                    run: RunId::new("20261121T013004Z", random),
                    since,
                    hosts,
                }),
                interrupted,
                selected: hosts.len() + more,
                hosts,
                baselines,
                digests: Digests {
                    tool: next(),
                    probe: next(),
                    policy: next(),
                    inventory: next(),
                    ways: next(),
                    waivers: next(),
                },
                drift_at,
                allow_outdated,
                common_at,
                common,
                history,
                waivers,
                notes,
            }
        })
}
