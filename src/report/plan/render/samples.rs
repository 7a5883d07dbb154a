//! Plans for tests, made by hand.
//!
//! *Invariant:* compiled for tests only.

use crate::model::{BaselineUse, RunId, Severity, Verdict};
use crate::plan::{
    Actuator, BasedOn, Change, Deferred, Group, Guards, Handle, Item, Member, Plan, Refused, Surge, Wave,
};

/// A host key.
pub(super) const KEY: &str = "ssh-ed25519 SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE";

/// A host with every handle there is.
pub(super) fn item(number: usize) -> Item {
    let host = format!("web-{number:02}");
    let handle = [
        ("instance", format!("i-0123456789abcde{number:02x}")),
        ("machine", format!("openshift-machine-api/web-{number}")),
        ("node", format!("node-{number}")),
        ("tf", format!("aws_instance.web[\"{number}\"]")),
    ];
    Item {
        address: format!("driftscan@{host}.example.net:22"),
        host,
        group: "web".into(),
        jump: false,
        handle: Handle(handle.map(|(key, value)| (key.into(), value)).to_vec()),
        machine_id: Some(format!("{number:064x}")),
        host_key: Some(KEY.into()),
        verdict: Verdict::Drifted,
        reference: Some("web@2026.11.3".into()),
        target: "web@2026.11.3".into(),
        severity: Some(Severity::Critical),
        codes: vec!["file-content".into(), "user-added".into()],
        evidence: vec![
            "user deploy2 added with uid 0".into(),
            "/etc/ssh/sshd_config: PermitRootLogin no -> yes".into(),
        ],
        fingerprints: vec!["3f9a1c22".into(), "a07be951".into()],
        first_seen: Some("2026-11-19T02:30:04Z".into()),
        snowflake: Some(912),
        zone: Some("eu-west-1a".into()),
        quorum: None,
    }
}

/// The group, with what every platform must be told.
pub(super) fn group(actuator: Option<Actuator>) -> Group {
    let refs = [
        ("asg", "web-prod"),
        ("build", "./build-green"),
        ("context", "prod"),
        ("green", "green.txt"),
        ("machine_command", "./end-machine \"$INSTANCE\""),
        ("region", "eu-west-1"),
        ("rollback", "./to-blue"),
        ("switch", "./to-green"),
    ];
    let member = |number| {
        let item = item(number);
        Member { host: item.host, machine_id: item.machine_id, host_key: item.host_key, handle: item.handle }
    };
    Group {
        name: "web".into(),
        actuator,
        refs: refs.map(|(key, value)| (key.into(), value.into())).to_vec(),
        size: 10,
        healthy: 9,
        unhealthy: vec!["web-09".into()],
        floor: 8,
        max_unavailable: 2,
        declared: true,
        surge: Surge::TerminateFirst,
        windows: vec![],
        health_command: Some("curl -fsS \"http://$HOST/healthz\"".into()),
        ready_seconds: 900,
        bake_seconds: 1_800,
        members: (1..=10).map(member).collect(),
    }
}

/// Three hosts in two waves, some left out.
pub(super) fn plan(actuator: Option<Actuator>) -> Plan {
    let wave = |number, hosts: &[&str]| Wave {
        number,
        group: "web".into(),
        zone: Some("eu-west-1a".into()),
        canary: number == 1,
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
    };
    Plan {
        id: format!("sha256:{}", "ab".repeat(32)),
        created: "2026-11-21T02:31:00Z".into(),
        expires: "2026-11-22T02:31:00Z".into(),
        based_on: BasedOn {
            run: RunId::new("20261121T023004Z", [0x7c, 0x1f]),
            report: "cd".repeat(32),
            baselines: vec![BaselineUse {
                label: "web@2026.11.3".into(),
                digest: "ef".repeat(32),
                group: "web".into(),
                note: None,
            }],
            inventory: "01".repeat(32),
            settings: "23".repeat(32),
            tool: "driftscan 0.1.0".into(),
        },
        guards: Guards { max_group_drift_percent: 30, require_two_runs: false },
        groups: vec![group(actuator)],
        items: [1, 2, 3].map(item).to_vec(),
        waves: vec![wave(1, &["web-01"]), wave(2, &["web-02", "web-03"])],
        deferred: vec![Deferred {
            host: "db-01".into(),
            group: "db".into(),
            why: "drain-first".into(),
            reason: "it holds state that a replacement would lose".into(),
            at_risk: vec!["/var/lib/postgresql 80 GB, newest 2026-11-20".into()],
        }],
        refused: vec![Refused {
            group: "api".into(),
            hosts: vec!["api-01".into(), "api-02".into()],
            why: "mass-drift".into(),
            reason: "62 % of the group is drifted".into(),
        }],
        change: Some(Change {
            previous: format!("sha256:{}", "99".repeat(32)),
            added: vec!["web-03".into()],
            removed: vec![("web-07".into(), "clean".into())],
            changed: vec![],
        }),
    }
}
