//! What would be lost, as a person reads it.
//!
//! *Invariant:* snapshots of what a person reads, never of how it is made.

use super::*;
use crate::model::{StateAtRisk, StateItem, StateKind};

fn item(path: &str, bytes: u64) -> StateItem {
    StateItem {
        kind: StateKind::Home,
        path: path.to_owned(),
        bytes,
        files: 3,
        newest: Some("2026-11-20T07:00:00Z".to_owned()),
        more: false,
    }
}

fn holding(name: &str, items: Vec<StateItem>, unseen: &[&str]) -> HostOutcome {
    let found = vec![many_findings().remove(0)];
    let unseen = unseen.iter().map(|path| (*path).to_owned()).collect();
    HostOutcome {
        state: Some(StateAtRisk { items, rest: 0, unseen }),
        ..drifted(host(name, "web", "web@2026.11.3"), found)
    }
}

fn told(hosts: Vec<HostOutcome>, verbose: bool) -> String {
    let fleet = fleet(hosts, &[("web", "web@2026.11.3")]);
    let text = shown(&fleet, |options| options.verbose = verbose);
    let lines = text.lines().skip_while(|line| !line.contains("at risk"));
    lines.take_while(|line| line.starts_with("    ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_thing_is_one_line() {
    insta::assert_snapshot!(told(vec![holding("web-04", vec![item("/home/anna", 2_100_000_000)], &[])], false), @"        at risk: /home/anna 2.1 GB, newest 2026-11-20");
    assert_eq!(told(vec![holding("web-04", Vec::new(), &[])], false), "");
}

#[test]
fn the_three_largest_are_named_and_the_others_counted() {
    let mut items: Vec<StateItem> = (1..=7).map(|n| item(&format!("/home/u{n}"), 9_000_000 / n)).collect();
    items[1].more = true;
    items[2].newest = None;
    let host = holding("web-04", items, &["/root", "/var/lib", "/var/lib/mysql", "/var/mail", "/var/spool/cron"]);
    insta::assert_snapshot!(told(vec![host.clone()], false), @"
    at risk: /home/u1 9.0 MB, newest 2026-11-20; /home/u2 at least 4.5 MB,
      newest 2026-11-20; /home/u3 3.0 MB and 4 more
    may be at risk, not looked into: /root, /var/lib, /var/lib/mysql and 2
      more
    ");
    assert!(told(vec![host], true).contains("/home/u7 1.2 MB"));
}

#[test]
fn hosts_that_are_shown_as_one_have_a_line_each() {
    let unseen: &[&str] = &["/root"];
    let hosts = vec![
        holding("web-01", vec![item("/home/anna", 5_000)], unseen),
        holding("web-02", Vec::new(), unseen),
        holding("web-03", vec![item("/home/bert", 700)], unseen),
    ];
    insta::assert_snapshot!(told(hosts, false), @"
    at risk on web-01: /home/anna 5.0 kB, newest 2026-11-20
    at risk on web-03: /home/bert 700 B, newest 2026-11-20
    may be at risk, not looked into: /root
    ");
    let many = (10..30).map(|n| holding(&format!("web-{n}"), vec![item("/home/anna", n)], &[])).collect();
    let text = told(many, false);
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.ends_with("at risk on 15 hosts more of them"), "{text}");
}
