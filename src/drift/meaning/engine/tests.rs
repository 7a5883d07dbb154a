//! The engine: what stands for a file, and what never does.

#![expect(clippy::unwrap_used, reason = "a test may")]

use crate::drift::compare;
use crate::drift::inquiry::Answers;
use crate::drift::meaning::expand;
use crate::drift::tests::{difference, policy, reference, whole};
use crate::manifest::{GoldenText, GoldenTexts};
use crate::model::{Change, Code, Finding, Severity};
use crate::policy::Policy;
use crate::protocol::reply::{Text, TextState};
use crate::protocol::request::Want;
use crate::protocol::view::{HostFacts, text, value};
use crate::protocol::{Attr, Record, Value, View};
use crate::protocol_tests::{file, record};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file that a view compares.
#[derive(Clone, Copy)]
struct Viewed<'a> {
    path: &'a str,
    view: View,
    bytes: &'a str,
    mode: u16,
}

fn viewed<'a>(path: &'a str, view: View, bytes: &'a str) -> Viewed<'a> {
    Viewed { path, view, bytes, mode: 0o644 }
}

impl Viewed<'_> {
    fn record(&self) -> Record {
        let value = value(self.view, self.bytes.as_bytes(), &HostFacts::default()).unwrap().encode();
        let attrs = [
            (Attr::Kind, Value::Present(&b"f"[..])),
            (Attr::Mode, Value::Present(&self.mode.to_le_bytes())),
            (Attr::Owner, Value::Present(b"#0")),
            (Attr::Group, Value::Present(b"#0")),
            (Attr::View, Value::Present(&value)),
        ];
        record(&format!("fs:{}", self.path), &attrs)
    }

    fn text(&self) -> Option<Vec<u8>> {
        text(self.view, self.bytes.as_bytes(), &HostFacts::default()).ok()
    }
}

/// What a host with these files is told, where the texts were changed on their way by this.
fn expanded(
    before: &[Viewed<'_>],
    after: &[Viewed<'_>],
    policy: &Policy,
    tamper: impl Fn(&mut GoldenTexts, &mut Answers),
) -> Vec<Finding> {
    let records = |files: &[Viewed<'_>]| files.iter().map(Viewed::record).collect::<Vec<Record>>();
    let (old, new) = (records(before), records(after));
    let golden = |file: &Viewed<'_>| {
        Some((file.path.into(), vec![GoldenText { view: Some(file.view), text: file.text()?.into() }]))
    };
    let mut texts = GoldenTexts(before.iter().filter_map(golden).collect::<BTreeMap<_, _>>());
    let mut answers = Answers::default();
    for file in after {
        let text = file.text();
        let state = if text.is_some() { TextState::Whole } else { TextState::NotParsed };
        let key = (file.path.into(), Want::View(file.view));
        answers.texts.insert(key, Text { state, bytes: text.unwrap_or_default() });
    }
    tamper(&mut texts, &mut answers);
    let mut selected = reference(1, &[file("/a", 1)]);
    selected.texts = Arc::new(texts);
    let difference = difference(&old, &new);
    let findings = compare(&difference, &whole(), policy);
    let files = findings.len();
    let told = expand(findings, &difference, &selected, &answers, policy);
    assert!(told.len() >= files, "a file lost its finding");
    told
}

fn plainly(before: &[Viewed<'_>], after: &[Viewed<'_>]) -> Vec<Finding> {
    expanded(before, after, &policy(""), |_, _| {})
}

fn subjects(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| String::from_utf8_lossy(&finding.subject).into_owned()).collect()
}

fn titles(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.told.title.as_deref().unwrap_or("-")).collect()
}

const PASSWD: &str = "root:x:0:0::/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/bash\n";

fn passwd(bytes: &str) -> Viewed<'_> {
    viewed("/etc/passwd", View::Passwd, bytes)
}

