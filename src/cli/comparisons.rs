//! Which baseline each host is compared with.
//!
//! *Invariant:* the host's own `template=`, else `--baseline`, else the group of that name, else the only template there
//! is, which is said; anything else is an error, and all of them are told at once.

use super::policy;
use super::secret_key;
use super::trouble::{Outcome, Trouble};
use crate::inventory::host::{Host, TemplateRef};
use crate::manifest::Baseline;
use crate::policy::{PolicyFile, RuleText, idle};
use crate::protocol::Salt;
use crate::scan::Comparison;
use crate::store::{Baselines, BaselinesError};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What was decided for the fleet.
pub(super) struct Comparisons {
    /// One a host, in the order of the hosts.
    pub(super) of_host: Vec<Arc<Comparison>>,
    /// `NAME@VERSION`, digest of the stored bytes, why it was chosen where nobody named it; ascending.
    pub(super) used: Vec<(String, String, Option<String>)>,
    /// Things to say once.
    pub(super) notes: Vec<String>,
    /// Rules of the user that match nothing in any baseline of the run.
    pub(super) idle: Vec<RuleText>,
    /// Stable bytes of every policy in force.
    pub(super) policies: Vec<u8>,
}

/// Chooses and prepares.
pub(super) fn prepare(
    hosts: &[Host],
    wanted: Option<&TemplateRef>,
    store: &Baselines,
    file: &PolicyFile,
    salt: &Salt,
    secret: Option<&Path>,
) -> Outcome<Comparisons> {
    let templates = store.templates().map_err(|error| stored(&error))?;
    let mut problems: Vec<String> = Vec::new();
    let mut chosen: Vec<Option<(TemplateRef, Option<String>)>> = Vec::new();
    for host in hosts {
        match choose(host, wanted, &templates) {
            Ok(choice) => chosen.push(Some(choice)),
            Err(problem) => {
                chosen.push(None);
                problems.push(problem);
            }
        }
    }
    problems.dedup();
    if !problems.is_empty() {
        return Err(Trouble::with(problems.join("\ndriftscan: "), hint(&templates)));
    }
    let mut key = None;
    let mut loaded: BTreeMap<String, Vec<Baseline>> = BTreeMap::new();
    let mut made: BTreeMap<(TemplateRef, bool), Arc<Comparison>> = BTreeMap::new();
    let mut result = Comparisons {
        of_host: Vec::new(),
        used: Vec::new(),
        notes: Vec::new(),
        idle: Vec::new(),
        policies: Vec::new(),
    };
    for (host, choice) in hosts.iter().zip(chosen) {
        let Some((template, note)) = choice else { continue };
        let live = host.root.is_none();
        let which = (template.clone(), live);
        if let Some(comparison) = made.get(&which) {
            result.of_host.push(Arc::clone(comparison));
            continue;
        }
        if !loaded.contains_key(&template.name) {
            let versions = store.load_all(&template.name).map_err(|error| stored(&error))?;
            loaded.insert(template.name.clone(), versions);
        }
        let versions = loaded.get(&template.name).map_or(&[][..], Vec::as_slice);
        let Some(selected) =
            versions.iter().find(|b| template.version.as_ref().is_none_or(|v| *v == b.header.label.version))
        else {
            let have: Vec<&str> = versions.iter().map(|b| b.header.label.version.as_str()).collect();
            return Err(Trouble::with(
                format!("{}: template {} has no version {template}", host.place, template.name),
                format!("versions: {}", have.join(", ")),
            ));
        };
        let policy = policy::of_baseline(file, selected);
        let canonical = policy.canonical();
        let records = selected.records.iter().map(crate::protocol::Record::view);
        let unmatched = idle(policy.own(), records, &selected.header.rules);
        if made.is_empty() {
            result.idle = unmatched.into_iter().cloned().collect();
        } else {
            result.idle.retain(|rule| unmatched.contains(&rule));
        }
        if policy.is_keyed() && key.is_none() {
            key = Some(secret_key::read(secret)?);
        }
        let comparison = Comparison::new(selected, versions, policy, live, salt, key.as_ref()).map_err(|error| {
            let again = format!("driftscan baseline capture {}@NEW --from GOLDEN", template.name);
            Trouble::with(&error, again)
        })?;
        let label = selected.header.label.to_string();
        for (older, why) in &comparison.left_out {
            result.notes.push(format!("{older} can't tell whether a host is outdated: {why}"));
        }
        if !live && selected.header.live || live && !selected.header.live {
            result.notes.push(format!(
                "{label}: kernel and mounts are not compared where one side is a folder and not a running system"
            ));
        }
        if !result.used.iter().any(|(used, ..)| *used == label) {
            result.used.push((label, selected.digest.clone(), note));
            result.policies.extend(canonical);
        }
        let comparison = Arc::new(comparison);
        made.insert(which, Arc::clone(&comparison));
        result.of_host.push(comparison);
    }
    result.used.sort();
    result.notes.sort();
    result.notes.dedup();
    Ok(result)
}

fn choose(
    host: &Host,
    wanted: Option<&TemplateRef>,
    templates: &[String],
) -> Result<(TemplateRef, Option<String>), String> {
    let named = |name: &str| TemplateRef { name: name.to_owned(), version: None };
    let known = |template: TemplateRef, note| {
        if templates.contains(&template.name) {
            Ok((template, note))
        } else {
            Err(format!("{}: host {}: no baseline of template {:?}", host.place, host.name, template.name))
        }
    };
    if let Some(template) = host.template.as_ref().or(wanted) {
        return known(template.clone(), None);
    }
    if templates.contains(&host.group) {
        return known(named(&host.group), Some(format!("the group's name is {}", host.group)));
    }
    match templates {
        [] => Err("there is no baseline yet".to_owned()),
        [only] => known(named(only), Some("it is the only template there is".to_owned())),
        _ => Err(format!("{}: host {} names no template, and there are several", host.place, host.name)),
    }
}

fn hint(templates: &[String]) -> String {
    if templates.is_empty() {
        "driftscan baseline capture web@2026.11.1 --from golden.example.net --sudo".to_owned()
    } else {
        format!("templates: {}; write template=NAME in the hosts file, or --baseline NAME", templates.join(", "))
    }
}

/// An error of the store with its hint.
pub(super) fn stored(error: &BaselinesError) -> Trouble {
    Trouble::with(error, error.hint())
}
