//! Which hosts there are and how each is reached: the hosts file, the targets of the command line, `--limit`.
//!
//! *Invariant:* takes text, returns values or all mistakes at once; opens no file, resolves no name, prints nothing.

mod address;
mod canonical;
mod distance;
pub mod fleet;
mod fold;
pub mod host;
pub mod hosts_file;
pub mod limit;
pub mod mistake;
pub mod node_set;
mod settings;
mod spelling;
pub mod target;
mod way;

pub use canonical::canonical;
pub use fleet::{Fleet, MAX_HOSTS};
pub use host::{Host, JumpHost, Place, ProbeChoice, Reach, TemplateRef, TransportChoice};
pub use mistake::{Mistake, Warning};
pub use node_set::{NodeSet, NodeSetError, fold};
