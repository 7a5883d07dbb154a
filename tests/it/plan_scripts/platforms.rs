//! What each platform's script calls, and what stops it.
//!
//! *Invariant:* the calls are compared whole and in order; a stop is judged by what was not called.

use super::stage::{Ran, SHELLS, Stage};
use super::world::plan;
use driftscan::plan::{Plan, Surge};

/// Runs all waves under every shell and compares the calls.
fn assert_calls(renderer: &str, plan: &Plan, expected: &[&str]) {
    for shell in SHELLS {
        let ran = Stage::new(renderer, plan, shell).real().run(&["all"]);
        assert!(ran.ok && ran.err.is_empty(), "{shell:?} {} {}", ran.out, ran.err);
        assert_eq!(ran.calls, expected, "{shell:?}");
    }
}

/// Runs one wave with another answer and expects a stop before anything is changed.
fn assert_stops(renderer: &str, name: &str, answer: &str, told: &str) {
    for shell in SHELLS {
        let ran = Stage::new(renderer, &plan(renderer), shell).real().answer(name, answer).run(&["all"]);
        assert!(!ran.ok && ran.err.contains(told), "{renderer} {shell:?} {answer}: {} {}", ran.out, ran.err);
        assert_eq!(ran.changes(), [""; 0], "{renderer} {answer}");
    }
}

fn wave(renderer: &str, plan: &Plan) -> Ran {
    Stage::new(renderer, plan, &["dash"]).real().run(&["wave", "1"])
}

/// The key that another machine shows.
const OTHER_KEY: &str =
    "echo 'x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJa/KTLUvd/9WcAPo6LEKEQDx5RKni5A0CSZrSwIk8Ze'; exit 0";

/// Without machine ids, so that host keys have to tell.
fn without_machine_ids(renderer: &str) -> Plan {
    let mut plan = plan(renderer);
    for item in &mut plan.items {
        item.machine_id = None;
    }
    plan
}

fn gate(wave: usize) -> [String; 3] {
    let host = format!("healthy web-0{wave} web");
    [format!("driftscan plan status plan.json --fleet hosts.txt --wave {wave}"), host, "healthy web-03 web".into()]
}

/// The gate asks twice: when the machines are new, and after they stood.
fn gates(calls: &mut Vec<String>, wave: usize) {
    for _ in 0..2 {
        calls.extend(gate(wave).into_iter().take(1 + wave));
    }
}

fn expect(waves: [&[&str]; 2]) -> Vec<String> {
    let mut calls = Vec::new();
    for (wave, own) in (1..).zip(waves) {
        calls.extend(own.iter().map(|call| (*call).to_owned()));
        gates(&mut calls, wave);
    }
    calls
}

fn refs(calls: &[String]) -> Vec<&str> {
    calls.iter().map(String::as_str).collect()
}

#[test]
fn aws_asg_ends_instances_one_by_one_and_waits_for_the_group() {
    let asked =
        "aws autoscaling describe-auto-scaling-groups --region eu-west-1 --auto-scaling-group-names web-prod --query";
    let suspended = format!("{asked} AutoScalingGroups[0].SuspendedProcesses[].ProcessName --output text");
    let whole = format!(
        "{asked} AutoScalingGroups[0].[DesiredCapacity,length(Instances[?LifecycleState=='InService'])] --output text"
    );
    let instances = format!("{asked} AutoScalingGroups[0].Instances[].InstanceId --output text");
    let same = |number: u8| {
        [
            format!(
                "aws autoscaling describe-auto-scaling-instances --region eu-west-1 --instance-ids i-0123456789abcde0{number} \
                 --query AutoScalingInstances[].[AutoScalingGroupName,LifecycleState] --output text"
            ),
            format!(
                "aws ec2 describe-instances --region eu-west-1 --instance-ids i-0123456789abcde0{number} \
                 --query Reservations[].Instances[].[PrivateIpAddress,PublicIpAddress] --output text"
            ),
            "ssh-keyscan -T 10 -p 2222 -t ed25519 -- 10.0.0.1".to_owned(),
        ]
    };
    let end = |number: u8| {
        format!(
            "aws autoscaling terminate-instance-in-auto-scaling-group --region eu-west-1 --instance-id \
             i-0123456789abcde0{number} --no-should-decrement-desired-capacity"
        )
    };
    let mut calls = vec![suspended.clone(), whole.clone()];
    calls.extend(same(1));
    calls.extend([end(1), instances.clone(), whole.clone()]);
    gates(&mut calls, 1);
    calls.extend([suspended, whole.clone()]);
    calls.extend(same(2).into_iter().chain(same(3)));
    calls.push(end(2));
    calls.extend(same(3));
    calls.extend([end(3), instances, whole]);
    gates(&mut calls, 2);
    assert_calls("aws-asg", &plan("aws-asg"), &refs(&calls));
}

