//! Renderings of a run's outcome: JSON, which is the truth, and the table that a person reads.
//!
//! *Invariant:* renderers lay out what the outcome says, to a `Write`; they neither filter, decide nor exit.

pub mod json;
pub mod plan;
pub mod table;

#[cfg(test)]
pub(crate) mod samples;
