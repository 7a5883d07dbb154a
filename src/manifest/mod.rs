//! Baselines: what one machine of a template is made of, in canonical bytes.
//!
//! *Invariant:* pure; a baseline is either accepted whole (schema, order, count, digest) or refused with a reason.

pub mod baseline;
pub mod label;
pub mod noise;
mod overlap;
pub mod projected;
pub mod texts;
mod texts_v1;
pub mod v1;

pub use baseline::{Baseline, BaselineError, Header, Identity};
pub use label::Label;
pub use noise::{Lesson, NoiseClass, NoiseRule};
pub use overlap::overlap;
pub(crate) use projected::is_of_settings;
pub use projected::{ProjectedSet, Recapture};
pub use texts::{GoldenText, GoldenTexts};

#[cfg(test)]
mod tests;
