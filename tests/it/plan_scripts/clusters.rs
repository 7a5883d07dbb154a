//! Nodes and Machines of clusters.
//!
//! *Invariant:* no machine is ended that nothing makes anew, or that is not the one of the plan.

use super::platforms::{OTHER_KEY, assert_calls, assert_stops, expect, refs};
use super::stage::Stage;
use super::world::plan;
use driftscan::plan::Plan;

/// Without machine ids, so that host keys have to tell.
fn without_machine_ids(renderer: &str) -> Plan {
    let mut plan = plan(renderer);
    for item in &mut plan.items {
        item.machine_id = None;
    }
    plan
}

#[test]
fn kubectl_drains_and_ends_the_machine_behind_the_node() {
    let id = |number: u8| {
        format!("kubectl --context prod get node node-{number} -o jsonpath={{.status.nodeInfo.machineID}}")
    };
    let replace = |number: u8| {
        [
            format!("kubectl --context prod get node node-{number} -o jsonpath={{.spec.providerID}}"),
            format!("kubectl --context prod cordon node-{number}"),
            format!(
                "kubectl --context prod drain node-{number} --ignore-daemonsets --delete-emptydir-data --timeout 1800s"
            ),
            format!("end-machine web-0{number} node-{number} i-0123456789abcde0{number} aws:///zone/i-1"),
            format!("kubectl --context prod delete node node-{number} --ignore-not-found"),
        ]
    };
    let mut first = vec![id(1)];
    first.extend(replace(1));
    let mut second = vec![id(2), id(3)];
    second.extend(replace(2));
    second.push(id(3));
    second.extend(replace(3));
    assert_calls("kubectl", &plan("kubectl"), &refs(&expect([&refs(&first), &refs(&second)])));
}

#[test]
fn kubectl_stops_before_the_wrong_machine_and_leaves_what_it_can_not_drain() {
    let id = |answer: &str| format!("case \"$*\" in *machineID*) printf '{answer}'; exit 0 ;; esac");
    assert_stops(
        "kubectl",
        "kubectl",
        &id("00000000000000000000000000000009"),
        "another machine stands behind its handle",
    );
    assert_stops("kubectl", "kubectl", &id(""), "the platform tells no machine id");
    let stage = Stage::new("kubectl", &without_machine_ids("kubectl"), &["dash"]).real();
    let ran = stage.answer("ssh-keyscan", OTHER_KEY).run(&["all"]);
    assert!(
        !ran.ok && ran.changes().is_empty() && ran.err.contains("web-01: another machine is at 10.0.0.1"),
        "{}",
        ran.err
    );
    let stage = Stage::new("kubectl", &plan("kubectl"), &["dash"]).real();
    let ran = stage.answer("kubectl", "case \"$*\" in *drain*) exit 1 ;; esac").run(&["all"]);
    assert!(
        !ran.ok && ran.err.ends_with("kubectl --context prod uncordon node-1 takes it back into service\n"),
        "{}",
        ran.err
    );
    assert_eq!(
        ran.changes().last(),
        Some(&"kubectl --context prod drain node-1 --ignore-daemonsets --delete-emptydir-data --timeout 1800s")
    );
}

#[test]
fn cluster_api_annotates_a_machine_that_is_watched_and_waits_for_its_owner() {
    let capi = "kubectl --context prod -n default";
    let owner = |number: u8| {
        format!(
            "{capi} get machines.cluster.x-k8s.io/web-{number} -o \
             jsonpath={{range .metadata.ownerReferences[?(@.controller==true)]}}{{.kind}}|{{.apiVersion}}|{{.name}}{{end}}"
        )
    };
    let same = |number: u8| {
        [
            owner(number),
            format!("{capi} get machines.cluster.x-k8s.io/web-{number} -o jsonpath={{.status.nodeInfo.machineID}}"),
            format!(
                "{capi} get machinehealthchecks.cluster.x-k8s.io -o jsonpath={{range .items[*]}}{{.metadata.name}}|\
                 {{.status.remediationsAllowed}}| {{.status.targets[*]}} {{\"\\n\"}}{{end}}"
            ),
        ]
    };
    let replace = |number: u8| {
        [
            owner(number),
            format!(
                "{capi} annotate machines.cluster.x-k8s.io/web-{number} cluster.x-k8s.io/remediate-machine= --overwrite"
            ),
            format!("{capi} wait --for=delete machines.cluster.x-k8s.io/web-{number} --timeout 1800s"),
            format!(
                "{capi} get MachineSet.cluster.x-k8s.io/web-set -o jsonpath={{.spec.replicas}}/{{.status.readyReplicas}}"
            ),
        ]
    };
    let first: Vec<String> = same(1).into_iter().chain(replace(1)).collect();
    let second: Vec<String> =
        same(2).into_iter().chain(same(3)).chain(replace(2)).chain(same(3)).chain(replace(3)).collect();
    assert_calls("cluster-api", &plan("cluster-api"), &refs(&expect([&refs(&first), &refs(&second)])));
}

