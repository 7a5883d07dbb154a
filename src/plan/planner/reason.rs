//! Why a host is not planned, as sentences.
//!
//! *Invariant:* each says what to do or whom to ask; every text in it is escaped already.

use super::capacity::Capacity;
use crate::inventory::Host;
use crate::model::{HostOutcome, StateAtRisk};

/// Nobody looked for state.
pub(super) const STATE_UNKNOWN: &str = "nobody looked at what it holds; scan it again with this driftscan";
/// The drift is new.
pub(super) const FIRST_RUN: &str = "no run of an hour before or more saw its drift, and the settings require two";

/// Places named in a sentence; the rest is counted.
const NAMED: usize = 3;

/// Its drift is its group's.
pub(super) const COMMON_DRIFT: &str = "all that it has, most of its group has: mend the template, or what changes it";

/// The same, as far as anybody could read.
pub(super) const INVESTIGATE: &str =
    "not all of it was read, and what was, most of its group has: find out why it was not";

pub(super) fn two_names(twin: &str) -> String {
    format!("machine id and host key are those of {twin} too: name it once, or find out which of them was copied")
}

/// `now` is the host that the fleet has by its name.
pub(super) fn not_in_fleet(outcome: &HostOutcome, now: Option<&Host>) -> String {
    match now {
        Some(host) if host.group == outcome.group => {
            let template = host.template.as_ref().map(|template| template.name.as_str()).unwrap_or_default();
            format!("the fleet wants template {template} of it now: scan again")
        }
        Some(host) if host.group.is_empty() => "the fleet has it in no group now: scan again".to_owned(),
        Some(host) => format!("the fleet has it in group {} now: scan again", host.group),
        None => "the fleet has no host of this name: it is gone, or has another name".to_owned(),
    }
}

pub(super) fn drain_first(state: &StateAtRisk) -> String {
    let paths: Vec<&str> = state.items.iter().take(NAMED).map(|item| item.path.as_str()).collect();
    let more = state.items.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it holds what a replacement would lose: {}{more}", paths.join(" "))
}

/// A line each: `database /var/lib/postgresql 2.1 GB, newest 2026-11-20`.
pub(super) fn at_risk(state: &StateAtRisk) -> Vec<String> {
    let lines = state.items.iter().map(|item| {
        let newest = item.newest.as_deref().and_then(|time| time.get(..10));
        let newest = newest.map(|day| format!(", newest {day}")).unwrap_or_default();
        let more = if item.more { " or more" } else { "" };
        format!("{} {} {}{more}{newest}", item.kind.word(), item.path, size(item.bytes))
    });
    let unseen = state.unseen.iter().map(|path| format!("not looked at: {path}"));
    lines.chain(unseen).collect()
}

pub(super) fn unseen(state: &StateAtRisk) -> String {
    let paths: Vec<&str> = state.unseen.iter().take(NAMED).map(String::as_str).collect();
    let more = state.unseen.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("what it holds could not be looked at: {}{more}", paths.join(" "))
}

pub(super) fn capacity(group: &str, capacity: &Capacity) -> String {
    let Capacity { size, healthy, floor, .. } = *capacity;
    let section = if group.is_empty() { "[default]".to_owned() } else { format!("[group.{group}]") };
    if size == 1 && floor == 1 {
        return format!("it is the only host of its group: {section} floor = 0 in the settings lets it go");
    }
    let surge = match capacity.surge {
        0 => String::new(),
        surge => format!(" and {surge} new ones come first"),
    };
    format!(
        "{healthy} of {size} hosts are known to serve{surge}, and {floor} must at any time: find out about the others, or \
         lower floor in {section}"
    )
}

/// `850 MB`, in powers of a thousand.
fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 0;
    let (mut whole, mut tenths) = (bytes, 0);
    while whole >= 1000 && unit + 1 < units.len() {
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    if whole < 10 && unit != "B" { format!("{whole}.{tenths} {unit}") } else { format!("{whole} {unit}") }
}
