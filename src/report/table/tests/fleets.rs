//! Common drift, snowflakes, ages: what a whole fleet looks like.
//!
//! *Invariant:* runs are settled as a scan settles them before they are shown.

use super::*;
use crate::drift::fleet::settle;
use crate::model::{Cause, CauseKind, History, RunId};
use crate::waivers::Waivers;

fn settled(hosts: Vec<HostOutcome>, baselines: &[(&str, &str)]) -> FleetOutcome {
    let mut run = fleet(hosts, baselines);
    settle(&mut run, &Waivers::default(), jiff::civil::date(2026, 11, 21));
    run
}

/// An upgrade of openssl in place, as one cause.
fn upgraded(mut host: HostOutcome) -> HostOutcome {
    let mut package = finding(
        Severity::Medium,
        Code::PackageVersion,
        "pkg:openssl:amd64",
        &[(Attr::Version, "3.0.17-1")],
        &[(Attr::Version, "3.0.18-1")],
    );
    package.cause = Some(0);
    package.told.first_seen = Some("2026-11-19T02:30:00Z".into());
    host.causes = vec![Cause {
        kind: CauseKind::PackageVersion,
        subject: package.subject.clone(),
        title: "openssl 3.0.17-1 -> 3.0.18-1, 37 files, all as shipped".into(),
        severity: Severity::Medium,
        fingerprint: package.fingerprint,
        findings: 37,
        evidence: vec!["2026-11-19 06:21 apt: unattended-upgrade".into()],
    }];
    drifted(host, vec![package])
}

fn with(mut host: HostOutcome, severity: Severity, title: &str, since: &str) -> HostOutcome {
    let mut own = finding(severity, Code::AccountChanged, &format!("record:/etc/x#{title}"), &[], &[(Attr::Text, "0")]);
    own.told.title = Some(title.into());
    own.told.first_seen = Some(since.into());
    let causes = std::mem::take(&mut host.causes);
    let mut findings = std::mem::take(&mut host.findings);
    findings.push(own);
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.subject.cmp(&b.subject)));
    HostOutcome { causes, ..drifted(host, findings) }
}

