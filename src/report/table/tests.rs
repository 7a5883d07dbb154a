//! What the table looks like, and what it never does.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod causes;
mod findings;
mod fleets;
mod properties;

use super::*;
use crate::model::{Code, Finding, Reason, Severity, TroubleShown, Verdict};
use crate::protocol::Attr;
use crate::report::samples::*;

/// Enough of a fold for tests: `web-01` and `web-02` become `web-[01-02]`.
fn fold(names: &[&str]) -> Vec<String> {
    let split = |name: &str| {
        let (stem, number) = name.rsplit_once('-')?;
        let n = number.parse::<u32>().ok().filter(|n| format!("{n:02}") == number)?;
        Some((stem.to_owned(), n))
    };
    let mut out: Vec<(String, Option<(u32, u32)>)> = Vec::new();
    for name in names {
        match (split(name), out.last_mut()) {
            (Some((stem, n)), Some((last, Some((_, to))))) if *last == stem && *to + 1 == n => *to = n,
            (Some((stem, n)), _) => out.push((stem, Some((n, n)))),
            (None, _) => out.push(((*name).to_owned(), None)),
        }
    }
    out.into_iter()
        .map(|(stem, range)| match range {
            None => stem,
            Some((from, to)) if from == to => format!("{stem}-{from:02}"),
            Some((from, to)) => format!("{stem}-[{from:02}-{to:02}]"),
        })
        .collect()
}

