//! Waivers: differences that somebody accepts for a time, read from `waivers.toml`.
//!
//! ```toml
//! schema = "driftscan.waivers/v1"
//!
//! [[waiver]]
//! fingerprint = "3f9a1c22..."        # all 64 digits; or code and subject, with wildcards
//! owner = "dba"
//! reason = "tuned by hand until the new template"
//! until = "2026-12-31"               # the last day, UTC
//! max_hosts = 1
//! ```
//!
//! *Invariant:* takes text and values and returns values; it knows no clock. A pattern never speaks of a critical finding, and
//! no waiver is without an owner, a reason, a last day and a bound on its hosts.

mod breadth;
mod read;
mod written;

pub use jiff::civil::Date as Day;
pub use written::{NewWaiver, day};

use crate::model::text::{escape, hex};
use crate::model::{Code, Finding, Severity, WaiverUse};
use crate::policy::Mistakes;
use crate::protocol::{Digest, Pattern};

/// The `schema` of a waivers' file.
pub const SCHEMA: &str = "driftscan.waivers/v1";

/// Every waiver of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waivers {
    list: Vec<Waiver>,
}

impl Waivers {
    /// Reads the text of a `waivers.toml`; `name` is the file as messages call it.
    ///
    /// # Errors
    /// Every mistake of the file at once, each with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, Mistakes> {
        read::waivers(name, text).map(|list| Self { list })
    }

    /// The waivers, in the order of their file.
    pub fn iter(&self) -> std::slice::Iter<'_, Waiver> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Waivers {
    type Item = &'a Waiver;
    type IntoIter = std::slice::Iter<'a, Waiver>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One accepted difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// What it speaks of.
    pub scope: Scope,
    /// The only group of hosts that it may cover.
    pub group: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Day,
    /// The most hosts that it may cover.
    pub max_hosts: u64,
    /// The line of the file where it begins.
    pub line: u64,
}

/// What a waiver speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One difference, whole.
    Fingerprint(Digest),
    /// Differences of one kind.
    Pattern {
        /// Which kind.
        code: Code,
        /// Of which subjects.
        subject: Subjects,
    },
}

/// Subjects by a pattern: `fs:/etc/app/**`, `pkg:nginx*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    /// What stands before the colon.
    namespace: String,
    /// What stands behind it, with a `/` before it where there is none.
    rest: Pattern,
    /// Whether that `/` was added.
    rooted: bool,
}

impl Subjects {
    /// Whether a finding's subject is one of them.
    #[must_use]
    pub fn have(&self, subject: &[u8]) -> bool {
        let Some(rest) = subject.strip_prefix(self.namespace.as_bytes()).and_then(|rest| rest.strip_prefix(b":"))
        else {
            return false;
        };
        if self.rooted { self.rest.matches(&[b"/", rest].concat()) } else { self.rest.matches(rest) }
    }

    /// As it was written.
    fn text(&self) -> String {
        let rest = self.rest.text();
        let rest = if self.rooted { rest.get(1..).unwrap_or_default() } else { rest };
        format!("{}:{}", self.namespace, escape(rest))
    }
}

impl Waiver {
    /// Whether it speaks of a finding on a host of a group.
    #[must_use]
    pub fn speaks_of(&self, group: &str, finding: &Finding) -> bool {
        self.group.as_deref().is_none_or(|only| only == group)
            && match &self.scope {
                Scope::Fingerprint(fingerprint) => *fingerprint == finding.fingerprint,
                Scope::Pattern { code, subject } => {
                    finding.severity < Severity::Critical && *code == finding.code && subject.have(&finding.subject)
                }
            }
    }

    /// Fingerprint or pattern, escaped.
    #[must_use]
    pub fn of(&self) -> String {
        match &self.scope {
            Scope::Fingerprint(fingerprint) => hex(fingerprint),
            Scope::Pattern { code, subject } => format!("{} {}", code.word(), subject.text()),
        }
    }

    /// What a finding says of the waiver that covers it.
    #[must_use]
    pub fn at_work(&self) -> WaiverUse {
        WaiverUse {
            of: self.of(),
            owner: escape(self.owner.as_bytes()),
            reason: escape(self.reason.as_bytes()),
            until: self.until.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
