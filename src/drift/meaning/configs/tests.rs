//! Tests of the sentences, on files as distributions have them.
//!
//! *Invariant:* nothing here is built into the program.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::drift::meaning::records::{Records, pairs};
use crate::drift::meaning::sentence;
use crate::protocol::view::{HostFacts, text};
use proptest::prelude::*;

/// The sentences of two files, as the engine makes them: code, severity and title.
fn said(view: View, path: &str, before: &str, after: &str) -> Vec<String> {
    let records = |file: &str| Records::read(&text(view, file.as_bytes(), &HostFacts::default()).unwrap()).unwrap();
    let (before, after) = (records(before), records(after));
    told_by(view, path, &before, &after)
}

/// The same from texts that another view wrote.
fn of_texts(view: View, path: &str, before: &str, after: &str) -> Vec<String> {
    let records = |text: &str| Records::read(text.as_bytes()).unwrap();
    told_by(view, path, &records(before), &records(after))
}

fn told_by(view: View, path: &str, before: &Records, after: &Records) -> Vec<String> {
    let said = pairs(before, after).into_iter().map(|pair| sentence(view, path.as_bytes(), &pair));
    said.map(|said| format!("{} {}: {}", said.severity.word(), said.code.word(), said.title)).collect()
}

#[test]
fn a_unit_that_runs_something_else() {
    let unit = "[Unit]\nDescription=x\n[Service]\nExecStart=/usr/sbin/nginx\n";
    let path = "/etc/systemd/system/nginx.service";
    let now = unit.replace("/usr/sbin/nginx", "/tmp/x");
    assert_eq!(
        said(View::Ini, path, unit, &now),
        ["high unit-changed: unit nginx.service: ExecStart /usr/sbin/nginx -> /tmp/x"]
    );
    let more = format!("{unit}ExecStartPost=/tmp/x\n");
    assert_eq!(
        said(View::Ini, path, unit, &more),
        ["high unit-changed: unit nginx.service: ExecStartPost added: /tmp/x"]
    );
    assert_eq!(
        said(View::Ini, path, unit, &unit.replace("=x", "=y")),
        ["low unit-changed: unit nginx.service: Description x -> y"]
    );
    assert_eq!(
        said(View::Ini, "/etc/systemd/system/ssh.service.d/override.conf", "", "[Service]\nUser=root\n"),
        ["high unit-changed: unit ssh.service (override.conf): User added: root"]
    );
    assert_eq!(
        said(
            View::Ini,
            "/usr/lib/systemd/system/apt-daily.timer",
            "[Timer]\nOnCalendar=daily\n",
            "[Timer]\nOnCalendar=weekly\n"
        ),
        ["medium unit-changed: unit apt-daily.timer: OnCalendar daily -> weekly"]
    );
    assert_eq!(
        said(View::Ini, "/etc/systemd/resolved.conf", "[Resolve]\nDNS=10.0.0.2\n", "[Resolve]\nDNS=6.6.6.6\n"),
        ["medium resolver-changed: resolved.conf: [Resolve] DNS 10.0.0.2 -> 6.6.6.6"]
    );
    assert_eq!(
        said(View::Ini, "/etc/yum.repos.d/rocky.repo", "[base]\ngpgcheck=1\n", "[base]\ngpgcheck=0\n"),
        ["high source-changed: repository base: gpgcheck 1 -> 0"]
    );
}

#[test]
fn a_kernel_that_protects_less() {
    let path = "/etc/sysctl.d/99-hardening.conf";
    let sysctl = |before, after| said(View::Sysctl, path, before, after);
    assert_eq!(
        sysctl("kernel.randomize_va_space=2", "kernel.randomize_va_space=0"),
        ["high kernel-setting-changed: sysctl kernel.randomize_va_space 2 -> 0"]
    );
    assert_eq!(
        sysctl("kernel.randomize_va_space=0", "kernel.randomize_va_space=2"),
        ["medium kernel-setting-changed: sysctl kernel.randomize_va_space 0 -> 2"]
    );
    assert_eq!(
        sysctl("", "net.ipv4.ip_forward=1"),
        ["high kernel-setting-changed: sysctl net.ipv4.ip_forward added: 1"]
    );
    assert_eq!(
        sysctl("fs.protected_symlinks=1", ""),
        ["high kernel-setting-changed: sysctl fs.protected_symlinks removed: 1"]
    );
    assert_eq!(
        sysctl("vm.swappiness=10", "vm.swappiness=60"),
        ["medium kernel-setting-changed: sysctl vm.swappiness 10 -> 60"]
    );
    assert_eq!(
        sysctl("", "kernel.core_pattern=|/tmp/x"),
        ["high kernel-setting-changed: sysctl kernel.core_pattern added: |/tmp/x"]
    );
    let module = |before, after| said(View::Modules, "/etc/modprobe.d/cis.conf", before, after);
    assert_eq!(
        module("install usb-storage /bin/false\n", ""),
        ["high kernel-setting-changed: kernel module usb_storage is no longer kept from loading"]
    );
    assert_eq!(
        module("", "install ext4 /tmp/x; /sbin/modprobe -i ext4\n"),
        ["high kernel-setting-changed: kernel module ext4: install runs /tmp/x; /sbin/modprobe -i ext4"]
    );
    assert_eq!(
        module("blacklist pcspkr\n", ""),
        ["medium kernel-setting-changed: kernel module pcspkr is no longer blacklisted"]
    );
    assert_eq!(module("", "rootkit\n"), ["high kernel-setting-changed: kernel module rootkit is loaded at boot"]);
}

