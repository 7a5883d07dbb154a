//! How causes lead, and how what is waived is told.
//!
//! *Invariant:* snapshots of what a person reads, never of how it is made.

use super::*;
use crate::model::{Cause, CauseKind, Class, Standing, WaiverState, WaiverUse};

/// A host whose nginx was upgraded, with thirty files as shipped, one edited by hand, and an account added.
fn upgraded(name: &str) -> HostOutcome {
    let version = |v| [(Attr::Version, v)];
    let mut package =
        finding(Severity::Medium, Code::PackageVersion, "pkg:nginx:amd64", &version("1.22.1-9"), &version("1.22.1-10"));
    package.cause = Some(0);
    let mut findings = vec![package.clone()];
    for n in 0..30 {
        let subject = format!("fs:/usr/share/nginx/{n:02}");
        let side = |text| [(Attr::Content, text)];
        let mut file = finding(Severity::Low, Code::ContentChanged, &subject, &side("sha256:a"), &side("sha256:b"));
        (file.cause, file.told.class) = (Some(0), Some(Class::AsShipped));
        findings.push(file);
    }
    let side = |text| [(Attr::Size, text)];
    let mut edited =
        finding(Severity::Medium, Code::ContentChanged, "fs:/etc/nginx/nginx.conf", &side("1203"), &side("1260"));
    edited.told.class = Some(Class::EditedConfig);
    let mut account =
        finding(Severity::Critical, Code::AccountChanged, "record:/etc/passwd#deploy2", &[], &[(Attr::Text, "0")]);
    account.told.title = Some("user deploy2 added with uid 0".into());
    account.told.explanation = vec!["Whoever logs in as deploy2 is root.".into()];
    account.told.evidence = vec!["2026-11-20 22:14 anna: sudo useradd -o -u 0 deploy2".into()];
    findings.extend([edited, account]);
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.subject.cmp(&b.subject)));
    let mut one = drifted(host(name, "web", "web@1"), findings);
    one.causes = vec![Cause {
        kind: CauseKind::PackageVersion,
        subject: package.subject,
        title: "nginx 1.22.1-9 -> 1.22.1-10, 31 files, all as the vendor shipped them".into(),
        severity: Severity::Medium,
        fingerprint: package.fingerprint,
        findings: 31,
        evidence: vec!["2026-11-20 06:21 apt: unattended-upgrade".into()],
    }];
    one
}

