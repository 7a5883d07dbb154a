//! From the shape of the file back to the outcome.
//!
//! What the file says twice (a path and its base64, the hosts and their summary) must agree: the shape is written
//! anew from the outcome and compared with what was read.
//!
//! *Invariant:* no bytes make it panic, and no outcome is returned that would not be written as it was read.

use super::unescape::unescape;
use super::{ReadError, SCHEMA, VERSION, encode, v1};
use crate::model::finding::attr_of;
use crate::model::text::{escape, unhex};
use crate::model::{
    Attributes, BaselineUse, Cause, CauseKind, Change, Class, Code, Collector, CommonAt, CommonDrift, Decision,
    Digests, Evidence, Finding, FleetOutcome, History, HostCoverage, HostOutcome, Image, Obstacle, Reason, Resumed,
    RunId, Severity, Snowflake, Standing, StateAtRisk, StateItem, StateKind, Told, TroubleShown, Verdict, WaiverState,
    WaiverUse, Wire,
};
use crate::protocol::System;
use std::collections::BTreeMap;

/// The parts of [`TroubleShown::part`].
const PARTS: [&str; 5] = ["entries", "entry", "content", "xattrs", "source"];

pub(super) fn report(from: v1::Report) -> Result<FleetOutcome, ReadError> {
    if from.schema != SCHEMA || from.version != VERSION {
        return Err(ReadError::Schema { found: escape(from.schema.as_bytes()) });
    }
    let v1::Digests { tool, probe, policy, inventory, ways, waivers, baselines } = from.digests;
    let outcome = FleetOutcome {
        run: RunId::parse(&from.run).ok_or_else(|| no("run", "run id", &from.run))?,
        started: from.started,
        millis: from.millis,
        resumed: from.resumed.map(resumed).transpose()?,
        interrupted: from.interrupted,
        selected: usize::try_from(from.summary.selected)
            .map_err(|_| disagree("summary", "more hosts than this machine can count"))?,
        // Each goes as soon as it is read: a large fleet is gigabytes.
        hosts: from.hosts.into_iter().map(|one| host(&one)).collect::<Result<_, _>>()?,
        baselines: baselines
            .into_iter()
            .map(|v1::Baseline { label, digest, group, note }| BaselineUse { label, digest, group, note })
            .collect(),
        digests: Digests { tool, probe, policy, inventory, ways, waivers },
        drift_at: Severity::of(&from.drift_at).ok_or_else(|| no("drift_at", "severity", &from.drift_at))?,
        allow_outdated: from.allow_outdated,
        common_at: CommonAt { permille: from.common_at.permille, hosts: from.common_at.hosts },
        common: from.common.into_iter().map(common).collect::<Result<_, _>>()?,
        history: from.history.as_ref().map(history).transpose()?,
        waivers: from.waivers.into_iter().map(waiver).collect::<Result<_, _>>()?,
        notes: from.notes,
    };
    if encode::summary(&outcome) == from.summary {
        Ok(outcome)
    } else {
        Err(disagree("summary", "the counts are not those of the hosts"))
    }
}

fn resumed(from: v1::Resumed) -> Result<Resumed, ReadError> {
    Ok(Resumed {
        run: RunId::parse(&from.run).ok_or_else(|| no("resumed", "run id", &from.run))?,
        since: from.since,
        hosts: usize::try_from(from.hosts)
            .map_err(|_| disagree("resumed", "more hosts than this machine can count"))?,
    })
}

