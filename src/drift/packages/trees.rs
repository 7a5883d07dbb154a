//! Folders that came or went with all that is in them.
//!
//! *Invariant:* what runs with more rights than its caller's, and what is critical where it lies, is never folded away.

use super::{Found, count, entry, is_privileged, mode};
use crate::model::text::escape;
use crate::model::{CauseKind, Change, Class, Finding, Severity};
use crate::protocol::Attr;
use std::collections::{BTreeMap, BTreeSet};

/// Fewer findings are shown one by one.
const LEAST: usize = 4;

/// The causes, of findings that have none yet.
pub(super) fn folded(findings: &[Finding], taken: &BTreeSet<usize>) -> Vec<Found> {
    let mut found = trees(findings, Change::Added, taken);
    found.extend(trees(findings, Change::Removed, taken));
    found
}

fn trees(findings: &[Finding], change: Change, taken: &BTreeSet<usize>) -> Vec<Found> {
    let side = |finding: &'_ Finding, attr| {
        let attributes = if change == Change::Added { &finding.after } else { &finding.before };
        attributes.text(attr).map(str::to_owned)
    };
    let all: Vec<(usize, &[u8], &Finding)> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.change == change)
        .filter_map(|(at, finding)| Some((at, entry(finding)?, finding)))
        .collect();
    let folders: BTreeSet<&[u8]> = all
        .iter()
        .filter(|(_, _, finding)| side(finding, Attr::Kind).as_deref() == Some("directory"))
        .map(|(_, path, _)| *path)
        .collect();
    // The outermost folder that came or went with a path.
    let top = |path: &[u8]| {
        let above = crate::drift::compare::places(path).take_while(|place| folders.contains(place) || *place == path);
        above.filter(|place| folders.contains(place)).last().map(<[u8]>::to_vec)
    };
    let mut trees: BTreeMap<Vec<u8>, Vec<(usize, &Finding)>> = BTreeMap::new();
    for (at, path, finding) in &all {
        // A package's file that is not as shipped is no part of what somebody added.
        let tampered = change == Change::Added && finding.told.class == Some(Class::Tampered);
        if taken.contains(at) || tampered || is_privileged(finding) || finding.severity == Severity::Critical {
            continue;
        }
        if let Some(top) = top(path) {
            trees.entry(top).or_default().push((*at, *finding));
        }
    }
    let mut found = Vec::new();
    for (path, inside) in trees {
        let own = inside.iter().find(|(_, finding)| entry(finding) == Some(&path));
        let Some((_, own)) = own.filter(|_| inside.len() >= LEAST) else { continue };
        let bytes: u64 = inside.iter().filter_map(|(_, f)| side(f, Attr::Size)?.parse::<u64>().ok()).sum();
        let kind = if change == Change::Added { CauseKind::TreeAdded } else { CauseKind::TreeRemoved };
        let mut parts =
            vec![format!("{} {}: {}", escape(&path), change.word(), count(inside.len(), "entry", "entries"))];
        if change == Change::Added {
            let is_file = |finding: &Finding| finding.after.text(Attr::Kind) == Some("file");
            let executable = inside.iter().filter(|(_, f)| is_file(f) && mode(f) & 0o111 != 0).count();
            if executable > 0 {
                parts.push(format!("{executable} executable"));
            }
        }
        parts.push(size(bytes));
        let unowned = |finding: &Finding| matches!(finding.told.class, Some(Class::Unowned | Class::UnownedExecutable));
        if change == Change::Added && inside.iter().all(|(_, finding)| unowned(finding)) {
            parts.push("no package owns them".to_owned());
        }
        let title = parts.join(", ");
        let numbers = inside.iter().map(|(at, _)| *at).collect();
        found.push(Found {
            kind,
            subject: own.subject.clone(),
            title,
            fingerprint: own.fingerprint,
            findings: numbers,
        });
    }
    found
}

/// `1.2 MB`, in powers of ten.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut tenths, mut unit) = (bytes.saturating_mul(10), 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = tenths.div_ceil(1000);
        unit += 1;
    }
    let word = UNITS.get(unit).copied().unwrap_or("B");
    if unit == 0 || tenths % 10 == 0 {
        format!("{} {word}", tenths / 10)
    } else {
        format!("{}.{} {word}", tenths / 10, tenths % 10)
    }
}
