//! Baselines: captured whole or not at all, the same bytes from the same machine, refused when anything is wrong.

use crate::lab::{Lab, Options, Scene, Tree};
use std::fs;

/// A lab with a golden root that is captured as `web@1`.
fn captured() -> (Lab, Tree) {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    (lab, golden)
}

/// Scans the golden root against whatever the baselines folder holds now.
fn scan(lab: &Lab, golden: &Tree) -> crate::lab::Run {
    lab.driftscan(&["scan", &golden.target()]).reported().run()
}

#[test]
fn captured_twice_it_is_the_same_bytes() {
    let (lab, golden) = captured();
    let first = fs::read(lab.baseline("web", "1")).unwrap();
    fs::remove_dir_all(lab.path("baselines")).unwrap();
    lab.capture("web@1", &golden);
    assert!(first == fs::read(lab.baseline("web", "1")).unwrap());
    // A clone of another place and time of access is the same machine.
    fs::remove_dir_all(lab.path("baselines")).unwrap();
    lab.capture("web@1", &lab.clone_root(&golden, "clone"));
    assert!(first == fs::read(lab.baseline("web", "1")).unwrap());
}

#[test]
fn captured_over_ssh_it_is_the_same_bytes() {
    let (lab, golden) = captured();
    let local = fs::read(lab.baseline("web", "1")).unwrap();
    fs::remove_dir_all(lab.path("baselines")).unwrap();
    let server = lab.sshd("first", &Options::default());
    lab.capture_from("web@1", &server, &golden).run().succeeds();
    assert!(local == fs::read(lab.baseline("web", "1")).unwrap());
}

#[test]
fn it_is_lines_of_json_in_order_between_a_header_and_a_trailer() {
    let (lab, _) = captured();
    let text = fs::read_to_string(lab.baseline("web", "1")).unwrap();
    assert!(text.ends_with('\n'));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["schema"].as_str().unwrap().starts_with("driftscan.baseline/"), "{}", lines[0]);
    assert!(lines.len() > 300, "{}", lines.len());
    let provenance = fs::read_to_string(lab.path("baselines/web/1.capture.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&provenance).unwrap().is_object());
}

#[test]
fn nothing_of_the_machine_or_the_time_is_in_it() {
    let (lab, _) = captured();
    let text = fs::read_to_string(lab.baseline("web", "1")).unwrap();
    assert!(!text.contains(lab.path("").to_str().unwrap()), "the folder it was captured from");
    assert!(!text.contains("mtime") && !text.contains("inode"), "evidence is not in a baseline");
    assert!(!text.contains("AAAAC3NzaC1lZDI1NTE5AAAAIMRVBqb5SN6iKPz4CHhYJ8ss2p0qm"), "content is not in a baseline");
}

#[test]
fn a_version_is_never_written_twice() {
    let (lab, golden) = captured();
    let before = fs::read(lab.baseline("web", "1")).unwrap();
    golden.change_unseen("/usr/bin/ls");
    lab.driftscan(&["baseline", "capture", "web@1", "--from", &golden.target()]).run().refused_with(&["web@1"]);
    assert!(before == fs::read(lab.baseline("web", "1")).unwrap());
}

#[test]
fn serials_order_versions() {
    let (lab, golden) = captured();
    golden.write("/usr/bin/ls", "newer");
    let target = golden.target();
    // The label sorts before the first one; the serial decides.
    lab.driftscan(&["baseline", "capture", "web@0.9", "--from", &target, "--serial", "7"]).run().succeeds();
    scan(&lab, &golden).succeeds();
    let again = ["baseline", "capture", "web@0.8", "--from", &target, "--serial", "7"];
    lab.driftscan(&again).run().refused_with(&["7"]);
}

#[test]
fn list_and_show_name_what_is_there() {
    let (lab, _) = captured();
    let list = lab.driftscan(&["baseline", "list"]).run().succeeds();
    assert!(list.stdout.contains("web@1"), "{list}");
    let show = lab.driftscan(&["baseline", "show", "web@1"]).run().succeeds();
    assert!(show.stdout.contains("web") && show.stdout.contains("debian"), "{show}");
    lab.driftscan(&["baseline", "show", "web@9"]).run().refused_with(&["web@9"]);
}

#[test]
fn a_name_can_not_lead_out_of_the_folder() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    for label in ["../web@1", "web@../../1", "/etc/web@1", "web@", "@1", "-web@1", "web@1/2", "we b@1"] {
        let run = lab.driftscan(&["baseline", "capture", "--from", &golden.target(), "--", label]).run();
        assert_eq!(run.code(), Some(1), "{label}\n{run}");
    }
}

#[test]
fn every_altered_byte_is_refused() {
    let (lab, golden) = captured();
    let file = lab.baseline("web", "1");
    let whole = fs::read(&file).unwrap();
    let step = whole.len() / 40;
    for at in (0..whole.len()).step_by(step) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&file, altered).unwrap();
        let run = scan(&lab, &golden);
        assert_eq!(run.code(), Some(1), "byte {at}\n{run}");
        assert!(run.stderr.contains("web"), "{run}");
    }
}

#[test]
fn a_line_taken_out_added_or_moved_is_refused() {
    let (lab, golden) = captured();
    let file = lab.baseline("web", "1");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut without = lines.clone();
    without.remove(100);
    let mut twice = lines.clone();
    twice.insert(100, lines[100]);
    let mut moved = lines.clone();
    moved.swap(100, 101);
    let cut = lines[..lines.len() - 1].to_vec();
    for spoilt in [without, twice, moved, cut] {
        fs::write(&file, spoilt.join("\n") + "\n").unwrap();
        assert_eq!(scan(&lab, &golden).code(), Some(1));
    }
}

#[test]
fn an_empty_one_is_refused() {
    let (lab, golden) = captured();
    fs::write(lab.baseline("web", "1"), "").unwrap();
    scan(&lab, &golden).refused_with(&["web"]);
}

#[test]
fn a_capture_of_nothing_is_refused() {
    let lab = Lab::new();
    fs::create_dir(lab.path("roots/nothing")).unwrap();
    let target = format!("root:{}", lab.path("roots/nothing").display());
    lab.driftscan(&["baseline", "capture", "web@1", "--from", &target]).run().exits(1);
    assert!(!lab.baseline("web", "1").exists());
    let target = format!("root:{}", lab.path("roots/not-there").display());
    lab.driftscan(&["baseline", "capture", "web@1", "--from", &target]).run().exits(1);
}

#[test]
fn another_schema_is_refused() {
    let (lab, golden) = captured();
    let file = lab.baseline("web", "1");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("driftscan.baseline/v1", "driftscan.baseline/v2", 1)).unwrap();
    let run = scan(&lab, &golden).refused_with(&["web"]);
    assert!(run.stderr.contains("v2"), "{run}");
}

#[test]
fn a_corrupt_package_database_is_not_captured() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    golden.write("/var/lib/dpkg/status", "no database\n");
    lab.driftscan(&["baseline", "capture", "web@1", "--from", &golden.target()]).run().exits(1);
    assert!(!lab.baseline("web", "1").exists());
}

#[test]
fn a_report_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    scene.host("web-01");
    scene.run().succeeds();
    let runs: Vec<_> = fs::read_dir(scene.lab.path("reports")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let run = runs.iter().find(|path| path.join("report.json").exists()).expect("a report of the run");
    assert_eq!(fs::metadata(run).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(run.join("report.json")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(run.join("audit.jsonl").exists());
}
