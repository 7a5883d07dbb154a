//! Hosts that share what each must have for itself: machine id, SSH host keys, random seed, initiator names.
//!
//! A host may lie about its identities as about everything; then it lacks this finding, as it would lack any other.
//!
//! *Invariant:* a host gets at most one finding a kind; looking twice gives what looking once gives.

use crate::drift::compare::by_weight;
use crate::drift::describe::{attributes, fingerprint, key};
use crate::model::{Change, Code, Finding, FleetOutcome, HostOutcome, Severity, Told, Verdict};
use crate::protocol::record::RecordWriter;
use crate::protocol::{Attr, Record};
use std::collections::BTreeMap;

/// The most other hosts that an explanation names.
const NAMED: usize = 20;

/// Kind and digest of an identity, and the hosts that have it by their numbers.
type Owners<'a> = BTreeMap<(&'a str, &'a str), Vec<usize>>;

/// Gives each of the hosts that share an identity a finding that says so.
pub(super) fn find(outcome: &mut FleetOutcome) {
    let mut owners = Owners::new();
    for (number, host) in outcome.hosts.iter().enumerate() {
        for (kind, digest) in &host.evidence.identities {
            let hosts = owners.entry((kind, digest)).or_default();
            // A host with two random seeds may have the same one twice.
            if hosts.last() != Some(&number) {
                hosts.push(number);
            }
        }
    }
    let mut found: BTreeMap<(usize, &str), Finding> = BTreeMap::new();
    for ((kind, digest), hosts) in owners.iter().filter(|(_, hosts)| hosts.len() > 1) {
        for number in hosts {
            // A host has a key of each type, and all of them were copied together: one finding says it.
            let family = kind.split('.').next().unwrap_or(kind);
            found.entry((*number, family)).or_insert_with(|| finding(family, digest, *number, hosts, &outcome.hosts));
        }
    }
    let found: Vec<(usize, Finding)> = found.into_iter().map(|((number, _), finding)| (number, finding)).collect();
    for (number, finding) in found {
        let drift_at = outcome.drift_at;
        if let Some(host) = outcome.hosts.get_mut(number) {
            put(host, finding, drift_at);
        }
    }
}

/// Puts a finding in the place of what was found before.
fn put(host: &mut HostOutcome, mut finding: Finding, drift_at: Severity) {
    if let Some(at) = host.findings.iter().position(|other| other.key == finding.key) {
        let before = host.findings.remove(at);
        finding.waiver = before.waiver.filter(|_| before.fingerprint == finding.fingerprint);
    }
    if finding.severity >= drift_at && finding.waiver.is_none() {
        host.verdict = Verdict::Drifted;
        host.decision = Verdict::Drifted.decision();
    }
    host.findings.push(finding);
    by_weight(&mut host.findings);
}

fn finding(family: &str, digest: &str, number: usize, owners: &[usize], hosts: &[HostOutcome]) -> Finding {
    let subject = format!("fact:identity.{family}").into_bytes();
    let mut encoded = Vec::new();
    RecordWriter::new(&mut encoded, &subject).present(Attr::Text, digest.as_bytes());
    let record = Record::parse(&encoded).ok();
    let after = record.as_ref().map(Record::view);
    let others: Vec<&HostOutcome> =
        owners.iter().filter(|other| **other != number).filter_map(|other| hosts.get(*other)).collect();
    Finding {
        code: Code::ClonedIdentity,
        change: Change::Added,
        severity: severity(family),
        fingerprint: fingerprint(Code::ClonedIdentity, &subject, None, after, &[Attr::Text]),
        key: key(Code::ClonedIdentity, &subject),
        before: attributes(None, &[Attr::Text]),
        after: attributes(after, &[Attr::Text]),
        told: told(family, hosts.get(number), &others),
        cause: None,
        waiver: None,
        subject,
    }
}

/// A random seed does harm only until the kernel has gathered entropy of its own.
fn severity(family: &str) -> Severity {
    if family == "random-seed" { Severity::Medium } else { Severity::High }
}

fn told(family: &str, host: Option<&HostOutcome>, others: &[&HostOutcome]) -> Told {
    let name = match family {
        "ssh-host-key" => "SSH host key",
        "random-seed" => "random seed",
        "initiator" => "iSCSI initiator name",
        "hostnqn" | "hostid" => "NVMe host id",
        other => other,
    };
    let first = others.first().map_or("", |other| other.name.as_str());
    let more = match others.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names: Vec<&str> = others.iter().take(NAMED).map(|other| other.name.as_str()).collect();
    let rest = if others.len() > NAMED { ", and others" } else { "" };
    let mut explanation = vec![
        format!("The same {name} is on {}{rest}.", names.join(", ")),
        "A server makes its own when it first boots: these were copied from one that had booted, or the template keeps what \
         it must not keep."
            .to_owned(),
    ];
    explanation.push(risk(family).to_owned());
    if let Some(twin) = others.iter().find(|other| host.is_some_and(|host| is_same_machine(host, other))) {
        explanation.push(format!(
            "SSH host key, machine id and boot time are those of {} too: is it one machine that the hosts file names twice?",
            twin.name
        ));
    }
    Told { title: Some(format!("{name} shared with {first}{more}")), explanation, ..Told::default() }
}

/// What it means.
fn risk(family: &str) -> &'static str {
    match family {
        "ssh-host-key" => "Who reads it on one of them can pass for every other, to clients and to driftscan.",
        "random-seed" => "What is made from it early after the boot can be guessed from the other host.",
        "initiator" | "hostnqn" | "hostid" => "Storage that trusts one of them trusts the others.",
        _ => "Leases, logs and inventories that go by it take these hosts for one.",
    }
}

/// Whether everything that tells machines apart is the same.
fn is_same_machine(host: &HostOutcome, other: &HostOutcome) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    same(&host.host_key, &other.host_key)
        && same(&host.evidence.machine_id, &other.evidence.machine_id)
        && same(&host.evidence.boot, &other.evidence.boot)
}

#[cfg(test)]
#[path = "clones_tests.rs"]
mod tests;