#[test]
fn each_record_that_differs_is_a_finding() {
    let host = "deploy2:x:0:0::/root:/bin/bash\nroot:x:0:0::/root:/bin/bash\n";
    let findings = plainly(&[passwd(PASSWD)], &[passwd(host)]);
    assert_eq!(
        subjects(&findings),
        ["record:/etc/passwd#user:deploy2", "record:/etc/passwd#user:root", "record:/etc/passwd#user:anna"]
    );
    assert_eq!(
        titles(&findings),
        ["user deploy2 added with uid 0", "user root: shares its uid with deploy2", "user anna removed (uid 1000)"]
    );
    let added = &findings[0];
    assert_eq!((added.code, added.change, added.severity), (Code::AccountChanged, Change::Added, Severity::Critical));
    assert_eq!(added.path(), Some(&b"/etc/passwd"[..]));
    assert!(added.before.0.is_empty());
    assert_eq!(added.after.text(Attr::Text), Some("uid=0 gid=0 home=/root shell=/bin/bash password=x gecos="));
    // Another record, and another value of the same, are other findings.
    assert_ne!(findings[0].fingerprint, findings[2].fingerprint);
    let other = plainly(&[passwd(PASSWD)], &[passwd(&host.replace("deploy2:x:0", "deploy2:x:7"))]);
    assert_ne!(other.iter().find(|f| f.key == added.key).unwrap().fingerprint, added.fingerprint);
    // The order of users means nothing.
    let turned: String = PASSWD.lines().rev().flat_map(|line| [line, "\n"]).collect();
    assert_eq!(plainly(&[passwd(PASSWD)], &[passwd(&turned)]), []);
}

#[test]
fn mode_and_owner_of_the_file_stay() {
    let open = Viewed { mode: 0o666, ..passwd("root:x:0:0::/root:/bin/bash\n") };
    let findings = plainly(&[passwd(PASSWD)], &[open]);
    assert_eq!(subjects(&findings), ["record:/etc/passwd#user:anna", "fs:/etc/passwd"]);
    assert_eq!(findings[1].code, Code::ModeChanged);
}

/// The one finding of the file, and what it says of why no record is told.
fn untold(findings: &[Finding]) -> String {
    assert_eq!(subjects(findings), ["fs:/etc/passwd"]);
    assert_eq!(findings[0].code, Code::ContentChanged);
    findings[0].told.explanation.join("; ")
}

#[test]
fn a_text_that_is_not_the_one_that_was_proven_is_not_read() {
    let host = passwd("root:x:0:0::/root:/bin/bash\n");
    let key = || (b"/etc/passwd".to_vec(), Want::View(View::Passwd));
    let with = |tamper: &dyn Fn(&mut GoldenTexts, &mut Answers)| {
        untold(&expanded(&[passwd(PASSWD)], &[host], &policy(""), tamper))
    };
    assert_eq!(with(&|golden, _| golden.0.clear()), "the baseline has no text of it as passwd to compare with");
    let told = with(&|golden, _| {
        golden.0.values_mut().flatten().for_each(|text| text.text = [&text.text[..], b"\n"].concat().into());
    });
    assert_eq!(told, "the baseline has no text of it as passwd to compare with");
    assert_eq!(with(&|_, answers| answers.texts.clear()), "the host gave no text of it as passwd");
    // The host tells the golden story, which is not what it hashed.
    let lie = passwd(PASSWD).text().unwrap();
    let told = with(&|_, answers| {
        answers.texts.insert(key(), Text { state: TextState::Whole, bytes: lie.clone() });
    });
    assert_eq!(told, "the text that the host gave of it as passwd is not what it had hashed");
    for (state, why) in [
        (TextState::Cut, "its text as passwd is too long to be told record by record"),
        (TextState::NotParsed, "the host says that it can't be read as passwd"),
        (TextState::Secret, "its text as passwd may not leave the host"),
        (TextState::Unread, "the host gave no text of it as passwd"),
    ] {
        let told = with(&|_, answers| answers.texts.get_mut(&key()).unwrap().state = state);
        assert_eq!(told, why);
    }
}

#[test]
fn a_file_that_does_not_parse_is_told_as_a_whole() {
    let broken = format!("{PASSWD}evil::0:0\n");
    let told = untold(&plainly(&[passwd(PASSWD)], &[passwd(&broken)]));
    assert_eq!(told, "the host's file can't be read as passwd, so that its bytes are compared");
    let told = untold(&plainly(&[passwd(&broken)], &[passwd(PASSWD)]));
    assert_eq!(told, "the golden file can't be read as passwd, so that its bytes are compared");
}

