//! Hosts compared with each other: a census finds kinds of machines and odd hosts without a baseline, and `compare` says what
//! differs between two.

use crate::lab::{Lab, Run, Scene, Tree};
use crate::simulated_fleet::Fleet;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// What a simulated fleet says of its hosts: the kinds, and the snowflakes.
fn cast(fleet: &Fleet) -> (BTreeSet<BTreeSet<String>>, BTreeSet<String>) {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut snowflakes = BTreeSet::new();
    let hosts = fs::read_to_string(fleet.folder.path().join("hosts.txt")).unwrap();
    for line in hosts.lines().filter(|line| line.contains("name=")) {
        let (host, told) = line.split_once("  # ").unwrap();
        let name = host.split_whitespace().find_map(|word| word.strip_prefix("name=")).unwrap().to_owned();
        if told.contains("snowflake") {
            snowflakes.insert(name.clone());
        }
        kinds.entry(told.split(',').next().unwrap().to_owned()).or_default().insert(name);
    }
    (kinds.into_values().collect(), snowflakes)
}

/// Takes the announced census of a simulated fleet, and fails unless it finds exactly what the fleet was cast for.
fn finds_the_cast(fleet: &Fleet) {
    let (kinds, snowflakes) = cast(fleet);
    let run = fleet.driftscan(2, &["--format", "json=census.json", "--connect-timeout", "30s"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let census: Value = serde_json::from_slice(&fs::read(fleet.folder.path().join("census.json")).unwrap()).unwrap();
    assert_eq!((census["schema"].as_str(), census["version"].as_u64()), (Some("driftscan.census/v1"), Some(1)));
    let names = |list: &Value, name: &dyn Fn(&Value) -> String| -> Vec<String> {
        list.as_array().unwrap().iter().map(name).collect()
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: BTreeSet<BTreeSet<String>> = census["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cluster| names(&cluster["hosts"], &text).into_iter().collect())
        .collect();
    assert!(found == kinds, "{:?}", census["summary"]);
    let odd = names(&census["odd"], &|odd| text(&odd["host"]));
    let first: BTreeSet<String> = odd.iter().take(snowflakes.len()).cloned().collect();
    assert_eq!(first, snowflakes, "{:#}", census["odd"]);
    let stray = census["odd"].as_array().unwrap().iter().find(|odd| odd["stray"] == true);
    assert!(stray.is_none(), "{stray:?}");
}

#[test]
fn three_hundred_hosts_fall_into_their_kinds_and_the_snowflakes_come_first_whoever_is_the_pivot() {
    let words = ["--hosts", "300", "--clusters", "3", "--snowflakes", "5", "--noise", "--files", "700"];
    let fleet = Fleet::raise(&words);
    finds_the_cast(&fleet);
    // A snowflake as the first host, and the others the other way round.
    let file = fleet.folder.path().join("hosts.txt");
    let text = fs::read_to_string(&file).unwrap();
    let (head, hosts): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !line.contains("name="));
    let (snowflakes, others): (Vec<&str>, Vec<&str>) = hosts.into_iter().partition(|line| line.contains("snowflake 4"));
    let turned: Vec<&str> = head.into_iter().chain(snowflakes).chain(others.into_iter().rev()).collect();
    fs::write(&file, turned.join("\n")).unwrap();
    finds_the_cast(&fleet);
}

#[test]
fn another_seed_gives_another_fleet_and_it_is_told_as_well() {
    let words = ["--hosts", "90", "--clusters", "2", "--snowflakes", "3", "--noise", "--files", "400", "--seed", "11"];
    finds_the_cast(&Fleet::raise(&words));
}

/// Three web servers, three of another kind, and a web server that somebody worked on.
struct Trees {
    lab: Lab,
    web: Vec<Tree>,
    other: Vec<Tree>,
    snowflake: Tree,
}

fn trees() -> Trees {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let web: Vec<Tree> = ["web-a", "web-b", "web-c"].iter().map(|name| lab.clone_root(&golden, name)).collect();
    let snowflake = lab.clone_root(&golden, "web-d");
    for n in 0..12 {
        golden.write(format!("/usr/lib/db-{n}.so"), format!("{n}"));
    }
    let other = ["db-a", "db-b", "db-c"].iter().map(|name| lab.clone_root(&golden, name)).collect();
    snowflake.write("/usr/local/bin/fix.sh", "#!/bin/sh\n");
    snowflake.chmod("/usr/local/bin/fix.sh", 0o755);
    Trees { lab, web, other, snowflake }
}

impl Trees {
    fn targets(&self) -> Vec<String> {
        std::iter::once(&self.snowflake).chain(&self.other).chain(&self.web).map(Tree::target).collect()
    }

    /// A census of all of them, the snowflake first.
    fn census(&self, more: &[&str]) -> Run {
        let targets = self.targets();
        let words: Vec<&str> = ["census"].into_iter().chain(targets.iter().map(String::as_str)).collect();
        self.lab.driftscan(&words).reported().args(more).run()
    }
}

fn hosts_of(run: &Run, cluster: usize) -> Vec<&str> {
    let hosts = run.report.as_ref().unwrap()["clusters"][cluster]["hosts"].as_array();
    hosts.unwrap_or_else(|| panic!("no cluster {cluster}\n{run}")).iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn two_kinds_and_a_snowflake_that_is_the_pivot() {
    let trees = trees();
    let run = trees.census(&[]).exits(0);
    let report = run.report.as_ref().unwrap();
    assert_eq!(report["summary"]["clusters"], 2, "{run}");
    assert_eq!((hosts_of(&run, 0).len(), hosts_of(&run, 1).len()), (4, 3), "{run}");
    assert!(hosts_of(&run, 1).iter().all(|name| name.contains("/db-")), "{run}");
    assert_eq!(report["odd"].as_array().unwrap().len(), 1, "{run}");
    let odd = &report["odd"][0];
    assert_eq!(odd["host"], trees.snowflake.target().as_str());
    // Although it is what the others were compared with, it is told by what it has.
    let mark = &odd["marks"][0];
    assert_eq!(
        (&mark["lacks"], &mark["finding"]["code"]),
        (&Value::Bool(false), &Value::from("file-added")),
        "{mark:#}"
    );
    assert_eq!(mark["finding"]["path"], "/usr/local/bin/fix.sh");
    assert_eq!(report["clusters"][1]["apart"].as_array().unwrap().len(), 12, "{run}");
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80 || line.contains("root:")), "{run}");
    for text in ["2 clusters, 1 odd host", "CLUSTERS", "apart from the others by", "3/3", "ODD", "of cluster 1", "1/4"]
    {
        assert!(run.stdout.contains(text), "no {text:?}\n{run}");
    }
}

#[test]
fn a_draft_is_the_most_typical_host_and_the_majority_is_clean_by_it() {
    let trees = trees();
    let run = trees.census(&["--draft", "web@1"]).exits(0);
    assert!(run.stderr.contains("web@1 is a draft: review it"), "{run}");
    let story = fs::read_to_string(trees.lab.path("baselines/web/1.capture.json")).unwrap();
    let story: Value = serde_json::from_str(&story).unwrap();
    let draft = story["draft"].as_str().unwrap();
    assert!(draft.starts_with("census ") && draft.ends_with("the most typical of 4 of 7 hosts"), "{draft}");
    let targets = trees.targets();
    let words: Vec<&str> = ["scan"].into_iter().chain(targets.iter().map(String::as_str)).collect();
    let scan = trees.lab.driftscan(&words).args(&["--baseline", "web"]).reported().run().exits(2);
    for tree in &trees.web {
        assert_eq!(scan.verdict(&tree.target()), "clean", "{scan}");
    }
    let name = trees.snowflake.target();
    scan.drifted(&name, &[("file-added", "/usr/local/bin/fix.sh")]);
    // A name that is taken is refused before a host is read.
    trees.census(&["--draft", "web@1"]).refused_with(&["web@1 is there"]);
}

#[test]
fn a_snowflake_is_never_blessed_by_a_draft() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let names = ["web-a", "web-b", "web-c", "web-d"];
    let trees: Vec<Tree> = names.iter().map(|name| lab.clone_root(&golden, name)).collect();
    for (tree, name) in trees.iter().zip(names) {
        // Each in a place of its own, so that nobody is typical.
        tree.write(format!("/opt/{name}/tool"), "#!/bin/sh\n");
        tree.write(format!("/usr/lib/{name}.so"), "1");
        tree.append(
            ["/etc/ssh/sshd_config", "/etc/hosts", "/etc/passwd", "/etc/group"]
                [names.iter().position(|n| *n == name).unwrap()],
            "# x\n",
        );
    }
    let targets: Vec<String> = trees.iter().map(Tree::target).collect();
    let words: Vec<&str> = ["census"].into_iter().chain(targets.iter().map(String::as_str)).collect();
    let run = lab
        .driftscan(&words)
        .args(&["--draft", "web@1"])
        .run()
        .refused_with(&["no draft: ", "differs from most of it in"]);
    assert!(run.stdout.contains("1 cluster"), "the census itself is told\n{run}");
    assert!(run.stderr.contains("driftscan baseline capture web@1 --from root:"), "{run}");
    assert!(!lab.baseline("web", "1").exists());
}

#[test]
fn what_was_not_read_is_told_and_another_system_has_a_pivot_of_its_own() {
    let scene = Scene::new();
    // The first is out of reach, so that the next one is the pivot.
    scene.line("127.0.0.1:1 name=web-00");
    for number in 1..4 {
        scene.host(&format!("web-0{number}"));
    }
    for number in 4..6 {
        scene.host(&format!("alien-0{number}")).replace("/etc/os-release", "ID=debian", "ID=foolinux");
    }
    let run = scene.lab.connected(&["census", "--fleet", "hosts.txt"]).reported().run().exits(3);
    let report = run.report.as_ref().unwrap();
    assert_eq!(hosts_of(&run, 0), ["web-01", "web-02", "web-03"], "{run}");
    assert_eq!(hosts_of(&run, 1), ["alien-04", "alien-05"], "{run}");
    assert_eq!(report["clusters"][0]["pivot"], "web-01");
    assert!(report["clusters"][1]["system"].as_str().unwrap().starts_with("foolinux"), "{run}");
    let unread = report["unread"].as_array().unwrap();
    assert_eq!(
        (unread.len(), &unread[0]["host"], &unread[0]["counted"]),
        (1, &Value::from("web-00"), &Value::Bool(false))
    );
    assert_eq!(unread[0]["reasons"][0]["reason"], "unreachable", "{run}");
    assert!(run.stdout.contains("NOT READ WHOLE"), "{run}");
    // Where nobody can be read there is no census.
    let run = scene.lab.connected(&["census", "--fleet", "hosts.txt", "--limit", "web-00"]).run();
    run.refused_with(&["no host could be read whole", "web-00"]);
}

#[test]
fn two_hosts_are_compared_in_both_directions() {
    let trees = trees();
    let (web, snowflake) = (trees.web[0].target(), trees.snowflake.target());
    trees.snowflake.remove("/usr/bin/tar");
    trees.snowflake.append("/etc/ssh/sshd_config", "PermitRootLogin yes\n");
    let run = trees.lab.driftscan(&["compare", &web, &snowflake]).reported().run().exits(2);
    let report = run.report.as_ref().unwrap();
    assert_eq!(report["schema"], "driftscan.compare/v1");
    let paths = |side: &str| -> BTreeSet<&str> {
        report[side].as_array().unwrap().iter().filter_map(|finding| finding["path"].as_str()).collect()
    };
    assert_eq!(paths("only_first"), BTreeSet::from(["/usr/bin/tar"]), "{run}");
    assert!(paths("only_second").contains("/usr/local/bin/fix.sh"), "{run}");
    let told = [format!("ONLY ON {web}"), format!("ONLY ON {snowflake}"), "differences (exit 2)".to_owned()];
    for text in &told {
        assert!(run.stdout.contains(text), "no {text:?}\n{run}");
    }
    // The other way round it is the same story.
    let back = trees.lab.driftscan(&["compare", &snowflake, &web]).reported().run().exits(2);
    let other = &back.report.as_ref().unwrap()["only_second"];
    assert!(other.as_array().unwrap().iter().any(|finding| finding["path"] == "/usr/bin/tar"), "{back}");
    let same = trees.lab.driftscan(&["compare", &web, &trees.web[1].target()]).run().exits(0);
    assert!(same.stdout.contains("nothing differs (exit 0)"), "{same}");
    trees.lab.driftscan(&["compare", &web, &web]).run().refused_with(&["is both hosts"]);
}

#[test]
fn names_of_a_fleet_are_compared_and_another_system_is_told_as_such() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02").remove("/usr/bin/tar");
    scene.host("alien").replace("/etc/os-release", "ID=debian", "ID=foolinux");
    let compare =
        |first: &str, second: &str| scene.lab.connected(&["compare", first, second, "--fleet", "hosts.txt"]).run();
    let run = compare("web-01", "web-02").exits(2);
    assert!(run.stdout.contains("ONLY ON web-01\n") && run.stdout.contains("/usr/bin/tar"), "{run}");
    let run = compare("web-01", "alien").exits(3);
    assert!(run.stdout.contains("NOT COMPARED") && run.stdout.contains("foolinux"), "{run}");
}
