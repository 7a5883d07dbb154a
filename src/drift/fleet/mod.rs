//! What only the whole run can tell: waivers with a bound on hosts, and identities that hosts share.
//!
//! *Invariant:* settling twice gives what settling once gives, so that a run that was taken up is settled as a whole; no
//! host becomes clean here whose coverage is not complete.

mod clones;

use crate::model::FleetOutcome;

/// Settles a run.
pub fn settle(outcome: &mut FleetOutcome) {
    clones::find(outcome);
}
