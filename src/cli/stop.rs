//! Signals that end a run early: the report is written all the same.
//!
//! *Invariant:* the first signal asks, the second one of the same kind ends the process at once.

use super::trouble::{Outcome, Trouble};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    /// Raised by any of the signals.
    pub(super) asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Outcome<Self> {
        let stop = Self { asked: Arc::default(), signal: Arc::default() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or(0);
            let status = 128 + signal;
            let listened = signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(&stop.asked))
                .and_then(|_| signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), number))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop.asked)));
            listened.map_err(|error| Trouble::new(format!("can't listen to signals: {error}")))?;
        }
        Ok(stop)
    }

    /// The signal, where one came.
    pub(super) fn signal(&self) -> Option<i32> {
        let signal = self.signal.load(Ordering::SeqCst);
        if signal == 0 { None } else { i32::try_from(signal).ok() }
    }
}
