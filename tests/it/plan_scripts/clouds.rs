//! Instances, Terraform's resources, and a second group.
//!
//! *Invariant:* no machine is ended that is not the one of the plan, and nothing is switched to unproven.

use super::platforms::{OTHER_KEY, assert_calls, assert_stops, expect, gates, refs};
use super::stage::{SHELLS, Stage};
use super::world::plan;
use driftscan::plan::Surge;

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
    let ran = Stage::new("terraform", &plan, &["dash"]).real().run(&["wave", "1"]);
    assert!(!ran.ok && ran.err.contains("set create_before_destroy") && ran.changes().is_empty(), "{}", ran.err);
    let first = "case \"$*\" in *' show -no-color /'*) printf '  # aws_instance.web[\"1\"] will be replaced, as requested\\n\
                 +/- resource \"aws_instance\" \"web\" {\\nPlan: 1 to add, 0 to change, 1 to destroy.\\n'; exit 0 ;; esac";
    let ran = Stage::new("terraform", &plan, &["dash"]).real().answer("terraform", first).run(&["wave", "1"]);
    assert!(ran.ok, "{}", ran.err);
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
