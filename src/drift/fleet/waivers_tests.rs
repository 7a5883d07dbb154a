//! What waivers do to a run, and what they never do.
//!
//! *Invariant:* properties hold for every fleet that the samples can make.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::drift::fleet::settle;
use crate::model::text::hex;
use crate::model::{Cause, CauseKind, Code, Decision};
use crate::protocol::Attr;
use crate::report::samples::{any_fleet, drifted, finding, fleet, host, unreadable};
use jiff::civil::date;
use proptest::prelude::*;

fn waivers(entries: &[(&str, &str, u64)]) -> Waivers {
    let mut text = "schema = \"driftscan.waivers/v1\"\n".to_owned();
    for (scope, until, most) in entries {
        let rest = format!("owner = \"dba\"\nreason = \"r\"\nuntil = {until}\nmax_hosts = {most}\n");
        text.extend(["[[waiver]]\n", scope, "\n", &rest]);
    }
    Waivers::parse("waivers.toml", &text).unwrap()
}

fn of(finding: &Finding) -> String {
    format!("fingerprint = \"{}\"", hex(&finding.fingerprint))
}

fn sysctl(severity: Severity) -> Finding {
    let side = |n| [(Attr::Text, n)];
    finding(severity, Code::KernelChanged, "record:/etc/sysctl.conf#vm.swappiness", &side("60"), &side("10"))
}

const TODAY: Day = date(2026, 11, 21);

#[test]
fn waived_drift_alone_makes_no_candidate_and_is_shown() {
    let low = sysctl(Severity::Low);
    let mut run =
        fleet(vec![drifted(host("db-01", "db", "db@1"), vec![low.clone()]), host("db-02", "db", "db@1")], &[]);
    settle(&mut run, &waivers(&[(&of(&low), "2026-11-21", 1)]), TODAY);
    assert_eq!((run.hosts[0].verdict, run.hosts[0].decision), (Verdict::Clean, Decision::Keep));
    assert_eq!(run.status(), 0);
    assert_eq!(run.hosts[0].findings[0].waiver.as_ref().unwrap().owner, "dba");
    let state = &run.waivers[0];
    assert_eq!(
        (state.standing, state.hosts.as_slice(), state.findings),
        (Standing::Used, &["db-01".to_owned()][..], 1)
    );
    // The day after, it is drift again.
    settle(&mut run, &waivers(&[(&of(&low), "2026-11-21", 1)]), date(2026, 11, 22));
    assert_eq!((run.hosts[0].verdict, run.status()), (Verdict::Drifted, 2));
    assert_eq!(run.waivers[0].why.as_deref(), Some("it expired on 2026-11-21"));
}

#[test]
fn a_host_with_other_drift_stays_drifted() {
    let (low, other) = (sysctl(Severity::Low), sysctl(Severity::Medium));
    let mut other = other;
    other.fingerprint = [9; 32];
    let mut run = fleet(vec![drifted(host("db-01", "db", "db@1"), vec![other, low.clone()])], &[]);
    settle(&mut run, &waivers(&[(&of(&low), "2026-12-31", 1)]), TODAY);
    assert_eq!(run.hosts[0].verdict, Verdict::Drifted);
    assert_eq!(run.hosts[0].findings.iter().filter(|finding| finding.waiver.is_some()).count(), 1);
}

#[test]
fn more_hosts_than_it_may_cover_make_it_void() {
    let low = sysctl(Severity::Low);
    let hosts = (1..=3).map(|n| drifted(host(&format!("db-0{n}"), "db", "db@1"), vec![low.clone()]));
    let mut run = fleet(hosts.collect(), &[]);
    settle(&mut run, &waivers(&[(&of(&low), "2026-12-31", 2)]), TODAY);
    assert_eq!((run.status(), run.waivers[0].standing), (2, Standing::Void));
    assert_eq!(run.waivers[0].why.as_deref(), Some("over-broad: 3 hosts have it, and it may cover 2"));
    assert!(run.hosts.iter().all(|host| host.findings[0].waiver.is_none()));
}

#[test]
fn a_critical_finding_needs_its_whole_fingerprint() {
    let grave = sysctl(Severity::Critical);
    let pattern = "code = \"kernel-setting-changed\"\nsubject = \"record:/etc/sysctl.conf#*\"";
    let mut run = fleet(vec![drifted(host("db-01", "db", "db@1"), vec![grave.clone()])], &[]);
    settle(&mut run, &waivers(&[(pattern, "2026-12-31", 9)]), TODAY);
    assert_eq!((run.status(), run.waivers[0].standing), (2, Standing::Unused));
    settle(&mut run, &waivers(&[(&of(&grave), "2026-12-31", 9)]), TODAY);
    assert_eq!(run.status(), 0);
}

#[test]
fn coverage_that_is_not_complete_never_becomes_clean() {
    let low = sysctl(Severity::Low);
    let one = drifted(unreadable(host("db-01", "db", "db@1"), &["/root"]), vec![low.clone()]);
    let mut silent = drifted(host("db-02", "db", "db@1"), vec![low.clone()]);
    silent.coverage = None;
    let mut run = fleet(vec![one, silent], &[]);
    settle(&mut run, &waivers(&[(&of(&low), "2026-12-31", 2)]), TODAY);
    assert!(run.hosts.iter().all(|host| host.verdict == Verdict::Unverifiable), "{:?}", run.hosts);
    assert!(run.hosts.iter().all(|host| host.decision == Decision::Investigate));
    assert_eq!(run.status(), 3);
}

