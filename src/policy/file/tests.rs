//! What is read from a policy file, and what is said of its mistakes.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::manifest::{NoiseClass, NoiseRule};
use crate::policy::{Origin, Policy};
use crate::protocol::request::Limits;
use crate::protocol::rule::Facts;
use crate::protocol::{Kind, Pattern, RuleSet};
use proptest::prelude::*;
use std::fmt::Write as _;

const HEAD: &str = "schema = \"driftscan.policy/v1\"\n";

fn parse(rest: &str) -> Result<PolicyFile, Mistakes> {
    PolicyFile::parse("policy.toml", &format!("{HEAD}{rest}"))
}

fn mistakes(rest: &str) -> String {
    parse(rest).unwrap_err().to_string()
}

fn debian(rest: &str) -> Policy {
    parse(rest).unwrap().for_system("debian", &[])
}

#[test]
fn an_empty_policy_is_the_policy_without_a_file() {
    assert_eq!(parse("").unwrap(), PolicyFile { name: "policy.toml".to_owned(), ..PolicyFile::default() });
    let policy = debian("");
    assert_eq!(policy.drift_at(), Severity::Low);
    assert_eq!(policy.scopes(), [b"/".to_vec()]);
    assert_eq!(policy.limits(), Limits::default());
    assert!(!policy.excuses(b"/"));
}

#[test]
fn every_key_is_read() {
    let policy = debian(
        r#"
        extends = ["debian", "auto", "linux"]
        drift_at = "high"
        excuse_unreadable = ["/etc/app/secret", "/root/**"]

        [scope]
        roots = ["/usr", "/etc"]

        [limits]
        entries = 1_000
        bytes = "2GiB"
        guard_entries = 0x10
        guard_bytes = 4096
        file_bytes = "1 MiB"
        depth = 32
        seconds = 30

        [[rule]]
        path = "/opt/app/cache/**"
        treatment = "ignore"
        reason = "rebuilt at start"

        [[rule]]
        path = "/opt/app/**"
        when = "executable"
        kind = ["file", "symlink"]
        severity = "critical"
        "#,
    );
    assert_eq!(policy.drift_at(), Severity::High);
    assert_eq!(policy.scopes(), [b"/etc".to_vec(), b"/usr".to_vec()]);
    let limits = Limits {
        entries: 1_000,
        bytes: 2 << 30,
        guard_entries: 16,
        guard_bytes: 4096,
        guard_records: u64::MAX,
        file_bytes: 1 << 20,
        depth: 32,
        seconds: 30,
    };
    assert_eq!(policy.limits(), limits);
    assert_eq!(policy.profiles(), [Profile::Linux, Profile::Debian]);
    let [ignore, weigh] = policy.rules().last_chunk().unwrap();
    assert_eq!((ignore.origin, ignore.treatment), (Origin::User, Some(Treatment::Ignore)));
    assert_eq!(ignore.reason.as_deref(), Some("rebuilt at start"));
    assert_eq!((weigh.treatment, weigh.severity), (None, Some(Severity::Critical)));
    assert_eq!((weigh.when.kinds, weigh.when.conditions), (Kind::File.bit() | Kind::Symlink.bit(), 1));
    // A rule without a treatment is not sent; the number of the last one is the other's.
    let rules = policy.compile();
    let facts = Facts { kind: Kind::File, mode: 0o4755 };
    let (number, _) = rules.decide(&rules.all(), b"/opt/app/cache/x", facts, &mut || false);
    assert_eq!(usize::from(number) + 1, rules.rules().len());
    assert_eq!(policy.rule_of(number), Some(ignore));
    assert_eq!(policy.rule_of(number + 1), None);
    assert_eq!(policy.rule_of(u16::MAX), None);
}

#[test]
fn what_is_excused() {
    let policy = debian("excuse_unreadable = [\"/root/**\", \"/etc/app/*.key\", \"/srv/x\"]");
    for path in ["/root", "/root/x", "/root/x/y", "/etc/app/a.key", "/srv/x"] {
        assert!(policy.excuses(path.as_bytes()), "{path}");
    }
    for path in ["/rootx", "/etc/app", "/etc/app/a.key/x", "/srv", "/srv/x/y", "dpkg", ""] {
        assert!(!policy.excuses(path.as_bytes()), "{path}");
    }
    let everything = debian("excuse_unreadable = [\"/**\"]");
    assert!(everything.excuses(b"/etc/shadow") && !everything.excuses(b"dpkg"));
}

