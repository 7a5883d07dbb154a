//! A change as lines of a POSIX shell that builds an image.
//!
//! *Invariant:* every word goes through the one quoter; a path never begins with a dash, since it begins with a slash.

use super::change::Change;
use crate::protocol::System;
use crate::report::quote::quote;

/// The commands of a change; none where it takes a file, or only words.
pub(super) fn commands(change: &Change) -> Vec<String> {
    match change {
        Change::Install { system, name, version } => install(*system, name, version),
        Change::Remove { system, name } => remove(*system, name),
        Change::File { path, mode, owner, .. } => attributes(path, mode.as_deref(), owner.as_deref()),
        Change::Folder { path, mode, owner } => {
            let mut lines = vec![format!("mkdir -p {}", quote(path))];
            lines.extend(attributes(path, mode.as_deref(), owner.as_deref()));
            lines
        }
        Change::Link { path, target } => vec![format!("ln -sfn -- {} {}", quote(target), quote(path))],
        Change::Mode { path, mode } => attributes(path, Some(mode), None),
        Change::Owner { path, owner } => attributes(path, None, Some(owner)),
        Change::Delete { path } => vec![format!("rm -rf {}", quote(path))],
        Change::Words { .. } => Vec::new(),
    }
}

/// Owner first: changing it takes setuid bits away.
fn attributes(path: &str, mode: Option<&str>, owner: Option<&str>) -> Vec<String> {
    let chown = owner.map(|owner| format!("chown -h -- {} {}", quote(owner), quote(path)));
    let chmod = mode.map(|mode| format!("chmod {} {}", quote(mode), quote(path)));
    chown.into_iter().chain(chmod).collect()
}

fn install(system: System, name: &str, version: &str) -> Vec<String> {
    let at = |mark: &str| quote(&format!("{name}{mark}{version}"));
    match system {
        System::Dpkg => vec![format!("apt-get install -y --no-install-recommends --allow-downgrades {}", at("="))],
        System::Rpm => vec![format!("dnf install -y {}", at("-"))],
        System::Apk => vec![format!("apk add {}", at("="))],
        // pacman has no versions to choose from: an image is built from a repository's snapshot.
        System::Pacman => vec![format!("pacman -S --noconfirm {}  # {}", quote(name), comment(version))],
        System::Snap => vec![format!("snap install {} --revision={}", quote(name), quote(version))],
        System::Flatpak => vec![
            format!("flatpak install -y --system {}", quote(name)),
            format!("flatpak update -y --system --commit={} {}", quote(version), quote(name)),
        ],
    }
}

fn remove(system: System, name: &str) -> Vec<String> {
    let name = quote(name);
    vec![match system {
        System::Dpkg => format!("apt-get purge -y {name}"),
        System::Rpm => format!("dnf remove -y {name}"),
        System::Apk => format!("apk del {name}"),
        System::Pacman => format!("pacman -R --noconfirm {name}"),
        System::Snap => format!("snap remove --purge {name}"),
        System::Flatpak => format!("flatpak uninstall -y --system {name}"),
    }]
}

/// A text behind a `#`.
pub(super) fn comment(text: &str) -> String {
    crate::report::quote::comment(text)
}

/// What stands in the place of a line, where a change has none.
pub(super) fn by_hand(change: &Change) -> Option<String> {
    match change {
        Change::Words { file: Some(file) } => Some(format!("by hand, in {}", comment(file))),
        Change::Words { file: None } => Some("by hand: no line does that".to_owned()),
        Change::Install { .. }
        | Change::Remove { .. }
        | Change::File { .. }
        | Change::Folder { .. }
        | Change::Link { .. }
        | Change::Mode { .. }
        | Change::Owner { .. }
        | Change::Delete { .. } => None,
    }
}

/// Where the source of a template keeps a file that the report knows only the digest of.
pub(super) fn source(path: &str) -> String {
    format!("files{path}")
}
