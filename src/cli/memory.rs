//! What earlier reports in the same folder tell of this run's findings.
//!
//! *Invariant:* never stops a run: an earlier report that can't be read is said and passed over.

use super::trouble::warn;
use crate::drift::fleet::memory::{Memory, Seen};
use crate::model::FleetOutcome;
use crate::store::Runs;
use std::collections::HashMap;

/// Earlier runs that are looked at: a host that was down for so many nights is new again.
const RUNS: usize = 10;

/// Finds since when each finding is there.
pub(super) fn recall(runs: &Runs, outcome: &mut FleetOutcome) {
    let earlier = match runs.list() {
        Ok(earlier) => earlier,
        Err(error) => return warn(format!("earlier runs are not looked at: {error}")),
    };
    let mut memory = Memory::of(outcome);
    let mut read = 0;
    for run in earlier.into_iter().rev().filter(|run| *run < outcome.run) {
        if memory.is_done() || read == RUNS {
            break;
        }
        if !runs.report_path(&run).is_file() {
            continue;
        }
        let mut hosts: HashMap<String, Seen> = HashMap::new();
        let opening = runs.each_host(&run, &mut |host| {
            if host.is_compared && memory.asks(&host.name) {
                let seen = host.findings.into_iter().map(|finding| (finding.sight.fingerprint, finding.first_seen));
                hosts.insert(host.name, seen.collect());
            }
        });
        match opening {
            Ok(opening) if opening.is_partial => {}
            Ok(opening) => {
                read += 1;
                memory.recall(outcome, run, &opening.started, &hosts);
            }
            Err(error) => warn(format!("run {run} tells nothing of how old findings are: {error}")),
        }
    }
    memory.write(outcome);
}
