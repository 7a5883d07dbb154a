//! A finding: one difference between a host and its baseline.
//!
//! *Invariant:* fingerprint and key depend on code, subject, before and after alone, never on host or severity.

use super::verdict::{Severity, closed_words};
use crate::protocol::{Attr, Digest};

closed_words! {
    /// What kind of difference; the word is stable and has a text in [`Code::title`].
    Code {
        /// A path that the baseline lacks.
        FileAdded = "file-added",
        /// A path that only the baseline has.
        FileRemoved = "file-removed",
        /// Another file type.
        TypeChanged = "type-changed",
        /// Other bytes.
        ContentChanged = "content-changed",
        /// Other permission bits.
        ModeChanged = "mode-changed",
        /// Another owner or group.
        OwnerChanged = "owner-changed",
        /// A link that points elsewhere.
        TargetChanged = "target-changed",
        /// Another device.
        DeviceChanged = "device-changed",
        /// Other file capabilities.
        CapabilityChanged = "capability-changed",
        /// Another access control list.
        AclChanged = "acl-changed",
        /// Other user attributes.
        XattrChanged = "xattr-changed",
        /// Another `SELinux` label.
        SelinuxChanged = "selinux-changed",
        /// Other immutable or append-only flags.
        FlagsChanged = "flags-changed",
        /// Other hard links.
        LinkChanged = "link-changed",
        /// A package that the baseline lacks.
        PackageAdded = "package-added",
        /// A package that only the baseline has.
        PackageRemoved = "package-removed",
        /// Another version of a package.
        PackageVersion = "package-version",
        /// Another state, a hold for example.
        PackageState = "package-state",
        /// A fact that differs, appeared or is gone.
        FactChanged = "fact-changed",
        /// A mount that the baseline lacks.
        MountAdded = "mount-added",
        /// A mount that only the baseline has.
        MountRemoved = "mount-removed",
        /// Another file system type or other protections.
        MountChanged = "mount-changed",
        /// A mount laid over paths of the baseline, which it hides.
        MountHides = "mount-hides",
    }
}

impl Code {
    /// What it says to a person, as a phrase after the subject.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::FileAdded => "added",
            Self::FileRemoved => "removed",
            Self::TypeChanged => "type changed",
            Self::ContentChanged => "content changed",
            Self::ModeChanged => "mode changed",
            Self::OwnerChanged => "owner changed",
            Self::TargetChanged => "link points elsewhere",
            Self::DeviceChanged => "device number changed",
            Self::CapabilityChanged => "file capabilities changed",
            Self::AclChanged => "access control list changed",
            Self::XattrChanged => "user attributes changed",
            Self::SelinuxChanged => "SELinux label changed",
            Self::FlagsChanged => "immutable or append-only flag changed",
            Self::LinkChanged => "hard links changed",
            Self::PackageAdded => "package added",
            Self::PackageRemoved => "package removed",
            Self::PackageVersion => "package version changed",
            Self::PackageState => "package state changed",
            Self::FactChanged => "fact changed",
            Self::MountAdded => "mount added",
            Self::MountRemoved => "mount removed",
            Self::MountChanged => "mount changed",
            Self::MountHides => "mount hides paths of the baseline",
        }
    }
}

closed_words! {
    /// On which side the subject is.
    Change {
        /// Only on the host.
        Added = "added",
        /// Only in the baseline.
        Removed = "removed",
        /// On both.
        Changed = "changed",
    }
}

/// Attributes of one side as printable text, ascending: for a change those that differ, else all that are compared.
///
/// The text is escaped (see [`super::text`]); mode is `0644`, size decimal, content `sha256:...`, type a word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(pub Vec<(Attr, String)>);

impl Attributes {
    /// One attribute's text.
    #[must_use]
    pub fn text(&self, attr: Attr) -> Option<&str> {
        self.0.iter().find(|(a, _)| *a == attr).map(|(_, text)| text.as_str())
    }
}

/// The name of an attribute in reports.
#[must_use]
pub fn attr_name(attr: Attr) -> &'static str {
    match attr {
        Attr::Kind => "type",
        Attr::Mode => "mode",
        Attr::Owner => "owner",
        Attr::Group => "group",
        Attr::Size => "size",
        Attr::Content => "content",
        Attr::View => "view",
        Attr::Target => "target",
        Attr::Device => "device",
        Attr::Capability => "capability",
        Attr::Acl => "acl",
        Attr::Xattr => "xattr",
        Attr::Selinux => "selinux",
        Attr::Flags => "flags",
        Attr::Link => "hardlink",
        Attr::Version => "version",
        Attr::State => "state",
        Attr::Text => "value",
        Attr::FsType => "fstype",
        Attr::MountOptions => "options",
        Attr::Build => "build",
    }
}

/// The attribute of a name.
#[must_use]
pub fn attr_of(name: &str) -> Option<Attr> {
    Attr::ALL.into_iter().find(|attr| attr_name(*attr) == name)
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of difference.
    pub code: Code,
    /// On which side the subject is.
    pub change: Change,
    /// What it is about, exact bytes: `fs:/etc/passwd`, `pkg:nginx:amd64`.
    pub subject: Vec<u8>,
    /// How much it matters under the policy.
    pub severity: Severity,
    /// H(code, subject, before, after).
    pub fingerprint: Digest,
    /// H(code, subject).
    pub key: Digest,
    /// The baseline's side.
    pub before: Attributes,
    /// The host's side.
    pub after: Attributes,
}

impl Finding {
    /// The path, where the subject has one: of a file or of a mount point.
    #[must_use]
    pub fn path(&self) -> Option<&[u8]> {
        self.subject.strip_prefix(b"fs:").or_else(|| self.subject.strip_prefix(b"mount:"))
    }
}
