//! From the hosts file and the targets to the hosts of this run.
//!
//! *Invariant:* with targets the fleet joins only by an explicit `-f`; a selection of no host is an error.

use super::trouble::{Outcome, Trouble, warn};
use crate::inventory::host::{Host, Reach};
use crate::inventory::{Fleet, Mistake, hosts_file, limit, target};
use std::path::{Path, PathBuf};

/// Commands that later releases bring: as a bare target each is far more likely a command than a host.
const LATER: [&str; 6] = ["completions", "diff", "gate", "history", "init", "man"];

/// The hosts of this run, in the order of the fleet.
pub(super) fn select(targets: &[String], fleet: Option<&Path>, limits: &[String]) -> Outcome<Vec<Host>> {
    let file = match (fleet, targets.is_empty()) {
        (Some(file), _) => Some(file.to_owned()),
        (None, true) => std::env::var_os("DRIFTSCAN_FLEET").map(PathBuf::from),
        (None, false) => None,
    };
    if let Some(word) = targets.iter().find(|word| LATER.contains(&word.as_str())) {
        return Err(Trouble::with(
            format!("driftscan {word} is not built yet"),
            format!("for a host of that name: driftscan USER@{word}"),
        ));
    }
    let targets = target::parse(targets.iter().map(String::as_str)).map_err(Trouble::all)?;
    let fleet = match file {
        Some(file) => read(&file)?.join(targets).map_err(Trouble::all)?,
        None if targets.is_empty() => {
            return Err(Trouble::with(
                "no hosts to scan",
                "driftscan --fleet hosts.txt, or name hosts: driftscan HOST...",
            ));
        }
        None => Fleet::of(targets).map_err(Trouble::all)?,
    };
    for warning in &fleet.warnings {
        warn(warning);
    }
    let hosts = match limits.join(",") {
        pattern if limits.is_empty() => {
            drop(pattern);
            fleet.hosts
        }
        pattern => limit::select(fleet.hosts, &pattern).map_err(Trouble::all)?,
    };
    hosts.into_iter().map(absolute).collect()
}

/// Refuses a selection that is smaller than it should be: an inventory cut short must not pass for a clean fleet.
pub(super) fn enough(hosts: &[Host], least: Option<usize>) -> Outcome<()> {
    match least {
        Some(least) if hosts.len() < least => Err(Trouble::with(
            format!("{} hosts are selected, fewer than --min-hosts {least}", hosts.len()),
            "look whether the hosts file is whole, or what --limit leaves out",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Reads a hosts file.
pub(super) fn read(path: &Path) -> Outcome<Fleet> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Trouble::with(format!("fleet {name}: {error}"), "a line a host: web-01.example.net template=web")
    })?;
    hosts_file::parse(&name, &bytes).map_err(Trouble::all)
}

/// A root of this machine may be typed relative to the working directory.
pub(super) fn absolute(mut host: Host) -> Outcome<Host> {
    if let (Reach::Local, Some(root)) = (&host.reach, &host.root) {
        let path = std::fs::canonicalize(root).map_err(|error| {
            Trouble::new(Mistake {
                place: host.place.clone(),
                text: format!("root:{root}: {error}"),
                remedy: "name a folder that holds a whole root, a mounted image for example".to_owned(),
            })
        })?;
        if !path.is_dir() {
            return Err(Trouble::new(format!("root:{root} is not a folder")));
        }
        let text = path.into_os_string().into_string();
        host.root = Some(text.map_err(|_| Trouble::new(format!("root:{root}: its path is not UTF-8")))?);
    }
    Ok(host)
}
