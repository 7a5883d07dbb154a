//! From places that were explained to rules: one a path, and a wildcard only where names vary and nothing steady is hit.
//!
//! *Invariant:* a wildcard matches no path of the golden machine that was the same everywhere, none that is shown for a
//! decision, and none that the capture left out.

use super::Sibling;
use super::spots::{Lesson, Spot};
use crate::manifest::{self, NoiseClass, NoiseRule, overlap};
use crate::policy::{Policy, Treatment};
use crate::protocol::{Kind, Mask, Pattern, Record};
use std::collections::{BTreeMap, BTreeSet};

/// Names of one folder that come and go before they are told by `*`.
const VARYING: usize = 3;
/// Files of one folder and class that all differ before they are told by `*` and their ending.
const MANY: usize = 8;

/// One path, or one folder with all that is in it.
struct Unit {
    path: Vec<u8>,
    kind: Option<Kind>,
    whole: bool,
    lesson: Lesson,
    learned: Vec<manifest::Lesson>,
}

/// What was learned by subject: with the type, where it is one, and the siblings.
type Places = BTreeMap<Vec<u8>, (Lesson, Option<Kind>, Vec<String>)>;

/// What a wildcard must not hit.
struct Steady<'a> {
    golden: &'a [Record],
    differing: BTreeSet<Vec<u8>>,
    shown: &'a BTreeSet<Vec<u8>>,
    left_out: Vec<Pattern>,
}

impl Steady<'_> {
    fn is_free(&self, pattern: &Pattern) -> bool {
        let literal: Vec<u8> = pattern.text().iter().copied().take_while(|b| !b"*?[\\".contains(b)).collect();
        let prefix = [b"fs:", &literal[..]].concat();
        let from = self.golden.partition_point(|record| record.subject() < &prefix[..]);
        let near = self.golden.get(from..).unwrap_or_default();
        let mut near = near.iter().take_while(|record| record.subject().starts_with(&prefix));
        let steady = near.any(|record| {
            !self.differing.contains(record.subject()) && record.view().path().is_some_and(|path| pattern.matches(path))
        });
        let path = |subject: &'_ Vec<u8>| subject.strip_prefix(b"fs:").is_some_and(|path| pattern.matches(path));
        !steady && !self.shown.iter().any(path) && !self.left_out.iter().any(|other| overlap(pattern, other).is_some())
    }
}

