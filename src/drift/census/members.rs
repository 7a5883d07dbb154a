//! Which host belongs to which cluster.
//!
//! *Invariant:* a host is in one cluster or in none; hosts with the same features go the same way.

use super::features::{Features, differing};
use super::least;
use super::linkage::{self, SIGNATURES};
use std::cmp::Reverse;
use std::collections::HashMap;

/// A host this many things away from its centre, or fewer, is of its kind.
const NEAR: f64 = 25.0;

/// The clusters of a population.
#[derive(Debug)]
pub(super) struct Members {
    /// Hosts of each cluster, ascending by name.
    pub(super) clusters: Vec<Vec<usize>>,
    /// Hosts of no cluster, and the nearest one.
    pub(super) strays: Vec<(usize, Option<usize>)>,
}

/// Hosts with the same shared features.
struct Signature {
    features: Vec<usize>,
    hosts: Vec<usize>,
    bits: u64,
}

pub(super) fn of(features: &Features<'_>) -> Members {
    let total = features.hosts.len();
    let mut signatures = signatures(features);
    // The most hosts first, then an even choice.
    signatures.sort_by(|a, b| {
        (Reverse(a.hosts.len()), a.bits, &a.features).cmp(&(Reverse(b.hosts.len()), b.bits, &b.features))
    });
    let linked = signatures.get(..signatures.len().min(SIGNATURES)).unwrap_or_default();
    let sizes: Vec<usize> = linked.iter().map(|signature| signature.hosts.len()).collect();
    let sampled: usize = sizes.iter().sum();
    // Of a part of the hosts a part is enough.
    let enough = (least(total) * sampled).div_ceil(total.max(1)).max(2);
    let distance = |a: usize, b: usize| {
        let of = |at: usize| linked.get(at).map_or(&[][..], |signature| &signature.features);
        let mut sum = 0.0;
        differing(of(a), of(b), |feature| sum += features.weight(feature));
        sum
    };
    let groups = linkage::groups(&sizes, distance, enough);
    let mut clusters: Vec<Vec<usize>> = vec![Vec::new(); groups.count];
    for (signature, group) in linked.iter().zip(&groups.of) {
        if let Some(cluster) = clusters.get_mut(*group) {
            cluster.extend(&signature.hosts);
        }
    }
    clusters.retain(|cluster| cluster.len() >= enough);
    settle(features, &clusters, groups.cut.unwrap_or(0.0).max(NEAR))
}

fn signatures(features: &Features<'_>) -> Vec<Signature> {
    let mut hosts: HashMap<Vec<usize>, Vec<usize>> = HashMap::new();
    for (host, held) in features.held.iter().enumerate() {
        let shared = held.iter().map(|(feature, _)| *feature).filter(|feature| features.is_shared(*feature));
        hosts.entry(shared.collect()).or_default().push(host);
    }
    let signature = |(own, hosts): (Vec<usize>, Vec<usize>)| {
        let bits = own.iter().filter_map(|feature| features.all.get(*feature)).fold(0, |bits, f| bits ^ f.bits);
        Signature { features: own, hosts, bits }
    };
    hosts.into_iter().map(signature).collect()
}

/// Gives every host the cluster that it was linked to, else the nearest, unless it is too far from it.
fn settle(features: &Features<'_>, clusters: &[Vec<usize>], far: f64) -> Members {
    let centres: Vec<Centre> = clusters.iter().map(|cluster| Centre::of(features, cluster)).collect();
    let mut linked: Vec<Option<usize>> = vec![None; features.hosts.len()];
    for (number, cluster) in clusters.iter().enumerate() {
        for host in cluster {
            if let Some(linked) = linked.get_mut(*host) {
                *linked = Some(number);
            }
        }
    }
    let mut settled: Vec<Vec<usize>> = vec![Vec::new(); clusters.len()];
    let mut strays = Vec::new();
    for (host, linked) in linked.into_iter().enumerate() {
        let own: Vec<usize> = features.of_host(host).iter().map(|(feature, _)| *feature).collect();
        let near =
            |number: &usize| centres.get(*number).map_or(f64::INFINITY, |centre| centre.distance(features, &own));
        let number = linked.or_else(|| (0..centres.len()).min_by(|a, b| near(a).total_cmp(&near(b))));
        let cluster = number.filter(|number| near(number) <= far).and_then(|number| settled.get_mut(number));
        match cluster {
            Some(cluster) => cluster.push(host),
            None => strays.push((host, number)),
        }
    }
    // A cluster that its hosts left is none.
    let least = least(features.hosts.len());
    let mut kept = Vec::new();
    let mut places: Vec<Option<usize>> = Vec::new();
    for cluster in settled {
        if cluster.len() >= least {
            places.push(Some(kept.len()));
            kept.push(cluster);
        } else {
            strays.extend(cluster.iter().map(|host| (*host, Some(places.len()))));
            places.push(None);
        }
    }
    for (_, near) in &mut strays {
        *near = near.and_then(|number| places.get(number).copied().flatten());
    }
    strays.sort_unstable();
    Members { clusters: kept, strays }
}

/// What more than half of a cluster has.
struct Centre(Vec<usize>);

impl Centre {
    fn of(features: &Features<'_>, cluster: &[usize]) -> Self {
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for (feature, _) in cluster.iter().flat_map(|host| features.of_host(*host)) {
            *counts.entry(*feature).or_default() += 1;
        }
        let usual = counts.into_iter().filter(|(_, count)| count * 2 > cluster.len()).map(|(feature, _)| feature);
        let mut usual: Vec<usize> = usual.collect();
        usual.sort_unstable();
        Self(usual)
    }

    fn distance(&self, features: &Features<'_>, own: &[usize]) -> f64 {
        let mut sum = 0.0;
        differing(&self.0, own, |feature| sum += features.weight(feature));
        sum
    }
}
