//! The whole story of one finding, of one path on a host, or of a code.
//!
//! *Invariant:* tells what the report holds and nothing else; what a host says of itself is marked as that, every time.

mod codes;

use super::frame::{hex_prefix, prefix_length};
use super::page::{Atom, BOLD, DIM, Page, atoms, list};
use super::words::{count, severity};
use super::{Options, sentence};
use crate::model::finding::attr_name;
use crate::model::text::{escape, hex};
use crate::model::{Attributes, Change, Code, Finding, FleetOutcome, HostOutcome, Severity};
use crate::protocol::{Attr, Pattern};
use std::io::{self, Write};

const HANG: usize = 10;
/// Hosts whose own evidence is told.
const MOST: usize = 8;

/// Writes the story of a finding.
///
/// # Errors
/// When the writer fails.
pub fn finding(outcome: &FleetOutcome, finding: &Finding, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    let having: Vec<(&HostOutcome, &Finding)> = outcome
        .hosts
        .iter()
        .flat_map(|host| host.findings.iter().map(move |own| (host, own)))
        .filter(|(_, own)| own.fingerprint == finding.fingerprint)
        .collect();
    page.flow(0, 2, sentence::atoms_of(finding).into_iter().map(|atom| atom.styled(BOLD)).collect());
    page.blank();
    facts(outcome, finding, &having, &mut page);
    sides(finding, &mut page);
    meaning(finding, &mut page);
    if let Some(diff) = &finding.told.diff {
        page.title("Difference, secrets masked");
        page.block(diff);
    }
    evidence(&having, &mut page);
    decided(outcome, finding, &mut page);
    next(outcome, finding, &having, &mut page);
    w.write_all(page.text().as_bytes())
}

fn facts(outcome: &FleetOutcome, finding: &Finding, having: &[(&HostOutcome, &Finding)], page: &mut Page<'_>) {
    let (word, style) = severity(finding.severity);
    let mut weight = vec![Atom::new(word).styled(style)];
    weight.extend(atoms(&format!("({}); drift begins at {}", finding.severity, outcome.drift_at)));
    page.labelled("Severity", HANG, weight);
    page.labelled("Code", HANG, atoms(&format!("{}: {}", finding.code.word(), finding.code.title())));
    page.labelled("Subject", HANG, vec![Atom::new(&escape(&finding.subject))]);
    page.labelled("Finding", HANG, vec![Atom::new(&hex(&finding.fingerprint))]);
    let names: Vec<&str> = having.iter().map(|(host, _)| host.name.as_str()).collect();
    let mut on = list(&page.folded(&names), "");
    on.extend(atoms(&format!("({} of {})", names.len(), count(outcome.hosts.len() as u64, "host", "hosts"))));
    page.labelled("On", HANG, on);
    let seen = format!("seen in run {} of {}; earlier runs are not looked at", outcome.run, outcome.started);
    page.labelled("Since", HANG, atoms(&seen));
    if let Some(class) = finding.told.class {
        let text =
            format!("{}, by the host's own package database, which it could forge", sentence::class_words(class));
        page.labelled("Class", HANG, atoms(&text));
    }
    let caused = having.iter().find_map(|(host, own)| Some((own, host.causes.get(own.cause?)?)));
    if let Some((own, cause)) = caused {
        let others = count(cause.findings.saturating_sub(1) as u64, "other finding", "other findings");
        let text = if own.fingerprint == cause.fingerprint {
            format!("it is the cause of {others}")
        } else {
            format!("{}, with {others} ({})", cause.title, hex_prefix(&cause.fingerprint, prefix_length(outcome)))
        };
        page.labelled("Cause", HANG, atoms(&text));
    }
    if let Some(waiver) = having.iter().find_map(|(_, own)| own.waiver.as_ref()) {
        let text = format!("accepted by {} until {}: {}", waiver.owner, waiver.until, waiver.reason);
        page.labelled("Waiver", HANG, atoms(&text));
        if waiver.of != hex(&finding.fingerprint) {
            page.flow(HANG, HANG, atoms(&format!("by the waiver of {}", waiver.of)));
        }
    }
}

/// Both sides in full.
fn sides(finding: &Finding, page: &mut Page<'_>) {
    let (before, after) = match finding.change {
        Change::Added => ("Before: not in the baseline", "On the host"),
        Change::Removed => ("In the baseline", "Now: not on the host"),
        Change::Changed => ("In the baseline", "On the host"),
    };
    for (title, side) in [(before, &finding.before), (after, &finding.after)] {
        page.title(title);
        attributes(side, page);
    }
}

