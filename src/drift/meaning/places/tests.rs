//! Tests of the titles by place, on records as the comparison has them.
//!
//! *Invariant:* nothing here is built into the program.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::drift::compare;
use crate::policy::PolicyFile;
use crate::protocol::Value;
use crate::protocol::coverage::Coverage;
use crate::protocol_tests::raw_record;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Everything was read.
fn whole() -> Coverage {
    Coverage::default()
}

fn file(path: &str, mode: u16, content: u8) -> Record {
    raw_record(
        format!("fs:{path}").as_bytes(),
        &[
            (Attr::Kind, Value::Present(b"f")),
            (Attr::Mode, Value::Present(&mode.to_le_bytes())),
            (Attr::Owner, Value::Present(b"#0")),
            (Attr::Group, Value::Present(b"shadow")),
            (Attr::Size, Value::Present(&7u64.to_le_bytes())),
            (Attr::Content, Value::Present(&[content; 32])),
        ],
    )
}

fn link(path: &str, target: &str) -> Record {
    let attrs = [(Attr::Kind, Value::Present(&b"l"[..])), (Attr::Target, Value::Present(target.as_bytes()))];
    raw_record(format!("fs:{path}").as_bytes(), &attrs)
}

fn capable(path: &str, value: &[u8]) -> Record {
    let attrs = [
        (Attr::Kind, Value::Present(&b"f"[..])),
        (Attr::Mode, Value::Present(&[0xed, 1])),
        (Attr::Capability, Value::Present(value)),
    ];
    raw_record(format!("fs:{path}").as_bytes(), &attrs)
}

/// A policy that compares everything, with these lines.
fn policy(lines: &str) -> Policy {
    let text = format!("schema = \"driftscan.policy/v1\"\n[[rule]]\npath = \"/**\"\ntreatment = \"strict\"\n{lines}");
    PolicyFile::parse("policy.toml", &text).unwrap().for_system("debian", &[])
}

static PLAIN: LazyLock<Policy> = LazyLock::new(|| policy(""));

fn findings(before: &[Record], after: &[Record]) -> Vec<Finding> {
    let difference = Difference { removed: before.to_vec(), added: after.to_vec() };
    let policy = &*PLAIN;
    let mut findings = compare(&difference, &whole(), policy);
    name(&mut findings, &difference, policy);
    findings
}

/// The titles of one path that differs; nothing stands for no title.
fn titles(before: &[Record], after: &[Record]) -> Vec<String> {
    findings(before, after).into_iter().map(|finding| finding.told.title.unwrap_or_default()).collect()
}

fn added(record: Record) -> String {
    titles(&[], &[record]).concat()
}

fn removed(record: Record) -> String {
    titles(&[record], &[]).concat()
}

fn changed(before: Record, after: Record) -> String {
    titles(&[before], &[after]).concat()
}

#[test]
fn what_enables_and_masks_units() {
    let wanted = || link("/etc/systemd/system/multi-user.target.wants/x.service", "/usr/lib/systemd/system/x.service");
    assert_eq!(added(wanted()), "unit x.service enabled (by multi-user.target)");
    assert_eq!(removed(wanted()), "unit x.service disabled (by multi-user.target)");
    let required = link("/etc/systemd/system/a.service.requires/b.socket", "../b.socket");
    assert_eq!(added(required), "unit b.socket enabled (by a.service)");
    let masked = || link("/etc/systemd/system/auditd.service", "/dev/null");
    assert_eq!(added(masked()), "unit auditd.service masked");
    assert_eq!(removed(masked()), "unit auditd.service no longer masked");
    assert_eq!(changed(file("/etc/systemd/system/auditd.service", 0o644, 1), masked()), "unit auditd.service masked");
    assert_eq!(
        changed(masked(), file("/etc/systemd/system/auditd.service", 0o644, 1)),
        "unit auditd.service no longer masked, and is another file now"
    );
    assert_eq!(
        added(link("/etc/systemd/system/sshd.service", "/lib/systemd/system/ssh.service")),
        "unit sshd.service is an alias of ssh.service now"
    );
    assert_eq!(added(file("/etc/systemd/system/back.timer", 0o644, 1)), "unit back.timer added");
    assert_eq!(
        added(file("/usr/lib/systemd/system/back.service", 0o644, 1)),
        "unit back.service added in /usr/lib/systemd/system"
    );
    assert_eq!(
        added(file("/etc/systemd/system/ssh.service.d/x.conf", 0o644, 1)),
        "unit ssh.service: drop-in x.conf added"
    );
    assert_eq!(
        added(file("/home/a/.config/systemd/user/x.service", 0o644, 1)),
        "unit x.service added in /home/a/.config/systemd/user"
    );
    assert_eq!(added(file("/etc/systemd/system-preset/00-x.preset", 0o644, 1)), "unit preset 00-x.preset added");
    let target = |to| link("/etc/systemd/system/default.target", to);
    assert_eq!(
        changed(target("/lib/systemd/system/graphical.target"), target("/lib/systemd/system/multi-user.target")),
        "default target: /lib/systemd/system/graphical.target -> /lib/systemd/system/multi-user.target"
    );
    assert_eq!(added(link("/etc/rc2.d/S01evil", "../init.d/evil")), "service evil enabled (runlevel 2)");
    assert_eq!(
        added(link("/etc/runlevels/default/evil", "/etc/init.d/evil")),
        "service evil enabled (runlevel default)"
    );
}

