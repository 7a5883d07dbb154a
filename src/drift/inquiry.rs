//! What a host that differs is asked besides, so that its findings can be explained, and what it answered.
//!
//! *Invariant:* an answer explains and never decides: no answer makes a host clean, and a host that gives none has the
//! same findings with fewer words.

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
    let _ = (difference, selected, policy);
    Questions::default()
}
