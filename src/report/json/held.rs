//! A report host by host, and of each host only what is counted: verdict, fingerprints, weights, since when.
//!
//! *Invariant:* reads what [`super::write`] writes, a host a line, in memory for one host; anything else is an error and
//! never a shorter report.

mod v1;

use super::{ReadError, SCHEMA, VERSION};
use crate::drift::fleet::ledger::{Entry, Sight};
use crate::model::line::{Head as CauseHead, Outline, Part, outline};
use crate::model::text::{escape, unhex};
use crate::model::{self, Class, FleetOutcome, HostOutcome, RunId, Severity, Verdict};
use crate::protocol::Digest;
use v1::{Cause, Document, Finding, Host};

/// What a report says before its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The run.
    pub run: RunId,
    /// RFC 3339, UTC.
    pub started: String,
    /// Whether a signal cut it off.
    pub is_partial: bool,
    /// Lowest severity that made a host drifted.
    pub drift_at: Severity,
    /// From when on drift was common.
    pub common_at: model::CommonAt,
    /// How many hosts follow.
    pub finished: u64,
}

/// A finding as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFinding {
    /// What differs.
    pub sight: Sight,
    /// The number of the cause that explains it.
    pub cause: Option<usize>,
    /// Whether it was accepted for a time.
    pub is_waived: bool,
    /// Since when it was known, RFC 3339.
    pub first_seen: Option<String>,
}

/// A host as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether anything of it was read.
    pub is_compared: bool,
    /// Digest of its machine id.
    pub machine_id: Option<String>,
    /// Its host key.
    pub host_key: Option<String>,
    /// In the order of the report.
    pub findings: Vec<HeldFinding>,
    /// Fingerprint and severity of each cause.
    pub causes: Vec<(Digest, Severity)>,
}

impl Opening {
    /// That of a whole outcome.
    #[must_use]
    pub fn of(outcome: &FleetOutcome) -> Self {
        Self {
            run: outcome.run.clone(),
            started: outcome.started.clone(),
            is_partial: outcome.interrupted.is_some(),
            drift_at: outcome.drift_at,
            common_at: outcome.common_at,
            finished: outcome.hosts.len() as u64,
        }
    }
}

impl Held {
    /// What is counted of a whole outcome.
    #[must_use]
    pub fn of(host: &HostOutcome) -> Self {
        let finding = |finding: &model::Finding| HeldFinding {
            sight: Sight { fingerprint: finding.fingerprint, severity: finding.severity, class: finding.told.class },
            cause: finding.cause,
            is_waived: finding.waiver.is_some(),
            first_seen: finding.told.first_seen.clone(),
        };
        Self {
            name: host.name.clone(),
            group: host.group.clone(),
            verdict: host.verdict,
            is_compared: host.coverage.is_some(),
            machine_id: host.evidence.machine_id.clone(),
            host_key: host.host_key.clone(),
            findings: host.findings.iter().map(finding).collect(),
            causes: host.causes.iter().map(|cause| (cause.fingerprint, cause.severity)).collect(),
        }
    }

    /// Its lines, for the ledger.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let heads = self.causes.iter().map(|(fingerprint, severity)| CauseHead { fingerprint, severity: *severity });
        let parts = self.findings.iter().map(|finding| Part {
            fingerprint: &finding.sight.fingerprint,
            severity: finding.sight.severity,
            cause: finding.cause,
            is_waived: finding.is_waived,
        });
        let sight = |number: usize| self.findings.get(number).map(|finding| finding.sight);
        let lines = outline(&heads.collect::<Vec<_>>(), &parts.collect::<Vec<_>>());
        let entries = lines.into_iter().filter_map(|line| match line {
            Outline::Cause(at, explains) => {
                let (head, severity) = *self.causes.get(at)?;
                Some(Entry { head, severity, sights: explains.into_iter().filter_map(sight).collect() })
            }
            Outline::Finding(number) => {
                let sight = sight(number)?;
                Some(Entry { head: sight.fingerprint, severity: sight.severity, sights: vec![sight] })
            }
        });
        entries.collect()
    }
}

/// The beginning of the last list of a report, behind which each line is a host.
const HOSTS: &[u8] = b"\"hosts\":[";

/// Reads what stands before the hosts: all up to and with the line that ends with `"hosts":[`; `None` where that is not
/// its end, so that the next line belongs to it as well.
///
/// # Errors
/// Inside, when the bytes are not the beginning of a report.
#[must_use]
pub fn opening(bytes: &[u8]) -> Option<Result<Opening, ReadError>> {
    let bytes = bytes.trim_ascii_end();
    let head = bytes.strip_suffix(HOSTS)?;
    let head = [head.strip_suffix(b",").unwrap_or(head), b"}"].concat();
    Some(read_opening(&head))
}

fn read_opening(head: &[u8]) -> Result<Opening, ReadError> {
    let document: Document<'_> = serde_json::from_slice(head).map_err(|error| ReadError::of_json(&error))?;
    if document.schema != SCHEMA || document.version != VERSION {
        return Err(ReadError::Schema { found: escape(document.schema.as_bytes()) });
    }
    Ok(Opening {
        run: RunId::parse(&document.run).ok_or_else(|| no("run", "run id", &document.run))?,
        started: document.started,
        is_partial: document.interrupted.is_some(),
        drift_at: Severity::of(&document.drift_at).ok_or_else(|| no("drift_at", "severity", &document.drift_at))?,
        common_at: model::CommonAt { permille: document.common_at.permille, hosts: document.common_at.hosts },
        finished: document.summary.finished,
    })
}

/// Reads the line of one host; the last one ends with what closes the document.
///
/// # Errors
/// When the bytes are no host.
pub fn host(line: &[u8]) -> Result<Held, ReadError> {
    let line = line.trim_ascii();
    let line = line.strip_suffix(b",").or_else(|| line.strip_suffix(b"]}")).unwrap_or(line);
    let host: Host<'_> = serde_json::from_slice(line).map_err(|error| ReadError::of_json(&error))?;
    let place = format!("host {}", escape(host.name.as_bytes()));
    let digest = |text: &str| unhex(text).ok_or_else(|| no(&place, "digest", text));
    let severity = |word: &str| Severity::of(word).ok_or_else(|| no(&place, "severity", word));
    let finding = |finding: Finding<'_>| {
        let class = finding.class.as_deref();
        let class = class.map(|word| Class::of(word).ok_or_else(|| no(&place, "class", word))).transpose()?;
        Ok(HeldFinding {
            sight: Sight { fingerprint: digest(&finding.fingerprint)?, severity: severity(&finding.severity)?, class },
            cause: finding.cause.map(usize::try_from).transpose().map_err(|_| no(&place, "cause", "a number"))?,
            is_waived: finding.waiver.is_some(),
            first_seen: finding.first_seen,
        })
    };
    let cause = |cause: Cause<'_>| Ok((digest(&cause.fingerprint)?, severity(&cause.severity)?));
    Ok(Held {
        verdict: Verdict::of(&host.verdict).ok_or_else(|| no(&place, "verdict", &host.verdict))?,
        is_compared: host.coverage.is_some(),
        machine_id: host.evidence.machine_id,
        host_key: host.host_key,
        findings: host.findings.into_iter().map(finding).collect::<Result<_, ReadError>>()?,
        causes: host.causes.into_iter().map(cause).collect::<Result<_, ReadError>>()?,
        name: host.name,
        group: host.group,
    })
}

fn no(place: &str, what: &'static str, found: &str) -> ReadError {
    ReadError::Word { place: place.to_owned(), what, found: escape(found.as_bytes()) }
}
