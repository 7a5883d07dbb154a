//! Renderings of a run's outcome: JSON, which is the truth, the table that a person reads, and the common change as lines
//! of a template.
//!
//! *Invariant:* renderers lay out what the outcome says, to a `Write`; they neither filter, decide nor exit.

pub mod census;
pub mod json;
pub mod pair;
pub mod plan;
mod quote;
pub mod table;
pub mod template;

#[cfg(test)]
pub(crate) mod samples;