pub(super) fn host(from: &v1::Host) -> Result<HostOutcome, ReadError> {
    let place = format!("host {}", escape(from.name.as_bytes()));
    let outcome = HostOutcome {
        name: from.name.clone(),
        group: from.group.clone(),
        address: from.address.clone(),
        verdict: Verdict::of(&from.verdict).ok_or_else(|| no(&place, "verdict", &from.verdict))?,
        decision: Decision::of(&from.decision).ok_or_else(|| no(&place, "decision", &from.decision))?,
        reference: from.reference.clone(),
        versions_behind: from.versions_behind,
        reasons: from.reasons.iter().map(|obstacle| self::obstacle(&place, obstacle)).collect::<Result<_, _>>()?,
        findings: from.findings.iter().map(|finding| self::finding(&place, finding)).collect::<Result<_, _>>()?,
        causes: from.causes.iter().map(|cause| self::cause(&place, cause)).collect::<Result<_, _>>()?,
        coverage: from.coverage.as_ref().map(|covered| coverage(&place, covered)).transpose()?,
        collector: from
            .collector
            .as_deref()
            .map(|word| Collector::of(word).ok_or_else(|| no(&place, "collector", word)))
            .transpose()?,
        host_key: from.host_key.clone(),
        evidence: evidence(&from.evidence),
        snowflake: from.snowflake.as_ref().map(|one| snowflake(&place, one)).transpose()?,
        state: from.state.as_ref().map(|at_risk| state(&place, at_risk)).transpose()?,
        wire: Wire {
            sent: from.wire.sent,
            received: from.wire.received,
            millis: from.wire.millis,
            attempts: from.wire.attempts,
        },
    };
    if encode::host(&outcome) == *from {
        Ok(outcome)
    } else {
        Err(disagree(&place, "a subject, path or digest is not written as driftscan writes it"))
    }
}

fn common(from: v1::CommonDrift) -> Result<CommonDrift, ReadError> {
    let v1::CommonDrift { group, fingerprint, hosts, of } = from;
    let fingerprint = unhex(&fingerprint).ok_or_else(|| no("common", "digest", &fingerprint))?;
    let of = usize::try_from(of).map_err(|_| disagree("common", "a count of hosts"))?;
    Ok(CommonDrift { group, fingerprint, hosts, of })
}

fn history(from: &v1::History) -> Result<History, ReadError> {
    Ok(History {
        previous: RunId::parse(&from.previous).ok_or_else(|| no("history", "run id", &from.previous))?,
        runs: usize::try_from(from.runs).map_err(|_| disagree("history", "a count of runs"))?,
    })
}

fn snowflake(place: &str, from: &v1::Snowflake) -> Result<Snowflake, ReadError> {
    let count = |n: u64| usize::try_from(n).map_err(|_| disagree(place, "a count of findings"));
    Ok(Snowflake { score: from.score, alone: count(from.alone)?, rare: count(from.rare)? })
}

fn state(place: &str, from: &v1::StateAtRisk) -> Result<StateAtRisk, ReadError> {
    let item = |item: &v1::StateItem| {
        Ok(StateItem {
            kind: StateKind::of(&item.kind).ok_or_else(|| no(place, "kind of state", &item.kind))?,
            path: item.path.clone(),
            bytes: item.bytes,
            files: item.files,
            newest: item.newest.clone(),
            more: item.more,
        })
    };
    let items = from.items.iter().map(item).collect::<Result<_, _>>()?;
    Ok(StateAtRisk { items, rest: from.rest, unseen: from.unseen.clone() })
}

fn obstacle(place: &str, from: &v1::Obstacle) -> Result<Obstacle, ReadError> {
    Ok(Obstacle { reason: reason(place, &from.reason)?, text: from.text.clone(), remedy: from.remedy.clone() })
}

fn reason(place: &str, word: &str) -> Result<Reason, ReadError> {
    Reason::of(word).ok_or_else(|| no(place, "reason", word))
}

fn evidence(from: &v1::Evidence) -> Evidence {
    Evidence {
        machine_id: from.machine_id.clone(),
        boot: from.boot.clone(),
        clock_skew: from.clock_skew,
        addresses: from.addresses.clone(),
        hostname: from.hostname.clone(),
        uid: from.uid,
        identities: from.identities.iter().map(|one| (one.kind.clone(), one.digest.clone())).collect(),
        image: from
            .image
            .as_ref()
            .map_or_else(Image::default, |image| Image { id: image.id.clone(), version: image.version.clone() }),
    }
}

fn coverage(place: &str, from: &v1::Coverage) -> Result<HostCoverage, ReadError> {
    Ok(HostCoverage {
        complete: from.complete,
        walked: from.walked,
        compared: from.compared,
        hashed_bytes: from.hashed_bytes,
        oversize: from.oversize,
        packages: from.packages,
        systems: from.package_systems.iter().map(|word| system(place, word)).collect::<Result<_, _>>()?,
        live: from.live,
        flags_untold: from.flags_untold,
        ignored: from.ignored.iter().map(|ignored| (ignored.rule.clone(), ignored.entries)).collect(),
        pruned: from.pruned.iter().map(|pruned| (pruned.rule.clone(), pruned.path.clone())).collect(),
        skipped_mounts: from.skipped_mounts.iter().map(|mount| (mount.path.clone(), mount.fstype.clone())).collect(),
        troubles: from.troubles.iter().map(|trouble| self::trouble(place, trouble)).collect::<Result<_, _>>()?,
        troubles_total: from.troubles_total,
        millis: from.millis,
    })
}

