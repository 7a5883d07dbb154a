//! What a run takes over from an earlier one that was cut off, or whose unverifiable hosts are to be asked again.
//!
//! *Invariant:* an outcome is taken over only where everything that decided it is the same now, from a run that is less
//! than an hour old; what is in doubt is scanned.

use crate::model::{BaselineUse, Digests, FleetOutcome, HostOutcome, Resumed, RunId, Severity, Verdict};
use std::collections::HashMap;
use std::time::Duration;

/// An outcome older than this says too little of a host now.
pub const OLDEST: Duration = Duration::from_secs(3_600);

/// What decides the outcomes of a run.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// Digests of fleet, policy, tool and probe.
    pub digests: &'a Digests,
    /// The baselines.
    pub baselines: &'a [BaselineUse],
    /// The threshold.
    pub drift_at: Severity,
}

/// A host as it is reached now.
#[derive(Debug, Clone, Copy)]
pub struct Reached<'a> {
    /// Its name in the fleet.
    pub name: &'a str,
    /// Its group.
    pub group: &'a str,
    /// Where it is dialled, as reports show it.
    pub address: &'a str,
}

/// What is taken over, and what is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumption {
    /// For the journal and the report; `None` where no run was taken up.
    pub resumed: Option<Resumed>,
    /// Outcomes that stand, in the order of the fleet.
    pub kept: Vec<HostOutcome>,
    /// For each host of the fleet, whether it is to be scanned.
    pub due: Vec<bool>,
}

impl Resumption {
    /// All of a fleet is to be scanned.
    #[must_use]
    pub fn of_nothing(hosts: usize) -> Self {
        Self { resumed: None, kept: Vec::new(), due: vec![true; hosts] }
    }
}

/// Why a run can't be taken up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResumable {
    /// It went to its end.
    #[error("run {run} was not cut off")]
    Whole {
        /// The run.
        run: RunId,
    },
    /// Something else decides now.
    #[error("run {run} had {what}")]
    Other {
        /// The run.
        run: RunId,
        /// What is not the same: `another policy`.
        what: &'static str,
    },
    /// Too long ago.
    #[error("run {run} began {minutes} minutes ago, and its outcomes stand for an hour at most")]
    Old {
        /// The run.
        run: RunId,
        /// Since the oldest of its outcomes could have been made.
        minutes: i64,
    },
    /// A time that is none, or lies ahead.
    #[error("run {run} says that it began at {since}, which can't be")]
    Clock {
        /// The run.
        run: RunId,
        /// What it says.
        since: String,
    },
}

impl NotResumable {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Whole { run } => format!("--resume {run} asks its unverifiable hosts again; else leave --resume out"),
            Self::Other { .. } | Self::Old { .. } | Self::Clock { .. } => {
                "leave --resume out to scan all hosts afresh".to_owned()
            }
        }
    }
}

/// Takes up a run at `now`; with `again` also a whole one, and its unverifiable hosts are due again.
///
/// # Errors
/// [`NotResumable`], with what to do.
pub fn resume(
    earlier: FleetOutcome,
    grounds: Grounds<'_>,
    fleet: &[Reached<'_>],
    again: bool,
    now: jiff::Timestamp,
) -> Result<Resumption, NotResumable> {
    let run = earlier.run.clone();
    if earlier.interrupted.is_none() && !again {
        return Err(NotResumable::Whole { run });
    }
    if let Some(what) = difference(&earlier, grounds) {
        return Err(NotResumable::Other { run, what });
    }
    let since = earlier.resumed.as_ref().map_or(&earlier.started, |before| &before.since).clone();
    let age = match since.parse::<jiff::Timestamp>() {
        // Runs begin at whole seconds.
        Ok(began) if now.as_second() >= began.as_second() => now.as_second() - began.as_second(),
        Ok(_) | Err(_) => return Err(NotResumable::Clock { run, since }),
    };
    if age >= i64::try_from(OLDEST.as_secs()).unwrap_or(i64::MAX) {
        return Err(NotResumable::Old { run, minutes: age / 60 });
    }
    let mut done: HashMap<String, HostOutcome> =
        earlier.hosts.into_iter().map(|host| (host.name.clone(), host)).collect();
    let stands = |host: &HostOutcome, now: &Reached<'_>| {
        // Flags and ssh_config are in no digest, and either may lead to another machine now.
        host.address == now.address && host.group == now.group && !(again && host.verdict == Verdict::Unverifiable)
    };
    let kept = fleet.iter().map(|reached| done.remove(reached.name).filter(|host| stands(host, reached)));
    let kept: Vec<Option<HostOutcome>> = kept.collect();
    let due = kept.iter().map(Option::is_none).collect();
    let kept: Vec<HostOutcome> = kept.into_iter().flatten().collect();
    Ok(Resumption { resumed: Some(Resumed { run, since, hosts: kept.len() }), kept, due })
}

// Waivers are no ground: they are applied anew to the whole run.
fn difference(earlier: &FleetOutcome, now: Grounds<'_>) -> Option<&'static str> {
    let was = &earlier.digests;
    let same_baselines = earlier.baselines.len() == now.baselines.len()
        && earlier
            .baselines
            .iter()
            .zip(now.baselines)
            .all(|(was, is)| was.label == is.label && was.digest == is.digest && was.group == is.group);
    [
        (was.inventory != now.digests.inventory, "another fleet, or another selection of it"),
        (!same_baselines, "other baselines"),
        (was.ways != now.digests.ways, "another way to its hosts, or other trust in them"),
        (was.policy != now.digests.policy || earlier.drift_at != now.drift_at, "another policy"),
        (was.probe != now.digests.probe || was.tool != now.digests.tool, "another driftscan"),
    ]
    .into_iter()
    .find_map(|(differs, what)| differs.then_some(what))
}

#[cfg(test)]
#[path = "resumption_tests.rs"]
mod tests;