#[test]
fn what_differs_only_where_it_is_masked_keeps_its_file() {
    let cron = |bytes| viewed("/etc/crontab", View::Cron, bytes);
    let mask = |text: &mut Vec<u8>| {
        *text = String::from_utf8_lossy(text).replace("one", "[masked]").replace("two", "[masked]").into();
    };
    let findings = expanded(
        &[cron("1 * * * * root x one\n")],
        &[cron("1 * * * * root x two\n")],
        &policy(""),
        |golden, answers| {
            golden.0.values_mut().flatten().for_each(|text| {
                let mut bytes = text.text.to_vec();
                mask(&mut bytes);
                text.text = bytes.into();
            });
            answers.texts.values_mut().for_each(|text| mask(&mut text.bytes));
        },
    );
    assert_eq!(subjects(&findings), ["fs:/etc/crontab"]);
    assert_eq!(findings[0].told.explanation, ["what differs in it looks like a secret, and is not shown"]);
}

/// The findings of two texts of one crontab, masked as answers are.
fn masked_crons(golden: &str, host: &str) -> Vec<Finding> {
    let cron = |bytes| viewed("/etc/cron.d/app", View::Cron, bytes);
    expanded(&[cron(golden)], &[cron(host)], &policy(""), |golden, answers| {
        golden.0.values_mut().flatten().for_each(|text| text.text = crate::drift::mask::text(&text.text).into());
        answers.texts.values_mut().for_each(|text| text.bytes = crate::drift::mask::text(&text.bytes));
    })
}

#[test]
fn what_is_masked_is_another_finding_where_it_is_other_bytes() {
    let golden = "1 * * * * root /opt/x\n";
    let job = |token: &str| masked_crons(golden, &format!("{golden}2 * * * * root curl --token=\"{token}\" a\n"));
    let (one, other) = (job("aaa"), job("$(evil)"));
    assert_eq!((one.len(), other.len()), (1, 1));
    assert_eq!(one[0].subject, other[0].subject);
    assert_eq!(one[0].after, other[0].after);
    assert_ne!(one[0].fingerprint, other[0].fingerprint);
    assert_eq!(one[0].fingerprint, job("aaa")[0].fingerprint);
    // Nothing is masked: the record has one fingerprint, whatever else the file holds.
    let plain = |more: &str| masked_crons(golden, &format!("{golden}2 * * * * root /opt/y\n{more}"));
    let (one, other) = (plain(""), plain("3 * * * * root /opt/z\n"));
    let of = |findings: &[Finding]| {
        findings.iter().find(|finding| finding.subject.ends_with(b"/opt/y")).map(|finding| finding.fingerprint).unwrap()
    };
    assert_eq!((one.len(), other.len()), (1, 2));
    assert_eq!(of(&one), of(&other));
}

#[test]
fn a_masked_record_that_is_told_nowhere_keeps_its_file_besides_the_others() {
    let cron = |token: &str, more: &str| format!("1 * * * * root curl --token={token} a\n{more}");
    let more = "2 * * * * root /opt/y\n";
    let one = masked_crons(&cron("aaa", ""), &cron("aaa", more));
    assert_eq!(subjects(&one), ["record:/etc/cron.d/app#job root /opt/y", "fs:/etc/cron.d/app"]);
    assert_eq!(one[1].told.title.as_deref(), Some("/etc/cron.d/app: a masked value may differ too"));
    let other = masked_crons(&cron("aaa", ""), &cron("bbb", more));
    assert_eq!(one[0].fingerprint, other[0].fingerprint);
    assert_ne!(one[1].fingerprint, other[1].fingerprint);
}

