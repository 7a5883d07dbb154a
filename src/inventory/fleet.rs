//! The hosts of a run, each once.
//!
//! *Invariant:* no two hosts of a fleet have the same name, nor the same address, port, user and root.

use std::collections::{BTreeMap, HashMap};

use super::address;
use super::fold::fold;
use super::host::{Host, JumpHost, Place, Reach};
use super::mistake::{Mistake, Refusal, Remarks, Warning, quote};

/// The most hosts a file may name.
pub const MAX_HOSTS: usize = 100_000;

/// Hosts in the order written, without duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// In the order written.
    pub hosts: Vec<Host>,
    /// The groups that have hosts, in the order of their first host; without the nameless one.
    pub groups: Vec<String>,
    /// What was odd, in the order of the lines.
    pub warnings: Vec<Warning>,
}

impl Fleet {
    /// Makes a fleet of hosts, warns of those named twice and keeps the first.
    ///
    /// # Errors
    ///
    /// One name for two addresses.
    pub fn of(hosts: Vec<Host>) -> Result<Self, Vec<Mistake>> {
        Self::with(hosts, Remarks::default())
    }

    /// Adds the targets of a command line behind the hosts of the file.
    ///
    /// # Errors
    ///
    /// A target with the name of a host that is reached in another way.
    pub fn join(self, targets: Vec<Host>) -> Result<Self, Vec<Mistake>> {
        let remarks = Remarks { mistakes: Vec::new(), warnings: self.warnings };
        Self::with(self.hosts.into_iter().chain(targets).collect(), remarks)
    }

    pub(super) fn with(hosts: Vec<Host>, mut remarks: Remarks) -> Result<Self, Vec<Mistake>> {
        let hosts = unique(hosts, &mut remarks);
        if !remarks.mistakes.is_empty() {
            remarks.mistakes.sort_by_key(|mistake| mistake.place.line);
            return Err(remarks.mistakes);
        }
        remarks.warnings.sort_by_key(|warning| warning.place.line);
        let mut seen = std::collections::HashSet::new();
        let groups =
            hosts.iter().map(|host| &host.group).filter(|group| !group.is_empty() && seen.insert(*group)).cloned();
        Ok(Self { groups: groups.collect(), hosts, warnings: remarks.warnings })
    }
}

/// What makes two hosts the same: the machine, the way in, and the tree that is scanned. One private address is another machine
/// behind each bastion.
type Key = (String, Option<u16>, Option<String>, Option<String>, Option<Vec<JumpHost>>);

fn key(host: &Host) -> Key {
    let (machine, port, user) = match &host.reach {
        Reach::Ssh { host, port, user } => (address::key(host), *port, user.clone()),
        // No host has an empty name, so this machine can't be taken for one that is dialled.
        Reach::Local => (String::new(), None, None),
    };
    (machine, port, user, host.root.clone(), host.jump.clone())
}

/// Hosts of one line that stand on an earlier line too.
#[derive(Default)]
struct Again {
    names: Vec<String>,
    earlier: Vec<String>,
    /// Some have words that the earlier ones have not.
    differ: bool,
}

/// Keeps each host once. Says one thing for two lines, however many hosts their node sets share.
fn unique(hosts: Vec<Host>, remarks: &mut Remarks) -> Vec<Host> {
    let mut by_key: HashMap<Key, usize> = HashMap::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Host> = Vec::with_capacity(hosts.len());
    let mut twice: BTreeMap<(Place, Place), Again> = BTreeMap::new();
    let mut clashes: BTreeMap<(Place, Place), Vec<String>> = BTreeMap::new();
    for host in hosts {
        let key = key(&host);
        if let Some(first) = by_key.get(&key).and_then(|at| kept.get(*at)) {
            let again = twice.entry((host.place.clone(), first.place.clone())).or_default();
            again.differ |= !same_words(&host, first);
            again.earlier.push(first.name.clone());
            again.names.push(host.name);
        } else if let Some(first) = by_name.get(&host.name).and_then(|at| kept.get(*at)) {
            clashes.entry((host.place.clone(), first.place.clone())).or_default().push(host.name);
        } else {
            by_key.insert(key, kept.len());
            by_name.insert(host.name.clone(), kept.len());
            kept.push(host);
        }
    }
    for ((place, first), again) in twice {
        let (names, first) = (folded(&again.names), seen_from(&place, &first));
        let what = if again.names == again.earlier {
            format!("{names} stands already {first}")
        } else {
            format!("{names} is {}, which stands {first}", folded(&again.earlier))
        };
        let how = if again.differ { "counts once, with the words written there" } else { "counts once" };
        remarks.warn(&place, format!("{what}, and {how}"));
    }
    for ((place, first), names) in clashes {
        let first = seen_from(&place, &first);
        let text =
            format!("the name {} stands already {first}, for another address, port, user or root", folded(&names));
        remarks.refuse(&place, Refusal::new(text, another_name(&place, &names)));
    }
    kept
}

