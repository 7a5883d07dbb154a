//! What the host's package database says of each path that differs.
//!
//! *Invariant:* a word of the host lowers a severity only for a file that its changed package proves; every other word
//! leaves it or raises it.

use super::changed::{Packages, Standing};
use super::{entry, is_privileged, mode};
use crate::drift::inquiry::Answers;
use crate::model::text::escape;
use crate::model::{CauseKind, Change, Class, Code, Finding, Severity};
use crate::protocol::reply::{Owned, Shipped};
use crate::protocol::{Attr, System};

/// Endings of what package systems leave beside a configuration file.
const UNMERGED: [&[u8]; 13] = [
    b".dpkg-new",
    b".dpkg-dist",
    b".dpkg-old",
    b".ucf-new",
    b".ucf-dist",
    b".ucf-old",
    b".rpmnew",
    b".rpmsave",
    b".rpmorig",
    b".apk-new",
    b".pacnew",
    b".pacsave",
    b".pacorig",
];

/// Gives each finding of a path its class, and to the packages that differ what they explain; `golden` names the package
/// that a path of the golden machine belonged to.
pub(super) fn classify<'a>(
    findings: &mut [Finding],
    packages: &mut Packages,
    answers: &Answers,
    golden: &dyn Fn(&[u8]) -> Option<&'a [u8]>,
    grants: &dyn Fn(&[u8]) -> bool,
) {
    for (at, finding) in findings.iter_mut().enumerate() {
        let Some(path) = finding.path().map(<[u8]>::to_vec) else { continue };
        if finding.subject.starts_with(b"mount:") {
            continue;
        }
        if let Some((package, standing)) = packages.of_database(&path) {
            package.note(standing, &path);
            package.explain(at, finding);
            if standing == Standing::Script {
                let text = "a script that the package manager runs; nothing proves that it is the vendor's";
                finding.told.explanation.push(text.to_owned());
            } else {
                finding.told.class = Some(Class::AsShipped);
                finding
                    .told
                    .explanation
                    .push("a list of the package database, which changed with its package".to_owned());
            }
            continue;
        }
        if finding.code == Code::ContentChanged && is_list(&path) {
            finding.told.class = Some(Class::DatabaseRewritten);
            finding.severity = finding.severity.max(Severity::High);
            finding
                .told
                .explanation
                .push("the list of a package that is the same version as on the golden machine".to_owned());
            continue;
        }
        let said = answers.owners.get(&path);
        if finding.change == Change::Removed && entry(finding).is_some() {
            removed(at, finding, &path, packages, said, golden(&path));
        } else if let Some(said) = said {
            present(at, finding, &path, packages, said, grants(&path));
        }
        // Another version of a package may well have another file of the same size.
        let expected = said.and_then(|said| said.owners.first()).is_some_and(|owner| packages.get(owner).is_some());
        if finding.told.class.is_none() && !expected && is_silent(finding) {
            finding.told.class = Some(Class::Silent);
            finding.told.explanation.push("other bytes of the same size".to_owned());
        }
        if finding.change == Change::Added
            && UNMERGED.iter().any(|end| path.ends_with(end))
            && mode(finding) & 0o111 == 0
        {
            finding.told.class = Some(Class::UnmergedConfig);
        }
    }
}

/// A path that is gone: with its package, or although the package still lists it.
fn removed(
    at: usize,
    finding: &mut Finding,
    path: &[u8],
    packages: &mut Packages,
    said: Option<&Owned>,
    golden: Option<&[u8]>,
) {
    let Some(owner) = golden else { return };
    let listed = said.is_some_and(|said| !said.owners.is_empty());
    // Nobody asked, or the lists could not be read.
    let untold = said.is_none_or(|said| said.shipped == Shipped::Unread && said.owners.is_empty());
    let name = name(owner);
    if let Some(package) = packages.get(owner)
        && !listed
        && (package.kind == CauseKind::PackageRemoved || !untold)
    {
        package.note(Standing::Gone, path);
        package.explain(at, finding);
        finding.told.class = Some(Class::AsShipped);
        finding.told.explanation.push(if package.kind == CauseKind::PackageRemoved {
            format!("it belonged to {name}, which was removed")
        } else {
            format!("it belonged to {name}, which no longer has it")
        });
    } else if listed {
        finding.told.class = Some(Class::Tampered);
        finding.told.explanation.push(format!("{name} still lists it"));
    } else {
        finding.told.explanation.push(format!("on the golden machine it belonged to {name}"));
    }
}

