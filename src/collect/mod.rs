//! One host: bootstrap the probe, ask, read the answer, prove it.
//!
//! *Invariant:* every byte from the host is hostile: frames are capped, their order is fixed, and an answer without its
//! trailer, or whose explanation does not give the host's own root, is no observation.

mod bootstrap;
mod bounds;
mod converse;
mod failure;
mod frames;
mod inquiry;
mod lines;
mod opening;
mod probe;
mod ran;
pub mod sh;
mod way;

pub use bootstrap::{BOOTSTRAP, INSTALLED, NO_PLACE, READY, READY_PACKED};
pub use bounds::Bounds;
pub use converse::{Ask, Captured, capture, observe, texts};
pub use failure::Failure;
pub use lines::{Account, Origin, authorized_key, sudoers};
pub use opening::Hello;
pub use probe::{PACKED, PROBE, probe_digest};
pub use ran::{Attempt, Ran};
pub use way::Way;

#[cfg(test)]
mod tests;
