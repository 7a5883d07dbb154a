//! The common change as what a template would need to have it: fold it in, or find who does it.
//!
//! Nothing here is meant for a host. The lines are for the source of an image, from which new servers are built.
//!
//! *Invariant:* only common drift is rendered; what can't be written as a line stands there as a comment, so that nothing is
//! lost between the report and the template.

mod change;
mod cloud_init;
mod dockerfile;
mod packer;
mod shell;

use crate::model::FleetOutcome;
use change::{Change, Group, Told};
use shell::{by_hand, commands, comment};
use std::io::{self, Write};

/// A form of template source.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// As `--format` names it.
    pub name: &'static str,
    render: fn(&[Group<'_>], &mut dyn Write) -> io::Result<()>,
}

/// Every form; a new one is a new file and a line here.
pub const FORMS: [Form; 3] = [
    Form { name: "dockerfile", render: dockerfile::render },
    Form { name: "packer", render: packer::render },
    Form { name: "cloud-init", render: cloud_init::render },
];

impl Form {
    /// Writes the common change of a run in this form.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write(self, outcome: &FleetOutcome, w: &mut dyn Write) -> io::Result<()> {
        (self.render)(&change::groups(outcome), w)
    }
}

/// How a form writes.
struct Lines<'a> {
    /// What begins a comment.
    mark: &'a str,
    /// The lines that bring a file of this path, whose bytes have that digest.
    file: &'a dyn Fn(&str, &str) -> io::Result<Vec<String>>,
    /// The line of a command.
    command: &'a dyn Fn(&str) -> io::Result<String>,
}

/// Writes every change of every group, or that there is none.
fn rows(groups: &[Group<'_>], lines: &Lines<'_>, w: &mut dyn Write) -> io::Result<()> {
    for group in groups {
        head(group, lines.mark, w)?;
        for (says, share, changes) in &group.rows {
            writeln!(w, "\n{}{} ({share})", lines.mark, comment(says))?;
            for told in changes {
                change(told, says, lines, w)?;
            }
        }
    }
    none(groups, "# ", w)
}

/// Writes one change of a row that says `says`.
fn change(told: &Told, says: &str, lines: &Lines<'_>, w: &mut dyn Write) -> io::Result<()> {
    if let Change::File { path, content, .. } = &told.change {
        for line in (lines.file)(path, content)? {
            writeln!(w, "{line}")?;
        }
    }
    let by_hand = by_hand(&told.change);
    if by_hand.is_some() && told.says != says {
        writeln!(w, "{}{}", lines.mark, comment(&told.says))?;
    }
    for command in commands(&told.change) {
        writeln!(w, "{}", (lines.command)(&command)?)?;
    }
    by_hand.map_or(Ok(()), |by_hand| writeln!(w, "{}{by_hand}", lines.mark))
}

/// What stands before the lines of a group.
fn head(group: &Group<'_>, mark: &str, w: &mut dyn Write) -> io::Result<()> {
    let name = if group.name.is_empty() { "hosts of no group" } else { group.name };
    let against = group.reference.map(|label| format!(", and {label} lacks")).unwrap_or_default();
    writeln!(w, "\n{mark}{}", comment(&format!("What most of {name} have{against}.")))?;
    writeln!(w, "{mark}Fold it into the source of the image, or stop what does it; never run this on a server.")
}

/// What stands there where nothing is common.
fn none(groups: &[Group<'_>], mark: &str, w: &mut dyn Write) -> io::Result<()> {
    if groups.is_empty() { writeln!(w, "{mark}Nothing in this run is common drift.") } else { Ok(()) }
}

#[cfg(test)]
mod tests;