fn shown(outcome: &FleetOutcome, change: impl FnOnce(&mut Options<'_>)) -> String {
    let mut options = Options::new(&fold);
    change(&mut options);
    let mut out = Vec::new();
    write(outcome, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn detailed(outcome: &FleetOutcome, verbose: bool) -> String {
    let mut out = Vec::new();
    coverage(outcome, &Options { verbose, ..Options::new(&fold) }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_mixed_fleet() {
    let text = shown(&mixed_fleet(), |options| {
        options.report_path = Some("reports/20261121T023004Z-7c1f/report.json".into());
    });
    assert!(text.is_ascii());
    insta::assert_snapshot!(text, @"
    12 hosts in 4.1 s, run 20261121T023004Z-7c1f: DRIFT (exit 2)

       3  REPLACE       web-04 api-02 drifted, web-06 outdated
       1  INVESTIGATE   db-02 unverifiable
       8  KEEP          web-[01-03] web-05 api-01 api-03 db-01 edge-01 clean

    GROUP  BASELINE        HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@2026.11.3       6      4         1        1             -
    api    api@2026.11.1       3      2         -        1             -
    db     db@2026.10.2        2      1         -        -             1
    edge   edge@2026.11.3      1      1         -        -             -

    REPLACE
    web-04  drifted from web@2026.11.3: 1 critical, 1 high, 1 medium, 1 low
      CRIT  /usr/local/bin/fix.sh: added, executable file 0755 root         a755fb48
      HIGH  /etc/ssh/sshd_config: mode 0600 -> 0666                         ef243d79
      MED   mount /boot: options nosuid,nodev -> nodev                      11a000f6
      LOW   fact kernel 6.1.0-28-amd64 -> 6.1.0-31-amd64                    2df3eab4
    api-02  drifted from api@2026.11.1: 2 medium
            not verified besides (racing): /var/lib/app/state.db changed while it
              was read, twice
              scan again, or ignore it in the policy
      MED   /etc/nginx/nginx.conf: content changed, 1203 -> 1260 bytes      25b8edaa
      MED   nginx 1.22.1-9 -> 1.22.1-10, upgraded                           cc7c32f5
    web-06  outdated: exactly web@2026.11.1, 2 versions behind, no local change

    INVESTIGATE
    db-02  host-key: host key changed; driftscan did not log in
            known_hosts:12  SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk
            now (ED25519)   SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE
            Rebuilt? Compare it with the console, then update known_hosts.

    Coverage  11 of 12 hosts complete; 254,111 entries compared; 2 rules ignored
              1,892 entries (driftscan report --coverage)
    Baseline  api@2026.11.1, db@2026.10.2, edge@2026.11.3, web@2026.11.3
              (driftscan baseline show)
    Report    reports/20261121T023004Z-7c1f/report.json  (mode 0600)

    Next      driftscan explain a755fb48   the whole story of one finding
              driftscan plan --fleet FILE  which to replace, in what waves
              driftscan doctor db-02       the connection, step by step
    ");
}

#[test]
fn a_clean_fleet_is_short() {
    let hosts = (1..=20).map(|n| host(&format!("web-{n:02}"), "web", "web@2026.11.3")).collect();
    insta::assert_snapshot!(shown(&fleet(hosts, &[("web", "web@2026.11.3")]), |_| {}), @"
    20 hosts in 4.1 s, run 20261121T023004Z-7c1f: CLEAN (exit 0)

      20  KEEP          web-[01-20] clean

    GROUP  BASELINE       HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@2026.11.3     20     20         -        -             -

    Coverage  20 of 20 hosts complete; 462,020 entries compared; 2 rules ignored
              3,440 entries (driftscan report --coverage)
    Baseline  web@2026.11.3 (driftscan baseline show)
    ");
}

#[test]
fn everything_that_was_not_compared_is_said() {
    let mut one = host("web-01", "web", "web@2026.11.3");
    let coverage = one.coverage.as_mut().unwrap();
    coverage.oversize = 2;
    coverage.flags_untold = 40;
    coverage.live = false;
    coverage.packages = None;
    coverage.skipped_mounts = vec![("/mnt/nfs".into(), "nfs4".into())];
    coverage.pruned = vec![("/proc/**".into(), "/proc".into())];
    coverage.troubles =
        vec![TroubleShown { path: "/root/.cache".into(), reason: Reason::Unreadable, part: "entries", excused: true }];
    coverage.troubles_total = 1;
    let mut fleet = fleet(vec![one, host("web-02", "web", "web@2026.11.3")], &[("web", "web@2026.11.3")]);
    fleet.baselines[0].note = Some("the only template there is".into());
    fleet.notes = vec!["hosts.txt:3: warning: a name twice\n  the first one counts".into()];
    insta::assert_snapshot!(shown(&fleet, |_| {}), @"
    2 hosts in 4.1 s, run 20261121T023004Z-7c1f: CLEAN (exit 0)

       2  KEEP          web-[01-02] clean

    GROUP  BASELINE       HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@2026.11.3      2      2         -        -             -

    Coverage  2 of 2 hosts complete; 46,202 entries compared; 2 rules ignored 344
              entries; 1 folder left out whole, uncounted; 1 mount not walked; 2
              files above the size cap, not hashed; 40 entries whose file system
              does not tell flags; 1 thing not read; 1 of them excused by the
              policy; kernel and mounts not compared on web-01; no package database
              on web-01 (driftscan report --coverage)
    Baseline  web@2026.11.3 (the only template there is) (driftscan baseline show)
    Note      hosts.txt:3: warning: a name twice
                the first one counts
    ");
    insta::assert_snapshot!(detailed(&fleet, false), @"
    web-01  complete
        23,400 entries walked, 23,101 compared, 850 MB hashed, in 0.3 s, no package
        database, kernel and mounts not compared
        2 entries above the size cap, not hashed
        40 entries on file systems that do not tell immutable and append-only flags
        ignored by rule
                  120  /var/log/**
                   52  /run/**
        folders left out whole, not counted, and their rule
            /proc  /proc/**
        mounts not walked
            /mnt/nfs  nfs4
        not read
            /root/.cache  unreadable (entries) excused

    web-02  complete
        23,400 entries walked, 23,101 compared, 850 MB hashed, in 0.3 s, 412
        packages (dpkg)
        ignored by rule
                  120  /var/log/**
                   52  /run/**
    ");
}

#[test]
fn unreadable_paths_are_said_once() {
    let mut hosts: Vec<_> = (1..=20)
        .map(|n| unreadable(host(&format!("web-{n:02}"), "web", "web@2026.11.3"), &["/etc/shadow", "/root"]))
        .collect();
    hosts.push(unreadable(host("db-01", "db", "db@2026.10.2"), &["/etc/shadow", "/var/lib/postgresql"]));
    let text = shown(&fleet(hosts, &[("web", "web@2026.11.3"), ("db", "db@2026.10.2")]), |_| {});
    assert_eq!(text.matches("--sudo").count(), 1);
    assert_eq!(text.matches("excuse_unreadable").count(), 1);
    insta::assert_snapshot!(text, @"
    21 hosts in 4.1 s, run 20261121T023004Z-7c1f: UNVERIFIABLE (exit 3)

      21  INVESTIGATE   web-[01-20] db-01 unverifiable

    GROUP  BASELINE       HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@2026.11.3     20      -         -        -            20
    db     db@2026.10.2       1      -         -        -             1

    INVESTIGATE
    web-[01-20] db-01  unreadable: nothing but 3 paths on 21 hosts could not be read
            /etc/shadow (21 hosts), /root (20 hosts), /var/lib/postgresql (1 host)
            Two ways out: scan with --sudo, or name them under excuse_unreadable in
            the policy: coverage then says so.

    Coverage  0 of 21 hosts complete; 485,121 entries compared; 2 rules ignored
              3,612 entries; 42 things not read (driftscan report --coverage)
    Baseline  db@2026.10.2, web@2026.11.3 (driftscan baseline show)
    ");
}

#[test]
fn drifted_hosts_with_unreadable_paths_are_told_the_ways_out_once() {
    let mut hosts: Vec<_> = (1..=3)
        .map(|n| unreadable(host(&format!("web-{n:02}"), "web", "w@1"), &["/etc/shadow"]))
        .map(|host| drifted(host, many_findings()))
        .collect();
    hosts[1].findings.truncate(1);
    let text = shown(&fleet(hosts.clone(), &[]), |_| {});
    assert_eq!(text.matches("Two ways out").count(), 1, "{text}");
    hosts.push(unreadable(host("db-01", "db", "w@1"), &["/etc/shadow"]));
    let text = shown(&fleet(hosts, &[]), |_| {});
    assert_eq!(text.matches("Two ways out").count(), 1, "{text}");
}

#[test]
fn root_is_not_told_to_use_sudo() {
    let mut one = unreadable(host("web-01", "web", "web@2026.11.3"), &["/mnt/fuse"]);
    one.evidence.uid = Some(0);
    let text = shown(&fleet(vec![one], &[]), |_| {});
    assert!(text.contains("Root itself was refused") && !text.contains("--sudo"), "{text}");
}

#[test]
fn one_reason_of_many_hosts_is_one_entry() {
    let down = |n: u32, text: String| {
        let remedy = Some("is it up? driftscan doctor tells more");
        unverifiable(host(&format!("web-{n:02}"), "web", "w@1"), Reason::Unreachable, &text, remedy)
    };
    let same = (1..=20).map(|n| down(n, "connection refused".into())).collect();
    let unlike = (21..=40).map(|n| down(n, format!("connect to 10.0.0.{n}: no route to host"))).collect();
    insta::assert_snapshot!(section_of(&fleet(same, &[]), "INVESTIGATE"), @"

    INVESTIGATE
    web-[01-20]  unreachable: connection refused
            is it up? driftscan doctor tells more
    ");
    insta::assert_snapshot!(section_of(&fleet(unlike, &[]), "INVESTIGATE"), @"

    INVESTIGATE
    web-[21-40]  unreachable: 20 hosts
            web-21: connect to 10.0.0.21: no route to host
            web-22: connect to 10.0.0.22: no route to host
            web-23: connect to 10.0.0.23: no route to host
            ... and 17 other texts
              (driftscan report 20261121T023004Z-7c1f --format json)
            is it up? driftscan doctor tells more
    ");
}

/// The section of a title.
fn section_of(outcome: &FleetOutcome, title: &str) -> String {
    let text = shown(outcome, |_| {});
    let start = text.find(&format!("\n{title}\n")).unwrap();
    text[start..].split("\n\n").next().unwrap().to_owned()
}

#[test]
fn host_keys_are_never_shortened_or_folded() {
    let keys: Vec<String> = (0..6).map(|n| format!("SHA256:{}", n.to_string().repeat(43))).collect();
    let hosts = keys.iter().enumerate().map(|(n, key)| {
        let text = format!("host key changed\nknown_hosts:{n}  SHA256:old\nnow (ED25519)  {key}");
        unverifiable(host(&format!("web-{n:02}"), "web", "w@1"), Reason::HostKey, &text, None)
    });
    let text = shown(&fleet(hosts.collect(), &[]), |options| options.width = 40);
    for key in keys {
        assert!(text.contains(&key), "{text}");
    }
}

fn many_findings() -> Vec<Finding> {
    let file = |at: &str, n: u32, severity| {
        let after = [(Attr::Kind, "file"), (Attr::Mode, "0644"), (Attr::Owner, "root"), (Attr::Group, "adm")];
        finding(severity, Code::FileAdded, &format!("fs:{at}/{n:03}"), &[], &after)
    };
    let mut findings: Vec<_> = (0..19).map(|n| file("/etc/cron.d", n, Severity::High)).collect();
    findings.extend((0..200).map(|n| file("/usr/share/doc/x", n, Severity::Low)));
    findings.extend((0..30).map(|n| file("/opt/app", n, Severity::Low)));
    findings.push(finding(Severity::Info, Code::PackageAdded, "pkg:zsh:amd64", &[], &[(Attr::Version, "5.9")]));
    findings
}

#[test]
fn a_run_cut_off_says_so() {
    let mut fleet = mixed_fleet();
    fleet.hosts.truncate(3);
    fleet.interrupted = Some(2);
    let text = shown(&fleet, |_| {});
    insta::assert_snapshot!(text.split("\n\nGROUP").next().unwrap(), @"
    12 hosts in 4.1 s, run 20261121T023004Z-7c1f: INTERRUPTED (exit 130)
    partial: 3 of 12 hosts finished before SIGINT cut the run off

       3  KEEP          web-[01-03] clean
       9  NOT SCANNED   the run ended before they were done
    ");
}

#[test]
fn an_outdated_fleet_is_never_called_clean() {
    let mut one = host("web-01", "web", "web@1");
    one.verdict = Verdict::Outdated;
    one.decision = Decision::Replace;
    one.versions_behind = Some(1);
    let mut fleet = fleet(vec![one, host("web-02", "web", "web@2")], &[("web", "web@2"), ("web", "web@1")]);
    let first = |fleet: &FleetOutcome| shown(fleet, |_| {}).lines().next().unwrap().to_owned();
    assert!(first(&fleet).ends_with(": OUTDATED (exit 2)"));
    assert!(shown(&fleet, |_| {}).contains("\nweb    web@2         2      1         1        -             -\n"));
    fleet.allow_outdated = true;
    assert!(first(&fleet).ends_with(": OUTDATED, allowed (exit 0)"));
}

#[test]
fn long_groups_lose_the_column_not_the_baseline() {
    let name = "frontend-eu-west-production";
    let fleet = fleet(vec![host("web-01", name, "frontend@2026.11.3")], &[(name, "frontend@2026.11.3")]);
    let text = shown(&fleet, |_| {});
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("frontend@2026.11.3 for frontend-eu-west-production"), "{text}");
}
