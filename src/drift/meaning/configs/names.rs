//! Sentences of name resolution and of the host's own name.
//!
//! *Invariant:* a name that now leads elsewhere is told with where it leads.

use super::{base, change, told};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};
use std::collections::BTreeSet;

/// Parts of names that a host takes programs or orders from.
const TRUSTED: [&str; 14] = [
    "update", "security", "mirror", "archive", "repo", "deb.", "pypi", "npm", "registry", "github", "gitlab", "vault",
    "puppet", "ntp",
];

/// A line of hosts: the key is the address.
pub(super) fn hosts(pair: &Pair<'_>) -> Said {
    let names = |values: &[&[u8]]| -> BTreeSet<Vec<u8>> {
        let words = values.iter().flat_map(|value| value.split(|byte| *byte == b' '));
        words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (before, after) = (names(&pair.before), names(&pair.after));
    let list =
        |names: &[&Vec<u8>]| told(&[&names.iter().map(|name| name.as_slice()).collect::<Vec<_>>().join(&b' ')], 50);
    let gained: Vec<&Vec<u8>> = after.difference(&before).collect();
    let gone: Vec<&Vec<u8>> = before.difference(&after).collect();
    let address = told(&[pair.key], 45);
    let title = match (gained.is_empty(), gone.is_empty()) {
        (false, true) => format!("hosts: {} -> {address}", list(&gained)),
        (false, false) => format!("hosts: {} -> {address}, no longer {}", list(&gained), list(&gone)),
        (true, false) => format!("hosts: {} no longer -> {address}", list(&gone)),
        (true, true) => format!("hosts: the names of {address} changed their order"),
    };
    let is_trusted = |name: &&Vec<u8>| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        name == "localhost" || TRUSTED.iter().any(|part| name.contains(part))
    };
    let local = pair.key.starts_with(b"127.") || pair.key == b"::1";
    if gained.iter().any(|name| is_trusted(name) && !(local && name.as_slice() == b"localhost")) {
        return Said::new(Code::ResolverChanged, Severity::High, title)
            .because("a name that hosts take programs from leads where this file says, whatever DNS says");
    }
    Said::new(Code::ResolverChanged, Severity::Medium, title)
}

/// A line of resolv.conf.
pub(super) fn resolver(pair: &Pair<'_>) -> Said {
    let (before, after) = pair.only();
    let reordered = before.is_empty() && after.is_empty();
    let (what, severity) = match pair.key {
        b"nameserver" if reordered => {
            let title = format!("resolvers in another order: {}", told(&pair.after, 70));
            return Said::new(Code::ResolverChanged, Severity::Medium, title);
        }
        b"nameserver" => ("resolver".to_owned(), Severity::Medium),
        b"search" | b"domain" => (format!("resolv.conf: {}", shown(pair.key, 20)), Severity::Medium),
        key => (format!("resolv.conf: {}", shown(key, 40)), Severity::Low),
    };
    Said::new(Code::ResolverChanged, severity, change(&what, pair))
}

/// A file that is the host's own name.
pub(super) fn own_name(path: &[u8], pair: &Pair<'_>) -> Said {
    let title = match pair.change() {
        Change::Added | Change::Removed | Change::Changed if pair.key == b"name" => {
            change(&format!("name in {}:", shown(base(path), 30)), pair)
        }
        Change::Added | Change::Removed | Change::Changed => {
            change(&format!("{}: {}", shown(base(path), 30), shown(pair.key, 30)), pair)
        }
    };
    Said::new(Code::SettingChanged, Severity::Medium, title)
}
