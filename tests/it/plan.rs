//! `driftscan plan`, over whole runs.
//!
//! What a host holds is set in the reports by hand, so that these tests are about plans alone.
//!
//! *Invariant:* nothing here asks for what another test proves of a scan.

use crate::lab::{Run, Scene};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// Scans, and writes in the report that nothing would be lost, but for what is named: `(host, path)`.
pub(crate) fn scanned(scene: &Scene, lost: &[(&str, &str)]) -> PathBuf {
    let run = scene.run();
    let id = run.report.as_ref().unwrap()["run"].as_str().unwrap().to_owned();
    let folder = scene.lab.path("reports").join(id);
    let path = folder.join("report.json");
    let mut report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for host in report["hosts"].as_array_mut().unwrap() {
        let items: Vec<Value> = lost
            .iter()
            .filter(|(name, _)| host["name"] == *name)
            .map(|(_, path)| {
                json!({"kind": "home", "path": path, "bytes": 2_100_000_000u64, "files": 7, "newest": null, "more": false})
            })
            .collect();
        host["state"] = json!({"items": items, "unseen": []});
        // The lab's hosts all have the addresses of the machine that runs the tests.
        host["evidence"]["addresses"] = json!([]);
    }
    let bytes = serde_json::to_vec(&report).unwrap();
    fs::write(&path, bytes).unwrap();
    folder
}

fn plan(scene: &Scene, args: &[&str]) -> Run {
    scene.lab.driftscan(&["plan", "--fleet", "hosts.txt"]).args(args).run()
}

fn read(folder: &std::path::Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap()
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap()).collect()
}

/// A line of the hosts file that a scan made is given more words.
fn tagged(scene: &Scene, host: &str, words: &str) {
    let path = scene.lab.path("hosts.txt");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let own = line.split(' ').any(|word| word == format!("name={host}"));
        if own { format!("{line} {words}\n") } else { format!("{line}\n") }
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
}

