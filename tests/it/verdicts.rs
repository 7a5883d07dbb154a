//! Verdicts, decisions and exit statuses of whole runs.

use crate::lab::{Lab, Options, Scene};

fn a_clean_fleet_ends_with_status_0() {
    let scene = Scene::new();
    for name in ["web-01", "web-02", "web-03"] {
        scene.host(name);
    }
    let run = scene.run().succeeds();
    for name in ["web-01", "web-02", "web-03"] {
        assert_eq!(run.verdict(name), "clean");
        assert_eq!(run.host(name)["decision"], "keep");
        assert_eq!(run.host(name)["collector"], "stream");
        assert!(run.findings(name).is_empty());
        assert!(run.reasons(name).is_empty());
    }
    assert!(run.stdout.contains("KEEP"), "{run}");
    assert_eq!(scene.sshd.logins(), 3);
}

fn one_drifted_host_makes_it_2_and_leaves_the_others_clean() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.host("web-02").change_unseen("usr/bin/ls");
    let run = scene.run().exits(2).says("web-01", "clean").drifted("web-02", &[("content-changed", "/usr/bin/ls")]);
    assert_eq!(run.host("web-02")["decision"], "replace");
    assert!(run.stdout.contains("REPLACE") && run.stdout.contains("web-02"), "{run}");
}

fn an_unverifiable_host_alone_makes_it_3() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.line("127.0.0.1:1 name=web-02");
    let run = scene.run().exits(3).says("web-01", "clean").unverifiable("web-02", "unreachable");
    assert_eq!(run.host("web-02")["decision"], "investigate");
}

fn drift_wins_over_unverifiable() {
    let scene = Scene::new();
    scene.host("web-01").remove("usr/bin/tar");
    scene.line("127.0.0.1:1 name=web-02");
    scene.run().exits(2).drifted("web-01", &[("file-removed", "/usr/bin/tar")]).unverifiable("web-02", "unreachable");
}

fn a_host_of_an_older_version_is_outdated() {
    let scene = Scene::new();
    scene.host("web-old");
    scene.golden.write("/usr/bin/ls", "a newer program");
    scene.lab.capture("web@2026.11.2", &scene.golden);
    scene.golden.write("/usr/bin/ls", "the newest program");
    scene.lab.capture("web@2026.11.3", &scene.golden);
    scene.host("web-new");
    let run = scene.run().exits(2).says("web-new", "clean").says("web-old", "outdated");
    assert_eq!(run.host("web-old")["decision"], "replace");
    assert!(run.findings("web-old").is_empty(), "{run}");
    assert!(run.stdout.contains("web@2026.11.1"), "{run}");
    scene.scan(&["--allow-outdated"]).run().exits(0).says("web-old", "outdated");
}

fn an_older_version_with_one_change_is_drifted_not_outdated() {
    let scene = Scene::new();
    let old = scene.host("web-old");
    scene.golden.write("/usr/bin/ls", "a newer program");
    scene.lab.capture("web@2026.11.2", &scene.golden);
    old.change_unseen("usr/bin/tar");
    scene.run().exits(2).says("web-old", "drifted");
}

fn a_version_named_in_the_fleet_is_its_own_newest() {
    let scene = Scene::new();
    scene.host("web-old");
    scene.golden.write("/usr/bin/ls", "a newer program");
    scene.lab.capture("web@2026.11.2", &scene.golden);
    scene.scan(&["--baseline", "web@2026.11.2"]).run().exits(2).says("web-old", "outdated");
    let lab = &scene.lab;
    let line = scene.sshd.line("web-old", &lab.clone_root(&scene.golden, "other"));
    lab.hosts_file(&["[web] template=web@2026.11.1".to_owned(), line]);
    // It equals 2026.11.2, which is newer than what its line names.
    lab.scan(&[]).run().exits(2).says("web-old", "drifted");
}

