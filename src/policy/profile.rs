//! The shipped profiles: what differs by nature between servers built from one template.
//!
//! *Invariant:* a profile is part of the program and parses; a test holds it to that.

use super::mistake::Collected;
use super::rule::{Origin, RuleText};
use super::v1::{Dialect, Document};
use super::valid;
use crate::protocol::Pattern;
use std::sync::LazyLock;

/// A shipped profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Any Linux.
    Linux,
    /// Debian and what is built on it; stands on [`Profile::Linux`].
    Debian,
}

/// The rules of one profile.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// In order.
    pub(super) rules: Vec<RuleText>,
    /// Rules that come after the rules of every profile: what no exemption of a profile may hide, then what is excluded
    /// whole.
    pub(super) guards: Vec<RuleText>,
    /// Whose text may leave a host, masked.
    pub(super) show: Vec<Pattern>,
}

static LINUX: LazyLock<Rules> = LazyLock::new(|| read(Profile::Linux, include_str!("profiles/linux.toml")));
static DEBIAN: LazyLock<Rules> = LazyLock::new(|| read(Profile::Debian, include_str!("profiles/debian.toml")));

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 2] = [Self::Linux, Self::Debian];

    /// The word of `extends`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Debian => "debian",
        }
    }

    /// The profile of a word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The profile that suits a system, by `ID` and `ID_LIKE` of its os-release.
    #[must_use]
    pub fn of_system(os_id: &str, id_like: &[&str]) -> Self {
        let debian = |id: &str| matches!(id, "debian" | "ubuntu");
        if debian(os_id) || id_like.iter().any(|id| debian(id)) { Self::Debian } else { Self::Linux }
    }

    /// The profiles that it consists of, the more general first.
    pub(super) fn with_its_base(self) -> &'static [Self] {
        match self {
            Self::Linux => &[Self::Linux],
            Self::Debian => &[Self::Linux, Self::Debian],
        }
    }

    /// Its rules.
    pub(super) fn rules(self) -> &'static Rules {
        match self {
            Self::Linux => &LINUX,
            Self::Debian => &DEBIAN,
        }
    }
}

fn read(profile: Profile, text: &'static str) -> Rules {
    let name = profile.name();
    let mut mistakes = Collected::default();
    let rules = Document::read(name, text, Dialect::Profile, &mut mistakes).map(|raw| {
        let origin = Origin::Profile(profile);
        let rules = valid::rules(&raw.rules, origin, &mut mistakes);
        let guards = valid::rules(&raw.guards, origin, &mut mistakes);
        Rules { rules, guards, show: valid::patterns(&raw.show, &mut mistakes) }
    });
    match rules {
        Ok(rules) if mistakes.is_empty() => rules,
        // A program whose own rules are broken must not scan with half of them.
        Ok(_) => panic!("profile: {}", mistakes.place(name, text)),
        Err(mistakes) => panic!("profile: {mistakes}"),
    }
}

#[cfg(test)]
mod tests;
