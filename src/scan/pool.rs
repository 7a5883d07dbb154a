//! The pool: so many threads, a task a host, and an end that does not wait for hosts that hang.
//!
//! *Invariant:* every host that finished is in the result, in the order of the fleet; a run that was stopped has fewer.

use super::event::Event;
use super::host::{Target, Terms, fault, scan};
use super::pace::Pace;
use super::turns::Turns;
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
    /// How to reach them. Whoever made it closes it when nothing more is to be dialled: a host that is left behind when a run is
    /// stopped would keep its connection.
    pub dialer: Arc<Dialer>,
    /// For each host.
    pub terms: Terms,
    /// Threads.
    pub jobs: usize,
    /// New connections a second; 0 is unlimited.
    pub rate: u32,
    /// Sessions through one jump host at a time; 0 is unlimited.
    pub per_jump: usize,
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
    let turns = Turns::new(run.targets.iter().map(|target| target.way.shared()), run.per_jump);
    let run = Arc::new(run);
    let own = Arc::clone(&run);
    let pace = Pace::new(run.rate);
    let stopped = Arc::new(AtomicBool::new(false));
    let halted = Arc::clone(&stopped);
    let (events, received) = mpsc::channel();
    // One job a thread, which takes the next host each time: the order of the fleet is the order of the turns, but for hosts
    // whose bastion has no room. A job a host would make each thread look through the queues of all others whenever it is
    // done.
    pool.spawn_broadcast(move |_| {
        while let Some(index) = turns.take(&|| halted.load(Ordering::Relaxed)) {
            let Some(target) = own.targets.get(index) else { return };
            pace.wait();
            if halted.load(Ordering::Relaxed) {
                return;
            }
            // Nobody listens any more once the run was stopped.
            let tell = |event| drop(events.send(event));
            tell(Event::Started { index });
            let task = AssertUnwindSafe(|| scan(target, index, &own.terms, &own.dialer, &tell));
            let (outcome, account) = catch_unwind(task).unwrap_or_else(|_| fault(target));
            turns.give_back(index);
            tell(Event::Finished { index, outcome: Box::new(outcome), account: Box::new(account) });
        }
    });
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
