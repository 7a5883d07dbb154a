//! The policy file, or what holds without one.
//!
//! *Invariant:* a policy that can't be read or has a mistake stops the run: a weaker one never takes its place.

use super::trouble::{Outcome, Trouble};
use crate::collect::Captured;
use crate::manifest::{Baseline, NoiseRule};
use crate::model::HostOutcome;
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
    of_noise(file, baseline, &baseline.header.noise)
}

/// The same with other learned rules than the baseline's own.
pub(super) fn of_noise(file: &PolicyFile, baseline: &Baseline, noise: &[NoiseRule]) -> Policy {
    let noise = noise.iter().flat_map(NoiseRule::rules).collect();
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

/// Tells the rules of the user that matched nothing: no record of a baseline, no finding, nothing that was left out.
pub(super) fn idle_note(file: &str, idle: &[RuleText], hosts: &[HostOutcome]) -> Option<String> {
    const SHOWN: usize = 5;
    let found = |rule: &RuleText| {
        let path = rule.path();
        hosts.iter().any(|host| {
            let left_out = host.coverage.as_ref().is_some_and(|coverage| {
                coverage.ignored.iter().any(|(by, _)| *by == path) || coverage.pruned.iter().any(|(by, _)| *by == path)
            });
            left_out
                || host.findings.iter().any(|finding| {
                    let path =
                        finding.subject.iter().position(|byte| *byte == b':').map(|at| &finding.subject[at + 1..]);
                    path.is_some_and(|path| rule.pattern.matches(path))
                })
        })
    };
    let unmatched: Vec<&RuleText> = idle.iter().filter(|rule| !found(rule)).collect();
    let lines = unmatched.iter().take(SHOWN).map(|rule| format!("  {}  {}", rule.place(file), rule.path()));
    let lines: Vec<String> = lines.collect();
    let more = unmatched.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n  and {more} more (driftscan policy check)") } else { String::new() };
    let rules = if unmatched.len() == 1 { "A rule" } else { "Rules" };
    (!lines.is_empty()).then(|| {
        format!("{rules} of the policy matched nothing, in no baseline and on no host:\n{}{more}", lines.join("\n"))
    })
}
