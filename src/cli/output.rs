//! Where reports go: standard output, or a file.
//!
//! *Invariant:* a reader that closes the pipe early (`| head`) is not an error, and never changes the exit status.

use super::args::{By, OutputArgs};
use super::trouble::{Outcome, Trouble};
use crate::inventory::fold;
use crate::model::FleetOutcome;
use crate::report::template::FORMS;
use crate::report::{json, table};
use std::io::{self, Write};
use std::path::Path;

/// What `--format` takes where a run is told.
pub(super) fn known() -> Vec<&'static str> {
    ["table", "json"].into_iter().chain(FORMS.iter().map(|form| form.name)).collect()
}

/// One document to write, by the name of its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// One of those that the command knows.
    pub(super) name: &'a str,
    file: Option<&'a Path>,
}

/// Reads the `--format` flags of a command with formats of its own; two that go to the same place are refused.
pub(super) fn named<'a>(words: &'a [String], known: &[&str]) -> Outcome<Vec<Named<'a>>> {
    let mut all: Vec<Named<'_>> = Vec::new();
    for word in words {
        let (name, file) = word.split_once('=').map_or((word.as_str(), None), |(name, file)| (name, Some(file)));
        if !known.contains(&name) {
            return Err(Trouble::with(
                format!("there is no format {name:?} here"),
                format!("--format with one of {}, and =FILE for a file", known.join(", ")),
            ));
        }
        let one = Named { name, file: file.map(Path::new) };
        if file == Some("") || all.iter().any(|other| other.file == one.file) {
            return Err(Trouble::with(
                format!("--format {word}: two formats can't go to one place"),
                format!("--format {} --format {name}=FILE", known.first().unwrap_or(&name)),
            ));
        }
        all.push(one);
    }
    Ok(all)
}

impl Named<'_> {
    /// Whether it goes to standard output.
    pub(super) fn is_shown(&self) -> bool {
        self.file.is_none()
    }

    /// Writes it where it goes: a file appears whole or not at all. `render` is told the columns of a terminal.
    pub(super) fn deliver(&self, render: impl FnOnce(Option<usize>, &mut Vec<u8>) -> Outcome<()>) -> Outcome<()> {
        let mut bytes = Vec::new();
        let Some(path) = self.file else {
            render(width(), &mut bytes)?;
            return put(&bytes);
        };
        render(None, &mut bytes)?;
        write_file(path, &bytes).map_err(|error| Trouble::new(format!("{}: {error}", path.display())))
    }
}

/// Lays out one page of text for [`Named::deliver`]; `path` is where its JSON is kept.
pub(super) fn lay_out(
    args: &OutputArgs,
    width: Option<usize>,
    path: &str,
    write: impl FnOnce(&table::Options<'_>) -> io::Result<()>,
) -> Outcome<()> {
    let folded = |names: &[&str]| fold(names.iter().copied());
    write(&options(args, width, Some(path), &folded)).map_err(Trouble::new)
}

/// Which view of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Decisions and findings, host by host.
    Findings,
    /// The same, each finding once with its hosts.
    ByFinding,
    /// What was read and left out.
    Coverage,
}

impl From<By> for View {
    fn from(by: By) -> Self {
        match by {
            By::Host => Self::Findings,
            By::Finding => Self::ByFinding,
        }
    }
}

/// Prints an outcome in each format. With `silent` nothing goes to standard output; a file that was asked for is written
/// all the same, or it would keep telling of another run.
pub(super) fn print(
    outcome: &FleetOutcome,
    view: View,
    formats: &[Named<'_>],
    report: Option<&str>,
    args: &OutputArgs,
    silent: bool,
) -> Outcome<()> {
    for format in formats.iter().filter(|format| !silent || !format.is_shown()) {
        format
            .deliver(|width, to| render(outcome, view, format.name, report, args, width, to).map_err(Trouble::new))?;
    }
    Ok(())
}

/// Prints a document that is a table or JSON by what writes it; with `silent` only to the files that were asked for.
pub(super) fn print_each(
    formats: &[Named<'_>],
    args: &OutputArgs,
    silent: bool,
    json: &mut dyn FnMut(&mut Vec<u8>) -> io::Result<()>,
    table: &mut dyn FnMut(&table::Options<'_>, &mut Vec<u8>) -> io::Result<()>,
) -> Outcome<()> {
    let folded = |names: &[&str]| fold(names.iter().copied());
    for format in formats.iter().filter(|format| !silent || !format.is_shown()) {
        format.deliver(|width, to| {
            let written = match format.name {
                "json" => json(to),
                _ => table(&options(args, width, None, &folded), to),
            };
            written.map_err(Trouble::new)
        })?;
    }
    Ok(())
}

/// Prints one page of text on standard output.
pub(super) fn page(
    args: &OutputArgs,
    write: impl FnOnce(&table::Options<'_>, &mut dyn Write) -> io::Result<()>,
) -> Outcome<()> {
    let folded = |names: &[&str]| fold(names.iter().copied());
    let mut bytes = Vec::new();
    write(&options(args, width(), None, &folded), &mut bytes).map_err(Trouble::new)?;
    put(&bytes)
}

/// The columns of a terminal; `None` where standard output is none.
fn width() -> Option<usize> {
    let width = anstream::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    width.map(|(width, _)| usize::from(width.0).clamp(80, 160))
}

fn put(bytes: &[u8]) -> Outcome<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Trouble::new(format!("standard output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn options<'a>(
    args: &OutputArgs,
    width: Option<usize>,
    report: Option<&str>,
    folded: table::Fold<'a>,
) -> table::Options<'a> {
    table::Options {
        width: width.unwrap_or(table::DEFAULT_WIDTH),
        // The stream takes colour out where it does not belong; a file never gets any.
        color: width.is_some() || args.color == super::args::Color::Always,
        report_path: report.map(ToOwned::to_owned),
        verbose: args.verbose,
        ..table::Options::new(folded)
    }
}

fn render(
    outcome: &FleetOutcome,
    view: View,
    name: &str,
    report: Option<&str>,
    args: &OutputArgs,
    width: Option<usize>,
    to: &mut Vec<u8>,
) -> io::Result<()> {
    let folded = |names: &[&str]| fold(names.iter().copied());
    let mut options = options(args, width, report, &folded);
    options.by_finding = view == View::ByFinding;
    if let Some(form) = FORMS.into_iter().find(|form| form.name == name) {
        return form.write(outcome, to);
    }
    match (name, view) {
        ("json", _) => json::write(outcome, to),
        (_, View::Findings | View::ByFinding) => table::write(outcome, &options, to),
        (_, View::Coverage) => table::coverage(outcome, &options, to),
    }
}

/// A report names hosts and paths: it is for its owner. It appears whole or not at all.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if path.exists() && !path.is_file() {
        // A pipe or a device, /dev/stderr say.
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let mut file = tempfile::Builder::new().prefix(".report.").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
