//! Limits: what ordinary users can fill hides nothing elsewhere, and a limit reached is said.

use crate::lab::{Answer, Options, Scene};
use std::fs;

/// Writes a policy with small limits and gives the flag that names it.
fn limited(scene: &Scene, limits: &str) -> [String; 2] {
    let file = scene.lab.path("policy.toml");
    fs::write(&file, format!("schema = \"driftscan.policy/v1\"\nextends = [\"auto\"]\n\n[limits]\n{limits}\n"))
        .unwrap();
    ["--policy".to_owned(), file.to_str().unwrap().to_owned()]
}

fn flood(host: &crate::lab::Tree, folder: &str) {
    for number in 0..3_000 {
        fs::write(host.at(format!("{folder}/{number}")), "").unwrap();
    }
}

#[test]
fn f52_a_flooded_tmp_does_not_hide_drift_elsewhere() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    flood(&host, "/tmp");
    host.change_unseen("/usr/sbin/sshd");
    let policy = limited(&scene, "guard_entries = 1000");
    let run = scene.scan(&policy.each_ref().map(String::as_str)).run().exits(2);
    let run = run.drifted("web-01", &[("content-changed", "/usr/sbin/sshd")]);
    assert!(run.reasons("web-01").contains("limit"), "{run}");
}

/// Thousands of executables whose paths are as long as a path can be: megabytes of records that share all but a few bytes.
#[test]
fn f52_long_names_in_tmp_do_not_hide_drift_elsewhere() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    let deep = format!("/tmp{}", format!("/{}", "n".repeat(240)).repeat(14));
    fs::create_dir_all(host.at(&deep)).unwrap();
    for number in 0..6_500 {
        fs::write(host.at(format!("{deep}/{number}")), "").unwrap();
        host.chmod(format!("{deep}/{number}"), 0o755);
    }
    host.change_unseen("/usr/sbin/sshd");
    host.remove("/usr/bin/tar");
    let run = scene.run().exits(2).says("web-01", "drifted");
    let found = run.findings("web-01");
    for subject in ["/usr/sbin/sshd", "/usr/bin/tar"] {
        assert!(found.iter().any(|(_, path)| *path == subject), "{subject}: {} findings", found.len());
    }
    assert!(run.reasons("web-01").contains("limit"));
}

#[test]
fn f52_a_flooded_tmp_alone_is_unverifiable() {
    let scene = Scene::new();
    flood(&scene.host("web-01"), "/tmp");
    flood(&scene.host("web-02"), "/var/tmp");
    scene.host("web-03");
    let policy = limited(&scene, "guard_entries = 1000");
    let run = scene.scan(&policy.each_ref().map(String::as_str)).run().exits(3);
    run.unverifiable("web-01", "limit").unverifiable("web-02", "limit").says("web-03", "clean");
}

#[test]
fn f52_a_flooded_tmp_under_the_limit_is_clean_and_its_setuid_file_is_not() {
    let scene = Scene::new();
    flood(&scene.host("web-01"), "/tmp");
    let host = scene.host("web-02");
    flood(&host, "/tmp");
    host.write("/tmp/.hidden", "#!/bin/sh\n");
    host.chmod("/tmp/.hidden", 0o4755);
    scene.run().exits(2).says("web-01", "clean").drifted("web-02", &[("file-added", "/tmp/.hidden")]);
}

#[test]
fn too_many_entries_are_unverifiable() {
    let scene = Scene::new();
    scene.host("web-01");
    let policy = limited(&scene, "entries = 100");
    scene.scan(&policy.each_ref().map(String::as_str)).run().exits(3).unverifiable("web-01", "limit");
}

#[test]
fn too_many_bytes_are_unverifiable() {
    let scene = Scene::new();
    scene.host("web-01");
    let policy = limited(&scene, "bytes = \"64KiB\"");
    scene.scan(&policy.each_ref().map(String::as_str)).run().exits(3).unverifiable("web-01", "limit");
}

#[test]
fn a_host_of_few_descriptors_is_scanned_whole() {
    let scene = Scene::with(&Options::answering(Answer::under("ulimit -n 256; exec")), |_| ());
    scene.host("web-01");
    scene.run().succeeds().says("web-01", "clean");
}

#[test]
fn a_host_of_hardly_any_descriptors_is_never_wrong() {
    for few in [5, 6, 8, 12, 16, 24] {
        let scene = Scene::with(&Options::answering(Answer::under(&format!("ulimit -n {few}; exec"))), |_| ());
        scene.host("web-01");
        let run = scene.run();
        assert!(matches!(run.verdict("web-01"), "clean" | "unverifiable"), "{few}\n{run}");
        if run.verdict("web-01") == "clean" {
            assert_eq!(run.host("web-01")["coverage"]["complete"], true, "{run}");
        }
    }
}

#[test]
fn a_host_of_little_memory_is_never_wrong() {
    for kilobytes in [1_000, 4_000, 16_000, 64_000] {
        let scene = Scene::with(&Options::answering(Answer::under(&format!("ulimit -v {kilobytes}; exec"))), |_| ());
        scene.host("web-01");
        let run = scene.run();
        assert!(matches!(run.verdict("web-01"), "clean" | "unverifiable"), "{kilobytes} kB\n{run}");
    }
}

#[test]
fn a_host_of_little_time_is_never_wrong() {
    let scene = Scene::with(&Options::answering(Answer::under("ulimit -t 1; exec")), |golden| {
        golden.sparse("/usr/lib/large.bin", 512 << 20);
    });
    scene.host("web-01");
    let run = scene.run();
    assert!(matches!(run.verdict("web-01"), "clean" | "unverifiable"), "{run}");
}

/// Makes folders in `/tmp` whose paths are about as long as a path can be, with a file below whose path is longer.
fn deepen(host: &crate::lab::Tree, trees: usize) {
    let script = "cd \"$1\" || exit 1; name=$(printf '%0250d' 0); n=0
        while [ $n -lt $2 ]; do
            (mkdir t$n && cd t$n && i=0; while [ $i -lt 15 ]; do mkdir $name && cd $name || exit 1; i=$((i+1)); done
             mkdir $(printf '%0224d' 1) && cd $(printf '%0224d' 1) && : >$(printf '%0255d' 2)) || exit 1
            n=$((n+1))
        done";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(host.at("/tmp")).arg(trees.to_string());
    assert!(shell.status().unwrap().success());
}

#[test]
fn f52_paths_past_the_longest_neither_break_the_answer_nor_hide_a_removal() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    deepen(&host, 80);
    fs::remove_file(host.at("/etc/ssh/sshd_config")).unwrap();
    deepen(&scene.host("web-02"), 1);
    let run = scene.run().exits(2).unverifiable("web-02", "limit");
    assert!(run.findings("web-01").contains(&("file-removed", "/etc/ssh/sshd_config")), "{run}");
}

#[test]
fn a_policy_that_compares_nothing_is_refused() {
    let scene = Scene::new();
    scene.host("web-01");
    let file = scene.lab.path("nothing.toml");
    let ignored = |path: &str| format!("[[rule]]\npath = \"{path}\"\ntreatment = \"ignore\"\nreason = \"x\"\n");
    for text in ["[scope]\nroots = [\"/nonexistent\"]\n".to_owned(), ignored("/*") + &ignored("/*/**")] {
        fs::write(&file, format!("schema = \"driftscan.policy/v1\"\n\n{text}")).unwrap();
        scene.scan(&["--policy", file.to_str().unwrap()]).run().refused_with(&["compares nothing"]);
    }
}
