//! What a replacement must equal.
//!
//! *Invariant:* never an older version than the one that the run would have had.

use crate::inventory::Host;
use crate::model::{BaselineUse, HostOutcome};

/// `NAME@VERSION`: the version that the fleet names, else the one of the run for the group and its template.
pub(super) fn of(host: &Host, outcome: &HostOutcome, baselines: &[BaselineUse]) -> String {
    let reference = outcome.reference.as_deref().unwrap_or_default();
    let name = host.template.as_ref().map_or_else(|| template(reference), |template| template.name.as_str());
    if let Some(version) = host.template.as_ref().and_then(|template| template.version.as_ref()) {
        return format!("{name}@{version}");
    }
    let mut of_group = baselines.iter().filter(|used| used.group == host.group && template(&used.label) == name);
    match (of_group.next(), of_group.next()) {
        (Some(only), None) => only.label.clone(),
        // Hosts of one group that name versions and others that do not: a host that is not outdated names its own.
        (Some(first), Some(_)) => {
            let own = outcome.versions_behind.is_none()
                && baselines.iter().any(|used| used.group == host.group && used.label == reference);
            if own { reference.to_owned() } else { first.label.clone() }
        }
        (None, _) => reference.to_owned(),
    }
}

fn template(label: &str) -> &str {
    label.split_once('@').map_or(label, |(name, _)| name)
}
