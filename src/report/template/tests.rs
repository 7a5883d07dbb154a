//! The common change of a fleet in each form.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::drift::fleet::settle;
use crate::model::{Cause, CauseKind, Change, Class, Code, Finding, Severity};
use crate::protocol::Attr;
use crate::report::samples::{drifted, finding, fleet, host};
use crate::waivers::Waivers;
use std::process::{Command, Stdio};

/// Four hosts of six with an upgraded package, an edited file, a stray folder and what nothing but words can tell.
fn run() -> FleetOutcome {
    let mut package = finding(
        Severity::Medium,
        Code::PackageVersion,
        "pkg:openssl:amd64",
        &[(Attr::Version, "3.0.17-1")],
        &[(Attr::Version, "3.0.18-1")],
    );
    package.cause = Some(0);
    let mut shipped = finding(Severity::Low, Code::ContentChanged, "fs:/usr/bin/openssl", &[], &[(Attr::Size, "9")]);
    shipped.cause = Some(0);
    let cause = Cause {
        kind: CauseKind::PackageVersion,
        subject: package.subject.clone(),
        title: "openssl 3.0.17-1 -> 3.0.18-1, 2 files, all as shipped".into(),
        severity: Severity::Medium,
        fingerprint: package.fingerprint,
        findings: 2,
        evidence: vec![],
    };
    let folder = [(Attr::Kind, "directory"), (Attr::Mode, "0755"), (Attr::Owner, "root"), (Attr::Group, "adm")];
    let mut sudo =
        finding(Severity::High, Code::SudoChanged, "record:/etc/sudoers#deploy", &[], &[(Attr::Text, "ALL")]);
    sudo.told.title = Some("sudo: deploy may run ALL\nRUN evil".into());
    let mut gone = finding(Severity::Low, Code::FileRemoved, "fs:/etc/it's gone", &[(Attr::Kind, "file")], &[]);
    gone.change = Change::Removed;
    let findings: Vec<Finding> = vec![
        sudo,
        package,
        shipped,
        finding(Severity::Low, Code::FileAdded, "fs:/opt/x y", &[], &folder),
        finding(
            Severity::Low,
            Code::ContentChanged,
            "fs:/etc/motd",
            &[(Attr::Content, "sha256:aa")],
            &[(Attr::Content, "sha256:bb")],
        ),
        finding(Severity::Low, Code::ModeChanged, "fs:/etc/$(id)", &[(Attr::Mode, "0600")], &[(Attr::Mode, "4755")]),
        finding(Severity::Low, Code::FileAdded, "fs:/etc/\u{1b}[2J", &[], &folder),
        gone,
    ];
    let of = |n: usize| {
        let one = host(&format!("web-{n:02}"), "web", "web@2026.11.3");
        if n > 4 {
            return one;
        }
        let mut one = drifted(one, findings.clone());
        one.causes = vec![cause.clone()];
        one
    };
    let mut run = fleet((1..=6).map(of).collect(), &[]);
    settle(&mut run, &Waivers::default(), jiff::civil::date(2026, 11, 21));
    run
}

