//! How findings are worded, cut and folded.
//!
//! *Invariant:* snapshots of what a person reads, never of how it is made.

use super::*;

#[test]
fn the_worst_twenty_and_a_summary() {
    let one = drifted(host("web-01", "web", "web@2026.11.3"), many_findings());
    let fleet = fleet(vec![one], &[("web", "web@2026.11.3")]);
    let text = section_of(&fleet, "REPLACE");
    assert_eq!(text.lines().count(), 1 + 1 + 1 + 20 + 2);
    insta::assert_snapshot!(text.lines().skip(20).collect::<Vec<_>>().join("\n"), @"
    HIGH  /etc/cron.d/017: added, file 0644 root:adm                      3a1d4237
    HIGH  /etc/cron.d/018: added, file 0644 root:adm                      c0af0d3f
    LOW   /usr/share/doc/x/000: added, file 0644 root:adm                 fe69d18c
    ... and 230 more (driftscan report 20261121T023004Z-7c1f -v)
          /usr/share 199, /opt/app 30, packages 1
    ");
    let all = shown(&fleet, |options| options.verbose = true);
    assert_eq!(all.matches("added, file 0644 root:adm").count(), 249);
    assert!(!all.contains("... and"));
}

#[test]
fn hosts_alike_share_an_entry() {
    let mut hosts: Vec<_> =
        (1..=4).map(|n| drifted(host(&format!("web-{n:02}"), "web", "w@1"), many_findings())).collect();
    hosts[2].findings.truncate(1);
    let text = section_of(&fleet(hosts, &[]), "REPLACE");
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("web")).collect();
    assert_eq!(heads.len(), 2);
    assert!(heads[0].starts_with("web-[01-02] web-04  drifted from w@1: 19 high, 230 low, 1 info"), "{heads:?}");
    assert!(heads[1].starts_with("web-03  drifted from w@1: 1 high"), "{heads:?}");
}

