//! Package systems: which one a package belongs to, and how its subject is spelled.
//!
//! `pkg:NAME:ARCH` is dpkg's; the others stand in rooms of their own, `pkg:rpm:NAME:ARCH`, so that two systems on one host
//! can hold packages of one name. No name and no architecture has a colon in it: with three fields the first is the room.
//!
//! *Invariant:* spelling and reading are inverse to each other, here and nowhere else.

use alloc::vec::Vec;

/// A package system. The number is its bit in a coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum System {
    /// Debian's.
    Dpkg = 0,
    /// That of Fedora, Red Hat and SUSE.
    Rpm = 1,
    /// Alpine's.
    Apk = 2,
    /// Arch's.
    Pacman = 3,
    /// Canonical's bundles.
    Snap = 4,
    /// Bundles of desktops.
    Flatpak = 5,
}

impl System {
    /// Every system.
    pub const ALL: [Self; 6] = [Self::Dpkg, Self::Rpm, Self::Apk, Self::Pacman, Self::Snap, Self::Flatpak];

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
        }
    }

    /// Its bit in a set.
    #[must_use]
    pub fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The subject of a package; none where name or architecture could not be told from one another.
    #[must_use]
    pub fn subject(self, name: &[u8], arch: &[u8]) -> Option<Vec<u8>> {
        if name.is_empty() || [name, arch].iter().any(|part| part.contains(&b':') || part.contains(&0)) {
            return None;
        }
        let mut subject = b"pkg:".to_vec();
        if self != Self::Dpkg {
            subject.extend_from_slice(self.word().as_bytes());
            subject.push(b':');
        }
        subject.extend_from_slice(name);
        subject.push(b':');
        subject.extend_from_slice(arch);
        Some(subject)
    }

    /// System, name and architecture of a subject.
    #[must_use]
    pub fn of(subject: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let rest = subject.strip_prefix(b"pkg:")?;
        let mut fields = rest.splitn(3, |b| *b == b':');
        match (fields.next(), fields.next(), fields.next()) {
            (Some(room), Some(name), Some(arch)) => {
                let system = Self::ALL.into_iter().find(|system| system.word().as_bytes() == room)?;
                Some((system, name, arch))
            }
            (Some(name), arch, None) => Some((Self::Dpkg, name, arch.unwrap_or_default())),
            _ => None,
        }
    }
}
