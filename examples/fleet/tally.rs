//! What the fleet saw: connections, and how many at once.
//!
//! *Invariant:* counts; decides nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counters of the whole fleet.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    connections: AtomicUsize,
    turned_away: AtomicUsize,
    commands: AtomicUsize,
    in_flight: AtomicUsize,
    most: AtomicUsize,
}

/// A connection, until it is dropped.
pub(crate) struct Connected<'t>(&'t Tally);

impl Tally {
    /// Counts a connection in.
    pub(crate) fn enter(&self) -> Connected<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        Connected(self)
    }

    /// Counts a connection that was closed before a word.
    pub(crate) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a command.
    pub(crate) fn command(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let (connections, turned_away) = (number(&self.connections), number(&self.turned_away));
        let (commands, most) = (number(&self.commands), number(&self.most));
        write!(f, "{connections} connections, {turned_away} turned away, {commands} commands, at most {most} at once")
    }
}
