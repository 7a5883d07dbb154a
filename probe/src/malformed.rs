//! Bytes that are not what the format demands: in the probe, without a word.
//!
//! *Invariant:* spelled like the controller's, which keeps the name of the field.

/// Bytes that are not what the format demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {}

/// Makes one; the name of the field is for the controller's side.
#[expect(non_snake_case, reason = "it stands for the constructor of the controller's tuple")]
#[inline(always)]
pub fn Malformed(_: &'static str) -> Malformed {
    Malformed {}
}
