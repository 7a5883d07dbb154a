//! What became of a plan: for each item the machine that stands in its place now, and whether it is what was to come.
//!
//! The replacement of a host is looked for in a fresh fleet: by what names it to the platform, by its name, and where neither
//! is there, or the machine by that name does not answer, among the machines of its group that the plan did not know, in the
//! order of the waves. A replacement is proven by three things: another machine id, another host key, and no drift.
//!
//! *Invariant:* nothing but the three together is `replaced`; one machine stands for one item at the most.

mod matching;
#[cfg(test)]
mod tests;

use super::{Item, Plan};
use crate::inventory::Host;
use crate::model::text::hex;
use crate::model::verdict::closed_words;
use crate::model::{HostOutcome, Verdict};
use std::collections::BTreeMap;

closed_words! {
    /// What became of an item.
    Became {
        /// A new machine with a new host key, without drift.
        Replaced = "replaced",
        /// The machine that was to be replaced.
        SameMachine = "same-machine",
        /// A new machine that differs from its template again.
        DriftedAgain = "drifted-again",
        /// A new machine of an older version than the template's.
        Behind = "behind",
        /// Something is there, and what it is could not be proven.
        Unverifiable = "unverifiable",
        /// No machine is in its place.
        Gone = "gone",
    }
}

/// A host of the fresh fleet, and what came of it where it was scanned.
#[derive(Debug, Clone, Copy)]
pub struct Fresh<'a> {
    /// As the fleet has it.
    pub host: &'a Host,
    /// What came of it.
    pub outcome: Option<&'a HostOutcome>,
}

/// What earlier runs since the plan saw of a new machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// RFC 3339: the first run that saw this machine.
    pub first: Option<String>,
    /// RFC 3339: the last run that found it clean.
    pub clean: Option<String>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The host that was planned.
    pub host: String,
    /// Its group.
    pub group: String,
    /// Its wave.
    pub wave: usize,
    /// What became of it.
    pub became: Became,
    /// The host of the fresh fleet that stands in its place.
    pub now: Option<String>,
    /// By what it was found: `name`, `tf`, `machine` and so on, `group`.
    pub found_by: Option<String>,
    /// What it is, in a sentence.
    pub says: String,
    /// What was found on it, a line each, the gravest first.
    pub findings: Vec<String>,
    /// How many of the findings that it was replaced for are there again.
    pub again: usize,
}

/// A group that drifts again after its replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relapse {
    /// The group.
    pub group: String,
    /// Hosts that drifted again, by their names now.
    pub hosts: Vec<String>,
    /// Of so many that were replaced.
    pub of: usize,
    /// A difference that several of them share, as it is told on the first.
    pub shared: Option<String>,
}

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The plan.
    pub plan: String,
    /// In the order of the waves.
    pub fates: Vec<Fate>,
    /// Groups whose template or surroundings make the drift.
    pub relapses: Vec<Relapse>,
}

impl Status {
    /// 0 where all is replaced and clean, 2 where something is not, 3 where nothing but proof is missing.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let any = |is: fn(Became) -> bool| self.fates.iter().any(|fate| is(fate.became));
        if any(|became| !matches!(became, Became::Replaced | Became::Unverifiable)) {
            2
        } else if any(|became| became == Became::Unverifiable) {
            3
        } else {
            0
        }
    }
}

/// Findings told of a host.
const TOLD: usize = 5;

/// The hosts of a fresh fleet that the items of these waves are looked for among: those of their names and handles, and those
/// of their groups that the plan did not know.
#[must_use]
pub fn asked<'a>(plan: &Plan, waves: &[usize], fleet: &'a [Host]) -> Vec<&'a Host> {
    matching::asked(plan, &matching::through(plan, waves), fleet)
}

