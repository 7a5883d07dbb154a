//! Waiting for this run's turn: a random delay (`--jitter`), then the lock of the reports folder (`--wait-lock`).
//!
//! *Invariant:* the lock is never held while waiting for something else; a signal ends every wait at once.

use super::report::stored;
use super::stop::Stop;
use super::trouble::{Outcome, Trouble};
use crate::store::{Lock, Runs, StoreError};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// How often the lock and the signals are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How the waiting ended.
pub(super) enum Turn {
    /// It is this run's turn.
    Ours(Lock),
    /// A signal came; nothing was begun.
    Stopped(u8),
}

/// Waits for the turn.
pub(super) fn wait(
    runs: &Runs,
    jitter: Option<Duration>,
    patience: Option<Duration>,
    stop: &Stop,
    quiet: bool,
) -> Outcome<Turn> {
    let say = |text: String| {
        // In a mail from cron a line about waiting is noise.
        if !quiet && std::io::stderr().is_terminal() {
            err!("{text}");
        }
    };
    if let Some(most) = jitter {
        let delay = share_of(most)?;
        say(format!("starting in {} (--jitter)", shown(delay)));
        if let Some(status) = sleep(delay, stop) {
            return Ok(Turn::Stopped(status));
        }
    }
    let since = || jiff::Timestamp::now().to_string();
    let end = Instant::now() + patience.unwrap_or_default();
    let mut told = false;
    loop {
        match runs.lock(&since()) {
            Ok(lock) => return Ok(Turn::Ours(lock)),
            Err(error @ StoreError::Locked { .. }) if Instant::now() < end => {
                if !told {
                    say(format!("{error}; waiting for it (--wait-lock)"));
                    told = true;
                }
                if let Some(status) = sleep(TICK, stop) {
                    return Ok(Turn::Stopped(status));
                }
            }
            Err(error @ StoreError::Locked { .. }) => {
                return Err(match patience {
                    Some(patience) => Trouble::with(
                        format!("{error}, still after {}", shown(patience)),
                        "a longer --wait-lock, or look at what that run does",
                    ),
                    None => Trouble::with(error, "--wait-lock 5m waits for it; the lock goes with its process"),
                });
            }
            Err(error) => return Err(stored(&error)),
        }
    }
}

/// A random share of a time, so that many controllers that start at once don't scan at once.
fn share_of(most: Duration) -> Outcome<Duration> {
    let random = getrandom::u32().map_err(|error| Trouble::new(format!("no random numbers: {error}")))?;
    Ok(most.mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

/// Sleeps, unless a signal comes; then the status to end with.
fn sleep(time: Duration, stop: &Stop) -> Option<u8> {
    let end = Instant::now() + time;
    loop {
        if let Some(signal) = stop.signal() {
            return Some(128u8.wrapping_add(u8::try_from(signal).unwrap_or(0)));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::sleep(left.min(TICK));
    }
}

fn shown(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