#[test]
fn cluster_api_stops_where_the_annotation_would_do_nothing() {
    for (case, answer, told) in [
        ("*machinehealthchecks*", "printf 'other|3| web-10 \\n'", "no MachineHealthCheck watches Machine web-1"),
        (
            "*machinehealthchecks*",
            "printf 'web-check|0| web-1 \\n'",
            "MachineHealthCheck web-check allows no remediation now",
        ),
        (
            "*machinehealthchecks*",
            "printf 'web-check|| web-1 \\n'",
            "MachineHealthCheck web-check allows no remediation now",
        ),
        ("*ownerReferences*", ":", "nothing owns Machine web-1"),
        (
            "*ownerReferences*",
            "printf 'Cluster|cluster.x-k8s.io/v1beta1|a'",
            "Cluster.cluster.x-k8s.io/a owns Machine web-1",
        ),
        ("*machineID*", "printf 00000000000000000000000000000009", "another machine stands behind its handle"),
    ] {
        assert_stops("cluster-api", "kubectl", &format!("case \"$*\" in {case}) {answer}; exit 0 ;; esac"), told);
    }
    let replicas = "case \"$*\" in *readyReplicas*) printf 3/2; exit 0 ;; esac";
    let ran =
        Stage::new("cluster-api", &plan("cluster-api"), &["dash"]).real().answer("kubectl", replicas).run(&["all"]);
    assert!(!ran.ok && ran.changes().len() == 1, "{}", ran.err);
    assert!(ran.err.contains("MachineSet.cluster.x-k8s.io/web-set has all its Machines ready"), "{}", ran.err);
}

#[test]
fn openshift_deletes_a_machine_that_its_set_makes_anew() {
    let api = "oc --context prod -n openshift-machine-api";
    let owner = |number: u8| {
        format!(
            "{api} get machines.machine.openshift.io/web-{number} -o \
             jsonpath={{range .metadata.ownerReferences[?(@.controller==true)]}}{{.kind}}|{{.apiVersion}}|{{.name}}{{end}}"
        )
    };
    let same = |number: u8| {
        [
            owner(number),
            format!(
                "{api} get machines.machine.openshift.io/web-{number} -o \
                 jsonpath={{.metadata.labels.machine\\.openshift\\.io/cluster-api-machine-role}}/{{.status.phase}}/{{.status.nodeRef.name}}"
            ),
            format!("oc --context prod get node node-{number} -o jsonpath={{.status.nodeInfo.machineID}}"),
        ]
    };
    let replace = |number: u8| {
        [
            owner(number),
            format!("{api} delete machines.machine.openshift.io/web-{number} --wait=false"),
            format!("{api} wait --for=delete machines.machine.openshift.io/web-{number} --timeout 1800s"),
            format!(
                "{api} get MachineSet.machine.openshift.io/web-set -o jsonpath={{.spec.replicas}}/{{.status.readyReplicas}}"
            ),
        ]
    };
    let first: Vec<String> = same(1).into_iter().chain(replace(1)).collect();
    let second: Vec<String> =
        same(2).into_iter().chain(same(3)).chain(replace(2)).chain(same(3)).chain(replace(3)).collect();
    assert_calls("openshift", &plan("openshift"), &refs(&expect([&refs(&first), &refs(&second)])));
}

#[test]
fn openshift_stops_before_what_nothing_makes_anew() {
    for (case, answer, told) in [
        ("*ownerReferences*", ":", "nothing owns Machine web-1"),
        (
            "*ownerReferences*",
            "printf 'ControlPlaneMachineSet|machine.openshift.io/v1|cluster'",
            "only a MachineSet makes it anew",
        ),
        ("*nodeRef*", "printf 'master/Running/node-1'", "Machine web-1 is of the control plane"),
        ("*nodeRef*", "printf 'worker/Deleting/node-1'", "Machine web-1 is not running with a node"),
        ("*nodeRef*", "printf 'worker/Running/'", "Machine web-1 is not running with a node"),
        ("*machineID*", "printf 00000000000000000000000000000009", "another machine stands behind its handle"),
    ] {
        assert_stops("openshift", "oc", &format!("case \"$*\" in {case}) {answer}; exit 0 ;; esac"), told);
    }
}
