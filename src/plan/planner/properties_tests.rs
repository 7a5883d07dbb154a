//! Tests.
//!
//! *Invariant:* values.
