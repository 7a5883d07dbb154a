//! Diffs of masked texts: what a person sees of a content that differs.
//!
//! *Invariant:* both sides were masked before they came here, every line is escaped, and what all diffs of a host may
//! take, in work and in words, is bounded.

use super::inquiry::{Answers, head};
use super::reference::{Difference, Reference};
use crate::model::text::escape;
use crate::model::{Change, Code, Finding};
use crate::policy::Policy;
use crate::protocol::Kind;
use crate::protocol::reply::{Text, TextState};
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Lines around a difference.
const CONTEXT: usize = 3;
/// The most lines of one diff.
const LINES_MAX: usize = 200;
/// The most bytes of one diff.
const BYTES_MAX: usize = 16 * 1024;
/// What all diffs of one host may cost: of each the square of its lines.
const WORK: usize = 400_000_000;

/// Puts diffs to the findings of contents that the policy shows; of several findings of one file, to the first.
pub(super) fn attach(
    findings: &mut [Finding],
    difference: &Difference,
    selected: &Reference,
    answers: &Answers,
    policy: &Policy,
) {
    let mut told: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut work = WORK;
    for finding in findings {
        let is_record = finding.subject.starts_with(b"record:");
        let is_content = matches!(finding.code, Code::ContentChanged | Code::FileAdded);
        let Some(path) = finding.path().filter(|path| (is_record || is_content) && policy.shows(path)) else {
            continue;
        };
        if told.contains(path) || !is_file(difference, path) {
            continue;
        }
        let path = path.to_vec();
        let Some(text) = answers.texts.get(&(path.clone(), head())) else { continue };
        let golden = selected.texts.content(&path);
        let is_added = finding.change == Change::Added && !is_record;
        tell(finding, golden, is_added, text, &mut work);
        told.insert(path);
    }
}

/// Whether the host has a regular file there.
fn is_file(difference: &Difference, path: &[u8]) -> bool {
    let subject = [&b"fs:"[..], path].concat();
    let at = difference.added.binary_search_by(|record| record.subject().cmp(&subject));
    at.ok().and_then(|at| difference.added.get(at)).and_then(|record| record.view().kind()) == Some(Kind::File)
}

fn tell(finding: &mut Finding, golden: Option<&[u8]>, is_added: bool, text: &Text, work: &mut usize) {
    let mut say = |text: &str| finding.told.explanation.push(text.to_owned());
    let before = match (golden, text.state) {
        (_, TextState::Secret) => return say("its content is of the secret class and does not leave the host"),
        (_, TextState::Unread | TextState::Absent) => return say("its content could not be read again for a diff"),
        // Heads have no view to be parsed by.
        (_, TextState::NotParsed) => return,
        (None, TextState::Whole | TextState::Cut) if is_added => &b""[..],
        (_, TextState::Cut) => return say("its content is longer than 64 KiB, so that no diff is shown"),
        (None, TextState::Whole) => return say("the baseline holds no text of it, so that no diff is shown"),
        (Some(golden), TextState::Whole) => golden,
    };
    if before.contains(&0) || text.bytes.contains(&0) {
        return say("its content is no text, so that no diff is shown");
    }
    if before == text.bytes {
        return say("only masked values differ");
    }
    match unified(before, &text.bytes, work) {
        Some(diff) => {
            say(&format!("+{} -{} lines", diff.added, diff.removed));
            finding.told.diff = Some(diff.text);
        }
        None => say("too many lines differ for a diff"),
    }
}

/// A diff and what it counts.
struct Unified {
    text: String,
    added: usize,
    removed: usize,
}

/// Lines, escaped. A last line without an end is another one than the same with it.
fn lines(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = text.split(|b| *b == b'\n').map(escape).collect();
    match lines.last_mut() {
        Some(last) if last.is_empty() => {
            lines.pop();
        }
        Some(last) => last.push_str(" (no line feed at the end)"),
        None => {}
    }
    lines
}

/// The unified diff; `None` where it would cost more than is left.
fn unified(before: &[u8], after: &[u8], work: &mut usize) -> Option<Unified> {
    let (old, new) = (lines(before), lines(after));
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let differing = (old.len() - same).saturating_add(new.len() - same);
    *work = work.checked_sub(differing.checked_mul(differing)?)?;
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let mut out = Capped::default();
    let (mut added, mut removed) = (0, 0);
    for group in group_diff_ops(ops, CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (was, is) = (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
        // As diff(1) counts: from 1, and of nothing the line before.
        let start = |range: &std::ops::Range<usize>| range.start + usize::from(!range.is_empty());
        out.line('@', &format!("@ -{},{} +{},{} @@", start(&was), was.len(), start(&is), is.len()));
        for op in group {
            let (gone, come) = match op {
                DiffOp::Equal { .. } => {
                    out.all(' ', old.get(op.old_range()).unwrap_or_default());
                    continue;
                }
                DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                    (old.get(op.old_range()).unwrap_or_default(), new.get(op.new_range()).unwrap_or_default())
                }
            };
            removed += gone.len();
            added += come.len();
            out.all('-', gone);
            out.all('+', come);
        }
    }
    Some(Unified { text: out.finish(), added, removed })
}

/// Lines up to the caps.
#[derive(Default)]
struct Capped {
    text: String,
    lines: usize,
    left_out: usize,
}

impl Capped {
    fn all(&mut self, sign: char, lines: &[String]) {
        for line in lines {
            self.line(sign, line);
        }
    }

    fn line(&mut self, sign: char, line: &str) {
        if self.lines >= LINES_MAX || self.left_out > 0 || self.text.len() + line.len() + 2 > BYTES_MAX {
            self.left_out += 1;
            return;
        }
        self.lines += 1;
        self.text.push(sign);
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let _ = writeln!(self.text, "... {} more lines", self.left_out);
        }
        self.text
    }
}

#[cfg(test)]
mod tests;
