//! From an observation to a verdict.
//!
//! *Invariant:* `Clean` and `Outdated` are made from a `Complete` alone, and only `complete` makes one; less coverage
//! never gives a better verdict.

use super::compare::{by_weight, compare, is_drift, mount_added, reason};
use super::reference::{Difference, Reference};
use crate::manifest::Identity;
use crate::model::text::escape;
use crate::model::{Finding, HostCoverage, Obstacle, Reason, TroubleShown, Verdict};
use crate::policy::Policy;
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::reply::Texts;
use crate::protocol::{Attr, Mask, Value};
use std::collections::{BTreeMap, HashSet};

/// What a host said, verified as far as it can be from outside.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The system it says it is.
    pub identity: Identity,
    /// What is true of it alone.
    pub evidence: Texts,
    /// What was read.
    pub coverage: Coverage,
    /// Whether kernel and mounts were part of it.
    pub live: bool,
    /// What was found.
    pub found: Found,
}

/// How the host's set relates to the references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It equals the reference of this number, 0 being the selected one.
    Equal(usize),
    /// It differs from the selected one in this, which was proven by its root.
    Different(Difference),
    /// Another system: nothing was compared.
    AnotherSystem,
}

/// What the observation makes of the host.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// `NAME@VERSION` that findings are against.
    pub reference: String,
    /// For an outdated host.
    pub versions_behind: Option<u32>,
    /// Sorted, the worst first.
    pub findings: Vec<Finding>,
    /// Why not everything was verified.
    pub reasons: Vec<Obstacle>,
    /// What was read.
    pub coverage: HostCoverage,
}

/// Proof that everything asked was read or is excused by name.
#[derive(Debug)]
struct Complete(());

fn complete(reasons: &[Obstacle]) -> Option<Complete> {
    reasons.is_empty().then_some(Complete(()))
}

fn sound(_: Complete, equal: usize) -> Verdict {
    if equal == 0 { Verdict::Clean } else { Verdict::Outdated }
}

/// Judges an observation against the references, the selected one first and then older ones, newest first.
#[must_use]
pub fn judge(references: &[Reference], awaiting_view: u64, observation: &Observation, policy: &Policy) -> Judgement {
    let selected = references.first();
    let label = |at: usize| references.get(at).map_or_else(String::new, |reference| reference.label.to_string());
    let coverage = &observation.coverage;
    let untold = match &observation.found {
        Found::Different(difference) => untold(difference, coverage),
        Found::Equal(_) | Found::AnotherSystem => Vec::new(),
    };
    let mut reasons = obstacles(coverage, &untold, policy);
    let mut findings = Vec::new();
    let mut equal = 0;
    match &observation.found {
        Found::Equal(at) => equal = *at,
        Found::Different(difference) => findings = compare(difference, coverage, policy),
        Found::AnotherSystem => reasons.insert(
            0,
            Obstacle {
                reason: Reason::WrongBaseline,
                text: format!(
                    "it is {}, and {} is of another system",
                    escape(observation.identity.to_string().as_bytes()),
                    label(0)
                ),
                remedy: Some("give it a template of its own system: template=NAME in the hosts file".to_owned()),
            },
        ),
    }
    if observation.found != Found::AnotherSystem {
        findings.extend(unasked_mounts(observation, policy));
        by_weight(&mut findings);
    }
    let has_packages =
        |reference: &Reference| reference.set.set.records.iter().any(|record| record.subject().starts_with(b"pkg:"));
    let compared = observation.found != Found::AnotherSystem;
    let told = reasons.iter().any(|obstacle| obstacle.reason == Reason::Packages);
    if compared && !coverage.has_packages && !told && selected.is_some_and(has_packages) {
        reasons.push(Obstacle {
            reason: Reason::Packages,
            text: "it has no package database that driftscan reads, and its baseline has packages".to_owned(),
            remedy: None,
        });
    }
    let verdict = if is_drift(&findings, policy.drift_at()) {
        Verdict::Drifted
    } else {
        complete(&reasons).map_or(Verdict::Unverifiable, |proof| sound(proof, equal))
    };
    let coverage = shown(observation, reasons.is_empty(), awaiting_view, policy);
    let behind = (verdict == Verdict::Outdated).then(|| u32::try_from(equal).unwrap_or(u32::MAX));
    Judgement { verdict, reference: label(equal), versions_behind: behind, findings, reasons, coverage }
}

/// Attributes that came unread and that no trouble accounts for. They are no findings, so without this a host whose
/// coverage is silent about them would be clean.
fn untold(difference: &Difference, coverage: &Coverage) -> Vec<Trouble> {
    let told: HashSet<(&[u8], Part)> = coverage.troubles.iter().map(|t| (t.path.as_slice(), t.part)).collect();
    let mut untold = Vec::new();
    for record in &difference.added {
        let place = record.view().path().unwrap_or(record.subject());
        let mut unread: Vec<(Part, Why)> = Vec::new();
        for (attr, value) in record.view().attrs() {
            if let Value::Unread(why) = value
                && !told.contains(&(place, part(attr)))
            {
                unread.push((part(attr), why));
            }
        }
        unread.dedup();
        untold.extend(unread.into_iter().map(|(part, why)| Trouble { path: place.to_vec(), part, why, errno: 0 }));
    }
    untold
}

/// The part of an entry that an attribute is read with.
fn part(attr: Attr) -> Part {
    if matches!(attr, Attr::Content | Attr::View) {
        Part::Content
    } else if Mask::XATTRS.has(attr) {
        Part::Xattrs
    } else {
        Part::Entry
    }
}

