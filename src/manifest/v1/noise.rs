//! The learned rules in the header of a baseline.
//!
//! *Invariant:* a rule that strengthens nothing and weakens nothing is no learned rule: `strict` is refused, and so is a
//! word that this version does not know.

use super::{Text, kind_word};
use crate::manifest::noise::{Lesson, NoiseClass, NoiseRule};
use crate::policy::Treatment;
use crate::protocol::view::View;
use crate::protocol::{Kind, Pattern};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoiseLine {
    path: Text,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<String>,
    treatment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    class: String,
    reason: String,
    learned: Vec<LessonLine>,
    #[serde(default, skip_serializing_if = "is_zero")]
    more: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LessonLine {
    path: Text,
    hosts: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

pub(super) fn line(rule: &NoiseRule) -> NoiseLine {
    let kinds = Kind::ALL.into_iter().filter(|kind| rule.kinds & kind.bit() != 0);
    let lesson = |lesson: &Lesson| LessonLine { path: Text::of(&lesson.path), hosts: lesson.hosts.clone() };
    NoiseLine {
        path: Text::of(rule.pattern.text()),
        kinds: kinds.map(|kind| kind_word(kind).to_owned()).collect(),
        treatment: rule.treatment.word().to_owned(),
        view: rule.view.map(|view| view.word().to_owned()),
        class: rule.class.word().to_owned(),
        reason: rule.reason.clone(),
        learned: rule.learned.iter().map(lesson).collect(),
        more: rule.more,
    }
}

pub(super) fn rule(line: NoiseLine) -> Result<NoiseRule, String> {
    let pattern =
        Pattern::new(&line.path.bytes()?).map_err(|error| crate::model::text::escape(error.to_string().as_bytes()))?;
    let mut kinds = 0;
    for word in line.kinds {
        let kind = Kind::ALL.into_iter().find(|kind| kind_word(*kind) == word);
        kinds |= kind.ok_or_else(|| format!("kind {word:?}"))?.bit();
    }
    let treatment = Treatment::of(&line.treatment).filter(|treatment| *treatment != Treatment::Strict);
    let view = match line.view {
        Some(word) => Some(View::of_word(&word).ok_or_else(|| format!("view {word:?}"))?),
        None => None,
    };
    let lesson = |lesson: LessonLine| Ok::<_, String>(Lesson { path: lesson.path.bytes()?, hosts: lesson.hosts });
    Ok(NoiseRule {
        pattern,
        kinds,
        treatment: treatment.ok_or_else(|| format!("learned treatment {:?}", line.treatment))?,
        view,
        class: NoiseClass::of(&line.class).ok_or_else(|| format!("class {:?}", line.class))?,
        reason: line.reason,
        learned: line.learned.into_iter().map(lesson).collect::<Result<_, _>>()?,
        more: line.more,
    })
}
