//! The deadline of the scan on the host.
//!
//! *Invariant:* monotonic; a host whose calendar is wrong scans like any other.

use crate::sys::{MONOTONIC, REALTIME, clock};

/// A deadline.
pub struct Clock {
    start: u64,
    millis: u64,
}

impl Clock {
    /// Begins now.
    pub fn new(seconds: u32) -> Self {
        Self { start: now(), millis: u64::from(seconds) * 1000 }
    }

    /// Milliseconds since the beginning.
    pub fn elapsed(&self) -> u64 {
        now().saturating_sub(self.start)
    }

    /// Whether the time is spent.
    pub fn is_over(&self) -> bool {
        self.elapsed() >= self.millis
    }
}

fn now() -> u64 {
    let (seconds, nanos) = clock(MONOTONIC);
    seconds as u64 * 1000 + nanos as u64 / 1_000_000
}

/// Seconds since 1970 by the host's calendar.
pub fn calendar() -> i64 {
    clock(REALTIME).0
}
