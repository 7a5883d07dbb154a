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
        /// An account: of passwd.
        AccountChanged = "account-changed",
        /// A group or its members.
        GroupChanged = "group-changed",
        /// How a password stands: locked, empty, its algorithm, its ageing; ranges of subordinate ids.
        PasswordChanged = "password-changed",
        /// A rule or setting of sudo.
        SudoChanged = "sudo-changed",
        /// A key that may log in.
        KeyChanged = "ssh-key-changed",
        /// A setting of sshd or ssh.
        SshdChanged = "sshd-changed",
        /// A rule of PAM.
        PamChanged = "pam-changed",
        /// A job of cron or at.
        JobChanged = "job-changed",
        /// A unit: its settings, drop-ins, or whether it is enabled or masked.
        UnitChanged = "unit-changed",
        /// A kernel setting: sysctl, module, command line.
        KernelChanged = "kernel-setting-changed",
        /// A line of fstab or crypttab.
        FstabChanged = "fstab-changed",
        /// A line of hosts or resolv.conf.
        ResolverChanged = "resolver-changed",
        /// A source of packages.
        SourceChanged = "source-changed",
        /// A trusted certificate or signing key.
        TrustChanged = "trust-changed",
        /// An alternative.
        AlternativeChanged = "alternative-changed",
        /// Any other setting that is compared by its meaning.
        SettingChanged = "setting-changed",
        /// Two hosts that share what each must have for itself.
        ClonedIdentity = "cloned-identity",
        /// Something changes servers in place.
        ConfigurationManagement = "configuration-management",
        /// os-release names another image than the one that the content is of.
        ImageMismatch = "image-mismatch",
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
            Self::AccountChanged => "account changed",
            Self::GroupChanged => "group changed",
            Self::PasswordChanged => "password state changed",
            Self::SudoChanged => "sudo rule changed",
            Self::KeyChanged => "login key changed",
            Self::SshdChanged => "ssh setting changed",
            Self::PamChanged => "PAM rule changed",
            Self::JobChanged => "job changed",
            Self::UnitChanged => "unit changed",
            Self::KernelChanged => "kernel setting changed",
            Self::FstabChanged => "fstab changed",
            Self::ResolverChanged => "name resolution changed",
            Self::SourceChanged => "package source changed",
            Self::TrustChanged => "trusted key changed",
            Self::AlternativeChanged => "alternative changed",
            Self::SettingChanged => "setting changed",
            Self::ClonedIdentity => "identity shared with another host",
            Self::ConfigurationManagement => "changed in place by a configuration manager",
            Self::ImageMismatch => "os-release names another image than the content",
        }
    }
}

closed_words! {
    /// What the host's own databases say of a difference: evidence that the host could forge. It never changes which finding
    /// it is, only how it is told, and it may only make it graver, but for files that a package upgrade explains.
    Class {
        /// A package was upgraded, and the file is as the new version shipped it.
        AsShipped = "as-shipped",
        /// A package's configuration file that somebody edited.
        EditedConfig = "edited-config",
        /// A package's file that is not what the package shipped.
        Tampered = "tampered",
        /// Not what the golden machine has, although package and version are the same and the host's database agrees with the
        /// file: the database or the package was rewritten.
        DatabaseRewritten = "database-rewritten",
        /// No package has it.
        Unowned = "unowned",
        /// No package has it, and it can be run.
        UnownedExecutable = "unowned-executable",
        /// Other bytes of the same size and time.
        Silent = "silent-change",
        /// A vendor's new version of a configuration file that nobody merged.
        UnmergedConfig = "unmerged-config",
        /// A package of a language's own package system, installed for the whole system.
        LanguagePackage = "language-package",
        /// A newer version of a package.
        Upgraded = "upgraded",
        /// An older version of a package.
        Downgraded = "downgraded",
        /// A package that is kept back by hand.
        Held = "held",
        /// A package that no source of the host offers, or another build of the same version.
        LocalBuild = "local-build",
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
        Attr::Package => "package",
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
    /// How it is told to a person.
    pub told: Told,
    /// Which of the host's causes explains it.
    pub cause: Option<usize>,
    /// The waiver that accepts it for a time.
    pub waiver: Option<WaiverUse>,
}

/// How a finding is told, beside what it is; all texts are escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// One line that says it all, `user deploy2 added with uid 0`; where there is none, subject and code say it.
    pub title: Option<String>,
    /// What the host's databases say of it.
    pub class: Option<Class>,
    /// Why it matters and what it means, a sentence a line.
    pub explanation: Vec<String>,
    /// A unified diff of masked texts.
    pub diff: Option<String>,
    /// What the host's logs and databases say about how it came to be; a host could forge it.
    pub evidence: Vec<String>,
    /// RFC 3339, UTC: the start of the earliest run known that saw it on this host; `None` where no earlier run is known.
    pub first_seen: Option<String>,
}

/// A waiver at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverUse {
    /// Fingerprint or pattern, as it was written.
    pub of: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day, `2026-12-31`.
    pub until: String,
}

closed_words! {
    /// What explains several findings.
    CauseKind {
        /// Another version of a package.
        PackageVersion = "package-version",
        /// A package that the baseline lacks.
        PackageAdded = "package-added",
        /// A package that only the baseline has.
        PackageRemoved = "package-removed",
        /// A package of a language's own package system, installed for the whole system.
        LanguagePackage = "language-package",
        /// A folder that the baseline lacks, with all that is in it.
        TreeAdded = "tree-added",
        /// A folder that only the baseline has, with all that was in it.
        TreeRemoved = "tree-removed",
    }
}

/// What explains a set of findings of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What kind.
    pub kind: CauseKind,
    /// What it is about: `pkg:nginx:amd64`.
    pub subject: Vec<u8>,
    /// One line: `nginx 1.22.1-9 -> 1.22.1-10, 37 files, all as the vendor shipped them`.
    pub title: String,
    /// Of the gravest finding that it explains.
    pub severity: Severity,
    /// Of its own finding, that of the package.
    pub fingerprint: Digest,
    /// How many findings it explains, its own included.
    pub findings: usize,
    /// What the host's logs say of it; a host could forge it.
    pub evidence: Vec<String>,
}

impl Finding {
    /// The path, where the subject has one: of a file, of a mount point, or of the file that a record stands in.
    #[must_use]
    pub fn path(&self) -> Option<&[u8]> {
        let record = |subject: &'_ [u8]| subject.iter().position(|b| *b == b'#');
        let plain = self.subject.strip_prefix(b"fs:").or_else(|| self.subject.strip_prefix(b"mount:"));
        plain.or_else(|| {
            let rest = self.subject.strip_prefix(b"record:")?;
            rest.get(..record(rest)?)
        })
    }
}
