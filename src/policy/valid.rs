//! From what was written to what is meant: every word looked up, every path held to its form, every reason asked for.
//!
//! *Invariant:* goes on after a mistake, so that one reading finds them all; what it returns has none.

use super::mistake::Collected;
use super::nearest::nearest;
use super::rule::{Origin, RuleText, Treatment};
use super::table::Word;
use super::{Profile, UNSEEN, v1};
use crate::model::Severity;
use crate::protocol::{Kind, Mask, Pattern, View, When};
use toml::Spanned;

/// The most rules of a user; with those of every profile, what a baseline learned and the secrets they stay below what a
/// request may hold.
pub(super) const RULES: usize = 2_500;
/// The most bytes of a user's patterns: a request with them must stay below its own bound.
pub(super) const PATTERN_BYTES: usize = 512 << 10;
/// The most paths of `[content] secret`.
pub(super) const SECRETS: usize = 256;
/// The most bytes of them together.
pub(super) const SECRET_BYTES: usize = 128 << 10;

/// Which profiles a policy stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extend {
    /// What suits the baseline's system.
    Auto,
    /// This one.
    Named(Profile),
}

pub(super) const KINDS: [(&str, Kind); 7] = [
    ("file", Kind::File),
    ("directory", Kind::Directory),
    ("symlink", Kind::Symlink),
    ("fifo", Kind::Fifo),
    ("socket", Kind::Socket),
    ("block", Kind::Block),
    ("char", Kind::Char),
];
pub(super) const CONDITIONS: [(&str, u8); 2] = [("executable", When::EXECUTABLE), ("privileged", When::PRIVILEGED)];

/// Looks a word up, or says which word was probably meant.
fn look_up<T: Copy>(
    word: &Word,
    what: &str,
    words: &[&'static str],
    of: impl Fn(&str) -> Option<T>,
    mistakes: &mut Collected,
) -> Option<T> {
    let typed = word.get_ref().as_str();
    let found = of(typed);
    if found.is_none() {
        let all = words.join(", ");
        let remedy = match nearest(typed, words.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"? It is one of {all}"),
            None => format!("write one of {all}"),
        };
        mistakes.note(word.span(), format!("no {what} has this name"), remedy);
    }
    found
}

pub(super) fn severity(word: &Word, mistakes: &mut Collected) -> Option<Severity> {
    let words: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
    look_up(word, "severity", &words, Severity::of, mistakes)
}

pub(super) fn extends(words: Option<&Spanned<Vec<Word>>>, mistakes: &mut Collected) -> Vec<Extend> {
    let Some(words) = words else {
        return vec![Extend::Auto];
    };
    let names: Vec<&str> = std::iter::once("auto").chain(Profile::ALL.iter().map(|profile| profile.name())).collect();
    let of = |name: &str| if name == "auto" { Some(Extend::Auto) } else { Profile::of(name).map(Extend::Named) };
    words.get_ref().iter().filter_map(|word| look_up(word, "profile", &names, of, mistakes)).collect()
}

/// The attributes that nobody needs to have seen.
pub(super) fn unseen(words: &[Word], mistakes: &mut Collected) -> Mask {
    let names = UNSEEN.map(|(name, _)| name);
    let of = |typed: &str| UNSEEN.into_iter().find(|(name, _)| *name == typed).map(|(_, attr)| attr);
    let found = words.iter().filter_map(|word| look_up(word, "attribute", &names, of, mistakes));
    found.fold(Mask::NONE, Mask::with)
}

