//! Packages as causes: which findings one change of a package explains, and what the host's own package database says of
//! the others.
//!
//! *Invariant:* a file is explained only where the host's package database holds the digest of exactly its bytes; what
//! does not match stays a finding of its own, and so does whatever runs with more rights than its caller's.

mod changed;
mod files;
mod language;
mod trees;

use super::inquiry::Answers;
use super::reference::{Difference, Reference};
use crate::model::{Cause, CauseKind, Finding, Severity};
use crate::protocol::{Attr, Digest, Kind, Record};

/// Classifies findings by their packages, and names the causes: the gravest first, then by subject.
pub(super) fn explain(
    findings: &mut [Finding],
    difference: &Difference,
    selected: &Reference,
    answers: &Answers,
) -> Vec<Cause> {
    // A finding of a change holds only what differs; the record tells the rights that a file has besides.
    let grants = |path: &[u8]| {
        let subject = [b"fs:", path].concat();
        let at = difference.added.binary_search_by(|record| record.subject().cmp(&subject));
        let record = at.ok().and_then(|at| difference.added.get(at)).map(Record::view);
        record.is_some_and(|record| {
            record.mode().is_some_and(|mode| mode & 0o6000 != 0) && record.kind() == Some(Kind::File)
                || record.attr(Attr::Capability).is_some()
        })
    };
    let mut packages = changed::Packages::of(findings);
    files::classify(findings, &mut packages, answers, &|path| selected.set.set.owner(path), &grants);
    let mut found = packages.explained(findings);
    found.extend(language::folded(findings));
    let taken = found.iter().flat_map(|found| found.findings.iter().copied()).collect();
    found.extend(trees::folded(findings, &taken));
    named(findings, found)
}

/// A cause before it has its place among the others.
struct Found {
    kind: CauseKind,
    subject: Vec<u8>,
    title: String,
    fingerprint: Digest,
    /// Numbers of the findings that it explains, its own included.
    findings: Vec<usize>,
}

/// Orders the causes and marks what they explain.
fn named(findings: &mut [Finding], found: Vec<Found>) -> Vec<Cause> {
    let gravest = |found: &Found| found.findings.iter().filter_map(|at| findings.get(*at)).map(|f| f.severity).max();
    let mut found: Vec<(Severity, Found)> =
        found.into_iter().map(|found| (gravest(&found).unwrap_or(Severity::Low), found)).collect();
    found.sort_by(|(a, x), (b, y)| (b, &x.subject, x.kind).cmp(&(a, &y.subject, y.kind)));
    let mut causes = Vec::with_capacity(found.len());
    for (number, (severity, found)) in found.into_iter().enumerate() {
        let Found { kind, subject, title, fingerprint, findings: explained } = found;
        for at in &explained {
            if let Some(finding) = findings.get_mut(*at) {
                finding.cause = Some(number);
            }
        }
        let findings = explained.len();
        causes.push(Cause { kind, subject, title, severity, fingerprint, findings, evidence: Vec::new() });
    }
    causes
}

/// The path of a finding about an entry of the file system itself.
fn entry(finding: &Finding) -> Option<&[u8]> {
    finding.subject.strip_prefix(b"fs:")
}

/// The permission bits that an added entry has.
fn mode(finding: &Finding) -> u32 {
    finding.after.text(Attr::Mode).and_then(|mode| u32::from_str_radix(mode, 8).ok()).unwrap_or(0)
}

/// Whether an added entry runs with more rights than its caller's: nothing explains that away.
fn is_privileged(finding: &Finding) -> bool {
    let file = finding.after.text(Attr::Kind) == Some("file");
    file && mode(finding) & 0o6000 != 0 || finding.after.text(Attr::Capability).is_some()
}

/// `1 file`, `37 files`.
fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
