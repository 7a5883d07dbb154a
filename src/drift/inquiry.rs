//! What a host that differs is asked besides, so that its findings can be explained, and what it answered.
//!
//! *Invariant:* an answer explains and never decides: no answer makes a host clean, and a host that gives none has the
//! same findings with fewer words.

use super::history;
use super::reference::{Difference, Reference};
use crate::policy::Policy;
use crate::protocol::reply::{Owned, Text};
use crate::protocol::request::Want;
use std::collections::BTreeMap;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questions {
    /// Texts of files, ascending.
    pub texts: Vec<(Vec<u8>, Want)>,
    /// Paths whose packages are asked for, ascending.
    pub owners: Vec<Vec<u8>>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// Texts, by path and want.
    pub texts: BTreeMap<(Vec<u8>, Want), Text>,
    /// What the package databases say, by path.
    pub owners: BTreeMap<Vec<u8>, Owned>,
}

/// What explains a difference under a policy.
#[must_use]
pub fn questions(difference: &Difference, selected: &Reference, policy: &Policy) -> Questions {
    let _ = (selected, policy);
    let mut questions = Questions::default();
    logs(difference, &mut questions.texts);
    questions.texts.sort();
    questions.texts.dedup();
    questions
}

/// What tells how it came to be: the ends of logs, the times of what differs, and traces of configuration management.
fn logs(difference: &Difference, texts: &mut Vec<(Vec<u8>, Want)>) {
    texts.extend(history::LOGS.iter().map(|(path, most)| (path.as_bytes().to_vec(), Want::Tail(*most))));
    let paths = difference.added.iter().filter_map(|record| record.view().path());
    texts.extend(paths.take(history::STATS).map(|path| (path.to_vec(), Want::Stat)));
    texts.extend(history::traces_asked());
}
