//! Many hosts: a pool of threads, one task a host, events as they happen, outcomes in the order of the fleet.
//!
//! *Invariant:* one host's failure, panic included, never touches another's; order is decided when results are collected.

mod comparison;
mod event;
mod evidence;
mod host;
mod pace;
mod pool;
mod resumption;
mod turns;

pub use comparison::{Comparison, NotComparable};
pub use event::{Account, Event};
pub use evidence::evidence;
pub use host::{Target, Terms, Way, ask_terms};
pub use pool::{Run, run};
pub use resumption::{Grounds, NotResumable, OLDEST, Reached, Resumption, resume};
