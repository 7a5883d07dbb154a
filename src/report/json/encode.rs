//! From the outcome to the shape of the file.
//!
//! *Invariant:* every field of the model is written; a field that the model gains breaks the build here.

use super::{SCHEMA, VERSION, v1};
use crate::drift::version::Direction;
use crate::model::finding::attr_name;
use crate::model::text::{escape, hex};
use crate::model::{
    Attributes, BaselineUse, Cause, CommonDrift, Decision, Digests, Evidence, Finding, FleetOutcome, History,
    HostCoverage, HostOutcome, Obstacle, Resumed, Snowflake, StateAtRisk, StateItem, Told, TroubleShown, Verdict,
    WaiverState, WaiverUse, Wire,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

pub(super) fn report(outcome: &FleetOutcome) -> v1::Report {
    let FleetOutcome {
        run,
        started,
        millis,
        resumed,
        interrupted,
        selected: _,
        hosts,
        baselines,
        digests: from,
        drift_at,
        allow_outdated,
        common_at,
        common,
        history,
        waivers,
        notes,
    } = outcome;
    v1::Report {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        run: run.as_str().to_owned(),
        started: started.clone(),
        millis: *millis,
        resumed: resumed.as_ref().map(|Resumed { run, since, hosts }| v1::Resumed {
            run: run.as_str().to_owned(),
            since: since.clone(),
            hosts: *hosts as u64,
        }),
        interrupted: *interrupted,
        drift_at: drift_at.word().to_owned(),
        allow_outdated: *allow_outdated,
        summary: summary(outcome),
        digests: digests(from, baselines),
        notes: notes.clone(),
        common_at: v1::CommonAt { permille: common_at.permille, hosts: common_at.hosts },
        common: common.iter().map(self::common).collect(),
        history: history.as_ref().map(|History { previous, runs }| v1::History {
            previous: previous.as_str().to_owned(),
            runs: *runs as u64,
        }),
        waivers: waivers.iter().map(waiver).collect(),
        hosts: hosts.iter().map(host).collect(),
    }
}

fn common(from: &CommonDrift) -> v1::CommonDrift {
    let CommonDrift { group, fingerprint, hosts, of } = from;
    v1::CommonDrift { group: group.clone(), fingerprint: hex(fingerprint), hosts: hosts.clone(), of: *of as u64 }
}

fn state(from: &StateAtRisk) -> v1::StateAtRisk {
    let item = |item: &StateItem| {
        let StateItem { kind, path, bytes, files, newest, more } = item.clone();
        v1::StateItem { kind: kind.word().to_owned(), path, bytes, files, newest, more }
    };
    let StateAtRisk { items, rest, unseen } = from;
    v1::StateAtRisk { items: items.iter().map(item).collect(), rest: *rest, unseen: unseen.clone() }
}

pub(super) fn summary(outcome: &FleetOutcome) -> v1::Summary {
    let verdicts = |verdict| outcome.count(verdict) as u64;
    let decisions = |decision| outcome.hosts.iter().filter(|host| host.decision == decision).count() as u64;
    v1::Summary {
        status: outcome.status(),
        selected: outcome.selected as u64,
        finished: outcome.hosts.len() as u64,
        findings: outcome.hosts.iter().map(|host| host.findings.len() as u64).sum(),
        verdicts: v1::Verdicts {
            drifted: verdicts(Verdict::Drifted),
            unverifiable: verdicts(Verdict::Unverifiable),
            outdated: verdicts(Verdict::Outdated),
            clean: verdicts(Verdict::Clean),
        },
        decisions: v1::Decisions {
            replace: decisions(Decision::Replace),
            fix_template: decisions(Decision::FixTemplate),
            investigate: decisions(Decision::Investigate),
            keep: decisions(Decision::Keep),
        },
    }
}

fn digests(from: &Digests, baselines: &[BaselineUse]) -> v1::Digests {
    let Digests { tool, probe, policy, inventory, ways, waivers } = from.clone();
    v1::Digests { tool, probe, policy, inventory, ways, waivers, baselines: baselines.iter().map(baseline).collect() }
}

fn baseline(from: &BaselineUse) -> v1::Baseline {
    let BaselineUse { label, digest, group, note } = from.clone();
    v1::Baseline { label, digest, group, note }
}

pub(super) fn host(from: &HostOutcome) -> v1::Host {
    let HostOutcome {
        name,
        group,
        address,
        verdict,
        decision,
        reference,
        versions_behind,
        reasons,
        findings,
        causes,
        coverage: covered,
        collector,
        host_key,
        evidence: told,
        snowflake,
        state,
        wire,
    } = from;
    let Wire { sent, received, millis, attempts } = *wire;
    v1::Host {
        name: name.clone(),
        group: group.clone(),
        address: address.clone(),
        verdict: verdict.word().to_owned(),
        decision: decision.word().to_owned(),
        reference: reference.clone(),
        versions_behind: *versions_behind,
        reasons: reasons.iter().map(obstacle).collect(),
        coverage: covered.as_ref().map(coverage),
        collector: collector.map(|collector| collector.word().to_owned()),
        host_key: host_key.clone(),
        evidence: evidence(told),
        snowflake: snowflake.map(|Snowflake { score, alone, rare }| v1::Snowflake {
            score,
            alone: alone as u64,
            rare: rare as u64,
        }),
        state: state.as_ref().map(self::state),
        wire: v1::Wire { sent, received, millis, attempts },
        causes: causes.iter().map(cause).collect(),
        findings: findings.iter().map(finding).collect(),
    }
}

fn obstacle(from: &Obstacle) -> v1::Obstacle {
    let Obstacle { reason, text, remedy } = from;
    v1::Obstacle { reason: reason.word().to_owned(), text: text.clone(), remedy: remedy.clone() }
}

fn evidence(from: &Evidence) -> v1::Evidence {
    let Evidence { machine_id, boot, clock_skew, addresses, hostname, uid, identities, image } = from.clone();
    let identities = identities.into_iter().map(|(kind, digest)| v1::Identity { kind, digest }).collect();
    let image = (!image.is_silent()).then_some(v1::Image { id: image.id, version: image.version });
    v1::Evidence { machine_id, boot, clock_skew, addresses, hostname, uid, identities, image }
}

fn coverage(from: &HostCoverage) -> v1::Coverage {
    let HostCoverage {
        complete,
        walked,
        compared,
        hashed_bytes,
        oversize,
        packages,
        systems,
        live,
        flags_untold,
        ignored,
        pruned,
        skipped_mounts,
        troubles,
        troubles_total,
        millis,
    } = from;
    v1::Coverage {
        complete: *complete,
        walked: *walked,
        compared: *compared,
        awaiting_view: 0,
        hashed_bytes: *hashed_bytes,
        oversize: *oversize,
        packages: *packages,
        package_systems: systems.iter().map(|system| system.word().to_owned()).collect(),
        live: *live,
        flags_untold: *flags_untold,
        millis: *millis,
        ignored: ignored.iter().map(|(rule, n)| v1::Ignored { rule: rule.clone(), entries: *n }).collect(),
        pruned: pruned.iter().map(|(rule, path)| v1::Pruned { rule: rule.clone(), path: path.clone() }).collect(),
        skipped_mounts: skipped_mounts
            .iter()
            .map(|(path, fstype)| v1::SkippedMount { path: path.clone(), fstype: fstype.clone() })
            .collect(),
        troubles: troubles.iter().map(trouble).collect(),
        troubles_total: *troubles_total,
    }
}

fn trouble(from: &TroubleShown) -> v1::Trouble {
    let TroubleShown { path, reason, part, excused } = from;
    v1::Trouble { path: path.clone(), part: (*part).to_owned(), reason: reason.word().to_owned(), excused: *excused }
}

fn finding(from: &Finding) -> v1::Finding {
    let Finding { code, change, subject, severity, fingerprint, key, before, after, told, cause, waiver } = from;
    let Told { title, class, explanation, diff, evidence, first_seen } = told.clone();
    let path = from.path();
    v1::Finding {
        code: code.word().to_owned(),
        kind: change.word().to_owned(),
        subject: escape(subject),
        subject_b64: base64_unless_utf8(subject),
        path: path.map(escape),
        path_b64: path.and_then(base64_unless_utf8),
        severity: severity.word().to_owned(),
        direction: Direction::of(from).map(|direction| direction.word().to_owned()),
        fingerprint: hex(fingerprint),
        key: hex(key),
        before: attributes(before),
        after: attributes(after),
        title,
        class: class.map(|class| class.word().to_owned()),
        explanation,
        diff,
        cause: cause.map(|at| at as u64),
        waiver: waiver.as_ref().map(waived),
        evidence,
        first_seen,
    }
}

fn waived(from: &WaiverUse) -> v1::WaiverUse {
    let WaiverUse { of, owner, reason, until } = from.clone();
    v1::WaiverUse { of, owner, reason, until }
}

fn waiver(from: &WaiverState) -> v1::Waiver {
    let WaiverState { of, group, owner, reason, until, max_hosts, line, standing, why, hosts, findings } = from.clone();
    v1::Waiver {
        of,
        group,
        owner,
        reason,
        until,
        max_hosts,
        line,
        state: standing.word().to_owned(),
        why,
        hosts,
        findings: findings as u64,
    }
}

fn cause(from: &Cause) -> v1::Cause {
    let Cause { kind, subject, title, severity, fingerprint, findings, evidence } = from;
    v1::Cause {
        kind: kind.word().to_owned(),
        subject: escape(subject),
        title: title.clone(),
        severity: severity.word().to_owned(),
        fingerprint: hex(fingerprint),
        findings: *findings as u64,
        evidence: evidence.clone(),
    }
}

fn base64_unless_utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| STANDARD.encode(bytes))
}

fn attributes(from: &Attributes) -> BTreeMap<String, String> {
    from.0.iter().map(|(attr, text)| (attr_name(*attr).to_owned(), text.clone())).collect()
}
