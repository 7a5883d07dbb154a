//! What a difference is worth: first what the user's rules say, else the code's weight and the place of the path.
//!
//! *Invariant:* total; a severity depends on the finding and the policy alone, never on other findings or hosts.

use super::rule::RuleText;
use crate::model::{Change, Code, Severity};
use crate::protocol::rule::{Candidates, Facts};
use crate::protocol::{Attr, Kind, Mask, RecordRef, Rule, RuleSet, Value};

/// How a code weighs where the user's rules say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// The same everywhere.
    Fixed(Severity),
    /// What the profile says of the place, else this.
    Place(Severity),
    /// This, but where the profile calls the place high or critical, that.
    Attribute(Severity),
}

/// The weight of a code. Severity by path is in the profiles, as rules.
#[expect(clippy::match_same_arms, reason = "a table: one row for each kind of difference")]
fn weight(code: Code, before: Option<RecordRef<'_>>, after: Option<RecordRef<'_>>) -> Weight {
    use Severity::{High, Info, Low, Medium};
    match code {
        Code::FileAdded | Code::FileRemoved => Weight::Place(Low),
        Code::TypeChanged | Code::ContentChanged | Code::TargetChanged | Code::DeviceChanged => Weight::Place(Medium),
        Code::CapabilityChanged => Weight::Place(Medium),
        Code::ModeChanged if opened_to_all(before, after) => Weight::Attribute(High),
        Code::ModeChanged | Code::OwnerChanged | Code::AclChanged | Code::FlagsChanged => Weight::Attribute(Low),
        Code::XattrChanged | Code::SelinuxChanged | Code::LinkChanged => Weight::Fixed(Low),
        Code::PackageAdded | Code::PackageRemoved | Code::PackageVersion => Weight::Fixed(Medium),
        Code::PackageState => Weight::Fixed(Low),
        Code::FactChanged if is_of_modules(before, after) => Weight::Fixed(High),
        Code::FactChanged => Weight::Fixed(Medium),
        Code::MountChanged if unprotected(before, after) => Weight::Fixed(High),
        Code::MountAdded | Code::MountRemoved | Code::MountChanged => Weight::Fixed(Medium),
        Code::MountHides | Code::ClonedIdentity | Code::ImageMismatch => Weight::Fixed(High),
        // The meaning of a record weighs more than its file; what tells it gives its own severity.
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
        | Code::SettingChanged => Weight::Place(Medium),
        // Asked of hosts that differ anyway, so it must not decide: an equal host with the same traces is not asked.
        Code::ConfigurationManagement => Weight::Fixed(Info),
    }
}

/// Whether it is about code in the kernel that is none of the kernel's.
fn is_of_modules(before: Option<RecordRef<'_>>, after: Option<RecordRef<'_>>) -> bool {
    after.or(before).is_some_and(|record| record.subject() == b"fact:modules.foreign")
}

/// Whether everybody may write now who could not before; a sticky folder such as `/tmp` aside.
fn opened_to_all(before: Option<RecordRef<'_>>, after: Option<RecordRef<'_>>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let open = |record: RecordRef<'_>| {
        let mode = record.mode().unwrap_or(0);
        record.kind() != Some(Kind::Symlink) && mode & 0o002 != 0 && mode & 0o1000 == 0
    };
    open(after) && !open(before)
}

/// Whether a mount lost one of the protections that programs of strangers meet.
fn unprotected(before: Option<RecordRef<'_>>, after: Option<RecordRef<'_>>) -> bool {
    let holds = |record: Option<RecordRef<'_>>, protection: &[u8]| match record.and_then(|r| r.attr(Attr::MountOptions))
    {
        Some(Value::Present(text)) => text.split(|b| !b.is_ascii_alphanumeric()).any(|word| word == protection),
        Some(Value::Oversize | Value::Unread(_)) | None => false,
    };
    [&b"nosuid"[..], b"nodev", b"noexec"]
        .iter()
        .any(|protection| holds(before, protection) && !holds(after, protection))
}

