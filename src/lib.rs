//! driftscan finds servers that are no longer the servers you built, over SSH, and names them as candidates for
//! replacement.
//!
//! The library has floors; a module imports only from the floors below its own, and a test holds it to that:
//!
//! | floor | modules | touches the world |
//! |---|---|---|
//! | 0 | [`protocol`] | no |
//! | 1 | [`model`], [`manifest`], [`policy`], [`inventory`], [`waivers`] | no |
//! | 2 | [`drift`], [`plan`] | no |
//! | 3 | [`report`]; [`transport`], [`store`], [`sys`] | the latter three |
//! | 4 | [`collect`] | through `transport` |
//! | 5 | [`scan`] | through `collect` |
//! | 6 | [`cli`] | yes |

extern crate alloc;

#[path = "../probe/src/protocol/mod.rs"]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "shared with the probe, where each cast stands behind a check or wraps by design"
)]
pub mod protocol;

mod malformed;

pub mod model;
// The folders below come floor by floor.
pub mod inventory;
pub mod manifest;
pub mod policy;
pub mod waivers;

pub mod drift;
pub mod plan;

pub mod report;
pub mod store;
pub mod sys;
pub mod transport;

pub mod collect;

pub mod scan;

pub mod cli;

#[cfg(test)]
mod protocol_tests;

/// The probe's own list of secrets, which it alone decides by: here it is only tested.
#[cfg(test)]
#[path = "../probe/src/secrets.rs"]
#[expect(unreachable_pub, reason = "the probe's own file, whose items are public there")]
mod secrets;

#[cfg(test)]
mod secrets_tests;
