//! The census: which kinds of machines a fleet is made of when no template says so, and which hosts are odd.
//!
//! One host, the *pivot*, was read whole, and every other one was compared with it. Two hosts that differ from the pivot in
//! the same way have the same findings, so how far any two hosts are apart follows from their sets of findings alone, and
//! nobody has to read each pair. Where the pivot differs from everybody, everybody has the finding: what a host *lacks*
//! counts as much as what it has.
//!
//! 1. **Features.** A finding is a feature, named by its fingerprint, and weighs 1; one that a cause explains weighs 1 by the
//!    number of findings that the cause explains, so that a package counts once and not once a file. A feature is *shared*
//!    when it is on [`least`] hosts and missing on as many; the others can't tell kinds of machines apart. A subject of which
//!    at least half of the hosts have a value that so few share (a file of the host's own name, a seed), and a folder in which
//!    at least half have a name of their own, are *natural*: they weigh nothing.
//! 2. **Clusters.** Hosts with the same shared features are one signature. The signatures are joined by average linkage over
//!    the weights of the features in which they differ, and cut in the widest gap: between the two successive heights *a* < *b* of
//!    merges of at least [`least`] hosts a side whose ratio *b* / max(*a*, 4) is the greatest, at their geometric mean. Where no
//!    ratio reaches 2 there is one kind of machine. So kinds differ in 8 things or more, and in many more than hosts of one kind do.
//! 3. **Members.** Every host that is left goes to the nearest centre (what more than half of a cluster has). A host that is
//!    farther from its centre than the cut and than 25 things belongs to none: a *stray*.
//! 4. **Odd ones.** In its cluster, of each subject the most common value is the usual one. Another value that at most
//!    [`few`](crate::drift::fleet::rarity::few) members have makes a host odd; the score over all of them is that of
//!    [`rarity`](crate::drift::fleet::rarity), by how many members have *some* rare value there, and a cause counts once. More
//!    hosts than few are no oddity but a division of the cluster, and told as such.
//!
//! Where there are more than `linkage::SIGNATURES` signatures, those of the most hosts are linked (of equals an even choice,
//! by their digests), and the hosts of the others go to the nearest centre as in step 3. All else is linear in the findings.
//!
//! *Invariant:* the order of the hosts changes nothing; hosts that hold the same are in the same cluster.

mod clusters;
mod features;
mod linkage;
mod marks;
mod members;
mod usual;

use crate::model::{Cause, Finding, HostOutcome, Obstacle};
use features::Features;
use std::cmp::Reverse;

/// What tells hosts apart: a finding against the pivot, or a cause with what it explains.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The finding, or the first of those that the cause explains.
    pub finding: Finding,
    /// What explains it and others, where most of what it explains is meant.
    pub cause: Option<Cause>,
    /// Whether it is the lack of it that marks.
    pub lacks: bool,
    /// How many findings this line stands for.
    pub findings: usize,
    /// How many hosts of the cluster it marks.
    pub having: usize,
    /// Of how many.
    pub of: usize,
    /// How many hosts of all other clusters it marks.
    pub elsewhere: usize,
}

/// Hosts of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The system that they run; escaped.
    pub system: String,
    /// The host that all of this system were compared with.
    pub pivot: String,
    /// Names, ascending.
    pub hosts: Vec<String>,
    /// How many of all other clusters' hosts there are, against which [`Mark::elsewhere`] is to be read.
    pub others: usize,
    /// The member that is least far from all members, of those that were read whole; `None` where none was.
    pub medoid: Option<String>,
    /// What the medoid has and most members lack, or the other way round.
    pub atypical: Vec<Mark>,
    /// What nearly all members have and nearly no other host of the system has, the most telling first.
    pub apart: Vec<Mark>,
    /// What divides the members: more than few have it, and not most.
    pub divided: Vec<Mark>,
    /// Subjects that are each host's own by nature, escaped, ascending; of a folder of such names its first one.
    pub natural: Vec<String>,
}

/// A host that stands out.
#[derive(Debug, Clone, PartialEq)]
pub struct Odd {
    /// Its name.
    pub host: String,
    /// The number of its cluster in the census, or of the nearest one for a stray; `None` where there is none.
    pub cluster: Option<usize>,
    /// Whether it is too far from every cluster to belong to one.
    pub stray: bool,
    /// 0 to 1,000.
    pub score: u16,
    /// What makes it odd, what weighs most first.
    pub marks: Vec<Mark>,
    /// How many marks there are besides.
    pub more: usize,
}

/// A host of which not everything was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub host: String,
    /// Whether enough was read to count it in.
    pub counted: bool,
    /// Why.
    pub reasons: Vec<Obstacle>,
}

/// The hosts of one system, and the pivot that they were compared with.
#[derive(Debug)]
pub struct Population<'a> {
    /// The system; escaped.
    pub system: String,
    /// The pivot's name.
    pub pivot: String,
    /// The pivot, which has no finding, and every host that was compared with it.
    pub hosts: &'a [HostOutcome],
    /// The pivot as a typical host sees it: where the pivot itself is odd, its findings are told from this side.
    pub mirror: Option<&'a HostOutcome>,
}

/// The whole fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Census {
    /// The largest first.
    pub clusters: Vec<Cluster>,
    /// The oddest first.
    pub odd: Vec<Odd>,
    /// In the order of the fleet.
    pub unread: Vec<Unread>,
    /// How many hosts were asked.
    pub selected: usize,
}

impl Census {
    /// How many hosts are counted in.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.clusters.iter().map(|cluster| cluster.hosts.len()).sum::<usize>()
            + self.odd.iter().filter(|odd| odd.stray).count()
    }

    /// The exit status: 0, or 3 where a host was not read whole.
    #[must_use]
    pub fn status(&self) -> u8 {
        if self.unread.is_empty() && self.counted() == self.selected { 0 } else { 3 }
    }
}

/// The least hosts that are a kind of machine and not an accident: a fiftieth of all, and never fewer than three; two where
/// there are fewer than ten hosts.
#[must_use]
pub fn least(hosts: usize) -> usize {
    if hosts < 10 { 2 } else { hosts.div_ceil(50).max(3) }
}

/// Takes the census; `unread` are the hosts of which nothing, or not all, is in the populations.
#[must_use]
pub fn take(populations: &[Population<'_>], unread: Vec<Unread>, selected: usize) -> Census {
    let (mut clusters, mut odd) = (Vec::new(), Vec::new());
    for population in populations {
        let features = Features::of(population.hosts);
        let members = members::of(&features);
        let first = clusters.len();
        clusters.extend(clusters::told(&features, &members, population));
        odd.extend(
            clusters::odd(&features, &members, population)
                .map(|odd| Odd { cluster: odd.cluster.map(|number| number + first), ..odd }),
        );
    }
    // The largest first; of equals the one with the first name.
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    order.sort_by_key(|number| clusters.get(*number).map(|cluster| (Reverse(cluster.hosts.len()), &cluster.hosts)));
    for odd in &mut odd {
        odd.cluster = odd.cluster.and_then(|old| order.iter().position(|number| *number == old));
    }
    let mut slots: Vec<Option<Cluster>> = clusters.into_iter().map(Some).collect();
    let clusters = order.iter().filter_map(|number| slots.get_mut(*number)?.take()).collect();
    odd.sort_by(|a, b| (b.score, b.stray, &a.host).cmp(&(a.score, a.stray, &b.host)));
    Census { clusters, odd, unread, selected }
}

#[cfg(test)]
mod tests;
