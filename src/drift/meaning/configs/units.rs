//! Sentences of systemd's units and of other files of sections.
//!
//! *Invariant:* the unit's name comes from the path alone, that of a drop-in from its folder.

use super::sources::{has, repository};
use super::{base, change};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Code, Severity};

const KINDS: [&[u8]; 11] = [
    b".service",
    b".socket",
    b".timer",
    b".path",
    b".mount",
    b".automount",
    b".swap",
    b".target",
    b".slice",
    b".scope",
    b".device",
];
/// Settings that decide what runs, or as whom.
const GRAVE: [&[u8]; 12] = [
    b"User",
    b"Group",
    b"DynamicUser",
    b"SupplementaryGroups",
    b"RootDirectory",
    b"RootImage",
    b"AmbientCapabilities",
    b"CapabilityBoundingSet",
    b"NoNewPrivileges",
    b"Unit",
    b"EnvironmentFile",
    b"ListenStream",
];

/// The unit that a path belongs to, and the drop-in that it is.
pub(in crate::drift::meaning) fn unit(path: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let is_unit = |name: &[u8]| KINDS.iter().any(|kind| name.len() > kind.len() && name.ends_with(kind));
    let mut names = path.rsplit(|byte| *byte == b'/');
    let (name, folder) = (names.next()?, names.next()?);
    if !has(path, b"/systemd/") {
        return None;
    }
    if let Some(of) = folder.strip_suffix(b".d")
        && (is_unit(of) || KINDS.iter().any(|kind| kind.strip_prefix(b".") == Some(of)))
    {
        return Some((of, Some(name)));
    }
    is_unit(name).then_some((name, None))
}

/// Section and setting of a key.
pub(super) fn split(key: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = key.iter().position(|byte| *byte == b']') else { return (b"", key) };
    let section = key.get(1..end).unwrap_or_default();
    let rest = key.get(end + 1..).unwrap_or_default();
    // After `]`, a second section of one name has its number.
    let setting = rest.iter().position(|byte| *byte == b' ').and_then(|at| rest.get(at + 1..)).unwrap_or_default();
    (section, setting)
}

/// One setting.
pub(super) fn sentence(path: &[u8], pair: &Pair<'_>) -> Said {
    let (section, setting) = split(pair.key);
    let Some((unit, drop_in)) = unit(path) else { return other(path, pair) };
    let what = match drop_in {
        Some(drop_in) => format!("unit {} ({}): {}", shown(unit, 35), shown(drop_in, 20), shown(setting, 25)),
        None => format!("unit {}: {}", shown(unit, 40), shown(setting, 25)),
    };
    let values = || pair.before.iter().chain(&pair.after);
    let grave = setting.starts_with(b"Exec")
        || GRAVE.contains(&setting)
        || setting.starts_with(b"Environment") && values().any(|value| has(value, b"LD_"));
    let title = change(what.trim_end_matches([' ', ':']), pair);
    if grave && section != b"Unit" {
        return Said::new(Code::UnitChanged, Severity::High, title)
            .because("it decides what the system runs, as whom, or with which rights");
    }
    let severity = match setting {
        b"Description" | b"Documentation" => Severity::Low,
        _ => Severity::Medium,
    };
    Said::new(Code::UnitChanged, severity, title)
}

fn other(path: &[u8], pair: &Pair<'_>) -> Said {
    let is_list = has(path, b"/yum.repos.d/") || has(path, b"/zypp/repos.d/") || has(path, b"/dnf/");
    if is_list || base(path) == b"pacman.conf" || base(path) == b"yum.conf" {
        return repository(pair);
    }
    let (section, setting) = split(pair.key);
    let name = shown(base(path), 35);
    let what = match (section, setting) {
        (b"", setting) => format!("{name}: {}", shown(setting, 30)),
        (section, b"") => format!("{name}: [{}]", shown(section, 30)),
        (section, setting) => format!("{name}: [{}] {}", shown(section, 20), shown(setting, 25)),
    };
    let dns = matches!(setting, b"DNS" | b"FallbackDNS" | b"Domains" | b"dns" | b"DNSOverTLS" | b"DNSSEC");
    let code = if dns { Code::ResolverChanged } else { Code::SettingChanged };
    Said::new(code, Severity::Medium, change(&what, pair))
}
