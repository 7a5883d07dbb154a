//! What siblings teach, in values: each class by its weakest rule, and nothing that must not be learned.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::manifest::NoiseClass;
use crate::policy::PolicyFile;
use crate::protocol::Attr;
use crate::protocol::view::View;
use crate::protocol_tests::{file, folder, package, set};

/// A sibling that has these instead of the golden machine's.
fn sibling(name: &str, golden: &[Record], own: &[Record]) -> Sibling {
    let only = |these: &[Record], those: &[Record]| {
        let mut only: Vec<Record> = these.iter().filter(|record| !those.contains(record)).cloned().collect();
        only.sort_by(|a, b| a.subject().cmp(b.subject()));
        only
    };
    let difference = Difference { removed: only(golden, own), added: only(own, golden) };
    Sibling { name: name.to_owned(), difference, racing: Vec::new() }
}

fn learned(golden: &[Record], siblings: &[Sibling], same: &[&str]) -> Lessons {
    let text = "schema = \"driftscan.policy/v1\"\nextends = []\n[[rule]]\npath = \"/**\"\ntreatment = \"strict\"\n";
    let policy = PolicyFile::parse("policy.toml", text).unwrap().for_system("foolinux", &[]);
    let mut golden = golden.to_vec();
    golden.sort_by(|a, b| a.subject().cmp(b.subject()));
    learn(siblings, &golden, &policy, &same.iter().map(|path| path.as_bytes().to_vec()).collect())
}

fn patterns(lessons: &Lessons) -> Vec<String> {
    let of = |rule: &NoiseRule| {
        format!("{} {} {}", String::from_utf8_lossy(rule.pattern.text()), rule.treatment.word(), rule.class.word())
    };
    lessons.rules.iter().map(of).collect()
}

#[test]
fn equal_siblings_teach_nothing() {
    let golden = [file("/etc/hostname", 1)];
    assert_eq!(learned(&golden, &[sibling("a", &golden, &golden)], &[]), Lessons::default());
}

#[test]
fn a_class_gives_its_weakest_rule() {
    let golden = [file("/etc/machine-id", 1), file("/var/log/syslog", 1), file("/etc/ld.so.cache", 1)];
    let own: Vec<Record> = golden.iter().map(|record| set(record, Attr::Content, &[2; 32])).collect();
    let lessons = learned(&golden, &[sibling("a", &golden, &own)], &[]);
    assert_eq!(
        patterns(&lessons),
        [
            "/etc/ld.so.cache derived derived-cache",
            "/etc/machine-id host-value identity",
            "/var/log/syslog metadata runtime-state"
        ]
    );
    assert_eq!(lessons.rules[1].view, Some(View::MachineId));
    assert_eq!(lessons.rules[1].learned[0].hosts, ["a"]);
    assert!(lessons.undecided.is_empty() && lessons.notes.is_empty());
}

#[test]
fn a_wildcard_hits_nothing_steady() {
    let at = |name: &str| file(&format!("/var/cache/app/{name}"), 1);
    let golden = [at("x"), folder("/var/cache/app")];
    let (a, b) = ([at("y"), folder("/var/cache/app")], [at("z"), folder("/var/cache/app")]);
    let siblings = [sibling("a", &golden, &a), sibling("b", &golden, &b)];
    assert_eq!(patterns(&learned(&golden, &siblings, &[])), ["/var/cache/app/* ignore derived-cache"]);
    // One file of the folder is the same everywhere: it stays compared.
    let with = |own: &[Record]| [own, &[at("steady")]].concat();
    let (golden, a, b) = (with(&golden), with(&a), with(&b));
    let lessons = learned(&golden, &[sibling("a", &golden, &a), sibling("b", &golden, &b)], &[]);
    assert_eq!(patterns(&lessons), ["x", "y", "z"].map(|name| format!("/var/cache/app/{name} ignore derived-cache")));
}

#[test]
fn what_is_never_learned_is_shown_with_the_reason() {
    let program = set(&file("/var/cache/app/run", 1), Attr::Mode, &0o755u16.to_le_bytes());
    let golden = [
        file("/etc/shadow", 1),
        program.clone(),
        package("nginx", "1"),
        set(&file("/var/log/x", 1), Attr::Mode, &0o640u16.to_le_bytes()),
    ];
    let own = [
        file("/etc/shadow", 2),
        set(&program, Attr::Content, &[2; 32]),
        package("nginx", "2"),
        set(&file("/var/log/x", 1), Attr::Mode, &0o600u16.to_le_bytes()),
    ];
    let lessons = learned(&golden, &[sibling("a", &golden, &own)], &["/etc/shadow"]);
    assert!(lessons.rules.is_empty());
    let why: Vec<&str> = lessons.undecided.iter().map(|one| one.why.as_str()).collect();
    assert_eq!(
        why,
        [
            "never learned: who has a password",
            "never learned: it can be run",
            "never learned: another mode",
            "siblings of one template have the same packages, facts and mounts",
        ]
    );
    assert!(lessons.undecided.iter().all(|one| one.treatment.is_none()));
}

#[test]
fn a_text_that_is_the_same_once_host_values_are_put_back_is_one() {
    let golden = [file("/etc/app/node.toml", 1)];
    let siblings = [sibling("a", &golden, &[file("/etc/app/node.toml", 2)])];
    assert_eq!(texts_to_compare(&siblings), [b"/etc/app/node.toml".to_vec()]);
    let lessons = learned(&golden, &siblings, &["/etc/app/node.toml"]);
    assert_eq!(patterns(&lessons), ["/etc/app/node.toml host-value host-values"]);
    assert_eq!(lessons.rules[0].class, NoiseClass::HostValues);
    let without = learned(&golden, &siblings, &[]);
    assert_eq!(without.undecided[0].treatment, Some(Treatment::Metadata));
}

#[test]
fn a_folder_with_a_program_in_it_is_not_left_out_as_a_whole() {
    let program = set(&file("/var/lib/cloud/i-1/run", 1), Attr::Mode, &0o755u16.to_le_bytes());
    let golden = [folder("/var/lib/cloud/i-1"), file("/var/lib/cloud/i-1/data", 1), program];
    let lessons = learned(&golden, &[sibling("a", &golden, &[file("/x", 1)])], &[]);
    let rules = patterns(&lessons);
    assert!(rules.iter().all(|rule| !rule.contains('*')), "{rules:?}");
    assert!(lessons.undecided.iter().any(|one| one.subject == b"fs:/var/lib/cloud/i-1/run"));
}

#[test]
fn twins_are_told_of() {
    let id = |content| file("/etc/machine-id", content);
    let golden = [id(1)];
    let siblings = [sibling("a", &golden, &[id(2)]), sibling("b", &golden, &[id(2)])];
    let lessons = learned(&golden, &siblings, &[]);
    assert_eq!(lessons.notes, ["/etc/machine-id is the same on a and b: each machine must have its own"]);
}
