//! What a replacement of a host would lose, under its findings.
//!
//! *Invariant:* hosts that are shown as one may hold different things: each that holds something has a line of its own.

use super::page::{Atom, Page, YELLOW, atoms, list};
use super::words::{count, grouped, size};
use crate::model::{HostOutcome, StateAtRisk, StateItem};

/// Things named of one host.
const ITEMS: usize = 3;
/// Places named that could not be looked at.
const UNSEEN: usize = 3;
/// Hosts with a line of their own, of those that are shown as one.
const HOSTS: usize = 5;

/// Whether a replacement of the host would lose something that is known.
pub(super) fn holds(host: &HostOutcome) -> bool {
    host.state.as_ref().is_some_and(|state| !state.items.is_empty())
}

/// Writes the lines of hosts that are shown as one.
pub(super) fn lines(hosts: &[&HostOutcome], page: &mut Page<'_>) {
    let is_one = hosts.len() == 1;
    let holding: Vec<(&str, &StateAtRisk)> =
        hosts.iter().filter_map(|host| Some((host.name.as_str(), host.state.as_ref()?))).collect();
    let with = |is: &dyn Fn(&StateAtRisk) -> bool| -> Vec<(&str, &StateAtRisk)> {
        holding.iter().filter(|(_, state)| is(state)).copied().collect()
    };
    let shown = if page.options.verbose { usize::MAX } else { HOSTS };
    let at_risk = with(&|state| !state.items.is_empty());
    for (name, state) in at_risk.iter().take(shown) {
        let most = if page.options.verbose { usize::MAX } else { ITEMS };
        let more = (state.items.len().saturating_sub(most) as u64).saturating_add(state.rest);
        let mut text: Vec<Atom> = Vec::new();
        for item in state.items.iter().take(most) {
            if let Some(last) = text.pop() {
                text.push(last.followed_by(";"));
            }
            text.extend(said(item));
        }
        if more > 0 {
            text.extend(atoms(&format!("and {} more", grouped(more))));
        }
        line("at risk", (!is_one).then_some(*name), text, page);
    }
    rest("at risk", at_risk.len(), shown, page);
    // One line where it is the same of all: an account sees on each what it sees on one.
    let mut unseen: Vec<(Vec<&str>, &[String])> = Vec::new();
    for (name, state) in with(&|state| !state.unseen.is_empty()) {
        match unseen.iter_mut().find(|(_, places)| *places == state.unseen.as_slice()) {
            Some((names, _)) => names.push(name),
            None => unseen.push((vec![name], &state.unseen)),
        }
    }
    for (names, places) in unseen.iter().take(shown) {
        let most = if page.options.verbose { usize::MAX } else { UNSEEN };
        let mut text = list(places.get(..most.min(places.len())).unwrap_or_default(), ",");
        let more = places.len().saturating_sub(most) as u64;
        if more > 0 {
            text.extend(atoms(&format!("and {} more", grouped(more))));
        }
        let names = (names.len() < hosts.len()).then(|| page.folded(names).join(" "));
        line("may be at risk, not looked into", names.as_deref(), text, page);
    }
    rest("not looked into", unseen.len(), shown, page);
}

fn line(what: &str, name: Option<&str>, text: Vec<Atom>, page: &mut Page<'_>) {
    let mut pieces: Vec<Atom> = atoms(what).into_iter().map(|piece| piece.styled(YELLOW)).collect();
    if let Some(name) = name {
        pieces.push(Atom::new("on"));
        pieces.push(Atom::new(name));
    }
    if let Some(last) = pieces.pop() {
        pieces.push(last.followed_by(":"));
    }
    pieces.extend(text);
    page.flow(8, 10, pieces);
}

fn rest(what: &str, all: usize, shown: usize, page: &mut Page<'_>) {
    let more = all.saturating_sub(shown) as u64;
    if more > 0 {
        page.flow(8, 10, atoms(&format!("{what} on {} more of them", count(more, "host", "hosts"))));
    }
}

/// `/home/anna 2.1 GB, newest 2026-11-20`. The time is the host's own word.
fn said(item: &StateItem) -> Vec<Atom> {
    let more = if item.more { "at least " } else { "" };
    let newest = item.newest.as_deref().and_then(|time| time.get(..10));
    let newest = newest.map(|day| format!(", newest {day}")).unwrap_or_default();
    let mut said = vec![Atom::new(&item.path)];
    said.extend(atoms(&format!("{more}{}{newest}", size(item.bytes))));
    said
}