#[test]
fn causes_lead_and_what_they_explain_is_counted() {
    let run = fleet(vec![upgraded("web-01"), upgraded("web-02")], &[]);
    insta::assert_snapshot!(section_of(&run, "REPLACE"), @"

    REPLACE
    web-[01-02]  drifted from web@1: 1 critical, 2 medium, in all 33 findings
      CRIT  user deploy2 added with uid 0                                   023bfb98
      MED   nginx 1.22.1-9 -> 1.22.1-10, 31 files, all as the vendor        cc7c32f5
              shipped them
      MED   /etc/nginx/nginx.conf: content changed, 1203 -> 1260 bytes,     54ad4063
              edited by hand
    ");
    let all = shown(&run, |options| options.verbose = true);
    assert_eq!(all.matches("/usr/share/nginx/").count(), 30, "{all}");
    let head: Vec<&str> = all.split("REPLACE\n").nth(1).unwrap().lines().take(8).collect();
    insta::assert_snapshot!(head.join("\n"), @"
    web-[01-02]  drifted from web@1: 1 critical, 2 medium, in all 33 findings
      CRIT  user deploy2 added with uid 0                                   023bfb98
            Whoever logs in as deploy2 is root.
            its own logs, which it could forge: 2026-11-20 22:14 anna: sudo useradd
              -o -u 0 deploy2
      MED   nginx 1.22.1-9 -> 1.22.1-10, 31 files, all as the vendor        cc7c32f5
              shipped them
            its own logs, which it could forge: 2026-11-20 06:21 apt:
    ");
}

#[test]
fn by_finding_each_is_told_once_with_its_hosts() {
    let run = mixed_fleet_with(vec![upgraded("web-01"), upgraded("web-02")]);
    let text = shown(&run, |options| options.by_finding = true);
    let start = text.find("\nREPLACE").unwrap();
    insta::assert_snapshot!(text[start..].split("\nCoverage").next().unwrap(), @"

    REPLACE, by finding
      CRIT  user deploy2 added with uid 0                                   023bfb98
            web-[01-02] (2 hosts)
      MED   nginx 1.22.1-9 -> 1.22.1-10, 31 files, all as the vendor        cc7c32f5
              shipped them
            web-[01-02] api-02 (3 hosts)
      MED   /etc/nginx/nginx.conf: content changed, 1203 -> 1260 bytes,     54ad4063
              edited by hand
            web-[01-02] (2 hosts)
      MED   /etc/nginx/nginx.conf: content changed, 1203 -> 1260 bytes      25b8edaa
            api-02
            api-02 is drifted, and not verified besides (racing):
              /var/lib/app/state.db changed while it was read, twice
              scan again, or ignore it in the policy

    REPLACE
    web-06  outdated: exactly web@2026.11.1, 2 versions behind, no local change
    ");
}

/// These hosts, one that is outdated, and one that was not read in full.
fn mixed_fleet_with(mut hosts: Vec<HostOutcome>) -> FleetOutcome {
    let mixed = mixed_fleet().hosts;
    hosts.extend(mixed.into_iter().filter(|host| matches!(host.name.as_str(), "web-06" | "api-02")));
    fleet(hosts, &[])
}

fn waived(run: &mut FleetOutcome, at: usize, pick: impl Fn(&Finding) -> bool) -> Vec<String> {
    let waiver =
        WaiverUse { of: String::new(), owner: "dba".into(), reason: "tuned".into(), until: "2026-12-31".into() };
    let mut of = Vec::new();
    for finding in run.hosts[at].findings.iter_mut().filter(|finding| pick(finding)) {
        let hex = crate::model::text::hex(&finding.fingerprint);
        finding.waiver = Some(WaiverUse { of: hex.clone(), ..waiver.clone() });
        of.push(hex);
    }
    of
}

fn state(of: &str, standing: Standing, hosts: &[&str], findings: usize) -> WaiverState {
    WaiverState {
        of: of.into(),
        group: None,
        owner: "dba".into(),
        reason: "tuned".into(),
        until: "2026-12-31".into(),
        max_hosts: 1,
        line: 3,
        standing,
        why: (standing == Standing::Void).then(|| "it expired on 2026-10-31".to_owned()),
        hosts: hosts.iter().map(|name| (*name).to_owned()).collect(),
        findings,
    }
}

#[test]
fn what_is_waived_is_told_at_the_end_and_never_hidden() {
    let side = |text| [(Attr::Text, text)];
    let mut sysctl =
        finding(Severity::Low, Code::KernelChanged, "record:/etc/sysctl.conf#vm.swappiness", &side("60"), &side("10"));
    sysctl.told.title = Some("sysctl vm.swappiness 60 -> 10".into());
    let mut db = host("db-01", "db", "db@1");
    db.findings = vec![sysctl];
    let mut run = fleet(vec![upgraded("web-01"), db], &[]);
    let one = waived(&mut run, 1, |_| true).remove(0);
    let package = waived(&mut run, 0, |finding| finding.code == Code::PackageVersion).remove(0);
    waived(&mut run, 0, |finding| finding.told.class == Some(Class::AsShipped));
    run.waivers = vec![
        state(&one, Standing::Used, &["db-01"], 1),
        state(&package, Standing::Used, &["web-01"], 31),
        state("content-changed fs:/etc/nginx/**", Standing::Void, &["web-01"], 1),
        state(&"3f".repeat(32), Standing::Unused, &[], 0),
    ];
    let text = shown(&run, |_| {});
    insta::assert_snapshot!(text, @"
    2 hosts in 4.1 s, run 20261121T023004Z-7c1f: DRIFT (exit 2)

       1  REPLACE       web-01 drifted
       1  KEEP          db-01 clean

    GROUP  BASELINE  HOSTS  CLEAN  OUTDATED  DRIFTED  UNVERIFIABLE
    web    web@1         1      -         -        1             -
    db     db@1          1      1         -        -             -

    REPLACE
    web-01  drifted from web@1: 1 critical, 1 medium, 31 waived
      CRIT  user deploy2 added with uid 0                                   023bfb98
      MED   /etc/nginx/nginx.conf: content changed, 1203 -> 1260 bytes,     54ad4063
              edited by hand

    Coverage  2 of 2 hosts complete; 46,202 entries compared; 2 rules ignored 344
              entries (driftscan report --coverage)
    Waived    1 on db-01: sysctl vm.swappiness 60 -> 10, dba, until 2026-12-31
    Waived    31 on web-01: nginx 1.22.1-9 -> 1.22.1-10, 31 files, all as the vendor
              shipped them, dba, until 2026-12-31
    Void      waiver of line 3 (content-changed fs:/etc/nginx/**, dba): it expired
              on 2026-10-31; 1 finding counts as drift on web-01

    Next      driftscan explain 023bfb98   the whole story of one finding
              driftscan plan --fleet FILE  which to replace, in what waves
    ");
    // Two lines of what is waived, and nothing of it as drift.
    assert!(!text.contains("/usr/share/nginx"));
    let all = shown(&run, |options| options.verbose = true);
    assert!(all.contains("\nWAIVED\n") && all.contains("Unused    waiver of line 3 (fingerprint 3f3f3f3f"), "{all}");
    assert!(all.contains("dba, until 2026-12-31: tuned"), "{all}");
    assert_eq!(all.matches("/usr/share/nginx/").count(), 30);
}