fn attributes(side: &Attributes, page: &mut Page<'_>) {
    for attr in Attr::ALL {
        if let Some(text) = side.text(attr) {
            let value = if text.is_empty() { Atom::new("(empty)") } else { Atom::new(text) };
            let name = attr_name(attr);
            let gap = 12usize.saturating_sub(name.len()).max(2);
            page.flow(2, 14, vec![Atom::new(name).styled(DIM), value.after(gap)]);
        }
    }
}

/// Why it matters: what is told of this very finding, then what its code means.
fn meaning(finding: &Finding, page: &mut Page<'_>) {
    let text = codes::of(finding.code);
    page.title("Why it matters");
    for line in &finding.told.explanation {
        page.flow(2, 4, atoms(line));
    }
    page.flow(2, 4, atoms(text.means));
    page.flow(2, 4, atoms(text.matters));
    page.flow(2, 4, atoms(&format!("Often: {}", text.causes)));
}

/// What the hosts' own logs say, host by host.
fn evidence(having: &[(&HostOutcome, &Finding)], page: &mut Page<'_>) {
    let said: Vec<(&str, Vec<&String>)> = having
        .iter()
        .map(|(host, own)| {
            let cause = own.cause.and_then(|at| host.causes.get(at)).map(|cause| cause.evidence.as_slice());
            let lines = own.told.evidence.iter().chain(cause.unwrap_or_default());
            (host.name.as_str(), lines.collect::<Vec<_>>())
        })
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    if said.is_empty() {
        return;
    }
    page.title("How it happened, from the host's own logs, which it could forge");
    for (name, lines) in said.iter().take(MOST) {
        page.flow(2, 4, vec![Atom::new(name).styled(BOLD)]);
        let mut told: Vec<&String> = Vec::new();
        for line in lines {
            if !told.contains(line) {
                page.verbatim(4, line);
                told.push(line);
            }
        }
    }
    if let Some(more) = said.len().checked_sub(MOST).filter(|more| *more > 0) {
        page.flow(2, 4, atoms(&format!("... and of {}", count(more as u64, "other host", "other hosts"))));
    }
}

/// What decides how it is compared and what it is worth.
fn decided(outcome: &FleetOutcome, finding: &Finding, page: &mut Page<'_>) {
    page.title("What decides");
    page.flow(2, 4, atoms(codes::of(finding.code).compared));
    let drift = if finding.severity >= outcome.drift_at {
        "At this severity it makes a host drifted, unless it is waived."
    } else {
        "Below the threshold: it is shown and makes no host drifted."
    };
    page.flow(2, 4, atoms(drift));
}

fn next(outcome: &FleetOutcome, finding: &Finding, having: &[(&HostOutcome, &Finding)], page: &mut Page<'_>) {
    page.title("Next");
    page.flow(2, 4, atoms(codes::of(finding.code).act));
    let shown = hex_prefix(&finding.fingerprint, prefix_length(outcome));
    let mut commands = Vec::new();
    if let (Some(path), Some((host, _))) = (finding.path(), having.first()) {
        commands.push((format!("driftscan explain {} {}", host.name, quoted(path)), "all of this path on this host"));
        commands.push((format!("driftscan policy explain {}", quoted(path)), "the rule that compares it"));
    }
    commands.push((format!("driftscan explain {}", finding.code.word()), "what this kind of finding means"));
    let whole = finding.severity == Severity::Critical;
    let name = if whole { "FINGERPRINT".to_owned() } else { shown };
    if having.iter().all(|(_, own)| own.waiver.is_none()) {
        let waive = format!("driftscan waive {name} --until DATE --reason TEXT");
        commands.push((waive, if whole { "all 64 digits: accept it for a time" } else { "accept it for a time" }));
    }
    page.blank();
    typed(&commands, 2, page);
}

/// Commands to type, one below the other, with what each tells; one that is long has a line of its own.
fn typed(commands: &[(String, &str)], indent: usize, page: &mut Page<'_>) {
    const LONGEST: usize = 40;
    let widths = commands.iter().map(|(command, _)| command.chars().count()).filter(|width| *width <= LONGEST);
    let column = widths.max().unwrap_or(0) + 2;
    for (command, what) in commands {
        let command = Atom::new(command);
        let what = vec![Atom::new(what).styled(DIM)];
        if command.width() > LONGEST {
            page.flow(indent, indent, vec![command]);
            page.flow(indent + 4, indent + 4, what);
        } else {
            let gap = column.saturating_sub(command.width());
            page.flow(
                indent,
                indent + 4,
                [vec![command], what.into_iter().map(|atom| atom.after(gap)).collect()].concat(),
            );
        }
    }
}

