//! Renderings of a plan: JSON, which is the truth, the table that a person reads, and what a platform is given.
//!
//! *Invariant:* renderers lay out what the plan says, to a `Write`; they neither decide nor reach a platform.

pub mod json;
pub mod render;
pub mod status;
pub mod table;

#[cfg(test)]
pub(crate) mod samples;
