//! Since when a finding is there, from what earlier runs saw on the same host.
//!
//! *Invariant:* a finding is new only where the host was compared in an earlier run, which did not have it; of a host that no
//! earlier run compared, nothing is said.

use crate::model::{FleetOutcome, History, RunId};
use crate::protocol::Digest;
use std::collections::HashMap;

/// What earlier runs tell of the findings of this one, the newest of them first.
#[derive(Debug)]
pub struct Memory {
    /// The hosts that have findings and of which no earlier run has told yet, by their names.
    open: HashMap<String, usize>,
    /// What was learned, a host's number and the times of its findings.
    told: Vec<(usize, Vec<Option<String>>)>,
    previous: Option<RunId>,
    runs: usize,
}

/// One host of an earlier run: fingerprints, and since when each was known then.
pub type Seen = HashMap<Digest, Option<String>>;

impl Memory {
    /// Begins to remember for a run.
    #[must_use]
    pub fn of(outcome: &FleetOutcome) -> Self {
        let hosts = outcome.hosts.iter().enumerate().filter(|(_, host)| !host.findings.is_empty());
        let open = hosts.map(|(number, host)| (host.name.clone(), number)).collect();
        Self { open, told: Vec::new(), previous: None, runs: 0 }
    }

    /// Whether more runs could tell anything.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.open.is_empty() && self.previous.is_some()
    }

    /// Whether an earlier run is asked about a host.
    #[must_use]
    pub fn asks(&self, host: &str) -> bool {
        self.open.contains_key(host)
    }

    /// Takes what one earlier complete run, begun at `started`, saw on the hosts that it compared.
    pub fn recall(&mut self, outcome: &FleetOutcome, run: RunId, started: &str, hosts: &HashMap<String, Seen>) {
        self.runs += 1;
        self.previous.get_or_insert(run);
        for (name, seen) in hosts {
            let Some(number) = self.open.remove(name) else { continue };
            let Some(host) = outcome.hosts.get(number) else { continue };
            let since = |fingerprint: &Digest| match seen.get(fingerprint) {
                Some(known) => known.clone().unwrap_or_else(|| started.to_owned()),
                None => outcome.started.clone(),
            };
            let times = host.findings.iter().map(|finding| Some(since(&finding.fingerprint))).collect();
            self.told.push((number, times));
        }
    }

    /// Writes down what was learned.
    pub fn write(self, outcome: &mut FleetOutcome) {
        for (number, times) in self.told {
            let Some(host) = outcome.hosts.get_mut(number) else { continue };
            for (finding, time) in host.findings.iter_mut().zip(times) {
                finding.told.first_seen = time;
            }
        }
        outcome.history = self.previous.map(|previous| History { previous, runs: self.runs });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Code, Severity};
    use crate::report::samples::{drifted, finding, fleet, host};

    #[test]
    fn what_the_last_run_that_saw_the_host_had_is_as_old_as_there_and_the_rest_is_new() {
        let edit = |name: &str| finding(Severity::Low, Code::ContentChanged, &format!("fs:/{name}"), &[], &[]);
        let hosts = ["a", "b", "c"].map(|name| drifted(host(name, "web", "web@1"), vec![edit("old"), edit("new")]));
        let mut outcome = fleet(hosts.to_vec(), &[]);
        let id = |n: u8| RunId::new("20261119T023004Z", [0, n]);
        let seen = |since: Option<&str>| Seen::from([(edit("old").fingerprint, since.map(ToOwned::to_owned))]);
        let mut memory = Memory::of(&outcome);
        assert!(memory.asks("a") && !memory.asks("z") && !memory.is_done());
        memory.recall(&outcome, id(2), "run 2", &HashMap::from([("a".to_owned(), seen(Some("run 0")))]));
        memory.recall(
            &outcome,
            id(1),
            "run 1",
            &HashMap::from([("a".to_owned(), seen(None)), ("b".to_owned(), seen(None))]),
        );
        memory.write(&mut outcome);
        let times = |at: usize| -> Vec<Option<&str>> {
            outcome.hosts[at].findings.iter().map(|finding| finding.told.first_seen.as_deref()).collect()
        };
        let now = outcome.started.as_str();
        assert_eq!(times(0), [Some("run 0"), Some(now)]);
        assert_eq!(times(1), [Some("run 1"), Some(now)]);
        assert_eq!(times(2), [None, None]);
        assert_eq!(outcome.history, Some(History { previous: id(2), runs: 2 }));
    }
}
