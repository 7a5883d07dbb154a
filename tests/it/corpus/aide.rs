//! AIDE with Debian's own rules on the same corpus, for the figures of the README: found, missed, lines of noise.
//!
//! AIDE compares a machine with itself, so it is given that: its database is made on the very root that is changed
//! afterwards.
//!
//! *Invariant:* runs only where it is asked for, and needs `apt-get install aide aide-common`.

use super::drifts::DRIFTS;
use super::{lines, root, spoil, told};
use crate::lab::{Lab, Options, Tree, is_root};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs AIDE on a root; the paths of its lists, and how long it took.
fn aide(lab: &Lab, tree: &Tree, word: &str) -> (BTreeSet<String>, Duration) {
    let database = lab.path("tmp/aide.db").display().to_string();
    let shipped = fs::read_to_string("/etc/aide/aide.conf").expect("apt-get install aide aide-common");
    let own = |line: &&str| !line.starts_with("database_") || line.starts_with("database_attrs");
    let mut config = shipped.lines().filter(own).collect::<Vec<_>>().join("\n");
    let root = tree.path().display();
    let own = "report_level=list_entries";
    write!(config, "\ndatabase_in=file:{database}\ndatabase_out=file:{database}\n{own}\nroot_prefix={root}\n").unwrap();
    fs::write(lab.path("tmp/aide.conf"), config.replace("gzip_dbout=yes", "gzip_dbout=no")).unwrap();
    let start = Instant::now();
    let output = Command::new("aide").arg("--config").arg(lab.path("tmp/aide.conf")).arg(word).output().unwrap();
    let took = start.elapsed();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code().is_some_and(|code| code < 14), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let entry = |line: &str| {
        let (marks, path) = line.split_once(": /")?;
        (marks.len() > 10 && !marks.contains("  ") && !path.contains(" | ")).then(|| format!("/{path}"))
    };
    (text.lines().filter_map(entry).collect(), took)
}

/// Whether AIDE's list names what a drift touched.
fn names(list: &BTreeSet<String>, subject: &str) -> bool {
    let path = subject.split('#').next().unwrap_or_default();
    let path = match path {
        "package:bulk" => "/usr/lib/bulk/part-1.so",
        "package:older" => "/usr/lib/older/part-1.so",
        "package:extra" => "/usr/lib/extra",
        "package:leaving" => "/usr/lib/leaving",
        "package:kept" => "/var/lib/dpkg/status",
        path => path.trim_end_matches('*'),
    };
    list.iter().any(|found| found.starts_with(path))
}

#[test]
#[expect(clippy::print_stderr, reason = "it is run for what it prints")]
#[ignore = "needs aide and aide-common; gives figures"]
fn beside_aide() {
    assert!(is_root(), "dpkg --root needs root");
    let lab = Lab::new();
    let golden = root::golden(&lab);
    lab.capture("web@2026.11.1", &golden);
    let server = lab.sshd("first", &Options::default());
    let (quiet, spoiled) = (lab.clone_root(&golden, "web-01"), lab.clone_root(&golden, "web-04"));
    let (_, made) = aide(&lab, &quiet, "--init");
    root::live(&quiet, "web-01", 1);
    let (noise, checked) = aide(&lab, &quiet, "--check");
    root::live(&spoiled, "web-04", 4);
    aide(&lab, &spoiled, "--init");
    spoil(&lab, &spoiled);
    let (found, _) = aide(&lab, &spoiled, "--check");
    aide(&lab, &golden, "--init");
    let (sibling, _) = aide(&lab, &quiet, "--check");

    lab.hosts_file(&["[web] template=web".to_owned(), server.line("web-01", &quiet), server.line("web-04", &spoiled)]);
    let run = lab.scan(&[]).within(120).run();
    let lines = lines(&run, "web-04");
    let entries = walked(golden.path());
    let missed: Vec<&str> =
        DRIFTS.iter().filter(|drift| !names(&found, drift.subject)).map(|drift| drift.name).collect();
    eprintln!("{} drifts, {entries} entries in the root", DRIFTS.len());
    eprintln!("driftscan: {} lines for the drifted host", lines.iter().filter(|line| told(line)).count());
    eprintln!("driftscan: {} findings on the undrifted host", run.host("web-01")["findings"].as_array().unwrap().len());
    for host in ["web-01", "web-04"] {
        eprintln!("driftscan: {host} took {} ms", run.host(host)["wire"]["millis"]);
    }
    eprintln!(
        "AIDE: {} lines for the drifted host, {} drifts named, missed: {missed:?}",
        found.len(),
        DRIFTS.len() - missed.len()
    );
    eprintln!("AIDE: {} lines of noise on the undrifted host against itself: {noise:?}", noise.len());
    eprintln!("AIDE: {} lines of noise against the golden machine's database", sibling.len());
    eprintln!("AIDE: --init {made:?}, --check {checked:?}");
}

fn walked(root: &Path) -> usize {
    let output = Command::new("find").arg(root).output().unwrap();
    output.stdout.split(|byte| *byte == b'\n').count()
}
