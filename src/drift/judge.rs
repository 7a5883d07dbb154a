//! From an observation to a verdict.
//!
//! *Invariant:* `Clean` and `Outdated` are made from a `Complete` alone, and only `complete` makes one; less coverage
//! never gives a better verdict.

use super::compare::{by_weight, is_drift, mount_added, places, reason};
use super::explanation::Explanation;
use super::image::{self, Standing};
use super::inquiry::Answers;
use super::reference::{Difference, Reference};
use super::state;
use super::versions::Choice;
use crate::manifest::Identity;
use crate::model::text::escape;
use crate::model::{Cause, Finding, HostCoverage, Image, Obstacle, Reason, StateAtRisk, TroubleShown, Verdict};
use crate::policy::{Policy, UNSEEN};
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::reply::{Texts, evidence};
use crate::protocol::{Attr, Mask, System, Value};
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
    /// Where it equals no version, with which one it is compared.
    pub choice: Choice,
    /// What it was asked besides.
    pub answers: Answers,
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
    /// For a host that is compared with an older version than the selected one.
    pub versions_behind: Option<u32>,
    /// Sorted, the worst first.
    pub findings: Vec<Finding>,
    /// What explains several of them.
    pub causes: Vec<Cause>,
    /// Why not everything was verified.
    pub reasons: Vec<Obstacle>,
    /// What was read.
    pub coverage: HostCoverage,
    /// What a replacement would lose; nothing where nobody looked.
    pub state: Option<StateAtRisk>,
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

/// What a host is whose drift is all accepted for a time: never better than its coverage.
#[must_use]
pub fn accepted(reasons: &[Obstacle], coverage: Option<&HostCoverage>, behind: Option<u32>) -> Verdict {
    let whole = coverage.is_some_and(|coverage| coverage.complete);
    let behind = behind.map_or(0, |versions| versions as usize);
    complete(reasons).filter(|_| whole).map_or(Verdict::Unverifiable, |proof| sound(proof, behind))
}

/// Judges an observation against the references, the selected one first and then older ones, newest first.
#[must_use]
pub fn judge(references: &[Reference], observation: &Observation, policy: &Policy) -> Judgement {
    let selected = references.first();
    let label = |at: usize| references.get(at).map_or_else(String::new, |reference| reference.label.to_string());
    let coverage = &observation.coverage;
    let from_selected = match &observation.found {
        Found::Different(difference) => Some(difference),
        Found::Equal(_) | Found::AnotherSystem => None,
    };
    // Whatever version it is compared with: none has an attribute that was not read.
    let untold = from_selected.map_or_else(Vec::new, |difference| untold(difference, coverage));
    let mut reasons = obstacles(coverage, &untold, policy);
    let standing = match &observation.found {
        Found::AnotherSystem => {
            reasons.insert(0, another_system(&observation.identity, &label(0)));
            return Judgement {
                verdict: Verdict::Unverifiable,
                reference: label(0),
                versions_behind: None,
                findings: Vec::new(),
                causes: Vec::new(),
                reasons,
                coverage: shown(observation, false, policy),
                state: None,
            };
        }
        Found::Equal(at) => Standing { at: *at, nearest: *at, difference: None },
        Found::Different(difference) => {
            let older = observation.choice.older.as_ref();
            let (at, difference) = older.map_or((0, difference), |(at, difference)| (*at, difference));
            Standing { at, nearest: observation.choice.nearest, difference: Some(difference) }
        }
    };
    let mut at = standing.at;
    let told = reasons.iter().any(|obstacle| obstacle.reason == Reason::Packages);
    let mut sides = selected.into_iter().chain(references.get(at)).filter(|_| !told);
    if let Some(system) = sides.find_map(|reference| missing(reference, coverage)) {
        reasons.push(Obstacle {
            reason: Reason::Packages,
            text: format!("it has no package database of {}, and its baseline has packages", system.word()),
            remedy: None,
        });
    }
    let explain = |difference: Option<&Difference>, at: usize| {
        let reference = difference.zip(references.get(at));
        reference.map(|(difference, reference)| Explanation::of(difference, reference, observation, policy))
    };
    let mut explained = explain(standing.difference, at).unwrap_or_default();
    let mut besides = unasked_mounts(observation, policy);
    besides.extend(image::disagreements(references, &Image::of(&observation.evidence), standing));
    let drift = |explained: &Explanation| {
        is_drift(&explained.findings, policy.drift_at()) || is_drift(&besides, policy.drift_at())
    };
    // Nobody escapes a finding by breaking the coverage: where it keeps a host from being outdated, the host is compared
    // with the version that it should be of.
    if at > 0 && from_selected.is_some() && !reasons.is_empty() && !drift(&explained) {
        at = 0;
        explained = explain(from_selected, at).unwrap_or_default();
    }
    let verdict = if drift(&explained) {
        Verdict::Drifted
    } else {
        complete(&reasons).map_or(Verdict::Unverifiable, |proof| sound(proof, at))
    };
    if let (Some(difference), Some(from_selected)) = (standing.difference.filter(|_| at > 0), from_selected) {
        explained.tell_what_is_newer(difference, from_selected, &label(0));
    }
    let Explanation { mut findings, causes } = explained;
    findings.extend(besides);
    by_weight(&mut findings);
    let state = at_risk(references, observation, at);
    let coverage = shown(observation, reasons.is_empty(), policy);
    // A drifted host may equal an older version but for what no version holds, a mount say.
    let known = at > 0 && matches!(verdict, Verdict::Outdated | Verdict::Drifted);
    let behind = known.then(|| u32::try_from(at).unwrap_or(u32::MAX));
    Judgement { verdict, reference: label(at), versions_behind: behind, findings, causes, reasons, coverage, state }
}

