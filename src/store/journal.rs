//! The journal of a run: each host the moment it is done, so that a run that is killed loses nothing.
//!
//! One JSON object a line. Every line begins with the SHA-256 of the rest of it, so that a line cut off by a crash, or
//! changed since, is found out and costs that one host alone.
//!
//! *Invariant:* a line whose digest does not hold is never read as a host.

use super::error::StoreError;
use super::lines::Lines;
use super::{files, v1};
use crate::model::text::{escape, hex};
use crate::model::{BaselineUse, CommonAt, Digests, FleetOutcome, HostOutcome, Resumed, RunId, Severity};
use crate::report::json::{host_line, parse_host_line};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The `schema` of the first line.
pub const SCHEMA: &str = "driftscan.journal/v1";

/// What is known when a run starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The run's id.
    pub run: RunId,
    /// RFC 3339, UTC.
    pub started: String,
    /// Names of the hosts that were selected, in the order of the fleet.
    pub selected: Vec<String>,
    /// The baselines that hosts are compared with.
    pub baselines: Vec<BaselineUse>,
    /// Digests of what decides.
    pub digests: Digests,
    /// Lowest severity that makes a host drifted.
    pub drift_at: Severity,
    /// Whether outdated hosts leave the exit status 0.
    pub allow_outdated: bool,
    /// Things said once for the run.
    pub notes: Vec<String>,
    /// What is taken over from an earlier run; those hosts are the first in the journal.
    pub resumed: Option<Resumed>,
}

/// A journal that is being written, from any thread.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    lines: Lines,
    began: Instant,
}

impl Journal {
    pub(super) fn create(path: &Path, start: &Start) -> Result<Self, StoreError> {
        let file = files::create_file(path).map_err(StoreError::io(path, "created"))?;
        let journal = Self { path: path.to_owned(), lines: Lines::new(file), began: Instant::now() };
        let rest = serde_json::to_vec(&shaped(start)).map_err(|error| StoreError::io(path, "written")(error.into()))?;
        journal.put(&[b"\"start\":", &*rest, b"}"].concat())?;
        journal.finish()?;
        Ok(journal)
    }

    /// Appends a host that is done.
    ///
    /// # Errors
    /// When the disk is full or fails; the journal then lacks the host and is whole otherwise.
    pub fn append(&self, host: &HostOutcome) -> Result<(), StoreError> {
        let head = format!("\"after_ms\":{},\"host\":", self.began.elapsed().as_millis());
        self.put(&[head.as_bytes(), &host_line(host), b"}"].concat())
    }

    /// Writes everything to the disk; the last call of a run.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn finish(&self) -> Result<(), StoreError> {
        self.lines.sync().map_err(StoreError::io(&self.path, "written"))
    }

    fn put(&self, rest: &[u8]) -> Result<(), StoreError> {
        self.lines.append(&guarded(rest)).map_err(StoreError::io(&self.path, "written"))
    }
}

/// A line from what stands behind its digest.
fn guarded(rest: &[u8]) -> Vec<u8> {
    [b"{\"sha256\":\"", hex(&Sha256::digest(rest)).as_bytes(), b"\",", rest].concat()
}

/// A line that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrupt {
    /// From 1.
    pub line: usize,
    /// What is wrong with it, escaped.
    pub why: String,
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What was known when the run started.
    pub start: Start,
    /// The hosts that were done, in the order of the fleet.
    pub hosts: Vec<HostOutcome>,
    /// Milliseconds from the start to the last of them.
    pub millis: u64,
    /// Whether the last line was cut off.
    pub torn: bool,
    /// Lines that are not what was written; their hosts count as not done.
    pub corrupt: Vec<Corrupt>,
}

impl Contents {
    /// Reads a journal's bytes.
    ///
    /// # Errors
    /// The first line, where it is unusable: without it no other line means anything.
    pub fn parse(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut lines = bytes.split_inclusive(|b| *b == b'\n').enumerate();
        let first = lines.next().map(|(_, line)| line).unwrap_or_default();
        let start = begin(first).map_err(|why| Corrupt { line: 1, why })?;
        let (mut done, mut corrupt, mut torn, mut millis) = (BTreeMap::new(), Vec::new(), false, 0);
        let places: BTreeMap<&str, usize> = start.selected.iter().map(String::as_str).zip(0..).collect();
        // An empty line ends one that a full disk cut short.
        for (at, line) in lines.filter(|(_, line)| *line != b"\n") {
            let parsed = host(line).and_then(|(after, host)| match places.get(host.name.as_str()) {
                Some(place) => Ok((*place, after, host)),
                None => Err(format!("host {} was not selected", escape(host.name.as_bytes()))),
            });
            match parsed {
                // A host that stands there twice was asked again: the later answer counts.
                Ok((place, after, host)) => {
                    millis = millis.max(after);
                    done.insert(place, host);
                }
                Err(_) if !line.ends_with(b"\n") => torn = true,
                Err(why) => corrupt.push(Corrupt { line: at + 1, why }),
            }
        }
        Ok(Self { hosts: done.into_values().collect(), start, millis, torn, corrupt })
    }

