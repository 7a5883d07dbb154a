//! What the stories look like.
//!
//! *Invariant:* snapshots of what a person reads, within eighty columns.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::model::WaiverUse;
use crate::report::samples::{any_fleet, drifted, finding as sample, fleet, host, mixed_fleet};
use proptest::prelude::*;

fn written(write: impl FnOnce(&Options<'_>, &mut dyn Write) -> io::Result<()>) -> String {
    let fold = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut out = Vec::new();
    write(&Options::new(&fold), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn told() -> FleetOutcome {
    let side = |text| [(Attr::Text, text)];
    let mut one = sample(
        Severity::Critical,
        Code::SshdChanged,
        "record:/etc/ssh/sshd_config#PermitRootLogin",
        &side("no"),
        &side("yes"),
    );
    one.told.title = Some("sshd: PermitRootLogin no -> yes".into());
    one.told.explanation = vec!["Root may log in with a password from anywhere.".into()];
    one.told.diff = Some("@@ -3 +3 @@\n-PermitRootLogin no\n+PermitRootLogin yes".into());
    one.told.evidence = vec!["anna was logged in from 10.0.0.7 at 2026-11-20 22:14".into()];
    let mut other = one.clone();
    other.told.evidence.clear();
    fleet(
        vec![
            drifted(host("web-01", "web", "web@1"), vec![one]),
            drifted(host("web-02", "web", "web@1"), vec![other]),
            host("web-03", "web", "web@1"),
        ],
        &[("web", "web@1")],
    )
}

#[test]
fn the_story_of_a_finding() {
    let run = told();
    insta::assert_snapshot!(written(|options, to| finding(&run, &run.hosts[0].findings[0], options, to)), @"
    sshd: PermitRootLogin no -> yes

    Severity  CRIT (critical); drift begins at low
    Code      sshd-changed: ssh setting changed
    Subject   record:/etc/ssh/sshd_config#PermitRootLogin
    Finding   359c6cdf395218dee608be3e23418d5036031d4508752289ef0ca5facb75a23f
    On        web-01 web-02 (2 of 3 hosts)
    Since     seen in run 20261121T023004Z-7c1f of 2026-11-21T02:30:04Z; earlier
              runs are not looked at

    In the baseline
      value       no

    On the host
      value       yes

    Why it matters
      Root may log in with a password from anywhere.
      A setting of sshd or ssh differs.
      sshd decides who may log in and how: root, passwords, forwarding, algorithms.
      Often: an edit by hand, a file in sshd_config.d left by a cloud agent or an
        installer.

    Difference, secrets masked
    @@ -3 +3 @@
    -PermitRootLogin no
    +PermitRootLogin yes

    How it happened, from the host's own logs, which it could forge
      web-01
        anna was logged in from 10.0.0.7 at 2026-11-20 22:14

    What decides
      By its meaning: keyword by keyword with the files that are included, the first
        value of each winning as in sshd.
      At this severity it makes a host drifted, unless it is waived.

    Next
      Replace the host by one of its template. If the change is wanted, build it
        into the template and capture a new baseline; don't mend the host by hand.

      driftscan explain web-01 /etc/ssh/sshd_config
          all of this path on this host
      driftscan policy explain /etc/ssh/sshd_config
          the rule that compares it
      driftscan explain sshd-changed  what this kind of finding means
      driftscan waive FINGERPRINT --until DATE --reason TEXT
          all 64 digits: accept it for a time
    ");
}

#[test]
fn the_story_of_a_path() {
    let mut run = told();
    run.hosts[0].findings[0].waiver = Some(WaiverUse {
        of: "x".into(),
        owner: "web-team".into(),
        reason: "until the bastion is there".into(),
        until: "2026-12-31".into(),
    });
    insta::assert_snapshot!(written(|options, to| path(&run, &run.hosts[0], "/etc/ssh/sshd_config", options, to)), @"
    web-01 /etc/ssh/sshd_config in run 20261121T023004Z-7c1f: drifted from web@1

      CRIT  sshd: PermitRootLogin no -> yes                                 359c6cdf
            Root may log in with a password from anywhere.
            waived by web-team until 2026-12-31: until the bastion is there

    Next      nothing to do about this path
              driftscan explain 359c6cdf  the whole story
              driftscan policy explain /etc/ssh/sshd_config
                  the rule that compares it
    ");
    insta::assert_snapshot!(written(|options, to| path(&run, &run.hosts[2], "/var/log/syslog", options, to)), @"
    web-03 /var/log/syslog in run 20261121T023004Z-7c1f: clean from web@1

      No finding: it is as the baseline has it, or neither of them has it, or a rule
        leaves it out.

    Coverage
      The rule /var/log/** matches it and leaves out 120 entries.

    Next      nothing to do about this path
              driftscan policy explain /var/log/syslog  the rule that compares it
    ");
}

#[test]
fn the_story_of_a_code() {
    insta::assert_snapshot!(written(|options, to| code(Code::SshdChanged, options, to)), @"
    sshd-changed: ssh setting changed

    Means     A setting of sshd or ssh differs.
    Matters   sshd decides who may log in and how: root, passwords, forwarding,
              algorithms.
    Often     an edit by hand, a file in sshd_config.d left by a cloud agent or an
              installer.
    Compared  By its meaning: keyword by keyword with the files that are included,
              the first value of each winning as in sshd.
    Do        Replace the host by one of its template. If the change is wanted,
              build it into the template and capture a new baseline; don't mend the
              host by hand.
    ");
}

#[test]
fn every_code_has_a_text_of_its_own_that_repairs_nothing() {
    let mut seen = std::collections::BTreeSet::new();
    for one in Code::ALL {
        let text = codes::of(*one);
        assert!(seen.insert(text.means) && seen.insert(text.causes), "{one:?}");
        for said in [text.means, text.matters, text.compared, text.act] {
            assert!(
                said.ends_with('.') && said.starts_with(|c: char| c.is_uppercase() || said.starts_with("sshd")),
                "{said}"
            );
        }
        assert!(!text.act.contains("systemctl") && !text.act.contains("chmod"), "{}", text.act);
        let page = written(|options, to| code(*one, options, to));
        assert!(page.lines().all(|line| line.chars().count() <= 80) && page.is_ascii(), "{page}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_acts_on_a_terminal(run in any_fleet(), typed: String) {
        for host in &run.hosts {
            let mut pages = vec![written(|options, to| path(&run, host, &typed, options, to))];
            pages.extend(host.findings.iter().take(3).map(|f| written(|options, to| finding(&run, f, options, to))));
            for page in pages {
                let acts = page.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}');
                prop_assert!(!acts);
            }
        }
    }
}

#[test]
fn a_sample_fleet_is_told_within_the_width() {
    let run = mixed_fleet();
    for one in run.hosts.iter().flat_map(|host| &host.findings) {
        let page = written(|options, to| finding(&run, one, options, to));
        // A digest, and a command that is typed, are never broken.
        let long = |line: &&str| line.chars().count() > 80 && !line.contains("driftscan ");
        assert!(!page.lines().any(|line| long(&line)), "{page}");
    }
}
