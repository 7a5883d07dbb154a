//! Titles by place: files, links and folders that mean something because of where they are.
//!
//! *Invariant:* a title says what changed; what has no meaning by its place gets none, and no severity is made smaller here
//! or changed where the user's rules give one.

mod capability;
mod table;
mod units;

use super::{elide, line, shown};
use crate::drift::reference::Difference;
use crate::model::{Change, Class, Code, Finding, Severity};
use crate::policy::Policy;
use crate::protocol::{Attr, Kind, Record, RecordRef};

/// What a place makes of a finding.
#[derive(Debug, Default)]
struct Named {
    title: String,
    why: Option<&'static str>,
    class: Option<Class>,
    /// It weighs this at least.
    severity: Option<Severity>,
}

impl Named {
    fn new(title: String) -> Self {
        Self { title, ..Self::default() }
    }

    fn because(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }

    fn at_least(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

/// A path that differs, with what both sides are.
struct Place<'a> {
    path: &'a [u8],
    folder: &'a [u8],
    base: &'a [u8],
    code: Code,
    change: Change,
    before: Option<RecordRef<'a>>,
    after: Option<RecordRef<'a>>,
}

impl<'a> Place<'a> {
    fn of(finding: &'a Finding, difference: &'a Difference) -> Option<Self> {
        let path = finding.subject.strip_prefix(b"fs:")?;
        let at = path.iter().rposition(|byte| *byte == b'/')?;
        let find = |records: &'a [Record]| {
            let at = records.binary_search_by(|record| record.subject().cmp(&finding.subject[..])).ok()?;
            records.get(at).map(Record::view)
        };
        Some(Self {
            path,
            folder: path.get(..at)?,
            base: path.get(at + 1..)?,
            code: finding.code,
            change: finding.change,
            before: find(&difference.removed),
            after: find(&difference.added),
        })
    }

    /// The side that is there, the host's where both are.
    fn there(&self) -> Option<RecordRef<'a>> {
        self.after.or(self.before)
    }

    fn is(&self, kind: Kind) -> bool {
        self.there().and_then(RecordRef::kind) == Some(kind)
    }

    /// The link's target of a side.
    fn target(side: Option<RecordRef<'a>>) -> Option<&'a [u8]> {
        side.filter(|record| record.kind() == Some(Kind::Symlink))?.present(Attr::Target)
    }

    /// What happened to it as a whole; nothing where only an attribute beside its content differs.
    fn happened(&self) -> Option<&'static str> {
        match (self.code, self.change) {
            (Code::FileAdded, _) => Some("added"),
            (Code::FileRemoved, _) => Some("removed"),
            (Code::ContentChanged, _) => Some("changed"),
            (Code::TargetChanged, _) => Some("points elsewhere"),
            (Code::TypeChanged, _) => Some("is of another type"),
            _ => None,
        }
    }
}

/// Names findings by their places where nothing named them better.
pub(in crate::drift) fn name(findings: &mut [Finding], difference: &Difference, policy: &Policy) {
    for finding in findings.iter_mut().filter(|finding| finding.told.title.is_none()) {
        let Some(place) = Place::of(finding, difference) else { continue };
        let Some(named) = named(&place) else { continue };
        let graver = named.severity.filter(|severity| {
            let word = policy.users_severity(place.change, &finding.subject, place.before, place.after);
            *severity > finding.severity && word.is_none()
        });
        finding.told.title = Some(elide(&named.title, line::MOST));
        finding.told.explanation.extend(named.why.map(str::to_owned));
        finding.told.class = finding.told.class.or(named.class);
        finding.severity = graver.unwrap_or(finding.severity);
    }
}

/// The graver meanings first: a setuid file that looks like an editor's copy is a setuid file.
fn named(place: &Place<'_>) -> Option<Named> {
    privileged(place)
        .or_else(|| capability::named(place))
        .or_else(|| unmerged(place))
        .or_else(|| units::named(place))
        .or_else(|| link(place))
        .or_else(|| table::named(place))
        .or_else(|| residue(place))
}

