//! What differs, how much it matters, and what that makes of the host.
//!
//! *Invariant:* pure. Equality is decided by the root over full digests; everything else only explains.

pub mod calibration;
pub mod census;
pub mod compare;
pub mod describe;
mod diff;
mod explanation;
pub mod fleet;
pub mod golden;
mod history;
pub mod image;
mod implied;
pub mod inquiry;
pub mod judge;
pub mod mask;
mod meaning;
mod packages;
pub mod peel;
pub mod reference;
pub mod state;
pub mod version;
pub mod versions;

pub use compare::compare;
pub use judge::{Found, Judgement, Observation, judge};
pub use peel::{Peeled, peel};
pub use reference::{Difference, Reference, Salted};
pub use versions::{Choice, Versions};

#[cfg(test)]
mod tests;
