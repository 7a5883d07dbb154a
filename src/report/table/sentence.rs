//! A finding as a sentence: what it is about, and what differs.
//!
//! *Invariant:* a path is never shortened; a long value is, since the JSON report has it whole.

use super::page::{Atom, atoms};
use crate::drift::version::Direction;
use crate::model::finding::attr_name;
use crate::model::text::escape;
use crate::model::{Attributes, Class, Code, Finding, HostOutcome};
use crate::protocol::Attr;

/// Columns that a value may take.
const VALUE: usize = 48;

/// What a finding says.
pub(super) struct Sentence {
    /// What it is about; never broken over lines.
    pub(super) subject: String,
    /// What differs.
    pub(super) predicate: String,
}

/// A finding in one line: its own title, or subject and predicate.
#[must_use]
pub fn title(finding: &Finding) -> String {
    finding.told.title.clone().unwrap_or_else(|| {
        let Sentence { subject, predicate } = classed(finding);
        format!("{subject} {predicate}")
    })
}

/// What a finding of a host is called: by its cause, where it is the head of one, else by itself.
pub(super) fn title_on(host: &HostOutcome, finding: &Finding) -> String {
    let cause = finding.cause.and_then(|at| host.causes.get(at));
    let own = cause.filter(|cause| cause.fingerprint == finding.fingerprint);
    own.map_or_else(|| title(finding), |cause| cause.title.clone())
}

/// The same as pieces of a paragraph; a subject is never broken.
pub(super) fn atoms_of(finding: &Finding) -> Vec<Atom> {
    if let Some(title) = &finding.told.title {
        return atoms(title);
    }
    let Sentence { subject, predicate } = classed(finding);
    let mut pieces = vec![Atom::new(&subject)];
    pieces.extend(atoms(&predicate));
    pieces
}

/// The sentence with what the host's databases say of it.
fn classed(finding: &Finding) -> Sentence {
    let mut said = of(finding);
    let repeats = matches!(finding.told.class, Some(Class::Upgraded | Class::Downgraded));
    if let Some(class) = finding.told.class.filter(|_| !repeats) {
        said.predicate.extend([", ", class_words(class)]);
    }
    said
}

/// A class as a phrase.
pub(super) fn class_words(class: Class) -> &'static str {
    match class {
        Class::AsShipped => "as its package ships it",
        Class::EditedConfig => "edited by hand",
        Class::Tampered => "not what its package ships",
        Class::DatabaseRewritten => "the package database was rewritten to fit",
        Class::Unowned => "no package owns it",
        Class::UnownedExecutable => "executable, and no package owns it",
        Class::Silent => "changed under the same size and time",
        Class::UnmergedConfig => "a vendor's new configuration that nobody merged",
        Class::LanguagePackage => "of a language's own package system",
        Class::Upgraded => "upgraded",
        Class::Downgraded => "downgraded",
        Class::Held => "kept back by hand",
        Class::LocalBuild => "built locally",
    }
}

/// Words a finding.
pub(super) fn of(finding: &Finding) -> Sentence {
    let (subject, predicate, told) = worded(finding);
    let mut predicate = predicate;
    // A finding may hold more attributes than its code names; none is kept back.
    if !finding.before.0.is_empty() && !finding.after.0.is_empty() {
        for attr in Attr::ALL.into_iter().filter(|attr| !told.contains(attr)) {
            if finding.before.text(attr).is_some() || finding.after.text(attr).is_some() {
                predicate.extend([", ", attr_name(attr), " ", &moved(finding, attr)]);
            }
        }
    }
    Sentence { subject, predicate }
}