#[test]
fn aws_asg_stops_before_the_wrong_instance() {
    let lifecycle =
        |answer: &str| format!("case \"$*\" in *describe-auto-scaling-instances*) printf '{answer}'; exit 0 ;; esac");
    for (answer, told) in [
        ("", "is in no auto scaling group"),
        ("other\\tInService\\n", "is not in service in web-prod but: other"),
        ("web-prod\\tStandby\\n", "is not in service in web-prod but: web-prod"),
        ("web-prod\\tWarmed:Stopped\\n", "is in a warm pool"),
    ] {
        assert_stops("aws-asg", "aws", &lifecycle(answer), told);
    }
    assert_stops("aws-asg", "ssh-keyscan", OTHER_KEY, "another machine is at 10.0.0.1");
    assert_stops("aws-asg", "ssh-keyscan", "exit 1", "no ed25519 host key could be read at port 2222 of: 10.0.0.1");
    for process in ["Launch", "Terminate", "AddToLoadBalancer"] {
        let answer =
            format!("case \"$*\" in *SuspendedProcesses*) printf 'AZRebalance\\t{process}\\n'; exit 0 ;; esac");
        assert_stops("aws-asg", "aws", &answer, &format!("{process} is suspended in web-prod"));
    }
    let desired = |answer: &str| format!("case \"$*\" in *DesiredCapacity*) printf '{answer}'; exit 0 ;; esac");
    assert_stops("aws-asg", "aws", &desired("3\\t2\\n"), "web-prod is not whole");
    assert_stops("aws-asg", "aws", &desired("None\\n"), "there is no auto scaling group web-prod in eu-west-1");
}

#[test]
fn aws_asg_stops_where_the_second_machine_of_a_wave_became_another_one() {
    // The first of wave 2 is ended; then the address of the second shows another key.
    let answer = format!("[ ! -e \"$STATE/ended.02\" ] || {{ {OTHER_KEY}; }}");
    let ran =
        Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().answer("ssh-keyscan", &answer).run(&["wave", "2"]);
    assert!(!ran.ok && ran.err.contains("web-03: another machine"), "{}", ran.err);
    assert_eq!(ran.changes().len(), 1);
}

#[test]
fn aws_asg_waits_until_the_old_instance_is_gone() {
    let slow = "case \"$*\" in *Instances*InstanceId*) if [ ! -e \"$STATE/asked\" ]; then : >\"$STATE/asked\"; \
                printf 'i-0123456789abcde01\\n'; exit 0; fi ;; esac";
    let stage = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().answer("aws", slow);
    let ran = stage.run(&["wave", "1"]);
    assert!(ran.ok && ran.out.contains("waiting: web-prod is whole again"), "{}", ran.err);
    let never = "case \"$*\" in *Instances*InstanceId*) printf 'i-0123456789abcde01\\n'; exit 0 ;; esac";
    let ran = Stage::new("aws-asg", &plan("aws-asg"), &["dash"]).real().answer("aws", never).run(&["all"]);
    assert!(!ran.ok && ran.changes().len() == 1 && !ran.calls.iter().any(|call| call.starts_with("driftscan")));
}

