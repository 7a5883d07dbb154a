//! The guard of a whole group: where too much of it drifted, the hosts are not what is wrong.
//!
//! *Invariant:* outdated hosts never trip it: after a new version of a template all of them are.

use super::Input;
use super::candidate::open;
use crate::model::{HostOutcome, Severity, Verdict};
use crate::plan::document::WhyRefused;
use crate::protocol::Digest;
use std::collections::{HashMap, HashSet};

/// Fewer drifted hosts than this are no mass, whatever their share.
const LEAST: usize = 3;

/// Why nothing of the group is planned, in a sentence; `healthy` hosts of it are known to drift or not to.
pub(super) fn refusal(
    group: &str,
    candidates: &[&HostOutcome],
    healthy: usize,
    input: &Input<'_>,
) -> Option<(WhyRefused, String)> {
    let drifted: Vec<&HostOutcome> =
        candidates.iter().copied().filter(|outcome| outcome.verdict == Verdict::Drifted).collect();
    let most = usize::from(input.settings.guards.max_group_drift_percent);
    if drifted.len() < LEAST || drifted.len().saturating_mul(100) <= healthy.saturating_mul(most) {
        return None;
    }
    let share = drifted.len().saturating_mul(100) / healthy.max(1);
    let told = format!("{} of {healthy} known hosts drifted, {share}%; at most {most}% may", drifted.len());
    let suspect = shared(group, &drifted, input).map(|(hosts, title)| {
        let reason = format!("{told}. {hosts} of them share one difference, so the baseline is suspect: {title}");
        (WhyRefused::BaselineSuspect, reason)
    });
    Some(suspect.unwrap_or_else(|| {
        (WhyRefused::MassDrift, format!("{told}, and they share no one difference: look for what changes them"))
    }))
}

/// The critical or common difference that the most of them have, where that is more than half: on how many, and which.
fn shared(group: &str, drifted: &[&HostOutcome], input: &Input<'_>) -> Option<(usize, String)> {
    let common: HashSet<&Digest> =
        input.report.common.iter().filter(|common| common.group == group).map(|common| &common.fingerprint).collect();
    let mut counts: HashMap<&Digest, usize> = HashMap::new();
    for outcome in drifted {
        // A fingerprint stands once on a host.
        let telling = open(outcome)
            .filter(|finding| finding.severity == Severity::Critical || common.contains(&finding.fingerprint));
        for finding in telling {
            *counts.entry(&finding.fingerprint).or_default() += 1;
        }
    }
    let (fingerprint, hosts) = counts.into_iter().max_by_key(|(fingerprint, hosts)| (*hosts, *fingerprint))?;
    let finding = drifted.iter().flat_map(|outcome| open(outcome)).find(|one| one.fingerprint == *fingerprint)?;
    (hosts * 2 > drifted.len()).then(|| (hosts, (input.title)(finding)))
}