/// As a person reads it, names folded as everywhere.
fn told(outcome: &FleetOutcome) -> String {
    let fold = |names: &[&str]| crate::inventory::fold(names.iter().copied());
    let report_path = Some("reports/20261121T023004Z-7c1f/report.json".into());
    let mut out = Vec::new();
    write(outcome, &Options { report_path, ..Options::new(&fold) }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const NEW: &str = "2026-11-21T02:30:04Z";

#[test]
fn the_mock_up() {
    let web = |n: u8| host(&format!("web-{n:02}"), "web", "web@2026.11.3");
    let mut hosts: Vec<HostOutcome> = (1..=5).map(|n| upgraded(web(n))).collect();
    let four = with(hosts.remove(3), Severity::Critical, "user deploy2 added with uid 0", NEW);
    let four = with(four, Severity::Critical, "sshd: PermitRootLogin no -> yes", NEW);
    let fix = "/usr/local/bin/fix.sh: executable, no package owns it";
    hosts.insert(3, with(four, Severity::High, fix, "2026-11-19T02:30:00Z"));
    hosts.extend(mixed_fleet().hosts.into_iter().filter(|host| !host.name.starts_with("web") || host.name == "web-06"));
    let baselines =
        [("web", "web@2026.11.3"), ("api", "api@2026.11.1"), ("db", "db@2026.10.2"), ("edge", "edge@2026.11.3")];
    let mut run = settled(hosts, &baselines);
    run.history = Some(History { previous: RunId::new("20261120T023004Z", [0, 0]), runs: 1 });
    run.hosts.iter_mut().filter(|host| host.name == "api-02").for_each(|host| host.reasons.clear());
    insta::assert_snapshot!(told(&run), @"
    12 hosts in 4.1 s, run 20261121T023004Z-7c1f: DRIFT (exit 2)

       3  REPLACE       web-04 api-02 drifted, web-06 outdated
       4  FIX TEMPLATE  web-[01-03,05] have only the change that most of web shares
       1  INVESTIGATE   db-02 unverifiable
       4  KEEP          api-[01,03] db-01 edge-01 clean

    GROUP  BASELINE        HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@2026.11.3       6      -         1        5             -
    api    api@2026.11.1       3      2         -        1             -
    db     db@2026.10.2        2      1         -        -             1
    edge   edge@2026.11.3      1      1         -        -             -

    REPLACE
    web-04  drifted, snowflake: 3 findings that no other web host has
      CRIT  sshd: PermitRootLogin no -> yes                            NEW  55448b1b
      CRIT  user deploy2 added with uid 0                              NEW  14abba51
      HIGH  /usr/local/bin/fix.sh: executable, no package owns it      2d   e5c74b94
            also the common change of web (below)
    api-02  drifted, snowflake: 2 findings that no other api host has
      MED   /etc/nginx/nginx.conf: content changed, 1203 -> 1260            25b8edaa
              bytes
      MED   nginx 1.22.1-9 -> 1.22.1-10, upgraded                           cc7c32f5
    web-06  outdated: exactly web@2026.11.1, 2 versions behind, no local change

    FIX TEMPLATE, or stop what changes the fleet
    web-[01-05]  5 of 6 hosts, since 2026-11-19
      MED   openssl 3.0.17-1 -> 3.0.18-1, 37 files, all as shipped     2d   f91de998
            log (forgeable) of web-01: 2026-11-19 06:21 apt: unattended-upgrade

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

    Next      driftscan explain 55448b1b            the whole story of one finding
              driftscan plan --fleet FILE           which to replace, in what waves
              driftscan report --format dockerfile  the common change, as lines
              driftscan doctor db-02                the connection, step by step
    ");
}

/// Five hundred hosts of three groups: most of web upgraded in place, six snowflakes, two that did not answer.
#[test]
fn a_fleet_of_five_hundred_fits_on_one_screen() {
    let of = |group: &str, n: usize| host(&format!("{group}-{n:03}"), group, &format!("{group}@2026.11.3"));
    let mut hosts: Vec<HostOutcome> = (1..=300).map(|n| upgraded(of("web", n))).collect();
    hosts.extend((1..=150).map(|n| of("api", n)));
    hosts.extend((1..=50).map(|n| of("db", n)));
    for (n, at) in [16, 99, 211, 340, 402, 470].into_iter().enumerate() {
        let mut one = hosts[at].clone();
        for more in 0..=n % 3 {
            let severity = [Severity::Critical, Severity::High, Severity::Medium][(n + more) % 3];
            one = with(
                one,
                severity,
                &format!("/usr/local/sbin/hotfix-{n}{more}.sh: executable, no package owns it"),
                NEW,
            );
        }
        hosts[at] = one;
    }
    let remedy = Some("is it up? driftscan doctor tells more");
    for at in [120, 480] {
        hosts[at] = unverifiable(hosts[at].clone(), Reason::Unreachable, "connection refused", remedy);
        hosts[at].findings.clear();
    }
    let mut run = settled(hosts, &[("web", "web@2026.11.3"), ("api", "api@2026.11.3"), ("db", "db@2026.11.3")]);
    run.history = Some(History { previous: RunId::new("20261120T023004Z", [0, 0]), runs: 1 });
    let text = told(&run);
    assert!(text.is_ascii() && text.lines().count() <= 40, "{} lines:\n{text}", text.lines().count());
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    insta::assert_snapshot!(text, @"
    500 hosts in 4.1 s, run 20261121T023004Z-7c1f: DRIFT (exit 2)

       6  REPLACE       web-[017,100,212] api-[041,103] db-021 drifted
     296  FIX TEMPLATE  web-[001-016,018-099,101-120,122-211,213-300] have only the
                        change that most of web shares
       2  INVESTIGATE   web-121 db-031 unverifiable
     196  KEEP          api-[001-040,042-102,104-150] ... in all 196 clean

    GROUP  BASELINE       HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@2026.11.3    300      -         -      299             1
    api    api@2026.11.3    150    148         -        2             -
    db     db@2026.11.3      50     48         -        1             1

    REPLACE, the gravest of each  (driftscan report 20261121T023004Z-7c1f -v)
    web-212  CRIT  /usr/local/sbin/hotfix-21.sh: executable, ... +2    NEW  867b0d43
    db-021   CRIT  /usr/local/sbin/hotfix-51.sh: executable, ... +2    NEW  a5050d72
    web-017  CRIT  /usr/local/sbin/hotfix-00.sh: executable, no ...    NEW  546c9fda
    api-041  CRIT  /usr/local/sbin/hotfix-30.sh: executable, no ...    NEW  691ea676
    web-100  HIGH  /usr/local/sbin/hotfix-10.sh: executable, ... +1    NEW  9d7a84dc
    api-103  HIGH  /usr/local/sbin/hotfix-40.sh: executable, ... +1    NEW  50eff992

    FIX TEMPLATE, or stop what changes the fleet
    web-[001-120,122-300]  299 of 299 hosts, since 2026-11-19
      MED   openssl 3.0.17-1 -> 3.0.18-1, 37 files, all as shipped     2d   f91de998
            log (forgeable) of web-001: 2026-11-19 06:21 apt: unattended-upgrade

    INVESTIGATE
    web-121 db-031  unreachable: connection refused
            is it up? driftscan doctor tells more

    Coverage  498 of 500 hosts complete; 11,504,298 entries compared; 2 rules
              ignored 85,656 entries (driftscan report --coverage)
    Baseline  api@2026.11.3, db@2026.11.3, web@2026.11.3 (driftscan baseline show)
    Report    reports/20261121T023004Z-7c1f/report.json  (mode 0600)

    Next      driftscan explain 546c9fda            the whole story of one finding
              driftscan plan --fleet FILE           which to replace, in what waves
              driftscan report --format dockerfile  the common change, as lines
              driftscan doctor web-121              the connection, step by step
    ");
}

#[test]
fn a_set_with_holes_is_told_by_its_ends() {
    let holes = |n: usize| format!("web-{n:03}");
    let hosts = (1..=400).step_by(2).map(|n| upgraded(host(&holes(n), "web", "web@1"))).collect();
    let run = settled(hosts, &[]);
    let text = told(&run);
    assert!(text.contains("web-[001...399]") && text.lines().all(|line| line.len() <= 80), "{text}");
}