#[test]
fn what_need_not_be_seen() {
    let policy = debian("excuse_unseen = [\"acls\", \"flags\"]");
    for (word, excused) in
        [("acls", true), ("flags", true), ("xattrs", false), ("capabilities", false), ("/acls", false)]
    {
        assert_eq!(policy.excuses_unseen(word.as_bytes()), excused, "{word}");
    }
    assert!(!policy.excuses(b"acls"));
}

#[test]
fn from_when_on_drift_is_common() {
    let common = |text: &str| PolicyFile::parse("policy.toml", &format!("{HEAD}{text}")).unwrap().common();
    assert_eq!(common(""), crate::model::CommonAt { permille: 500, hosts: 3 });
    assert_eq!(common("common = { share = 0.75 }").permille, 750);
    assert_eq!(common("[common]\nshare = 0.333\nhosts = 12"), crate::model::CommonAt { permille: 333, hosts: 12 });
}

#[test]
fn f42_a_typo_is_a_mistake_with_its_place() {
    insta::assert_snapshot!(mistakes("drift_at = \"lwo\"\n"), @r#"
    policy.toml:2:12: no severity has this name
     2 | drift_at = "lwo"
       |            ^^^^^
       = did you mean "low"? It is one of info, low, medium, high, critical
    "#);
    insta::assert_snapshot!(mistakes("drift_on = \"low\"\n"), @r#"
    policy.toml:2:1: unknown key
     2 | drift_on = "low"
       | ^^^^^^^^
       = did you mean `drift_at`?
    "#);
}

#[test]
fn all_mistakes_are_told_at_once() {
    insta::assert_snapshot!(mistakes(r#"
extends = ["auto", "debain"]
common = { share = 50, hosts = 0 }
colour = true

[scope]
roots = ["etc", "/usr", "/usr/lib", "/a//b", "/*"]

[limits]
seconds = "90"
bytes = "2 gigs"
depth = 0
file_size = 1

[[rule]]
path = "/etc/app/node.toml"
treatment = "host-value"

[[rule]]
path = "/opt/{a,b}/**"
treatment = "ignore"

[[rule]]
treatment = "stict"
kind = "dir"

[[rule]]
path = "/opt/x/"
severity = "info"
when = "suid"
"#), @r#"
    policy.toml:3:20: no profile has this name
     3 | extends = ["auto", "debain"]
       |                    ^^^^^^^^
       = did you mean "debian"? It is one of auto, linux, debian, ubuntu, rhel, suse, alpine, arch
    policy.toml:4:20: `share` is not a part of a group
     4 | common = { share = 50, hosts = 0 }
       |                    ^^
       = write more than 0 and less than 1, 0.5 for more than half of a group's hosts
    policy.toml:4:32: `hosts` is not an amount that can be kept to
     4 | common = { share = 50, hosts = 0 }
       |                                ^
       = write 1 or more
    policy.toml:5:1: unknown key
     5 | colour = true
       | ^^^^^^
       = known here: schema, extends, drift_at, common, excuse_unreadable, excuse_unseen, scope, limits, content, rule
    policy.toml:8:10: a root begins with /
     8 | roots = ["etc", "/usr", "/usr/lib", "/a//b", "/*"]
       |          ^^^^^
       = write the whole path
    policy.toml:8:25: this root and `/usr` overlap
     8 | roots = ["etc", "/usr", "/usr/lib", "/a//b", "/*"]
       |                         ^^^^^^^^^^
       = keep the outer one
    policy.toml:8:37: a root is written in its shortest form
     8 | roots = ["etc", "/usr", "/usr/lib", "/a//b", "/*"]
       |                                     ^^^^^^^
       = leave out `//`, `.`, `..` and a / at the end
    policy.toml:8:46: a root is a folder, not a pattern
     8 | roots = ["etc", "/usr", "/usr/lib", "/a//b", "/*"]
       |                                              ^^^^
       = name the folder; patterns go into rules
    policy.toml:11:11: `seconds` holds a string
     11 | seconds = "90"
        |           ^^^^
        = it wants a whole number
    policy.toml:12:9: `bytes` is not an amount that can be kept to
     12 | bytes = "2 gigs"
        |         ^^^^^^^^
        = write bytes, or a size like "512MiB" or "2GiB"
    policy.toml:13:9: `depth` is not an amount that can be kept to
     13 | depth = 0
        |         ^
        = write 1 or more
    policy.toml:14:1: unknown key
     14 | file_size = 1
        | ^^^^^^^^^
        = known here: entries, bytes, guard_entries, guard_bytes, file_bytes, depth, seconds
    policy.toml:18:13: `host-value` weakens the audit and needs a reason
     18 | treatment = "host-value"
        |             ^^^^^^^^^^^^
        = add to the rule: reason = "..."
    policy.toml:21:8: pattern: {a,b} is not a choice here, so this rule would match nothing
     21 | path = "/opt/{a,b}/**"
        |        ^^^^^^^^^^^^^^^
        = write one rule for each; for a name that really has a brace in it, '\{' in single quotes
    policy.toml:22:13: `ignore` weakens the audit and needs a reason
     22 | treatment = "ignore"
        |             ^^^^^^^^
        = add to the rule: reason = "..."
    policy.toml:24:1: this rule names no path
     24 | [[rule]]
        | ^^^^^^^^
        = add `path`, absolute, with wildcards where needed
    policy.toml:25:13: no treatment has this name
     25 | treatment = "stict"
        |             ^^^^^^^
        = did you mean "strict"? It is one of strict, semantic, host-value, derived, metadata, presence, ignore
    policy.toml:26:8: no file type has this name
     26 | kind = "dir"
        |        ^^^^^
        = write one of file, directory, symlink, fifo, socket, block, char
    policy.toml:29:8: pattern: empty component (// or a / at the end)
     29 | path = "/opt/x/"
        |        ^^^^^^^^^
        = write `/opt/x` for the folder itself, `/opt/x/**` for what is below it
    policy.toml:30:12: `info` weakens the audit and needs a reason
     30 | severity = "info"
        |            ^^^^^^
        = add to the rule: reason = "..."
    policy.toml:31:8: no condition has this name
     31 | when = "suid"
        |        ^^^^^^
        = write one of executable, privileged
    "#);
}

#[test]
fn a_file_that_is_no_policy_says_so() {
    let parse = |text: &str| PolicyFile::parse("policy.toml", text).unwrap_err().to_string();
    insta::assert_snapshot!(parse(""), @r#"
    policy.toml:1:1: the file does not say what it is
     1 |
       | ^
       = begin with: schema = "driftscan.policy/v1"
    "#);
    insta::assert_snapshot!(parse("schema = \"driftscan.policy/v2\"\ncolour = 1\n"), @r#"
    policy.toml:1:10: this is not a policy that this release reads
     1 | schema = "driftscan.policy/v2"
       |          ^^^^^^^^^^^^^^^^^^^^^
       = write schema = "driftscan.policy/v1"
    "#);
    insta::assert_snapshot!(parse("schema = \"driftscan.policy/v1\n[[rule\npath = 1 2\n"), @r#"
    policy.toml:1:30: not TOML: invalid basic string, expected `"`
     1 | schema = "driftscan.policy/v1
       |                              ^
    policy.toml:2:7: not TOML: unclosed array table, expected `]]`
     2 | [[rule
       |       ^
    "#);
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_no_harm() {
    let parse = |text: &str| PolicyFile::parse("policy.toml", text).map_err(|mistakes| mistakes.to_string());
    assert!(parse("\u{feff}schema = \"driftscan.policy/v1\"\r\ndrift_at = \"high\"\r\n").is_ok());
    let said = parse("\u{feff}schema = \"driftscan.policy/v1\"\r\ndrift_at = \"hihg\"\r\n").unwrap_err();
    assert!(said.starts_with("policy.toml:2:12: "), "{said}");
}

#[test]
fn rules_may_be_written_as_a_list() {
    let policy = debian("rule = [\n  { path = \"/x/**\", treatment = \"ignore\", reason = \"a test\" },\n]\n");
    assert_eq!(policy.rules().last().unwrap().path(), "/x/**");
}

#[test]
fn f38_a_policy_that_compares_nothing_is_refused() {
    insta::assert_snapshot!(mistakes("extends = []\n"), @r#"
    policy.toml:2:11: this policy compares nothing below `/`, and every host would be clean
     2 | extends = []
       |           ^^
       = leave `extends` and `roots` out, or end with a rule that compares what you mean
    "#);
    assert!(parse("extends = []\n[[rule]]\npath = \"/x\"\ntreatment = \"ignore\"\nreason = \"r\"\n").is_err());
    assert!(parse("[[rule]]\npath = \"/**\"\ntreatment = \"ignore\"\nreason = \"r\"\n").is_err());
    assert!(parse("[scope]\nroots = [\"/etc\", \"/var/lib/docker/overlay2\"]\n").is_err());
    assert!(
        parse("extends = []\n[scope]\nroots = [\"/srv\"]\n[[rule]]\npath = \"/x\"\ntreatment = \"strict\"\n").is_err()
    );
    assert!(
        parse("extends = []\n[scope]\nroots = [\"/x\"]\n[[rule]]\npath = \"/x\"\ntreatment = \"strict\"\n").is_ok()
    );
    let own = parse("extends = []\n[[rule]]\npath = \"/etc/**\"\ntreatment = \"strict\"\n").unwrap();
    assert_eq!(own.for_system("debian", &[]).compile().rules().len(), 1);
}

#[test]
fn weakening_wants_a_reason_and_tightening_none() {
    let rule = |rest: &str| parse(&format!("[[rule]]\npath = \"/x\"\n{rest}\n"));
    for weak in
        ["treatment = \"metadata\"", "treatment = \"presence\"", "treatment = \"ignore\"", "severity = \"info\""]
    {
        assert!(rule(weak).unwrap_err().to_string().contains("needs a reason"), "{weak}");
        assert!(rule(&format!("{weak}\nreason = \" \"")).unwrap_err().to_string().contains("reason is empty"));
        assert!(rule(&format!("{weak}\nreason = \"why\"")).is_ok(), "{weak}");
    }
    for strong in ["treatment = \"strict\"", "severity = \"low\"", "treatment = \"strict\"\nseverity = \"high\""] {
        assert!(rule(strong).is_ok(), "{strong}");
    }
    for contradiction in [
        "severity = \"high\"\ntreatment = \"ignore\"\nreason = \"why\"",
        "treatment = \"strict\"\nkind = \"directory\"\nwhen = \"executable\"",
        "reason = \"why\"",
    ] {
        assert!(rule(contradiction).is_err(), "{contradiction}");
    }
}

#[test]
fn a_rule_names_the_view_by_which_files_are_read() {
    use crate::protocol::View;
    let rule = |rest: &str| {
        let policy = debian(&format!("[[rule]]\npath = \"/x\"\nreason = \"r\"\n{rest}\n"));
        let rule = policy.rules().last().cloned().unwrap();
        let compiled = policy.compile().rules().last().cloned().unwrap();
        assert_eq!((compiled.mask, compiled.view), (rule.treatment.unwrap().mask(), rule.view));
        rule.view
    };
    assert_eq!(rule("treatment = \"semantic\""), Some(View::Lines));
    assert_eq!(rule("treatment = \"host-value\""), Some(View::HostText));
    assert_eq!(rule("treatment = \"derived\""), None);
    for view in View::ALL {
        assert_eq!(rule(&format!("treatment = \"semantic\"\nview = \"{}\"", view.word())), Some(*view));
    }
    let canonical = |view: &str| {
        debian(&format!("[[rule]]\npath = \"/x\"\ntreatment = \"semantic\"\nview = \"{view}\"\nreason = \"r\""))
            .canonical()
    };
    assert_ne!(canonical("ini"), canonical("lines"));
    assert_ne!(debian("").canonical(), debian("[content]\nshow = [\"/x\"]").canonical());
    assert_ne!(debian("").canonical(), debian("[content]\nsecret = [\"/x\"]").canonical());
}

#[test]
fn a_view_that_reads_nothing_is_a_mistake() {
    insta::assert_snapshot!(mistakes(r#"
[[rule]]
path = "/etc/passwd"
treatment = "semantic"
view = "paswd"
reason = "r"

[[rule]]
path = "/x"
treatment = "strict"
view = "ini"

[[rule]]
path = "/x"
severity = "high"
view = "ini"

[content]
show = ["/etc/app/"]
secret = ["token"]
hide = []
"#), @r#"
    policy.toml:6:8: no view has this name
     6 | view = "paswd"
       |        ^^^^^^^
       = did you mean "passwd"? It is one of passwd, group, shadow, gshadow, subid, sudoers, authorized-keys, sshd, pam, cron, ini, sysctl, fstab, hosts, resolv, sources, certificates, lines, line-set, alternatives, stanzas, adjtime, machine-id, hostname, host-key, own-id, host-text, keyed, modules, assignments
    policy.toml:12:8: the treatment `strict` reads no file by a view
     12 | view = "ini"
        |        ^^^^^
        = take `view` out, or use "semantic" or "host-value"
    policy.toml:17:8: a view says how a treatment reads a file, and this rule names no treatment
     17 | view = "ini"
        |        ^^^^^
        = add treatment = "semantic" or "host-value"
    policy.toml:20:9: pattern: empty component (// or a / at the end)
     20 | show = ["/etc/app/"]
        |         ^^^^^^^^^^^
        = write `/etc/app` for the folder itself, `/etc/app/**` for what is below it
    policy.toml:21:11: pattern: it must begin with /
     21 | secret = ["token"]
        |           ^^^^^^^
        = write the whole path; `/**/name` is a name anywhere
    policy.toml:22:1: unknown key
     22 | hide = []
        | ^^^^
        = known here: show, secret
    "#);
}

#[test]
fn what_a_request_cannot_hold_is_refused() {
    let many = "[[rule]]\npath = \"/x\"\ntreatment = \"strict\"\n".repeat(2_501);
    assert!(mistakes(&many).contains("more than 2500 rules"));
    let long = format!("[[rule]]\npath = \"/{}\"\ntreatment = \"strict\"\n", "x".repeat(1_000)).repeat(600);
    let said = mistakes(&long);
    assert_eq!(said.matches("more than 512 KiB").count(), 1, "{said}");
    let secrets = format!("\"/{}\", ", "s".repeat(1_000)).repeat(140);
    assert!(mistakes(&format!("[content]\nsecret = [{secrets}]\n")).contains("more than 128 KiB"));
    assert!(mistakes("[limits]\nseconds = 99999999999\n").contains("beyond what a probe keeps to"));
}

/// The most that a user, every profile and a baseline can ask for together is a policy, and fits a request.
#[test]
fn the_most_of_everything_is_a_policy() {
    let names: Vec<String> = Profile::ALL.iter().map(|profile| format!("{:?}", profile.name())).collect();
    let mut text = format!("extends = [{}]\n[content]\nsecret = [", names.join(", "));
    for number in 0..valid::SECRETS {
        write!(text, "\"/secret/{number:0>490}\", ").unwrap();
    }
    text.push_str("]\n");
    for number in 0..valid::RULES {
        write!(text, "[[rule]]\npath = \"/{number:0>205}\"\ntreatment = \"strict\"\n").unwrap();
    }
    let noise = |number: usize| NoiseRule {
        pattern: Pattern::new(format!("/{number:0>325}*").as_bytes()).unwrap(),
        kinds: 0,
        treatment: Treatment::Ignore,
        view: None,
        class: NoiseClass::RuntimeState,
        reason: "learned".to_owned(),
        learned: Vec::new(),
        more: 0,
    };
    let noise: Vec<RuleText> = (0..NoiseRule::MOST).flat_map(|number| noise(number).rules()).collect();
    let policy = parse(&text).unwrap().for_baseline("debian", &[], noise);
    let compiled = policy.compile();
    assert!(compiled.rules().len() > valid::RULES + valid::SECRETS + 2 * NoiseRule::MOST);
    let bytes: usize = compiled.rules().iter().map(|rule| rule.pattern.text().len() + 16).sum();
    assert!(bytes + (64 << 10) < crate::protocol::request::MESSAGE_MAX, "{bytes}");
}

#[test]
fn canonical_bytes_follow_what_decides_and_nothing_else() {
    let rule = |path: &str, reason: &str| {
        debian(&format!("[[rule]]\npath = \"{path}\"\ntreatment = \"ignore\"\nreason = \"{reason}\"\n")).canonical()
    };
    assert_eq!(rule("/x", "one"), rule("/x", "another"));
    assert_ne!(rule("/x", "one"), rule("/y", "one"));
    assert_ne!(debian("").canonical(), debian("drift_at = \"high\"").canonical());
    assert_ne!(debian("").canonical(), debian("[limits]\nseconds = 1").canonical());
    assert_ne!(debian("").canonical(), debian("excuse_unreadable = [\"/x\"]").canonical());
    assert_ne!(debian("").canonical(), debian("excuse_unseen = [\"acls\"]").canonical());
    assert_ne!(debian("").canonical(), debian("[scope]\nroots = [\"/etc\"]").canonical());
    assert_ne!(debian("").canonical(), PolicyFile::default().for_system("fedora", &[]).canonical());
}

/// Paths that the profiles speak of, and others.
fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        "(/(etc|var|lib|home|tmp|log|[a-z]{1,3})){1,4}",
        prop::sample::select(debian("").compile().rules().to_vec())
            .prop_map(|rule| String::from_utf8(crate::policy::witness(&rule.pattern)).unwrap()),
    ]
}

fn mask(rules: &RuleSet, path: &str, facts: Facts, capable: bool) -> u32 {
    rules.decide(&rules.all(), path.as_bytes(), facts, &mut || capable).1.0
}

proptest! {
    #[test]
    fn reading_never_panics(text in ".*") {
        let _ = PolicyFile::parse("policy.toml", &text).map_err(|mistakes| mistakes.to_string());
    }

    #[test]
    fn reading_what_is_almost_a_policy_never_panics(
        lines in prop::collection::vec(
            (
                "schema|extends|drift_at|excuse_unreadable|scope|limits|roots|rule|path|treatment|severity|when|kind|reason|\\[limits\\]|\\[\\[rule\\]\\]|\\[rule\\]|\\[scope\\]|[a-z.]{1,4}",
                "| = \"[/a-z*{}\\[\\]é]{0,6}\"| = [0-9]{1,3}| = \\[\"/\", 1\\]| = \\{ a = 1 \\}| = 1.5| = true| = 1979-05-27| = '''x",
            ),
            0..8,
        )
    ) {
        let body: String = lines.into_iter().flat_map(|(key, value)| [key, value, "\n".to_owned()]).collect();
        for text in [&body, &format!("{HEAD}{body}")] {
            let _ = PolicyFile::parse("policy.toml", text).map_err(|mistakes| {
                assert!(!mistakes.list.is_empty());
                mistakes.to_string()
            });
        }
    }

    #[test]
    fn an_ignore_rule_never_widens_what_is_compared(
        rule in path(),
        wild in prop::bool::ANY,
        entry in path(),
        kind in prop::sample::select(Kind::ALL.to_vec()),
        mode in 0u16..0o10000,
        capable: bool,
        condition in prop::sample::select(vec!["", "when = \"executable\"\n", "when = \"privileged\"\n", "kind = \"directory\"\n"]),
    ) {
        let wild = if wild { "/**" } else { "" };
        let text = format!("[[rule]]\npath = \"{rule}{wild}\"\n{condition}treatment = \"ignore\"\nreason = \"r\"\n");
        let (before, after) = (debian("").compile(), debian(&text).compile());
        for entry in [&entry, &rule, &format!("{rule}{entry}")] {
            let facts = Facts { kind, mode };
            let (before, after) = (mask(&before, entry, facts, capable), mask(&after, entry, facts, capable));
            prop_assert!(after == before || after == 0, "{entry}");
        }
    }
}
