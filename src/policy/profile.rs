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
    /// Debian and what is built on it; stands on [`Profile::Linux`], as all that follow.
    Debian,
    /// Ubuntu and what is built on it; stands on [`Profile::Debian`].
    Ubuntu,
    /// Fedora, RHEL and what is built like them.
    Rhel,
    /// openSUSE and SUSE Linux Enterprise.
    Suse,
    /// Alpine.
    Alpine,
    /// Arch and what is built on it.
    Arch,
}

/// What one profile holds.
#[derive(Debug, Default)]
pub(super) struct Shipped {
    /// In order.
    pub(super) rules: Vec<RuleText>,
    /// Shipped that come after the rules of every profile: what no exemption of a profile may hide, then what is excluded
    /// whole.
    pub(super) guards: Vec<RuleText>,
    /// Whose text may leave a host, masked.
    pub(super) show: Vec<Pattern>,
}

static LINUX: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Linux, include_str!("profiles/linux.toml")));
static DEBIAN: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Debian, include_str!("profiles/debian.toml")));
static UBUNTU: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Ubuntu, include_str!("profiles/ubuntu.toml")));
static RHEL: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Rhel, include_str!("profiles/rhel.toml")));
static SUSE: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Suse, include_str!("profiles/suse.toml")));
static ALPINE: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Alpine, include_str!("profiles/alpine.toml")));
static ARCH: LazyLock<Shipped> = LazyLock::new(|| read(Profile::Arch, include_str!("profiles/arch.toml")));

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 7] =
        [Self::Linux, Self::Debian, Self::Ubuntu, Self::Rhel, Self::Suse, Self::Alpine, Self::Arch];

    /// The word of `extends`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Rhel => "rhel",
            Self::Suse => "suse",
            Self::Alpine => "alpine",
            Self::Arch => "arch",
        }
    }

    /// The profile of a word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The profile that suits a system, by `ID` and `ID_LIKE` of its os-release, whose first word is the nearest.
    #[must_use]
    pub fn of_system(os_id: &str, id_like: &[&str]) -> Self {
        std::iter::once(os_id).chain(id_like.iter().copied()).find_map(Self::of_id).unwrap_or(Self::Linux)
    }

    /// The profile of a distribution.
    fn of_id(id: &str) -> Option<Self> {
        match id {
            "debian" => Some(Self::Debian),
            "ubuntu" => Some(Self::Ubuntu),
            "rhel" | "fedora" | "centos" | "rocky" | "almalinux" | "amzn" | "ol" | "azurelinux" | "mariner"
            | "openEuler" | "anolis" | "photon" => Some(Self::Rhel),
            "suse"
            | "opensuse"
            | "sles"
            | "sled"
            | "sle-micro"
            | "sl-micro"
            | "opensuse-leap"
            | "opensuse-tumbleweed" => Some(Self::Suse),
            "alpine" => Some(Self::Alpine),
            "arch" | "archarm" | "manjaro" => Some(Self::Arch),
            _ => None,
        }
    }

    /// The profiles that it consists of, the more general first.
    pub(super) fn with_its_base(self) -> &'static [Self] {
        match self {
            Self::Linux => &[Self::Linux],
            Self::Debian => &[Self::Linux, Self::Debian],
            Self::Ubuntu => &[Self::Linux, Self::Debian, Self::Ubuntu],
            Self::Rhel => &[Self::Linux, Self::Rhel],
            Self::Suse => &[Self::Linux, Self::Suse],
            Self::Alpine => &[Self::Linux, Self::Alpine],
            Self::Arch => &[Self::Linux, Self::Arch],
        }
    }

    /// Its rules.
    pub(super) fn rules(self) -> &'static Shipped {
        match self {
            Self::Linux => &LINUX,
            Self::Debian => &DEBIAN,
            Self::Ubuntu => &UBUNTU,
            Self::Rhel => &RHEL,
            Self::Suse => &SUSE,
            Self::Alpine => &ALPINE,
            Self::Arch => &ARCH,
        }
    }
}

fn read(profile: Profile, text: &'static str) -> Shipped {
    let name = profile.name();
    let mut mistakes = Collected::default();
    let rules = Document::read(name, text, Dialect::Profile, &mut mistakes).map(|raw| {
        let origin = Origin::Profile(profile);
        let rules = valid::rules(&raw.rules, origin, &mut mistakes);
        let guards = valid::rules(&raw.guards, origin, &mut mistakes);
        Shipped { rules, guards, show: valid::patterns(&raw.show, &mut mistakes) }
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
