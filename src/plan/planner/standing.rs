//! Each host of the fleet beside what came of it.
//!
//! *Invariant:* a host is the one of the report only where name, group and template are the same: a verdict against
//! another template is none.

use crate::inventory::Host;
use crate::model::{FleetOutcome, HostOutcome, Verdict};
use std::collections::{BTreeMap, HashMap};

/// A host of the fleet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand<'a> {
    /// Its place in the fleet.
    pub(super) at: usize,
    /// As the fleet has it.
    pub(super) host: &'a Host,
    /// What came of it; `None` where it was not scanned.
    pub(super) outcome: Option<&'a HostOutcome>,
}

impl<'a> Stand<'a> {
    /// The value of a tag.
    pub(super) fn tag(&self, key: &str) -> Option<&'a str> {
        self.host.tags.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Whether it is taken for serving: a drifted host serves, of an unverifiable one nobody knows.
    pub(super) fn is_healthy(&self) -> bool {
        self.outcome.is_some_and(|outcome| match outcome.verdict {
            Verdict::Drifted | Verdict::Outdated | Verdict::Clean => true,
            Verdict::Unverifiable => false,
        })
    }
}

/// Whether an outcome is of the host that the fleet means by that name.
fn is_of(outcome: &HostOutcome, host: &Host) -> bool {
    let reference = outcome.reference.as_deref().map(|label| label.split_once('@').map_or(label, |(name, _)| name));
    let template = host.template.as_ref().map(|template| template.name.as_str());
    // Where one of them says nothing, the group of the same name, or the only template there is, was and is meant.
    let differs = reference.zip(template).is_some_and(|(was, is)| was != is);
    outcome.group == host.group && !differs
}

/// The whole fleet.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    /// In the order of the fleet.
    pub(super) hosts: Vec<Stand<'a>>,
    /// Hosts of the report that the fleet does not have, in the order of the report, each with the host that has its name
    /// now.
    pub(super) strangers: Vec<(&'a HostOutcome, Option<&'a Host>)>,
    /// The first member of each quorum that is not known to serve.
    sick: BTreeMap<&'a str, &'a str>,
    /// The first two hosts of each machine id and host key, by their places.
    machines: HashMap<Machine<'a>, (usize, Option<usize>)>,
}

/// What tells a machine from every other: digest of its machine id, and its host key. Of the folders of one machine each is
/// a host of its own.
type Machine<'a> = (&'a str, &'a str, Option<&'a str>);

/// One of them alone may be shared by machines of one careless image, and the other tells them apart.
fn machine<'a>(stand: &Stand<'a>) -> Option<Machine<'a>> {
    let outcome = stand.outcome?;
    Some((outcome.evidence.machine_id.as_deref()?, outcome.host_key.as_deref()?, stand.host.root.as_deref()))
}

impl<'a> Standing<'a> {
    pub(super) fn new(report: &'a FleetOutcome, fleet: &'a [Host]) -> Self {
        let mut outcomes: HashMap<&str, &HostOutcome> = HashMap::with_capacity(report.hosts.len());
        for outcome in &report.hosts {
            // A report names each host once; were it otherwise, the first is the one, and the other a stranger to nobody.
            outcomes.entry(outcome.name.as_str()).or_insert(outcome);
        }
        let hosts: Vec<Stand<'_>> = fleet
            .iter()
            .enumerate()
            .map(|(at, host)| Stand {
                at,
                host,
                outcome: outcomes.get(host.name.as_str()).copied().filter(|outcome| is_of(outcome, host)),
            })
            .collect();
        let known: HashMap<&str, &Host> = fleet.iter().map(|host| (host.name.as_str(), host)).collect();
        let strangers = report
            .hosts
            .iter()
            .map(|outcome| (outcome, known.get(outcome.name.as_str()).copied()))
            .filter(|(outcome, host)| host.is_none_or(|host| !is_of(outcome, host)))
            .collect();
        let mut sick = BTreeMap::new();
        for stand in hosts.iter().filter(|stand| !stand.is_healthy()) {
            if let Some(quorum) = stand.tag("quorum") {
                sick.entry(quorum).or_insert(stand.host.name.as_str());
            }
        }
        let mut machines: HashMap<Machine<'_>, (usize, Option<usize>)> = HashMap::new();
        for (stand, machine) in hosts.iter().filter_map(|stand| Some((stand, machine(stand)?))) {
            machines
                .entry(machine)
                .and_modify(|(_, second)| _ = second.get_or_insert(stand.at))
                .or_insert((stand.at, None));
        }
        Self { hosts, strangers, sick, machines }
    }

    /// The groups in the order of their first host, each with its hosts in the order of the fleet.
    pub(super) fn groups(&self) -> Vec<(&'a str, Vec<&Stand<'a>>)> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut groups: Vec<(&str, Vec<&Stand<'_>>)> = Vec::new();
        for stand in &self.hosts {
            let name = stand.host.group.as_str();
            let at = *places.entry(name).or_insert(groups.len());
            if at == groups.len() {
                groups.push((name, Vec::new()));
            }
            if let Some((_, members)) = groups.get_mut(at) {
                members.push(stand);
            }
        }
        groups
    }

    /// Another host, anywhere in the fleet, that is the same machine for all that is known. To end one of them would end the
    /// other, with whatever is declared of that.
    pub(super) fn twin(&self, stand: &Stand<'_>) -> Option<&'a str> {
        let (first, second) = self.machines.get(&machine(stand)?)?;
        let other = if *first == stand.at { (*second)? } else { *first };
        self.hosts.get(other).map(|stand| stand.host.name.as_str())
    }

    /// A member of this quorum, anywhere in the fleet, that is not known to serve.
    pub(super) fn sick_member(&self, quorum: &str) -> Option<&'a str> {
        self.sick.get(quorum).copied()
    }
}
