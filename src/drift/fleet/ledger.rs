//! Who holds what: the findings of a whole run as numbers, so that ten thousand hosts with a hundred findings each fit.
//!
//! A run is counted by how its findings were told, not by their fingerprints alone: where one host's package database
//! owns a file and another's does not, the same bytes are two things, and neither hides behind the other.
//!
//! *Invariant:* order of hosts is that of the run; nothing of a finding is kept but what tells it from others.

use crate::model::line::{self, Outline};
use crate::model::{Cause, Class, FleetOutcome, HostOutcome, Severity};
use crate::protocol::Digest;
use std::collections::HashMap;

/// A finding as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sight {
    /// What differs.
    pub fingerprint: Digest,
    /// How much it matters on this host.
    pub severity: Severity,
    /// What the host's databases say of it.
    pub class: Option<Class>,
}

/// A line of a host: the head's fingerprint, the line's severity, and how many sights stand behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Number of the fingerprint that names the line.
    pub(super) head: u32,
    /// How much the line matters.
    pub(super) severity: Severity,
    /// How many of the host's sights are its, after those of the lines before it.
    pub(super) sights: u32,
}

/// What one host holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) name: Box<str>,
    pub(super) group: u32,
    pub(super) compared: bool,
    pub(super) rows: Box<[Row]>,
    /// Numbers of sights, line after line.
    pub(super) sights: Box<[u32]>,
}

/// What a run holds.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    pub(super) groups: Vec<Box<str>>,
    group_numbers: HashMap<Box<str>, u32>,
    pub(super) heads: Vec<Digest>,
    head_numbers: HashMap<Digest, u32>,
    pub(super) sights: Vec<Sight>,
    sight_numbers: HashMap<Sight, u32>,
    pub(super) hosts: Vec<Holding>,
}

/// One line to take down: what names it, how much it matters, and what it stands for.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The fingerprint that names the line.
    pub head: Digest,
    /// How much the line matters.
    pub severity: Severity,
    /// Its findings.
    pub sights: Vec<Sight>,
}

impl Ledger {
    /// Takes down a whole run.
    #[must_use]
    pub fn of(outcome: &FleetOutcome) -> Self {
        let mut ledger = Self::default();
        for host in &outcome.hosts {
            ledger.add(&host.name, &host.group, host.coverage.is_some(), entries(host));
        }
        ledger
    }

    /// Takes down the next host; `compared` says whether anything of it was read.
    pub fn add(&mut self, name: &str, group: &str, compared: bool, entries: impl IntoIterator<Item = Entry>) {
        let group = number(&mut self.group_numbers, &mut self.groups, Box::from(group));
        let (mut rows, mut sights) = (Vec::new(), Vec::new());
        for entry in entries {
            let head = number(&mut self.head_numbers, &mut self.heads, entry.head);
            let count = u32::try_from(entry.sights.len()).unwrap_or(u32::MAX);
            rows.push(Row { head, severity: entry.severity, sights: count });
            sights
                .extend(entry.sights.into_iter().map(|sight| number(&mut self.sight_numbers, &mut self.sights, sight)));
        }
        self.hosts.push(Holding { name: name.into(), group, compared, rows: rows.into(), sights: sights.into() });
    }

    /// How many hosts were taken down.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

/// The number of a value, a new one where it is not known yet.
fn number<T: Clone + Eq + std::hash::Hash>(numbers: &mut HashMap<T, u32>, values: &mut Vec<T>, value: T) -> u32 {
    let next = u32::try_from(values.len()).unwrap_or(u32::MAX);
    *numbers.entry(value).or_insert_with_key(|value| {
        values.push(value.clone());
        next
    })
}

/// The lines of a host as they are taken down.
fn entries(host: &HostOutcome) -> impl Iterator<Item = Entry> {
    let sight = |number: usize| {
        let finding = host.findings.get(number)?;
        Some(Sight { fingerprint: finding.fingerprint, severity: finding.severity, class: finding.told.class })
    };
    line::outline_of(host).into_iter().filter_map(move |line| match line {
        Outline::Cause(at, explains) => {
            let Cause { fingerprint, severity, .. } = host.causes.get(at)?;
            let sights = explains.into_iter().filter_map(sight).collect();
            Some(Entry { head: *fingerprint, severity: *severity, sights })
        }
        Outline::Finding(number) => {
            let sight = sight(number)?;
            Some(Entry { head: sight.fingerprint, severity: sight.severity, sights: vec![sight] })
        }
    })
}

impl Holding {
    /// The lines, each with its sights.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Row, &[u32])> {
        let mut rest = &self.sights[..];
        self.rows.iter().map(move |row| {
            let (own, after) = rest.split_at_checked(row.sights as usize).unwrap_or((rest, &[]));
            rest = after;
            (*row, own)
        })
    }
}
