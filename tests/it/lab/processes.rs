//! The process table, by way of `/proc`.
//!
//! *Invariant:* only descendants of a process that the test itself started are ever signalled.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// Process ids and their parents.
fn table() -> Vec<(i32, i32)> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name stands in parentheses and may hold anything; the state and the parent follow it.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((id, parent))
    })
    .collect()
}

/// Every process below one, however deep.
pub(crate) fn descendants(of: u32) -> Vec<i32> {
    let table = table();
    let mut found = vec![i32::try_from(of).unwrap()];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(table.iter().filter(|(_, p)| *p == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

/// The probe and its workers among the descendants of a server: programs whose file is unlinked.
pub(crate) fn probes(of: u32) -> Vec<i32> {
    descendants(of)
        .into_iter()
        .filter(|id| {
            let program = fs::read_link(format!("/proc/{id}/exe")).unwrap_or_default();
            let program = program.to_string_lossy();
            program.contains("driftscan") && program.ends_with("(deleted)")
        })
        .collect()
}

/// Kills a process with SIGKILL; one that is gone already is fine.
pub(crate) fn slay(id: i32) {
    if let Some(pid) = Pid::from_raw(id) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
