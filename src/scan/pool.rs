//! The pool: so many threads, a task a host, and an end that does not wait for hosts that hang.
//!
//! *Invariant:* every host that finished is in the result, in the order of the fleet; a run that was stopped has fewer.

use super::event::Event;
use super::host::{Target, Terms, fault, scan};
use super::pace::Pace;
use crate::model::HostOutcome;
use crate::transport::Dialer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Everything that a run needs.
#[derive(Debug)]
pub struct Run {
    /// The hosts, in the order of the fleet.
    pub targets: Vec<Target>,
    /// How to reach them.
    pub dialer: Dialer,
    /// For each host.
    pub terms: Terms,
    /// Threads.
    pub jobs: usize,
    /// New connections a second; 0 is unlimited.
    pub rate: u32,
}

/// How often a stop is looked for while nothing happens.
const TICK: Duration = Duration::from_millis(50);

/// Scans the hosts; `watch` gets each event on the calling thread. Returns the outcomes in the order of the fleet, of all
/// hosts or, when `stop` was raised, of those that were done by then.
///
/// # Errors
/// The threads can't be started.
pub fn run(
    run: Run,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(&Event),
) -> Result<Vec<HostOutcome>, rayon::ThreadPoolBuildError> {
    let total = run.targets.len();
    let jobs = run.jobs.clamp(1, total.max(1));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .thread_name(|number| format!("host-{number}"))
        .stack_size(1 << 20)
        .build()?;
    let run = Arc::new(run);
    let pace = Arc::new(Pace::new(run.rate));
    let stopped = Arc::new(AtomicBool::new(false));
    let (events, received) = mpsc::channel();
    for index in 0..total {
        let (run, pace, stopped, events) = (Arc::clone(&run), Arc::clone(&pace), Arc::clone(&stopped), events.clone());
        // First in, first out: the order of the fleet is the order of the turns.
        pool.spawn_fifo(move || {
            pace.wait();
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let target = &run.targets[index];
            // Nobody listens any more once the run was stopped.
            let tell = |event| drop(events.send(event));
            tell(Event::Started { index });
            let task = AssertUnwindSafe(|| scan(target, index, &run.terms, &run.dialer, &tell));
            let (outcome, account) = catch_unwind(task).unwrap_or_else(|_| fault(target));
            tell(Event::Finished { index, outcome: Box::new(outcome), account: Box::new(account) });
        });
    }
    drop(events);
    let mut outcomes: Vec<Option<HostOutcome>> = (0..total).map(|_| None).collect();
    let mut done = 0;
    while done < total && !stop.load(Ordering::Relaxed) {
        match received.recv_timeout(TICK) {
            Ok(event) => {
                watch(&event);
                if let Event::Finished { index, outcome, .. } = event {
                    outcomes[index] = Some(*outcome);
                    done += 1;
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    stopped.store(true, Ordering::Relaxed);
    if done < total {
        // Threads that wait for a host are left behind: the process ends with the report.
        std::mem::forget(pool);
    }
    Ok(outcomes.into_iter().flatten().collect())
}