fn system(place: &str, word: &str) -> Result<System, ReadError> {
    System::ALL.into_iter().find(|system| system.word() == word).ok_or_else(|| no(place, "package system", word))
}

fn trouble(place: &str, from: &v1::Trouble) -> Result<TroubleShown, ReadError> {
    Ok(TroubleShown {
        path: from.path.clone(),
        reason: reason(place, &from.reason)?,
        part: PARTS.into_iter().find(|part| *part == from.part).ok_or_else(|| no(place, "part", &from.part))?,
        excused: from.excused,
    })
}

fn finding(place: &str, from: &v1::Finding) -> Result<Finding, ReadError> {
    let digest = |text: &str| unhex(text).ok_or_else(|| no(place, "digest", text));
    Ok(Finding {
        code: Code::of(&from.code).ok_or_else(|| no(place, "code", &from.code))?,
        change: Change::of(&from.kind).ok_or_else(|| no(place, "kind of finding", &from.kind))?,
        subject: unescape(&from.subject).ok_or_else(|| no(place, "escaped subject", &from.subject))?,
        severity: Severity::of(&from.severity).ok_or_else(|| no(place, "severity", &from.severity))?,
        fingerprint: digest(&from.fingerprint)?,
        key: digest(&from.key)?,
        before: attributes(place, &from.before)?,
        after: attributes(place, &from.after)?,
        told: Told {
            title: from.title.clone(),
            class: from
                .class
                .as_deref()
                .map(|word| Class::of(word).ok_or_else(|| no(place, "class", word)))
                .transpose()?,
            explanation: from.explanation.clone(),
            diff: from.diff.clone(),
            evidence: from.evidence.clone(),
            first_seen: from.first_seen.clone(),
        },
        cause: from.cause.map(|at| usize::try_from(at).map_err(|_| disagree(place, "a cause"))).transpose()?,
        waiver: from.waiver.as_ref().map(|waiver| WaiverUse {
            of: waiver.of.clone(),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            until: waiver.until.clone(),
        }),
    })
}

fn waiver(from: v1::Waiver) -> Result<WaiverState, ReadError> {
    let v1::Waiver { of, group, owner, reason, until, max_hosts, line, state, why, hosts, findings } = from;
    Ok(WaiverState {
        standing: Standing::of(&state).ok_or_else(|| no("waivers", "state of a waiver", &state))?,
        findings: usize::try_from(findings).map_err(|_| disagree("waivers", "a count of findings"))?,
        of,
        group,
        owner,
        reason,
        until,
        max_hosts,
        line,
        why,
        hosts,
    })
}

fn cause(place: &str, from: &v1::Cause) -> Result<Cause, ReadError> {
    Ok(Cause {
        kind: CauseKind::of(&from.kind).ok_or_else(|| no(place, "kind of cause", &from.kind))?,
        subject: unescape(&from.subject).ok_or_else(|| no(place, "escaped subject", &from.subject))?,
        title: from.title.clone(),
        severity: Severity::of(&from.severity).ok_or_else(|| no(place, "severity", &from.severity))?,
        fingerprint: unhex(&from.fingerprint).ok_or_else(|| no(place, "digest", &from.fingerprint))?,
        findings: usize::try_from(from.findings).map_err(|_| disagree(place, "a count of findings"))?,
        evidence: from.evidence.clone(),
    })
}

fn attributes(place: &str, from: &BTreeMap<String, String>) -> Result<Attributes, ReadError> {
    let mut pairs = from
        .iter()
        .map(|(name, text)| Ok((attr_of(name).ok_or_else(|| no(place, "attribute", name))?, text.clone())))
        .collect::<Result<Vec<_>, ReadError>>()?;
    pairs.sort_unstable();
    Ok(Attributes(pairs))
}

fn no(place: &str, what: &'static str, found: &str) -> ReadError {
    ReadError::Word { place: place.to_owned(), what, found: escape(found.as_bytes()) }
}

fn disagree(place: &str, what: &'static str) -> ReadError {
    ReadError::Inconsistent { place: place.to_owned(), what }
}
