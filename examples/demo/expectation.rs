//! What the report must say: every host of the cast with the verdict its part deserves.
//!
//! *Invariant:* it reads the JSON report as any other program would, and asks the library nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

use crate::cast::CAST;

/// The status of a scan that found drift.
pub(crate) const DRIFT: u8 = 2;

/// Finds the report of the newest run in `reports`.
pub(crate) fn newest_report(reports: &Path) -> io::Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(reports)? {
        let report = entry?.path().join("report.json");
        if report.is_file() {
            found.push(report);
        }
    }
    // A run's id begins with its time, so the last name is the newest run.
    found.sort();
    found.pop().ok_or_else(|| io::Error::other(format!("no report.json below {}", reports.display())))
}

/// Lists what the report says otherwise than the cast was given; nothing when the demonstration worked.
pub(crate) fn differences(report: &Path, status: u8) -> io::Result<Vec<String>> {
    let document: Value = serde_json::from_slice(&fs::read(report)?)?;
    let mut told = BTreeMap::new();
    for host in document.get("hosts").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(name), Some(verdict)) = (word(host, "name"), word(host, "verdict")) {
            told.insert(name, verdict);
        }
    }
    let mut differences = Vec::new();
    if status != DRIFT {
        differences.push(format!("the scan ended with status {status}, not {DRIFT}"));
    }
    for player in CAST {
        let expected = player.part.verdict();
        match told.remove(player.name) {
            Some(verdict) if verdict == expected => {}
            Some(verdict) => differences.push(format!("{} is {verdict}, not {expected}", player.name)),
            None => differences.push(format!("{} is not in the report", player.name)),
        }
    }
    differences.extend(told.keys().map(|name| format!("{name} is in the report and not in the cast")));
    Ok(differences)
}

fn word<'a>(host: &'a Value, key: &str) -> Option<&'a str> {
    host.get(key).and_then(Value::as_str)
}
