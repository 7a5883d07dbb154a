//! Calibration: what differs among a golden machine and freshly built siblings of it, and which of that is noise.
//!
//! *Invariant:* a difference becomes a rule only where a known class or the host's own values explain it; everything else
//! is shown and never absorbed, and so is whatever can be run, lets somebody in or decides what runs.

mod classes;
mod never;
mod rules;
mod spots;

use super::reference::Difference;
use crate::manifest::NoiseRule;
use crate::policy::{Policy, Treatment};
use crate::protocol::Record;
use spots::{Fate, Spot};
use std::collections::BTreeSet;

/// What one sibling has otherwise than the golden machine.
#[derive(Debug, Clone)]
pub struct Sibling {
    /// As it was named.
    pub name: String,
    /// Against the golden machine, under the baseline's policy.
    pub difference: Difference,
    /// Files that changed while they were read.
    pub racing: Vec<Vec<u8>>,
}

/// A difference that nothing explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// What differs: `fs:/opt/app/node.conf`.
    pub subject: Vec<u8>,
    /// In which way, `content` or `mode, owner`.
    pub what: String,
    /// On which siblings.
    pub hosts: Vec<String>,
    /// Why it was not learned.
    pub why: String,
    /// The treatment that a rule for it would have; `None` where no rule should be suggested.
    pub treatment: Option<Treatment>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lessons {
    /// Ascending by pattern.
    pub rules: Vec<NoiseRule>,
    /// Ascending by subject.
    pub undecided: Vec<Undecided>,
    /// What is odd about the siblings themselves.
    pub notes: Vec<String>,
}

/// The files whose texts, with each host's own values put back, could explain what no class does.
#[must_use]
pub fn texts_to_compare(siblings: &[Sibling]) -> Vec<Vec<u8>> {
    /// A configuration file that names its host is small.
    const LARGEST: u64 = 256 << 10;
    /// No layout has more of them.
    const MOST: usize = 200;
    let spots = spots::gather(siblings);
    let unexplained = spots.iter().filter(|(_, spot)| {
        spot.is_content() && spot.records().all(|record| record.view().size().is_none_or(|size| size <= LARGEST))
    });
    let unexplained =
        unexplained.filter(|(subject, spot)| matches!(spots::fate(subject, spot, &BTreeSet::new()), Fate::Unexplained));
    unexplained.filter_map(|(subject, _)| subject.strip_prefix(b"fs:").map(<[u8]>::to_vec)).take(MOST).collect()
}

/// Learns. `golden` are the golden machine's raw records, ascending; `same_text` are the paths whose texts are the same
/// everywhere once host values are put back.
#[must_use]
pub fn learn(siblings: &[Sibling], golden: &[Record], policy: &Policy, same_text: &BTreeSet<Vec<u8>>) -> Lessons {
    let spots = spots::gather(siblings);
    let mut lessons = Lessons::default();
    let mut learned = Vec::new();
    for (subject, spot) in &spots {
        match spots::fate(subject, spot, same_text) {
            Fate::Learned(lesson) => {
                if lesson.unique && spot.is_content() {
                    lessons.notes.extend(shared(subject, spot, siblings));
                }
                learned.push((lesson, spot));
            }
            Fate::Unexplained => {
                let why = "no class explains it".to_owned();
                let treatment = if spot.is_content() { Treatment::Metadata } else { Treatment::Ignore };
                let suggested = (spot.is_content() || spot.comes_and_goes()).then_some(treatment);
                lessons.undecided.push(undecided(subject, spot, siblings, why, suggested));
            }
            Fate::Shown(why) => lessons.undecided.push(undecided(subject, spot, siblings, why, None)),
        }
    }
    let shown: BTreeSet<Vec<u8>> = lessons.undecided.iter().map(|one| one.subject.clone()).collect();
    let mut rules = rules::make(&learned, &shown, siblings, golden, policy);
    let mut bytes = 0;
    let fitting = rules.iter().take(NoiseRule::MOST).take_while(|rule| {
        bytes += rule.pattern.text().len();
        bytes <= NoiseRule::PATTERN_BYTES
    });
    for rule in rules.split_off(fitting.count()) {
        let lesson = rule.learned.into_iter().next();
        let (path, hosts) = lesson.map_or_else(|| (rule.pattern.text().to_vec(), Vec::new()), |l| (l.path, l.hosts));
        lessons.undecided.push(Undecided {
            subject: [b"fs:", &path[..]].concat(),
            what: "content".to_owned(),
            hosts,
            why: format!("{}, and a baseline holds no more learned rules", rule.class.word()),
            treatment: Some(rule.treatment),
        });
    }
    lessons.undecided.sort_by(|a, b| a.subject.cmp(&b.subject));
    lessons.rules = rules;
    lessons
}

fn undecided(
    subject: &[u8],
    spot: &Spot<'_>,
    siblings: &[Sibling],
    why: String,
    treatment: Option<Treatment>,
) -> Undecided {
    Undecided { subject: subject.to_vec(), what: spot.what(), hosts: spot.hosts(siblings), why, treatment }
}

/// Machines that have the same of what each must have for itself.
fn shared(subject: &[u8], spot: &Spot<'_>, siblings: &[Sibling]) -> Option<String> {
    let name = |at: Option<usize>| {
        at.and_then(|at| siblings.get(at)).map_or("the golden machine", |sibling| sibling.name.as_str()).to_owned()
    };
    let values = spot.values(siblings.len());
    let (one, other) = values.iter().enumerate().find_map(|(at, (who, value))| {
        let twin = values.iter().skip(at + 1).find(|(_, other)| value.is_some() && other == value)?;
        Some((name(*who), name(twin.0)))
    })?;
    let path = crate::model::text::escape(subject.strip_prefix(b"fs:").unwrap_or(subject));
    Some(format!("{path} is the same on {one} and {other}: each machine must have its own"))
}

#[cfg(test)]
mod tests;