fn written(form: &str, run: &FleetOutcome) -> String {
    let mut out = Vec::new();
    FORMS.into_iter().find(|known| known.name == form).unwrap().write(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_dockerfile() {
    insta::assert_snapshot!(written("dockerfile", &run()), @r#"
    # For a Dockerfile; files/ is a folder of its build context.

    # What most of web have, and web@2026.11.3 lacks.
    # Fold it into the source of the image, or stop what does it; never run this on a server.

    # sudo: deploy may run ALL?RUN evil (4 of 6 hosts)
    # by hand, in /etc/sudoers

    # openssl 3.0.17-1 -> 3.0.18-1, 2 files, all as shipped (4 of 6 hosts)
    RUN apt-get install -y --no-install-recommends --allow-downgrades openssl=3.0.18-1

    # /opt/x y: added, directory 0755 root:adm (4 of 6 hosts)
    RUN mkdir -p '/opt/x y'
    RUN chown -h -- root:adm '/opt/x y'
    RUN chmod 0755 '/opt/x y'

    # /etc/it's gone: removed, was file (4 of 6 hosts)
    RUN rm -rf '/etc/it'\''s gone'

    # /etc/motd: content changed (4 of 6 hosts)
    # files/etc/motd has sha256:bb there; the report holds no text of it.
    COPY ["files/etc/motd","/etc/motd"]

    # /etc/$(id): mode 0600 -> 4755 (4 of 6 hosts)
    RUN chmod 4755 '/etc/$(id)'

    # /etc/\x1b[2J: added, directory 0755 root:adm (4 of 6 hosts)
    # by hand: no line does that
    "#);
}

#[test]
fn a_script_for_packer_is_one_that_shells_take() {
    let text = written("packer", &run());
    insta::assert_snapshot!(text, @r#"
    #!/bin/sh
    # For a provisioner "shell" of Packer; files/ comes by a provisioner "file" to $FILES.
    set -eu
    : "${FILES:=/tmp}"

    # What most of web have, and web@2026.11.3 lacks.
    # Fold it into the source of the image, or stop what does it; never run this on a server.

    # sudo: deploy may run ALL?RUN evil (4 of 6 hosts)
    # by hand, in /etc/sudoers

    # openssl 3.0.17-1 -> 3.0.18-1, 2 files, all as shipped (4 of 6 hosts)
    apt-get install -y --no-install-recommends --allow-downgrades openssl=3.0.18-1

    # /opt/x y: added, directory 0755 root:adm (4 of 6 hosts)
    mkdir -p '/opt/x y'
    chown -h -- root:adm '/opt/x y'
    chmod 0755 '/opt/x y'

    # /etc/it's gone: removed, was file (4 of 6 hosts)
    rm -rf '/etc/it'\''s gone'

    # /etc/motd: content changed (4 of 6 hosts)
    # its bytes have sha256:bb; the report holds no text of it.
    cp -- "$FILES"/files/etc/motd /etc/motd

    # /etc/$(id): mode 0600 -> 4755 (4 of 6 hosts)
    chmod 4755 '/etc/$(id)'

    # /etc/\x1b[2J: added, directory 0755 root:adm (4 of 6 hosts)
    # by hand: no line does that
    "#);
    for shell in ["sh", "bash"] {
        let mut child = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{shell}");
    }
}

#[test]
fn user_data() {
    insta::assert_snapshot!(written("cloud-init", &run()), @r#"
    #cloud-config
    # To try a change out; then put it into the image, or every first boot is drift.
    runcmd:

      # What most of web have, and web@2026.11.3 lacks.
      # Fold it into the source of the image, or stop what does it; never run this on a server.

      # sudo: deploy may run ALL?RUN evil (4 of 6 hosts)
      # by hand, in /etc/sudoers

      # openssl 3.0.17-1 -> 3.0.18-1, 2 files, all as shipped (4 of 6 hosts)
      - "apt-get install -y --no-install-recommends --allow-downgrades openssl=3.0.18-1"

      # /opt/x y: added, directory 0755 root:adm (4 of 6 hosts)
      - "mkdir -p '/opt/x y'"
      - "chown -h -- root:adm '/opt/x y'"
      - "chmod 0755 '/opt/x y'"

      # /etc/it's gone: removed, was file (4 of 6 hosts)
      - "rm -rf '/etc/it'\\''s gone'"

      # /etc/motd: content changed (4 of 6 hosts)
      # write_files: /etc/motd from files/etc/motd, whose bytes have sha256:bb

      # /etc/$(id): mode 0600 -> 4755 (4 of 6 hosts)
      - "chmod 4755 '/etc/$(id)'"

      # /etc/\x1b[2J: added, directory 0755 root:adm (4 of 6 hosts)
      # by hand: no line does that
    "#);
}

/// A package, a version and an owner are a host's words: a line feed ends an instruction of a Dockerfile between quotes as
/// well, and a dash makes an option of a name.
#[test]
fn a_package_of_a_hosts_making_is_no_line_and_no_option() {
    let package = |name: &str, version: &str| {
        let subject = format!("pkg:{name}:amd64");
        let sides = [(Attr::Version, "1")];
        finding(Severity::Medium, Code::PackageVersion, &subject, &sides, &[(Attr::Version, version)])
    };
    let findings = vec![
        package("x\nRUN evil", "1"),
        package("-oDpkg::Pre-Install-Pkgs::=evil", "1"),
        package("tar", "1;evil\\"),
        package("libstdc++6", "1:12.2.0-14+deb12u1~bpo"),
        finding(Severity::Low, Code::OwnerChanged, "fs:/etc/y", &[], &[(Attr::Owner, "--reference=/evil")]),
        finding(Severity::Low, Code::FileRemoved, "fs:/", &[(Attr::Kind, "directory")], &[]),
    ];
    let mut tampered = finding(Severity::High, Code::ContentChanged, "fs:/usr/sbin/evil", &[], &[(Attr::Size, "9")]);
    tampered.told.class = Some(Class::Tampered);
    let findings = [findings, vec![tampered]].concat();
    let hosts = (1..=4).map(|n| drifted(host(&format!("web-{n}"), "web", "web@1"), findings.clone())).collect();
    let mut run = fleet(hosts, &[]);
    settle(&mut run, &Waivers::default(), jiff::civil::date(2026, 11, 21));
    for form in FORMS {
        let text = written(form.name, &run);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let evil: Vec<&&str> = lines.iter().filter(|line| line.contains("evil")).collect();
        assert!(
            evil.iter().all(|line| line.contains("chown -h -- --reference=/evil /etc/y")),
            "{} {evil:?}",
            form.name
        );
        assert!(lines.iter().any(|line| line.contains("libstdc++6=1:12.2.0-14+deb12u1~bpo")), "{text}");
        assert!(!text.contains("rm -rf /\n") && !text.contains("rm -rf /\""), "{text}");
    }
}

#[test]
fn no_control_character_and_no_line_of_a_hosts_making() {
    for form in FORMS {
        let text = written(form.name, &run());
        assert!(!text.contains('\x1b') && !text.lines().any(|line| line.starts_with("RUN evil")), "{text}");
        assert!(
            !text.lines().any(|line| !line.trim_start().starts_with('#')
                && line.contains("$(id)")
                && !line.contains("'/etc/$(id)'")),
            "{text}"
        );
        let none = written(form.name, &fleet(vec![host("web-01", "web", "web@1")], &[]));
        assert!(none.contains("Nothing in this run is common drift."), "{none}");
    }
}
