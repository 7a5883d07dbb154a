//! One rule of a policy: which paths, how they are compared, what a difference there is worth, and why.
//!
//! *Invariant:* a rule that weakens has a reason.

use crate::model::Severity;
use crate::protocol::{Mask, Pattern, View, When};

/// A preset of what is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Treatment {
    /// Every attribute.
    Strict,
    /// Read by a view: what it says is compared; order, comments and spacing as far as the view has it.
    Semantic,
    /// Read by a view that puts this host's own facts back, so that what is left must be equal.
    HostValue,
    /// Rebuilt from other state, which is compared instead; of itself its metadata.
    Derived,
    /// Type, mode, owner, link target, extended attributes and flags; not size and content.
    Metadata,
    /// That it exists with the right type.
    Presence,
    /// Not looked at; counted in the coverage.
    Ignore,
}

impl Treatment {
    /// Every treatment, the strongest first.
    pub const ALL: [Self; 7] =
        [Self::Strict, Self::Semantic, Self::HostValue, Self::Derived, Self::Metadata, Self::Presence, Self::Ignore];

    /// The word of a policy file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Semantic => "semantic",
            Self::HostValue => "host-value",
            Self::Derived => "derived",
            Self::Metadata => "metadata",
            Self::Presence => "presence",
            Self::Ignore => "ignore",
        }
    }

    /// The treatment of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|treatment| treatment.word() == word)
    }

    /// The view by which files are read where a rule names none; no view for treatments that read none.
    #[must_use]
    pub fn view(self) -> Option<View> {
        match self {
            Self::Semantic => Some(View::Lines),
            Self::HostValue => Some(View::HostText),
            Self::Strict | Self::Derived | Self::Metadata | Self::Presence | Self::Ignore => None,
        }
    }

    /// What is compared.
    #[must_use]
    pub fn mask(self) -> Mask {
        match self {
            Self::Strict => Mask::STRICT,
            Self::Semantic | Self::HostValue => Mask::VIEWED,
            Self::Derived | Self::Metadata => Mask::METADATA,
            Self::Presence => Mask::PRESENCE,
            Self::Ignore => Mask::NONE,
        }
    }
}

/// Who wrote a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A shipped profile.
    Profile(super::Profile),
    /// The baseline: learned from siblings of its machine.
    Noise,
    /// The user's policy file.
    User,
}

/// One rule as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RuleText {
    /// Which paths.
    pub pattern: Pattern,
    /// Which of them.
    pub when: When,
    /// How they are compared; `None` leaves that to earlier rules.
    pub treatment: Option<Treatment>,
    /// How a file's content is read; there exactly where the treatment reads by a view.
    pub view: Option<View>,
    /// What a difference is worth; `None` leaves that to earlier rules.
    pub severity: Option<Severity>,
    /// Why; always there where the rule weakens.
    pub reason: Option<String>,
    /// Who wrote it.
    pub origin: Origin,
    /// The line of its file, from 1.
    pub line: usize,
}

impl RuleText {
    /// The pattern, printable.
    #[must_use]
    pub fn path(&self) -> String {
        crate::model::text::escape(self.pattern.text())
    }
}
