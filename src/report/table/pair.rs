//! Two hosts side by side: what only one of them has, and what both have and differs.
//!
//! *Invariant:* every finding is a line, or is counted in the line of its cause.

use super::Options;
use super::page::{Atom, BOLD, GREEN, Page, YELLOW, atoms};
use super::sentence;
use super::words::{count, duration, grouped, severity};
use crate::model::text::escape;
use crate::model::{CauseKind, Change, Code, Line, line};
use crate::report::census::Head;
use crate::report::pair::Pair;
use std::io::{self, Write};

/// Lines of a section.
const MOST: usize = 20;

/// Writes a comparison of two hosts.
///
/// # Errors
/// When the writer fails.
pub fn pair(head: &Head, pair: &Pair, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    let (first, second) = (&pair.first.name, &pair.second.name);
    let mut pieces = atoms(&format!("{first} and {second} in {}:", duration(head.millis)));
    let findings = pair.second.findings.len() as u64;
    pieces.push(match (pair.status(), findings) {
        (0, _) => Atom::new("nothing differs").styled(GREEN),
        (_, 0) => Atom::new("not all was compared").styled(YELLOW),
        (_, n) => Atom::new(&count(n, "difference", "differences")).styled(YELLOW),
    });
    pieces.push(Atom::new(&format!("(exit {})", pair.status())));
    page.flow(0, 2, pieces);
    for change in [Change::Removed, Change::Added, Change::Changed] {
        let title = match change {
            Change::Removed => format!("ONLY ON {first}"),
            Change::Added => format!("ONLY ON {second}"),
            Change::Changed => format!("DIFFERS, {first} -> {second}"),
        };
        section(&title, change, pair, &mut page);
    }
    for obstacle in &pair.second.reasons {
        page.title("NOT COMPARED");
        page.flow(0, 8, vec![Atom::new(second).styled(BOLD)]);
        page.flow(8, 10, atoms(&format!("{}: {}", obstacle.reason, obstacle.text)));
        if let Some(remedy) = &obstacle.remedy {
            page.flow(10, 10, atoms(remedy));
        }
    }
    w.write_all(page.text().as_bytes())
}

fn section(title: &str, change: Change, pair: &Pair, page: &mut Page<'_>) {
    let items: Vec<Line<'_>> = line::of(&pair.second).into_iter().filter(|item| side(item) == change).collect();
    if items.is_empty() {
        return;
    }
    page.title(title);
    let most = if page.options.verbose { items.len() } else { MOST };
    for item in items.iter().take(most) {
        let (word, style) = severity(item.severity());
        let word = Atom::new(word).styled(style);
        let gap = 6usize.saturating_sub(word.width());
        let body = body(item).into_iter().enumerate();
        let body = body.map(|(n, atom)| if n == 0 { atom.after(gap).glued() } else { atom });
        page.flow(2, 10, std::iter::once(word).chain(body).collect());
    }
    if let Some(more) = items.len().checked_sub(most).filter(|more| *more > 0) {
        page.flow(2, 10, atoms(&format!("... and {} more (-v shows them)", grouped(more as u64))));
    }
}

/// What a line says: of what only one side has what it is, since neither side added or removed it.
fn body(item: &Line<'_>) -> Vec<Atom> {
    let finding = match item {
        Line::Cause(_, cause) => return atoms(&cause.title),
        Line::Finding(finding) => finding,
    };
    let attributes = match finding.change {
        Change::Added => &finding.after,
        Change::Removed => &finding.before,
        Change::Changed => return sentence::atoms_of(finding),
    };
    match (finding.code, &finding.told.title, finding.path()) {
        (Code::FileAdded | Code::FileRemoved, None, Some(path)) => {
            let mut pieces = vec![Atom::new(&format!("{}:", escape(path)))];
            pieces.extend(atoms(&sentence::entry(attributes)));
            pieces
        }
        _ => sentence::atoms_of(finding),
    }
}

/// On which side a line belongs.
fn side(item: &Line<'_>) -> Change {
    match item {
        Line::Finding(finding) => finding.change,
        Line::Cause(_, cause) => match cause.kind {
            CauseKind::PackageAdded | CauseKind::TreeAdded => Change::Added,
            CauseKind::PackageRemoved | CauseKind::TreeRemoved => Change::Removed,
            CauseKind::PackageVersion | CauseKind::LanguagePackage => Change::Changed,
        },
    }
}