#[test]
fn mounts_by_their_options() {
    let fstab = |before, after| of_texts(View::Fstab, "/etc/fstab", before, after);
    let line = "/srv\tUUID=\u{1}disk\u{1} ext4 nodev,nosuid 0 2\n";
    assert_eq!(
        fstab(line, "/srv\tUUID=\u{1}disk\u{1} ext4 nodev 0 2\n"),
        ["high fstab-changed: fstab: /srv options nosuid dropped"]
    );
    assert_eq!(
        fstab(line, "/srv\t/dev/sdb1 ext4 noatime,nodev,nosuid 0 2\n"),
        ["medium fstab-changed: fstab: /srv device UUID=<disk> -> /dev/sdb1, options noatime added"]
    );
    assert_eq!(fstab("", "/mnt\t10.0.0.1:/x nfs\n"), ["medium fstab-changed: fstab: /mnt added: 10.0.0.1:/x nfs"]);
    assert_eq!(fstab(line, ""), ["medium fstab-changed: fstab: /srv removed: UUID=<disk> ext4 nodev,nosuid 0 2"]);
}

#[test]
fn names_that_lead_elsewhere() {
    let hosts = |before, after| of_texts(View::Hosts, "/etc/hosts", before, after);
    assert_eq!(
        hosts("", "10.6.6.6\tupdates.example.net\n"),
        ["high resolver-changed: hosts: updates.example.net -> 10.6.6.6"]
    );
    assert_eq!(
        hosts("127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost printer\n"),
        ["medium resolver-changed: hosts: printer -> 127.0.0.1"]
    );
    assert_eq!(hosts("\u{1}address\u{1}\tweb\n", ""), ["medium resolver-changed: hosts: web no longer -> <address>"]);
    let resolver = |before, after| said(View::Resolv, "/etc/resolv.conf", before, after);
    assert_eq!(
        resolver("nameserver 10.0.0.2\nnameserver 10.0.0.3\n", "nameserver 6.6.6.6\nnameserver 10.0.0.3\n"),
        ["medium resolver-changed: resolver 10.0.0.2 -> 6.6.6.6"]
    );
    assert_eq!(
        resolver("nameserver 10.0.0.2\nnameserver 10.0.0.3\n", "nameserver 10.0.0.3\nnameserver 10.0.0.2\n"),
        ["medium resolver-changed: resolvers in another order: 10.0.0.3; 10.0.0.2"]
    );
    assert_eq!(resolver("", "options rotate\n"), ["low resolver-changed: resolv.conf: options rotate added"]);
    assert_eq!(
        of_texts(View::Hostname, "/etc/hostname", "name\t\u{1}hostname\u{1}\n", "name\tother\n"),
        ["medium setting-changed: name in hostname: <hostname> -> other"]
    );
}

#[test]
fn sources_and_who_vouches_for_them() {
    let path = "/etc/apt/sources.list";
    let line = "deb http://deb.debian.org/debian bookworm main\n";
    assert_eq!(
        said(View::Sources, path, line, &format!("{line}deb http://evil.example/ ./\n")),
        ["high source-changed: apt source added: deb http://evil.example ./"]
    );
    assert_eq!(
        said(View::Sources, path, line, "deb [trusted=yes] http://deb.debian.org/debian bookworm main\n"),
        ["high source-changed: apt source deb http://deb.debian.org/debian bookworm: main -> [trusted=yes] main"]
    );
    assert_eq!(
        said(View::Sources, path, line, "deb http://deb.debian.org/debian bookworm main contrib\n"),
        ["medium source-changed: apt source deb http://deb.debian.org/debian bookworm: main -> contrib main"]
    );
    assert_eq!(
        said(View::Sources, "/etc/apk/repositories", "https://a/main\n", "https://a/main\nhttps://b/main\n"),
        ["high source-changed: apk source added: https://b/main"]
    );
    assert_eq!(
        of_texts(
            View::Certificates,
            "/etc/ssl/certs/ca-certificates.crt",
            "",
            &format!("certificate SHA256:{}\tEvil Root\n", "ab".repeat(32))
        ),
        ["high trust-changed: CA certificate added: SHA256:abababababababab... Evil Root"]
    );
}

