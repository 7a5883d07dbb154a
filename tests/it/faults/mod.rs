//! The catalogue of faults: each is a test that carries its number, `f05_...`.
//!
//! Those that need a hostile peer meet it in one run per transport, a fleet of hostile hosts and honest ones side by
//! side, and each test reads its own host from it: no fault gives clean (I1), none changes another host's verdict (I2),
//! the run ends in time (I3) and in bounded memory (I4). Faults of other kinds have their tests in the file of their
//! subject, with the number in the name; `cargo test --test it -- f24_` runs what belongs to one.
//!
//! *Invariant:* what a fault must lead to stands in the test, not in the program that plays it.

mod answers;
mod before_login;
mod commands;
mod hosts;
mod memory;
mod peer;
mod swallowed;
mod sweep;
mod transport;

pub(crate) use peer::Peer;
