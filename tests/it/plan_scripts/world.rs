//! The world that the stand-ins answer from, and the plan that names it.
//!
//! *Invariant:* every machine of the plan is there as the plan knew it, until a command ends it.

use driftscan::model::{BaselineUse, RunId, Severity, Verdict};
use driftscan::plan::{BasedOn, Group, Guards, Handle, Item, Member, Plan, Surge, Wave};
use driftscan::protocol::digest;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The key that every machine of the plan shows.
const KEY: &str = "ssh-ed25519 SHA256:KVRRaniqVmDeiAf3Xa8+Joy9tHOkphw+ODfaQt0SdJk";

/// What the stand-ins say. A machine that was ended is a file in the state.
pub(super) const ANSWERS: [(&str, &str); 10] = [
    (
        "aws",
        r#"
case "$*" in
    *describe-auto-scaling-instances*) printf 'web-prod\tInService\n' ;;
    *describe-instances*) printf '10.0.0.1\tNone\n' ;;
    *SuspendedProcesses*) echo None ;;
    *DesiredCapacity*) printf '3\t3\n' ;;
    *Instances*InstanceId*)
        for at in 01 02 03; do
            if [ -e "$STATE/ended.$at" ]; then at=ff; fi
            printf 'i-0123456789abcde%s\t' "$at"
        done
        ;;
    *terminate*)
        case "$*" in
            *de01*) : >"$STATE/ended.01" ;;
            *de02*) : >"$STATE/ended.02" ;;
            *de03*) : >"$STATE/ended.03" ;;
        esac
        ;;
    *) exit 64 ;;
