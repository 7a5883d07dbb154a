//! The policy that holds for the hosts of one template.
//!
//! *Invariant:* one order of rules decides what is compared, here and on the host: the profiles', what the baseline
//! learned from siblings, the guards, the user's.

use super::profile::Profile;
use super::rule::RuleText;
use super::severity::{self, ByPath};
use super::unseen::UNSEEN;
use crate::model::{Change, Code, CommonAt, Severity};
use crate::protocol::bytes::{put_string, put_varint};
use crate::protocol::request::Limits;
use crate::protocol::rule::Facts;
use crate::protocol::{Attr, Kind, Mask, Pattern, RecordRef, Rule, RuleSet, View, When};

/// What holds beside the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) drift_at: Severity,
    pub(super) common: CommonAt,
    pub(super) scopes: Vec<Vec<u8>>,
    pub(super) limits: Limits,
    pub(super) excused: Vec<Pattern>,
    pub(super) unseen: Mask,
    /// Paths whose text may leave a host, masked.
    pub(super) show: Vec<Pattern>,
    /// Paths whose content is compared by a keyed digest.
    pub(super) secret: Vec<Pattern>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            drift_at: Severity::Low,
            common: CommonAt::default(),
            scopes: vec![b"/".to_vec()],
            limits: Limits::default(),
            excused: Vec::new(),
            unseen: Mask::NONE,
            show: Vec::new(),
            secret: Vec::new(),
        }
    }
}

/// What is compared on the hosts of one template, and what a difference is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    settings: Settings,
    profiles: Vec<Profile>,
    rules: Vec<RuleText>,
    compiled: RuleSet,
    /// For each compiled rule the index in `rules`.
    texts: Vec<usize>,
    shipped: ByPath,
    own: ByPath,
}

/// Whether a rule is about every path.
fn is_base(rule: &RuleText) -> bool {
    rule.pattern.text() == b"/**" && rule.when == When::default()
}

impl Policy {
    pub(super) fn new(mut settings: Settings, profiles: Vec<Profile>, noise: Vec<RuleText>, own: &[RuleText]) -> Self {
        let listed = profiles.iter().flat_map(|profile| profile.rules().show.iter().cloned());
        settings.show = listed.chain(std::mem::take(&mut settings.show)).collect();
        let shipped = profiles.iter().flat_map(|profile| &profile.rules().rules);
        let guards = profiles.iter().flat_map(|profile| &profile.rules().guards);
        let by_path = (ByPath::new(shipped.clone().chain(guards.clone())), ByPath::new(own));
        // Without a profile, what the user's rules begin with about everything stands in its place: after what was
        // learned, it would undo all of it.
        let base = if profiles.is_empty() { own.iter().take_while(|rule| is_base(rule)).count() } else { 0 };
        let (base, own) = own.split_at(base);
        let mut rules: Vec<RuleText> = shipped.chain(base).cloned().collect();
        rules.extend(noise);
        rules.extend(guards.cloned());
        rules.extend_from_slice(own);
        let treated = rules.iter().enumerate().filter_map(|(index, rule)| {
            let mask = rule.treatment?.mask();
            Some((index, Rule { pattern: rule.pattern.clone(), when: rule.when, mask, view: rule.view }))
        });
        let (texts, compiled): (Vec<usize>, Vec<Rule>) = treated.unzip();
        let compiled = RuleSet::new(compiled).expect("valid::RULES and NoiseRule::MOST hold a policy to fewer rules");
        Self { settings, profiles, rules, compiled, texts, shipped: by_path.0, own: by_path.1 }
    }

    /// The rules as host and controller apply them: those with a treatment, in order.
    #[must_use]
    pub fn compile(&self) -> RuleSet {
        self.compiled.clone()
    }

    /// The text of a compiled rule, by the number that [`RuleSet::ruling`] and the coverage give; `None` for
    /// `u16::MAX`, where no rule matched.
    #[must_use]
    pub fn rule_of(&self, number: u16) -> Option<&RuleText> {
        self.rules.get(*self.texts.get(usize::from(number))?)
    }

    /// Every rule, in order, those that only give a severity included.
    #[must_use]
    pub fn rules(&self) -> &[RuleText] {
        &self.rules
    }

    /// The profiles that it stands on, the more general first.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// What a difference is worth; `before` is the baseline's record, `after` the host's.
    ///
    /// The user's last rule with a severity that matches the path decides. Where none does, the code and the shipped
    /// profiles do.
    #[must_use]
    pub fn severity(
        &self,
        code: Code,
        change: Change,
        subject: &[u8],
        before: Option<RecordRef<'_>>,
        after: Option<RecordRef<'_>>,
    ) -> Severity {
        severity::of_finding((&self.shipped, &self.own), (code, change, subject), before, after)
    }

