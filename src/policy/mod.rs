//! The policy: which paths are compared and how, what a difference is worth, and how far a scan may go.
//!
//! A [`PolicyFile`] is what the user wrote, checked. With a baseline's system it becomes a [`Policy`]: the shipped
//! profiles of that system, then the user's rules, in one order in which the last rule that matches wins.
//!
//! *Invariant:* takes text and values and returns values; it opens no file, and the host under audit has no say in it.

mod effective;
mod file;
pub(crate) mod mistake;
pub(crate) mod nearest;
mod profile;
mod rule;
mod severity;
mod size;
pub(crate) mod table;
mod unseen;
mod v1;
mod valid;
mod witness;

pub use effective::Policy;
pub use file::PolicyFile;
pub use mistake::{Mistake, Mistakes};
pub use profile::Profile;
pub use rule::{Origin, RuleText, Treatment};
pub use unseen::{UNSEEN, unseen};
pub use witness::witness;
