//! A policy file, read and checked, before the baseline's system is known.
//!
//! *Invariant:* exists only without mistakes.

use super::effective::{Policy, Settings};
use super::mistake::{Collected, Mistakes};
use super::profile::Profile;
use super::reach;
use super::rule::{Origin, RuleText, Treatment};
use super::v1::{Dialect, Document};
use super::valid::{self, Extend};
use crate::model::{CommonAt, Severity};
use crate::protocol::rule::Facts;
use crate::protocol::{Kind, Mask};

/// What the user wrote, or what holds where nobody wrote anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    name: String,
    extends: Vec<Extend>,
    settings: Settings,
    rules: Vec<RuleText>,
}

impl Default for PolicyFile {
    /// The policy where there is no file: the profile of the baseline's system, everything else by default.
    fn default() -> Self {
        Self { name: String::new(), extends: vec![Extend::Auto], settings: Settings::default(), rules: Vec::new() }
    }
}

impl PolicyFile {
    /// Reads the text of a `policy.toml`; `name` is the file as messages call it.
    ///
    /// # Errors
    /// Every mistake of the file at once, each with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, Mistakes> {
        let mut mistakes = Collected::default();
        let raw = Document::read(name, text, Dialect::Policy, &mut mistakes)?;
        let defaults = Settings::default();
        let extends = valid::extends(raw.extends.as_ref(), &mut mistakes);
        let drift_at = raw.drift_at.as_ref().and_then(|word| valid::severity(word, &mut mistakes));
        let mut settings = Settings {
            show: valid::patterns(&raw.show, &mut mistakes),
            secret: Vec::new(),
            drift_at: drift_at.unwrap_or(defaults.drift_at),
            common: CommonAt {
                permille: raw.common.permille.unwrap_or(defaults.common.permille),
                hosts: raw
                    .common
                    .hosts
                    .map_or(defaults.common.hosts, |hosts| u32::try_from(hosts.into_inner()).unwrap_or(u32::MAX)),
            },
            scopes: reach::roots(raw.roots.as_ref(), &mut mistakes),
            limits: reach::limits(&raw.limits, &mut mistakes),
            unseen: valid::unseen(&raw.excuse_unseen, &mut mistakes),
            excused: raw.excuse_unreadable.iter().filter_map(|word| valid::pattern(word, &mut mistakes)).collect(),
        };
        let mut rules = valid::rules(&raw.rules, Origin::User, &mut mistakes);
        // Last, so that no rule shows a secret.
        let secrets = valid::secrets(&raw.secret, text, &mut mistakes);
        settings.secret = secrets.iter().map(|rule| rule.pattern.clone()).collect();
        rules.extend(secrets);
        let read = Self { name: name.to_owned(), extends, settings, rules };
        if mistakes.is_empty()
            && let Some(root) = read.compares_nothing_of()
        {
            let root = crate::model::text::escape(&root);
            mistakes.note(
                raw.roots.as_ref().or(raw.extends.as_ref()).map_or(0..0, toml::Spanned::span),
                format!("this policy compares nothing below `{root}`, and every host would be clean"),
                "leave `extends` and `roots` out, or end with a rule that compares what you mean",
            );
        }
        if mistakes.is_empty() { Ok(read) } else { Err(mistakes.place(name, text)) }
    }

    /// A root of the scope below which the rules leave out everything.
    fn compares_nothing_of(&self) -> Option<Vec<u8>> {
        let compares = |rule: &RuleText| rule.treatment.is_some_and(|treatment| treatment != Treatment::Ignore);
        if self.extends.is_empty() && !self.rules.iter().any(compares) {
            return self.settings.scopes.first().cloned();
        }
        // No profile leaves out whole what another one compares, so any system's will do.
        let rules = self.for_system("debian", &[]).compile();
        let itself = Facts { kind: Kind::Directory, mode: 0o755 };
        let left_out = |root: &&Vec<u8>| match rules.prunes(&rules.narrow(&rules.all(), root)) {
            None => false,
            // No rule reaches below; a root may be a file that a rule names.
            Some(u16::MAX) => rules.decide(&rules.all(), root, itself, &mut || false).1 == Mask::NONE,
            Some(_) => true,
        };
        self.settings.scopes.iter().find(left_out).cloned()
    }

    /// The file as messages call it; empty where there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The lowest severity that makes a host drifted.
    #[must_use]
    pub fn drift_at(&self) -> Severity {
        self.settings.drift_at
    }

    /// From when on drift is common.
    #[must_use]
    pub fn common(&self) -> CommonAt {
        self.settings.common
    }

    /// The policy that holds for hosts of a template, by the os-release of its *baseline*: `ID`, and the words of
    /// `ID_LIKE`. A host has no say in it, so that none can choose its own rules.
    #[must_use]
    pub fn for_system(&self, os_id: &str, id_like: &[&str]) -> Policy {
        self.for_baseline(os_id, id_like, Vec::new())
    }

    /// As [`PolicyFile::for_system`], with the rules that the baseline learned from siblings. They come before the guards
    /// and before the user's own, so that they hide nothing from either.
    #[must_use]
    pub fn for_baseline(&self, os_id: &str, id_like: &[&str], noise: Vec<RuleText>) -> Policy {
        let mut profiles: Vec<Profile> = Vec::new();
        for extend in &self.extends {
            let named = match extend {
                Extend::Auto => Profile::of_system(os_id, id_like),
                Extend::Named(profile) => *profile,
            };
            for profile in named.with_its_base() {
                if !profiles.contains(profile) {
                    profiles.push(*profile);
                }
            }
        }
        Policy::new(self.settings.clone(), profiles, noise, &self.rules)
    }
}

#[cfg(test)]
mod tests;
