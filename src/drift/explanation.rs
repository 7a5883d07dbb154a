//! A difference from one version, made into findings with what they mean and what explains them.
//!
//! *Invariant:* answers of the host change words, classes and causes; which subjects differ is in the difference alone.

use super::compare::compare;
use super::judge::Observation;
use super::reference::{Difference, Reference};
use super::{diff, history, implied, meaning, packages};
use crate::model::{Cause, Change, Code, Finding};
use crate::policy::Policy;
use crate::protocol::Record;
use crate::protocol::reply::evidence;

/// The findings and their causes.
#[derive(Debug, Default)]
pub(super) struct Explanation {
    /// In no order.
    pub(super) findings: Vec<Finding>,
    /// The gravest first.
    pub(super) causes: Vec<Cause>,
}

impl Explanation {
    /// Explains what a host does not share with a version.
    pub(super) fn of(
        difference: &Difference,
        reference: &Reference,
        observation: &Observation,
        policy: &Policy,
    ) -> Self {
        let answers = &observation.answers;
        let mut findings = compare(difference, &observation.coverage, policy);
        findings = meaning::expand(findings, difference, reference, answers, policy);
        meaning::name(&mut findings, difference, policy);
        let mut causes = packages::explain(&mut findings, difference, reference, answers);
        implied::leave_out(&mut findings);
        diff::attach(&mut findings, difference, reference, answers, policy);
        let clock = observation.evidence.text(evidence::CLOCK);
        let clock = clock.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let story = history::read(answers, clock);
        findings.extend(history::find_traces(&story, answers, reference, policy));
        history::tell(&mut findings, &mut causes, answers, story, clock);
        Self { findings, causes }
    }

    /// Says of findings against an older version where the selected one is as the host is: somebody brought a part of it
    /// along.
    pub(super) fn tell_what_is_newer(&mut self, difference: &Difference, from_selected: &Difference, selected: &str) {
        for finding in &mut self.findings {
            // A record in a file is as its whole file is.
            let subject = match finding.path() {
                Some(path) if finding.subject.starts_with(b"record:") => [b"fs:", path].concat(),
                Some(_) | None => finding.subject.clone(),
            };
            let is_newer = differs(difference, &subject) && !differs(from_selected, &subject);
            if is_newer && finding.code != Code::MountHides {
                finding.told.explanation.push(match finding.change {
                    Change::Removed => format!("gone in {selected} too"),
                    Change::Added | Change::Changed => format!("as in {selected}"),
                });
            }
        }
    }
}

/// Whether a subject is one of those in which the sides differ.
fn differs(difference: &Difference, subject: &[u8]) -> bool {
    let has = |records: &[Record]| records.binary_search_by(|record| record.subject().cmp(subject)).is_ok();
    has(&difference.removed) || has(&difference.added)
}
