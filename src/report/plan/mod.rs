//! Renderings of a plan: its document, its table, and what a platform is given.
//!
//! *Invariant:* renderers lay out what the plan says, to a `Write`; they neither plan nor reach a platform.

pub mod render;
