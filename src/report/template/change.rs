//! What most of a group have, as changes that a template's source could make.
//!
//! *Invariant:* every finding behind a row of common drift is one change, if only a sentence; texts of hosts are escaped.

use crate::model::text::escape;
use crate::model::{Change as Side, Class, Code, Finding, FleetOutcome, HostOutcome, Line, line};
use crate::protocol::{Attr, Digest, System};
use crate::report::table::title;
use std::collections::HashMap;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A package at a version.
    Install { system: System, name: String, version: String },
    /// A package that must not be there.
    Remove { system: System, name: String },
    /// A file whose bytes the report has only the digest of.
    File { path: String, content: String, mode: Option<String>, owner: Option<String> },
    /// A folder.
    Folder { path: String, mode: Option<String>, owner: Option<String> },
    /// A symbolic link.
    Link { path: String, target: String },
    /// Permission bits.
    Mode { path: String, mode: String },
    /// Owner and group, `root:adm`.
    Owner { path: String, owner: String },
    /// A path that must not be there.
    Delete { path: String },
    /// What no line can do, in words; with the file that it is about, where it is about a part of one.
    Words { file: Option<String> },
}

/// A change with the sentence of its finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) says: String,
    pub(super) change: Change,
}

/// The changes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub(super) name: &'a str,
    /// The template and version that it was compared with.
    pub(super) reference: Option<&'a str>,
    /// A row's sentence, `5 of 6 hosts`, and its changes.
    pub(super) rows: Vec<(String, String, Vec<Told>)>,
}

/// The changes of a run, group by group.
pub(super) fn groups(outcome: &FleetOutcome) -> Vec<Group<'_>> {
    let hosts: HashMap<&str, &HostOutcome> = outcome.hosts.iter().map(|host| (host.name.as_str(), host)).collect();
    // A host may be the first of thousands of rows.
    let mut lines: HashMap<&str, HashMap<&Digest, Line<'_>>> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in &outcome.common {
        let Some(host) = row.hosts.first().and_then(|name| hosts.get(name.as_str()).copied()) else { continue };
        let lines = lines.entry(&host.name).or_insert_with(|| line::by_fingerprint(host));
        let Some(line) = lines.get(&row.fingerprint) else { continue };
        let (says, changes) = changes(host, *line);
        let share = format!("{} of {} hosts", row.hosts.len(), row.of);
        if groups.last().is_none_or(|group| group.name != row.group) {
            groups.push(Group { name: &row.group, reference: host.reference.as_deref(), rows: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            group.rows.push((says, share, changes));
        }
    }
    groups
}

/// What a row stands for on a host: of a package its version, since its files come with it; else each finding.
fn changes(host: &HostOutcome, line: Line<'_>) -> (String, Vec<Told>) {
    match line {
        Line::Finding(finding) => (title(finding), vec![told(finding)]),
        Line::Cause(at, cause) => {
            let explained: Vec<&Finding> = line::explained(host, at).collect();
            let package = explained.iter().find(|finding| finding.subject.starts_with(b"pkg:"));
            let changes = match package {
                Some(package) => vec![told(package)],
                None => explained.into_iter().map(told).collect(),
            };
            (cause.title.clone(), changes)
        }
    }
}

fn told(finding: &Finding) -> Told {
    let is_part = finding.subject.starts_with(b"record:");
    let words = || Change::Words { file: finding.path().filter(|_| is_part).map(escape) };
    Told { says: title(finding), change: change(finding).unwrap_or_else(words) }
}

