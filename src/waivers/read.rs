//! From the text of a `waivers.toml` to waivers.
//!
//! *Invariant:* goes on after a mistake, so that one reading finds them all; what it returns has none.

use super::breadth::{Unfit, subjects};
use super::{Day, SCHEMA, Scope, Waiver};
use crate::model::Code;
use crate::model::text::unhex;
use crate::policy::Mistakes;
use crate::policy::mistake::Collected;
use crate::policy::nearest::nearest;
use crate::policy::table::{Keys, Table, Word, wrong_type};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const TOP: Keys = Keys { known: &["schema", "waiver"], later: &[] };
const WAIVER: Keys = Keys {
    known: &["fingerprint", "code", "subject", "group", "owner", "reason", "until", "max_hosts"],
    later: &["host", "hosts", "severity", "ticket"],
};

/// The most waivers of a file: more of them is a template that should be built anew.
const MOST: usize = 10_000;

pub(super) fn waivers(file: &str, text: &str) -> Result<Vec<Waiver>, Mistakes> {
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
    let tables = top.tables("waiver", WAIVER, &mut mistakes);
    if let Some(over) = tables.get(MOST) {
        mistakes.note(over.span(), format!("more than {MOST} waivers"), "build the template that is meant");
    }
    let list: Vec<Waiver> = tables.iter().filter_map(|table| waiver(table, text, &mut mistakes)).collect();
    if mistakes.is_empty() { Ok(list) } else { Err(mistakes.place(file, text)) }
}

fn schema(root: &Spanned<DeTable<'_>>, fatal: &mut Collected) {
    let wanted = format!("schema = \"{SCHEMA}\"");
    match root.get_ref().get("schema") {
        Some(value) if value.get_ref().as_str() == Some(SCHEMA) => {}
        Some(value) => {
            fatal.note(value.span(), "these are no waivers that this release reads", format!("write {wanted}"));
        }
        None => fatal.note(0..0, "the file does not say what it is", format!("begin with: {wanted}")),
    }
}

fn waiver(table: &Table<'_, '_>, text: &str, mistakes: &mut Collected) -> Option<Waiver> {
    let span = table.span();
    let scope = scope(table, mistakes);
    let group = table.word("group", mistakes).map(Spanned::into_inner);
    let said = |key: &str, what: &str, mistakes: &mut Collected| said(table, key, what, mistakes);
    let owner = said("owner", "owner = \"...\": who answers for it", mistakes);
    let reason = said("reason", "reason = \"...\": why it is accepted", mistakes);
    let until = until(table, mistakes);
    let max_hosts = max_hosts(table, mistakes);
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.bytes().filter(|b| *b == b'\n').count() as u64 + 1;
    Some(Waiver { scope: scope?, group, owner: owner?, reason: reason?, until: until?, max_hosts: max_hosts?, line })
}

fn scope(table: &Table<'_, '_>, mistakes: &mut Collected) -> Option<Scope> {
    let fingerprint = table.word("fingerprint", mistakes);
    let (code, subject) = (table.word("code", mistakes), table.word("subject", mistakes));
    match (fingerprint, code, subject) {
        (Some(word), None, None) => fingerprint_of(&word, mistakes),
        (Some(word), _, _) => {
            mistakes.note(
                word.span(),
                "a fingerprint is one whole difference, and code and subject say another",
                "write either a fingerprint, or code and subject",
            );
            None
        }
        (None, Some(code), Some(subject)) => {
            let code = code_of(&code, mistakes);
            let subject = subjects(subject.get_ref())
                .map_err(|Unfit { message, remedy }| mistakes.note(subject.span(), message, remedy));
            Some(Scope::Pattern { code: code?, subject: subject.ok()? })
        }
        (None, Some(word), None) | (None, None, Some(word)) => {
            mistakes.note(word.span(), "a pattern needs both code and subject", PATTERN);
            None
        }
        (None, None, None) => {
            // A value of another type was noted already.
            if ["fingerprint", "code", "subject"].iter().all(|key| table.field(key).is_none()) {
                let remedy = format!("fingerprint = \"...\" with all 64 digits, or {PATTERN}");
                mistakes.note(table.span(), "this waiver does not say of what", remedy);
            }
            None
        }
    }
}

const PATTERN: &str = "code = \"content-changed\" and subject = \"fs:/etc/app/**\"";

fn fingerprint_of(word: &Word, mistakes: &mut Collected) -> Option<Scope> {
    let digest = unhex(word.get_ref());
    if digest.is_none() {
        mistakes.note(
            word.span(),
            "a fingerprint has 64 digits, and a waiver holds all of them",
            "driftscan waive writes it; driftscan report --format json tells it",
        );
    }
    digest.map(Scope::Fingerprint)
}

fn code_of(word: &Word, mistakes: &mut Collected) -> Option<Code> {
    let typed = word.get_ref().as_str();
    let code = Code::of(typed);
    if code.is_none() {
        let remedy = match nearest(typed, Code::ALL.iter().map(|code| code.word())) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "write the code of the finding, content-changed say".to_owned(),
        };
        mistakes.note(word.span(), "no finding has this code", remedy);
    }
    code
}

/// A text that must be there and say something.
fn said(table: &Table<'_, '_>, key: &str, what: &str, mistakes: &mut Collected) -> Option<String> {
    if table.field(key).is_none() {
        mistakes.note(table.span(), format!("this waiver has no {key}"), format!("add {what}"));
        return None;
    }
    let word = table.word(key, mistakes)?;
    let text = word.get_ref().trim();
    if text.is_empty() {
        mistakes.note(word.span(), format!("the {key} is empty"), format!("write {what}"));
        return None;
    }
    Some(text.to_owned())
}

fn until(table: &Table<'_, '_>, mistakes: &mut Collected) -> Option<Day> {
    const REMEDY: &str = "add until = \"2026-12-31\": the last day on which it holds, UTC";
    let Some(value) = table.field("until") else {
        mistakes.note(table.span(), "this waiver has no end", REMEDY);
        return None;
    };
    let no_day = |span: Range<usize>, mistakes: &mut Collected| {
        mistakes.note(span, "this is no day", "write a day that the calendar has, \"2026-12-31\"");
        None
    };
    match value.get_ref() {
        DeValue::String(text) => day(text).or_else(|| no_day(value.span(), mistakes)),
        DeValue::Datetime(written) => {
            let text = written.to_string();
            day(&text).or_else(|| no_day(value.span(), mistakes))
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
            wrong_type("until", value, "a day, \"2026-12-31\"", mistakes);
            None
        }
    }
}

/// A day as `YYYY-MM-DD` and in no other way.
pub(super) fn day(text: &str) -> Option<Day> {
    text.parse::<Day>().ok().filter(|day| day.to_string() == text)
}

fn max_hosts(table: &Table<'_, '_>, mistakes: &mut Collected) -> Option<u64> {
    let Some(value) = table.field("max_hosts") else {
        mistakes.note(
            table.span(),
            "this waiver does not say how many hosts it may cover",
            "add max_hosts = 1; where more of them have it, the waiver is void and they are drifted",
        );
        return None;
    };
    let DeValue::Integer(integer) = value.get_ref() else {
        wrong_type("max_hosts", value, "a whole number", mistakes);
        return None;
    };
    let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| *number > 0);
    if number.is_none() {
        mistakes.note(value.span(), "no waiver covers this many hosts", "write 1 or more");
    }
    number
}