/// Makes the rules, ascending by pattern.
pub(super) fn make(
    learned: &[(Lesson, &Spot<'_>)],
    shown: &BTreeSet<Vec<u8>>,
    siblings: &[Sibling],
    golden: &[Record],
    policy: &Policy,
) -> Vec<NoiseRule> {
    let of = |(lesson, spot): &(Lesson, &Spot<'_>)| {
        let subject = spot.records().next()?.subject().to_vec();
        Some((subject, (*lesson, spot.kind(), spot.hosts(siblings))))
    };
    let places: Places = learned.iter().filter_map(of).collect();
    let compiled = policy.compile();
    let left_out = compiled.rules().iter().filter(|rule| rule.mask == Mask::NONE).map(|rule| rule.pattern.clone());
    let steady = Steady { golden, differing: places.keys().cloned().collect(), shown, left_out: left_out.collect() };
    let mut rules = Vec::new();
    let (mut coming, mut staying): (Vec<Unit>, Vec<Unit>) = (Vec::new(), Vec::new());
    for unit in units(&places, &steady) {
        if unit.lesson.treatment == Treatment::Ignore { coming.push(unit) } else { staying.push(unit) }
    }
    for group in grouped(coming) {
        come_and_go(group, &steady, &mut rules);
    }
    for group in grouped(staying) {
        stay(group, &steady, &mut rules);
    }
    rules.sort_by(|a, b| (a.pattern.text(), a.kinds).cmp(&(b.pattern.text(), b.kinds)));
    rules
}

/// Paths, those below a folder that comes and goes as a whole joined to it.
fn units(places: &Places, steady: &Steady<'_>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (subject, (lesson, kind, hosts)) in places {
        let Some(path) = subject.strip_prefix(b"fs:") else { continue };
        let learned = manifest::Lesson { path: path.to_vec(), hosts: hosts.clone() };
        // Subjects ascend, so the folder that a path is in came before it; `-` sorts before `/`, so not always just.
        let above = units.iter_mut().rev().take(64).find(|unit| unit.whole && is_below(path, &unit.path));
        if let Some(above) = above {
            above.learned.push(learned);
            continue;
        }
        let below = [path, b"/**"].concat();
        let whole = lesson.treatment == Treatment::Ignore
            && *kind == Some(Kind::Directory)
            && escaped(&below, 3).is_some_and(|pattern| steady.is_free(&pattern));
        units.push(Unit { path: path.to_vec(), kind: *kind, whole, lesson: *lesson, learned: vec![learned] });
    }
    units
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Units of one folder, class, type and extent.
fn grouped(units: Vec<Unit>) -> Vec<Vec<Unit>> {
    type Key = (Vec<u8>, NoiseClass, u8, bool, &'static str);
    let mut groups: BTreeMap<Key, Vec<Unit>> = BTreeMap::new();
    for unit in units {
        let folder = split(&unit.path).0.to_vec();
        let kind = unit.kind.map_or(0, Kind::bit);
        groups.entry((folder, unit.lesson.class, kind, unit.whole, unit.lesson.reason)).or_default().push(unit);
    }
    groups.into_values().collect()
}

/// Folder with its slash, and name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    path.split_at_checked(at).unwrap_or((b"", path))
}

/// Rules for names that are on some machines only.
fn come_and_go(group: Vec<Unit>, steady: &Steady<'_>, rules: &mut Vec<NoiseRule>) {
    let mut by_shape: BTreeMap<Vec<u8>, Vec<Unit>> = BTreeMap::new();
    for unit in group {
        let (folder, name) = split(&unit.path);
        let shape = [&escape(folder)[..], &shape(name)].concat();
        by_shape.entry(shape).or_default().push(unit);
    }
    let mut single: Vec<Unit> = Vec::new();
    for (shape, units) in by_shape {
        let free = Pattern::new(&shape).is_ok_and(|pattern| steady.is_free(&pattern));
        if units.len() > 1 && free {
            push(&shape, &units, rules);
        } else {
            single.extend(units);
        }
    }
    let wide = single.first().map(|unit| [&escape(split(&unit.path).0)[..], b"*"].concat()).unwrap_or_default();
    if single.len() >= VARYING && Pattern::new(&wide).is_ok_and(|pattern| steady.is_free(&pattern)) {
        push(&wide, &single, rules);
        return;
    }
    for unit in single {
        push(&escape(&unit.path), std::slice::from_ref(&unit), rules);
    }
}

/// Rules for files that are everywhere and have other bytes.
fn stay(group: Vec<Unit>, steady: &Steady<'_>, rules: &mut Vec<NoiseRule>) {
    let ending = |unit: &Unit| {
        let name = split(&unit.path).1;
        name.iter().rposition(|b| *b == b'.').and_then(|at| name.get(at..)).unwrap_or_default().to_vec()
    };
    let mut by_ending: BTreeMap<Vec<u8>, Vec<Unit>> = BTreeMap::new();
    for unit in group {
        by_ending.entry(ending(&unit)).or_default().push(unit);
    }
    for (ending, units) in by_ending {
        let folder = units.first().map(|unit| escape(split(&unit.path).0)).unwrap_or_default();
        let wide = [&folder[..], b"*", &escape(&ending)].concat();
        let all = units.iter().all(|unit| unit.kind == Some(Kind::File) && unit.lesson.class != NoiseClass::HostValues);
        if all && units.len() >= MANY && Pattern::new(&wide).is_ok_and(|pattern| steady.is_free(&pattern)) {
            push(&wide, &units, rules);
            continue;
        }
        for unit in units {
            push(&escape(&unit.path), std::slice::from_ref(&unit), rules);
        }
    }
}

/// Adds the rule of a pattern, and for whole folders that of what is in them.
fn push(text: &[u8], units: &[Unit], rules: &mut Vec<NoiseRule>) {
    let Some(first) = units.first() else { return };
    let mut rule = |text: &[u8], kinds: u8| {
        let Ok(pattern) = Pattern::new(text) else { return };
        let lessons = units.iter().flat_map(|unit| unit.learned.iter().cloned());
        let mut learned: Vec<manifest::Lesson> = lessons.filter(|lesson| pattern.matches(&lesson.path)).collect();
        if learned.is_empty() {
            return;
        }
        learned.sort();
        let more = learned.len().saturating_sub(NoiseRule::LESSONS) as u64;
        learned.truncate(NoiseRule::LESSONS);
        rules.push(NoiseRule {
            pattern,
            kinds,
            treatment: first.lesson.treatment,
            view: first.lesson.view,
            class: first.lesson.class,
            reason: first.lesson.reason.to_owned(),
            learned,
            more,
        });
    };
    // A type that differs from machine to machine is not held to.
    rule(text, first.kind.map_or(0, Kind::bit));
    if first.whole {
        rule(&[text, b"/**"].concat(), 0);
    }
}

/// A pattern that matches exactly these bytes, but for the last `wild` ones, which are taken as they are.
fn escaped(text: &[u8], wild: usize) -> Option<Pattern> {
    let (plain, tail) = text.split_at_checked(text.len().checked_sub(wild)?)?;
    Pattern::new(&[&escape(plain)[..], tail].concat()).ok()
}

fn escape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if b"*?[\\".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}

/// A name with each run that looks like an id or a counter as `*`: a UUID, eight or more hexadecimal digits, or three or more
/// decimal ones.
fn shape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = name;
    let mut starred = false;
    while !rest.is_empty() {
        let run = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let (head, after) = match rest.split_at_checked(36) {
            Some((head, after)) if is_uuid(head) => (head, after),
            _ => rest.split_at(run.max(1)),
        };
        let numbers = head.iter().filter(|b| b.is_ascii_digit()).count();
        let id = head.len() == 36 && is_uuid(head) || run >= 8 && numbers > 0 || run >= 3 && numbers == run;
        if !id {
            out.extend(escape(head));
        } else if !starred {
            out.push(b'*');
        }
        starred = id;
        rest = after;
    }
    out
}

