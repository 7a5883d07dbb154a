//! Clusters and odd hosts, put into words.
//!
//! *Invariant:* a score rests on what few members have, and on nothing that is each host's own by nature.

use super::features::Features;
use super::marks::{Line, Mirror, Sign, by_weight, lines};
use super::members::Members;
use super::usual::{Deviation, Usual};
use super::{Cluster, Mark, Odd, Population};
use crate::drift::fleet::rarity;
use crate::model::text::escape;
use std::collections::BTreeSet;

/// Marks that are kept of a cluster, and of an odd host.
const MARKS: usize = 20;
/// Nearly all, and nearly none, in tenths.
const NEARLY: usize = 9;

/// Tells the clusters of a population.
pub(super) fn told<'a>(
    features: &Features<'a>,
    members: &Members,
    population: &Population<'a>,
) -> impl Iterator<Item = Cluster> {
    let habits: Vec<Usual> = members.clusters.iter().map(|cluster| Usual::of(features, cluster)).collect();
    let total: usize = members.clusters.iter().map(Vec::len).sum();
    let all = members.clusters.iter().zip(&habits).enumerate();
    let told: Vec<Cluster> = all
        .map(|(number, (cluster, usual))| {
            let whole = |host: &usize| features.hosts.get(*host).is_some_and(|host| host.reasons.is_empty());
            let medoid = usual.medoid(features, cluster.iter().copied().filter(whole));
            let atypical = medoid.map_or_else(Vec::new, |host| {
                let deviations = usual.deviations(features, host, true);
                let open: Vec<Deviation> = deviations.into_iter().filter(|deviation| !deviation.is_natural).collect();
                kept(lines(&signs(features, host, &open, cluster.len(), population)))
            });
            Cluster {
                system: population.system.clone(),
                pivot: population.pivot.clone(),
                hosts: cluster.iter().filter_map(|host| Some(features.hosts.get(*host)?.name.clone())).collect(),
                others: total - cluster.len(),
                medoid: medoid.and_then(|host| Some(features.hosts.get(host)?.name.clone())),
                atypical,
                apart: kept(apart(features, members, &habits, number)),
                divided: kept(divided(features, cluster, usual)),
                natural: natural(features, usual),
            }
        })
        .collect();
    told.into_iter()
}

/// Tells who is odd; the number of a cluster is that in `members`.
pub(super) fn odd<'a>(
    features: &Features<'a>,
    members: &Members,
    population: &Population<'a>,
) -> impl Iterator<Item = Odd> {
    let mut odd = Vec::new();
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); members.clusters.len()];
    for (host, cluster) in &members.strays {
        match cluster.and_then(|cluster| near.get_mut(cluster)) {
            Some(near) => near.push(*host),
            None => odd.extend(features.hosts.get(*host).map(|host| Odd {
                host: host.name.clone(),
                cluster: None,
                stray: true,
                score: rarity::MOST,
                marks: Vec::new(),
                more: 0,
            })),
        }
    }
    for ((number, cluster), strays) in members.clusters.iter().enumerate().zip(&near) {
        let usual = Usual::of(features, cluster);
        let all = cluster.iter().map(|host| (*host, true)).chain(strays.iter().map(|host| (*host, false)));
        for (host, is_member) in all {
            let deviations = usual.deviations(features, host, is_member);
            let rare: Vec<Deviation> =
                deviations.into_iter().filter(|deviation| deviation.is_rare && !deviation.is_natural).collect();
            let of = cluster.len() + usize::from(!is_member);
            let mut lines = lines(&signs(features, host, &rare, of, population));
            let score = rarity::score(lines.iter().map(|line| (line.severity, line.rarity)));
            if is_member && score == 0 {
                continue;
            }
            let weight = |line: &Line| rarity::weight(line.severity) * line.rarity;
            lines.sort_by(|a, b| {
                let prints = a.mark.finding.fingerprint.cmp(&b.mark.finding.fingerprint);
                weight(b).total_cmp(&weight(a)).then(b.mark.findings.cmp(&a.mark.findings)).then(prints)
            });
            let more = lines.len().saturating_sub(MARKS);
            let marks = lines.into_iter().take(MARKS).map(|line| line.mark).collect();
            let name = features.hosts.get(host).map_or_else(String::new, |host| host.name.clone());
            odd.push(Odd { host: name, cluster: Some(number), stray: !is_member, score, marks, more });
        }
    }
    odd.into_iter()
}

