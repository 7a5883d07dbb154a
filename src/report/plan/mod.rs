//! Renderings of a plan: JSON, which is the truth, and the table that a person reads.
//!
//! *Invariant:* renderers lay out what the plan says, to a `Write`; they neither decide nor reach a platform.

pub mod json;
pub mod table;

#[cfg(test)]
pub(crate) mod samples;