/// Mounts that were not entered, where no mount table is compared: the baseline is of a folder, or the host is one. They
/// lie over folders that the template has on its own disk, so each is a finding unless the rules leave its tree out.
fn unasked_mounts(observation: &Observation, policy: &Policy) -> Vec<Finding> {
    if observation.live || observation.coverage.skipped_mounts.is_empty() {
        return Vec::new();
    }
    let rules = policy.compile();
    let left_out = |path: &[u8]| rules.prunes(&rules.narrow(&rules.all(), path)).is_some();
    let mounts = observation.coverage.skipped_mounts.iter();
    let asked = mounts.filter(|mount| !left_out(&mount.path) && !is_of_the_kernel(mount));
    asked.map(|mount| mount_added(mount, policy)).collect()
}

/// What every running Linux has: devices, and memory in the places that the probe looks into all the same.
fn is_of_the_kernel(mount: &SkippedMount) -> bool {
    let device = mount.path == b"/dev" || mount.path.starts_with(b"/dev/");
    match &mount.fs_type[..] {
        b"devtmpfs" | b"devpts" | b"mqueue" | b"hugetlbfs" => device,
        b"proc" => mount.path == b"/proc",
        b"sysfs" => mount.path == b"/sys",
        b"tmpfs" | b"ramfs" => device || matches!(&mount.path[..], b"/run" | b"/tmp" | b"/var/tmp"),
        _ => false,
    }
}

/// What was not read and is not excused, an obstacle a reason. What nobody accounted for can't be excused.
fn obstacles(coverage: &Coverage, untold: &[Trouble], policy: &Policy) -> Vec<Obstacle> {
    let mut by_reason: BTreeMap<Reason, Vec<&Trouble>> = BTreeMap::new();
    for trouble in coverage.troubles.iter().filter(|trouble| !excused(trouble, policy)).chain(untold) {
        by_reason.entry(reason(trouble.why)).or_default().push(trouble);
    }
    let lost = coverage.troubles_total.saturating_sub(coverage.troubles.len() as u64);
    let mut obstacles: Vec<Obstacle> =
        by_reason.into_iter().map(|(reason, troubles)| obstacle(reason, &troubles)).collect();
    if lost > 0 {
        obstacles.push(Obstacle {
            reason: Reason::Limit,
            text: format!("{lost} more things were not read than can be listed"),
            remedy: None,
        });
    }
    obstacles
}

fn excused(trouble: &Trouble, policy: &Policy) -> bool {
    // Only a refusal can be excused by name: a race or a limit says nothing about what the account may read.
    reason(trouble.why) == Reason::Unreadable && trouble.part != Part::Source && policy.excuses(&trouble.path)
}

fn obstacle(reason: Reason, troubles: &[&Trouble]) -> Obstacle {
    const SHOWN: usize = 3;
    let names: Vec<String> = troubles.iter().take(SHOWN).map(|trouble| escape(&trouble.path)).collect();
    let more = troubles.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = names.join(", ");
    let (text, remedy) = match reason {
        Reason::Unreadable => (
            format!("not readable: {names}{tail}"),
            Some(
                "scan with --sudo, or name what the account may not read in the policy's excuse_unreadable".to_owned(),
            ),
        ),
        Reason::Racing => (
            format!("changed while they were read, twice: {names}{tail}"),
            Some(
                "scan again when the host is quiet; if they always change, compare them by metadata in the policy"
                    .to_owned(),
            ),
        ),
        Reason::Limit => (
            format!("a limit was reached at {names}{tail}"),
            Some("find out what filled it, or raise [limits] in the policy".to_owned()),
        ),
        Reason::Packages => (
            "its package database is locked, interrupted or not well-formed".to_owned(),
            Some("on the host: dpkg --audit".to_owned()),
        ),
        Reason::Internal => (format!("a process of the probe ended early; not read: {names}{tail}"), None),
        _ => (format!("errors of the host's kernel at {names}{tail}"), None),
    };
    Obstacle { reason, text, remedy }
}

fn shown(observation: &Observation, complete: bool, awaiting_view: u64, policy: &Policy) -> HostCoverage {
    let coverage = &observation.coverage;
    let rule =
        |number: u16| policy.rule_of(number).map_or_else(|| "(no rule)".to_owned(), crate::policy::RuleText::path);
    HostCoverage {
        complete,
        walked: coverage.walked,
        compared: coverage.compared,
        awaiting_view,
        hashed_bytes: coverage.hashed_bytes,
        oversize: coverage.oversize,
        packages: coverage.has_packages.then_some(coverage.packages),
        live: observation.live,
        flags_untold: coverage.flags_untold,
        ignored: coverage.ignored.iter().map(|(number, count)| (rule(*number), *count)).collect(),
        pruned: coverage.pruned.iter().map(|(number, path)| (rule(*number), escape(path))).collect(),
        skipped_mounts: coverage.skipped_mounts.iter().map(|m| (escape(&m.path), escape(&m.fs_type))).collect(),
        troubles: coverage.troubles.iter().map(|trouble| trouble_shown(trouble, policy)).collect(),
        troubles_total: coverage.troubles_total,
        millis: coverage.millis,
    }
}

fn trouble_shown(trouble: &Trouble, policy: &Policy) -> TroubleShown {
    TroubleShown {
        path: escape(&trouble.path),
        reason: reason(trouble.why),
        part: match trouble.part {
            Part::Below => "entries",
            Part::Entry => "entry",
            Part::Content => "content",
            Part::Xattrs => "xattrs",
            Part::Source => "source",
        },
        excused: excused(trouble, policy),
    }
}