/// Programs that run as their owner or their group.
fn privileged(place: &Place<'_>) -> Option<Named> {
    let bits = |side: Option<RecordRef<'_>>| {
        let file = side.filter(|record| record.kind() == Some(Kind::File));
        file.and_then(RecordRef::mode).unwrap_or(0) & 0o6000
    };
    let (before, after) = (bits(place.before), bits(place.after));
    let who = |bits: u16, side: Option<RecordRef<'_>>| {
        let (word, attr) = if bits & 0o4000 != 0 { ("setuid", Attr::Owner) } else { ("setgid", Attr::Group) };
        let owner = side.and_then(|record| record.present(attr)).unwrap_or_default();
        format!("{word} {}", if owner == b"#0" { "root".to_owned() } else { shown(owner, 20) })
    };
    let path = shown(place.path, 60);
    let (gained, lost) = (after & !before, before & !after);
    match place.code {
        Code::FileAdded if after != 0 => {
            Some(Named::new(format!("{path}: {} added", who(after, place.after))).at_least(Severity::High))
        }
        Code::FileRemoved if before != 0 => Some(Named::new(format!("{path}: {} removed", who(before, place.before)))),
        Code::ModeChanged | Code::TypeChanged if gained != 0 => {
            Some(Named::new(format!("{path}: made {}", who(gained, place.after))).at_least(Severity::High))
        }
        Code::ModeChanged if lost != 0 => Some(Named::new(format!("{path}: no longer {}", who(lost, place.before)))),
        Code::ContentChanged if after != 0 => {
            let title = format!("{path}: content of a {} program changed", who(after, place.after));
            Some(Named::new(title).at_least(Severity::High))
        }
        Code::OwnerChanged if after != 0 => {
            Some(Named::new(format!("{path}: now {}", who(after, place.after))).at_least(Severity::High))
        }
        _ => None,
    }
    .map(|named| {
        if named.severity.is_some() { named.because("whoever starts it has the rights of its owner") } else { named }
    })
}

/// A vendor's version of a configuration file that nobody merged.
fn unmerged(place: &Place<'_>) -> Option<Named> {
    const NEW: [&str; 8] =
        [".dpkg-new", ".dpkg-dist", ".ucf-new", ".ucf-dist", ".rpmnew", ".apk-new", ".pacnew", ".dpkg-tmp"];
    const OLD: [&str; 8] =
        [".dpkg-old", ".dpkg-bak", ".dpkg-remove", ".ucf-old", ".rpmsave", ".rpmorig", ".pacsave", ".pacorig"];
    let ended = |ends: &[&str]| ends.iter().find_map(|end| place.path.strip_suffix(end.as_bytes()));
    let (of, new) = match (ended(&NEW), ended(&OLD)) {
        (Some(of), _) => (of, true),
        (None, Some(of)) => (of, false),
        (None, None) => return None,
    };
    let happened = place.happened()?;
    let short = shown(of, 40);
    let whole = shown(place.path, 50);
    let file = if short.chars().count() + whole.chars().count() > 58 { shown(place.base, 30) } else { whole };
    let title = match (place.change, new) {
        (Change::Added, true) => format!("vendor's new version of {short} waits: {file}"),
        (Change::Added, false) => format!("former version of {short} was left: {file}"),
        (Change::Removed | Change::Changed, true) => format!("vendor's new version of {short} {happened}: {file}"),
        (Change::Removed | Change::Changed, false) => format!("former version of {short} {happened}: {file}"),
    };
    let named = Named::new(title);
    Some(if place.change == Change::Removed {
        named
    } else {
        Named { class: Some(Class::UnmergedConfig), ..named }
            .because("a package was upgraded, and its new configuration was never merged with the local one")
    })
}

/// Links whose target is a setting.
fn link(place: &Place<'_>) -> Option<Named> {
    let (before, after) = (Place::target(place.before), Place::target(place.after));
    if !(before.is_some() || after.is_some()) || place.happened().is_none() {
        return None;
    }
    let zone = place.path == b"/etc/localtime";
    let what = if zone {
        "time zone".to_owned()
    } else if place.folder == b"/etc/alternatives" {
        format!("alternative {}:", shown(place.base, 24))
    } else if place.path == b"/etc/systemd/system/default.target" {
        "default target:".to_owned()
    } else if matches!(place.path, b"/sbin/init" | b"/usr/sbin/init" | b"/bin/sh" | b"/usr/bin/sh") {
        format!("{}:", shown(place.path, 24))
    } else {
        return None;
    };
    let room = line::MOST.saturating_sub(what.chars().count() + 6) / 2;
    let side = |target: Option<&[u8]>| match target {
        None if zone => "(no link)".to_owned(),
        None => "none".to_owned(),
        Some(target) => {
            let start = target.windows(10).position(|part| part == b"/zoneinfo/").filter(|_| zone);
            shown(start.and_then(|at| target.get(at + 10..)).unwrap_or(target), room)
        }
    };
    let tail = match place.code {
        Code::TypeChanged => " (no longer the same type)",
        _ => "",
    };
    Some(Named::new(format!("{what} {} -> {}{tail}", side(before), side(after))))
}

/// What editors and careful hands leave in `/etc`.
fn residue(place: &Place<'_>) -> Option<Named> {
    const ENDS: [&[u8]; 9] = [b"~", b".bak", b".swp", b".swo", b".orig", b".save", b".old", b".backup", b".rej"];
    let looks = ENDS.iter().any(|end| place.base.ends_with(end) && place.base.len() > end.len())
        || place.base.starts_with(b"#") && place.base.ends_with(b"#") && place.base.len() > 2;
    let added = place.code == Code::FileAdded && place.is(Kind::File);
    (looks && added && place.path.starts_with(b"/etc/")).then(|| {
        Named::new(format!("{} added: left from editing by hand", shown(place.path, 65)))
            .because("somebody worked on this host's configuration in place")
    })
}

#[cfg(test)]
mod tests;
