//! The noise profile of a baseline: rules that were learned from what differs among freshly built siblings.
//!
//! *Invariant:* every rule weakens by as little as its class allows, says why, and names the paths and machines that it
//! was learned from.

use crate::model::verdict::closed_words;
use crate::policy::{Origin, RuleText, Treatment};
use crate::protocol::view::View;
use crate::protocol::{Pattern, When};

closed_words! {
    /// Why siblings of one template differ.
    NoiseClass {
        /// What makes a host this host: every one must differ.
        Identity = "identity",
        /// What the first boot writes: network, cloud, installer.
        Provisioning = "provisioning",
        /// State of a package manager, with times and in an order of its own.
        PackageState = "package-state",
        /// Rebuilt from other files.
        DerivedCache = "derived-cache",
        /// Logs, queues, leases, locks.
        RuntimeState = "runtime-state",
        /// A text that is the same on every sibling once names, addresses and ids of each are put back.
        HostValues = "host-values",
    }
}

/// Where a rule was learned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lesson {
    /// The path that differed.
    pub path: Vec<u8>,
    /// The machines on which it was other than on the golden one, as they were named; ascending.
    pub hosts: Vec<String>,
}

/// One learned rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoiseRule {
    /// Which paths.
    pub pattern: Pattern,
    /// File types, as bits of [`crate::protocol::Kind::bit`]; 0 is any.
    pub kinds: u8,
    /// How they are compared.
    pub treatment: Treatment,
    /// The reading of their content, where there is one.
    pub view: Option<View>,
    /// What explains the difference.
    pub class: NoiseClass,
    /// Why, for whoever reads the coverage.
    pub reason: String,
    /// From what, ascending; at most [`NoiseRule::LESSONS`].
    pub learned: Vec<Lesson>,
    /// How many more paths it was learned from.
    pub more: u64,
}

impl NoiseRule {
    /// How many paths a rule names; the rest are counted.
    pub const LESSONS: usize = 64;
    /// The most rules of one baseline: with those of profiles and of a user they stay below what a request may hold.
    pub const MOST: usize = 200;
    /// The most bytes of their patterns together, for the same reason.
    pub const PATTERN_BYTES: usize = 64 << 10;

    /// Whether files are read by a view for it, which a capture has to know.
    #[must_use]
    pub fn is_viewed(&self) -> bool {
        self.view.is_some() && self.treatment.view().is_some()
    }

    /// As rules of a policy. Where names may come and go, what can be run is compared whole all the same: no sibling taught
    /// that it may differ. Under one path that has to be there, a program would show by its mode.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleText> {
        let rule = |when: When, treatment, view, reason: Option<String>| RuleText {
            pattern: self.pattern.clone(),
            when,
            treatment: Some(treatment),
            view,
            severity: None,
            reason,
            origin: Origin::Noise,
            line: 0,
        };
        let learned = When { kinds: self.kinds, conditions: 0 };
        let mut rules =
            vec![rule(learned, self.treatment, self.view.filter(|_| self.is_viewed()), Some(self.reason.clone()))];
        if self.treatment == Treatment::Ignore || self.pattern.text().iter().any(|b| matches!(b, b'*' | b'?' | b'[')) {
            rules.push(rule(When { kinds: 0, conditions: When::EXECUTABLE }, Treatment::Strict, None, None));
        }
        rules
    }
}
