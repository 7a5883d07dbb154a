//! Which hosts there are and how each is reached: the hosts file, the targets of the command line, `--limit`.
//!
//! *Invariant:* takes text, returns values or all mistakes at once; opens no file, resolves no name, prints nothing.

mod fold;
pub mod node_set;

pub use node_set::{NodeSet, NodeSetError, fold};
