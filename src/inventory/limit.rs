//! `--limit`: a part of the fleet, by name, node set, glob or group.
//!
//! Terms stand between commas. `web-03` is a host; without a dot it is also the first label of one, as the table shows
//! it. `web-[01-03]` is a node set, `web-*` a glob with `*` and `?`, `@web` a group; a plain `web` is a host or a group,
//! and both where both exist. `!` before a term takes its hosts away; only such terms take away from the whole fleet.
//!
//! *Invariant:* every term finds something and every name spelled out is there, or nothing is selected: a typing error
//! must not pass for a clean part of the fleet.

use std::collections::HashMap;

use super::distance::nearest;
use super::fleet::MAX_HOSTS;
use super::fold::fold;
use super::host::{Host, Place};
use super::mistake::{Mistake, Refusal, Remarks, quote};
use super::node_set::NodeSet;

/// The most members of a node set that holds a wildcard, each of which is compared with each host.
const MAX_GLOBS: u64 = 1000;

/// Selects the hosts that a pattern names, in the order of the fleet.
///
/// # Errors
///
/// Every term that finds nothing, with the nearest names; a pattern that leaves no host.
pub fn select(hosts: Vec<Host>, pattern: &str) -> Result<Vec<Host>, Vec<Mistake>> {
    let place = Place::command_line();
    let mut remarks = Remarks::default();
    let index = Index::of(&hosts);
    let terms: Vec<&str> = terms(pattern);
    let all_negative = terms.iter().all(|term| term.starts_with('!'));
    let mut selected = vec![all_negative; hosts.len()];
    let mut removed = vec![false; hosts.len()];
    for term in terms {
        let marks = if term.starts_with('!') { &mut removed } else { &mut selected };
        for at in remarks.keep(&place, index.find(term)).unwrap_or_default() {
            if let Some(mark) = marks.get_mut(at) {
                *mark = true;
            }
        }
    }
    if !remarks.mistakes.is_empty() {
        return Err(remarks.mistakes);
    }
    let kept = selected.into_iter().zip(removed).map(|(selected, removed)| selected && !removed);
    let hosts: Vec<Host> = hosts.into_iter().zip(kept).filter_map(|(host, kept)| kept.then_some(host)).collect();
    if hosts.is_empty() {
        let refusal =
            Refusal::new(format!("--limit {} leaves no host", quote(pattern)), "take a `!` term out of --limit");
        return Err(vec![refusal.at(&place)]);
    }
    Ok(hosts)
}

/// Splits at commas outside of brackets.
fn terms(pattern: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let outside = |c: char| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    pattern.split(outside).map(|term| term.trim_matches(' ')).collect()
}

/// The hosts by what a term can call them.
struct Index<'a> {
    hosts: &'a [Host],
    names: HashMap<&'a str, usize>,
    labels: HashMap<&'a str, Vec<usize>>,
    groups: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(hosts: &'a [Host]) -> Self {
        let mut index = Self { hosts, names: HashMap::new(), labels: HashMap::new(), groups: HashMap::new() };
        for (at, host) in hosts.iter().enumerate() {
            index.names.insert(&host.name, at);
            if let Some(label) = label(&host.name) {
                index.labels.entry(label).or_default().push(at);
            }
            if !host.group.is_empty() {
                index.groups.entry(&host.group).or_default().push(at);
            }
        }
        index
    }

    /// Finds the hosts of a term, its `!` not regarded.
    fn find(&self, term: &str) -> Result<Vec<usize>, Refusal> {
        let wanted = term.strip_prefix('!').unwrap_or(term);
        let set = NodeSet::parse(wanted).map_err(|error| {
            Refusal::new(format!("--limit {}: {error}", quote(term)), "type numbers and ranges, such as web-[01-20,25]")
        })?;
        let most = if wanted.contains(['*', '?']) { MAX_GLOBS } else { MAX_HOSTS as u64 };
        if set.count() > most {
            let text = format!("--limit {} names more than {most} hosts", quote(term));
            return Err(Refusal::new(text, "type a glob, such as web-*"));
        }
        let mut found = Vec::new();
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for member in set.iter() {
            let before = found.len();
            self.member(&member, &mut found);
            if found.len() == before { missing.push(member) } else { there.push(member) }
        }
        let bang = if term.starts_with('!') { "!" } else { "" };
        match missing.first() {
            None => Ok(found),
            Some(wanted) if there.is_empty() => {
                let text = format!("--limit {} selects no host", quote(term));
                Err(Refusal::new(text, self.instead(wanted, bang)))
            }
            Some(_) => {
                let folded = |names: &[String]| fold(names.iter().map(String::as_str)).join(",");
                let lost = quote(&folded(&missing));
                let text = format!("--limit {} names hosts that are not in the fleet: {lost}", quote(term));
                Err(Refusal::new(text, format!("type --limit '{bang}{}'", folded(&there))))
            }
        }
    }

    fn member(&self, wanted: &str, found: &mut Vec<usize>) {
        if let Some(group) = wanted.strip_prefix('@') {
            let groups = self.groups.iter().filter(|(name, _)| glob(group, name));
            found.extend(groups.flat_map(|(_, hosts)| hosts));
        } else if wanted.contains(['*', '?']) {
            let short = !wanted.contains('.');
            let is_it =
                |name: &str| glob(wanted, name) || (short && label(name).is_some_and(|label| glob(wanted, label)));
            found.extend(self.hosts.iter().enumerate().filter(|(_, host)| is_it(&host.name)).map(|(at, _)| at));
        } else {
            match (self.names.get(wanted), self.labels.get(wanted)) {
                (Some(at), _) => found.push(*at),
                (None, Some(hosts)) => found.extend(hosts),
                (None, None) => {}
            }
            found.extend(self.groups.get(wanted).into_iter().flatten());
        }
    }

    /// What can be typed for a name that is not there.
    fn instead(&self, wanted: &str, bang: &str) -> String {
        let mut groups: Vec<&str> = self.groups.keys().copied().collect();
        groups.sort_unstable();
        let names = self.hosts.iter().map(|host| host.name.as_str());
        let (at, close) = match wanted.strip_prefix('@') {
            Some(group) => ("@", nearest(group, groups)),
            None if wanted.contains(['*', '?']) => ("", Vec::new()),
            None => ("", nearest(wanted, names.chain(groups))),
        };
        let close: Vec<String> = close.into_iter().map(|name| format!("'{bang}{at}{name}'")).collect();
        match (close.is_empty(), self.hosts.first()) {
            (false, _) => format!("type --limit {}", close.join(" or ")),
            (true, Some(host)) => {
                format!("type a name or a group of the fleet, such as --limit '{bang}{}'", host.name)
            }
            (true, None) => "type a target, or --fleet FILE".to_owned(),
        }
    }
}

