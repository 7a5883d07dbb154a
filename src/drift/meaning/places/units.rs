//! Units of systemd and services of other inits: enabled, masked, extended by their links and folders.
//!
//! *Invariant:* a link counts as enabling whatever it points to, since systemd goes by its name.

use super::super::shown;
use super::{Named, Place};
use crate::model::{Change, Code, Severity};
use crate::protocol::Kind;

const ROOTS: [&[u8]; 8] = [
    b"/etc/systemd/system",
    b"/etc/systemd/user",
    b"/usr/lib/systemd/system",
    b"/usr/lib/systemd/user",
    b"/lib/systemd/system",
    b"/lib/systemd/user",
    b"/usr/local/lib/systemd/system",
    b"/run/systemd/system",
];

const STARTS: &str = "the system starts it by itself";

pub(super) fn named(place: &Place<'_>) -> Option<Named> {
    let happened = place.happened()?;
    if let Some(named) = runlevel(place, happened) {
        return Some(named);
    }
    // Units of one user come from the home.
    let home = |folder: &[u8]| folder.windows(21).any(|part| part == b"/.config/systemd/user");
    let root = ROOTS.iter().find_map(|root| place.path.strip_prefix(*root)?.strip_prefix(b"/"));
    let below = match root {
        Some(below) => below,
        None if home(place.folder) => {
            let at = place.path.windows(22).position(|part| part == b"/.config/systemd/user/")?;
            place.path.get(at + 22..)?
        }
        None => return None,
    };
    let mut names = below.split(|byte| *byte == b'/');
    match (names.next()?, names.next(), names.next()) {
        (unit, None, _) => of_unit(place, unit, happened),
        (folder, Some(name), None) => in_folder(place, folder, name, happened),
        _ => None,
    }
}

/// A unit's own file, link or folder.
fn of_unit(place: &Place<'_>, unit: &[u8], happened: &str) -> Option<Named> {
    if place.is(Kind::Directory) {
        let of = unit.strip_suffix(b".d")?;
        return Some(Named::new(format!("unit {}: folder of drop-ins {happened}", shown(of, 50))));
    }
    if unit == b"default.target" || !unit.contains(&b'.') {
        return None;
    }
    let name = shown(unit, 50);
    let (before, after) = (Place::target(place.before), Place::target(place.after));
    let null = Some(&b"/dev/null"[..]);
    if after == null {
        return Some(Named::new(format!("unit {name} masked")).because("it can't be started any more"));
    }
    if before == null {
        let then = if place.change == Change::Removed { "" } else { ", and is another file now" };
        return Some(Named::new(format!("unit {name} no longer masked{then}")));
    }
    match (after, before, place.code) {
        (Some(to), _, Code::FileAdded | Code::TypeChanged) => {
            Some(Named::new(format!("unit {name} is an alias of {} now", shown(base(to), 35))))
        }
        (Some(to), Some(from), _) => {
            Some(Named::new(format!("unit {name}: alias of {} -> {}", shown(from, 25), shown(to, 25))))
        }
        (None, Some(from), Code::FileRemoved) => {
            Some(Named::new(format!("unit {name} is no longer an alias of {}", shown(base(from), 35))))
        }
        _ => {
            let place_of = if place.path.starts_with(b"/etc/systemd/system/") {
                String::new()
            } else {
                format!(" in {}", shown(place.folder, 40))
            };
            Some(Named::new(format!("unit {name} {happened}{place_of}")))
        }
    }
}

/// A link or a file in a folder of a unit's.
fn in_folder(place: &Place<'_>, folder: &[u8], name: &[u8], happened: &str) -> Option<Named> {
    let unit = shown(name, 45);
    if let Some(of) = folder.strip_suffix(b".d") {
        let title = format!("unit {}: drop-in {} {happened}", shown(of, 40), shown(name, 30));
        return Some(Named::new(title).because("its settings come on top of those of the unit"));
    }
    let wants = [&b".wants"[..], b".requires", b".upholds"].iter().find_map(|end| folder.strip_suffix(*end))?;
    let by = shown(wants, 30);
    Some(match (place.code, Place::target(place.after)) {
        (Code::FileAdded, Some(b"/dev/null")) => Named::new(format!("unit {unit} kept from being started by {by}")),
        (Code::FileAdded, _) => {
            Named::new(format!("unit {unit} enabled (by {by})")).because(STARTS).at_least(Severity::Medium)
        }
        (Code::FileRemoved, _) => Named::new(format!("unit {unit} disabled (by {by})")).at_least(Severity::Medium),
        (_, Some(to)) => Named::new(format!("unit {unit} (by {by}) leads to {} now", shown(to, 30))),
        (_, None) => Named::new(format!("unit {unit} (by {by}) {happened}")),
    })
}

/// Services of runlevels, those of `OpenRC` too.
fn runlevel(place: &Place<'_>, happened: &str) -> Option<Named> {
    let (level, name) = if let Some(level) = place.folder.strip_prefix(b"/etc/runlevels/") {
        (level, place.base)
    } else {
        let folder = place.folder.strip_prefix(b"/etc/rc.d/rc").or_else(|| place.folder.strip_prefix(b"/etc/rc"))?;
        let level = folder.strip_suffix(b".d").filter(|level| level.len() == 1)?;
        match place.base {
            [b'S', b'0'..=b'9', b'0'..=b'9', name @ ..] => (level, name),
            _ => return None,
        }
    };
    let (level, name) = (shown(level, 20), shown(name, 45));
    Some(match place.code {
        Code::FileAdded => Named::new(format!("service {name} enabled (runlevel {level})")).because(STARTS),
        Code::FileRemoved => Named::new(format!("service {name} disabled (runlevel {level})")),
        _ => Named::new(format!("service {name} (runlevel {level}) {happened}")),
    })
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}
