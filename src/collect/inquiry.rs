//! The questions that explain a difference, asked on the same stream.
//!
//! *Invariant:* answers come in the order of the questions and are bounded each and together; one that does not come
//! leaves a finding with fewer words, never another finding.

use super::converse::Talk;
use super::failure::Failure;
use crate::drift::inquiry::{Answers, Questions};
use crate::protocol::Reader;
use crate::protocol::reply::{FrameKind, Owned, Text};
use crate::protocol::request::{FollowUp, PATHS_MAX, Want};

/// What all texts of one host together may take.
const TEXTS: usize = 6 << 20;
/// What one message's paths may take.
const MESSAGE: usize = 512 * 1024;

impl Talk<'_, '_> {
    /// Asks, and reads what comes.
    pub(super) fn inquire(&mut self, questions: &Questions) -> Result<Answers, Failure> {
        let mut answers = Answers::default();
        let mut space = TEXTS;
        for chunk in chunks(&questions.texts, |(path, _)| path.len()) {
            self.send(&FollowUp::Texts(chunk.to_vec()))?;
            for question in chunk {
                let payload = self.payload(FrameKind::Text)?;
                let text = Text::decode(&payload).map_err(Failure::protocol)?;
                // What is past the room is read and dropped: a host that says much hides nothing by it.
                let fits = space.checked_sub(text.bytes.len());
                if let Some(left) = fits {
                    space = left;
                    answers.texts.insert(question.clone(), text);
                }
            }
        }
        answers.owners = self.owners(&questions.owners, true)?.into_iter().collect();
        Ok(answers)
    }

    /// The packages of these paths, which ascend; `prove` asks whether they are as shipped.
    pub(super) fn owners(&mut self, paths: &[Vec<u8>], prove: bool) -> Result<Vec<(Vec<u8>, Owned)>, Failure> {
        let mut owned = Vec::with_capacity(paths.len());
        for chunk in chunks(paths, Vec::len) {
            self.send(&FollowUp::Owners { prove, paths: chunk.to_vec() })?;
            let mut waiting = chunk.iter();
            while waiting.len() > 0 {
                let payload = self.payload(FrameKind::Owned)?;
                let mut reader = Reader::new(&payload);
                if reader.is_empty() {
                    return Err(Failure::protocol("an answer without an owner"));
                }
                while !reader.is_empty() {
                    let said = Owned::decode(&mut reader).map_err(Failure::protocol)?;
                    let path = waiting.next().ok_or_else(|| Failure::protocol("more owners than were asked for"))?;
                    owned.push((path.clone(), said));
                }
            }
        }
        Ok(owned)
    }

    /// Texts of files, in the order of the questions.
    pub(super) fn texts_of(&mut self, questions: &[(Vec<u8>, Want)]) -> Result<Vec<Text>, Failure> {
        let mut texts = Vec::with_capacity(questions.len());
        for chunk in chunks(questions, |(path, _)| path.len()) {
            self.send(&FollowUp::Texts(chunk.to_vec()))?;
            for _ in chunk {
                texts.push(Text::decode(&self.payload(FrameKind::Text)?).map_err(Failure::protocol)?);
            }
        }
        Ok(texts)
    }
}

/// Cuts a list into messages that a probe takes.
fn chunks<T>(list: &[T], len: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut chunks = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, part) in list.iter().enumerate() {
        let more = len(part) + 16;
        if at > from && (bytes + more > MESSAGE || at - from >= PATHS_MAX) {
            chunks.push(&list[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += more;
    }
    if from < list.len() {
        chunks.push(&list[from..]);
    }
    chunks
}