fn another_system(identity: &Identity, label: &str) -> Obstacle {
    Obstacle {
        reason: Reason::WrongBaseline,
        text: format!("it is {}, and {label} is of another system", escape(identity.to_string().as_bytes())),
        remedy: Some("give it a template of its own system: template=NAME in the hosts file".to_owned()),
    }
}

/// The host's own clock.
fn clock_of(observation: &Observation) -> Option<i64> {
    let clock = observation.evidence.text(evidence::CLOCK)?;
    std::str::from_utf8(clock).ok()?.parse().ok()
}

/// What a replacement would lose, held against the version that the host equals or is compared with, of this number.
fn at_risk(references: &[Reference], observation: &Observation, at: usize) -> Option<StateAtRisk> {
    let nothing = Difference::default();
    let difference = match (&observation.found, observation.choice.older.as_ref()) {
        (Found::Equal(_), _) => &nothing,
        (Found::Different(_), Some((older, difference))) if *older == at => difference,
        (Found::Different(difference), _) => difference,
        (Found::AnotherSystem, _) => return None,
    };
    let (answers, clock) = (&observation.answers, clock_of(observation));
    state::at_risk(&references.get(at)?.set.set, difference, answers, &observation.coverage, clock)
}

/// A distribution's own package system that the reference has packages of and that was not found. Snaps and flatpaks are
/// no system's foundation: where there are none, they were removed.
fn missing(selected: &Reference, coverage: &Coverage) -> Option<System> {
    System::ALL
        .into_iter()
        .find(|system| *system < System::Snap && selected.set.set.has(*system) && !coverage.has(*system))
}

/// Attributes that came unread and that no trouble accounts for. They are no findings, so without this a host whose
/// coverage is silent about them would be clean.
fn untold(difference: &Difference, coverage: &Coverage) -> Vec<Trouble> {
    let told: HashSet<(&[u8], Part)> = coverage.troubles.iter().map(|t| (t.path.as_slice(), t.part)).collect();
    // A trouble of a folder's content stands for every file in it that was not read for the same reason.
    let folders = coverage.troubles.iter().filter(|t| t.part == Part::Content);
    let folders: HashSet<(&[u8], Why)> = folders.map(|t| (t.path.as_slice(), t.why)).collect();
    let is_told = |path, part, why| {
        told.contains(&(path, part))
            || coverage.troubles.iter().any(|trouble| is_of_setting(&trouble.path, path))
            || part == Part::Content && places(path).any(|place| folders.contains(&(place, why)))
    };
    let mut untold = Vec::new();
    for record in &difference.added {
        let place = record.view().path().unwrap_or(record.subject());
        let mut unread: Vec<(Part, Why)> = Vec::new();
        for (attr, value) in record.view().attrs() {
            if let Value::Unread(why) = value
                && !is_told(place, part(attr), why)
            {
                unread.push((part(attr), why));
            }
        }
        unread.dedup();
        untold.extend(unread.into_iter().map(|(part, why)| Trouble { path: place.to_vec(), part, why, errno: 0 }));
    }
    untold
}