#[test]
fn behind_a_jump_host_the_platform_alone_tells() {
    let mut plan = plan("aws-asg");
    for item in &mut plan.items {
        item.jump = true;
    }
    let stage = Stage::new("aws-asg", &plan, &["dash"]).real();
    let ran = stage.run(&["all"]);
    assert!(ran.ok && !ran.calls.iter().any(|call| call.starts_with("ssh-keyscan")), "{}", ran.err);
    assert!(stage.script().contains("#     reached through a jump host, so its host key is not asked for from here\n"));
    let ran = Stage::new("aws-asg", &self::plan("aws-asg"), &["dash"]).real().env("HOST_KEYS", "0").run(&["all"]);
    assert!(ran.ok && ran.out.contains("web-01: its host key is not compared, by HOST_KEYS=0\n"), "{}", ran.err);
}

#[test]
fn terraform_plans_judges_and_applies_one_file() {
    let same = |number: u8| {
        [
            format!("terraform -chdir=. state show -no-color aws_instance.web[\"{number}\"]"),
            format!("ssh-keyscan -T 10 -p 2222 -t ed25519 -- web-0{number}.example.net"),
        ]
    };
    let steps = |numbers: &[u8]| {
        let mut calls = vec!["terraform version".to_owned(), "terraform -chdir=. workspace show".to_owned()];
        calls.extend(numbers.iter().flat_map(|number| same(*number)));
        let replace: Vec<String> =
            numbers.iter().map(|number| format!("-replace=aws_instance.web[\"{number}\"]")).collect();
        let replace = replace.join(" ");
        calls.push(format!(
            "terraform -chdir=. plan -input=false -no-color -lock-timeout=120s {replace} -out=WORK/wave.tfplan"
        ));
        calls.push("terraform -chdir=. show -no-color WORK/wave.tfplan".to_owned());
        calls.push("terraform -chdir=. apply -input=false -no-color WORK/wave.tfplan".to_owned());
        calls
    };
    let (first, second) = (steps(&[1]), steps(&[2, 3]));
    let expected = expect([&refs(&first), &refs(&second)]);
    for shell in SHELLS {
        let mut plan = plan("terraform");
        for (item, number) in plan.items.iter_mut().zip(1..) {
            item.handle.0[0].1 = format!("i-0123456789abcde0{number}");
        }
        let stage = Stage::new("terraform", &plan, shell).real();
        let ran = stage.run(&["all"]);
        assert!(ran.ok && ran.err.is_empty(), "{shell:?} {} {}", ran.out, ran.err);
        assert_eq!(ran.calls, expected, "{shell:?}");
        // The plan file may hold secrets: nothing of it stays.
        assert_eq!(std::fs::read_dir(stage.path("work")).unwrap().count(), 3, "{shell:?}");
    }
}

#[test]
fn terraform_stops_before_the_wrong_replacement() {
    assert_stops("terraform", "ssh-keyscan", OTHER_KEY, "web-01: another machine is at web-01.example.net");
    for (case, answer, told) in [
        ("version", "echo Terraform v0.15.1", "-replace needs Terraform 0.15.2 or later"),
        ("version", "echo Terraform v0.14.9", "-replace needs Terraform 0.15.2 or later"),
        ("*'workspace show'", "echo staging", "the workspace of . is staging, the plan's is default"),
        (
            "*'state show'*",
            "printf '    id = \"i-ffffffffffffffff\"\\n'",
            "web-01: aws_instance.web[\"1\"] is i-ffffffffffffffff in the state",
        ),
        ("*' show -no-color /'*", "printf 'No changes.\\n'", "the plan does not replace aws_instance.web[\"1\"]"),
        (
            "*' show -no-color /'*",
            "printf '  # aws_instance.web[\"1\"] will be replaced, as requested\\nPlan: 1 to add, 1 to change, 1 to destroy.\\n'",
            "the plan does more than replace 1: '1 to add, 1 to change, 1 to destroy.'",
        ),
        (
            "*' show -no-color /'*",
            "printf '  # aws_instance.web[\"1\"] will be replaced, as requested\\nPlan: 1 to add, 0 to change, 1 to destroy. Actions: 1 to invoke.\\n'",
            "the plan does more than replace 1",
        ),
        (
            "*' show -no-color /'*",
            "printf '  # aws_instance.web[\"1\"] will be replaced, as requested\\n'",
            "the plan does more than replace 1: ''",
        ),
    ] {
        assert_stops("terraform", "terraform", &format!("case \"$*\" in {case}) {answer}; exit 0 ;; esac"), told);
    }
    for version in ["Terraform v0.15.2", "Terraform v1.0.0", "OpenTofu v1.6.0-rc1"] {
        let answer = format!("case \"$*\" in version) echo {version}; exit 0 ;; esac");
        let ran = Stage::new("terraform", &plan("terraform"), &["dash"])
            .real()
            .answer("terraform", &answer)
            .run(&["wave", "1"]);
        assert!(ran.ok, "{version} {}", ran.err);
    }
}