esac
"#,
    ),
    ("driftscan", ""),
    ("healthy", ""),
    ("end-machine", ""),
    ("build-green", ""),
    ("traffic", ""),
    (
        "ssh-keyscan",
        "echo '10.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID+705PqRL/AzsKjGozljbFkq++UTsiHD7gU09q/byNE'\n",
    ),
    (
        "kubectl",
        r#"
for last in "$@"; do :; done
case "$*" in
    *'get node '*machineID*)
        case "$*" in *node-1*) n=1 ;; *node-2*) n=2 ;; *node-3*) n=3 ;; esac
        printf '%032x' "$n"
        ;;
    *'get node '*InternalIP*) printf 10.0.0.1 ;;
    *'get node '*providerID*) printf 'aws:///zone/i-1' ;;
    *ownerReferences*) printf 'MachineSet|cluster.x-k8s.io/v1beta1|web-set' ;;
    *machines.cluster.x-k8s.io/*nodeInfo*)
        case "$*" in *web-1*) n=1 ;; *web-2*) n=2 ;; *web-3*) n=3 ;; esac
        printf '%032x' "$n"
        ;;
    *machines.cluster.x-k8s.io/*addresses*) printf '10.0.0.1 web-1' ;;
    *machinehealthchecks*) printf 'other|0| db-1 \nweb-check|1| web-1 web-2 web-3 \n' ;;
    *readyReplicas*) printf 3/3 ;;
    *cordon* | *drain* | *'delete node'* | *annotate* | *'wait --for=delete'*) ;;
    *) exit 64 ;;
esac
"#,
    ),
    (
        "oc",
        r#"
case "$*" in
    *'get node '*machineID*)
        case "$*" in *node-1*) n=1 ;; *node-2*) n=2 ;; *node-3*) n=3 ;; esac
        printf '%032x' "$n"
        ;;
    *'get node '*InternalIP*) printf 10.0.0.1 ;;
    *ownerReferences*) printf 'MachineSet|machine.openshift.io/v1beta1|web-set' ;;
    *nodeRef*)
        case "$*" in *web-1*) n=1 ;; *web-2*) n=2 ;; *web-3*) n=3 ;; esac
        printf 'worker/Running/node-%s' "$n"
        ;;
    *readyReplicas*) printf 3/3 ;;
    *'delete machines'* | *'wait --for=delete'*) ;;
    *) exit 64 ;;
esac
"#,
    ),
    (
        "terraform",
        r#"
case "$*" in
    version) printf 'Terraform v1.11.4\non linux_amd64\n' ;;
    *'workspace show') echo default ;;
    *'state show'*)
        case "$*" in *'"1"'*) n=1 ;; *'"2"'*) n=2 ;; *'"3"'*) n=3 ;; esac
        printf '# x:\nresource "aws_instance" "web" {\n    ami = "a"\n    id  = "i-0123456789abcde0%s"\n}\n' "$n"
        ;;
    *' plan '*)
        : >"$STATE/plan"
        for word in "$@"; do
            case $word in -replace=*) printf '%s\n' "${word#-replace=}" >>"$STATE/plan" ;; esac
        done
        ;;
    *' show '*)
        printf '\nTerraform will perform the following actions:\n\n'
        while read -r address; do
            printf '  # %s will be replaced, as requested\n-/+ resource "aws_instance" "web" {\n    }\n\n' "$address"
        done <"$STATE/plan"
        count=$(awk 'END { print NR }' "$STATE/plan")
        printf 'Plan: %s to add, 0 to change, %s to destroy.\n' "$count" "$count"
        ;;
    *' apply '*) ;;
    *) exit 64 ;;
esac
"#,
    ),
];

/// A time so many seconds from now.
pub(super) fn time(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    jiff::Timestamp::from_second(i64::try_from(now).unwrap() + seconds).unwrap().to_string()
}

fn item(number: usize, renderer: &str) -> Item {
    let host = format!("web-{number:02}");
    let namespace = if renderer == "openshift" { "openshift-machine-api" } else { "default" };
    let handle = [
        ("instance", format!("i-0123456789abcde{number:02}")),
        ("machine", format!("{namespace}/web-{number}")),
        ("node", format!("node-{number}")),
        ("tf", format!("aws_instance.web[\"{number}\"]")),
    ];
    let id = digest::of_evidence(b"machine-id", format!("{number:032x}").as_bytes());
    let mut machine_id = String::new();
    for byte in id {
        write!(machine_id, "{byte:02x}").unwrap();
    }
    Item {
        address: format!("driftscan@{host}.example.net:2222"),
        host,
        group: "web".into(),
        jump: false,
        handle: Handle(handle.map(|(key, value)| (key.into(), value)).to_vec()),
        machine_id: Some(machine_id),
        host_key: Some(KEY.into()),
        verdict: Verdict::Drifted,
        reference: Some("web@2026.11.3".into()),
        target: "web@2026.11.3".into(),
        severity: Some(Severity::High),
        codes: vec!["file-content".into()],
        evidence: vec!["/etc/ssh/sshd_config: PermitRootLogin no -> yes".into()],
        fingerprints: vec![],
        first_seen: None,
        snowflake: None,
        zone: None,
        quorum: None,
    }
}

/// Three hosts of one group in two waves.
pub(super) fn plan(renderer: &str) -> Plan {
    let refs = [
        ("asg", "web-prod"),
        ("build", "build-green \"$GROUP\""),
        ("context", "prod"),
        ("green", "green.txt"),
        ("machine_command", "end-machine \"$HOST\" \"$NODE\" \"$INSTANCE\" \"$PROVIDER_ID\""),
        ("region", "eu-west-1"),
        ("rollback", "traffic blue"),
        ("switch", "traffic green"),
    ];
    let items: Vec<Item> = (1..=3).map(|number| item(number, renderer)).collect();
    let member = |item: &Item| Member {
        host: item.host.clone(),
        machine_id: item.machine_id.clone(),
        host_key: item.host_key.clone(),
        handle: item.handle.clone(),
    };
    let wave = |number, hosts: &[&str]| Wave {
        number,
        group: "web".into(),
        zone: None,
        canary: number == 1,
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
    };
    Plan {
        id: format!("sha256:{}", "ab".repeat(32)),
        created: time(-3_600),
        expires: time(86_400),
        based_on: BasedOn {
            run: RunId::parse("20261121T023004Z-7c1f").unwrap(),
            report: "cd".repeat(32),
            baselines: vec![BaselineUse {
                label: "web@2026.11.3".into(),
                digest: "ef".repeat(32),
                group: "web".into(),
                note: None,
            }],
            inventory: "01".repeat(32),
            settings: String::new(),
            tool: "driftscan 0.1.0".into(),
        },
        guards: Guards { max_group_drift_percent: 30, require_two_runs: false },
        groups: vec![Group {
            name: "web".into(),
            // The refs are of every platform.
            actuator: None,
            refs: refs.map(|(key, value)| (key.into(), value.into())).to_vec(),
            size: 3,
            healthy: 3,
            unhealthy: vec![],
            floor: 2,
            max_unavailable: 2,
            declared: true,
            surge: Surge::TerminateFirst,
            windows: vec![],
            health_command: Some("healthy \"$HOST\" \"$GROUP\"".into()),
            ready_seconds: 2,
            bake_seconds: 1_800,
            members: items.iter().map(member).collect(),
        }],
        items,
        waves: vec![wave(1, &["web-01"]), wave(2, &["web-02", "web-03"])],
        deferred: vec![],
        refused: vec![],
        change: None,
    }
}
