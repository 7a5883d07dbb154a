//! Typed reading of TOML tables, noting what does not fit and going on.
//!
//! *Invariant:* every key of a table is either asked for or noted as a mistake; nothing is skipped in silence.

use super::mistake::Collected;
use super::nearest::nearest;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A string and its place.
pub(crate) type Word = Spanned<String>;

/// The keys that a table may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// What this release knows.
    pub(crate) known: &'static [&'static str],
    /// What a later release brings: refused by name, because an ignored key would promise what nobody keeps.
    pub(crate) later: &'static [&'static str],
}

/// One table under reading.
pub(crate) struct Table<'t, 'i> {
    fields: &'t DeTable<'i>,
    span: Range<usize>,
}

impl<'t, 'i> Table<'t, 'i> {
    /// Takes a table and notes the keys that it may not have.
    pub(crate) fn new(fields: &'t DeTable<'i>, span: Range<usize>, keys: Keys, mistakes: &mut Collected) -> Self {
        for key in fields.keys() {
            let name = key.get_ref().as_ref();
            if keys.known.contains(&name) {
                continue;
            }
            if keys.later.contains(&name) {
                mistakes.note(
                    key.span(),
                    format!("`{name}` comes in a later release and is not obeyed yet"),
                    "take it out until then",
                );
                continue;
            }
            let remedy = match nearest(name, keys.known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", keys.known.join(", ")),
            };
            mistakes.note(key.span(), "unknown key", remedy);
        }
        Self { fields, span }
    }

    /// Where the table stands.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// A field as it was parsed.
    pub(crate) fn field(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.fields.get(key)
    }

    /// A string.
    pub(crate) fn word(&self, key: &str, mistakes: &mut Collected) -> Option<Word> {
        let value = self.field(key)?;
        word(key, value, mistakes)
    }

    /// A list of strings.
    pub(crate) fn words(&self, key: &str, mistakes: &mut Collected) -> Option<Spanned<Vec<Word>>> {
        let value = self.field(key)?;
        let Some(list) = value.get_ref().as_array() else {
            wrong_type(key, value, "a list of strings", mistakes);
            return None;
        };
        let words = list.iter().filter_map(|value| word(key, value, mistakes)).collect();
        Some(Spanned::new(value.span(), words))
    }

    /// A string, or a list of them.
    pub(crate) fn word_or_words(&self, key: &str, mistakes: &mut Collected) -> Vec<Word> {
        match self.field(key) {
            Some(value) if value.get_ref().is_array() => {
                self.words(key, mistakes).map_or_else(Vec::new, Spanned::into_inner)
            }
            Some(value) => word(key, value, mistakes).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// A table within.
    pub(crate) fn table(&self, key: &str, keys: Keys, mistakes: &mut Collected) -> Option<Table<'t, 'i>> {
        let value = self.field(key)?;
        let Some(fields) = value.get_ref().as_table() else {
            wrong_type(key, value, &format!("a table, [{key}]"), mistakes);
            return None;
        };
        Some(Table::new(fields, value.span(), keys, mistakes))
    }

    /// Tables of one name, `[[rule]]`.
    pub(crate) fn tables(&self, key: &str, keys: Keys, mistakes: &mut Collected) -> Vec<Table<'t, 'i>> {
        let Some(value) = self.field(key) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            wrong_type(key, value, &format!("tables, each under its own [[{key}]]"), mistakes);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for value in list {
            match value.get_ref().as_table() {
                Some(fields) => tables.push(Table::new(fields, value.span(), keys, mistakes)),
                None => wrong_type(key, value, &format!("a table, [[{key}]]"), mistakes),
            }
        }
        tables
    }
}

fn word(key: &str, value: &Spanned<DeValue<'_>>, mistakes: &mut Collected) -> Option<Word> {
    let Some(text) = value.get_ref().as_str() else {
        wrong_type(key, value, "a string", mistakes);
        return None;
    };
    Some(Spanned::new(value.span(), text.to_owned()))
}

/// Notes a value of another type than its key wants.
pub(crate) fn wrong_type(key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, mistakes: &mut Collected) {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    mistakes.note(value.span(), format!("`{key}` holds {found}"), format!("it wants {wanted}"));
}
