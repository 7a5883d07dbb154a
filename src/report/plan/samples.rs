//! Plans for tests, made by the planner of a fleet made by hand.
//!
//! *Invariant:* compiled for tests only.

#![expect(clippy::unwrap_used, reason = "a test may")]

use crate::inventory::hosts_file;
use crate::model::{Code, FleetOutcome, HostOutcome, Reason, Severity, StateAtRisk, StateItem, StateKind, Verdict};
use crate::plan::{Input, Plan, Settings, plan};
use crate::protocol::Attr;
use crate::report::samples::{drifted, finding, fleet, host, unverifiable};
use crate::report::table::title;

/// Fifty hosts of five groups: a hand-edited host, one with a database, a pinned one, one that was not reached, a group that is
/// outdated, one that drifted as a whole.
pub(crate) const FLEET: &str = "\
[web] template=web
web-[01-20] zone=eu-west-1a
web-[21-40] zone=eu-west-1b
[db] template=db quorum=pg
db-[01-03]
[edge] template=edge
edge-01 pin=licence
edge-02 eip=eipalloc-0a1
[batch] template=batch
batch-[01-04]
[one] template=one
one-01
";

pub(crate) const SETTINGS: &str = r#"
schema = "driftscan.plan-settings/v1"
[group.web]
actuator = "terraform"
ref = { module = "web" }
max_unavailable = "10%"
windows = [{ cron = "0 2 * * 1-5", duration = "3h", tz = "UTC" }]
health = "curl -fsS \"http://$HOST/healthz\""
"#;

fn outdated(mut host: HostOutcome, old: &str) -> HostOutcome {
    host.verdict = Verdict::Outdated;
    host.decision = Verdict::Outdated.decision();
    host.reference = Some(old.into());
    host.versions_behind = Some(2);
    host
}

fn edited(host: HostOutcome) -> HostOutcome {
    let sshd = finding(
        Severity::Critical,
        Code::ContentChanged,
        "fs:/etc/ssh/sshd_config",
        &[(Attr::Size, "1203")],
        &[(Attr::Size, "1260")],
    );
    let nginx = finding(
        Severity::Medium,
        Code::PackageVersion,
        "pkg:nginx:amd64",
        &[(Attr::Version, "1.22.1-9")],
        &[(Attr::Version, "1.22.1-10")],
    );
    drifted(host, vec![sshd, nginx])
}

/// The run.
pub(crate) fn report() -> FleetOutcome {
    let fleet_file = hosts_file::parse("hosts.txt", FLEET.as_bytes()).unwrap();
    let mut hosts: Vec<HostOutcome> = fleet_file
        .hosts
        .iter()
        .map(|one| host(&one.name, &one.group, &format!("{}@2026.11.3", one.group)))
        .map(|mut one| {
            one.state = Some(StateAtRisk::default());
            one
        })
        .collect();
    for one in &mut hosts {
        let clean = one.clone();
        *one = match one.name.as_str() {
            "web-02" | "web-04" | "web-07" | "web-22" | "web-31" | "db-02" | "edge-01" | "edge-02" | "one-01" => {
                edited(clean)
            }
            "web-09" | "web-10" | "web-11" | "web-12" | "web-23" | "web-24" => outdated(clean, "web@2026.11.1"),
            "web-40" => unverifiable(clean, Reason::Unreachable, "no route to host", None),
            name if name.starts_with("batch") => edited(clean),
            _ => clean,
        };
        if one.name == "web-04" {
            one.state = Some(StateAtRisk {
                items: vec![StateItem {
                    kind: StateKind::Home,
                    path: "/home/anna".into(),
                    bytes: 2_100_000_000,
                    files: 812,
                    newest: Some("2026-11-20T18:03:11Z".into()),
                    more: false,
                }],
                unseen: vec![],
                rest: 0,
            });
        }
    }
    fleet(
        hosts,
        &[
            ("web", "web@2026.11.3"),
            ("db", "db@2026.11.3"),
            ("edge", "edge@2026.11.3"),
            ("batch", "batch@2026.11.3"),
            ("one", "one@2026.11.3"),
        ],
    )
}

/// The plan of it, beside one before it.
pub(crate) fn sample(previous: Option<&Plan>) -> Plan {
    of(&report(), FLEET, SETTINGS, previous)
}

/// The sealed plan of a run, a fleet and settings.
pub(crate) fn of(report: &FleetOutcome, fleet: &str, settings: &str, previous: Option<&Plan>) -> Plan {
    let fleet = hosts_file::parse("hosts.txt", fleet.as_bytes()).unwrap();
    let groups = fleet.hosts.iter().map(|host| host.group.as_str());
    let settings = Settings::parse("plan.toml", settings, groups).unwrap();
    let digest = "0d".repeat(32);
    let mut made = plan(&Input {
        report,
        report_digest: &digest,
        fleet: &fleet.hosts,
        inventory: &report.digests.inventory,
        settings: &settings,
        settings_digest: &digest,
        tool: "driftscan 0.1.0",
        previous,
        title: &title,
    })
    .unwrap();
    super::json::seal(&mut made);
    made
}
