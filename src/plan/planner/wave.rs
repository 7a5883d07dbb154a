//! Which hosts go together, and in which order.
//!
//! Wave 1 is one canary, wave k holds at most 2^(k-1). All hosts of a wave are in one zone; a host without a zone, where
//! others of its group have one, might be in any, so that it goes alone. Of a quorum one member at most is in a wave.
//!
//! The canary proves the template and the way of replacing, so it is the host that asks the fewest other questions: an
//! outdated one before a drifted one, then the least grave, then the one that differs least from the others. A
//! snowflake as the canary would leave open whether the new template failed or the hand edit was needed after all. Behind the canary
//! the gravest go first; its zone, where the way is proven, comes before the others.
//!
//! *Invariant:* each host is in exactly one wave; equal in everything, the order of the fleet decides.

use super::candidate::gravest;
use super::standing::Stand;
use crate::model::{HostOutcome, Severity, Verdict};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// A host to be put in a wave.
type Fit<'a, 'b> = (&'a Stand<'b>, &'a HostOutcome);

/// Orders hosts into waves of at most `most`; `zoned` is whether any host of the group names its zone.
pub(super) fn waves<'a, 'b>(fit: &[Fit<'a, 'b>], most: usize, zoned: bool) -> Vec<Vec<Fit<'a, 'b>>> {
    let Some(canary) = fit.iter().copied().min_by_key(canary_rank) else { return Vec::new() };
    let mut waves = vec![vec![canary]];
    for mut zone in zones(fit, canary) {
        let alone = zoned && zone.name.is_none();
        while !zone.lanes.is_empty() {
            let grown = 1usize.checked_shl(u32::try_from(waves.len()).unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
            waves.push(zone.take(if alone { 1 } else { grown.min(most).max(1) }));
        }
    }
    waves
}

/// What makes a good canary, the best first.
fn canary_rank(fit: &Fit<'_, '_>) -> (bool, Option<Severity>, u16, usize) {
    let (stand, outcome) = fit;
    let score = outcome.snowflake.map_or(0, |snowflake| snowflake.score);
    (outcome.verdict == Verdict::Drifted, gravest(outcome), score, stand.at)
}

/// Hosts of one zone, in lanes: of a lane one host goes at a time.
struct Zone<'a, 'b> {
    name: Option<&'b str>,
    /// By the place of each lane's first host in the order of the zone.
    lanes: BTreeMap<usize, VecDeque<(usize, Fit<'a, 'b>)>>,
}

impl<'a, 'b> Zone<'a, 'b> {
    /// Takes the first hosts, each of another lane.
    fn take(&mut self, most: usize) -> Vec<Fit<'a, 'b>> {
        let mut taken = Vec::new();
        let mut rest = Vec::new();
        while taken.len() < most {
            let Some((_, mut lane)) = self.lanes.pop_first() else { break };
            taken.extend(lane.pop_front().map(|(_, fit)| fit));
            rest.push(lane);
        }
        for lane in rest {
            if let Some((at, _)) = lane.front() {
                self.lanes.insert(*at, lane);
            }
        }
        taken
    }
}

/// All but the canary by zone: the canary's first, then by the fleet's order.
fn zones<'a, 'b>(fit: &[Fit<'a, 'b>], canary: Fit<'a, 'b>) -> Vec<Zone<'a, 'b>> {
    let mut names: Vec<Option<&str>> = vec![canary.0.tag("zone")];
    let mut hosts: HashMap<Option<&str>, Vec<Fit<'_, '_>>> = HashMap::new();
    for one in fit.iter().filter(|(stand, _)| stand.at != canary.0.at) {
        let name = one.0.tag("zone");
        if name != canary.0.tag("zone") && !hosts.contains_key(&name) {
            names.push(name);
        }
        hosts.entry(name).or_default().push(*one);
    }
    let zone = |name: Option<&'b str>| {
        let mut hosts = hosts.remove(&name).unwrap_or_default();
        hosts.sort_by_key(|(stand, outcome)| (Reverse(gravest(outcome)), stand.at));
        let mut lanes: BTreeMap<usize, VecDeque<(usize, Fit<'_, '_>)>> = BTreeMap::new();
        let mut of_quorum: HashMap<&str, usize> = HashMap::new();
        for (at, fit) in hosts.into_iter().enumerate() {
            let lane = fit.0.tag("quorum").map_or(at, |quorum| *of_quorum.entry(quorum).or_insert(at));
            lanes.entry(lane).or_default().push_back((at, fit));
        }
        Zone { name, lanes }
    };
    names.into_iter().map(zone).collect()
}
