//! Lines of a bounded width, built from pieces that are never broken.
//!
//! *Invariant:* whatever the pieces hold, what is written has no control and no invisible character.

use super::Options;
use crate::model::text::escape;
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::fmt::Write as _;

/// For titles.
pub(in crate::report) const BOLD: Style = Style::new().bold();
/// For what is wrong.
pub(in crate::report) const RED: Style = AnsiColor::Red.on_default().bold();
/// For what deserves a look.
pub(in crate::report) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// For what is well.
pub(in crate::report) const GREEN: Style = AnsiColor::Green.on_default();
/// For what matters less.
pub(in crate::report) const DIM: Style = Style::new().dimmed();

/// Text without anything that could act on a terminal; escaped text passes unchanged.
pub(in crate::report) fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Backslashes stay: the text was escaped where it entered.
            ' '..='~' => out.push(c),
            c => out.push_str(&escape(c.encode_utf8(&mut [0; 4]).as_bytes())),
        }
    }
    Cow::Owned(out)
}

/// One piece that is never broken over lines.
#[derive(Debug, Clone)]
pub(in crate::report) struct Atom {
    text: String,
    style: Style,
    gap: usize,
    glued: bool,
}

impl Atom {
    /// A piece, one space after the one before it.
    pub(in crate::report) fn new(text: &str) -> Self {
        Self { text: plain(text).into_owned(), style: Style::new(), gap: 1, glued: false }
    }

    /// The piece in a style.
    pub(in crate::report) fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// The piece, that many spaces after the one before it.
    pub(in crate::report) fn after(mut self, gap: usize) -> Self {
        self.gap = gap;
        self
    }

    /// The piece, never at the start of a line unless it is the first.
    pub(in crate::report) fn glued(mut self) -> Self {
        self.glued = true;
        self
    }

    /// The piece with a mark right behind it.
    pub(in crate::report) fn followed_by(mut self, mark: &str) -> Self {
        self.text.push_str(mark);
        self
    }

    /// Columns; characters are counted, since the few wide ones do no harm here.
    pub(in crate::report) fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Every word of a text as a piece.
pub(in crate::report) fn atoms(text: &str) -> Vec<Atom> {
    text.split_whitespace().map(Atom::new).collect()
}

/// Every word of a text as a piece, and a command in parentheses that is never broken.
pub(in crate::report) fn atoms_then(text: &str, command: &str) -> Vec<Atom> {
    let mut out = atoms(text);
    out.push(Atom::new(&format!("({command})")));
    out
}

/// The texts as pieces of one sentence, none of them broken, with a separator after each but the last.
pub(in crate::report) fn list(texts: &[String], separator: &str) -> Vec<Atom> {
    let last = texts.len().saturating_sub(1);
    texts
        .iter()
        .enumerate()
        .map(|(n, text)| if n == last { Atom::new(text) } else { Atom::new(&format!("{text}{separator}")) })
        .collect()
}

/// The report as it grows.
pub(in crate::report) struct Page<'a> {
    out: String,
    /// How it is laid out.
    pub(in crate::report) options: &'a Options<'a>,
}

impl<'a> Page<'a> {
    pub(in crate::report) fn new(options: &'a Options<'a>) -> Self {
        Self { out: String::new(), options }
    }

    pub(in crate::report) fn text(&self) -> &str {
        &self.out
    }

    pub(in crate::report) fn width(&self) -> usize {
        self.options.width.max(40)
    }

    /// The names of hosts as node sets.
    pub(in crate::report) fn folded(&self, names: &[&str]) -> Vec<String> {
        (self.options.fold)(names)
    }

    /// An empty line.
    pub(in crate::report) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// An empty line and a title.
    pub(in crate::report) fn title(&mut self, text: &str) {
        self.blank();
        self.flow(0, 8, vec![Atom::new(text).styled(BOLD)]);
    }

    /// The same with a command that tells more.
    pub(super) fn title_then(&mut self, text: &str, command: &str) {
        self.blank();
        let more = Atom::new(&format!("({command})")).styled(DIM).after(2);
        self.flow(0, 8, vec![Atom::new(text).styled(BOLD), more]);
    }

    /// Text that was laid out elsewhere, line by line; trailing blanks are dropped.
    pub(in crate::report) fn block(&mut self, text: &str) {
        for line in text.lines() {
            self.out.push_str(plain(line).trim_end());
            self.out.push('\n');
        }
    }

