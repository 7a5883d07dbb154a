//! What only the whole run can tell: waivers with a bound on hosts, identities that hosts share, drift that most of a group
//! have, and hosts that stand alone.
//!
//! *Invariant:* settling twice gives what settling once gives, so that a run that was taken up is settled as a whole; no
//! host becomes clean here whose coverage is not complete.

mod clones;
pub mod ledger;
pub mod memory;
pub mod rarity;
pub mod shares;
mod waivers;

use crate::model::{Decision, FleetOutcome, Verdict};
use crate::waivers::{Day, Waivers};

/// Settles a run on a day: identities that its hosts share, what its waivers cover, what most of a group have, and what that
/// makes of its hosts.
pub fn settle(outcome: &mut FleetOutcome, waivers: &Waivers, today: Day) {
    clones::find(outcome);
    // So late that what the fleet itself tells can be waived as well.
    waivers::apply(outcome, waivers, today);
    decide(outcome);
}

/// What to do with each host, by its verdict and by what its group shares. A host whose drift is all common is no candidate:
/// its replacement would be built from the same template. Where not all of it was read, a person must look instead.
fn decide(outcome: &mut FleetOutcome) {
    let shares = shares::weigh(&ledger::Ledger::of(outcome), outcome.common_at, outcome.drift_at);
    for (host, standing) in outcome.hosts.iter_mut().zip(&shares.standings) {
        host.snowflake = standing.snowflake;
        let whole = host.reasons.is_empty() && host.coverage.as_ref().is_some_and(|coverage| coverage.complete);
        host.decision = match host.verdict {
            Verdict::Drifted if standing.only_common && host.versions_behind.is_none() => {
                if whole {
                    Decision::FixTemplate
                } else {
                    Decision::Investigate
                }
            }
            verdict => verdict.decision(),
        };
    }
    outcome.common = shares.common;
}

#[cfg(test)]
mod tests;