    /// What the user's own rules say a difference is worth; none where they are silent. Whoever tells a finding in a
    /// sentence of its own may give it a severity of its own, but never against this word.
    ///
    /// Without records the subject is taken for a plain file.
    #[must_use]
    pub fn users_severity(
        &self,
        change: Change,
        subject: &[u8],
        before: Option<RecordRef<'_>>,
        after: Option<RecordRef<'_>>,
    ) -> Option<Severity> {
        severity::of_user(&self.own, (change, subject), before, after)
    }

    /// Whether a path that could not be read is excused by name: it matches a pattern of `excuse_unreadable`, or
    /// everything below it does, which excuses a folder that could not be listed.
    #[must_use]
    pub fn excuses(&self, path: &[u8]) -> bool {
        // Anything else than a path names a source, the package database say, and no pattern may excuse that.
        path.starts_with(b"/")
            && self.settings.excused.iter().any(|pattern| pattern.matches(path) || pattern.covers_below(path))
    }

    /// Whether an attribute that a way of collecting can't see is excused by name in `excuse_unseen`.
    #[must_use]
    pub fn excuses_unseen(&self, word: &[u8]) -> bool {
        UNSEEN.iter().any(|(name, attr)| name.as_bytes() == word && self.settings.unseen.has(*attr))
    }

    /// How a record's content is read before it is compared; none where its bytes are, or nothing of them is.
    #[must_use]
    pub fn view_of(&self, record: RecordRef<'_>) -> Option<View> {
        let (number, mask) = self.compiled.ruling(record);
        let file = record.kind() == Some(Kind::File);
        self.compiled.view_of(number).filter(|_| file && mask.has(Attr::View))
    }

    /// Whether a file's text may leave its host, masked, for a diff. A path that is compared as a secret never may.
    #[must_use]
    pub fn shows(&self, path: &[u8]) -> bool {
        self.settings.show.iter().any(|pattern| pattern.matches(path)) && !self.is_secret(path)
    }

    /// Whether a file's content is compared as a secret, by a keyed digest alone.
    #[must_use]
    pub fn is_secret(&self, path: &[u8]) -> bool {
        let facts = Facts { kind: Kind::File, mode: 0o600 };
        let (number, _) = self.compiled.decide(&self.compiled.all(), path, facts, &mut || false);
        self.compiled.view_of(number) == Some(View::Keyed)
            || self.settings.secret.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether something is compared by a keyed digest, so that a key is needed.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.compiled.is_keyed()
    }

    /// The lowest severity that makes a host drifted.
    #[must_use]
    pub fn drift_at(&self) -> Severity {
        self.settings.drift_at
    }

    /// The roots of the scan, in byte order, none inside another.
    #[must_use]
    pub fn scopes(&self) -> &[Vec<u8>] {
        &self.settings.scopes
    }

    /// The bounds of a scan on one host.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// Stable bytes of everything that decides a result, for the policy's digest; reasons and profile names don't.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = b"driftscan.policy.3\0".to_vec();
        let Settings { drift_at, common, scopes, limits, excused, unseen, show, secret } = &self.settings;
        put_string(&mut out, drift_at.word().as_bytes());
        put_varint(&mut out, scopes.len() as u64);
        for scope in scopes {
            put_string(&mut out, scope);
        }
        let Limits { entries, bytes, guard_entries, guard_bytes, guard_records: _, file_bytes, depth, seconds } =
            *limits;
        for limit in [entries, bytes, guard_entries, guard_bytes, file_bytes, u64::from(depth), u64::from(seconds)] {
            put_varint(&mut out, limit);
        }
        put_varint(&mut out, excused.len() as u64);
        for pattern in excused {
            put_string(&mut out, pattern.text());
        }
        put_varint(&mut out, self.rules.len() as u64);
        for rule in &self.rules {
            put_string(&mut out, rule.pattern.text());
            out.extend([rule.when.kinds, rule.when.conditions]);
            put_string(&mut out, rule.treatment.map_or("", |treatment| treatment.word()).as_bytes());
            put_string(&mut out, rule.view.map_or("", View::word).as_bytes());
            put_string(&mut out, rule.severity.map_or("", Severity::word).as_bytes());
            // The user's severities outrank the shipped ones, so who wrote a rule counts.
            out.push(u8::from(rule.origin == super::Origin::User));
        }
        put_varint(&mut out, u64::from(common.permille));
        put_varint(&mut out, u64::from(common.hosts));
        put_varint(&mut out, u64::from(unseen.0));
        for patterns in [show, secret] {
            put_varint(&mut out, patterns.len() as u64);
            for pattern in patterns {
                put_string(&mut out, pattern.text());
            }
        }
        out
    }
}