#[test]
fn terraform_does_more_than_replace_only_where_exactly_that_was_accepted() {
    let more = "case \"$*\" in *' show -no-color /'*) printf '  # aws_instance.web[\"1\"] will be replaced, as requested\\n\
                Plan: 2 to add, 1 to change, 2 to destroy.\\n'; exit 0 ;; esac";
    let stage = Stage::new("terraform", &plan("terraform"), &["dash"]).real().answer("terraform", more);
    let stage = stage.env("TERRAFORM_EXPECT", "3 to add, 1 to change, 3 to destroy.");
    assert!(!stage.run(&["wave", "1"]).ok);
    let ran = stage.env("TERRAFORM_EXPECT", "2 to add, 1 to change, 2 to destroy.").run(&["wave", "1"]);
    assert!(ran.ok && ran.out.contains("going on, by TERRAFORM_EXPECT"), "{}", ran.err);
}

#[test]
fn terraform_keeps_the_capacity_where_new_machines_come_first() {
    let mut plan = plan("terraform");
    plan.groups[0].surge = Surge::ReplaceFirst(1);
    let ran = wave("terraform", &plan);
    assert!(!ran.ok && ran.err.contains("set create_before_destroy") && ran.changes().is_empty(), "{}", ran.err);
    let first = "case \"$*\" in *' show -no-color /'*) printf '  # aws_instance.web[\"1\"] will be replaced, as requested\\n\
                 +/- resource \"aws_instance\" \"web\" {\\nPlan: 1 to add, 0 to change, 1 to destroy.\\n'; exit 0 ;; esac";
    let ran = Stage::new("terraform", &plan, &["dash"]).real().answer("terraform", first).run(&["wave", "1"]);
    assert!(ran.ok, "{}", ran.err);
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

#[test]
fn blue_green_proves_all_of_green_before_it_switches_and_keeps_blue() {
    let scan = "driftscan scan --fleet green.txt --min-hosts 2";
    let calls = ["build-green web", scan, "traffic green", scan, "healthy web web", scan, "healthy web web"];
    assert_calls("blue-green", &plan("blue-green"), &calls);
    // Drifted or not whole: 2 and 3 are no green.
    for status in [2, 3] {
        let stage = Stage::new("blue-green", &plan("blue-green"), &["dash"]).real();
        let ran = stage.answer("driftscan", &format!("exit {status}")).run(&["all"]);
        assert!(!ran.ok && ran.changes() == ["build-green web"], "{} {:?}", ran.err, ran.calls);
    }
    let stage = Stage::new("blue-green", &plan("blue-green"), &["dash"]).real().answer("healthy", "exit 1");
    let ran = stage.run(&["all"]);
    assert!(
        !ran.ok && ran.err.ends_with("blue of web still runs; `rollback 1` of this script switches back to it\n"),
        "{}",
        ran.err
    );
    let ran = stage.run(&["rollback", "1"]);
    assert!(ran.ok && ran.calls == ["traffic blue"], "{}", ran.err);
    let ran = stage.run(&["rollback", "2"]);
    assert!(!ran.ok && ran.calls.is_empty());
}
