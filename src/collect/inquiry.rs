//! The questions that explain a difference, asked on the same stream.
//!
//! *Invariant:* answers come in the order of the questions and are bounded each and together; one that does not come
//! leaves a finding with fewer words, never another finding.

use super::converse::Talk;
use super::failure::Failure;
use crate::drift::inquiry::{Answers, Questions};
use crate::drift::{Difference, state};
use crate::manifest::ProjectedSet;
use crate::protocol::record::RecordWriter;
use crate::protocol::reply::{FrameKind, Owned, Text, Texts, ability, evidence};
use crate::protocol::request::{FollowUp, PATHS_MAX, TEXT_MAX, Want};
use crate::protocol::usage::{PLACES_MAX, Survey, Usage};
use crate::protocol::{Attr, Reader, Record};
use std::collections::BTreeMap;
use std::time::Duration;

/// What all texts of one host together may take.
const TEXTS: usize = 6 << 20;
/// What one message's paths may take.
const MESSAGE: usize = 512 * 1024;
/// Entries that the places of state may cost the host.
const ENTRIES: u64 = 400_000;
/// The time that they may cost it, and never more than a quarter of what is left: it is better not to know them than to
/// lose the host to its deadline.
const SURVEY: Duration = Duration::from_secs(10);

impl Talk<'_, '_> {
    /// Asks, and reads what comes.
    pub(super) fn inquire(&mut self, questions: &Questions) -> Result<Answers, Failure> {
        let mut answers = Answers::default();
        let texts = self.texts_of(&questions.texts, TEXTS)?;
        answers.texts = questions.texts.iter().cloned().zip(texts).collect();
        answers.owners = self.owners(&questions.owners, true)?.into_iter().collect();
        Ok(answers)
    }

    /// How much stands at places that may hold state, by path; nothing where the probe does not say that it can tell: it is
    /// one of an older build, and would end the conversation at a question that it does not know.
    pub(super) fn survey(
        &mut self,
        said: &Texts,
        base: &ProjectedSet,
        difference: &Difference,
    ) -> Result<Option<BTreeMap<Vec<u8>, Usage>>, Failure> {
        if !said.texts(evidence::ABILITY).any(|ability| ability == ability::USAGE) {
            return Ok(None);
        }
        let mut places = state::questions(base, difference);
        places.truncate(PLACES_MAX);
        let paths: Vec<Vec<u8>> = places.iter().map(|place| place.path.clone()).collect();
        let millis = SURVEY.min(self.left() / 4).as_millis();
        let millis = u32::try_from(millis).unwrap_or(u32::MAX);
        self.send(&FollowUp::Usage(Survey { entries: ENTRIES, millis, places }))?;
        let mut usage = BTreeMap::new();
        for path in paths {
            if let Some(said) = Usage::decode(&self.payload(FrameKind::Usage)?).map_err(Failure::protocol)? {
                usage.insert(path, said);
            }
        }
        Ok(Some(usage))
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

    /// Records of a capture, each path with the package that it belongs to; what no package has, or what could not be
    /// told, stays as it is.
    pub(super) fn with_owners(&mut self, records: Vec<Record>) -> Result<Vec<Record>, Failure> {
        let paths: Vec<Vec<u8>> = records.iter().filter_map(|r| r.view().path().map(<[u8]>::to_vec)).collect();
        let mut owners = self.owners(&paths, false)?.into_iter().peekable();
        let owned = |record: Record| {
            let path = record.view().path();
            let said = path.and_then(|path| owners.next_if(|(asked, _)| asked == path));
            let Some(owner) = said.and_then(|(_, said)| said.owners.into_iter().next()) else { return record };
            let mut encoded = record.view().encoded().to_vec();
            // The last attribute there is: what it is appended to stays in order.
            RecordWriter::resume(&mut encoded).present(Attr::Package, &owner);
            Record::parse(&encoded).unwrap_or(record)
        };
        Ok(records.into_iter().map(owned).collect())
    }

    /// Texts of files, in the order of the questions: the first ones that together fit the room, whatever the host makes of
    /// them. No more is asked for, so that no answer breaks the bound of the wire.
    pub(super) fn texts_of(&mut self, questions: &[(Vec<u8>, Want)], room: usize) -> Result<Vec<Text>, Failure> {
        let mut texts = Vec::new();
        let (mut rest, mut room) = (questions, room);
        while !rest.is_empty() {
            let fitting = fitting(rest, room);
            let Some(chunk) = chunks(fitting, |(path, _)| path.len()).first().copied() else { break };
            self.send(&FollowUp::Texts(chunk.to_vec()))?;
            for _ in chunk {
                let text = Text::decode(&self.payload(FrameKind::Text)?).map_err(Failure::protocol)?;
                room = room.saturating_sub(text.bytes.len());
                texts.push(text);
            }
            rest = rest.get(chunk.len()..).unwrap_or_default();
        }
        Ok(texts)
    }
}

/// Those of the first questions whose answers fit the room, however long they are.
fn fitting(questions: &[(Vec<u8>, Want)], room: usize) -> &[(Vec<u8>, Want)] {
    let mut longest = 0;
    let count = questions.iter().take_while(|(_, want)| {
        longest += match want {
            Want::View(_) => TEXT_MAX,
            Want::Head(most) | Want::Tail(most) => *most as usize,
            Want::Stat => 128,
        };
        longest <= room
    });
    let count = count.count();
    questions.get(..count).unwrap_or_default()
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