/// Holds a path pattern to its form, and to what a person probably means by it.
pub(super) fn pattern(word: &Word, mistakes: &mut Collected) -> Option<Pattern> {
    let text = word.get_ref().as_str();
    let remedy = if !text.starts_with('/') {
        "write the whole path; `/**/name` is a name anywhere".to_owned()
    } else if text.len() > 1 && text.ends_with('/') {
        let dir = crate::model::text::escape(text.trim_end_matches('/').as_bytes());
        format!("write `{dir}` for the folder itself, `{dir}/**` for what is below it")
    } else if unescaped_brace(text) {
        mistakes.note(
            word.span(),
            "pattern: {a,b} is not a choice here, so this rule would match nothing",
            "write one rule for each; for a name that really has a brace in it, '\\{' in single quotes",
        );
        return None;
    } else {
        "`*` and `?` stay within a name, `**` stands for whole folders, `[...]` for one byte".to_owned()
    };
    match Pattern::new(text.as_bytes()) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            mistakes.note(word.span(), error.0, remedy);
            None
        }
    }
}

fn unescaped_brace(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let brace = c == '{' && !escaped;
        escaped = c == '\\' && !escaped;
        brace
    })
}

/// Checks the rules of a file, in order.
pub(super) fn rules(raw: &[v1::Rule], origin: Origin, mistakes: &mut Collected) -> Vec<RuleText> {
    if let Some(over) = raw.get(RULES) {
        mistakes.note(
            over.span.clone(),
            format!("more than {RULES} rules"),
            "join rules by a wildcard; each one is sent to every host",
        );
    }
    let mut bytes = 0;
    for rule in raw {
        let more = rule.path.as_ref().map_or(0, |path| path.get_ref().len());
        if bytes <= PATTERN_BYTES && bytes + more > PATTERN_BYTES {
            mistakes.note(
                rule.span.clone(),
                "the paths of the rules come to more than 512 KiB",
                "join rules by a wildcard; each one is sent to every host",
            );
        }
        bytes += more;
    }
    raw.iter().filter_map(|rule| self::rule(rule, origin, mistakes)).collect()
}

fn rule(raw: &v1::Rule, origin: Origin, mistakes: &mut Collected) -> Option<RuleText> {
    let treatment = raw.treatment.as_ref().map(|word| {
        let words = Treatment::ALL.map(Treatment::word);
        look_up(word, "treatment", &words, Treatment::of, mistakes)
    });
    let view = view(raw, treatment.flatten(), mistakes);
    let severity = raw.severity.as_ref().map(|word| severity(word, mistakes));
    let mut when = When::default();
    for word in &raw.kind {
        let words = KINDS.map(|(word, _)| word);
        let of = |typed: &str| KINDS.into_iter().find(|(word, _)| *word == typed).map(|(_, kind)| kind);
        when.kinds |= look_up(word, "file type", &words, of, mistakes).map_or(0, Kind::bit);
    }
    for word in &raw.when {
        let words = CONDITIONS.map(|(word, _)| word);
        let of = |typed: &str| CONDITIONS.into_iter().find(|(word, _)| *word == typed).map(|(_, bit)| bit);
        when.conditions |= look_up(word, "condition", &words, of, mistakes).unwrap_or(0);
    }
    if when.conditions != 0 && when.kinds != 0 && when.kinds & Kind::File.bit() == 0 {
        mistakes.note(
            raw.kind.first().map_or(raw.span.clone(), Spanned::span),
            "only files are executable or privileged, so this rule would match nothing",
            "take `kind` or `when` out",
        );
    }
    let reason = reason(raw, treatment.flatten(), severity.flatten(), mistakes);
    match (treatment, severity) {
        (None, None) => mistakes.note(
            raw.span.clone(),
            "this rule says neither how its paths are compared nor what they are worth",
            "add `treatment`, `severity` or both",
        ),
        (Some(Some(Treatment::Ignore)), Some(_)) => mistakes.note(
            raw.severity.as_ref().map_or(raw.span.clone(), Spanned::span),
            "an ignored path has no findings, so its severity never counts",
            "take `severity` out, or choose another treatment",
        ),
        (Some(_), _) | (None, Some(_)) => {}
    }
    let Some(path) = &raw.path else {
        mistakes.note(raw.span.clone(), "this rule names no path", "add `path`, absolute, with wildcards where needed");
        return None;
    };
    Some(RuleText {
        pattern: pattern(path, mistakes)?,
        when,
        treatment: treatment.flatten(),
        view,
        severity: severity.flatten(),
        reason,
        origin,
        line: raw.line,
    })
}

