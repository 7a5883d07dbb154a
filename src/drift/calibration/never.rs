//! What is never learned, whatever its siblings look like: it is shown to a person, who may write a rule.
//!
//! *Invariant:* asked before any class; what can be run, what lets somebody in and what decides what runs is here.

use crate::protocol::{Attr, Kind, Pattern, Record};
use std::sync::LazyLock;

const PLACES: &[(&str, &str)] = &[
    ("/etc/passwd*", "who has an account"),
    ("/etc/shadow*", "who has a password"),
    ("/etc/group*", "who is in which group"),
    ("/etc/gshadow*", "who is in which group"),
    ("/etc/sub[ug]id*", "who has which ids"),
    ("/etc/sudoers*", "who may become root"),
    ("/etc/sudoers.d/**", "who may become root"),
    ("/etc/doas.conf*", "who may become root"),
    ("/etc/polkit-1/**", "who may do what"),
    ("/etc/ssh/sshd_config*", "who may log in"),
    ("/etc/ssh/sshd_config.d/**", "who may log in"),
    ("/etc/ssh/ssh_config*", "how this host logs in elsewhere"),
    ("/etc/ssh/authorized_*/**", "who may log in"),
    ("/**/authorized_keys*", "who may log in"),
    ("/**/.ssh/**", "who may log in"),
    ("/**/.[rs]hosts", "who may log in"),
    ("/**/.k5login", "who may log in"),
    ("/etc/pam.*", "how logins are proven"),
    ("/etc/pam.d/**", "how logins are proven"),
    ("/etc/security/**", "how logins are proven"),
    ("/etc/login.defs", "how logins are proven"),
    ("/etc/nsswitch.conf", "where names come from"),
    ("/etc/krb5.conf*", "how logins are proven"),
    ("/etc/hosts.allow", "who may connect"),
    ("/etc/hosts.deny", "who may connect"),
    ("/etc/nftables*", "who may connect"),
    ("/etc/iptables/**", "who may connect"),
    ("/etc/cron*", "what runs, and when"),
    ("/etc/cron*/**", "what runs, and when"),
    ("/etc/anacrontab", "what runs, and when"),
    ("/etc/at.*", "what runs, and when"),
    ("/var/spool/cron/**", "what runs, and when"),
    ("/etc/systemd/system*", "what runs"),
    ("/etc/systemd/system/**", "what runs"),
    ("/etc/systemd/system.*/**", "what runs"),
    ("/etc/systemd/user/**", "what runs"),
    ("/etc/systemd/*.conf", "what runs"),
    ("/usr/lib/systemd/**", "what runs"),
    ("/lib/systemd/**", "what runs"),
    ("/usr/local/lib/systemd/**", "what runs"),
    ("/**/.config/systemd/**", "what runs"),
    ("/etc/init.d/**", "what runs"),
    ("/etc/rc*", "what runs"),
    ("/etc/rc*/**", "what runs"),
    ("/etc/inittab", "what runs"),
    ("/etc/init/**", "what runs"),
    ("/etc/xinetd*/**", "what runs"),
    ("/etc/inetd.conf", "what runs"),
    ("/etc/ld.so.preload", "what every program loads"),
    ("/etc/ld.so.conf*", "what programs load"),
    ("/etc/ld.so.conf.d/**", "what programs load"),
    ("/etc/environment*", "what every login runs"),
    ("/etc/profile*", "what every login runs"),
    ("/etc/profile.d/**", "what every login runs"),
    ("/etc/*bash*", "what every login runs"),
    ("/etc/zsh*/**", "what every login runs"),
    ("/etc/csh*", "what every login runs"),
    ("/root/.bash*rc", "what every login runs"),
    ("/root/.*profile*", "what every login runs"),
    ("/etc/modprobe.d/**", "what the kernel loads"),
    ("/etc/modules*", "what the kernel loads"),
    ("/etc/modules-load.d/**", "what the kernel loads"),
    ("/etc/sysctl*", "how the kernel behaves"),
    ("/etc/sysctl.d/**", "how the kernel behaves"),
    ("/etc/apt/**", "where packages come from"),
    ("/etc/yum*/**", "where packages come from"),
    ("/etc/yum.conf", "where packages come from"),
    ("/etc/dnf/**", "where packages come from"),
    ("/etc/zypp/**", "where packages come from"),
    ("/etc/apk/**", "where packages come from"),
    ("/etc/pacman*", "where packages come from"),
    ("/etc/pacman.d/**", "where packages come from"),
    ("/var/lib/dpkg/info/**", "what packages run, and what they shipped"),
    ("/var/lib/dpkg/diversions*", "which package a file is of"),
    ("/var/lib/dpkg/statoverride*", "which modes files have"),
    ("/etc/ca-certificates*", "which certificates are trusted"),
    ("/etc/ca-certificates/**", "which certificates are trusted"),
    ("/usr/local/share/ca-certificates/**", "which certificates are trusted"),
    ("/etc/pki/ca-trust/source/**", "which certificates are trusted"),
    ("/etc/ssl/certs/ca-*", "which certificates are trusted"),
    ("/etc/alternatives/**", "which program a name runs"),
    ("/**/*.so", "a library"),
    ("/**/*.so.[0-9]*", "a library"),
    ("/**/*.ko", "a kernel module"),
    ("/**/*.ko.*", "a kernel module"),
    ("/boot/vmlinu*", "a kernel"),
    ("/boot/System.map*", "a kernel"),
    ("/boot/**/*.efi", "a boot loader"),
    ("/boot/**/*.EFI", "a boot loader"),
    ("/etc/udev/rules.d/[!7]*", "what runs when a device comes"),
    ("/usr/lib/udev/**", "what runs when a device comes"),
    ("/bin/**", "a program"),
    ("/sbin/**", "a program"),
    ("/usr/bin/**", "a program"),
    ("/usr/sbin/**", "a program"),
    ("/usr/local/bin/**", "a program"),
    ("/usr/local/sbin/**", "a program"),
    ("/usr/libexec/**", "a program"),
];