/// Rules that give a severity, in the shape on which the shared matcher decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ByPath {
    set: RuleSet,
    all: Candidates,
    severities: Vec<Severity>,
}

impl ByPath {
    /// Takes those of the rules that give a severity.
    pub(super) fn new<'a>(rules: impl IntoIterator<Item = &'a RuleText>) -> Self {
        let weighed = rules.into_iter().filter_map(|rule| Some((rule, rule.severity?)));
        let (set, severities): (Vec<Rule>, Vec<Severity>) = weighed
            .map(|(rule, severity)| {
                // The matcher takes two rules with one mask for one outcome, so each severity has its own.
                let mask = Mask(2 << severity as u32);
                (Rule { pattern: rule.pattern.clone(), when: rule.when, mask, view: None }, severity)
            })
            .unzip();
        let set = RuleSet::new(set).expect("valid::rules holds a policy to fewer rules");
        Self { all: set.all(), set, severities }
    }

    /// What the last rule that matches says.
    fn say(&self, path: &[u8], facts: Facts, capable: bool) -> Option<Severity> {
        let (number, _) = self.set.decide(&self.all, path, facts, &mut || capable);
        self.severities.get(usize::from(number)).copied()
    }
}

/// The severity of a finding: the user's word, else the code's weight with the profile's.
///
/// Conditions of rules are judged by the host's side, and for what was removed by its type alone: what is gone can't be
/// run any more.
pub(super) fn of_finding(
    (shipped, own): (&ByPath, &ByPath),
    (code, change, subject): (Code, Change, &[u8]),
    before: Option<RecordRef<'_>>,
    after: Option<RecordRef<'_>>,
) -> Severity {
    let subject = Subject::of(change, subject, before, after);
    if let Some(severity) = subject.said_by(own) {
        return severity;
    }
    let place = subject.place_in(shipped);
    match weight(code, before, after) {
        Weight::Fixed(severity) => severity,
        Weight::Place(severity) => place.unwrap_or(severity),
        Weight::Attribute(severity) => place.filter(|place| *place >= Severity::High).unwrap_or(severity),
    }
}

/// What the user's rules alone say of a subject.
pub(super) fn of_user(
    own: &ByPath,
    (change, subject): (Change, &[u8]),
    before: Option<RecordRef<'_>>,
    after: Option<RecordRef<'_>>,
) -> Option<Severity> {
    Subject::of(change, subject, before, after).said_by(own)
}

/// What of a finding rules are asked about.
struct Subject<'a> {
    file: Option<(&'a [u8], Facts)>,
    mount: Option<(&'a [u8], Facts)>,
    capable: bool,
}

impl<'a> Subject<'a> {
    fn of(change: Change, subject: &'a [u8], before: Option<RecordRef<'_>>, after: Option<RecordRef<'_>>) -> Self {
        let (side, kept) = match change {
            Change::Added | Change::Changed => (after, 0o7777),
            Change::Removed => (before, 0),
        };
        let mode = side.and_then(RecordRef::mode).unwrap_or(0) & kept;
        let file = subject.strip_prefix(b"fs:").map(|path| {
            let kind = side.and_then(RecordRef::kind).unwrap_or(Kind::File);
            (path, Facts { kind, mode })
        });
        let mount = subject.strip_prefix(b"mount:").map(|path| (path, Facts { kind: Kind::Directory, mode: 0 }));
        let capable = side.is_some_and(|record| record.attr(Attr::Capability).is_some());
        Self { file, mount, capable }
    }

    /// What the user's rules say; they may weigh a mount as well.
    fn said_by(&self, own: &ByPath) -> Option<Severity> {
        let (path, facts) = self.file.or(self.mount)?;
        own.say(path, facts, self.capable)
    }

    /// What a profile says of the place.
    fn place_in(&self, shipped: &ByPath) -> Option<Severity> {
        let (path, facts) = self.file?;
        shipped.say(path, facts, self.capable)
    }
}

#[cfg(test)]
mod tests;