/// Tells what became of the items of these waves, all where none is named. `past` tells of a new machine by its host's name,
/// `title` a finding in a line.
#[must_use]
pub fn status(
    plan: &Plan,
    waves: &[usize],
    fresh: &[Fresh<'_>],
    now: &str,
    past: &BTreeMap<String, Past>,
    title: &dyn Fn(&crate::model::Finding) -> String,
) -> Status {
    // Machines are given to items in the order of the waves, so that those before the waves that are asked about count.
    let through = matching::through(plan, waves);
    let places = matching::places(plan, &through, fresh);
    let mut fates = Vec::new();
    for (item, wave, place) in places {
        if waves.is_empty() || waves.contains(&wave) {
            fates.push(fate(item, wave, place, now, past, title));
        }
    }
    let relapses = relapses(&fates);
    Status { plan: plan.id.clone(), fates, relapses }
}

fn fate(
    item: &Item,
    wave: usize,
    place: Option<matching::Place<'_>>,
    now: &str,
    past: &BTreeMap<String, Past>,
    title: &dyn Fn(&crate::model::Finding) -> String,
) -> Fate {
    let blank = Fate {
        host: item.host.clone(),
        group: item.group.clone(),
        wave,
        became: Became::Gone,
        now: None,
        found_by: None,
        says: "no machine of its name or handle, and no new one in its group".to_owned(),
        findings: Vec::new(),
        again: 0,
    };
    let Some(place) = place else { return blank };
    let name = &place.fresh.host.name;
    let there = Fate { now: Some(name.clone()), found_by: Some(place.by.to_owned()), ..blank };
    let (became, says) = proof(item, place.fresh.outcome);
    let Some(outcome) = place.fresh.outcome.filter(|_| became != Became::Unverifiable) else {
        return Fate { became, says, ..there };
    };
    let open = || outcome.findings.iter().filter(|finding| finding.waiver.is_none());
    let findings = open().take(TOLD).map(title).collect();
    let again = open().filter(|finding| item.fingerprints.contains(&hex(&finding.fingerprint))).count();
    let says = match became {
        Became::DriftedAgain => relapse_of(&says, item, again, past.get(name), now),
        Became::Replaced | Became::SameMachine | Became::Behind | Became::Unverifiable | Became::Gone => says,
    };
    Fate { became, says, findings, again, ..there }
}

/// Whether it is another machine, and what it is worth.
fn proof(item: &Item, outcome: Option<&HostOutcome>) -> (Became, String) {
    let unproven = |why: &str| (Became::Unverifiable, why.to_owned());
    let Some(outcome) = outcome else { return unproven("it was not scanned") };
    let unread = || {
        outcome.reasons.first().map_or("it could not be read".to_owned(), |first| {
            format!("{}: {}", first.reason, first.text.lines().next().unwrap_or_default())
        })
    };
    let (Some(was), Some(is)) = (&item.machine_id, &outcome.evidence.machine_id) else {
        let why = if item.machine_id.is_none() {
            "the plan knows no machine id of the old machine".to_owned()
        } else {
            unread()
        };
        return (Became::Unverifiable, why);
    };
    if was == is {
        return (Became::SameMachine, format!("the machine id is that of the old one; it is {}", outcome.verdict));
    }
    match (&item.host_key, &outcome.host_key) {
        (Some(was), Some(is)) if was == is => {
            return unproven("another machine id, and the host key of the old machine: one of the two was copied");
        }
        (Some(_), Some(_)) => {}
        (None, _) | (_, None) => return unproven("another machine id, and no host key to tell by"),
    }
    match outcome.verdict {
        // Whether another version is newer, a label does not tell.
        Verdict::Clean if outcome.reference.as_deref() != Some(item.target.as_str()) => {
            let reference = outcome.reference.as_deref().unwrap_or("nothing that has a name");
            (Became::Unverifiable, format!("new machine, equal to {reference}, and the plan wants {}", item.target))
        }
        Verdict::Clean => {
            let reference = outcome.reference.as_deref().unwrap_or("its template");
            (Became::Replaced, format!("new machine id, new host key, equal to {reference}"))
        }
        Verdict::Outdated => {
            let reference = outcome.reference.as_deref().unwrap_or("an older version");
            (Became::Behind, format!("new machine of {reference}, and the plan wants {}", item.target))
        }
        Verdict::Drifted => (Became::DriftedAgain, "new machine, drifted".to_owned()),
        Verdict::Unverifiable => (Became::Unverifiable, unread()),
    }
}

/// `new machine, drifted 2 days after it came, with 2 of the findings that it was replaced for`.
fn relapse_of(says: &str, item: &Item, again: usize, past: Option<&Past>, now: &str) -> String {
    let days = |since: &str| {
        let since = since.parse::<jiff::Timestamp>().ok()?;
        Some(now.parse::<jiff::Timestamp>().ok()?.duration_since(since).as_hours() / 24)
    };
    let days = past.and_then(|past| past.first.as_deref()).and_then(days);
    let when = days.map(|days| match days {
        ..1 => " within a day of its coming".to_owned(),
        1 => " a day after it came".to_owned(),
        days => format!(" {days} days after it came"),
    });
    let clean = past.and_then(|past| past.clean.as_deref()).and_then(|clean| clean.get(..10));
    let clean = clean.map_or(", never seen clean".to_owned(), |day| format!(", clean until {day}"));
    let all = item.fingerprints.len();
    let again = match again {
        0 => String::new(),
        again => format!(
            ", with {again} of the {all} findings that it was replaced for: the template or an automation makes them"
        ),
    };
    [says, &when.unwrap_or_default(), &clean, &again].concat()
}

/// Groups of which more than one new machine drifted, or the only one: a machine that was built an hour ago has no history of
/// its own to blame.
fn relapses(fates: &[Fate]) -> Vec<Relapse> {
    let mut groups: BTreeMap<&str, Vec<&Fate>> = BTreeMap::new();
    for fate in fates.iter().filter(|fate| matches!(fate.became, Became::Replaced | Became::DriftedAgain)) {
        groups.entry(&fate.group).or_default().push(fate);
    }
    let mut relapses = Vec::new();
    for (group, all) in groups {
        let drifted: Vec<&Fate> = all.iter().filter(|fate| fate.became == Became::DriftedAgain).copied().collect();
        if drifted.is_empty() {
            continue;
        }
        let first = drifted.first().map_or(&[][..], |fate| fate.findings.as_slice());
        let on_all = |finding: &&String| drifted.iter().all(|fate| fate.findings.contains(finding));
        relapses.push(Relapse {
            group: group.to_owned(),
            hosts: drifted.iter().filter_map(|fate| fate.now.clone()).collect(),
            of: all.len(),
            shared: first.iter().find(on_all).filter(|_| drifted.len() > 1).cloned(),
        });
    }
    relapses
}