type Side<'a> = &'a [(Attr, &'a str)];

#[test]
fn every_code_has_a_sentence() {
    let mut findings = Vec::new();
    for code in Code::ALL {
        let (subject, before, after): (&str, Side<'_>, Side<'_>) = match code {
            Code::FileAdded => ("fs:/a", &[], &[(Attr::Kind, "file"), (Attr::Mode, "4755"), (Attr::Owner, "root")]),
            Code::FileRemoved => ("fs:/a", &[(Attr::Kind, "symlink"), (Attr::Target, "/b")], &[]),
            Code::TypeChanged => ("fs:/a", &[(Attr::Kind, "file")], &[(Attr::Kind, "fifo")]),
            Code::ContentChanged => ("fs:/a", &[(Attr::Content, "sha256:a")], &[(Attr::Content, "oversize")]),
            Code::ModeChanged => ("fs:/a", &[(Attr::Mode, "0644")], &[(Attr::Mode, "0755"), (Attr::Size, "7")]),
            Code::OwnerChanged => {
                ("fs:/a", &[(Attr::Owner, "root"), (Attr::Group, "x")], &[(Attr::Owner, "#7"), (Attr::Group, "y")])
            }
            Code::TargetChanged => ("fs:/a", &[(Attr::Target, "/b")], &[(Attr::Target, "/c")]),
            Code::DeviceChanged => ("fs:/dev/x", &[(Attr::Device, "1:3")], &[(Attr::Device, "1:5")]),
            Code::CapabilityChanged => ("fs:/a", &[], &[(Attr::Capability, "0100")]),
            Code::AclChanged => {
                ("fs:/a", &[(Attr::Acl, "u::rw")], &[(Attr::Acl, "u::rwx,u:deploy:rwx,g::r-x,g:wheel:rwx,m::rwx,o::r")])
            }
            Code::XattrChanged => ("fs:/a", &[], &[(Attr::Xattr, "user.x=sha256:1")]),
            Code::SelinuxChanged => ("fs:/a", &[(Attr::Selinux, "a_t")], &[(Attr::Selinux, "b_t")]),
            Code::FlagsChanged => ("fs:/a", &[(Attr::Flags, "")], &[(Attr::Flags, "i")]),
            Code::LinkChanged => ("fs:/a", &[(Attr::Link, "/a")], &[(Attr::Link, "/b")]),
            Code::PackageAdded => ("pkg:zsh:i386", &[], &[(Attr::Version, "5.9")]),
            Code::PackageRemoved => ("pkg:zsh:amd64", &[(Attr::Version, "5.9")], &[]),
            Code::PackageVersion => ("pkg:nginx:amd64", &[(Attr::Version, "1-9")], &[(Attr::Version, "1-10")]),
            Code::PackageState => {
                ("pkg:nginx:all", &[(Attr::State, "install ok installed")], &[(Attr::State, "hold ok installed")])
            }
            Code::FactChanged => ("fact:kernel", &[(Attr::Text, "a")], &[(Attr::Text, "b")]),
            Code::MountAdded => ("mount:/x", &[], &[(Attr::FsType, "ext4"), (Attr::MountOptions, "nodev")]),
            Code::MountRemoved => ("mount:/x", &[(Attr::FsType, "ext4")], &[]),
            Code::MountChanged => {
                ("mount:/boot", &[(Attr::MountOptions, "nosuid,nodev")], &[(Attr::MountOptions, "nodev")])
            }
            Code::MountHides => ("mount:/opt", &[], &[(Attr::FsType, "tmpfs")]),
            _ => ("record:/etc/x#key", &[(Attr::Text, "a")], &[(Attr::Text, "b")]),
        };
        findings.push(finding(Severity::Medium, *code, subject, before, after));
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let said = sentence::of(finding);
            format!("{:<18} {} {}", finding.code.word(), said.subject, said.predicate)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    file-added         /a: added, setuid executable file 4755 root
    file-removed       /a: removed, was symlink -> /b
    type-changed       /a: type changed, file -> fifo
    content-changed    /a: content changed, sha256:a -> oversize
    mode-changed       /a: mode 0644 -> 0755, size none -> 7
    owner-changed      /a: owner root -> #7, group x -> y
    target-changed     /a: link target /b -> /c
    device-changed     /dev/x: device 1:3 -> 1:5
    capability-changed /a: file capabilities none -> 0100
    acl-changed        /a: access control list u::rw -> u::rwx,u:deploy:rwx,g::r-x,g:wheel:rwx,m::rwx...
    xattr-changed      /a: user attributes none -> user.x=sha256:1
    selinux-changed    /a: SELinux label a_t -> b_t
    flags-changed      /a: flags none -> i
    link-changed       /a: hard link of /a -> /b
    package-added      package zsh:i386 5.9 added
    package-removed    package zsh 5.9 removed
    package-version    nginx 1-9 -> 1-10, upgraded
    package-state      nginx: state install ok installed -> hold ok installed
    fact-changed       fact kernel a -> b
    mount-added        mount /x: added, ext4 nodev
    mount-removed      mount /x: removed, was ext4
    mount-changed      mount /boot: options nosuid,nodev -> nodev
    mount-hides        mount /opt: hides paths of the baseline, tmpfs
    account-changed    /etc/x: account changed, a -> b
    group-changed      /etc/x: group changed, a -> b
    password-changed   /etc/x: password state changed, a -> b
    sudo-changed       /etc/x: sudo rule changed, a -> b
    ssh-key-changed    /etc/x: login key changed, a -> b
    sshd-changed       /etc/x: ssh setting changed, a -> b
    pam-changed        /etc/x: PAM rule changed, a -> b
    job-changed        /etc/x: job changed, a -> b
    unit-changed       /etc/x: unit changed, a -> b
    kernel-setting-changed /etc/x: kernel setting changed, a -> b
    fstab-changed      /etc/x: fstab changed, a -> b
    resolver-changed   /etc/x: name resolution changed, a -> b
    source-changed     /etc/x: package source changed, a -> b
    trust-changed      /etc/x: trusted key changed, a -> b
    alternative-changed /etc/x: alternative changed, a -> b
    setting-changed    /etc/x: setting changed, a -> b
    cloned-identity    /etc/x: identity shared with another host, a -> b
    configuration-management /etc/x: changed in place by a configuration manager, a -> b
    image-mismatch     /etc/x: os-release names another image than the content, a -> b
    ");
}

#[test]
fn a_long_path_stays_whole_and_its_words_wrap() {
    let path = format!("/srv/{}/with blank", "x".repeat(90));
    let sizes = |n| [(Attr::Size, n), (Attr::Content, "sha256:1")];
    let long = finding(Severity::Low, Code::ContentChanged, &format!("fs:{path}"), &sizes("1"), &sizes("2"));
    let fits = finding(
        Severity::Low,
        Code::ContentChanged,
        "fs:/usr/share/an-application/some-file",
        &sizes("12345678"),
        &sizes("123456789"),
    );
    let text = section_of(&fleet(vec![drifted(host("web-01", "web", "w@1"), vec![long, fits])], &[]), "REPLACE");
    assert!(text.contains(&path));
    insta::assert_snapshot!(text, @"

    REPLACE
    web-01  drifted from w@1: 2 low
      LOW   /srv/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/with blank:  2dce10dd
              content changed, 1 -> 2 bytes
      LOW   /usr/share/an-application/some-file: content changed, 12345678  724ff8cf
              -> 123456789 bytes
    ");
}

#[test]
fn findings_of_kept_hosts_are_counted_or_shown() {
    let mut one = host("web-01", "web", "web@1");
    one.findings =
        vec![finding(Severity::Info, Code::ModeChanged, "fs:/a", &[(Attr::Mode, "0644")], &[(Attr::Mode, "0600")])];
    let fleet = fleet(vec![one], &[("web", "web@1")]);
    assert!(shown(&fleet, |_| {}).contains("1 finding below low on 1 host to keep"));
    let all = shown(&fleet, |options| options.verbose = true);
    assert!(all.contains("\nKEEP\nweb-01  clean: 1 info\n  INFO  /a: mode 0644 -> 0600"), "{all}");
}

#[test]
fn fingerprints_are_as_long_as_they_must_be() {
    let mut findings = many_findings();
    findings.truncate(2);
    findings[1].fingerprint = findings[0].fingerprint;
    findings[1].fingerprint[5] ^= 0x01;
    let text = section_of(&fleet(vec![drifted(host("web-01", "web", "w@1"), findings)], &[]), "REPLACE");
    assert!(text.lines().skip(3).all(|line| line.rsplit(' ').next().unwrap().len() == 12), "{text}");
}
