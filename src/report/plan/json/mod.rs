//! The JSON plan `driftscan.plan/v1`, written and read.
//!
//! One compact object and a line feed; equal plans give equal bytes, and what is read equals what was written. The
//! plan's id is the SHA-256 of the same bytes without the id and without the line feed.
//!
//! *Invariant:* the file's shape lives in `v1` alone; nothing outside this folder sees those types.

mod decode;
mod encode;
mod v1;

use crate::model::text::{escape, hex};
use crate::plan::Plan;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufWriter, Write};

/// The `schema` of a plan.
pub const SCHEMA: &str = "driftscan.plan/v1";
/// The `version` of a plan.
pub const VERSION: u32 = 1;

/// Why bytes are not a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not the shape of a plan.
    #[error("line {line}, column {column}: {why}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser said, escaped.
        why: String,
    },
    /// Another kind of document, or a later version of this one.
    #[error("it is of schema `{found}`, and this driftscan reads `{SCHEMA}`")]
    Schema {
        /// What it calls itself, escaped.
        found: String,
    },
    /// Its id is not the digest of what it holds.
    #[error("its plan_id is not the digest of what it holds: it was changed after it was written")]
    Id,
    /// A word that is not in its closed list.
    #[error("{place}: `{found}` is no {what}")]
    Word {
        /// The host or the field.
        place: String,
        /// Which list.
        what: &'static str,
        /// The word, escaped.
        found: String,
    },
    /// Two places that must agree do not.
    #[error("{place}: {what}")]
    Inconsistent {
        /// The host or the field.
        place: String,
        /// What disagrees.
        what: &'static str,
    },
}

/// Gives a plan the id of what it holds.
pub fn seal(plan: &mut Plan) {
    plan.id = id_of(&encode::plan(plan));
}

fn id_of(shape: &v1::Plan) -> String {
    debug_assert!(shape.id.is_none(), "an id is no part of itself");
    // Strings, numbers and maps with text keys always serialise.
    let bytes = serde_json::to_vec(shape).unwrap_or_default();
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Writes a sealed plan: one line of JSON.
///
/// # Errors
/// When the writer fails.
pub fn write(plan: &Plan, w: &mut dyn Write) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(64 * 1024, w);
    let shape = v1::Plan { id: Some(plan.id.clone()), ..encode::plan(plan) };
    serde_json::to_writer(&mut buffered, &shape)?;
    buffered.write_all(b"\n")?;
    buffered.flush()
}

/// Reads a plan.
///
/// # Errors
/// When the bytes are not a whole plan of this schema, were changed, or contradict themselves.
pub fn read(bytes: &[u8]) -> Result<Plan, ReadError> {
    match serde_json::from_slice::<v1::Plan>(bytes) {
        Ok(shape) => decode::plan(shape),
        Err(error) => Err(match serde_json::from_slice::<v1::Head>(bytes) {
            // A document of another schema deserves a better answer than its first unknown field.
            Ok(head) if head.schema != SCHEMA => ReadError::Schema { found: escape(head.schema.as_bytes()) },
            // The parser's message repeats words of the file.
            Ok(_) | Err(_) => ReadError::Shape {
                line: error.line(),
                column: error.column(),
                why: escape(error.to_string().as_bytes()),
            },
        }),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests;