static NEVER: LazyLock<Vec<(Pattern, &'static str)>> = LazyLock::new(|| {
    let read = |(path, what): &(&str, &'static str)| {
        (Pattern::new(path.as_bytes()).expect("the list is part of the program, and a test reads it"), *what)
    };
    PLACES.iter().map(read).collect()
});

/// Why a path is on the list.
pub(super) fn by_path(path: &[u8]) -> Option<&'static str> {
    NEVER.iter().find(|(pattern, _)| pattern.matches(path)).map(|(_, what)| *what)
}

/// Why what stands there is never learned.
pub(super) fn by_record(record: &Record) -> Option<&'static str> {
    let view = record.view();
    let mode = view.mode().unwrap_or(0);
    let file = view.kind() == Some(Kind::File);
    if file && mode & 0o6000 != 0 {
        Some("it gives whoever runs it more rights")
    } else if view.attr(Attr::Capability).is_some() {
        Some("it has file capabilities")
    } else if file && mode & 0o111 != 0 {
        Some("it can be run")
    } else {
        matches!(view.kind(), Some(Kind::Block | Kind::Char)).then_some("it is a device")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_in_are_on_the_list() {
        for path in [
            "/etc/passwd",
            "/etc/shadow",
            "/etc/sudoers",
            "/etc/sudoers.d/90-cloud-init-users",
            "/etc/ssh/sshd_config",
            "/etc/ssh/sshd_config.d/50-cloud-init.conf",
            "/etc/pam.d/sshd",
            "/etc/cron.d/x",
            "/etc/crontab",
            "/var/spool/cron/crontabs/root",
            "/etc/systemd/system/x.service",
            "/etc/systemd/system/x.service.d/y.conf",
            "/etc/ld.so.preload",
            "/root/.ssh/authorized_keys",
            "/home/anna/.ssh/authorized_keys2",
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/var/cache/app/x.so",
            "/lib/modules/6.1/kernel/x.ko.xz",
            "/boot/vmlinuz-6.1",
            "/var/lib/dpkg/info/ssh.postinst",
        ] {
            assert!(by_path(path.as_bytes()).is_some(), "{path}");
        }
        for path in ["/var/log/syslog", "/etc/hostname", "/etc/udev/rules.d/70-persistent-net.rules", "/etc/so.d"] {
            assert!(by_path(path.as_bytes()).is_none(), "{path}");
        }
    }
}
