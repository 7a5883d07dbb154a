//! What is told of a path, beside what the compiled rules do with it.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::policy::PolicyFile;
use crate::protocol::Attr;
use crate::protocol::Record;
use crate::protocol::record::RecordWriter;

const PLAIN: Facts = Facts { kind: Kind::File, mode: 0o644 };
const PROGRAM: Facts = Facts { kind: Kind::File, mode: 0o755 };

fn policy(rest: &str) -> Policy {
    let text = format!("schema = \"driftscan.policy/v1\"\n{rest}");
    PolicyFile::parse("policy.toml", &text).unwrap().for_system("debian", &[])
}

fn entry(path: &str) -> Record {
    let mut bytes = Vec::new();
    let mut writer = RecordWriter::new(&mut bytes, format!("fs:{path}").as_bytes());
    writer.present(Attr::Kind, &[Kind::File as u8]);
    writer.present(Attr::Mode, &0o644u16.to_le_bytes());
    Record::parse(&bytes).unwrap()
}

#[test]
fn the_last_rule_decides_and_its_place_is_told() {
    let policy = policy(
        "[[rule]]\npath = \"/etc/ssh/**\"\ntreatment = \"metadata\"\nreason = \"why not\"\n\n\
         [[rule]]\npath = \"/etc/ssh/sshd_config\"\nseverity = \"low\"\n",
    );
    let told = policy.explain(b"/etc/ssh/sshd_config", PLAIN, false);
    let decides = told.decides.unwrap();
    assert_eq!((decides.place("policy.toml").as_str(), decides.treats().as_str()), ("policy.toml:2", "metadata"));
    assert_eq!(told.weighs.unwrap().place("policy.toml"), "policy.toml:7");
    assert!(told.shown && !told.secret && told.pruned.is_none());
    assert!(told.matching.iter().any(|rule| rule.treats() == "semantic (sshd)"), "{told:?}");
    assert!(told.matching.first().unwrap().place("").starts_with("profile linux, line "));
}

#[test]
fn what_is_left_out_whole_names_its_rule() {
    let policy = policy("");
    let told = policy.explain(b"/var/lib/docker/overlay2/x", PROGRAM, true);
    assert_eq!(told.pruned.unwrap().path(), "/var/lib/docker/overlay2/**");
    assert!(policy.explain(b"/var/log/x", PLAIN, false).pruned.is_none());
    assert_eq!(policy.explain(b"/var/log/x", PROGRAM, false).decides.unwrap().conditions(), "when executable");
}

#[test]
fn what_is_told_is_what_the_compiled_rules_say() {
    let policy = policy("[[rule]]\npath = \"/tmp/*\"\ntreatment = \"presence\"\nreason = \"r\"\n");
    let rules = policy.compile();
    for path in policy.rules().iter().map(|rule| crate::policy::witness(&rule.pattern)) {
        for (facts, capable) in [(PLAIN, false), (PROGRAM, false), (PROGRAM, true)] {
            let told = policy.explain(&path, facts, capable);
            let last = told.matching.iter().copied().rfind(|rule| rule.treatment.is_some());
            // Of two rules that say the same the matcher may name the earlier: a look at capabilities is spared.
            assert_eq!(last.unwrap().compares(), told.decides.unwrap().compares(), "{}", path.escape_ascii());
            let mask = rules.decide(&rules.all(), &path, facts, &mut || capable).1;
            assert_eq!(told.decides.unwrap().treatment.unwrap().mask(), mask);
        }
    }
}

#[test]
fn a_secret_is_never_shown_whatever_other_rules_say() {
    let policy = policy(
        "[[rule]]\npath = \"/etc/nginx/**\"\ntreatment = \"strict\"\n\
         [content]\nshow = [\"/etc/app/**\"]\nsecret = [\"/etc/app/*.env\", \"/etc/nginx/token\"]\n",
    );
    for (path, shown, secret) in [
        ("/etc/app/x.conf", true, false),
        ("/etc/app/x.env", false, true),
        ("/etc/nginx/nginx.conf", true, false),
        ("/etc/nginx/token", false, true),
    ] {
        let told = policy.explain(path.as_bytes(), PLAIN, false);
        assert_eq!((told.shown, told.secret), (shown, secret), "{path}");
        assert_eq!(policy.view_of(entry(path).view()) == Some(View::Keyed), secret, "{path}");
    }
}

#[test]
fn rules_that_match_nothing_are_found() {
    let policy = policy(
        "[[rule]]\npath = \"/etc/there\"\ntreatment = \"strict\"\n\
         [[rule]]\npath = \"/etc/gone\"\ntreatment = \"strict\"\n\
         [[rule]]\npath = \"/etc/there\"\nkind = \"directory\"\nseverity = \"low\"\n\
         [[rule]]\npath = \"/srv/cache/**\"\ntreatment = \"ignore\"\nreason = \"r\"\n\
         [[rule]]\npath = \"/srv/other/**\"\ntreatment = \"ignore\"\nreason = \"r\"\n",
    );
    let records = [entry("/etc/there")];
    let captured = |text: &str| super::super::PolicyFile::parse("p", text).unwrap().for_system("debian", &[]).compile();
    let lines = |captured: &RuleSet| {
        idle(policy.own(), records.iter().map(Record::view), captured).iter().map(|rule| rule.line).collect::<Vec<_>>()
    };
    let plain = captured("schema = \"driftscan.policy/v1\"\n");
    assert_eq!(lines(&plain), [5, 8, 12, 16]);
    // What the capture left out may have been there.
    let left_out = captured(
        "schema = \"driftscan.policy/v1\"\n[[rule]]\npath = \"/srv/cache/**\"\ntreatment = \"ignore\"\nreason = \"r\"\n",
    );
    assert_eq!(lines(&left_out), [5, 8, 16]);
}
