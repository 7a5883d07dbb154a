//! What is said of one record.
//!
//! *Invariant:* holds words for people only; what differs is in the pair it was made from.

use crate::model::{Code, Severity};

/// A record's difference as it is told. The engine adds subject, sides, fingerprint, and fits the title into one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::drift) struct Said {
    /// What kind of record.
    pub(in crate::drift) code: Code,
    /// How much it matters where the user's rules say nothing of the file.
    pub(in crate::drift) severity: Severity,
    /// One line, made of own words and of texts that went through [`super::shown`].
    pub(in crate::drift) title: String,
    /// Why it matters, a sentence a line.
    pub(in crate::drift) explanation: Vec<String>,
}

impl Said {
    /// A sentence.
    pub(in crate::drift) fn new(code: Code, severity: Severity, title: String) -> Self {
        Self { code, severity, title, explanation: Vec::new() }
    }

    /// With why it matters.
    pub(in crate::drift) fn because(mut self, why: &str) -> Self {
        self.explanation.push(why.to_owned());
        self
    }
}
