//! A census for a person: the kinds of hosts, what tells them apart, and who is odd.
//!
//! *Invariant:* every host that was asked is in a cluster, among the odd ones, or named with why it was not read.

use super::Options;
use super::page::{Atom, BOLD, GREEN, Page, YELLOW, atoms, list};
use super::sentence;
use super::words::{count, duration, grouped, severity};
use crate::drift::census::{Census, Cluster, Mark, Odd, Unread};
use crate::report::census::Head;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Lines of what tells a cluster apart, of what divides it, and of an odd host.
const APART: usize = 5;
const DIVIDED: usize = 3;
const MARKS: usize = 3;
/// Odd hosts told with their marks, and by name alone.
const ODD: usize = 12;
/// Pieces of node sets that are told of a cluster.
const NODES: usize = 24;
/// Subjects that are each host's own.
const NATURAL: usize = 4;
/// Unlike reasons that are told.
const REASONS: usize = 10;

/// What a mark is called: by its cause, else by its finding.
#[must_use]
pub fn mark_title(mark: &Mark) -> String {
    mark.cause.as_ref().map_or_else(|| sentence::title(&mark.finding), |cause| cause.title.clone())
}

/// Writes a census.
///
/// # Errors
/// When the writer fails.
pub fn census(head: &Head, census: &Census, options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    header(head, census, &mut page);
    if !census.clusters.is_empty() {
        page.title("CLUSTERS");
        for (number, cluster) in census.clusters.iter().enumerate() {
            if number > 0 {
                page.blank();
            }
            told(number + 1, cluster, &mut page);
        }
    }
    odd(census, &mut page);
    unread(&census.unread, &mut page);
    w.write_all(page.text().as_bytes())
}

fn header(head: &Head, census: &Census, page: &mut Page<'_>) {
    let selected = count(census.selected as u64, "host", "hosts");
    let mut pieces = atoms(&format!("{selected} in {}, census {}:", duration(head.millis), head.run));
    let clusters = count(census.clusters.len() as u64, "cluster", "clusters");
    pieces.push(Atom::new(&clusters).styled(BOLD).followed_by(","));
    let style = if census.odd.is_empty() { GREEN } else { YELLOW };
    pieces.push(Atom::new(&count(census.odd.len() as u64, "odd host", "odd hosts")).styled(style));
    if !census.unread.is_empty() {
        pieces.extend(atoms(&format!("and {} not read whole", grouped(census.unread.len() as u64))));
    }
    pieces.push(Atom::new(&format!("(exit {})", census.status())));
    page.flow(0, 2, pieces);
    let mut pivots: Vec<&str> = census.clusters.iter().map(|cluster| cluster.pivot.as_str()).collect();
    pivots.sort_unstable();
    pivots.dedup();
    if let [pivot] = pivots.as_slice() {
        page.flow(0, 2, atoms(&format!("Differences are told as seen from {pivot}, with which all were compared.")));
    }
}

fn told(number: usize, cluster: &Cluster, page: &mut Page<'_>) {
    let mut pieces = vec![Atom::new(&number.to_string()).styled(BOLD)];
    let hosts = format!("{}, {}", count(cluster.hosts.len() as u64, "host", "hosts"), cluster.system);
    pieces.extend(atoms(&hosts).into_iter().enumerate().map(|(n, atom)| if n == 0 { atom.after(2) } else { atom }));
    let names: Vec<&str> = cluster.hosts.iter().map(String::as_str).collect();
    page.flow(0, 8, pieces);
    page.flow(2, 2, nodes(&names, page));
    if cluster.hosts.contains(&cluster.pivot) {
        page.flow(2, 8, atoms(&format!("the kind of {}", cluster.pivot)));
    }
    if let Some(medoid) = &cluster.medoid {
        page.flow(2, 8, atoms(&format!("most typical: {medoid}")));
    }
    lines("apart from the others by", &cluster.apart, APART, page);
    lines("divided by", &cluster.divided, DIVIDED, page);
    if !cluster.natural.is_empty() {
        let subjects = count(cluster.natural.len() as u64, "subject differs", "subjects differ");
        let most = if page.options.verbose { cluster.natural.len() } else { NATURAL };
        let mut pieces = atoms(&format!("{subjects} from host to host by nature and count for nothing:"));
        pieces.extend(list(cluster.natural.get(..most).unwrap_or(&cluster.natural), ","));
        if cluster.natural.len() > most {
            pieces.extend(atoms("... (-v shows all)"));
        }
        page.flow(2, 8, pieces);
    }
}

