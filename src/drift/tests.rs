//! Comparison, verdict and sketch: what is found, what is never claimed, and what can't be forged.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may")]

mod compare_tests;
mod judge_tests;
mod mirror_tests;
mod packages_tests;
mod peel_tests;
mod reference_tests;
mod story_tests;
mod unseen_tests;
mod versions_tests;

use super::{Difference, Found, Judgement, Observation, Reference, Salted, compare, judge};
use crate::manifest::{Baseline, Header, Identity, Label, ProjectedSet};
use crate::model::{Code, Finding, Image};
use crate::policy::{Policy, PolicyFile};
use crate::protocol::coverage::{Coverage, Part, SkippedMount, Trouble, Why};
use crate::protocol::reply::Texts;
use crate::protocol::{Mask, Record, RuleSet};
use crate::protocol_tests::rules;
use std::sync::{Arc, LazyLock};

const SALT: [u8; 16] = [4; 16];

/// A policy that compares everything, with these lines.
pub(super) fn policy(lines: &str) -> Policy {
    let text = format!("schema = \"driftscan.policy/v1\"\n{lines}\n[[rule]]\npath = \"/**\"\ntreatment = \"strict\"\n");
    PolicyFile::parse("policy.toml", &text).unwrap().for_system("debian", &[])
}

/// The policy that compares everything, and nothing else.
static PLAIN: LazyLock<Policy> = LazyLock::new(|| policy(""));

/// A coverage without a gap.
pub(super) fn whole() -> Coverage {
    Coverage { systems: 1, ..Coverage::default() }
}

/// A coverage with these troubles.
fn troubled(troubles: &[(&str, Part, Why)]) -> Coverage {
    let trouble = |(path, part, why): &(&str, Part, Why)| Trouble {
        path: path.as_bytes().to_vec(),
        part: *part,
        why: *why,
        errno: 0,
    };
    let troubles: Vec<Trouble> = troubles.iter().map(trouble).collect();
    Coverage { troubles_total: troubles.len() as u64, troubles, ..whole() }
}

/// A coverage that left these mounts out.
fn skipping(mounts: &[(&str, &str)]) -> Coverage {
    let mount = |(path, fs_type): &(&str, &str)| SkippedMount {
        path: path.as_bytes().to_vec(),
        fs_type: fs_type.as_bytes().to_vec(),
    };
    Coverage { skipped_mounts: mounts.iter().map(mount).collect(), ..whole() }
}

/// What two sets do not share.
pub(super) fn difference(before: &[Record], after: &[Record]) -> Difference {
    let only = |these: &[Record], those: &[Record]| {
        let mut only: Vec<Record> = these.iter().filter(|record| !those.contains(record)).cloned().collect();
        only.sort_by(|a, b| a.subject().cmp(b.subject()));
        only
    };
    Difference { removed: only(before, after), added: only(after, before) }
}

/// The findings between two sets, seen whole.
fn findings(before: &[Record], after: &[Record]) -> Vec<Finding> {
    compare(&difference(before, after), &whole(), &PLAIN)
}

/// The findings between two states of one thing.
fn between(before: &Record, after: &Record) -> Vec<Finding> {
    findings(std::slice::from_ref(before), std::slice::from_ref(after))
}

/// Findings as `code subject`, in order of subject and code.
fn told(findings: &[Finding]) -> Vec<String> {
    let mut told: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", finding.code.word(), String::from_utf8_lossy(&finding.subject)))
        .collect();
    told.sort();
    told
}

/// The only finding, which has this code.
fn only(findings: &[Finding], code: Code) -> &Finding {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].code, code);
    &findings[0]
}

/// A version of the template with these records.
pub(super) fn reference(serial: u64, records: &[Record]) -> Reference {
    reference_under(&rules(&[("/**", Mask::STRICT)]), serial, records)
}

/// A version of the template under other rules.
pub(super) fn reference_under(rules: &RuleSet, serial: u64, records: &[Record]) -> Reference {
    let identity = Identity { os: "debian".to_owned(), os_version: "12".to_owned(), arch: "x86_64".to_owned() };
    let header = Header {
        label: Label::parse(&format!("web@{serial}")).unwrap(),
        serial,
        identity: identity.clone(),
        live: true,
        scopes: vec![b"/".to_vec()],
        rules: rules.clone(),
        texts: None,
        key: None,
        noise: Vec::new(),
        image: Image::default(),
    };
    let label = header.label.clone();
    let baseline = Baseline::new(header, records.to_vec()).unwrap();
    let set = ProjectedSet::new(&baseline, rules, &[b"/".to_vec()], true, None, &crate::policy::witness).unwrap();
    Reference {
        label,
        serial,
        identity,
        set: Arc::new(Salted::new(set, &SALT)),
        image: Image::default(),
        texts: Arc::default(),
    }
}

/// An observation of this system.
fn observed(coverage: Coverage, found: Found) -> Observation {
    let identity = Identity { os: "debian".to_owned(), os_version: "12".to_owned(), arch: "x86_64".to_owned() };
    Observation {
        identity,
        evidence: Texts::default(),
        coverage,
        live: true,
        found,
        choice: super::Choice::default(),
        answers: super::inquiry::Answers::default(),
    }
}

/// The judgement of a host with these records.
fn judged(before: &[Record], after: &[Record], coverage: Coverage, policy: &Policy) -> Judgement {
    let difference = difference(before, after);
    let found = if difference == Difference::default() { Found::Equal(0) } else { Found::Different(difference) };
    judge(&[reference(1, before)], &observed(coverage, found), policy)
}