    /// A paragraph that begins at one column and goes on at another.
    pub(in crate::report) fn flow(&mut self, indent: usize, hang: usize, atoms: Vec<Atom>) {
        let (first, rest) = (self.width().saturating_sub(indent), self.width().saturating_sub(hang));
        for (n, line) in wrap(atoms, first, rest).iter().enumerate() {
            self.pad(if n == 0 { indent } else { hang });
            self.put(line);
            self.out.push('\n');
        }
    }

    /// A paragraph under a label in the first columns.
    pub(in crate::report) fn labelled(&mut self, label: &str, hang: usize, body: Vec<Atom>) {
        let label = Atom::new(label).styled(BOLD);
        let gap = hang.saturating_sub(label.width()).max(2);
        let body = body.into_iter().enumerate().map(|(n, atom)| if n == 0 { atom.after(gap) } else { atom });
        self.flow(0, hang, std::iter::once(label).chain(body).collect());
    }

    /// Text of several lines, each kept as it is where it fits.
    pub(in crate::report) fn verbatim(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            self.flow(indent, indent + 2, self.kept(line, indent));
        }
    }

    /// A line as one piece where it fits behind the indent, else as its words.
    pub(in crate::report) fn kept(&self, line: &str, indent: usize) -> Vec<Atom> {
        let whole = Atom::new(line.trim_end());
        if indent + whole.width() <= self.width() && !whole.text.is_empty() { vec![whole] } else { atoms(line) }
    }

    /// A paragraph with one piece at the right edge of its first line.
    pub(in crate::report) fn flow_with_edge(&mut self, indent: usize, hang: usize, atoms: Vec<Atom>, edge: &Atom) {
        let room = self.width().saturating_sub(indent);
        let first = room.saturating_sub(edge.width() + 2);
        for (n, line) in wrap(atoms, first, self.width().saturating_sub(hang)).iter().enumerate() {
            self.pad(if n == 0 { indent } else { hang });
            self.put(line);
            if n == 0 {
                let used: usize = width_of(line);
                self.pad(room.saturating_sub(used + edge.width()).max(2));
                self.put(std::slice::from_ref(edge));
            }
            self.out.push('\n');
        }
    }

    /// One line with a piece at its right edge and one before it; what does not fit between is told by dots. The first
    /// pieces up to one that is glued stay whole, however long they are.
    pub(super) fn line_with_edge(&mut self, atoms: Vec<Atom>, mark: &Atom, edge: &Atom) {
        let room = self.width().saturating_sub(edge.width() + 2 + if mark.width() > 0 { mark.width() + 1 } else { 0 });
        let whole = atoms.iter().rposition(|atom| atom.glued).unwrap_or(0);
        let (mut line, mut used, mut cut) = (Vec::new(), 0, false);
        for (n, atom) in atoms.into_iter().filter(|atom| !atom.text.is_empty()).enumerate() {
            let takes = atom.width() + if n == 0 { 0 } else { atom.gap };
            // Room for the dots, unless nothing is cut in the end.
            if n > whole && used + takes + 4 > room {
                cut = true;
                break;
            }
            used += takes;
            line.push(atom);
        }
        line.extend(cut.then(|| Atom::new("...")));
        line.extend((mark.width() > 0).then(|| mark.clone()));
        self.put(&line);
        self.pad(self.width().saturating_sub(width_of(&line) + edge.width()).max(2));
        self.put(std::slice::from_ref(edge));
        self.out.push('\n');
    }

    fn pad(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn put(&mut self, line: &[Atom]) {
        for (n, atom) in line.iter().enumerate() {
            if n > 0 {
                self.pad(atom.gap);
            }
            if self.options.color && atom.style != Style::new() {
                let style = atom.style;
                // Writing to a string does not fail.
                let _ = write!(self.out, "{style}{}{style:#}", atom.text);
            } else {
                self.out.push_str(&atom.text);
            }
        }
    }
}

fn width_of(line: &[Atom]) -> usize {
    line.iter().enumerate().map(|(n, atom)| atom.width() + if n == 0 { 0 } else { atom.gap }).sum()
}

/// Fills lines greedily; a piece wider than a line stands alone on one.
fn wrap(atoms: Vec<Atom>, first: usize, rest: usize) -> Vec<Vec<Atom>> {
    let mut lines: Vec<Vec<Atom>> = Vec::new();
    let (mut line, mut used) = (Vec::new(), 0);
    for atom in atoms.into_iter().filter(|atom| !atom.text.is_empty()) {
        let room = if lines.is_empty() { first } else { rest };
        if !line.is_empty() && !atom.glued && used + atom.gap + atom.width() > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        used += atom.width() + if line.is_empty() { 0 } else { atom.gap };
        line.push(atom);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
