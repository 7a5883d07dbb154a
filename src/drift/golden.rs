//! Which texts of a golden machine are kept, and the texts that are.
//!
//! *Invariant:* a text is kept only where it is that of the file's recorded digest, and only masked.

use super::inquiry::{Proof, head, is_told, proof};
use super::mask;
use crate::manifest::texts::{CONTENT_MAX, TOTAL_MAX};
use crate::manifest::{GoldenText, GoldenTexts};
use crate::policy::Policy;
use crate::protocol::reply::{Text, TextState};
use crate::protocol::request::Want;
use crate::protocol::view::Viewed;
use crate::protocol::{Attr, Kind, Record};
use std::collections::BTreeMap;

/// What is asked of a golden machine, ascending: the text of every view, and the content of every file that the policy
/// shows and whose content is compared.
#[must_use]
pub fn questions(records: &[Record], policy: &Policy) -> Vec<(Vec<u8>, Want)> {
    let mut questions = Vec::new();
    for record in records {
        let view = record.view();
        let Some(path) = view.path().filter(|_| view.kind() == Some(Kind::File)) else { continue };
        let viewed = view.present(Attr::View).and_then(Viewed::decode);
        if let Some(viewed) = viewed.filter(is_told) {
            questions.push((path.to_vec(), Want::View(viewed.view)));
        }
        if (viewed.is_some() || view.present(Attr::Content).is_some()) && policy.shows(path) {
            questions.push((path.to_vec(), head()));
        }
    }
    questions
}

/// What came of the texts of a golden machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The texts that are kept, masked.
    pub texts: GoldenTexts,
    /// Paths whose text is too long, or past what all may take together.
    pub left_out: Vec<Vec<u8>>,
    /// Paths whose text is not that of their record, or not the same twice: they changed meanwhile.
    pub changed: Vec<Vec<u8>>,
}

/// Chooses among the answers of two readings.
#[must_use]
pub fn keep(
    records: &[Record],
    policy: &Policy,
    first: &BTreeMap<(Vec<u8>, Want), Text>,
    second: &BTreeMap<(Vec<u8>, Want), Text>,
) -> Kept {
    let mut kept = Kept::default();
    let mut room = TOTAL_MAX;
    let by_path: BTreeMap<&[u8], &Record> =
        records.iter().filter_map(|record| Some((record.view().path()?, record))).collect();
    for question in questions(records, policy) {
        let (path, want) = &question;
        let Some(text) = first.get(&question) else {
            kept.left_out.push(path.clone());
            continue;
        };
        let proof = by_path.get(path.as_slice()).map_or(Proof::Another, |record| proof(record.view(), *want, text));
        match (text.state, proof) {
            _ if second.get(&question) != Some(text) => kept.changed.push(path.clone()),
            // The probe's own list forbids it, or the view has no text; the digest is all there is.
            (TextState::Secret | TextState::NotParsed, _) => {}
            (TextState::Cut, _) => kept.left_out.push(path.clone()),
            (TextState::Absent | TextState::Unread, _) | (TextState::Whole, Proof::Another) => {
                kept.changed.push(path.clone());
            }
            (TextState::Whole, Proof::Same | Proof::None) => {
                let view = match want {
                    Want::View(view) => Some(*view),
                    Want::Head(_) | Want::Tail(_) | Want::Stat => None,
                };
                let text = mask::of_want(*want, &text.bytes);
                match room.checked_sub(text.len()).filter(|_| view.is_some() || text.len() <= CONTENT_MAX) {
                    Some(left) => {
                        room = left;
                        kept.texts.put(path, GoldenText { view, text: text.into() });
                    }
                    None => kept.left_out.push(path.clone()),
                }
            }
        }
    }
    kept.left_out.dedup();
    kept.changed.dedup();
    kept
}
