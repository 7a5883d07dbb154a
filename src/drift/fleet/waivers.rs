//! Which findings the waivers cover, and what that makes of their hosts.
//!
//! *Invariant:* no finding is taken away or added; a void waiver covers nothing, and a critical finding is covered by its own
//! whole fingerprint alone.

use crate::drift::compare::is_drift;
use crate::drift::judge::accepted;
use crate::model::text::escape;
use crate::model::{Class, Finding, FleetOutcome, HostOutcome, Severity, Standing, Verdict, WaiverState};
use crate::protocol::Digest;
use crate::waivers::{Day, Scope, Waiver, Waivers};
use std::collections::HashMap;

/// Places of findings: the number of the host, and of the finding in it.
type Places = Vec<(usize, usize)>;

/// Applies the waivers as they stand on a day, in place of those that were applied before.
pub(super) fn apply(outcome: &mut FleetOutcome, waivers: &Waivers, today: Day) {
    for finding in outcome.hosts.iter_mut().flat_map(|host| &mut host.findings) {
        finding.waiver = None;
    }
    let known = by_fingerprint(&outcome.hosts);
    let mut states = Vec::new();
    for waiver in waivers {
        let covered = covered(waiver, &outcome.hosts, &known);
        let state = state(waiver, &covered, &outcome.hosts, today);
        if state.standing == Standing::Used {
            for (host, finding) in covered {
                let finding = outcome.hosts.get_mut(host).and_then(|host| host.findings.get_mut(finding));
                if let Some(finding) = finding.filter(|finding| finding.waiver.is_none()) {
                    finding.waiver = Some(waiver.at_work());
                }
            }
        }
        states.push(state);
    }
    outcome.waivers = states;
    for host in &mut outcome.hosts {
        weigh(host, outcome.drift_at);
    }
}

fn by_fingerprint(hosts: &[HostOutcome]) -> HashMap<Digest, Places> {
    let mut known: HashMap<Digest, Places> = HashMap::new();
    for (at, host) in hosts.iter().enumerate() {
        for (number, finding) in host.findings.iter().enumerate() {
            known.entry(finding.fingerprint).or_default().push((at, number));
        }
    }
    known
}

/// What a waiver speaks of, ascending, and what the causes explain whose own findings it speaks of.
fn covered(waiver: &Waiver, hosts: &[HostOutcome], known: &HashMap<Digest, Places>) -> Places {
    let speaks = |place: &(usize, usize)| {
        let host = hosts.get(place.0);
        let finding = host.and_then(|host| host.findings.get(place.1));
        host.zip(finding).is_some_and(|(host, finding)| waiver.speaks_of(&host.group, finding))
    };
    let mut places: Places = match &waiver.scope {
        Scope::Fingerprint(fingerprint) => known.get(fingerprint).cloned().unwrap_or_default(),
        Scope::Pattern { .. } => {
            let of = |(at, host): (usize, &HostOutcome)| (0..host.findings.len()).map(move |number| (at, number));
            hosts.iter().enumerate().flat_map(of).collect()
        }
    };
    places.retain(speaks);
    let mut explained: Places = Vec::new();
    for (at, number) in &places {
        let Some(host) = hosts.get(*at) else { continue };
        let Some(cause) = host.findings.get(*number).and_then(|finding| own_cause(host, finding)) else { continue };
        let of_cause = host.findings.iter().enumerate().filter(|(_, finding)| finding.cause == Some(cause));
        explained.extend(of_cause.filter(|(_, finding)| goes_with_its_cause(finding)).map(|(number, _)| (*at, number)));
    }
    places.extend(explained);
    places.sort_unstable();
    places.dedup();
    places
}

/// The cause that a finding is the head of.
fn own_cause(host: &HostOutcome, finding: &Finding) -> Option<usize> {
    let at = finding.cause?;
    host.causes.get(at).is_some_and(|cause| cause.fingerprint == finding.fingerprint).then_some(at)
}

/// Whether accepting a package's change accepts this as well: what is as the package ships it. That rests on the word of the
/// host's own package database, so it is never enough for what is critical.
fn goes_with_its_cause(finding: &Finding) -> bool {
    finding.severity < Severity::Critical
        && match finding.told.class {
            Some(Class::AsShipped | Class::Upgraded | Class::Downgraded | Class::Held | Class::LocalBuild) => true,
            // Links and scripts are told with their package, and nothing proves them.
            None
            | Some(
                Class::EditedConfig
                | Class::Tampered
                | Class::DatabaseRewritten
                | Class::Unowned
                | Class::UnownedExecutable
                | Class::Silent
                | Class::UnmergedConfig
                | Class::LanguagePackage,
            ) => false,
        }
}

fn state(waiver: &Waiver, covered: &Places, hosts: &[HostOutcome], today: Day) -> WaiverState {
    let mut on: Vec<usize> = covered.iter().map(|(host, _)| *host).collect();
    on.dedup();
    let many = on.len() as u64 > waiver.max_hosts;
    let (standing, why) = if waiver.until < today {
        (Standing::Void, Some(format!("it expired on {}", waiver.until)))
    } else if many {
        let why = format!("over-broad: {} hosts have it, and it may cover {}", on.len(), waiver.max_hosts);
        (Standing::Void, Some(why))
    } else if on.is_empty() {
        (Standing::Unused, None)
    } else {
        (Standing::Used, None)
    };
    let said = waiver.at_work();
    WaiverState {
        of: said.of,
        group: waiver.group.as_ref().map(|group| escape(group.as_bytes())),
        owner: said.owner,
        reason: said.reason,
        until: said.until,
        max_hosts: waiver.max_hosts,
        line: waiver.line,
        standing,
        why,
        hosts: on.iter().filter_map(|host| hosts.get(*host)).map(|host| host.name.clone()).collect(),
        findings: covered.len(),
    }
}

/// The verdict of a host by those of its findings that nobody waived.
fn weigh(host: &mut HostOutcome, drift_at: Severity) {
    let (waived, open): (Vec<&Finding>, Vec<&Finding>) =
        host.findings.iter().partition(|finding| finding.waiver.is_some());
    let drift =
        |findings: &[&Finding]| findings.iter().any(|finding| is_drift(std::slice::from_ref(*finding), drift_at));
    let verdict = if drift(&open) {
        Verdict::Drifted
    } else if drift(&waived) || host.verdict == Verdict::Drifted {
        accepted(&host.reasons, host.coverage.as_ref(), host.versions_behind)
    } else {
        host.verdict
    };
    if verdict != host.verdict {
        host.verdict = verdict;
        host.decision = verdict.decision();
    }
}

#[cfg(test)]
#[path = "waivers_tests.rs"]
mod tests;
