//! The language that the controller and the probe share: paths, records, rules, digests, the sketch and the frames.
//!
//! Compiled twice: into the probe (`no_std`, no libc) and into the controller, so that both sides hold one matcher,
//! one canonical encoding and one digest.
//!
//! *Invariant:* nothing here performs I/O, reads a clock, or panics on bytes from the other side.

pub mod base64;
pub mod bytes;
pub mod coverage;
pub mod digest;
pub mod mount;
pub mod order;
pub mod pattern;
pub mod record;
pub mod reply;
pub mod request;
pub mod rule;
pub mod secret;
pub mod sketch;
pub mod system;
pub mod usage;
pub mod view;

pub use bytes::{Malformed, Reader};
pub use coverage::{Coverage, Trouble, Why};
pub use digest::{Digest, Id, Salt};
pub use pattern::Pattern;
pub use record::{Attr, Kind, Mask, Record, RecordRef, Value};
pub use rule::{Rule, RuleSet, When};
pub use secret::SecretKey;
pub use system::System;
pub use view::{HostFacts, View};