fn change(finding: &Finding) -> Option<Change> {
    // What no package shipped so, though one says that it is its own, is not for folding in before somebody knows who did it.
    match finding.told.class {
        Some(Class::Tampered | Class::DatabaseRewritten) => return None,
        None
        | Some(
            Class::AsShipped
            | Class::Upgraded
            | Class::Downgraded
            | Class::Held
            | Class::LocalBuild
            | Class::EditedConfig
            | Class::Unowned
            | Class::UnownedExecutable
            | Class::Silent
            | Class::UnmergedConfig
            | Class::LanguagePackage,
        ) => {}
    }
    if let Some((system, name, _)) = System::of(&finding.subject) {
        return package(finding, system, name);
    }
    // A path that is not UTF-8, or holds control characters, has no name that a template's source can write.
    let path = std::str::from_utf8(finding.subject.strip_prefix(b"fs:")?).ok()?;
    if escape(path.as_bytes()) != path {
        return None;
    }
    let path = path.to_owned();
    let after = |attr| finding.after.text(attr).map(ToOwned::to_owned);
    let owner = match (after(Attr::Owner), after(Attr::Group)) {
        (Some(owner), Some(group)) => Some(format!("{owner}:{group}")),
        (Some(owner), None) => Some(owner),
        (None, Some(group)) => Some(format!(":{group}")),
        (None, None) => None,
    };
    match finding.code {
        // Where the root is gone, nothing was found, and a line that deletes it is no line of a template.
        Code::FileRemoved => (path != "/").then_some(Change::Delete { path }),
        Code::ModeChanged => Some(Change::Mode { path, mode: after(Attr::Mode)? }),
        Code::OwnerChanged => Some(Change::Owner { path, owner: owner? }),
        Code::TargetChanged => Some(Change::Link { path, target: after(Attr::Target)? }),
        Code::ContentChanged => {
            let content = after(Attr::Content).or_else(|| after(Attr::View)).unwrap_or_else(|| "unknown".to_owned());
            Some(Change::File { path, content, mode: None, owner: None })
        }
        Code::FileAdded => match finding.after.text(Attr::Kind)? {
            "file" => {
                let content = after(Attr::Content).unwrap_or_else(|| "unknown".to_owned());
                Some(Change::File { path, content, mode: after(Attr::Mode), owner })
            }
            "directory" => Some(Change::Folder { path, mode: after(Attr::Mode), owner }),
            "symlink" | "link" => Some(Change::Link { path, target: after(Attr::Target)? }),
            _ => None,
        },
        Code::TypeChanged
        | Code::DeviceChanged
        | Code::CapabilityChanged
        | Code::AclChanged
        | Code::XattrChanged
        | Code::SelinuxChanged
        | Code::FlagsChanged
        | Code::LinkChanged
        | Code::PackageAdded
        | Code::PackageRemoved
        | Code::PackageVersion
        | Code::PackageState
        | Code::FactChanged
        | Code::MountAdded
        | Code::MountRemoved
        | Code::MountChanged
        | Code::MountHides
        | Code::AccountChanged
        | Code::GroupChanged
        | Code::PasswordChanged
        | Code::SudoChanged
        | Code::KeyChanged
        | Code::SshdChanged
        | Code::PamChanged
        | Code::JobChanged
        | Code::UnitChanged
        | Code::KernelChanged
        | Code::FstabChanged
        | Code::ResolverChanged
        | Code::SourceChanged
        | Code::TrustChanged
        | Code::AlternativeChanged
        | Code::SettingChanged
        | Code::ClonedIdentity
        | Code::ImageMismatch
        | Code::ConfigurationManagement => None,
    }
}

fn package(finding: &Finding, system: System, name: &[u8]) -> Option<Change> {
    let name = std::str::from_utf8(name).ok().filter(|name| is_package_word(name))?.to_owned();
    match finding.change {
        Side::Removed => Some(Change::Remove { system, name }),
        Side::Added | Side::Changed => {
            let version = finding.after.text(Attr::Version).filter(|version| is_package_word(version))?.to_owned();
            Some(Change::Install { system, name, version })
        }
    }
}

/// Whether every system would take it for a name or a version: the host chose it, quotes do not keep a line feed from
/// ending an instruction of a Dockerfile, nor a dash from making an option of it (deb-version(7), rpm-version(7)).
fn is_package_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._~:^@/".contains(&b))
}
