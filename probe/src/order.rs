//! Sorting, once: each instance of the standard sort is several kilobytes of program, and a probe has a budget of 64.
//!
//! *Invariant:* the comparison is called through a pointer, so that there is one instance whatever is sorted.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// The numbers below `len`, in the order that `compare` gives them.
#[inline(never)]
pub fn of(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.sort_unstable_by(|a, b| compare(*a as usize, *b as usize));
    order
}

/// Sorts a list.
pub fn sort<T>(list: &mut Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = of(list.len(), &mut |a, b| compare(&list[a], &list[b]));
    let mut from: Vec<Option<T>> = core::mem::take(list).into_iter().map(Some).collect();
    list.extend(order.into_iter().filter_map(|at| from[at as usize].take()));
}
