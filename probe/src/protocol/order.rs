//! Sorting, once and small: each instance of the standard sort is several kilobytes of program, and every kilobyte goes
//! to every host.
//!
//! *Invariant:* stable, and n log n whatever is compared; the comparison is called through a pointer, so that there is one
//! instance.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// The numbers below `len`, in the order that `compare` gives them.
#[inline(never)]
pub fn of(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<u32> {
    let mut from: Vec<u32> = (0..len as u32).collect();
    let mut to = from.clone();
    let mut width = 1;
    while width < len {
        // Merges neighbours of `width` into runs of twice that.
        for (runs, out) in from.chunks(2 * width).zip(to.chunks_mut(2 * width)) {
            let (mut a, mut b) = runs.split_at(width.min(runs.len()));
            for slot in out {
                let left = match (a.first(), b.first()) {
                    (Some(x), Some(y)) => compare(*x as usize, *y as usize).is_le(),
                    (x, _) => x.is_some(),
                };
                let run = if left { &mut a } else { &mut b };
                if let Some((first, rest)) = run.split_first() {
                    *slot = *first;
                    *run = rest;
                }
            }
        }
        core::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    from
}

/// Sorts a list.
pub fn sort<T>(list: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = of(list.len(), &mut |a, b| compare(&list[a], &list[b]));
    arrange(order, &mut |a, b| list.swap(a, b));
}

/// Brings a list into an order by exchanges, one cycle of the order after the other; there is one instance of this too.
#[inline(never)]
fn arrange(mut order: Vec<u32>, swap: &mut dyn FnMut(usize, usize)) {
    for first in 0..order.len() {
        let mut hole = first;
        while let Some(slot) = order.get_mut(hole) {
            let from = *slot as usize;
            // Done: a later turn finds it in its place.
            *slot = hole as u32;
            if from == first {
                break;
            }
            swap(hole, from);
            hole = from;
        }
    }
}