#[test]
fn rights_that_come_with_a_program() {
    assert_eq!(added(file("/usr/local/bin/x", 0o4755, 1)), "/usr/local/bin/x: setuid root added");
    assert_eq!(added(file("/usr/local/bin/x", 0o2755, 1)), "/usr/local/bin/x: setgid shadow added");
    assert_eq!(changed(file("/bin/x", 0o755, 1), file("/bin/x", 0o4755, 1)), "/bin/x: made setuid root");
    assert_eq!(changed(file("/bin/x", 0o4755, 1), file("/bin/x", 0o755, 1)), "/bin/x: no longer setuid root");
    assert_eq!(
        changed(file("/bin/x", 0o4755, 1), file("/bin/x", 0o4755, 2)),
        "/bin/x: content of a setuid root program changed"
    );
    // The setuid bit counts more than that it looks like an editor's copy.
    assert_eq!(added(file("/etc/x.bak", 0o4755, 1)), "/etc/x.bak: setuid root added");
    let raw = [1, 0, 0, 2, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(added(capable("/usr/bin/ping", &raw)), "/usr/bin/ping added with cap_net_admin,cap_net_raw");
    assert_eq!(added(capable("/x", b"?")), "/x added with file capabilities");
    let graver = findings(&[], &[file("/tmp/x", 0o4755, 1)]);
    assert!(graver.iter().all(|finding| finding.severity >= Severity::High), "{graver:?}");
}

#[test]
fn files_with_a_meaning_of_their_own() {
    for (path, title) in [
        ("/etc/cron.daily/evil", "daily cron job evil added"),
        ("/etc/cron.d/x.bak", "cron table x.bak added"),
        ("/var/spool/cron/crontabs/root", "crontab of root added"),
        ("/var/spool/cron/atjobs/a00001", "at job a00001 added"),
        ("/etc/ld.so.preload", "/etc/ld.so.preload added: libraries that every program loads"),
        ("/etc/ld.so.conf.d/x.conf", "loader path file x.conf added"),
        ("/etc/profile.d/x.sh", "login script x.sh added"),
        ("/etc/rc.local", "/etc/rc.local added: boot script"),
        ("/etc/init.d/x", "init script x added"),
        ("/etc/nologin", "/etc/nologin added: sign that only root may log in"),
        ("/.autorelabel", "/.autorelabel added: order to relabel all files"),
        ("/root/.ssh/authorized_keys2", "/root/.ssh/authorized_keys2 added: further file of login keys"),
        ("/etc/apt/trusted.gpg.d/x.gpg", "package signing key x.gpg added"),
        ("/boot/vmlinuz-6.1.0-18-amd64", "kernel vmlinuz-6.1.0-18-amd64 added"),
        ("/etc/udev/rules.d/99-x.rules", "udev rules 99-x.rules added"),
        ("/usr/bin/x", ""),
        ("/etc/motd", ""),
        ("/etc/cron.d", ""),
        ("/srv/etc/cron.d/x", ""),
    ] {
        assert_eq!(added(file(path, 0o644, 1)), title, "{path}");
    }
    assert_eq!(
        changed(file("/etc/rc.local", 0o644, 1), file("/etc/rc.local", 0o644, 2)),
        "/etc/rc.local changed: boot script"
    );
    // What has words of its own in a report keeps them.
    assert_eq!(changed(file("/etc/rc.local", 0o644, 1), file("/etc/rc.local", 0o755, 1)), "");
    let preload = findings(&[], &[file("/etc/ld.so.preload", 0o644, 1)]);
    assert_eq!(preload[0].severity, Severity::Critical);
    assert_eq!(preload[0].told.explanation.len(), 1);
}

#[test]
fn configuration_that_waits_and_what_hands_leave() {
    for (path, title) in [
        (
            "/etc/ssh/sshd_config.dpkg-new",
            "vendor's new version of /etc/ssh/sshd_config waits: /etc/ssh/sshd_config.dpkg-new",
        ),
        ("/etc/x.rpmnew", "vendor's new version of /etc/x waits: /etc/x.rpmnew"),
        ("/etc/x.pacnew", "vendor's new version of /etc/x waits: /etc/x.pacnew"),
        ("/etc/x.apk-new", "vendor's new version of /etc/x waits: /etc/x.apk-new"),
        ("/etc/x.ucf-dist", "vendor's new version of /etc/x waits: /etc/x.ucf-dist"),
        ("/etc/x.rpmsave", "former version of /etc/x was left: /etc/x.rpmsave"),
        ("/etc/x.dpkg-old", "former version of /etc/x was left: /etc/x.dpkg-old"),
    ] {
        let found = findings(&[], &[file(path, 0o644, 1)]);
        assert_eq!(found[0].told.title.as_deref(), Some(title));
        assert_eq!(found[0].told.class, Some(Class::UnmergedConfig));
    }
    let gone = findings(&[file("/etc/x.rpmnew", 0o644, 1)], &[]);
    assert_eq!(gone[0].told.class, None);
    assert_eq!(added(file("/etc/hosts~", 0o644, 1)), "/etc/hosts~ added: left from editing by hand");
    assert_eq!(added(file("/etc/.hosts.swp", 0o644, 1)), "/etc/.hosts.swp added: left from editing by hand");
    assert_eq!(added(file("/usr/share/x.bak", 0o644, 1)), "");
}

#[test]
fn links_that_are_settings() {
    let zone = |to| link("/etc/localtime", to);
    assert_eq!(
        changed(zone("/usr/share/zoneinfo/Etc/UTC"), zone("../usr/share/zoneinfo/Europe/Paris")),
        "time zone Etc/UTC -> Europe/Paris"
    );
    let editor = |to| link("/etc/alternatives/editor", to);
    assert_eq!(
        changed(editor("/usr/bin/vim.basic"), editor("/bin/nano")),
        "alternative editor: /usr/bin/vim.basic -> /bin/nano"
    );
    assert_eq!(added(editor("/bin/nano")), "alternative editor: none -> /bin/nano");
    assert_eq!(changed(link("/usr/bin/x", "a"), link("/usr/bin/x", "b")), "");
}

#[test]
fn the_users_word_on_a_severity_stands() {
    let policy = policy("[[rule]]\npath = \"/etc/cron.daily/**\"\nseverity = \"low\"\nreason = \"a test\"\n");
    let difference = Difference { removed: Vec::new(), added: vec![file("/etc/cron.daily/x", 0o755, 1)] };
    let mut findings = compare(&difference, &whole(), &policy);
    name(&mut findings, &difference, &policy);
    assert_eq!(findings[0].severity, Severity::Low);
    assert_eq!(findings[0].told.title.as_deref(), Some("daily cron job x added"));
}

fn path() -> impl Strategy<Value = String> {
    let root = proptest::sample::select(vec![
        "/etc/systemd/system/",
        "/etc/cron.daily/",
        "/etc/",
        "/boot/",
        "/root/.ssh/",
        "/etc/rc2.d/",
        "/etc/alternatives/",
        "/home/a/.config/systemd/user/",
        "/",
        "/etc/systemd/system/a.target.wants/",
    ]);
    let name = proptest::sample::select(vec![
        "x.service",
        "S01",
        "localtime",
        ".d",
        "x.d/y",
        "x~",
        "#x#",
        ".dpkg-new",
        "\u{202e}",
        "rc",
    ]);
    (root, name, ".{0,90}").prop_map(|(root, name, more)| format!("{root}{more}{name}").replace('\0', ""))
}

proptest! {
    #[test]
    fn every_title_is_one_line_and_says_what_happened(path in path(), mode in 0_u16..0o10000, target in "[^\\x00]{1,80}", linked: bool) {
        let record = || if linked { link(&path, &target) } else { file(&path, mode, 1) };
        for (before, after) in [(vec![], vec![record()]), (vec![record()], vec![]), (vec![record()], vec![file(&path, 0o644, 2)])] {
            for title in titles(&before, &after) {
                prop_assert!(title.chars().count() <= line::MOST, "{}", title);
                prop_assert!(!title.chars().any(char::is_control));
            }
        }
    }
}
