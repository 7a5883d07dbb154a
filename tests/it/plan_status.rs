//! `driftscan plan status`: replacements on real servers, with keys and machine ids of their own.
//!
//! *Invariant:* what a new machine is, the scan of now says; the plan is one that `driftscan plan` wrote.

use crate::lab::{Options, Run, Scene, SshHost, Tree};
use crate::plan::scanned;
use serde_json::Value;
use std::fs;

const SETTINGS: &str = "schema = \"driftscan.plan-settings/v1\"\n[guards]\nmax_group_drift = \"100%\"\n[group.web]\nfloor = 0\n\
                        max_unavailable = 4\n";

/// A machine of its own: a tree with a machine id, at a server with a host key.
fn machine(scene: &Scene, server: &SshHost, name: &str, number: u8) -> Tree {
    let tree = scene.lab.clone_root(&scene.golden, &format!("{name}-{number}"));
    tree.write("etc/machine-id", format!("{}\n", format!("{number:02x}").repeat(16)));
    fs::write(scene.lab.path(format!("{name}-{number}.line")), server.line(name, &tree)).unwrap();
    tree
}

/// The hosts file of these machines, by name and number.
fn fleet(scene: &Scene, machines: &[(&str, u8)]) {
    let line = |(name, number): &(&str, u8)| {
        fs::read_to_string(scene.lab.path(format!("{name}-{number}.line"))).unwrap() + "\n"
    };
    let text = format!("[web] template=web\n{}", machines.iter().map(line).collect::<String>());
    fs::write(scene.lab.path("hosts.txt"), text).unwrap();
}

fn status(scene: &Scene, plan: &str, args: &[&str]) -> (Run, Value) {
    let run = scene.lab.connected(&["plan", "status", plan, "--fleet", "hosts.txt", "--format", "table"]);
    let run = run.args(&["--format", "json=status.json"]).args(args).run();
    let json = serde_json::from_slice(&fs::read(scene.lab.path("status.json")).unwrap_or_default());
    (run, json.unwrap_or(Value::Null))
}

fn words(status: &Value) -> Vec<(&str, &str)> {
    let items = status["items"].as_array().unwrap();
    items.iter().map(|item| (item["host"].as_str().unwrap(), item["status"].as_str().unwrap())).collect()
}

#[test]
fn replaced_hosts_are_proven_and_the_others_told() {
    let scene =
        Scene::with(&Options::default(), |golden| golden.write("etc/machine-id", format!("{}\n", "ab".repeat(16))));
    let old = scene.lab.sshd("old", &Options::default());
    let new = scene.lab.sshd("new", &Options::default());
    let before = [("web-01", 10), ("web-02", 11), ("web-03", 12), ("web-04", 13)];
    for (name, number) in before {
        let tree = machine(&scene, &old, name, number);
        if name != "web-04" {
            // Each its own, or it would be common drift.
            tree.write(format!("usr/local/bin/{name}.sh"), format!("#!/bin/sh\necho {name}\n"));
        }
    }
    fleet(&scene, &before);
    let folder = scanned(&scene, &[]);
    fs::write(scene.lab.path("plan.toml"), SETTINGS).unwrap();
    let planned = scene.lab.driftscan(&["plan", "--fleet", "hosts.txt", "--settings", "plan.toml"]).run().succeeds();
    let plan = folder.join("plan.json");
    let plan = plan.to_str().unwrap();

    let (run, json) = status(&scene, plan, &[]);
    let run = run.exits(2);
    let same: Vec<(&str, &str)> = ["web-01", "web-02", "web-03"].map(|name| (name, "same-machine")).to_vec();
    let mut told = words(&json);
    told.sort_unstable();
    assert_eq!(told, same, "{run}{planned}");
    assert!(run.stdout.contains("SAME MACHINE") && run.stdout.contains("NOT DONE"), "{run}");

    // The last scan of the fleet stays the latest run.
    let report = scene.lab.driftscan(&["report"]).run().exits(2);
    assert!(report.stdout.starts_with("4 hosts in "), "{report}");
    assert!(run.stdout.contains("reports/status/"), "{run}");

    // One is new and clean, one is gone, one is new and was edited in the same way again.
    machine(&scene, &new, "web-01", 20);
    let again = machine(&scene, &new, "web-03", 22);
    again.write("usr/local/bin/web-03.sh", "#!/bin/sh\necho web-03\n");
    fleet(&scene, &[("web-01", 20), ("web-03", 22), ("web-04", 13)]);
    let (run, json) = status(&scene, plan, &[]);
    let run = run.exits(2);
    let mut told = words(&json);
    told.sort_unstable();
    assert_eq!(told, [("web-01", "replaced"), ("web-02", "gone"), ("web-03", "drifted-again")], "{run}");
    let relapse = json["items"].as_array().unwrap().iter().find(|item| item["host"] == "web-03").unwrap();
    assert!(
        relapse["again"].as_u64().unwrap() > 0
            && relapse["says"].as_str().unwrap().contains("the template or an automation"),
        "{run}"
    );
    assert!(run.stdout.contains("web: replaced, and drifts again"), "{run}");
    assert!(run.stdout.lines().all(|line| line.len() <= 80), "{run}");

    // A new name in the group stands for the one that is gone, and another build of web-03 is clean.
    machine(&scene, &new, "web-03", 32);
    machine(&scene, &new, "web-77", 31);
    fleet(&scene, &[("web-01", 20), ("web-03", 32), ("web-04", 13), ("web-77", 31)]);
    let (run, json) = status(&scene, plan, &[]);
    let run = run.exits(0);
    assert!(words(&json).iter().all(|(_, word)| *word == "replaced"), "{run}");
    let second = json["items"].as_array().unwrap().iter().find(|item| item["host"] == "web-02").unwrap();
    assert_eq!((&second["now"], &second["found_by"]), (&"web-77".into(), &"group".into()), "{run}");
    let (run, json) = status(&scene, plan, &["--wave", "1"]);
    assert_eq!((run.exits(0).code(), words(&json).len()), (Some(0), 1));
    let (run, _) = status(&scene, plan, &["--wave", "9"]);
    run.refused_with(&["the plan has no wave 9"]);
}
