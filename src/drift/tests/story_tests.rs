//! The story of a finding: from logs and times to its evidence, and never to its verdict.

use super::super::history::LOGS;
use super::*;
use crate::drift::inquiry::Answers;
use crate::model::{Severity, Verdict};
use crate::protocol::Attr;
use crate::protocol::reply::{Text, TextState, evidence};
use crate::protocol::request::Want;
use crate::protocol_tests::{file, folder, package, set};

const NOW: i64 = 1_795_348_800;

fn whole(bytes: &[u8]) -> Text {
    Text { state: TextState::Whole, bytes: bytes.to_vec() }
}

fn with_log(answers: &mut Answers, path: &str, text: &[u8]) {
    let most = LOGS.iter().find(|(log, _)| *log == path).unwrap().1;
    answers.texts.insert((path.as_bytes().to_vec(), Want::Tail(most)), whole(text));
}

fn stat(answers: &mut Answers, path: &str, text: &str) {
    answers.texts.insert((path.as_bytes().to_vec(), Want::Stat), whole(text.as_bytes()));
}

fn judged_with(before: &[Record], after: &[Record], answers: Answers) -> Judgement {
    let mut observation = observed(super::whole(), Found::Different(difference(before, after)));
    observation.answers = answers;
    observation.evidence.put(evidence::CLOCK, NOW.to_string().as_bytes());
    judge(&[reference(1, before)], &observation, &PLAIN)
}

#[test]
fn a_package_has_the_command_that_brought_it() {
    let mut answers = Answers::default();
    with_log(
        &mut answers,
        "/var/log/apt/history.log",
        b"Start-Date: 2026-11-18  06:12:03\nCommandline: apt install nginx\nInstall: nginx:amd64 (1.22.1-9)\n\n\
          Start-Date: 2026-11-19  06:12:03\nCommandline: /usr/bin/unattended-upgrade\n\
          Upgrade: nginx:amd64 (1.22.1-9, 1.22.1-10), nginx-core:amd64 (1.22.1-9, 1.22.1-10)\n",
    );
    with_log(&mut answers, "/var/log/dpkg.log", b"2026-11-19 06:12:04 upgrade nginx:amd64 1.22.1-9 1.22.1-10\n");
    let base = file("/usr/bin/ls", 1);
    let before = [base.clone(), package("nginx", "1.22.1-9")];
    let after = [base, package("nginx", "1.22.1-10")];
    let judged = judged_with(&before, &after, answers);
    let finding = only(&judged.findings, Code::PackageVersion);
    assert_eq!(finding.told.evidence, ["2026-11-19 06:12 apt: unattended-upgrade (nginx 1.22.1-9 -> 1.22.1-10)"]);
}

#[test]
fn a_file_has_who_was_there_when_it_changed() {
    let mut answers = Answers::default();
    with_log(
        &mut answers,
        "/var/log/auth.log",
        b"2026-11-19T13:58:01+00:00 web-01 sshd[811]: Accepted publickey for anna from 10.0.0.9 port 5 ssh2: x\n\
          2026-11-19T14:01:10+00:00 web-01 sudo: anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/vim /etc/nginx/nginx.conf\n\
          2026-11-19T11:01:10+00:00 web-01 sudo: bert : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id\n\
          2026-11-19T14:01:11+00:00 web-01 sudo: anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/curl -u anna:hunter2 https://x\n",
    );
    stat(&mut answers, "/etc/nginx/nginx.conf", "size=10 mtime=1795096920 ctime=1795096920 uid=0");
    let before = [file("/etc/nginx/nginx.conf", 1)];
    let after = [set(&before[0], Attr::Content, &[9; 32])];
    let judged = judged_with(&before, &after, answers);
    let finding = only(&judged.findings, Code::ContentChanged);
    assert_eq!(
        finding.told.evidence,
        [
            "changed 2026-11-19 14:02 UTC",
            "2026-11-19 13:58 UTC anna logged in from 10.0.0.9",
            "2026-11-19 14:01 UTC sudo by anna: vim /etc/nginx/nginx.conf",
            "2026-11-19 14:01 UTC sudo by anna: curl ...",
        ]
    );
    assert_eq!(judged.verdict, Verdict::Drifted);
}

#[test]
fn traces_of_configuration_management_are_named_once_and_decide_nothing() {
    let mut answers = Answers::default();
    stat(&mut answers, "/var/lib/puppet/state/last_run_summary.yaml", "size=1 mtime=1 ctime=1 uid=0");
    stat(&mut answers, "/var/lib/puppet/state/state.yaml", "size=1 mtime=1 ctime=1 uid=0");
    stat(&mut answers, "/root/.ansible/tmp", "size=1 mtime=1 ctime=1 uid=0");
    with_log(
        &mut answers,
        "/var/log/secure",
        b"Nov 19 14:01:10 w sudo: ops : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh -c echo BECOME-SUCCESS-abc ; python3 /x\n",
    );
    let before = [file("/a", 1), folder("/root/.ansible/tmp")];
    let after = [set(&before[0], Attr::Content, &[9; 32]), before[1].clone()];
    let judged = judged_with(&before, &after, answers);
    let traces: Vec<&Finding> =
        judged.findings.iter().filter(|finding| finding.code == Code::ConfigurationManagement).collect();
    let subjects: Vec<&[u8]> = traces.iter().map(|finding| finding.subject.as_slice()).collect();
    assert_eq!(subjects, [&b"fact:configuration-management.ansible"[..], b"fact:configuration-management.puppet"]);
    assert!(traces.iter().all(|finding| finding.severity == Severity::Info));
    // The golden machine has that folder too, so only the log tells of Ansible.
    assert_eq!(traces[0].told.evidence, ["2026-11-19 14:01 ran as root for ops, by the log of sudo"]);
    assert_eq!(traces[1].told.evidence.len(), 2);
}
