//! Average linkage, and where to cut it.
//!
//! Signatures are joined by the nearest-neighbour chain (Murtagh, "A survey of recent advances in hierarchical clustering
//! algorithms", 1983), which gives the tree of average linkage (UPGMA, weighted by hosts) in quadratic time.
//!
//! *Invariant:* what comes out depends on the distances and the numbers of hosts alone; equal ones are decided by the order given.

/// The most signatures that are linked.
pub(super) const SIGNATURES: usize = 512;

/// Heights below this many things are one.
const FLOOR: f64 = 4.0;
/// The least ratio of two heights that is a gap.
const GAP: f64 = 2.0;

/// One merge of two groups.
#[derive(Debug, Clone, Copy)]
struct Merge {
    height: f64,
    /// A signature of each side.
    sides: (usize, usize),
    /// The number of hosts on the smaller side.
    smaller: usize,
}

/// Groups of signatures.
#[derive(Debug)]
pub(super) struct Groups {
    /// The group of each signature; numbers ascend with the first signature of a group.
    pub(super) of: Vec<usize>,
    /// How many there are.
    pub(super) count: usize,
    /// The cut; `None` where all is one group.
    pub(super) cut: Option<f64>,
}

/// Links signatures of these numbers of hosts; a group has at least `least` of them to count in the choice of the cut.
pub(super) fn groups(sizes: &[usize], distance: impl Fn(usize, usize) -> f64, least: usize) -> Groups {
    let merges = merges(sizes, distance);
    let cut = cut(&merges, least);
    let mut parents: Vec<usize> = (0..sizes.len()).collect();
    for merge in merges.iter().filter(|merge| cut.is_none_or(|cut| merge.height <= cut)) {
        let (a, b) = (root(&parents, merge.sides.0), root(&parents, merge.sides.1));
        if let Some(parent) = parents.get_mut(a.max(b)) {
            *parent = a.min(b);
        }
    }
    let mut numbers: Vec<Option<usize>> = vec![None; sizes.len()];
    let mut count = 0;
    let mut of = Vec::with_capacity(sizes.len());
    for signature in 0..sizes.len() {
        let Some(slot) = numbers.get_mut(root(&parents, signature)) else { continue };
        let number = *slot.get_or_insert_with(|| {
            count += 1;
            count - 1
        });
        of.push(number);
    }
    Groups { of, count, cut }
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while let Some(parent) = parents.get(at).filter(|parent| **parent != at) {
        at = *parent;
    }
    at
}

/// The cut in the widest gap between heights at which groups of enough hosts meet.
fn cut(merges: &[Merge], least: usize) -> Option<f64> {
    let mut heights: Vec<f64> =
        merges.iter().filter(|merge| merge.smaller >= least).map(|merge| merge.height).collect();
    heights.push(FLOOR);
    heights.retain(|height| *height >= FLOOR);
    heights.sort_by(f64::total_cmp);
    let gaps = heights.iter().zip(heights.iter().skip(1)).map(|(low, high)| (high / low, (low * high).sqrt()));
    gaps.filter(|(ratio, _)| *ratio >= GAP).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, cut)| cut)
}

/// Distances between groups under way.
struct Matrix {
    cells: Vec<f64>,
    width: usize,
}

impl Matrix {
    fn at(&self, a: usize, b: usize) -> f64 {
        self.cells.get(a * self.width + b).copied().unwrap_or(f64::INFINITY)
    }

    fn put(&mut self, a: usize, b: usize, distance: f64) {
        for cell in [a * self.width + b, b * self.width + a] {
            if let Some(cell) = self.cells.get_mut(cell) {
                *cell = distance;
            }
        }
    }
}

fn merges(sizes: &[usize], distance: impl Fn(usize, usize) -> f64) -> Vec<Merge> {
    let total = sizes.len();
    let mut matrix = Matrix { cells: vec![f64::INFINITY; total * total], width: total };
    for a in 0..total {
        for b in 0..a {
            matrix.put(a, b, distance(a, b));
        }
    }
    let mut sizes = sizes.to_vec();
    let mut active: Vec<usize> = (0..total).collect();
    let mut chain: Vec<usize> = Vec::new();
    let mut merges = Vec::with_capacity(total.saturating_sub(1));
    while active.len() > 1 {
        let Some(last) = chain.last().copied().or_else(|| active.first().copied()) else { break };
        if chain.is_empty() {
            chain.push(last);
        }
        let before = chain.len().checked_sub(2).and_then(|at| chain.get(at)).copied();
        // Of equally near ones the one before in the chain, or it would never end.
        let nearest = active.iter().copied().filter(|other| *other != last).min_by(|a, b| {
            let rank = |other: usize| Some(other) != before;
            matrix.at(last, *a).total_cmp(&matrix.at(last, *b)).then(rank(*a).cmp(&rank(*b)))
        });
        let Some(nearest) = nearest else { break };
        if Some(nearest) != before {
            chain.push(nearest);
            continue;
        }
        chain.truncate(chain.len() - 2);
        let size = |of: usize, sizes: &[usize]| sizes.get(of).copied().unwrap_or(1);
        let (a, b) = (size(last, &sizes), size(nearest, &sizes));
        let height = matrix.at(last, nearest);
        merges.push(Merge { height, sides: (last, nearest), smaller: a.min(b) });
        active.retain(|other| *other != last);
        #[expect(clippy::cast_precision_loss, reason = "numbers of hosts are far below 2^52")]
        let (share_a, share_b) = (a as f64 / (a + b) as f64, b as f64 / (a + b) as f64);
        for other in active.iter().copied().filter(|other| *other != nearest) {
            let joined = share_a * matrix.at(last, other) + share_b * matrix.at(nearest, other);
            matrix.put(nearest, other, joined);
        }
        if let Some(size) = sizes.get_mut(nearest) {
            *size = a + b;
        }
    }
    merges
}
