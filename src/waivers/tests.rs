//! What is read, what is refused, and what is written.
//!
//! *Invariant:* messages are snapshots of what a person reads.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::report::samples::finding;
use proptest::prelude::*;

const HEAD: &str = "schema = \"driftscan.waivers/v1\"\n";
const REST: &str = "owner = \"dba\"\nreason = \"r\"\nuntil = 2026-12-31\nmax_hosts = 3\n";

fn parsed(body: &str) -> Waivers {
    Waivers::parse("waivers.toml", &format!("{HEAD}{body}")).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn refused(body: &str) -> String {
    Waivers::parse("waivers.toml", &format!("{HEAD}{body}")).unwrap_err().to_string()
}

fn pattern(code: &str, subject: &str) -> String {
    format!("[[waiver]]\ncode = \"{code}\"\nsubject = \"{subject}\"\n{REST}")
}

#[test]
fn both_forms_are_read() {
    let fingerprint = "3f".repeat(32);
    let body = format!(
        "\n[[waiver]]\nfingerprint = \"{fingerprint}\"\nowner = \"dba\"\nreason = \" tuned \"\nuntil = \
         \"2026-12-31\"\nmax_hosts = 1\n{}group = \"db\"\n",
        pattern("content-changed", "fs:/etc/app/**")
    );
    let waivers = parsed(&body);
    let [first, second] = <[Waiver; 2]>::try_from(waivers.list).unwrap();
    assert_eq!((first.of(), first.line, first.max_hosts), (fingerprint, 3, 1));
    assert_eq!((first.owner.as_str(), first.reason.as_str()), ("dba", "tuned"));
    assert_eq!(first.until, jiff::civil::date(2026, 12, 31));
    assert_eq!(second.of(), "content-changed fs:/etc/app/**");
    assert_eq!((second.until, second.group.as_deref()), (first.until, Some("db")));
    assert_eq!(Waivers::parse("x", HEAD).unwrap(), Waivers::default());
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines() {
    insta::assert_snapshot!(refused(
        "[[waiver]]\nfingerprint = \"3f9a\"\nowner = \" \"\nuntil = \"2026-02-30\"\nmax_hosts = 0\n[[waiver]]\ncode = \
         \"content-chnged\"\nsubject = \"/etc/app\"\nreson = \"x\"\nreason = \"x\"\nowner = 3\nuntil = 7\nmax_hosts = \"1\"\n"
    ), @r#"
    waivers.toml:2:1: this waiver has no reason
     2 | [[waiver]]
       | ^^^^^^^^^^
       = add reason = "...": why it is accepted
    waivers.toml:3:15: a fingerprint has 64 digits, and a waiver holds all of them
     3 | fingerprint = "3f9a"
       |               ^^^^^^
       = driftscan waive writes it; driftscan report --format json tells it
    waivers.toml:4:9: the owner is empty
     4 | owner = " "
       |         ^^^
       = write owner = "...": who answers for it
    waivers.toml:5:9: this is no day
     5 | until = "2026-02-30"
       |         ^^^^^^^^^^^^
       = write a day that the calendar has, "2026-12-31"
    waivers.toml:6:13: no waiver covers this many hosts
     6 | max_hosts = 0
       |             ^
       = write 1 or more
    waivers.toml:8:8: no finding has this code
     8 | code = "content-chnged"
       |        ^^^^^^^^^^^^^^^^
       = did you mean "content-changed"?
    waivers.toml:9:11: a subject begins with what kind of thing it is
     9 | subject = "/etc/app"
       |           ^^^^^^^^^^
       = fs:/path, pkg:NAME, mount:/path, record:/file#KEY
    waivers.toml:10:1: unknown key
     10 | reson = "x"
        | ^^^^^
        = did you mean `reason`?
    waivers.toml:12:9: `owner` holds an integer
     12 | owner = 3
        |         ^
        = it wants a string
    waivers.toml:13:9: `until` holds an integer
     13 | until = 7
        |         ^
        = it wants a day, "2026-12-31"
    waivers.toml:14:13: `max_hosts` holds a string
     14 | max_hosts = "1"
        |             ^^^
        = it wants a whole number
    "#);
    assert!(refused("[[waiver]]\n").contains("this waiver does not say of what"));
    let both = format!("[[waiver]]\nfingerprint = \"{}\"\ncode = \"file-added\"\n{REST}", "3f".repeat(32));
    assert!(refused(&both).contains("either a fingerprint, or code and subject"));
    assert!(refused(&format!("[[waiver]]\ncode = \"file-added\"\n{REST}")).contains("needs both"));
    for text in ["", "schema = \"driftscan.policy/v1\"\n", "no TOML"] {
        assert!(Waivers::parse("waivers.toml", text).is_err(), "{text}");
    }
}

#[test]
fn f39_a_pattern_that_covers_everything_is_refused() {
    for subject in [
        "**",
        "*",
        "/**",
        "*:**",
        "fs:/**",
        "fs:/*",
        "fs:/**/*",
        "fs:/*/**",
        "fs:/?*/**",
        "fs:/[a-z]*/**",
        "pkg:*",
        "pkg:**",
        "pkg:*:amd64",
        "fact:*",
        "record:/**",
        "mount:/**",
    ] {
        assert!(refused(&pattern("content-changed", subject)).contains("over-broad"), "{subject}");
    }
    for subject in
        ["fs:/", "fs:/etc/app/**", "fs:/**/*.conf", "pkg:r*:amd64", "pkg:nginx:*", "fact:kernel", "record:/etc/x#*"]
    {
        parsed(&pattern("content-changed", subject));
    }
    assert!(refused(&pattern("content-changed", "fs:/a//b")).contains("empty component"));
}

#[test]
fn a_pattern_speaks_of_its_code_its_subjects_its_group_and_of_nothing_critical() {
    let one = |body: &str| parsed(body).list.remove(0);
    let waiver = one(&format!("{}group = \"web\"\n", pattern("content-changed", "fs:/etc/app/**")));
    let of = |severity, code, subject: &str| finding(severity, code, subject, &[], &[]);
    let good = of(Severity::High, Code::ContentChanged, "fs:/etc/app/a.conf");
    assert!(waiver.speaks_of("web", &good));
    assert!(!waiver.speaks_of("db", &good));
    assert!(!waiver.speaks_of("web", &of(Severity::Critical, Code::ContentChanged, "fs:/etc/app/a.conf")));
    assert!(!waiver.speaks_of("web", &of(Severity::High, Code::FileAdded, "fs:/etc/app/a.conf")));
    assert!(!waiver.speaks_of("web", &of(Severity::High, Code::ContentChanged, "mount:/etc/app/a.conf")));
    assert!(!waiver.speaks_of("web", &of(Severity::High, Code::ContentChanged, "fs:/etc/application")));
    let package = one(&pattern("package-version", "pkg:nginx*"));
    assert!(package.speaks_of("", &of(Severity::Medium, Code::PackageVersion, "pkg:nginx-common:all")));
    assert!(!package.speaks_of("", &of(Severity::Medium, Code::PackageVersion, "pkg:apache2:all")));
    let digest = good.fingerprint;
    let whole = one(&format!("[[waiver]]\nfingerprint = \"{}\"\n{REST}", hex(&digest)));
    let mut critical = good;
    critical.severity = Severity::Critical;
    assert!(whole.speaks_of("", &critical));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(owner in "\\S.{0,20}\\S", reason in "\\S(.|\n){0,40}\\S", title: String, n in 1u64..9) {
        let new = NewWaiver {
            fingerprint: &[7; 32],
            title: &title,
            hosts: "web-01",
            owner: &owner,
            reason: &reason,
            until: jiff::civil::date(2026, 12, 31),
            max_hosts: n,
        };
        let once = new.appended_to("");
        let twice = new.appended_to(once.trim_end());
        prop_assert!(twice.starts_with(once.trim_end()));
        let read = Waivers::parse("x", &twice).map_err(|m| TestCaseError::fail(m.to_string()))?;
        prop_assert_eq!(read.list.len(), 2);
        for waiver in &read {
            prop_assert_eq!((waiver.owner.as_str(), waiver.reason.as_str()), (owner.trim(), reason.trim()));
            prop_assert_eq!((&waiver.scope, waiver.max_hosts), (&Scope::Fingerprint([7; 32]), n));
        }
    }

    #[test]
    fn nothing_that_is_typed_panics(text in "(\\[\\[waiver\\]\\]|code|subject|until|=|\"|\n|[a-z0-9*:/.-]){0,30}", subject: String) {
        let _ = Waivers::parse("x", &format!("{HEAD}{text}"));
        let _ = breadth::subjects(&subject);
    }
}
