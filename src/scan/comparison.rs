//! What the hosts of one template are compared with: the selected version, the older ones, and the policy.
//!
//! *Invariant:* made once a run, before the first connection, so that everything that can be refused is refused then.

use crate::collect::Bounds;
use crate::drift::{Reference, Salted, Versions};
use crate::manifest::projected::same_key;
use crate::manifest::{Baseline, Label, ProjectedSet, Recapture};
use crate::policy::{Policy, witness};
use crate::protocol::{RuleSet, Salt, SecretKey};
use std::sync::Arc;
use thiserror::Error;

/// The comparison of a template.
#[derive(Debug)]
pub struct Comparison {
    /// The selected version first, then older ones, the newest of them first.
    pub references: Versions,
    /// The policy for the baseline's system.
    pub policy: Policy,
    /// Its compiled rules.
    pub rules: RuleSet,
    /// The key of keyed digests, where the policy has some.
    pub key: Option<SecretKey>,
    /// What an answer may cost.
    pub bounds: Bounds,
    /// Whether kernel and mounts are compared.
    pub live: bool,
    /// Older versions that this policy can't be compared with, and why.
    pub left_out: Vec<(Label, Recapture)>,
}

/// The selected version can't serve this policy.
#[derive(Debug, Error)]
#[error("baseline {label}: {reason}")]
pub struct NotComparable {
    /// The selected version.
    pub label: Label,
    /// Why not.
    pub reason: Recapture,
}

impl Comparison {
    /// Prepares the comparison with `selected`, and with the `older` versions, which a host may equal or be nearest to; `key` is that of
    /// the controller, where the policy needs one.
    ///
    /// # Errors
    /// [`NotComparable`], where the capture of the selected version left out what the policy compares.
    pub fn new(
        selected: &Baseline,
        older: &[Baseline],
        policy: Policy,
        live: bool,
        salt: &Salt,
        key: Option<&SecretKey>,
    ) -> Result<Self, NotComparable> {
        let rules = policy.compile();
        let live = live && selected.header.live;
        let project = |baseline: &Baseline| {
            same_key(&baseline.header, &rules, key)?;
            ProjectedSet::new(baseline, &rules, policy.scopes(), live, Some(policy.limits().file_bytes), &witness)
        };
        let reference = |baseline: &Baseline, set: ProjectedSet| Reference {
            label: baseline.header.label.clone(),
            serial: baseline.header.serial,
            identity: baseline.header.identity.clone(),
            image: baseline.header.image.clone(),
            set: Arc::new(Salted::new(set, salt)),
            texts: Arc::new(baseline.texts.sharing(&selected.texts)),
        };
        let label = &selected.header.label;
        let set = project(selected).map_err(|reason| NotComparable { label: label.clone(), reason })?;
        let is_inside = |record: &crate::protocol::Record| {
            record.view().path().is_some_and(|path| policy.scopes().iter().any(|scope| within(path, scope)))
        };
        // "Nothing to compare" must not read as "nothing differs".
        if !set.records.iter().any(is_inside) {
            let scopes: Vec<String> = policy.scopes().iter().map(|scope| crate::model::text::escape(scope)).collect();
            return Err(NotComparable { label: label.clone(), reason: Recapture::Nothing { scope: scopes.join(" ") } });
        }
        let mut references = vec![reference(selected, set)];
        let mut left_out = Vec::new();
        let mut older: Vec<&Baseline> =
            older.iter().filter(|baseline| baseline.header.serial < selected.header.serial).collect();
        older.sort_by_key(|baseline| std::cmp::Reverse(baseline.header.serial));
        for baseline in older {
            match project(baseline) {
                Ok(set) => references.push(reference(baseline, set)),
                Err(reason) => left_out.push((baseline.header.label.clone(), reason)),
            }
        }
        let references = Versions::new(references);
        let bounds = Bounds::of(&references);
        let key = key.filter(|_| rules.is_keyed()).cloned();
        Ok(Self { references, policy, rules, key, bounds, live, left_out })
    }
}

/// Whether a path is below a scope.
fn within(path: &[u8], scope: &[u8]) -> bool {
    scope == b"/" && path != b"/" || path.strip_prefix(scope).is_some_and(|rest| rest.first() == Some(&b'/'))
}
