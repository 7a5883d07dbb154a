//! From the text of a `plan.toml` to settings.
//!
//! *Invariant:* goes on after a mistake, so that one reading finds them all; what it returns has none.

use super::words::{LONGEST, budget, count, is_zone, percent, seconds, truth};
use super::{Rules, SCHEMA, Settings, cron};
use crate::plan::document::{Actuator, Order, Window};
use crate::policy::Mistakes;
use crate::policy::mistake::Collected;
use crate::policy::nearest::nearest;
use crate::policy::table::{Keys, Table, Word, wrong_type};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;
use toml::de::DeTable;

const TOP: Keys = Keys { known: &["schema", "expires", "guards", "default", "group"], later: &[] };
const GUARDS: Keys = Keys { known: &["max_group_drift", "require_two_runs"], later: &[] };
const DEFAULT: Keys =
    Keys { known: &["floor", "max_unavailable", "windows", "health", "ready_timeout", "bake"], later: &[] };
const GROUP: Keys = Keys {
    known: &["actuator", "ref", "floor", "max_unavailable", "surge", "windows", "health", "ready_timeout", "bake"],
    later: &[],
};
/// A window's length: cron knows no less than a minute, and what is always open is no window.
const MINUTE: u64 = 60;
const WEEK: u64 = 7 * 86_400;

const WINDOW: Keys = Keys { known: &["cron", "duration", "tz"], later: &[] };

pub(super) fn settings(file: &str, text: &str, groups: &BTreeSet<&str>) -> Result<Settings, Mistakes> {
    let mut fatal = Collected::default();
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        fatal.note_plain(error.span().unwrap_or(0..0), format!("not TOML: {message}"));
    }
    if fatal.is_empty() {
        schema(&root, &mut fatal);
    }
    if !fatal.is_empty() {
        return Err(fatal.place(file, text));
    }
    let mut mistakes = Collected::default();
    let top = Table::new(root.get_ref(), 0..0, TOP, &mut mistakes);
    let mut settings = Settings::default();
    if let Some(expires) = seconds(&top, "expires", 1..=LONGEST, &mut mistakes) {
        settings.expires_seconds = expires;
    }
    if let Some(guards) = top.table("guards", GUARDS, &mut mistakes) {
        if let Some(share) = percent(&guards, "max_group_drift", &mut mistakes) {
            settings.guards.max_group_drift_percent = share;
        }
        if let Some(twice) = truth(&guards, "require_two_runs", &mut mistakes) {
            settings.guards.require_two_runs = twice;
        }
    }
    if let Some(default) = top.table("default", DEFAULT, &mut mistakes) {
        settings.default = shared(&default, &Rules::default(), &mut mistakes);
    }
    settings.groups = named(&top, groups, &settings.default, &mut mistakes);
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes.place(file, text)) }
}

fn schema(root: &Spanned<DeTable<'_>>, fatal: &mut Collected) {
    let wanted = format!("schema = \"{SCHEMA}\"");
    match root.get_ref().get("schema") {
        Some(value) if value.get_ref().as_str() == Some(SCHEMA) => {}
        Some(value) => {
            fatal.note(value.span(), "these are no settings that this release reads", format!("write {wanted}"));
        }
        None => fatal.note(0..0, "the file does not say what it is", format!("begin with: {wanted}")),
    }
}

/// Every `[group.NAME]`.
fn named(
    top: &Table<'_, '_>,
    groups: &BTreeSet<&str>,
    default: &Rules,
    mistakes: &mut Collected,
) -> BTreeMap<String, Rules> {
    let mut found = BTreeMap::new();
    let Some(value) = top.field("group") else { return found };
    let Some(tables) = value.get_ref().as_table() else {
        wrong_type("group", value, "a table a group, [group.web]", mistakes);
        return found;
    };
    for (key, value) in tables {
        let name = key.get_ref().as_ref();
        if !groups.contains(name) {
            mistakes.note(key.span(), "the fleet has no such group", meant(name, groups));
        }
        let Some(fields) = value.get_ref().as_table() else {
            wrong_type(name, value, "a table, [group.web]", mistakes);
            continue;
        };
        let table = Table::new(fields, value.span(), GROUP, mistakes);
        found.insert(name.to_owned(), group(&table, default, mistakes));
    }
    found
}

/// Which group was probably meant.
fn meant(name: &str, groups: &BTreeSet<&str>) -> String {
    let named = || groups.iter().copied().filter(|group| !group.is_empty());
    if let Some(meant) = nearest(name, named()) {
        return format!("did you mean [group.{meant}]?");
    }
    let some: Vec<&str> = named().take(8).collect();
    if some.is_empty() {
        "the fleet has no groups: a [web] line in it begins one".to_owned()
    } else {
        format!("groups of the fleet: {}", some.join(", "))
    }
}

fn group(table: &Table<'_, '_>, default: &Rules, mistakes: &mut Collected) -> Rules {
    let mut rules = shared(table, default, mistakes);
    rules.actuator = table.word("actuator", mistakes).and_then(|word| actuator(&word, mistakes));
    rules.refs = refs(table, mistakes);
    if let Some(surge) = count(table, "surge", mistakes) {
        rules.surge = admit_surge(rules.actuator, &surge, mistakes);
    }
    rules
}