fn same_words(a: &Host, b: &Host) -> bool {
    // The name and the way are told apart elsewhere: web-01 and WEB-01 are one machine with the same words.
    let b = Host { name: a.name.clone(), reach: a.reach.clone(), place: a.place.clone(), ..b.clone() };
    *a == b
}

fn another_name(place: &Place, names: &[String]) -> String {
    if *place == Place::command_line() {
        return "leave the target out and type --limit NAME to scan the fleet's host".to_owned();
    }
    // A derived name may have brackets, which `name=` may not.
    let plain = names.iter().all(|name| !name.contains('['));
    let folds = if plain { fold(names.iter().map(String::as_str)) } else { Vec::new() };
    format!("give it a name of its own, such as name={}-2", folds.first().map_or("edge", String::as_str))
}

fn folded(names: &[String]) -> String {
    quote(&fold(names.iter().map(String::as_str)).join(" "))
}

/// Names a place as seen from another: `on this line`, `on line 3`, `at other.txt:3`.
fn seen_from(place: &Place, first: &Place) -> String {
    if place == first {
        if first.line == 0 { format!("on the {first}") } else { "on this line".to_owned() }
    } else if place.file == first.file {
        format!("on line {}", first.line)
    } else {
        format!("at {first}")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::inventory::{hosts_file, target};

    fn targets(words: &str) -> Vec<Host> {
        target::parse(words.split(' ')).unwrap()
    }

    #[test]
    fn one_address_behind_two_bastions_is_two_hosts() {
        let file = b"10.0.0.5 name=a jump=site-a\n10.0.0.5 name=b jump=site-b\n10.0.0.5 name=c jump=none\n10.0.0.5 name=d jump=site-a\n";
        let fleet = hosts_file::parse("hosts.txt", file).unwrap();
        let names: Vec<&str> = fleet.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(fleet.warnings.len(), 1, "{:?}", fleet.warnings);
    }

    #[test]
    fn targets_join_a_file() {
        let fleet = hosts_file::parse("hosts.txt", b"[web]\nweb-01\n").unwrap();
        let joined = fleet.join(targets("local web-01 db-01 local")).unwrap();
        let names: Vec<&str> = joined.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["web-01", "local", "db-01"]);
        assert_eq!(joined.groups, ["web"]);
        let warnings: Vec<String> = joined.warnings.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(warnings.join("\n"), @"
        command line: `local` stands already on the command line, and counts once
        command line: `web-01` stands already at hosts.txt:2, and counts once, with the words written there
        ");
    }

    #[test]
    fn a_target_with_the_name_of_another_host_is_a_mistake() {
        let fleet = hosts_file::parse("hosts.txt", b"[*] user=deploy\nweb-01\n").unwrap();
        insta::assert_snapshot!(fleet.join(targets("web-01")).unwrap_err().first().unwrap(), @"
        command line: the name `web-01` stands already at hosts.txt:2, for another address, port, user or root
          help: leave the target out and type --limit NAME to scan the fleet's host
        ");
    }

    #[test]
    fn a_folder_and_this_machine_are_two() {
        assert_eq!(Fleet::of(targets("local root:/mnt root:/mnt")).unwrap().hosts.len(), 2);
    }
}