/// The hosts as node sets, which may be broken at their commas.
fn nodes(names: &[&str], page: &Page<'_>) -> Vec<Atom> {
    let mut pieces = Vec::new();
    for set in page.folded(names) {
        let parts: Vec<&str> = set.split_inclusive(',').collect();
        pieces.extend(parts.into_iter().enumerate().map(|(n, part)| Atom::new(part).after(usize::from(n == 0))));
    }
    if pieces.len() > NODES && !page.options.verbose {
        pieces.truncate(NODES);
        pieces.extend(atoms("... (-v shows all)"));
    }
    pieces
}

fn lines(title: &str, marks: &[Mark], most: usize, page: &mut Page<'_>) {
    if marks.is_empty() {
        return;
    }
    let most = if page.options.verbose { marks.len() } else { most };
    page.flow(2, 8, atoms(title));
    for mark in marks.iter().take(most) {
        line(mark, page);
    }
    if let Some(more) = marks.len().checked_sub(most).filter(|more| *more > 0) {
        page.flow(4, 10, atoms(&format!("... and {} more (-v shows them)", grouped(more as u64))));
    }
}

fn line(mark: &Mark, page: &mut Page<'_>) {
    let weight = mark.cause.as_ref().map_or(mark.finding.severity, |cause| cause.severity);
    let (word, style) = severity(weight);
    let word = Atom::new(word).styled(style);
    let gap = 6usize.saturating_sub(word.width());
    let mut body = if mark.lacks { atoms("others:") } else { Vec::new() };
    match &mark.cause {
        Some(cause) => body.extend(atoms(&cause.title)),
        None => body.extend(sentence::atoms_of(&mark.finding)),
    }
    let body = body.into_iter().enumerate().map(|(n, atom)| if n == 0 { atom.after(gap).glued() } else { atom });
    let edge = Atom::new(&format!("{}/{}", grouped(mark.having as u64), grouped(mark.of as u64)));
    page.flow_with_edge(4, 12, std::iter::once(word).chain(body).collect(), &edge);
}

fn odd(census: &Census, page: &mut Page<'_>) {
    if census.odd.is_empty() {
        return;
    }
    page.title("ODD");
    let most = if page.options.verbose { census.odd.len() } else { ODD };
    for odd in census.odd.iter().take(most) {
        one(odd, page);
    }
    let rest = census.odd.get(most..).unwrap_or_default();
    if let Some((first, last)) = rest.first().zip(rest.last()) {
        let more = count(rest.len() as u64, "host", "hosts");
        let scores = format!("... and {more} of scores {} to {} (-v shows them)", first.score, last.score);
        page.flow(0, 8, atoms(&scores));
    }
}

fn one(odd: &Odd, page: &mut Page<'_>) {
    let mut pieces = vec![Atom::new(&odd.host).styled(BOLD)];
    pieces.push(Atom::new(&format!("{}", odd.score)).styled(YELLOW).after(2).followed_by(","));
    pieces.extend(atoms(&match (odd.cluster, odd.stray) {
        (Some(cluster), false) => format!("of cluster {}", cluster + 1),
        (Some(cluster), true) => format!("of no cluster; the nearest is {}", cluster + 1),
        (None, _) => "of no cluster, and there is none to compare it with".to_owned(),
    }));
    page.flow(0, 8, pieces);
    let most = if page.options.verbose { odd.marks.len() } else { MARKS };
    for mark in odd.marks.iter().take(most) {
        line(mark, page);
    }
    let more = odd.marks.len().saturating_sub(most) + odd.more;
    if more > 0 {
        page.flow(4, 10, atoms(&format!("... and {} more", grouped(more as u64))));
    }
}

fn unread(unread: &[Unread], page: &mut Page<'_>) {
    if unread.is_empty() {
        return;
    }
    page.title("NOT READ WHOLE");
    // Hosts of the same words are told once.
    let mut by_words: BTreeMap<(bool, Vec<String>), Vec<&str>> = BTreeMap::new();
    for host in unread {
        let mut words = Vec::new();
        for obstacle in &host.reasons {
            words.push(format!("{}: {}", obstacle.reason, obstacle.text));
            words.extend(obstacle.remedy.clone());
        }
        by_words.entry((host.counted, words)).or_default().push(&host.host);
    }
    let most = if page.options.verbose { by_words.len() } else { REASONS };
    for ((counted, words), hosts) in by_words.iter().take(most) {
        let mut pieces: Vec<Atom> = list(&page.folded(hosts), "").into_iter().map(|atom| atom.styled(BOLD)).collect();
        pieces.extend(atoms(if *counted { "(counted in by what was read)" } else { "(left out)" }));
        page.flow(0, 8, pieces);
        for text in words {
            page.flow(8, 10, atoms(text));
        }
    }
    if let Some(more) = by_words.len().checked_sub(most).filter(|more| *more > 0) {
        page.flow(0, 8, atoms(&format!("... and hosts of {} more reasons (-v shows them)", grouped(more as u64))));
    }
}
