//! Dialling again, a bounded number of times, a server that turned the connection away; one rule for every transport.
//!
//! *Invariant:* nothing but throttling is tried again, and no pause goes past the deadline.

use std::time::{Duration, Instant};

use super::{Step, TransportError};

/// Dials in all, where the server turns the first away.
const MOST_ATTEMPTS: u32 = 4;
/// Pauses are drawn between half of this, doubled each time, and the whole.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Dials until something else than a throttling server decides; `dial` gets the number of the attempt, from 1.
pub(super) fn patiently<T>(
    deadline: Instant,
    observer: &mut dyn FnMut(Step),
    mut dial: impl FnMut(u32, &mut dyn FnMut(Step)) -> Result<T, TransportError>,
) -> Result<T, TransportError> {
    let mut attempts = 1;
    loop {
        match dial(attempts, observer) {
            Err(TransportError::TurnedAway { detail, .. }) => {
                let pause = pause(attempts);
                if attempts >= MOST_ATTEMPTS || Instant::now() + pause >= deadline {
                    return Err(TransportError::TurnedAway { attempts, detail });
                }
                observer(Step::Retrying { attempt: attempts, pause, why: detail });
                std::thread::sleep(pause);
                attempts += 1;
            }
            other => return other,
        }
    }
}

/// A time between half and all of the attempt's pause, so that hosts turned away together don't come back together.
fn pause(attempt: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(8));
    // Without random numbers all wait the same: worse, not wrong.
    let share = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    whole.mul_f64(0.5 + share / 2.0)
}
