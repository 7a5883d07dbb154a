//! Why a path is compared as it is: every rule that matches, and which of them decides what.
//!
//! *Invariant:* decides nothing itself: what it tells is what the compiled rules say of the same path.

use super::effective::Policy;
use super::rule::{Origin, RuleText, Treatment};
use crate::model::Severity;
use crate::protocol::rule::Facts;
use crate::protocol::{Kind, Mask, RecordRef, RuleSet, View};

/// What the rules make of one path.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The rules that match, in the order of the policy.
    pub matching: Vec<&'a RuleText>,
    /// The one that decides how it is compared; none where no rule names it, and nothing of it is compared.
    pub decides: Option<&'a RuleText>,
    /// The one that decides what a difference there is worth; none where the kind of difference alone does.
    pub weighs: Option<&'a RuleText>,
    /// The rule that leaves out a folder above it whole, so that it is never even seen.
    pub pruned: Option<&'a RuleText>,
    /// Whether its text may leave a host, masked.
    pub shown: bool,
    /// Whether its content is compared by a keyed digest.
    pub secret: bool,
}

impl Policy {
    /// Explains a path, for an entry of this kind and mode; `capable` where it has file capabilities.
    #[must_use]
    pub fn explain(&self, path: &[u8], facts: Facts, capable: bool) -> Explanation<'_> {
        let matching: Vec<&RuleText> = self.rules().iter().filter(|rule| matches(rule, path, facts, capable)).collect();
        let rules = self.compile();
        let (number, _) = rules.decide(&rules.all(), path, facts, &mut || capable);
        Explanation {
            decides: self.rule_of(number),
            // The user's rules are the last, and weigh more than those of profiles.
            weighs: matching.iter().copied().rfind(|rule| rule.severity.is_some()),
            pruned: self.pruned(&rules, path),
            shown: self.shows(path),
            secret: self.is_secret(path),
            matching,
        }
    }

    /// The rule that leaves out a folder above the path whole.
    fn pruned(&self, rules: &RuleSet, path: &[u8]) -> Option<&RuleText> {
        let folders = path.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0).map(|(at, _)| &path[..at]);
        folders.filter_map(|dir| rules.prunes(&rules.narrow(&rules.all(), dir))).find_map(|number| self.rule_of(number))
    }

    /// The user's own rules, in order; those that `[content] secret` makes are among them.
    pub fn own(&self) -> impl Iterator<Item = &RuleText> {
        self.rules().iter().filter(|rule| rule.origin == Origin::User)
    }
}

/// Whether a rule matches, whatever later ones say.
fn matches(rule: &RuleText, path: &[u8], facts: Facts, capable: bool) -> bool {
    rule.pattern.matches(path) && rule.when.holds(facts, &mut || capable)
}

/// Those of the rules that match no record of a baseline.
///
/// A rule whose paths the capture left out by its own rules is not among them: nobody knows what it would match.
#[must_use]
pub fn idle<'r, 'b>(
    rules: impl IntoIterator<Item = &'r RuleText>,
    records: impl IntoIterator<Item = RecordRef<'b>>,
    captured: &RuleSet,
) -> Vec<&'r RuleText> {
    let all = captured.all();
    let left_out = |rule: &RuleText| {
        let kinds = Kind::ALL.into_iter().filter(|kind| rule.when.kinds == 0 || rule.when.kinds & kind.bit() != 0);
        let sample = super::witness(&rule.pattern);
        kinds
            .map(|kind| captured.decide(&all, &sample, Facts { kind, mode: 0o644 }, &mut || false).1)
            .any(|mask| mask == Mask::NONE)
    };
    let mut idle: Vec<&RuleText> = rules.into_iter().filter(|rule| !left_out(rule)).collect();
    for record in records {
        if idle.is_empty() {
            break;
        }
        let mount = record.subject().strip_prefix(b"mount:");
        let Some(path) = record.path().or(mount) else { continue };
        let kind = if mount.is_some() { Some(Kind::Directory) } else { record.kind() };
        let Some(kind) = kind else { continue };
        let facts = Facts { kind, mode: record.mode().unwrap_or(0) };
        let capable = record.attr(crate::protocol::Attr::Capability).is_some();
        idle.retain(|rule| !matches(rule, path, facts, capable));
    }
    idle
}

impl RuleText {
    /// Its treatment with its view: `semantic (cron)`; `-` where it only weighs.
    #[must_use]
    pub fn treats(&self) -> String {
        match (self.treatment, self.view) {
            (None, _) => "-".to_owned(),
            (Some(treatment), None) => treatment.word().to_owned(),
            (Some(treatment), Some(view)) => format!("{} ({})", treatment.word(), view.word()),
        }
    }

    /// What is compared of what it decides, in words.
    #[must_use]
    pub fn compares(&self) -> String {
        const METADATA: &str = "type, mode, owner, group, link target, device, extended attributes and flags";
        match (self.treatment, self.view) {
            (Some(Treatment::Strict), _) => format!("everything: {METADATA}; of a file its size and content"),
            (Some(Treatment::Semantic | Treatment::HostValue), Some(View::Keyed)) => {
                format!("{METADATA}; of a file whether its content is the same, by a keyed digest")
            }
            (Some(Treatment::HostValue), Some(view)) => format!(
                "{METADATA}; of a file what the view `{}` reads of it, with this host's own facts put back; its bytes, \
                 where it does not parse",
                view.word()
            ),
            (Some(Treatment::Semantic), Some(view)) => format!(
                "{METADATA}; of a file what the view `{}` reads of it; its bytes, where it does not parse",
                view.word()
            ),
            (Some(Treatment::Derived), _) => {
                format!("{METADATA}; not size and content, which follow from what is compared elsewhere")
            }
            (Some(Treatment::Metadata | Treatment::Semantic | Treatment::HostValue), _) => {
                format!("{METADATA}; not size and content")
            }
            (Some(Treatment::Presence), _) => "that it is there, and its type".to_owned(),
            (Some(Treatment::Ignore) | None, _) => "nothing".to_owned(),
        }
    }

    /// The conditions beside its path, in the words of a policy; empty where there are none.
    #[must_use]
    pub fn conditions(&self) -> String {
        let kinds: Vec<&str> = super::valid::KINDS
            .into_iter()
            .filter(|(_, kind)| self.when.kinds & kind.bit() != 0)
            .map(|(word, _)| word)
            .collect();
        let whens = super::valid::CONDITIONS.into_iter().filter(|(_, bit)| self.when.conditions & bit != 0);
        let kinds = (!kinds.is_empty()).then(|| format!("kind {}", kinds.join("|")));
        kinds.into_iter().chain(whens.map(|(word, _)| format!("when {word}"))).collect::<Vec<_>>().join(", ")
    }

    /// Where it is written: `policy.toml:12`, or the line of a profile.
    #[must_use]
    pub fn place(&self, file: &str) -> String {
        match self.origin {
            Origin::User => format!("{}:{}", crate::model::text::escape(file.as_bytes()), self.line),
            Origin::Noise => "the baseline's noise profile".to_owned(),
            Origin::Profile(profile) => format!("profile {}, line {}", profile.name(), self.line),
        }
    }

    /// The severity's word; `-` where it gives none.
    #[must_use]
    pub fn weight(&self) -> &'static str {
        self.severity.map_or("-", Severity::word)
    }
}

#[cfg(test)]
mod tests;
