//! One host: bootstrap the probe, ask, read the answer, prove it.
//!
//! *Invariant:* every byte from the host is hostile: frames are capped, their order is fixed, and an answer without its
//! trailer, or whose explanation does not give the host's own root, is no observation.

mod bootstrap;
mod converse;
mod failure;
mod frames;
mod probe;

pub use bootstrap::{BOOTSTRAP, NO_PLACE, command};
pub use converse::{Ask, Captured, budget, capture, observe};
pub use failure::Failure;
pub use probe::{PROBE, probe_digest};

#[cfg(test)]
mod tests;