fn actuator(word: &Word, mistakes: &mut Collected) -> Option<Actuator> {
    let typed = word.get_ref().as_str();
    let found = Actuator::of(typed);
    if found.is_none() {
        let words = || Actuator::ALL.iter().map(|actuator| actuator.word());
        let remedy = match nearest(typed, words()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("known: {}", words().collect::<Vec<_>>().join(", ")),
        };
        mistakes.note(word.span(), "no such actuator", remedy);
    }
    found
}

/// A surge that the platform does not keep would let the capacity fall below the floor.
fn admit_surge(actuator: Option<Actuator>, surge: &Spanned<u32>, mistakes: &mut Collected) -> u32 {
    let Some(actuator) = actuator else { return *surge.get_ref() };
    match actuator.order() {
        Order::TerminatesFirst if *surge.get_ref() > 0 => mistakes.note(
            surge.span(),
            format!("{} ends the old machine first and makes the new one after", actuator.word()),
            "write surge = 0, and lower floor where the group has no machine to spare",
        ),
        Order::BuildsFirst => mistakes.note(
            surge.span(),
            format!("{} builds the whole group before an old machine goes", actuator.word()),
            "take surge out",
        ),
        Order::TerminatesFirst | Order::AsDeclared => {}
    }
    *surge.get_ref()
}

/// `ref = { asg = "web-prod" }`: which keys a platform takes is its renderer's to say.
fn refs(table: &Table<'_, '_>, mistakes: &mut Collected) -> Vec<(String, String)> {
    const REMEDY: &str = "ref = { asg = \"web-prod\", region = \"eu-west-1\" }";
    let Some(value) = table.field("ref") else { return Vec::new() };
    let Some(fields) = value.get_ref().as_table() else {
        wrong_type("ref", value, "a table of strings, { asg = \"web-prod\" }", mistakes);
        return Vec::new();
    };
    let mut refs = BTreeMap::new();
    for (key, value) in fields {
        let name = key.get_ref().as_ref();
        let shaped = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        if !shaped {
            mistakes.note(key.span(), "this is no key: lower-case letters, digits, _ and -", REMEDY);
            continue;
        }
        let Some(text) = value.get_ref().as_str() else {
            wrong_type(name, value, "a string", mistakes);
            continue;
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            mistakes.note(value.span(), "this names nothing", REMEDY);
            continue;
        }
        refs.insert(name.to_owned(), text.to_owned());
    }
    refs.into_iter().collect()
}

/// The keys that `[default]` and a group have both.
fn shared(table: &Table<'_, '_>, under: &Rules, mistakes: &mut Collected) -> Rules {
    let mut rules = under.clone();
    if let Some(floor) = budget(table, "floor", 0, mistakes) {
        rules.floor = Some(floor);
    }
    if let Some(most) = budget(table, "max_unavailable", 1, mistakes) {
        rules.max_unavailable = Some(most);
    }
    if let Some(seconds) = seconds(table, "ready_timeout", 1..=LONGEST, mistakes) {
        rules.ready_seconds = seconds;
    }
    if let Some(seconds) = seconds(table, "bake", 0..=LONGEST, mistakes) {
        rules.bake_seconds = seconds;
    }
    if table.field("windows").is_some() {
        let tables = table.tables("windows", WINDOW, mistakes);
        rules.windows = tables.iter().filter_map(|table| window(table, mistakes)).collect();
    }
    if let Some(word) = table.word("health", mistakes) {
        let text = word.get_ref().trim();
        if text.is_empty() || text.chars().any(char::is_control) {
            mistakes.note(
                word.span(),
                "this is no command on one line",
                "health = \"curl -fsS http://$HOST/healthz\"; longer ones belong in a script of their own",
            );
        } else {
            rules.health = Some(text.to_owned());
        }
    }
    rules
}

fn window(table: &Table<'_, '_>, mistakes: &mut Collected) -> Option<Window> {
    for key in ["cron", "duration"] {
        if table.field(key).is_none() {
            mistakes.note(
                table.span(),
                format!("this window has no {key}"),
                "{ cron = \"0 2 * * 1-5\", duration = \"3h\", tz = \"UTC\" }",
            );
        }
    }
    let cron = table.word("cron", mistakes).filter(|word| {
        let fault = cron::fault(word.get_ref());
        if let Some(fault) = &fault {
            mistakes.note(word.span(), format!("not a cron line: {fault}"), "cron = \"0 2 * * 1-5\"");
        }
        fault.is_none()
    });
    let long = seconds(table, "duration", MINUTE..=WEEK, mistakes);
    let tz = match table.field("tz").map(Spanned::get_ref) {
        None => Some("UTC".to_owned()),
        Some(_) => table.word("tz", mistakes).and_then(|word| {
            let right = is_zone(word.get_ref());
            if !right {
                mistakes.note(word.span(), "no time zone has this shape", "write UTC, +02:00 or Europe/Vienna");
            }
            right.then(|| word.into_inner())
        }),
    };
    let duration = table.field("duration").and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    long?;
    Some(Window { cron: cron?.into_inner(), duration: duration?, tz: tz? })
}