#[test]
fn drifted_hosts_go_in_waves_and_the_others_wait_with_a_reason() {
    let scene = Scene::new();
    for n in 1..=12 {
        let host = scene.host(&format!("web-{n:02}"));
        if n <= 3 {
            host.change_unseen("/etc/nginx/nginx.conf");
        }
    }
    scene.line("127.0.0.1:1 name=web-13");
    tagged(&scene, "web-01", "zone=a tf=aws_instance.web[1] instance=i-01");
    tagged(&scene, "web-02", "pin=licence");
    let folder = scanned(&scene, &[("web-03", "/home/anna")]);
    let run = plan(&scene, &["--format", "table", "--format", "json=out.json"]).succeeds();
    let plan_json = read(&folder);
    assert_eq!(fs::read(folder.join("plan.json")).unwrap(), fs::read(scene.lab.path("out.json")).unwrap());
    assert_eq!(fs::metadata(folder.join("plan.json")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(&plan_json["items"], "host"), Vec::<&str>::new(), "{run}");
    // One of thirteen is away, and twelve must serve.
    assert_eq!(names(&plan_json["deferred"], "why"), ["capacity", "pinned", "drain-first"], "{run}");
    assert!(run.stdout.contains("NOTHING PLANNED of 3 hosts"), "{run}");
    assert!(run.stdout.contains("floor in [group.web]") || run.stdout.contains("lower floor"), "{run}");

    fs::write(
        scene.lab.path("plan.toml"),
        "schema = \"driftscan.plan-settings/v1\"\n[group.web]\nactuator = \"terraform\"\nfloor = 11\n",
    )
    .unwrap();
    let run = plan(&scene, &["--settings", "plan.toml"]).succeeds();
    let plan_json = read(&folder);
    assert_eq!(names(&plan_json["items"], "host"), ["web-01"], "{run}");
    let item = &plan_json["items"][0];
    assert_eq!(item["handle"], json!({"instance": "i-01", "tf": "aws_instance.web[1]"}));
    assert_eq!((&item["target"], &item["verdict"]), (&json!("web@2026.11.1"), &json!("drifted")));
    assert!(item["host_key"].as_str().unwrap().contains("SHA256:"), "{item}");
    assert!(item["reason"]["evidence"][0].as_str().unwrap().contains("/etc/nginx/nginx.conf"), "{item}");
    assert_eq!(
        plan_json["waves"],
        json!([{"number": 1, "group": "web", "zone": "a", "canary": true, "hosts": ["web-01"]}])
    );
    assert_eq!(plan_json["groups"][0]["unhealthy"], json!(["web-13"]));
    assert_eq!(plan_json["change"]["added"], json!(["web-01"]), "the settings made another plan");
    for text in ["REPLACE 1 of 3 hosts in 1 wave", "PINNED", "DRAIN FIRST", "/home/anna 2.1 GB", "UNVERIFIED", "SINCE"]
    {
        assert!(run.stdout.contains(text), "no {text}\n{run}");
    }
    assert!(run.stdout.lines().all(|line| line.len() <= 80 || line.contains("sha256:")), "{run}");
    assert!(run.stderr.is_empty(), "{run}");

    let first = fs::read(folder.join("plan.json")).unwrap();
    plan(&scene, &["--settings", "plan.toml"]).succeeds();
    assert_eq!(fs::read(folder.join("plan.json")).unwrap(), first, "the same input gives the same bytes");
    let run = plan(&scene, &["--settings", "plan.toml", "--format", "json"]).succeeds();
    assert_eq!(run.stdout.as_bytes(), first);
}

#[test]
fn a_later_run_says_what_changed() {
    let scene = Scene::new();
    let hosts: Vec<_> = (1..=3).map(|n| scene.host(&format!("web-{n:02}"))).collect();
    hosts[0].remove("/usr/bin/tar");
    let folder = scanned(&scene, &[]);
    plan(&scene, &[]).succeeds();
    let before = read(&folder);
    assert_eq!(names(&before["items"], "host"), ["web-01"]);
    hosts[1].remove("/usr/bin/tar");
    tagged(&scene, "web-01", "pin=x");
    let folder = scanned(&scene, &[]);
    let run = plan(&scene, &[]).succeeds();
    let change = &read(&folder)["change"];
    assert_eq!(change["previous"], before["plan_id"]);
    assert_eq!(
        (&change["added"], &change["removed"][0]["now"]),
        (&json!(["web-02"]), &json!("deferred: pinned")),
        "{run}"
    );
    // Nothing to say, but a file that was asked for is written.
    let quiet = plan(&scene, &["-q", "--format", "json=out.json"]).succeeds();
    assert!(quiet.stdout.is_empty() && scene.lab.path("out.json").exists(), "{quiet}");
    // The earlier run is planned again as it was, but for the fleet, which is another now.
    let run = plan(&scene, &["previous"]).succeeds();
    assert!(run.stderr.contains("the fleet is not the one that run"), "{run}");
}

#[test]
fn mistakes_in_settings_are_shown_in_their_place() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02");
    scanned(&scene, &[]);
    let file = scene.lab.path("plan.toml");
    fs::write(
        &file,
        "schema = \"driftscan.plan-settings/v1\"\n[group.wbe]\nactuator = \"aws-asg\"\nsurge = 1\nbake = \"soon\"\n",
    )
    .unwrap();
    let run = plan(&scene, &["--settings", "plan.toml"]).refused_with(&[
        "plan.toml:2:8: the fleet has no such group",
        "did you mean [group.web]?",
        "plan.toml:4:9: aws-asg ends the old machine first",
        "4 | surge = 1",
        "plan.toml:5:8: this is no time",
    ]);
    assert!(run.stdout.is_empty(), "{run}");
    plan(&scene, &["--settings", "nowhere.toml"]).refused_with(&["nowhere.toml"]);
    fs::write(&file, "schema = \"driftscan.plan-settings/v1\"\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    plan(&scene, &["--settings", "plan.toml"]).refused_with(&["other accounts", "chmod o-w"]);
}

#[test]
fn a_run_that_is_old_cut_off_or_not_there_gives_no_plan() {
    let scene = Scene::new();
    scene.host("web-01").remove("/usr/bin/tar");
    scene.host("web-02");
    plan(&scene, &[]).refused_with(&["no run `latest`"]);
    let folder = scanned(&scene, &[]);
    scene.lab.driftscan(&["plan"]).run().refused_with(&["driftscan plan --fleet hosts.txt"]);
    plan(&scene, &["--format", "yaml"]).refused_with(&["no format \"yaml\"", "table, json"]);
    plan(&scene, &["--format", "json", "--format", "table"]).refused_with(&["can't go to one place"]);
    let path = folder.join("report.json");
    let report = fs::read_to_string(&path).unwrap();
    let started = serde_json::from_str::<Value>(&report).unwrap()["started"].as_str().unwrap().to_owned();
    fs::write(&path, report.replace(&started, "2020-01-01T00:00:00Z")).unwrap();
    plan(&scene, &[]).refused_with(&["a plan is good for 24 h", "scan again"]);
    assert!(!folder.join("plan.json").exists());
    let mut cut: Value = serde_json::from_str(&report).unwrap();
    cut["interrupted"] = json!(15);
    cut["summary"]["status"] = json!(143);
    fs::write(&path, serde_json::to_vec(&cut).unwrap()).unwrap();
    plan(&scene, &[]).refused_with(&["can't be planned", "--resume"]);
    // A plan that somebody edited is no plan to compare with.
    fs::write(&path, &report).unwrap();
    plan(&scene, &[]).succeeds();
    let edited = fs::read_to_string(folder.join("plan.json")).unwrap().replacen("\"floor\":1", "\"floor\":0", 1);
    fs::write(folder.join("plan.json"), edited).unwrap();
    plan(&scene, &[]).refused_with(&["is not a plan", "changed after it was written", "plan again"]);
}
