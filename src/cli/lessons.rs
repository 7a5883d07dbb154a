//! What calibration learned and what it did not, told to a person.
//!
//! *Invariant:* what a person has to decide is told whatever `--quiet` says.

use super::trouble::warn;
use crate::drift::calibration::{Lessons, Undecided};
use crate::manifest::{Label, NoiseRule};
use crate::model::text::escape;
use crate::protocol::Kind;

/// Says what was learned, and what was not.
pub(super) fn tell(label: &Label, lessons: &Lessons, siblings: usize, quiet: bool) {
    for note in &lessons.notes {
        warn(note);
    }
    if !lessons.undecided.is_empty() {
        decide(&lessons.undecided);
    }
    if quiet {
        return;
    }
    if lessons.rules.is_empty() {
        out!("nothing to learn from {siblings} sibling{}", if siblings == 1 { "" } else { "s" });
    } else {
        out!(
            "{} rules learned from {siblings} sibling{}: driftscan baseline show {label} --noise",
            lessons.rules.len(),
            if siblings == 1 { "" } else { "s" }
        );
    }
}

/// Lists what a person has to decide, with the rule for it.
fn decide(undecided: &[Undecided]) {
    const SHOWN: usize = 50;
    let count = undecided.len();
    err!(
        "driftscan: {count} difference{} among the siblings {} for you to decide; nothing was learned of {}, so hosts with \
         {} drift:",
        if count == 1 { "" } else { "s" },
        if count == 1 { "is" } else { "are" },
        if count == 1 { "it" } else { "them" },
        if count == 1 { "it" } else { "them" },
    );
    for one in undecided.iter().take(SHOWN) {
        let name = one.subject.strip_prefix(b"fs:").unwrap_or(&one.subject);
        err!("  {}", escape(name));
        let hosts: Vec<String> = one.hosts.iter().map(|host| escape(host.as_bytes())).collect();
        err!("      {} (on {}): {}", one.what, hosts.join(", "), one.why);
    }
    if count > SHOWN {
        err!("  and {} more", count - SHOWN);
    }
    let suggested = undecided.iter().take(SHOWN).find_map(|one| Some((one.treatment?, &one.subject)));
    let Some((treatment, subject)) = suggested else {
        err!("  help: build the machines again from the template, and find out what made them differ");
        return;
    };
    let path = escape(subject.strip_prefix(b"fs:").unwrap_or(subject));
    err!("  help: find out what made them differ, or write a rule of your own into the policy, {path} for example:");
    err!("      [[rule]]\n      path = {path:?}\n      treatment = \"{}\"\n      reason = \"...\"", treatment.word());
}

/// Prints the learned rules for a review.
pub(super) fn show(rules: &[NoiseRule]) {
    const SHOWN: usize = 8;
    for rule in rules {
        let kinds: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| rule.kinds & kind.bit() != 0)
            .map(crate::manifest::v1::kind_word)
            .collect();
        let only = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let view = rule.view.map(|view| format!(" by {}", view.word())).unwrap_or_default();
        out!("\n  {}{only}", escape(rule.pattern.text()));
        out!("      {}{view}  {}: {}", rule.treatment.word(), rule.class.word(), escape(rule.reason.as_bytes()));
        for lesson in rule.learned.iter().take(SHOWN) {
            let hosts: Vec<String> = lesson.hosts.iter().map(|host| escape(host.as_bytes())).collect();
            out!("      learned from {} on {}", escape(&lesson.path), hosts.join(", "));
        }
        let more = rule.learned.len().saturating_sub(SHOWN) as u64 + rule.more;
        if more > 0 {
            out!("      and from {more} more");
        }
    }
}