/// The view of a rule: the one that it names, else the treatment's own.
fn view(raw: &v1::Rule, treatment: Option<Treatment>, mistakes: &mut Collected) -> Option<View> {
    let own = treatment.and_then(Treatment::view);
    let Some(word) = &raw.view else { return own };
    let words: Vec<&str> = View::ALL.iter().map(|view| view.word()).collect();
    let named = look_up(word, "view", &words, View::of_word, mistakes);
    match (treatment, own, &raw.treatment) {
        (Some(treatment), None, _) => {
            let remedy = format!(
                "take `view` out, or use \"{}\" or \"{}\"",
                Treatment::Semantic.word(),
                Treatment::HostValue.word()
            );
            mistakes.note(word.span(), format!("the treatment `{}` reads no file by a view", treatment.word()), remedy);
        }
        (None, _, None) => mistakes.note(
            word.span(),
            "a view says how a treatment reads a file, and this rule names no treatment",
            "add treatment = \"semantic\" or \"host-value\"",
        ),
        // A treatment that nobody knows is told already.
        (Some(_), Some(_), _) | (None, _, Some(_)) => {}
    }
    named.filter(|_| own.is_some())
}

/// The paths of `[content] show`.
pub(super) fn patterns(words: &[Word], mistakes: &mut Collected) -> Vec<Pattern> {
    words.iter().filter_map(|word| pattern(word, mistakes)).collect()
}

/// The rules of `[content] secret`: each path's content is compared by a keyed digest, whatever other rules say.
pub(super) fn secrets(words: &[Word], text: &str, mistakes: &mut Collected) -> Vec<RuleText> {
    if let Some(over) = words.get(SECRETS) {
        mistakes.note(over.span(), format!("more than {SECRETS} secret paths"), "join them by a wildcard");
    }
    let mut bytes = 0;
    let over = words.iter().find(|word| {
        bytes += word.get_ref().len();
        bytes > SECRET_BYTES
    });
    if let Some(over) = over {
        mistakes.note(over.span(), "the secret paths come to more than 128 KiB", "join them by a wildcard");
    }
    let line = |at: usize| 1 + text.get(..at).unwrap_or_default().matches('\n').count();
    let rule = |(word, pattern): (&Word, Pattern)| RuleText {
        pattern,
        when: When { kinds: Kind::File.bit(), conditions: 0 },
        treatment: Some(Treatment::Semantic),
        view: Some(View::Keyed),
        severity: None,
        reason: Some("a secret: its content never leaves the host, and is compared by a keyed digest".to_owned()),
        origin: Origin::User,
        line: line(word.span().start),
    };
    let patterns: Vec<(&Word, Pattern)> =
        words.iter().take(SECRETS).filter_map(|word| Some((word, pattern(word, mistakes)?))).collect();
    patterns.into_iter().map(rule).collect()
}

/// The reason of a rule; asked for only where it weakens, so that tightening stays cheap.
fn reason(
    raw: &v1::Rule,
    treatment: Option<Treatment>,
    severity: Option<Severity>,
    mistakes: &mut Collected,
) -> Option<String> {
    if let Some(word) = &raw.reason {
        let text = word.get_ref().trim();
        if text.is_empty() {
            mistakes.note(word.span(), "the reason is empty", "say why, for whoever reads the coverage in a year");
        }
        return Some(text.to_owned());
    }
    let weakens = match treatment {
        Some(Treatment::Strict) | None => None,
        Some(weak) => Some((&raw.treatment, weak.word())),
    };
    let weakens = weakens.or((severity == Some(Severity::Info)).then_some((&raw.severity, "info")));
    if let Some((word, name)) = weakens {
        mistakes.note(
            word.as_ref().map_or(raw.span.clone(), Spanned::span),
            format!("`{name}` weakens the audit and needs a reason"),
            "add to the rule: reason = \"...\"",
        );
    }
    None
}