/// The first label of a name that has several: `web-01` of `web-01.example.net`. An IPv4 address has none.
fn label(name: &str) -> Option<&str> {
    let (label, _) = name.split_once('.')?;
    (label.contains(|c: char| c.is_ascii_alphabetic()) && !label.contains(':')).then_some(label)
}

/// Matches `*` and `?`, in time of pattern times name whatever the stars.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&want) if want == '?' || want == c => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::inventory::hosts_file::parse;
    use proptest::prelude::*;

    const FILE: &str =
        "[web]\nweb-[01-06].example.net\n[api]\napi-[01-03]:2222\n[db]\ndb-01\ndb-02\n[edge]\n10.0.0.1 name=db\n";

    fn limit(pattern: &str) -> Result<String, String> {
        let hosts = parse("hosts.txt", FILE.as_bytes()).unwrap().hosts;
        match select(hosts, pattern) {
            Ok(hosts) => Ok(fold(hosts.iter().map(|host| host.name.as_str())).join(" ")),
            Err(mistakes) => Err(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    #[test]
    fn names_sets_globs_groups_and_negation() {
        for (pattern, selected) in [
            ("web-03", "web-03.example.net"),
            ("web-03.example.net", "web-03.example.net"),
            ("web-[01-02,05]", "web-[01-02,05].example.net"),
            ("web-*", "web-[01-06].example.net"),
            ("*-01", "web-01.example.net db-01"),
            ("api-0?:2222", "api-[01-03]:2222"),
            ("@api", "api-[01-03]:2222"),
            ("api", "api-[01-03]:2222"),
            ("@d*", "db-[01-02]"),
            ("db", "db-[01-02] db"),
            ("web,!web-03", "web-[01-02,04-06].example.net"),
            ("!web-*,!@api", "db-[01-02] db"),
            ("web-[01-02]*,db-01", "web-[01-02].example.net db-01"),
            ("db-02, db-01", "db-[01-02]"),
        ] {
            assert_eq!(limit(pattern).as_deref(), Ok(selected), "{pattern}");
        }
    }

    #[test]
    fn a_term_that_finds_nothing_names_the_nearest() {
        insta::assert_snapshot!(limit("wbe-01,@wbe,!db-03,x*").unwrap_err(), @"
        command line: --limit `wbe-01` selects no host
          help: type --limit 'web-01.example.net'
        command line: --limit `@wbe` selects no host
          help: type --limit '@web'
        command line: --limit `!db-03` selects no host
          help: type --limit '!db-01' or '!db-02'
        command line: --limit `x*` selects no host
          help: type a name or a group of the fleet, such as --limit 'web-01.example.net'
        ");
        insta::assert_snapshot!(limit("web-[05-08]").unwrap_err(), @"
        command line: --limit `web-[05-08]` names hosts that are not in the fleet: `web-[07-08]`
          help: type --limit 'web-[05-06]'
        ");
        insta::assert_snapshot!(limit("db-01,!db-01").unwrap_err(), @"
        command line: --limit `db-01,!db-01` leaves no host
          help: take a `!` term out of --limit
        ");
    }

    #[test]
    fn what_is_refused() {
        for pattern in ["", ",", "web,", "!", "@", "web-[", "web-[1-1000000]", "web-[1-1001]*", "a:b", "\u{1b}"] {
            assert!(limit(pattern).is_err(), "{pattern}");
        }
        assert!(select(Vec::new(), "web").is_err());
    }

    #[test]
    fn a_glob_of_many_stars_ends() {
        assert!(!glob(&("*a".repeat(60) + "b"), &"a".repeat(2000)));
        assert!(glob("w*-0?.*", "web-01.example.net") && glob("*", "") && !glob("?", ""));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_selects_nothing(pattern in r"[-webapi0-9@!*?,.\[\]:é]{0,16}") {
            let hosts = parse("hosts.txt", FILE.as_bytes()).unwrap().hosts;
            if let Ok(hosts) = select(hosts, &pattern) {
                prop_assert!(!hosts.is_empty());
            }
        }

        #[test]
        fn a_glob_with_one_star_is_starts_and_ends(before in "[ab]{0,3}", after in "[ab]{0,3}", name in "[ab]{0,8}") {
            let plain = name.len() >= before.len() + after.len() && name.starts_with(&before) && name.ends_with(&after);
            prop_assert_eq!(glob(&format!("{before}*{after}"), &name), plain);
        }
    }
}
