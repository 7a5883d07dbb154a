//! New connections a second, over all threads.
//!
//! *Invariant:* a short burst is free, after that starts are evenly spaced.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A pace shared by the pool.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// So many a second; 0 is unlimited. A fifth of a second's worth may start at once.
    pub(super) fn new(rate: u32) -> Self {
        let gap = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        let burst = gap * (rate / 5);
        let now = Instant::now();
        Self { gap, next: Mutex::new(now.checked_sub(burst).unwrap_or(now)) }
    }

    /// Waits for a turn.
    pub(super) fn wait(&self) {
        let now = Instant::now();
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let burst = self.gap * 10;
            let turn = (*next).max(now.checked_sub(burst).unwrap_or(now));
            *next = turn + self.gap;
            turn
        };
        std::thread::sleep(turn.saturating_duration_since(now));
    }
}
