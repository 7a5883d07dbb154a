//! The policy file, or what holds without one.
//!
//! *Invariant:* a policy that can't be read or has a mistake stops the run: a weaker one never takes its place.

use super::trouble::{Outcome, Trouble};
use crate::collect::Captured;
use crate::manifest::{Baseline, NoiseRule};
use crate::policy::{Policy, PolicyFile, RuleText};
use crate::protocol::{Attr, Record};
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
    let noise = baseline.header.noise.iter().flat_map(NoiseRule::rules).collect();
    of_system(file, &baseline.header.identity.os, baseline.record(LIKE), noise)
}

/// The policy for the system of a machine that is being captured.
pub(super) fn of_captured(file: &PolicyFile, captured: &Captured) -> Policy {
    let like = captured.records.iter().find(|record| record.subject() == LIKE);
    of_system(file, &captured.identity.os, like, Vec::new())
}

/// `ID_LIKE` of os-release.
const LIKE: &[u8] = b"fact:os.like";

fn of_system(file: &PolicyFile, os: &str, like: Option<&Record>, noise: Vec<RuleText>) -> Policy {
    let like = like.and_then(|record| record.view().present(Attr::Text)).unwrap_or_default();
    let like: Vec<&str> = like.split(|b| *b == b' ').filter_map(|word| std::str::from_utf8(word).ok()).collect();
    file.for_baseline(os, &like, noise)
}