    /// The outcome of a run that left no report: cut off by a signal that nobody can catch.
    #[must_use]
    pub fn into_outcome(self) -> FleetOutcome {
        let Self { start, hosts, millis, torn, corrupt } = self;
        let mut notes = start.notes;
        notes.push(format!(
            "run {} left no report.json: it was killed, or is still running. This is what its journal holds: {} of {} \
             hosts.",
            start.run,
            hosts.len(),
            start.selected.len()
        ));
        if !start.digests.waivers.is_empty() {
            notes.push("Waivers are applied to a run that went to its end; none is applied here.".to_owned());
        }
        if torn {
            notes.push("The journal's last line was cut off; its host counts as not scanned.".to_owned());
        }
        for Corrupt { line, why } in corrupt {
            notes.push(format!("journal.jsonl, line {line}: {why}; its host counts as not scanned."));
        }
        FleetOutcome {
            run: start.run,
            started: start.started,
            millis,
            resumed: start.resumed,
            interrupted: Some(9),
            selected: start.selected.len(),
            hosts,
            baselines: start.baselines,
            digests: start.digests,
            drift_at: start.drift_at,
            allow_outdated: start.allow_outdated,
            // Fleet analysis and waivers are of a whole run alone.
            common_at: CommonAt::default(),
            common: Vec::new(),
            history: None,
            waivers: Vec::new(),
            notes,
        }
    }
}

/// What stands behind the digest, where that holds.
fn unguarded(line: &[u8]) -> Result<&[u8], String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (digest, rest) = line
        .strip_prefix(b"{\"sha256\":\"")
        .and_then(|line| line.split_at_checked(64))
        .and_then(|(digest, rest)| Some((digest, rest.strip_prefix(b"\",")?)))
        .ok_or("it does not begin with its digest")?;
    if hex(&Sha256::digest(rest)).as_bytes() == digest {
        Ok(rest)
    } else {
        Err("its digest does not hold: it was cut off or changed".to_owned())
    }
}

fn begin(line: &[u8]) -> Result<Start, String> {
    let rest = unguarded(line)?;
    let body = rest.strip_prefix(b"\"start\":").and_then(|rest| rest.strip_suffix(b"}"));
    let body = body.ok_or("it is not the start of a run")?;
    let start: v1::Start = serde_json::from_slice(body).map_err(|error| escape(error.to_string().as_bytes()))?;
    if start.schema != SCHEMA || start.version != 1 {
        return Err(format!("it is of schema `{}`, not `{SCHEMA}`", escape(start.schema.as_bytes())));
    }
    let v1::Digests { tool, probe, policy, inventory, ways, waivers, baselines } = start.digests;
    Ok(Start {
        run: RunId::parse(&start.run).ok_or("its run id is none")?,
        started: start.started,
        selected: start.selected,
        baselines: baselines
            .into_iter()
            .map(|v1::Baseline { label, digest, group, note }| BaselineUse { label, digest, group, note })
            .collect(),
        digests: Digests { tool, probe, policy, inventory, ways, waivers },
        drift_at: Severity::of(&start.drift_at).ok_or("its threshold is no severity")?,
        allow_outdated: start.allow_outdated,
        notes: start.notes,
        resumed: match start.resumed {
            None => None,
            Some(v1::Resumed { run, since, hosts }) => Some(Resumed {
                run: RunId::parse(&run).ok_or("the run that it took up has no run id")?,
                since,
                hosts: usize::try_from(hosts).map_err(|_| "it took over more hosts than can be counted")?,
            }),
        },
    })
}

fn host(line: &[u8]) -> Result<(u64, HostOutcome), String> {
    let no_host = || "it is not a host".to_owned();
    let rest = unguarded(line)?.strip_prefix(b"\"after_ms\":").ok_or_else(no_host)?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (after, rest) = rest.split_at_checked(digits).ok_or_else(no_host)?;
    let after = str::from_utf8(after).ok().and_then(|text| text.parse().ok()).ok_or_else(no_host)?;
    let body = rest.strip_prefix(b",\"host\":").and_then(|rest| rest.strip_suffix(b"}")).ok_or_else(no_host)?;
    parse_host_line(body).map(|host| (after, host)).map_err(|error| error.to_string())
}

fn shaped(start: &Start) -> v1::Start {
    let Start { run, started, selected, baselines, digests, drift_at, allow_outdated, notes, resumed } = start.clone();
    let Digests { tool, probe, policy, inventory, ways, waivers } = digests;
    let baselines = baselines
        .into_iter()
        .map(|BaselineUse { label, digest, group, note }| v1::Baseline { label, digest, group, note })
        .collect();
    v1::Start {
        schema: SCHEMA.to_owned(),
        version: 1,
        run: run.as_str().to_owned(),
        started,
        selected,
        drift_at: drift_at.word().to_owned(),
        allow_outdated,
        digests: v1::Digests { tool, probe, policy, inventory, ways, waivers, baselines },
        notes,
        resumed: resumed.map(|Resumed { run, since, hosts }| v1::Resumed {
            run: run.as_str().to_owned(),
            since,
            hosts: hosts as u64,
        }),
    }
}

#[cfg(test)]
mod tests;