/// The signs of a host's deviations; those of the pivot are told from the other side, where there is a mirror.
fn signs<'a>(
    features: &Features<'a>,
    host: usize,
    deviations: &[Deviation],
    of: usize,
    population: &Population<'a>,
) -> Vec<Sign<'a>> {
    let Some(own) = features.hosts.get(host).copied() else { return Vec::new() };
    let is_pivot = own.name == population.pivot;
    let mirror = population.mirror.filter(|_| is_pivot).map(Mirror::of);
    let sign = |deviation: &Deviation| {
        let held = features.of_host(host);
        let at = held.binary_search_by_key(&deviation.feature, |(feature, _)| *feature).ok();
        let at = at.and_then(|at| held.get(at)).map(|(_, finding)| *finding);
        let (holder, finding) = match at {
            Some(at) => (own, own.findings.get(at)?),
            None => features.shown(deviation.feature)?,
        };
        let Deviation { lacks, having, rarity, .. } = *deviation;
        let sign = Sign { finding, holder, lacks, having, of, elsewhere: 0, rarity };
        Some(mirror.as_ref().map_or(sign, |mirror| mirror.turn(sign)))
    };
    deviations.iter().filter_map(sign).collect()
}

/// What nearly all of a cluster have and nearly none of each other one, or the other way round.
fn apart(features: &Features<'_>, members: &Members, habits: &[Usual], number: usize) -> Vec<Line> {
    let Some((cluster, usual)) = members.clusters.get(number).zip(habits.get(number)) else { return Vec::new() };
    let others = || {
        let all = members.clusters.iter().zip(habits).enumerate();
        all.filter(move |(other, _)| *other != number).map(|(_, (cluster, usual))| (cluster.len(), usual))
    };
    if others().next().is_none() {
        return Vec::new();
    }
    let nearly_all = |having: usize, of: usize| having * 10 >= of * NEARLY;
    let mut candidates: BTreeSet<usize> = BTreeSet::new();
    for (_, habit) in members.clusters.iter().zip(habits) {
        candidates.extend(habit.common());
    }
    let mut signs = Vec::new();
    for feature in candidates {
        let having = usual.count(feature);
        let has =
            nearly_all(having, cluster.len()) && others().all(|(of, usual)| nearly_all(of - usual.count(feature), of));
        let lacks = nearly_all(cluster.len() - having, cluster.len())
            && others().all(|(of, usual)| nearly_all(usual.count(feature), of));
        if !has && !lacks {
            continue;
        }
        // As a member has it, so that its causes are those of this cluster.
        let holders = if lacks { others_of(members, number) } else { cluster.clone() };
        let Some((holder, finding)) = holders.iter().find_map(|host| {
            let held = features.of_host(*host);
            let at = held.binary_search_by_key(&feature, |(feature, _)| *feature).ok()?;
            let holder = *features.hosts.get(*host)?;
            Some((holder, holder.findings.get(held.get(at)?.1)?))
        }) else {
            continue;
        };
        let elsewhere: usize =
            others().map(|(of, usual)| if lacks { of - usual.count(feature) } else { usual.count(feature) }).sum();
        let having = if lacks { cluster.len() - having } else { having };
        signs.push(Sign { finding, holder, lacks, having, of: cluster.len(), elsewhere, rarity: 0.0 });
    }
    lines(&signs)
}

fn others_of(members: &Members, number: usize) -> Vec<usize> {
    let others = members.clusters.iter().enumerate().filter(|(other, _)| *other != number);
    others.flat_map(|(_, cluster)| cluster.iter().copied()).collect()
}

/// What divides a cluster, told by its smaller part.
fn divided(features: &Features<'_>, cluster: &[usize], usual: &Usual) -> Vec<Line> {
    let of = cluster.len();
    let sign = |(feature, having): (usize, usize)| {
        let (holder, finding) = features.shown(feature)?;
        let lacks = having * 2 > of;
        let having = if lacks { of - having } else { having };
        Some(Sign { finding, holder, lacks, having, of, elsewhere: 0, rarity: 0.0 })
    };
    let signs: Vec<Sign<'_>> = usual.divisions().into_iter().filter_map(sign).collect();
    lines(&signs)
}

/// What is each member's own, by its path where it has one.
fn natural(features: &Features<'_>, usual: &Usual) -> Vec<String> {
    let name = |feature: usize| {
        let (_, finding) = features.shown(feature)?;
        Some(escape(finding.path().unwrap_or(&finding.subject)))
    };
    let mut names: Vec<String> = usual.natural(features).into_iter().filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}

fn kept(mut lines: Vec<Line>) -> Vec<Mark> {
    by_weight(&mut lines);
    lines.into_iter().map(|line| line.mark).collect()
}