/// `8-4-4-4-12` hexadecimal digits.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_and_counters_become_stars() {
        for (name, wanted) in [
            ("d3b07384d113edec49eaa6238ad5ff00", "*"),
            ("d3b07384d113edec49eaa6238ad5ff00-6.1.conf", "*-6.1.conf"),
            ("systemd-private-0123456789abcdef-x.service", "systemd-private-*-x.service"),
            ("syslog.1", "syslog.1"),
            ("cache", "cache"),
            ("pid-4711", "pid-*"),
            ("d3b07384-d113-edec-49ea-a6238ad5ff00.lease", "*.lease"),
            ("a*b", "a\\*b"),
        ] {
            assert_eq!(String::from_utf8(shape(name.as_bytes())).unwrap(), wanted, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_shape_matches_its_name(name in "[a-f0-9x*?.\\[-]{1,40}") {
            prop_assume!(name != "." && name != "..");
            let text = [b"/".to_vec(), shape(name.as_bytes())].concat();
            let path = [b"/", name.as_bytes()].concat();
            // `\\**` is no pattern, and such a name gets a rule of its own.
            prop_assert!(Pattern::new(&text).is_ok_and(|pattern| pattern.matches(&path)) || name.contains('*'));
            let plain = [b"/".to_vec(), escape(name.as_bytes())].concat();
            prop_assert!(Pattern::new(&plain).unwrap().matches(&path));
        }
    }
}