fn worded(finding: &Finding) -> (String, String, &'static [Attr]) {
    let at = |what: String, told: &'static [Attr]| {
        (format!("{}:", escape(finding.path().unwrap_or(&finding.subject))), what, told)
    };
    match finding.code {
        Code::FileAdded => at(format!("added, {}", entry(&finding.after)), &Attr::ALL),
        Code::FileRemoved => at(format!("removed, was {}", entry(&finding.before)), &Attr::ALL),
        Code::TypeChanged => at(format!("type changed, {}", moved(finding, Attr::Kind)), &[Attr::Kind]),
        Code::ContentChanged => at(content(finding), &[Attr::Content, Attr::View, Attr::Size]),
        Code::ModeChanged => at(format!("mode {}", moved(finding, Attr::Mode)), &[Attr::Mode]),
        Code::OwnerChanged => at(owner(finding), &[Attr::Owner, Attr::Group]),
        Code::TargetChanged => at(format!("link target {}", moved(finding, Attr::Target)), &[Attr::Target]),
        Code::DeviceChanged => at(format!("device {}", moved(finding, Attr::Device)), &[Attr::Device]),
        Code::CapabilityChanged => {
            at(format!("file capabilities {}", moved(finding, Attr::Capability)), &[Attr::Capability])
        }
        Code::AclChanged => at(format!("access control list {}", moved(finding, Attr::Acl)), &[Attr::Acl]),
        Code::XattrChanged => at(format!("user attributes {}", moved(finding, Attr::Xattr)), &[Attr::Xattr]),
        Code::SelinuxChanged => at(format!("SELinux label {}", moved(finding, Attr::Selinux)), &[Attr::Selinux]),
        Code::FlagsChanged => at(format!("flags {}", moved(finding, Attr::Flags)), &[Attr::Flags]),
        Code::LinkChanged => at(format!("hard link of {}", moved(finding, Attr::Link)), &[Attr::Link]),
        Code::PackageAdded => package(finding, "added", &finding.after),
        Code::PackageRemoved => package(finding, "removed", &finding.before),
        Code::PackageVersion => versions(finding),
        Code::PackageState => {
            (format!("{}:", package_name(finding)), format!("state {}", moved(finding, Attr::State)), &[Attr::State])
        }
        Code::FactChanged => fact(finding),
        Code::MountAdded => mount(finding, format!("added, {}", protections(&finding.after))),
        Code::MountRemoved => mount(finding, format!("removed, was {}", protections(&finding.before))),
        Code::MountChanged => mount(finding, remounted(finding)),
        Code::AccountChanged
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
        | Code::ConfigurationManagement => {
            at(format!("{}, {}", finding.code.title(), moved(finding, Attr::Text)), &Attr::ALL)
        }
        Code::MountHides => mount(finding, format!("hides paths of the baseline, {}", protections(&finding.after))),
    }
}

/// `executable file 0755 root`.
fn entry(side: &Attributes) -> String {
    let kind = side.text(Attr::Kind).unwrap_or("entry");
    let mode = side.text(Attr::Mode);
    let bits = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()).filter(|_| kind == "file").unwrap_or(0);
    let mut words = Vec::new();
    if bits & 0o4000 != 0 {
        words.push("setuid".to_owned());
    }
    if bits & 0o2000 != 0 {
        words.push("setgid".to_owned());
    }
    if bits & 0o111 != 0 {
        words.push("executable".to_owned());
    }
    words.push(kind.to_owned());
    words.extend(mode.map(elided));
    match (side.text(Attr::Owner), side.text(Attr::Group)) {
        (Some(owner), Some(group)) if owner != group => words.push(elided(&format!("{owner}:{group}"))),
        (Some(owner), _) => words.push(elided(owner)),
        (None, Some(group)) => words.push(elided(&format!(":{group}"))),
        (None, None) => {}
    }
    words.extend(side.text(Attr::Target).map(|target| format!("-> {}", elided(target))));
    words.extend(side.text(Attr::Device).map(elided));
    for attr in [Attr::Capability, Attr::Acl, Attr::Flags] {
        words.extend(
            side.text(attr).filter(|text| !text.is_empty()).map(|text| format!("{} {}", attr_name(attr), elided(text))),
        );
    }
    words.join(" ")
}

fn content(finding: &Finding) -> String {
    let mut out = Code::ContentChanged.title().to_owned();
    if let (Some(before), Some(after)) = (finding.before.text(Attr::Size), finding.after.text(Attr::Size)) {
        if before == after {
            out.extend([", ", &elided(after), " bytes as before"]);
        } else {
            out.extend([", ", &elided(before), " -> ", &elided(after), " bytes"]);
        }
    }
    for attr in [Attr::Content, Attr::View] {
        let sides = [finding.before.text(attr), finding.after.text(attr)];
        // Two digests say no more than that they differ; anything else on a side must be said.
        let digests = sides.iter().all(|side| side.is_some_and(|text| text.contains(':')));
        if !digests && sides.iter().any(Option::is_some) {
            out.extend([", ", &moved(finding, attr)]);
        }
    }
    out
}

