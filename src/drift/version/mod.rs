//! Which of two versions of a package is the newer one, by the rules of its own package system.
//!
//! *Invariant:* pure and total; what a system's own comparison would refuse has no order, and is never called newer.

mod alpm;
mod apk;
mod deb;
mod rpm;

use crate::model::{Code, Finding};
use crate::protocol::{Attr, System};
use std::cmp::Ordering;

/// Where a package went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To a newer version.
    Upgraded,
    /// To an older version.
    Downgraded,
    /// To another version of which the system's rules say neither.
    Changed,
    /// To another build of the same version.
    Rebuilt,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 4] = [Self::Upgraded, Self::Downgraded, Self::Changed, Self::Rebuilt];

    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Upgraded => "upgraded",
            Self::Downgraded => "downgraded",
            Self::Changed => "changed",
            Self::Rebuilt => "rebuilt",
        }
    }

    /// The direction of a finding; none where it is not about another version of a package.
    #[must_use]
    pub fn of(finding: &Finding) -> Option<Self> {
        if finding.code != Code::PackageVersion {
            return None;
        }
        let (system, _, _) = System::of(&finding.subject)?;
        let (Some(before), Some(after)) = (finding.before.text(Attr::Version), finding.after.text(Attr::Version))
        else {
            return Some(Self::Rebuilt);
        };
        Some(match newest(system, before).zip(newest(system, after)).and_then(|(b, a)| compare(system, b, a)) {
            Some(Ordering::Less) => Self::Upgraded,
            Some(Ordering::Greater) => Self::Downgraded,
            Some(Ordering::Equal) | None => Self::Changed,
        })
    }
}

/// Compares two versions; none where the system has no order of them.
#[must_use]
pub fn compare(system: System, a: &str, b: &str) -> Option<Ordering> {
    match system {
        System::Dpkg => deb::compare(a, b),
        System::Rpm => Some(rpm::compare(a, b)),
        System::Apk => apk::compare(a, b),
        System::Pacman => Some(alpm::compare(a, b)),
        System::Snap => Some(revision(a)?.cmp(&revision(b)?)),
        // Commits have no order that their names tell.
        System::Flatpak => None,
    }
}

/// The newest of the versions that stand beside each other under one name: kernels of rpm, revisions of snaps.
fn newest(system: System, versions: &str) -> Option<&str> {
    let mut all = versions.split(' ');
    let first = all.next()?;
    all.try_fold(first, |newest, other| {
        let order = compare(system, newest, other)?;
        Some(if order == Ordering::Less { other } else { newest })
    })
}

/// A snap's revision; those of snaps that were not from the store begin with an x and have no order to the others.
fn revision(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Compares two runs of digits of any length by their value.
fn by_value(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Splits off the longest head of characters of a kind.
fn span(text: &str, kind: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !kind(c)).unwrap_or(text.len()))
}

/// Epoch (`0` where there is none), version and release, where there is one, of `[EPOCH:]VERSION[-RELEASE]`.
fn parts(text: &str) -> (&str, &str, Option<&str>) {
    let (digits, rest) = span(text, |c| c.is_ascii_digit());
    let (epoch, rest) = rest.strip_prefix(':').map_or(("0", text), |rest| (digits, rest));
    rest.rsplit_once('-').map_or((epoch, rest, None), |(version, release)| (epoch, version, Some(release)))
}

#[cfg(test)]
mod tests;
