//! Mistakes in a file that a person wrote, each with its place, the line it stands in and what to write instead.
//!
//! *Invariant:* all mistakes of a file are told together, in the order of the file; the quoted line is printable.

use crate::model::text::escape;
use std::fmt;
use std::ops::Range;

/// The longest piece of a line that is quoted.
const QUOTED: usize = 100;
/// The most mistakes that are printed; the rest is counted.
const PRINTED: usize = 50;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: Option<String>,
    /// The line, made printable and cut to what matters.
    quoted: String,
    /// Characters of `quoted` before the marked ones, and how many are marked.
    mark: (usize, usize),
}

/// Every mistake of one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    /// The file as it was named.
    pub file: String,
    /// In the order of the file; never empty.
    pub list: Vec<Mistake>,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = escape(self.file.as_bytes());
        for (at, mistake) in self.list.iter().take(PRINTED).enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            let Mistake { line, column, message, remedy, quoted, mark: (before, marked) } = mistake;
            let number = line.to_string();
            let margin = number.len();
            writeln!(f, "{file}:{line}:{column}: {message}")?;
            let space = if quoted.is_empty() { "" } else { " " };
            writeln!(f, " {number} |{space}{quoted}")?;
            write!(f, " {:margin$} | {:before$}{}", "", "", "^".repeat(*marked))?;
            if let Some(remedy) = remedy {
                write!(f, "\n {:margin$} = {remedy}", "")?;
            }
        }
        match self.list.len().saturating_sub(PRINTED) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// Collects mistakes by their place in the text.
#[derive(Debug, Default)]
pub(crate) struct Collected(Vec<(Range<usize>, String, Option<String>)>);

impl Collected {
    /// Notes a mistake that covers these bytes of the text.
    pub(crate) fn note(&mut self, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        self.0.push((span, message.into(), Some(remedy.into())));
    }

    /// Notes a mistake whose message says it all.
    pub(crate) fn note_plain(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.0.push((span, message.into(), None));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Places the mistakes in the text.
    pub(crate) fn place(mut self, file: &str, text: &str) -> Mistakes {
        self.0.sort_by_key(|(span, _, _)| span.start);
        let mut counted = (0, 1);
        let list = self.0.into_iter().map(|(span, message, remedy)| {
            let start = boundary(text, span.start);
            counted = (start, counted.1 + text[counted.0..start].matches('\n').count());
            place(text, counted.1, start..span.end, message, remedy)
        });
        let list = list.collect();
        Mistakes { file: file.to_owned(), list }
    }
}

/// Places one mistake, whose line number and first byte, on a character boundary, are known.
fn place(text: &str, number: usize, span: Range<usize>, message: String, remedy: Option<String>) -> Mistake {
    let start = span.start;
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[from..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
    let head = &text[from..start];
    let end = boundary(text, span.end.min(from + line.len())).max(start);
    let marked = text[start..end].chars().count().max(1);
    let column = head.chars().count() + 1;
    // A line may be a megabyte long: quote from shortly before the place.
    let skip = if column + marked.min(QUOTED / 2) > QUOTED { column.saturating_sub(QUOTED / 4) } else { 0 };
    let window = |skip: usize, take: usize| line.chars().skip(skip).take(take).map(printable).collect::<String>();
    let cut = if skip > 0 { "..." } else { "" };
    let before = cut.len() + window(skip, (column - 1).saturating_sub(skip)).chars().count();
    let quoted = format!("{cut}{}", window(skip, QUOTED));
    let room = quoted.chars().count().saturating_sub(before).max(1);
    let shown = window(column - 1, marked.min(QUOTED)).chars().count().clamp(1, room);
    Mistake { line: number, column, message, remedy, quoted, mark: (before, shown) }
}

/// The character boundary at or before a byte of the text.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A character of the user's own file: as the escaper has it, but a tab is a space and a backslash itself, for the line
/// must look like the file.
fn printable(c: char) -> String {
    match c {
        '\t' => " ".to_owned(),
        '\\' => "\\".to_owned(),
        c => escape(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(text: &str, span: Range<usize>) -> String {
        let mut collected = Collected::default();
        collected.note(span, "wrong", "write it right");
        collected.place("policy.toml", text).to_string()
    }

    #[test]
    fn the_line_is_quoted_and_marked() {
        insta::assert_snapshot!(render("a = 1\n\tb = \"lwö\"\n", 11..17), @r#"
        policy.toml:2:6: wrong
         2 |  b = "lwö"
           |      ^^^^^
           = write it right
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let shown = render(&text, 5_000..5_001);
        assert!(shown.lines().all(|line| line.chars().count() < 120), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1].find('X'), lines[2].find('^'), "{shown}");
    }

    #[test]
    fn a_span_of_several_lines_marks_the_first() {
        insta::assert_snapshot!(render("[[rule]]\r\npath = 1\r\n", 0..18), @r"
        policy.toml:1:1: wrong
         1 | [[rule]]
           | ^^^^^^^^
           = write it right
        ");
    }

    #[test]
    fn lines_are_counted_over_many_mistakes() {
        let text = "a\nbö\n\nc\n";
        let mut collected = Collected::default();
        for at in [6, 2, 0, 2, 4] {
            collected.note_plain(at..at + 1, "wrong");
        }
        let places = collected.place("p", text).list.iter().map(|m| (m.line, m.column)).collect::<Vec<_>>();
        assert_eq!(places, [(1, 1), (2, 1), (2, 1), (2, 2), (3, 1)]);
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_is_placed(text in ".*\n?.*\n?.*", from in 0usize..64, length in 0usize..64) {
            let shown = render(&text, from..from + length);
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