/// Whether a kernel setting is read from this file.
fn is_of_setting(file: &[u8], subject: &[u8]) -> bool {
    let (name, file) = (subject.strip_prefix(b"fact:sysctl."), file.strip_prefix(b"/proc/sys/"));
    let name_of = |b: &u8| if *b == b'/' { b'.' } else { *b };
    name.zip(file).is_some_and(|(name, file)| file.iter().map(name_of).eq(name.iter().copied()))
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
    let not_excused = coverage.troubles.iter().filter(|trouble| !excused(trouble, policy));
    let (blind, not_excused): (Vec<&Trouble>, Vec<&Trouble>) = not_excused.partition(|trouble| is_unseen(trouble));
    for trouble in not_excused.into_iter().chain(untold) {
        by_reason.entry(reason(trouble.why)).or_default().push(trouble);
    }
    let lost = coverage.troubles_total.saturating_sub(coverage.troubles.len() as u64);
    let mut obstacles: Vec<Obstacle> =
        by_reason.into_iter().map(|(reason, troubles)| obstacle(reason, &troubles)).collect();
    obstacles.extend(unseen_by_all(&blind));
    if lost > 0 {
        obstacles.push(Obstacle {
            reason: Reason::Limit,
            text: format!("{lost} more things were not read than can be listed"),
            remedy: None,
        });
    }
    obstacles
}

/// Whether a trouble names an attribute that the way of collecting could see of no entry at all.
fn is_unseen(trouble: &Trouble) -> bool {
    trouble.part == Part::Source && UNSEEN.iter().any(|(word, _)| word.as_bytes() == trouble.path)
}

/// The obstacle of attributes that nobody could see.
fn unseen_by_all(blind: &[&Trouble]) -> Option<Obstacle> {
    let words: Vec<String> = blind.iter().map(|trouble| escape(&trouble.path)).collect();
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    (!blind.is_empty()).then(|| Obstacle {
        reason: Reason::Unreadable,
        text: format!("the sh way can't see these attributes of any entry: {}", words.join(", ")),
        remedy: Some(format!(
            "let a probe run there (probe=installed), or accept it by name in the policy: excuse_unseen = [{}]",
            quoted.join(", ")
        )),
    })
}

fn excused(trouble: &Trouble, policy: &Policy) -> bool {
    if is_unseen(trouble) {
        return trouble.why == Why::Denied && policy.excuses_unseen(&trouble.path);
    }
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
        Reason::Packages => unread_packages(troubles),
        Reason::Internal => (format!("a process of the probe ended early; not read: {names}{tail}"), None),
        _ => (format!("errors of the host's kernel at {names}{tail}"), None),
    };
    Obstacle { reason, text, remedy }
}

/// What is the matter with package databases, by the names and the error numbers that the probe gives them.
fn unread_packages(troubles: &[&Trouble]) -> (String, Option<String>) {
    const LOCKED: u16 = 11;
    const INTERRUPTED: u16 = 115;
    // ENOSYS: the way of collecting does not know this system.
    const UNKNOWN: u16 = 38;
    let mut texts = Vec::new();
    let mut remedies = Vec::new();
    for trouble in troubles {
        let system =
            System::ALL.into_iter().find(|s| trouble.path.strip_prefix(b"packages:") == Some(s.word().as_bytes()));
        let Some(system) = system else {
            texts.push("packages changed while the host was read".to_owned());
            remedies.push("scan again when its packages are left alone");
            continue;
        };
        if trouble.errno == UNKNOWN {
            texts.push(format!("the packages of {} are not read by the sh way", system.word()));
            remedies.push("let a probe run there (probe=installed)");
            continue;
        }
        let what = match trouble.errno {
            LOCKED => "is locked: packages are being changed",
            INTERRUPTED => "says that a change was begun and not finished",
            _ => "is not readable, or not well-formed",
        };
        texts.push(format!("the package database of {} {what}", system.word()));
        remedies.push(match (system, trouble.errno) {
            (_, LOCKED) => "scan again when it is done",
            (System::Dpkg, _) => "on the host: dpkg --audit",
            (System::Rpm, _) => "on the host: rpmdb --verifydb",
            (System::Apk, _) => "on the host: apk fix",
            (System::Pacman, _) => "on the host: pacman -Dk",
            (System::Snap, _) => "on the host: snap list",
            (System::Flatpak, _) => "on the host: flatpak repair --dry-run",
        });
    }
    remedies.dedup();
    (texts.join("; "), Some(remedies.join("; ")))
}

fn shown(observation: &Observation, complete: bool, policy: &Policy) -> HostCoverage {
    let coverage = &observation.coverage;
    let rule =
        |number: u16| policy.rule_of(number).map_or_else(|| "(no rule)".to_owned(), crate::policy::RuleText::path);
    HostCoverage {
        complete,
        walked: coverage.walked,
        compared: coverage.compared,
        hashed_bytes: coverage.hashed_bytes,
        oversize: coverage.oversize,
        packages: (coverage.systems != 0).then_some(coverage.packages),
        systems: System::ALL.into_iter().filter(|system| coverage.has(*system)).collect(),
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
