//! A real Debian root, its undrifted siblings, and one host on which more than a hundred things were changed.
//!
//! *Invariant:* every drift is looked for by its subject, code and sentence, and nothing else may be found.

mod aide;
mod calibrated;
mod drifts;
mod root;

use crate::lab::{Lab, Options, Run, Tree, is_root};
use drifts::{DRIFTS, Drift};
use serde_json::Value;
use std::process::Command;

/// Puts every drift into a root.
fn spoil(lab: &Lab, tree: &Tree) {
    root::install(tree, &root::deb(lab, "bulk", "1.1-1", root::BULK, "changed"));
    root::install(tree, &root::deb(lab, "older", "1.0-1", 3, "first"));
    root::install(tree, &root::deb(lab, "extra", "1.0-1", 20, "only"));
    root::dpkg(tree, &["--purge", "leaving"]);
    tree.append("/usr/lib/bulk/part-7.so", "not as shipped\n");
    tree.replace("/var/lib/dpkg/status", "Package: kept\nStatus: install ok", "Package: kept\nStatus: hold ok");
    for drift in &DRIFTS {
        let status = Command::new("bash").args(["-euc", drift.typed]).env("R", tree.path()).status().unwrap();
        assert!(status.success(), "{}", drift.name);
    }
}

/// A finding: its subject without namespace, its code, what tells it, and the cause that is told in its place.
type Line = (String, String, String, Option<u64>);

/// Whether a finding has a line of its own.
fn told(line: &Line) -> bool {
    line.3.is_none()
}

/// The findings of a host.
fn lines(run: &Run, host: &str) -> Vec<Line> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let host = run.host(host);
    let causes = host["causes"].as_array().cloned().unwrap_or_default();
    let findings = host["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let subject = text(&finding["subject"]);
            let plain = match subject.split_once(':').unwrap() {
                ("pkg", name) => format!("package:{}", name.split(':').next().unwrap()),
                (_, rest) => rest.to_owned(),
            };
            let cause = finding["cause"].as_u64();
            let leads = |cause: &Value| cause["fingerprint"] == finding["fingerprint"];
            let cause_said = cause.map(|at| &causes[usize::try_from(at).unwrap()]).filter(|cause| leads(cause));
            let title = cause_said.map_or_else(|| text(&finding["title"]), |cause| text(&cause["title"]));
            let said = if title.is_empty() { format!("{plain} {finding}") } else { title };
            (plain, text(&finding["code"]), said, cause.filter(|_| cause_said.is_none()))
        })
        .collect()
}

/// Whether a finding is of a drift: of its subject, of what is below, or of a record in it.
fn is_of(drift: &Drift, (subject, ..): &Line) -> bool {
    match drift.subject.strip_suffix('*') {
        Some(beginning) => subject.starts_with(beginning),
        None => subject
            .strip_prefix(drift.subject)
            .is_some_and(|rest| drift.subject.ends_with('#') || rest.is_empty() || rest.starts_with(['/', '#'])),
    }
}

/// What is wrong with how a drift was found; nothing where all is right.
fn judged(drift: &Drift, lines: &[Line]) -> Option<String> {
    let of: Vec<&Line> = lines.iter().filter(|line| is_of(drift, line)).collect();
    let told: Vec<_> = of.iter().filter(|line| told(line)).collect();
    if of.is_empty() {
        return Some("not found".to_owned());
    }
    let right = |(_, code, said, _): &Line| (drift.code == "*" || code == drift.code) && said.contains(drift.says);
    if !of.iter().any(|line| right(line)) {
        return Some(format!("told otherwise: {of:?}"));
    }
    (told.len() > 1).then(|| format!("{} lines: {told:?}", told.len()))
}

#[test]
fn siblings_are_clean_and_every_drift_is_found_and_told_in_a_line() {
    // dpkg --root needs root.
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    let golden = root::golden(&lab);
    lab.capture("web@2026.11.1", &golden);
    let server = lab.sshd("first", &Options::default());
    let mut fleet = vec!["[web] template=web".to_owned()];
    for (number, name) in [(1, "web-01"), (2, "web-02"), (3, "web-03")] {
        let tree = lab.clone_root(&golden, name);
        root::live(&tree, name, number);
        fleet.push(server.line(name, &tree));
    }
    let spoiled = lab.clone_root(&golden, "web-04");
    root::live(&spoiled, "web-04", 4);
    spoil(&lab, &spoiled);
    fleet.push(server.line("web-04", &spoiled));
    lab.hosts_file(&fleet);
    let run = lab.scan(&[]).within(120).run().exits(2);
    for name in ["web-01", "web-02", "web-03"] {
        assert_eq!(run.verdict(name), "clean", "{name}: {:#?}", run.host(name)["findings"]);
    }
    let lines = lines(&run, "web-04");
    let wrong: Vec<String> =
        DRIFTS.iter().filter_map(|drift| Some(format!("{}: {}", drift.name, judged(drift, &lines)?))).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), DRIFTS.len(), wrong.join("\n"));
    let stray: Vec<_> =
        lines.iter().filter(|line| told(line) && !DRIFTS.iter().any(|drift| is_of(drift, line))).collect();
    assert!(stray.is_empty(), "found and not put there: {stray:#?}");
}
