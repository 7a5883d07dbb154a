//! What only the whole run can tell: waivers with a bound on hosts, and identities that hosts share.
//!
//! *Invariant:* settling twice gives what settling once gives, so that a run that was taken up is settled as a whole; no
//! host becomes clean here whose coverage is not complete.

mod clones;
pub mod rarity;
mod waivers;

use crate::model::FleetOutcome;
use crate::waivers::{Day, Waivers};

/// Settles a run on a day: identities that its hosts share, what its waivers cover, and what that makes of its hosts.
pub fn settle(outcome: &mut FleetOutcome, waivers: &Waivers, today: Day) {
    clones::find(outcome);
    // Last, so that what the fleet itself tells can be waived as well.
    waivers::apply(outcome, waivers, today);
}