fn owner(finding: &Finding) -> String {
    let told: Vec<String> = [Attr::Owner, Attr::Group]
        .into_iter()
        .filter(|attr| finding.before.text(*attr).is_some() || finding.after.text(*attr).is_some())
        .map(|attr| format!("{} {}", attr_name(attr), moved(finding, attr)))
        .collect();
    if told.is_empty() { Code::OwnerChanged.title().to_owned() } else { told.join(", ") }
}

fn package(finding: &Finding, what: &str, side: &Attributes) -> (String, String, &'static [Attr]) {
    let version = side.text(Attr::Version).map(elided).unwrap_or_default();
    (format!("package {}", package_name(finding)), format!("{version} {what}"), &Attr::ALL)
}

/// `nginx 1.22.1-9 -> 1.22.1-10, upgraded`. The texts that tell builds apart are long and say no more than that they do.
fn versions(finding: &Finding) -> (String, String, &'static [Attr]) {
    let told = &[Attr::Version, Attr::Build];
    match Direction::of(finding) {
        None | Some(Direction::Rebuilt) => {
            (format!("{}:", package_name(finding)), "another build of the same version".to_owned(), told)
        }
        Some(direction) => {
            (package_name(finding), format!("{}, {}", moved(finding, Attr::Version), direction.word()), told)
        }
    }
}

/// The name, with its architecture where that is not one of those that a machine is made of.
fn package_name(finding: &Finding) -> String {
    let subject = escape(finding.subject.strip_prefix(b"pkg:").unwrap_or(&finding.subject));
    match subject.rsplit_once(':') {
        Some((name, "amd64" | "arm64" | "x86_64" | "aarch64" | "all" | "noarch" | "")) => name.to_owned(),
        Some(_) | None => subject,
    }
}

fn fact(finding: &Finding) -> (String, String, &'static [Attr]) {
    let name = format!("fact {}", escape(finding.subject.strip_prefix(b"fact:").unwrap_or(&finding.subject)));
    match (finding.before.text(Attr::Text), finding.after.text(Attr::Text)) {
        (None, Some(text)) => (format!("{name}:"), format!("added, {}", elided(text)), &[Attr::Text]),
        (Some(text), None) => (format!("{name}:"), format!("gone, was {}", elided(text)), &[Attr::Text]),
        (Some(_), Some(_)) | (None, None) => (name, moved(finding, Attr::Text), &[Attr::Text]),
    }
}

fn mount(finding: &Finding, what: String) -> (String, String, &'static [Attr]) {
    let point = escape(finding.path().unwrap_or(&finding.subject));
    (format!("mount {point}:"), what, &[Attr::FsType, Attr::MountOptions, Attr::Kind])
}

/// `ext4 nosuid,nodev`.
fn protections(side: &Attributes) -> String {
    let words = [Attr::FsType, Attr::MountOptions].map(|attr| side.text(attr).map(elided).unwrap_or_default());
    words.join(" ").trim().to_owned()
}

fn remounted(finding: &Finding) -> String {
    let told: Vec<String> = [(Attr::FsType, "type"), (Attr::MountOptions, "options")]
        .into_iter()
        .filter(|(attr, _)| finding.before.text(*attr).is_some() || finding.after.text(*attr).is_some())
        .map(|(attr, name)| format!("{name} {}", moved(finding, attr)))
        .collect();
    if told.is_empty() { "changed".to_owned() } else { told.join(", ") }
}

/// `a -> b`, with `none` for a side that lacks the attribute.
fn moved(finding: &Finding, attr: Attr) -> String {
    let side = |attributes: &Attributes| match attributes.text(attr) {
        None | Some("") => "none".to_owned(),
        Some(text) => elided(text),
    };
    format!("{} -> {}", side(&finding.before), side(&finding.after))
}

fn elided(text: &str) -> String {
    if text.chars().nth(VALUE).is_none() {
        return text.to_owned();
    }
    text.chars().take(VALUE - 3).chain("...".chars()).collect()
}
