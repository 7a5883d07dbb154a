//! How many hosts of a group may be away at once.
//!
//! *Invariant:* shares are rounded so that fewer hosts go: a budget down (one at least), a floor up.

use crate::plan::document::{Budget, Order};
use crate::plan::settings::Rules;

/// The share of a group that may be away where nobody declared another.
const SHARE: Budget = Budget::Percent(10);

/// A group's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capacity {
    /// Hosts of the fleet.
    pub(super) size: usize,
    /// Of them, those taken for serving.
    pub(super) healthy: usize,
    /// The least that must serve at any time.
    pub(super) floor: usize,
    /// The most that a wave may hold.
    pub(super) max_unavailable: usize,
    /// New machines that come before old ones go.
    pub(super) surge: usize,
}

impl Capacity {
    pub(super) fn of(rules: &Rules, size: usize, healthy: usize) -> Self {
        let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let max_unavailable = match rules.max_unavailable.unwrap_or(SHARE) {
            Budget::Hosts(n) => number(n),
            Budget::Percent(share) => (size.saturating_mul(usize::from(share)) / 100).max(1),
        };
        let floor = match rules.floor {
            Some(Budget::Hosts(n)) => number(n),
            Some(Budget::Percent(share)) => size.saturating_mul(usize::from(share)).div_ceil(100),
            // An empty group serves nobody: only a declared floor of 0 allows that.
            None => size.saturating_sub(max_unavailable).max(1),
        };
        let surge = match rules.actuator.map(crate::plan::document::Actuator::order) {
            Some(Order::BuildsFirst) => size,
            Some(Order::TerminatesFirst) => 0,
            Some(Order::AsDeclared) | None => number(rules.surge),
        };
        Self { size, healthy, floor, max_unavailable, surge }
    }

    /// The most hosts of a wave: as many as the budget allows, and as leave the floor while they are away. Of a surge no
    /// more machines come than the wave has hosts, so that it helps no group that is below its floor already.
    pub(super) fn most(&self) -> usize {
        match self.healthy.checked_sub(self.floor) {
            Some(room) => self.max_unavailable.min(room.saturating_add(self.surge)),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Actuator;

    fn most(rules: &Rules, size: usize, healthy: usize) -> (usize, usize, usize) {
        let capacity = Capacity::of(rules, size, healthy);
        (capacity.floor, capacity.max_unavailable, capacity.most())
    }

    #[test]
    fn a_tenth_and_at_least_one_where_nothing_is_declared() {
        let none = Rules::default();
        assert_eq!(most(&none, 1, 1), (1, 1, 0));
        assert_eq!(most(&none, 2, 2), (1, 1, 1));
        assert_eq!(most(&none, 2, 1), (1, 1, 0));
        assert_eq!(most(&none, 40, 40), (36, 4, 4));
        assert_eq!(most(&none, 49, 48), (45, 4, 3));
        assert_eq!(most(&none, 40, 30), (36, 4, 0));
    }

    #[test]
    fn what_is_declared_holds() {
        let rules = |floor, most, surge| Rules { floor, max_unavailable: most, surge, ..Rules::default() };
        let (hosts, share) = (Budget::Hosts, Budget::Percent);
        assert_eq!(most(&rules(Some(hosts(0)), None, 0), 1, 1), (0, 1, 1));
        assert_eq!(most(&rules(Some(share(90)), Some(hosts(9)), 0), 41, 41), (37, 9, 4));
        assert_eq!(most(&rules(None, Some(share(50)), 0), 5, 5), (3, 2, 2));
        assert_eq!(most(&rules(Some(hosts(5)), Some(hosts(3)), 2), 5, 5), (5, 3, 2));
        assert_eq!(most(&rules(Some(hosts(50)), None, 0), 5, 5), (50, 1, 0));
        assert_eq!(Capacity::of(&rules(Some(hosts(5)), Some(hosts(3)), 9), 5, 4).most(), 0);
        let green = Rules { actuator: Some(Actuator::BlueGreen), ..Rules::default() };
        assert_eq!(most(&green, 1, 1), (1, 1, 1));
    }
}