/// A path that is there.
///
/// What `grants` more rights than its caller's, what is critical, and records of what a file means are told with their
/// package, but are not as shipped: whoever accepts a package does not accept them.
fn present(at: usize, finding: &mut Finding, path: &[u8], packages: &mut Packages, said: &Owned, grants: bool) {
    let Some(owner) = said.owners.first() else {
        if said.shipped == Shipped::Unowned && finding.change == Change::Added && entry(finding).is_some() {
            unowned(finding, path);
        }
        return;
    };
    let name = name(owner);
    // Who owns an entry, its mode and the like are not what a package's digests prove.
    let content = finding.subject.starts_with(b"record:")
        || matches!(finding.code, Code::FileAdded | Code::ContentChanged | Code::TypeChanged | Code::TargetChanged);
    if !content {
        return;
    }
    let kind = finding.after.text(Attr::Kind);
    let is_link = kind == Some("symlink") || finding.code == Code::TargetChanged;
    let is_folder = kind == Some("directory");
    let changed = packages.get(owner).filter(|package| package.kind != CauseKind::PackageRemoved);
    if let Some(package) = changed {
        let standing = match said.shipped {
            Shipped::Same => Standing::Shipped,
            Shipped::Altered => Standing::Altered,
            Shipped::Unowned | Shipped::Untold | Shipped::Unread if is_folder => Standing::Folder,
            Shipped::Untold if is_link => Standing::Link,
            Shipped::Unowned | Shipped::Untold | Shipped::Unread => Standing::Unproven,
        };
        package.note(standing, path);
        match standing {
            Standing::Altered => altered(finding, said, &name),
            Standing::Unproven => {
                finding.told.explanation.push(format!("{name} has it, and nothing proves that it is as shipped"));
            }
            Standing::Shipped
            | Standing::Link
            | Standing::Folder
            | Standing::Gone
            | Standing::Database
            | Standing::Script => {
                let is_proven = standing != Standing::Link
                    && !grants
                    && finding.severity < Severity::Critical
                    && !finding.subject.starts_with(b"record:");
                if is_privileged(finding) {
                    finding
                        .told
                        .explanation
                        .push(format!("{name} has it; its rights are not what the package database proves"));
                } else {
                    finding.told.explanation.push(format!("as {name} has it, by the host's own package database"));
                    finding.told.class = is_proven.then_some(Class::AsShipped);
                    package.explain(at, finding);
                }
            }
        }
        return;
    }
    match said.shipped {
        Shipped::Altered => altered(finding, said, &name),
        Shipped::Same if finding.change == Change::Added => {
            finding.told.explanation.push(format!("{name} owns it, and is the same on the golden machine"));
        }
        // The golden machine's own may be the one that was edited.
        Shipped::Same if said.is_config => finding.told.explanation.push(format!("it is as {name} shipped it")),
        Shipped::Same => {
            finding.told.explanation.push(format!(
                "the host's package database agrees with it, and {name} is the same version as on the golden machine"
            ));
            finding.told.class = Some(Class::DatabaseRewritten);
            finding.severity = finding.severity.max(Severity::High);
        }
        Shipped::Unowned | Shipped::Untold | Shipped::Unread => {
            finding.told.explanation.push(format!("{name} owns it"));
        }
    }
}

/// A file that its package did not ship so.
fn altered(finding: &mut Finding, said: &Owned, name: &str) {
    if said.is_config {
        finding.told.class = Some(Class::EditedConfig);
        finding.told.explanation.push(format!("a configuration file of {name}, edited"));
    } else {
        finding.told.class = Some(Class::Tampered);
        finding.told.explanation.push(format!("it is not what {name} shipped"));
        finding.severity = graver(finding.severity).max(Severity::High);
    }
}

fn unowned(finding: &mut Finding, path: &[u8]) {
    if finding.after.text(Attr::Kind) == Some("file") && (mode(finding) & 0o111 != 0 || is_code(path)) {
        finding.told.class = Some(Class::UnownedExecutable);
        finding.severity = finding.severity.max(Severity::High);
        let what = if mode(finding) & 0o111 != 0 { "executable" } else { "in a place of programs" };
        finding.told.title.get_or_insert_with(|| format!("{}: {what}, no package owns it", escape(path)));
    } else {
        finding.told.class = Some(Class::Unowned);
    }
}

/// Whether a path is where programs and their libraries are looked for.
fn is_code(path: &[u8]) -> bool {
    let mut parts: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
    let name = parts.pop().unwrap_or_default();
    let programs = parts.last().is_some_and(|folder| matches!(*folder, b"bin" | b"sbin"));
    let library = name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.");
    programs || library && parts.iter().any(|folder| matches!(*folder, b"lib" | b"lib32" | b"lib64"))
}

/// Whether a file is what dpkg proves the files of a package by.
fn is_list(path: &[u8]) -> bool {
    path.starts_with(b"/var/lib/dpkg/info/") && (path.ends_with(b".md5sums") || path.ends_with(b".list"))
}

/// Whether content differs and size does not: a change holds only what differs.
fn is_silent(finding: &Finding) -> bool {
    finding.code == Code::ContentChanged
        && finding.before.text(Attr::Content).is_some()
        && finding.after.text(Attr::Content).is_some_and(|text| text != "oversize")
        && finding.before.text(Attr::Size).is_none()
        && finding.after.text(Attr::Size).is_none()
}

fn graver(severity: Severity) -> Severity {
    Severity::ALL.iter().copied().find(|other| *other > severity).unwrap_or(severity)
}

/// `nginx`, of `pkg:nginx:amd64`.
fn name(subject: &[u8]) -> String {
    escape(System::of(subject).map_or(subject, |(_, name, _)| name))
}
