//! Whose turn it is: the first host of the fleet's order whose jump hosts have room.
//!
//! A thread that waited inside a host's task for room at its bastion would be missing for the hosts of every other one;
//! so room is looked for before a thread takes a host, and the time that a host waits is not its own.
//!
//! *Invariant:* no host is handed out twice, and none waits while a thread is free and all of its ways have room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a stop is looked for while all that is left waits for room.
const TICK: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct State {
    waiting: VecDeque<usize>,
    /// Sessions through each way.
    under_way: HashMap<usize, usize>,
}

/// The hosts that wait.
#[derive(Debug)]
pub(super) struct Turns {
    /// The ways of each host, by number.
    ways: Vec<Vec<usize>>,
    /// Sessions that a way has room for; 0 is no bound.
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

impl Turns {
    /// All hosts wait, in order; `shared` names the ways of each.
    pub(super) fn new(shared: impl IntoIterator<Item = Vec<String>>, most: usize) -> Self {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut number = |name: String| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        };
        let ways: Vec<Vec<usize>> =
            shared.into_iter().map(|names| names.into_iter().map(&mut number).collect()).collect();
        let state = State { waiting: (0..ways.len()).collect(), under_way: HashMap::new() };
        Self { ways, most, state: Mutex::new(state), freed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ways(&self, index: usize) -> &[usize] {
        self.ways.get(index).map_or(&[], Vec::as_slice)
    }

    /// The next host; waits for room where only hosts without are left. `None` where none is left, or the run was stopped.
    pub(super) fn take(&self, is_stopped: &dyn Fn() -> bool) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.waiting.is_empty() || is_stopped() {
                return None;
            }
            if let Some(index) = self.next(&mut state) {
                return Some(index);
            }
            state = self.freed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hands out the first host with room.
    fn next(&self, state: &mut State) -> Option<usize> {
        let has_room = |index: &usize| {
            let busy = |way: &usize| state.under_way.get(way).is_some_and(|count| *count >= self.most);
            self.most == 0 || !self.ways(*index).iter().any(busy)
        };
        let place = state.waiting.iter().position(has_room)?;
        let index = state.waiting.remove(place)?;
        for way in self.ways(index) {
            *state.under_way.entry(*way).or_default() += 1;
        }
        Some(index)
    }

    /// A host is done.
    pub(super) fn give_back(&self, index: usize) {
        let mut state = self.lock();
        for way in self.ways(index) {
            if let Some(count) = state.under_way.get_mut(way) {
                *count = count.saturating_sub(1);
            }
        }
        drop(state);
        self.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn behind(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn at_once(turns: &Turns, count: usize) -> Vec<Option<usize>> {
        (0..count).map(|_| turns.take(&|| false)).collect()
    }

    #[test]
    fn hosts_of_a_full_bastion_let_others_pass() {
        let hosts = [behind(&["a"]), behind(&["a"]), behind(&["a"]), behind(&[]), behind(&["b"]), behind(&["a", "b"])];
        let turns = Turns::new(hosts, 1);
        assert_eq!(at_once(&turns, 3), [Some(0), Some(3), Some(4)]);
        turns.give_back(4);
        // The last needs room at both.
        assert_eq!(turns.next(&mut turns.lock()), None);
        turns.give_back(0);
        assert_eq!(turns.take(&|| false), Some(1));
        turns.give_back(1);
        assert_eq!(turns.take(&|| false), Some(2));
        turns.give_back(2);
        assert_eq!(turns.take(&|| false), Some(5));
        assert_eq!(turns.take(&|| false), None);
    }

    #[test]
    fn without_a_bound_the_fleets_order_holds() {
        let turns = Turns::new(vec![behind(&["a"]); 4], 0);
        assert_eq!(at_once(&turns, 5), [Some(0), Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn five_hundred_behind_one_bastion_do_not_starve_those_after_them() {
        let hosts = (0..1_000).map(|index| if index < 500 { behind(&["a"]) } else { Vec::new() });
        let turns = Turns::new(hosts, 8);
        let first = at_once(&turns, 64);
        assert_eq!(first.iter().flatten().filter(|index| **index < 500).count(), 8);
        assert_eq!(first.iter().flatten().filter(|index| **index >= 500).count(), 56);
    }

    proptest! {
        #[test]
        fn every_host_has_one_turn_and_no_way_is_overfull(
            hosts in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..3), 0..40),
            most in 1..4_usize,
            threads in 1..6_usize,
        ) {
            let named = |ways: &Vec<u8>| {
                let mut ways = ways.clone();
                ways.sort_unstable();
                ways.dedup();
                ways.iter().map(ToString::to_string).collect::<Vec<_>>()
            };
            let turns = Turns::new(hosts.iter().map(named), most);
            let mut under_way: VecDeque<usize> = VecDeque::new();
            let mut seen = std::collections::BTreeSet::new();
            loop {
                let taken = if under_way.len() < threads { turns.next(&mut turns.lock()) } else { None };
                match (taken, under_way.is_empty()) {
                    (Some(index), _) => { prop_assert!(seen.insert(index)); under_way.push_back(index); }
                    (None, true) => break,
                    (None, false) => { if let Some(done) = under_way.pop_front() { turns.give_back(done); } }
                }
                for count in turns.lock().under_way.values() {
                    prop_assert!(*count <= most);
                }
            }
            prop_assert_eq!(seen.len(), hosts.len());
        }
    }
}
