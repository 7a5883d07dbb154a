//! The policy file as it is written, `driftscan.policy/v1`, and the shipped profiles, `driftscan.profile/v1`.
//!
//! A frozen shape: keys and types, every word still as it was typed. Read by hand rather than derived, because a derived
//! reader stops at the first mistake.
//!
//! *Invariant:* types of this format never leave this folder; an unknown key is a mistake, never skipped.

use super::mistake::{Collected, Mistakes};
use super::size;
use super::table::{Keys, Table, Word, wrong_type};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Which of the two formats is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A user's policy.
    Policy,
    /// A profile of ours.
    Profile,
}

impl Dialect {
    fn schema(self) -> &'static str {
        match self {
            Self::Policy => "driftscan.policy/v1",
            Self::Profile => "driftscan.profile/v1",
        }
    }

    fn keys(self) -> Keys {
        match self {
            Self::Policy => Keys {
                known: &[
                    "schema",
                    "extends",
                    "drift_at",
                    "common",
                    "excuse_unreadable",
                    "excuse_unseen",
                    "scope",
                    "limits",
                    "content",
                    "rule",
                ],
                later: &[
                    "waiver",
                    "waivers",
                    "window",
                    "windows",
                    "stateful",
                    "residue",
                    "noise",
                    "packages",
                    "services",
                    "containers",
                    "uniqueness",
                ],
            },
            Self::Profile => Keys { known: &["schema", "content", "rule", "guard"], later: &[] },
        }
    }
}

const SCOPE: Keys = Keys { known: &["roots"], later: &["containers", "mounts"] };
const LIMITS: Keys = Keys {
    known: &["entries", "bytes", "guard_entries", "guard_bytes", "file_bytes", "depth", "seconds"],
    later: &["memory"],
};
const COMMON: Keys = Keys { known: &["share", "hosts"], later: &[] };
const CONTENT: Keys = Keys { known: &["show", "secret"], later: &[] };
const RULE: Keys = Keys {
    known: &["path", "treatment", "view", "severity", "when", "kind", "reason"],
    later: &["package", "until", "owner", "hosts"],
};

/// A whole file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) extends: Option<Spanned<Vec<Word>>>,
    pub(super) drift_at: Option<Word>,
    pub(super) common: Common,
    pub(super) excuse_unreadable: Vec<Word>,
    pub(super) excuse_unseen: Vec<Word>,
    pub(super) roots: Option<Spanned<Vec<Word>>>,
    pub(super) limits: Limits,
    /// `[content]`: whose text may leave a host.
    pub(super) show: Vec<Word>,
    /// `[content]`: what is compared by a keyed digest.
    pub(super) secret: Vec<Word>,
    pub(super) rules: Vec<Rule>,
    /// Profiles only: rules that come after the rules of every profile.
    pub(super) guards: Vec<Rule>,
}

/// `common`: from when on drift is the template's affair.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// Thousandths.
    pub(super) permille: Option<u16>,
    pub(super) hosts: Option<Spanned<u64>>,
}

/// `[limits]`.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) entries: Option<Spanned<u64>>,
    pub(super) bytes: Option<Spanned<u64>>,
    pub(super) guard_entries: Option<Spanned<u64>>,
    pub(super) guard_bytes: Option<Spanned<u64>>,
    pub(super) file_bytes: Option<Spanned<u64>>,
    pub(super) depth: Option<Spanned<u64>>,
    pub(super) seconds: Option<Spanned<u64>>,
}

/// `[[rule]]`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) span: Range<usize>,
    /// From 1.
    pub(super) line: usize,
    pub(super) path: Option<Word>,
    pub(super) treatment: Option<Word>,
    pub(super) view: Option<Word>,
    pub(super) severity: Option<Word>,
    pub(super) when: Vec<Word>,
    pub(super) kind: Vec<Word>,
    pub(super) reason: Option<Word>,
}

