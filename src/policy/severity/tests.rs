//! What findings are worth under the shipped profiles, and under a user's rules.

#![expect(clippy::unwrap_used, reason = "a test may")]

use crate::model::{Change, Code, Severity};
use crate::policy::{Policy, PolicyFile};
use crate::protocol::record::RecordWriter;
use crate::protocol::{Attr, Kind, Record};

fn policy(rules: &str) -> Policy {
    let text = format!("schema = \"driftscan.policy/v1\"\n{rules}");
    PolicyFile::parse("policy.toml", &text).unwrap().for_system("debian", &[])
}

fn entry(path: &str, kind: Kind, mode: u16, capable: bool) -> Record {
    let mut bytes = Vec::new();
    let mut writer = RecordWriter::new(&mut bytes, format!("fs:{path}").as_bytes());
    writer.present(Attr::Kind, &[kind as u8]);
    writer.present(Attr::Mode, &mode.to_le_bytes());
    if capable {
        writer.present(Attr::Capability, b"0100");
    }
    Record::parse(&bytes).unwrap()
}

fn mount(options: &str) -> Record {
    let mut bytes = Vec::new();
    RecordWriter::new(&mut bytes, b"mount:/tmp").present(Attr::MountOptions, options.as_bytes());
    Record::parse(&bytes).unwrap()
}

/// The severity of a file that was added with this mode.
fn added(policy: &Policy, path: &str, mode: u16) -> &'static str {
    let record = entry(path, Kind::File, mode, false);
    policy.severity(Code::FileAdded, Change::Added, record.subject(), None, Some(record.view())).word()
}

/// The severity of a change of a file that keeps its mode.
fn changed(policy: &Policy, code: Code, path: &str, mode: u16) -> &'static str {
    let record = entry(path, Kind::File, mode, false);
    policy.severity(code, Change::Changed, record.subject(), Some(record.view()), Some(record.view())).word()
}

#[test]
fn files_weigh_by_their_place() {
    let policy = policy("");
    for (wanted, mode, paths) in [
        (
            "critical",
            0o644,
            "/etc/ssh/sshd_config /etc/ssh/sshd_config.d/x.conf /etc/sudoers /etc/sudoers.d/x /etc/pam.d/sshd \
             /etc/ld.so.preload /etc/passwd /etc/shadow /etc/group /root/.ssh/authorized_keys \
             /home/anna/.ssh/authorized_keys /etc/sudo.conf /etc/doas.d/x.conf /var/lib/postgresql/.ssh/authorized_keys",
        ),
        ("critical", 0o4755, "/usr/bin/x /tmp/x /home/anna/x /opt/x /etc/x.dpkg-old"),
        ("critical", 0o2755, "/usr/bin/x"),
        ("high", 0o755, "/usr/bin/x /usr/local/bin/fix.sh /tmp/x /opt/app/x /usr/lib/x/y"),
        (
            "high",
            0o644,
            "/usr/lib/x86_64-linux-gnu/libx.so.1 /etc/systemd/system/x.service /etc/cron.d/x /etc/crontab /boot/vmlinuz-x \
             /var/spool/cron/crontabs/anna /usr/lib/modules/6.1.0/x.ko /etc/apt/sources.list /etc/profile.d/x.sh /dev/x \
             /etc/hosts.allow /etc/modprobe.d/x.conf /home/anna/.bashrc /usr/lib/python3/dist-packages/x.pth \
             /etc/logrotate.d/x /etc/audit/rules.d/x.rules /home/anna/.config/systemd/user/x.service",
        ),
        ("medium", 0o644, "/etc/nginx/nginx.conf /etc/sysctl.d/x.conf /usr/share/x /usr/lib/python3/x.py"),
        ("medium", 0o755, "/var/lib/dpkg/info/x.postinst"),
        // In a home a program is somebody's own until something else runs it.
        ("low", 0o755, "/home/anna/x.sh /home/anna/bin/x /home/anna/.local/bin/x"),
        (
            "low",
            0o644,
            "/etc/nginx/nginx.conf.bak /etc/x.dpkg-dist /etc/x~ /usr/share/doc/x /usr/share/man/man1/x.1 /usr/share/locale/de/x /etc/motd /opt/x /var/lib/app/x",
        ),
    ] {
        for path in paths.split_whitespace() {
            assert_eq!(added(&policy, path, mode), wanted, "{path}");
        }
    }
}

