//! The policy file, or what holds without one.
//!
//! *Invariant:* a policy that can't be read or has a mistake stops the run: a weaker one never takes its place.

use super::trouble::{Outcome, Trouble};
use crate::manifest::Baseline;
use crate::policy::{Policy, PolicyFile};
use crate::protocol::Attr;
use std::path::Path;

/// Reads the policy that was named.
pub(super) fn read(path: Option<&Path>) -> Outcome<PolicyFile> {
    let Some(path) = path else { return Ok(PolicyFile::default()) };
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| Trouble::new(format!("policy {name}: {error}")))?;
    let text = String::from_utf8(text).map_err(|_| Trouble::new(format!("policy {name}: it is not UTF-8")))?;
    PolicyFile::parse(&name, &text).map_err(Trouble::new)
}

/// The policy for the system of a baseline.
pub(super) fn of_baseline(file: &PolicyFile, baseline: &Baseline) -> Policy {
    let like = baseline.record(b"fact:os.like").and_then(|record| record.view().present(Attr::Text));
    of_system(file, &baseline.header.identity.os, like.unwrap_or_default())
}

/// The policy for a system, by the `ID` and `ID_LIKE` of its os-release.
pub(super) fn of_system(file: &PolicyFile, os: &str, like: &[u8]) -> Policy {
    let like: Vec<&str> = like.split(|b| *b == b' ').filter_map(|word| std::str::from_utf8(word).ok()).collect();
    file.for_system(os, &like)
}