impl Document {
    /// Reads a file's keys and types.
    ///
    /// # Errors
    /// Bytes that are no TOML, and a schema that is missing or another: then nothing else in the file has a meaning.
    pub(super) fn read(file: &str, text: &str, dialect: Dialect, mistakes: &mut Collected) -> Result<Self, Mistakes> {
        let mut fatal = Collected::default();
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            fatal.note_plain(error.span().unwrap_or(0..0), format!("not TOML: {}", one_line(error.message())));
        }
        if fatal.is_empty() {
            schema(&root, dialect, &mut fatal);
        }
        if !fatal.is_empty() {
            return Err(fatal.place(file, text));
        }
        let top = Table::new(root.get_ref(), 0..0, dialect.keys(), mistakes);
        let roots = top.table("scope", SCOPE, mistakes).and_then(|scope| scope.words("roots", mistakes));
        let content = top.table("content", CONTENT, mistakes);
        let mut listed = |key| {
            let words = content.as_ref().and_then(|content| content.words(key, mistakes));
            words.map_or_else(Vec::new, Spanned::into_inner)
        };
        let (show, secret) = (listed("show"), listed("secret"));
        let common = top.table("common", COMMON, mistakes).map(|common| Common::read(&common, mistakes));
        let limits = top.table("limits", LIMITS, mistakes).map(|limits| Limits::read(&limits, mistakes));
        Ok(Self {
            extends: top.words("extends", mistakes),
            drift_at: top.word("drift_at", mistakes),
            common: common.unwrap_or_default(),
            excuse_unreadable: top.words("excuse_unreadable", mistakes).map_or_else(Vec::new, Spanned::into_inner),
            excuse_unseen: top.words("excuse_unseen", mistakes).map_or_else(Vec::new, Spanned::into_inner),
            roots,
            limits: limits.unwrap_or_default(),
            show,
            secret,
            rules: rules(&top, "rule", text, mistakes),
            guards: rules(&top, "guard", text, mistakes),
        })
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn schema(root: &Spanned<DeTable<'_>>, dialect: Dialect, fatal: &mut Collected) {
    let wanted = dialect.schema();
    match root.get_ref().get("schema") {
        Some(value) if value.get_ref().as_str() == Some(wanted) => {}
        Some(value) => fatal.note(
            value.span(),
            "this is not a policy that this release reads",
            format!("write schema = \"{wanted}\""),
        ),
        None => fatal.note(0..0, "the file does not say what it is", format!("begin with: schema = \"{wanted}\"")),
    }
}

fn rules(top: &Table<'_, '_>, key: &str, text: &str, mistakes: &mut Collected) -> Vec<Rule> {
    let tables = top.tables(key, RULE, mistakes);
    // Tables come in the order of the file, so that each line is counted once.
    let mut counted = (0, 1);
    tables
        .into_iter()
        .map(|rule| Rule {
            span: rule.span(),
            line: {
                let between = text.get(counted.0..rule.span().start).unwrap_or_default();
                counted = (rule.span().start, counted.1 + between.matches('\n').count());
                counted.1
            },
            path: rule.word("path", mistakes),
            treatment: rule.word("treatment", mistakes),
            view: rule.word("view", mistakes),
            severity: rule.word("severity", mistakes),
            when: rule.word_or_words("when", mistakes),
            kind: rule.word_or_words("kind", mistakes),
            reason: rule.word("reason", mistakes),
        })
        .collect()
}

impl Common {
    fn read(table: &Table<'_, '_>, mistakes: &mut Collected) -> Self {
        Self { permille: share(table, mistakes), hosts: amount(table, "hosts", false, mistakes) }
    }
}

/// `share = 0.5` as thousandths.
fn share(table: &Table<'_, '_>, mistakes: &mut Collected) -> Option<u16> {
    let value = table.field("share")?;
    let number = match value.get_ref() {
        DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
        DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
        DeValue::String(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            wrong_type("share", value, "a fraction, 0.5 for half of a group", mistakes);
            return None;
        }
    };
    let Some(number) = number.filter(|number| (0.001..1.0).contains(number)) else {
        mistakes.note(
            value.span(),
            "`share` is not a part of a group",
            "write more than 0 and less than 1, 0.5 for more than half of a group's hosts",
        );
        return None;
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1,000, held above")]
    let permille = (number * 1000.0).round() as u16;
    Some(permille)
}

impl Limits {
    fn read(table: &Table<'_, '_>, mistakes: &mut Collected) -> Self {
        let mut count = |key| amount(table, key, false, mistakes);
        let (entries, guard_entries) = (count("entries"), count("guard_entries"));
        let (depth, seconds) = (count("depth"), count("seconds"));
        let mut size = |key| amount(table, key, true, mistakes);
        Self {
            entries,
            bytes: size("bytes"),
            guard_entries,
            guard_bytes: size("guard_bytes"),
            file_bytes: size("file_bytes"),
            depth,
            seconds,
        }
    }
}

/// A whole number above zero; for bytes also a size with its unit.
fn amount(table: &Table<'_, '_>, key: &str, in_bytes: bool, mistakes: &mut Collected) -> Option<Spanned<u64>> {
    let value = table.field(key)?;
    let number = match value.get_ref() {
        DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        DeValue::String(text) if in_bytes => size::bytes(text),
        DeValue::String(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => {
            let wanted = if in_bytes { "a number of bytes, or a size like \"2GiB\"" } else { "a whole number" };
            wrong_type(key, value, wanted, mistakes);
            return None;
        }
    };
    let Some(number) = number.filter(|number| *number > 0) else {
        let remedy = if in_bytes { "write bytes, or a size like \"512MiB\" or \"2GiB\"" } else { "write 1 or more" };
        mistakes.note(value.span(), format!("`{key}` is not an amount that can be kept to"), remedy);
        return None;
    };
    Some(Spanned::new(value.span(), number))
}