/// A path as it is typed in a shell.
fn quoted(path: &[u8]) -> String {
    let text = escape(path);
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,%=".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Writes what is known of a path on a host; `path` as it was typed, or as reports show it.
///
/// # Errors
/// When the writer fails.
pub fn path(
    outcome: &FleetOutcome,
    host: &HostOutcome,
    path: &str,
    options: &Options<'_>,
    w: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(options);
    let is_it = |finding: &&Finding| finding.path().is_some_and(|own| own == path.as_bytes() || escape(own) == path);
    let found: Vec<&Finding> = host.findings.iter().filter(is_it).collect();
    let against = host.reference.as_ref().map(|label| format!(" from {label}")).unwrap_or_default();
    let mut head = vec![Atom::new(&host.name).styled(BOLD), Atom::new(path).styled(BOLD)];
    head.extend(atoms(&format!("in run {}: {}{against}", outcome.run, host.verdict)));
    page.flow(0, 2, head);
    page.blank();
    let prefix = prefix_length(outcome);
    for finding in &found {
        super::drifted::finding_line(finding, 2, prefix, &mut page);
        for line in &finding.told.explanation {
            page.flow(8, 10, atoms(line));
        }
        if let Some(cause) = finding.cause.and_then(|at| host.causes.get(at)) {
            page.flow(8, 10, atoms(&format!("cause: {}", cause.title)));
        }
        if let Some(waiver) = &finding.waiver {
            page.flow(8, 10, atoms(&format!("waived by {} until {}: {}", waiver.owner, waiver.until, waiver.reason)));
        }
    }
    if found.is_empty() {
        page.flow(2, 4, atoms(nothing(host)));
    }
    compared(host, path, &mut page);
    page.blank();
    let mut commands: Vec<(String, &str)> = found
        .first()
        .map(|finding| (format!("driftscan explain {}", hex_prefix(&finding.fingerprint, prefix)), "the whole story"))
        .into_iter()
        .collect();
    commands.push((format!("driftscan policy explain {}", quoted(path.as_bytes())), "the rule that compares it"));
    page.labelled("Next", HANG, atoms(next_of(&found)));
    typed(&commands, HANG, &mut page);
    w.write_all(page.text().as_bytes())
}

/// What to do about a path, by the gravest of its findings that nobody waived.
fn next_of(found: &[&Finding]) -> &'static str {
    let open = found.iter().find(|finding| finding.waiver.is_none());
    open.map_or("nothing to do about this path", |finding| codes::of(finding.code).act)
}

/// What it means that a path has no finding.
fn nothing(host: &HostOutcome) -> &'static str {
    match &host.coverage {
        None => "No finding: nothing was read on this host.",
        Some(coverage) if coverage.complete => {
            "No finding: it is as the baseline has it, or neither of them has it, or a rule leaves it out."
        }
        Some(_) => "No finding; not everything on this host could be read.",
    }
}

/// What the coverage says of the path.
fn compared(host: &HostOutcome, path: &str, page: &mut Page<'_>) {
    let Some(coverage) = &host.coverage else { return };
    let inside = |outer: &str| path == outer || path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    let matches = |rule: &str| Pattern::new(rule.as_bytes()).is_ok_and(|rule| rule.matches(path.as_bytes()));
    let mut said = Vec::new();
    for (rule, folder) in coverage.pruned.iter().filter(|(_, folder)| inside(folder)) {
        said.push(format!("Left out: everything in {folder}, by the rule {rule}."));
    }
    for (rule, entries) in coverage.ignored.iter().filter(|(rule, entries)| *entries > 0 && matches(rule)) {
        said.push(format!("The rule {rule} matches it and leaves out {}.", count(*entries, "entry", "entries")));
    }
    for (mount, kind) in coverage.skipped_mounts.iter().filter(|(mount, _)| inside(mount)) {
        said.push(format!("Not walked: {mount} is a mount of {kind}."));
    }
    for trouble in coverage.troubles.iter().filter(|trouble| inside(&trouble.path)) {
        let excused = if trouble.excused { ", excused by the policy" } else { "" };
        said.push(format!("Not read: {} ({}, {}){excused}.", trouble.path, trouble.part, trouble.reason));
    }
    let shown = said.len().min(MOST);
    if shown > 0 {
        page.title("Coverage");
    }
    for text in said.iter().take(shown) {
        page.flow(2, 4, atoms(text));
    }
}

/// Writes what a code means.
///
/// # Errors
/// When the writer fails.
pub fn code(code: Code, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    let text = codes::of(code);
    let mut head = vec![Atom::new(code.word()).styled(BOLD).followed_by(":")];
    head.extend(atoms(code.title()));
    page.flow(0, 2, head);
    page.blank();
    page.labelled("Means", HANG, atoms(text.means));
    page.labelled("Matters", HANG, atoms(text.matters));
    page.labelled("Often", HANG, atoms(text.causes));
    page.labelled("Compared", HANG, atoms(text.compared));
    page.labelled("Do", HANG, atoms(text.act));
    w.write_all(page.text().as_bytes())
}

#[cfg(test)]
mod tests;