#[test]
fn codes_weigh_by_what_they_open() {
    let policy = policy("");
    assert_eq!(changed(&policy, Code::ContentChanged, "/etc/nginx/nginx.conf", 0o644), "medium");
    assert_eq!(changed(&policy, Code::ContentChanged, "/opt/x", 0o644), "medium");
    assert_eq!(changed(&policy, Code::ContentChanged, "/usr/bin/x", 0o755), "high");
    assert_eq!(changed(&policy, Code::ContentChanged, "/usr/bin/sudo", 0o4755), "critical");
    assert_eq!(changed(&policy, Code::ModeChanged, "/etc/nginx/nginx.conf", 0o640), "low");
    assert_eq!(changed(&policy, Code::ModeChanged, "/etc/shadow", 0o644), "critical");
    assert_eq!(changed(&policy, Code::OwnerChanged, "/opt/x", 0o644), "low");
    assert_eq!(changed(&policy, Code::OwnerChanged, "/etc/sudoers", 0o440), "critical");
    assert_eq!(changed(&policy, Code::LinkChanged, "/usr/bin/x", 0o755), "low");
    assert_eq!(changed(&policy, Code::XattrChanged, "/etc/sudoers", 0o440), "low");
    assert_eq!(changed(&policy, Code::FlagsChanged, "/opt/x", 0o644), "low");

    let (plain, capable) =
        (entry("/usr/bin/x", Kind::File, 0o755, false), entry("/usr/bin/x", Kind::File, 0o755, true));
    let severity = |before: &Record, after: &Record, code| {
        policy.severity(code, Change::Changed, before.subject(), Some(before.view()), Some(after.view()))
    };
    assert_eq!(severity(&plain, &capable, Code::CapabilityChanged), Severity::Critical);
    assert_eq!(severity(&capable, &plain, Code::CapabilityChanged), Severity::High);
    let modes = |kind, before, after| {
        severity(&entry("/srv/x", kind, before, false), &entry("/srv/x", kind, after, false), Code::ModeChanged)
    };
    assert_eq!(modes(Kind::File, 0o644, 0o4755), Severity::Critical);
    assert_eq!(modes(Kind::File, 0o644, 0o666), Severity::High);
    assert_eq!(modes(Kind::Directory, 0o755, 0o777), Severity::High);
    assert_eq!(modes(Kind::Directory, 0o755, 0o1777), Severity::Low);
    assert_eq!(modes(Kind::File, 0o666, 0o644), Severity::Low);
}

#[test]
fn what_is_gone_cannot_be_run() {
    let policy = policy("");
    let removed = |path: &str, mode| {
        let record = entry(path, Kind::File, mode, true);
        policy.severity(Code::FileRemoved, Change::Removed, record.subject(), Some(record.view()), None).word()
    };
    assert_eq!(removed("/usr/bin/sudo", 0o4755), "medium");
    assert_eq!(removed("/opt/x", 0o755), "low");
    assert_eq!(removed("/etc/pam.d/sshd", 0o644), "critical");
}

#[test]
fn packages_facts_and_mounts_weigh_by_code() {
    let policy = policy("");
    let of = |code, subject: &str| policy.severity(code, Change::Changed, subject.as_bytes(), None, None).word();
    assert_eq!(of(Code::PackageVersion, "pkg:nginx:amd64"), "medium");
    assert_eq!(of(Code::PackageAdded, "pkg:nginx:amd64"), "medium");
    assert_eq!(of(Code::PackageRemoved, "pkg:nginx:amd64"), "medium");
    assert_eq!(of(Code::PackageState, "pkg:nginx:amd64"), "low");
    assert_eq!(of(Code::FactChanged, "fact:kernel"), "medium");
    assert_eq!(of(Code::MountHides, "mount:/etc"), "high");
    assert_eq!(of(Code::MountAdded, "mount:/mnt"), "medium");
    let changed = |before: &str, after: &str| {
        let (before, after) = (mount(before), mount(after));
        let subject = before.subject();
        policy.severity(Code::MountChanged, Change::Changed, subject, Some(before.view()), Some(after.view())).word()
    };
    assert_eq!(changed("nosuid nodev noexec", "nosuid nodev"), "high");
    assert_eq!(changed("nosuid,nodev", "nodev"), "high");
    assert_eq!(changed("nosuid", "nosuid noexec"), "medium");
    assert_eq!(changed("ro nosuid", "nosuid"), "medium");
}

#[test]
fn the_users_word_is_told_apart_from_ours() {
    let policy = policy(
        "[[rule]]\npath = \"/etc/sudoers\"\nseverity = \"low\"\n[[rule]]\npath = \"/opt/**\"\nwhen = \"executable\"\nseverity = \"critical\"\n",
    );
    let own = |subject: &str| policy.users_severity(Change::Changed, subject.as_bytes(), None, None);
    assert_eq!(own("fs:/etc/sudoers"), Some(Severity::Low));
    assert_eq!(own("fs:/etc/shadow"), None);
    assert_eq!(own("pkg:nginx:amd64"), None);
    let program = entry("/opt/x", Kind::File, 0o755, false);
    let of = |change, before, after| policy.users_severity(change, program.subject(), before, after);
    assert_eq!(of(Change::Added, None, Some(program.view())), Some(Severity::Critical));
    assert_eq!(of(Change::Removed, Some(program.view()), None), None);
}

#[test]
fn the_users_last_rule_has_the_last_word() {
    let policy = policy(
        r#"
        [[rule]]
        path = "/etc/**"
        severity = "info"
        reason = "a test"

        [[rule]]
        path = "/etc/sudoers"
        severity = "high"

        [[rule]]
        path = "/opt/**"
        when = "privileged"
        severity = "high"

        [[rule]]
        path = "/mnt/**"
        severity = "low"
        "#,
    );
    assert_eq!(added(&policy, "/etc/pam.d/sshd", 0o644), "info");
    assert_eq!(added(&policy, "/etc/sudoers", 0o644), "high");
    assert_eq!(added(&policy, "/opt/x", 0o4755), "high");
    assert_eq!(added(&policy, "/opt/x", 0o644), "low");
    assert_eq!(added(&policy, "/usr/bin/x", 0o4755), "critical");
    let of = |subject: &[u8]| policy.severity(Code::MountHides, Change::Added, subject, None, None).word();
    assert_eq!(of(b"mount:/mnt/x"), "low");
    assert_eq!(of(b"mount:/srv"), "high");
}