fn f54_a_host_of_another_distribution_is_not_compared() {
    let scene = Scene::new();
    let other = scene.host("web-01");
    other.replace("/usr/lib/os-release", "ID=debian", "ID=alpine");
    other.replace("/usr/lib/os-release", "VERSION_ID=\"12\"", "VERSION_ID=\"3.22\"");
    scene.run().exits(3).unverifiable("web-01", "wrong-baseline");
}

fn a_host_that_is_nothing_like_its_template_is_drifted_and_listed() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    for number in 0..2_000 {
        host.write(format!("/usr/local/bin/tool-{number}"), "#!/bin/sh\n");
    }
    let run = scene.run().exits(2).says("web-01", "drifted");
    let findings = run.findings("web-01");
    assert!(findings.contains(&("file-added", "/usr/local/bin/tool-1999")));
    assert_eq!(findings.iter().filter(|(code, _)| *code == "file-added").count(), 2_000);
}

fn root_targets_need_no_server() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let host = lab.clone_root(&golden, "host");
    let name = host.target();
    lab.driftscan(&["scan", &name]).reported().run().succeeds();
    host.change_unseen("usr/bin/ls");
    let run = lab.driftscan(&["scan", &name]).reported().run().exits(2);
    let hosts = run.report.as_ref().unwrap()["hosts"].as_array().unwrap();
    assert_eq!(hosts.len(), 1, "{run}");
    assert_eq!(hosts[0]["verdict"], "drifted");
    assert_eq!(hosts[0]["collector"], "local");
}

fn many_hosts_behind_many_servers_keep_the_order_of_the_fleet() {
    let scene = Scene::new();
    let second = scene.lab.sshd("second", &Options::default());
    let mut names = Vec::new();
    for number in 1..=24 {
        let name = format!("web-{number:02}");
        let host = scene.host_at(if number % 2 == 0 { &second } else { &scene.sshd }, &name);
        if number % 5 == 0 {
            host.chmod("/usr/bin/cat", 0o700);
        }
        names.push(name);
    }
    let run = scene.run().exits(2);
    let hosts = run.report.as_ref().unwrap()["hosts"].as_array().unwrap();
    let order: Vec<_> = hosts.iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(order, names);
    for (number, name) in (1..=24).zip(&names) {
        assert_eq!(run.verdict(name), if number % 5 == 0 { "drifted" } else { "clean" }, "{name}\n{run}");
    }
}

fn two_runs_over_one_state_say_the_same() {
    let scene = Scene::new();
    for number in 1..=8 {
        let host = scene.host(&format!("web-{number:02}"));
        if number % 3 == 0 {
            host.remove("/usr/bin/tar");
            host.write("/usr/local/bin/fix.sh", "#!/bin/sh\n");
        }
    }
    let told = || {
        let run = scene.run().exits(2);
        let hosts = run.report.as_ref().unwrap()["hosts"].as_array().unwrap().clone();
        let findings = |host: &serde_json::Value| {
            let mut findings = host["findings"].clone();
            // The second run knows of the first.
            for finding in findings.as_array_mut().unwrap() {
                finding.as_object_mut().unwrap().remove("first_seen");
            }
            findings.to_string()
        };
        hosts
            .iter()
            .map(|host| (host["name"].to_string(), host["verdict"].to_string(), findings(host)))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(), told());
}

crate::lab::over_both!(
    a_clean_fleet_ends_with_status_0,
    many_hosts_behind_many_servers_keep_the_order_of_the_fleet;
    ssh2 only: an_unverifiable_host_alone_makes_it_3,
    drift_wins_over_unverifiable,
    a_host_of_an_older_version_is_outdated,
    an_older_version_with_one_change_is_drifted_not_outdated,
    a_version_named_in_the_fleet_is_its_own_newest,
    f54_a_host_of_another_distribution_is_not_compared,
    root_targets_need_no_server,
    two_runs_over_one_state_say_the_same,
    one_drifted_host_makes_it_2_and_leaves_the_others_clean,
    a_host_that_is_nothing_like_its_template_is_drifted_and_listed,
);