#[test]
fn few_records_stand_for_a_whole_file_and_weigh_what_it_weighs() {
    let job = viewed("/etc/cron.d/x", View::Cron, "1 * * * * root /opt/x\n");
    let findings = plainly(&[], &[job]);
    assert_eq!(subjects(&findings), ["record:/etc/cron.d/x#job root /opt/x"]);
    assert_eq!((findings[0].change, findings[0].severity), (Change::Added, Severity::High));
    let findings = plainly(&[job], &[]);
    assert_eq!((findings[0].change, findings[0].code), (Change::Removed, Code::JobChanged));
    // A removed job is worth less than a removed file of this folder.
    assert_eq!(findings[0].severity, Severity::High);
    // Nobody may write to a file unseen because of what is in it.
    let findings = plainly(&[], &[Viewed { mode: 0o666, ..job }]);
    assert_eq!(subjects(&findings), ["fs:/etc/cron.d/x"]);
    assert_eq!(findings[0].told.explanation, ["cron of root: job added: /opt/x (1 * * * *)"]);
    // A file without a record is a file.
    assert_eq!(subjects(&plainly(&[], &[viewed("/etc/cron.d/x", View::Cron, "# none\n")])), ["fs:/etc/cron.d/x"]);
    let many: String = ["0", "1", "2", "3", "4", "5"].map(|n| format!("1 * * * * root /opt/{n}\n")).concat();
    let findings = plainly(&[], &[viewed("/etc/cron.d/x", View::Cron, &many)]);
    assert_eq!(subjects(&findings), ["fs:/etc/cron.d/x"]);
    assert_eq!(titles(&findings), ["/etc/cron.d/x added: cron of root: job added: /opt/0 (1 * * * *) (and 5 more)"]);
    assert_eq!(findings[0].told.explanation.len(), 6);
}

#[test]
fn the_users_word_for_a_path_wins() {
    let rule = "[[rule]]\npath = \"/etc/passwd\"\nseverity = \"low\"\n";
    let host = "root:x:0:0::/root:/bin/bash\nevil::0:0::/:/bin/sh\n";
    let text = format!("schema = \"driftscan.policy/v1\"\n[[rule]]\npath = \"/**\"\ntreatment = \"strict\"\n{rule}");
    let own = crate::policy::PolicyFile::parse("policy.toml", &text).unwrap().for_system("debian", &[]);
    let findings = expanded(&[passwd(PASSWD)], &[passwd(host)], &own, |_, _| {});
    assert!(findings.iter().all(|finding| finding.severity == Severity::Low), "{findings:#?}");
    let findings = plainly(&[passwd(PASSWD)], &[passwd(host)]);
    assert_eq!(findings[0].severity, Severity::Critical);
}

#[test]
fn a_path_that_can_not_be_told_from_its_records_keeps_its_own_finding() {
    let file = |bytes| viewed("/etc/cron.d/a#b", View::Cron, bytes);
    let findings = plainly(&[file("1 * * * * root x\n")], &[file("2 * * * * root x\n")]);
    assert_eq!(subjects(&findings), ["fs:/etc/cron.d/a#b"]);
}

#[test]
fn a_file_has_no_more_findings_than_people_read_and_the_gravest_first() {
    let users: Vec<String> = (1..=300).map(|n| format!("u{n}:x:{n}:{n}::/:/usr/sbin/nologin\n")).collect();
    let users = users.concat();
    let host = format!("{PASSWD}{users}zz:x:0:0::/:/bin/sh\n");
    let findings = plainly(&[passwd(PASSWD)], &[passwd(&host)]);
    assert_eq!(findings.len(), 201);
    assert_eq!(findings[0].told.title.as_deref(), Some("user zz added with uid 0"));
    let rest = findings.last().unwrap();
    assert_eq!((rest.code, &rest.subject[..]), (Code::ContentChanged, &b"fs:/etc/passwd"[..]));
    assert_eq!(rest.told.title.as_deref(), Some("/etc/passwd: 101 more records differ"));
}

#[test]
fn a_hostile_record_makes_one_line_and_a_fingerprint_of_its_own() {
    let long = "x".repeat(200_000);
    let line = |end: &str| format!("1 * * * * root {long}\x1b[31m\u{202e}{end}\n");
    let (a, b) = (line("a"), line("b"));
    let file = |bytes| viewed("/etc/crontab", View::Cron, bytes);
    let findings = plainly(&[file("1 * * * * root y\n")], &[file(&format!("1 * * * * root y\n{a}{b}"))]);
    assert_eq!(findings.len(), 2);
    assert_ne!(findings[0].fingerprint, findings[1].fingerprint);
    assert_ne!(findings[0].subject, findings[1].subject);
    for finding in &findings {
        let title = finding.told.title.as_deref().unwrap();
        assert!(title.chars().count() <= 100 && !title.contains(['\x1b', '\u{202e}']), "{title}");
        assert!(finding.subject.len() < 4_096);
    }
}
