//! Bytes that are not what a format demands.
//!
//! The shared language finds it by this name in the controller and in the probe, which has a wordless one.
//!
//! *Invariant:* the text is ours, never a host's.

/// Bytes that are not what the format demands; the text names the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "malformed {}", self.0)
    }
}

impl core::error::Error for Malformed {}