#[test]
fn a_host_of_an_older_version_is_outdated_and_not_clean() {
    let mount = finding(Severity::Medium, Code::MountAdded, "mount:/mnt", &[], &[(Attr::FsType, "nfs")]);
    let mut one = drifted(host("db-01", "db", "db@1"), vec![mount.clone()]);
    one.versions_behind = Some(1);
    let mut run = fleet(vec![one], &[]);
    settle(&mut run, &waivers(&[(&of(&mount), "2026-12-31", 2)]), TODAY);
    assert_eq!((run.hosts[0].verdict, run.status()), (Verdict::Outdated, 2));
}

/// A host whose nginx was upgraded: the package, what it explains, and what it does not.
fn upgraded() -> HostOutcome {
    let mut package = finding(Severity::Medium, Code::PackageVersion, "pkg:nginx:amd64", &[], &[]);
    let file = |severity, name: &str, class| {
        let mut file = finding(severity, Code::ContentChanged, &format!("fs:/usr/sbin/{name}"), &[], &[]);
        (file.cause, file.told.class) = (Some(0), Some(class));
        file
    };
    package.cause = Some(0);
    let cause = Cause {
        kind: CauseKind::PackageVersion,
        subject: package.subject.clone(),
        title: "nginx 1 -> 2".into(),
        severity: Severity::Critical,
        fingerprint: package.fingerprint,
        findings: 4,
        evidence: vec![],
    };
    let files = [
        file(Severity::High, "nginx", Class::AsShipped),
        file(Severity::High, "forged", Class::Tampered),
        file(Severity::Critical, "root", Class::AsShipped),
    ];
    let mut one = drifted(host("web-01", "web", "web@1"), [vec![package], files.to_vec()].concat());
    one.causes = vec![cause];
    one
}

#[test]
fn accepting_a_package_accepts_what_it_ships_and_nothing_critical() {
    let mut run = fleet(vec![upgraded()], &[]);
    let package = run.hosts[0].findings[0].clone();
    settle(&mut run, &waivers(&[(&of(&package), "2026-12-31", 1)]), TODAY);
    let waived: Vec<bool> = run.hosts[0].findings.iter().map(|finding| finding.waiver.is_some()).collect();
    assert_eq!(waived, [true, true, false, false]);
    assert_eq!((run.hosts[0].verdict, run.waivers[0].findings), (Verdict::Drifted, 2));
    // A file of the cause alone covers that file alone.
    let file = run.hosts[0].findings[1].clone();
    settle(&mut run, &waivers(&[(&of(&file), "2026-12-31", 1)]), TODAY);
    assert_eq!(run.hosts[0].findings.iter().filter(|finding| finding.waiver.is_some()).count(), 1);
}

/// Waivers of some of a fleet's findings, and of their codes.
fn some_of(run: &FleetOutcome, picks: &[(prop::sample::Index, bool, u64)]) -> Waivers {
    let findings: Vec<&Finding> = run.hosts.iter().flat_map(|host| &host.findings).collect();
    let entries: Vec<(String, &str, u64)> = picks
        .iter()
        .filter(|_| !findings.is_empty())
        .map(|(pick, whole, most)| {
            let finding = pick.get(&findings);
            let pattern = format!("code = \"{}\"\nsubject = \"fs:/**/[a-z]*aa*\"", finding.code.word());
            (if *whole { of(finding) } else { pattern }, if *most == 2 { "2026-01-01" } else { "2026-12-31" }, *most)
        })
        .collect();
    waivers(&entries.iter().map(|(scope, until, most)| (scope.as_str(), *until, *most)).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn settling_twice_is_settling_once(
        mut run in any_fleet(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 1u64..4), 0..5),
    ) {
        let (before, waivers) = (run.clone(), some_of(&run, &picks));
        settle(&mut run, &waivers, TODAY);
        let once = run.clone();
        settle(&mut run, &waivers, TODAY);
        prop_assert_eq!(&run, &once);
        // No finding comes or goes, and none is changed but for its waiver.
        for (was, is) in before.hosts.iter().zip(&once.hosts) {
            let bare = |host: &HostOutcome| {
                let mut findings = host.findings.clone();
                for finding in &mut findings {
                    finding.waiver = None;
                }
                findings
            };
            prop_assert_eq!(bare(was), bare(is));
        }
        // Taking all of them back gives what holds without any.
        settle(&mut run, &Waivers::default(), TODAY);
        let mut plain = before;
        settle(&mut plain, &Waivers::default(), TODAY);
        let verdicts = |run: &FleetOutcome| {
            run.hosts.iter().map(|host| host.findings.iter().any(|f| f.severity >= run.drift_at).then_some(host.verdict)).collect::<Vec<_>>()
        };
        prop_assert_eq!(verdicts(&run), verdicts(&plain));
    }

    #[test]
    fn a_waiver_never_hides_what_was_not_read(
        mut run in any_fleet(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 1u64..4), 0..5),
    ) {
        let (before, waivers) = (run.clone(), some_of(&run, &picks));
        settle(&mut run, &waivers, TODAY);
        for (was, is) in before.hosts.iter().zip(&run.hosts) {
            if was.verdict != is.verdict && matches!(is.verdict, Verdict::Clean | Verdict::Outdated) {
                prop_assert!(is.reasons.is_empty() && is.coverage.as_ref().is_some_and(|coverage| coverage.complete));
            }
            for finding in is.findings.iter().filter(|finding| finding.severity == Severity::Critical) {
                prop_assert!(finding.waiver.as_ref().is_none_or(|waiver| waiver.of == hex(&finding.fingerprint)));
            }
        }
    }
}
