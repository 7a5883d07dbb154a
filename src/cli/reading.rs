//! Reading a golden machine: twice, and only what both readings agree on.
//!
//! *Invariant:* a path that was not read, a file that changed meanwhile and one that is too large refuse the whole, each by
//! its name.

use super::capture::{failed, random};
use super::progress::Spinner;
use super::trouble::{Outcome, Trouble};
use crate::collect::{self, Ask, Captured, Ran};
use crate::drift::compare::reason;
use crate::drift::golden;
use crate::manifest::{Baseline, GoldenTexts, Header};
use crate::model::text::escape;
use crate::policy::Policy;
use crate::protocol::coverage::Coverage;
use crate::protocol::{Attr, Mask, Record, Value};
use crate::transport::Connection;

/// What two readings agree on.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) captured: Captured,
    /// Paths whose text is too long to be kept.
    pub(super) left_out: Vec<Vec<u8>>,
    /// What was executed for the second of them.
    pub(super) ran: Ran,
    texts: GoldenTexts,
}

impl Reading {
    /// The baseline of it; takes the records and the texts out.
    pub(super) fn baseline(&mut self, header: Header) -> Outcome<Baseline> {
        Baseline::new(header, std::mem::take(&mut self.captured.records))
            .and_then(|baseline| baseline.with_texts(std::mem::take(&mut self.texts)))
            .map_err(refused)
    }
}

/// Reads twice under a policy, whose rules are those of `ask`.
pub(super) fn twice(
    connection: &mut dyn Connection,
    ask: &Ask<'_>,
    policy: &Policy,
    address: &str,
    spinner: &Spinner,
) -> Outcome<Reading> {
    let mut once = |number: u8| -> Outcome<(Captured, Ran)> {
        spinner.say(format!("reading {address}, {number} of 2"));
        let ask = Ask { nonce: random()?, policy: Some(policy), ..*ask };
        let mut ran = Ran::default();
        let captured = collect::capture(connection, &ask, &mut ran).map_err(|failure| failed(address, &failure))?;
        whole(&captured.coverage)?;
        Ok((captured, ran))
    };
    let ((captured, _), (second, ran)) = (once(1)?, once(2)?);
    agree(&captured.records, &second.records, |a, b| a == b)?;
    known(&captured)?;
    let kept = golden::keep(&captured.records, policy, &captured.texts, &second.texts);
    let changed: Vec<String> = kept.changed.iter().map(|path| escape(path)).collect();
    refuse_changed(&changed)?;
    Ok(Reading { captured, left_out: kept.left_out, ran, texts: kept.texts })
}

/// Refuses readings under two policies, the second of which has views of more files, that differ in anything else.
pub(super) fn agree_but_for_views(first: &[Record], second: &[Record]) -> Outcome<()> {
    let compared = |record: &Record, mask: Mask| {
        let mut bytes = Vec::new();
        record.view().project(mask, &mut bytes);
        bytes
    };
    agree(first, second, |a, b| {
        let is_viewed = [a, b].iter().any(|record| record.view().attr(Attr::View).is_some());
        // A group of hard links is named by its first path that is compared by its bytes.
        let mask = if is_viewed { Mask::METADATA } else { Mask::STRICT.without(Mask::NONE.with(Attr::Link)) };
        if a.view().path().is_none() { a == b } else { compared(a, mask) == compared(b, mask) }
    })
}

pub(super) fn refused(error: impl std::fmt::Display) -> Trouble {
    Trouble::new(format!("refused: {error}"))
}

/// Refuses a reading with a gap.
fn whole(coverage: &Coverage) -> Outcome<()> {
    if coverage.troubles_total == 0 {
        return Ok(());
    }
    let mut lines = vec![format!("the capture is refused: {} things were not read", coverage.troubles_total)];
    for trouble in coverage.troubles.iter().take(20) {
        lines.push(format!("  {} ({})", escape(&trouble.path), reason(trouble.why)));
    }
    if coverage.troubles_total > 20 {
        lines.push(format!("  and {} more", coverage.troubles_total - 20));
    }
    Err(Trouble::with(
        lines.join("\n"),
        "capture with --sudo, from a machine that is at rest; leave out by policy what always changes",
    ))
}

/// Refuses two readings that differ, and names what differs.
fn agree(first: &[Record], second: &[Record], same: impl Fn(&Record, &Record) -> bool) -> Outcome<()> {
    let mut changed: Vec<String> = Vec::new();
    let (mut a, mut b) = (first.iter().peekable(), second.iter().peekable());
    loop {
        let subject = match (a.peek(), b.peek()) {
            (None, None) => break,
            (Some(x), None) | (None, Some(x)) => x.subject().to_vec(),
            (Some(x), Some(y)) => x.subject().min(y.subject()).to_vec(),
        };
        let is = |record: &&Record| record.subject() == subject;
        if !matches!((a.next_if(is), b.next_if(is)), (Some(x), Some(y)) if same(x, y)) {
            changed.push(escape(&subject));
        }
    }
    refuse_changed(&changed)
}

fn refuse_changed(changed: &[String]) -> Outcome<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut lines = vec![format!("the capture is refused: {} things changed while it ran", changed.len())];
    lines.extend(changed.iter().take(20).map(|subject| format!("  {subject}")));
    if changed.len() > 20 {
        lines.push(format!("  and {} more", changed.len() - 20));
    }
    Err(Trouble::with(
        lines.join("\n"),
        "capture from a machine that is at rest, or compare these paths by metadata in the policy",
    ))
}

/// Refuses a file above the size cap: its content would be compared with nothing.
fn known(captured: &Captured) -> Outcome<()> {
    let oversize = |record: &&Record| {
        [Attr::Content, Attr::View].iter().any(|attr| record.view().attr(*attr) == Some(Value::Oversize))
    };
    let names: Vec<String> = captured
        .records
        .iter()
        .filter(oversize)
        .take(20)
        .map(|record| format!("  {}", escape(record.view().path().unwrap_or_default())))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Trouble::with(
        format!("the capture is refused: files above the size cap would not be compared\n{}", names.join("\n")),
        "compare them by metadata in the policy, or raise file_bytes in its [limits]",
    ))
}