#[test]
fn other_settings_by_their_file() {
    assert_eq!(
        said(View::Lines, "/etc/ld.so.preload", "", "/lib/evil.so\n"),
        ["critical setting-changed: library that every program loads added: /lib/evil.so"]
    );
    assert_eq!(
        said(View::Lines, "/etc/ld.so.conf.d/libc.conf", "/usr/local/lib\n", "/usr/local/lib\n/tmp\n"),
        ["high setting-changed: loader: library path added: /tmp"]
    );
    assert_eq!(
        said(View::Lines, "/etc/security/limits.conf", "* hard core 0\n", "* hard core unlimited\n"),
        ["medium setting-changed: limits.conf: * hard core 0 -> * hard core unlimited"]
    );
    assert_eq!(said(View::Lines, "/etc/x", "a\nb\n", "b\na\n"), ["medium setting-changed: x: lines in another order"]);
    assert_eq!(
        said(View::Lines, "/etc/timezone", "Etc/UTC\n", "Europe/Paris\n"),
        ["low setting-changed: time zone Etc/UTC -> Europe/Paris"]
    );
    let assigned = |path, before, after| said(View::Assignments, path, before, after);
    assert_eq!(
        assigned("/etc/environment", "", "LD_PRELOAD=/x.so\n"),
        ["high setting-changed: environment: LD_PRELOAD added: /x.so"]
    );
    assert_eq!(
        assigned("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n", "GRUB_CMDLINE_LINUX=\"mitigations=off\"\n"),
        ["high kernel-setting-changed: grub: GRUB_CMDLINE_LINUX (empty) -> mitigations=off"]
    );
    assert_eq!(
        assigned("/etc/nsswitch.conf", "hosts: files dns\n", "hosts: dns\n"),
        ["medium resolver-changed: nsswitch.conf: hosts files dns -> dns"]
    );
    assert_eq!(
        assigned("/etc/selinux/config", "SELINUX=enforcing\n", "SELINUX=disabled\n"),
        ["high setting-changed: config: SELINUX enforcing -> disabled"]
    );
    assert_eq!(
        assigned("/etc/locale.conf", "LANG=C\n", "LANG=de_DE\n"),
        ["low setting-changed: locale.conf: LANG C -> de_DE"]
    );
    assert_eq!(
        said(View::Stanzas, "/var/lib/apt/extended_states", "Package: x\nArchitecture: amd64\nAuto-Installed: 1\n", ""),
        ["low setting-changed: package x:amd64 counts as installed by hand"]
    );
    assert_eq!(
        said(View::Adjtime, "/etc/adjtime", "0\n0\nUTC\n", "0\n0\nLOCAL\n"),
        ["low setting-changed: hardware clock UTC -> LOCAL"]
    );
    assert_eq!(
        said(
            View::Alternatives,
            "/var/lib/dpkg/alternatives/editor",
            "auto\n/usr/bin/editor\n\n",
            "manual\n/usr/bin/editor\n\n"
        ),
        ["low alternative-changed: alternative editor: mode auto -> manual"]
    );
    assert_eq!(
        of_texts(View::MachineId, "/etc/machine-id", "machine-id\t\u{1}machine-id\u{1}\n", "machine-id\tempty\n"),
        ["medium setting-changed: machine-id: machine-id <machine-id> -> empty"]
    );
}

#[test]
fn values_that_are_cut_alike_are_not_told_as_equal() {
    let (before, after) = (format!("A={}1\n", "x".repeat(200)), format!("A={}2\n", "x".repeat(200)));
    let told = said(View::Assignments, "/etc/default/x", &before, &after);
    assert!(told[0].contains("A changed: xxx"), "{told:?}");
}

proptest! {
    #[test]
    fn any_pair_has_a_sentence(key: Vec<u8>, before: Vec<Vec<u8>>, after: Vec<Vec<u8>>, path: Vec<u8>) {
        prop_assume!(before != after);
        let pair = Pair {
            key: &key,
            before: before.iter().map(Vec::as_slice).collect(),
            after: after.iter().map(Vec::as_slice).collect(),
        };
        for view in View::ALL {
            let said = sentence(*view, &path, &pair);
            prop_assert!(!said.title.is_empty() && !said.title.chars().any(char::is_control));
        }
    }
}
