//! The JSON document `driftscan.census/v1`: the clusters of a fleet, what tells them apart, and its odd hosts.
//!
//! Clusters are numbered from 1, the largest first. A mark is a difference against the cluster's pivot, of which `having` of
//! `of` hosts have (or, with `lacks`, have not) what the host of `after` has.
//!
//! *Invariant:* the file's shape lives in `v1` alone; equal censuses give equal bytes.

pub(super) mod v1;

use crate::drift::census::{Census, Cluster, Mark, Odd, Unread};
use crate::model::finding::attr_name;
use crate::model::text::{escape, hex};
use crate::model::{Attributes, Cause, Finding, Obstacle, RunId};
use crate::report::table::title;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Write};

/// The `schema` of a census.
pub const SCHEMA: &str = "driftscan.census/v1";
/// The `version` of a census.
pub const VERSION: u32 = 1;

/// When hosts were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The id.
    pub run: RunId,
    /// RFC 3339, UTC.
    pub started: String,
    /// Milliseconds from start to end.
    pub millis: u64,
}

/// Writes a census: one line of JSON.
///
/// # Errors
/// When the writer fails.
pub fn write(head: &Head, census: &Census, w: &mut dyn Write) -> io::Result<()> {
    let Census { clusters, odd, unread, selected } = census;
    let document = v1::Census {
        schema: SCHEMA,
        version: VERSION,
        run: head.run.as_str(),
        started: &head.started,
        millis: head.millis,
        summary: v1::Summary {
            status: census.status(),
            selected: *selected as u64,
            counted: census.counted() as u64,
            clusters: clusters.len() as u64,
            odd: odd.len() as u64,
            strays: odd.iter().filter(|odd| odd.stray).count() as u64,
            unread: unread.len() as u64,
        },
        clusters: clusters.iter().zip(1..).map(|(cluster, number)| self::cluster(cluster, number)).collect(),
        odd: odd.iter().map(self::odd).collect(),
        unread: unread.iter().map(self::unread).collect(),
    };
    serde_json::to_writer(&mut *w, &document)?;
    w.write_all(b"\n")
}

fn cluster(from: &Cluster, number: u64) -> v1::Cluster<'_> {
    let Cluster { system, pivot, hosts, others, medoid, atypical, apart, divided, natural } = from;
    v1::Cluster {
        number,
        system,
        pivot,
        hosts,
        others: *others as u64,
        medoid: medoid.as_deref(),
        atypical: atypical.iter().map(mark).collect(),
        apart: apart.iter().map(mark).collect(),
        divided: divided.iter().map(mark).collect(),
        natural,
    }
}

fn odd(from: &Odd) -> v1::Odd<'_> {
    let Odd { host, cluster, stray, score, marks, more } = from;
    v1::Odd {
        host,
        cluster: cluster.map(|number| number as u64 + 1),
        stray: *stray,
        score: *score,
        marks: marks.iter().map(mark).collect(),
        more: *more as u64,
    }
}

fn mark(from: &Mark) -> v1::Mark<'_> {
    let Mark { finding: own, cause, lacks, findings, having, of, elsewhere } = from;
    v1::Mark {
        lacks: *lacks,
        finding: finding(own),
        cause: cause.as_ref().map(self::cause),
        findings: *findings as u64,
        having: *having as u64,
        of: *of as u64,
        elsewhere: *elsewhere as u64,
    }
}

pub(super) fn finding(from: &Finding) -> v1::Finding<'_> {
    let path = from.path();
    v1::Finding {
        code: from.code.word(),
        kind: from.change.word(),
        title: title(from),
        subject: escape(&from.subject),
        subject_b64: base64_unless_utf8(&from.subject),
        path: path.map(escape),
        path_b64: path.and_then(base64_unless_utf8),
        severity: from.severity.word(),
        fingerprint: hex(&from.fingerprint),
        key: hex(&from.key),
        before: attributes(&from.before),
        after: attributes(&from.after),
    }
}

pub(super) fn cause(from: &Cause) -> v1::Cause<'_> {
    v1::Cause {
        kind: from.kind.word(),
        subject: escape(&from.subject),
        title: &from.title,
        severity: from.severity.word(),
        fingerprint: hex(&from.fingerprint),
        findings: from.findings as u64,
    }
}

fn unread(from: &Unread) -> v1::Unread<'_> {
    let Unread { host, counted, reasons } = from;
    v1::Unread { host, counted: *counted, reasons: reasons.iter().map(obstacle).collect() }
}

pub(super) fn obstacle(from: &Obstacle) -> v1::Obstacle<'_> {
    let Obstacle { reason, text, remedy } = from;
    v1::Obstacle { reason: reason.word(), text, remedy: remedy.as_deref() }
}

fn base64_unless_utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| STANDARD.encode(bytes))
}

fn attributes(from: &Attributes) -> v1::Attributes<'_> {
    from.0.iter().map(|(attr, text)| (attr_name(*attr), text.as_str())).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests;
