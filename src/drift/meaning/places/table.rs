//! Folders and files with one meaning each, as tables.
//!
//! *Invariant:* a row names a folder's own files, never what is deeper below it.

use super::super::shown;
use super::{Named, Place};
use crate::model::{Change, Code, Severity};
use crate::protocol::Kind;

const ROOT: &str = "it is run as root without anybody's doing";
const LOGIN: &str = "it is run for whoever logs in";
const PEER: &str = "whoever holds its key can pass for any peer of this host";
const SIGNED: &str = "packages that its key signed are installed without a question";

/// Folder, what a file in it is, its least severity, why.
const FOLDERS: &[(&str, &str, Option<Severity>, &str)] = &[
    ("/etc/cron.hourly", "hourly cron job", Some(Severity::High), ROOT),
    ("/etc/cron.daily", "daily cron job", Some(Severity::High), ROOT),
    ("/etc/cron.weekly", "weekly cron job", Some(Severity::High), ROOT),
    ("/etc/cron.monthly", "monthly cron job", Some(Severity::High), ROOT),
    ("/etc/cron.yearly", "yearly cron job", Some(Severity::High), ROOT),
    ("/etc/cron.d", "cron table", Some(Severity::High), ROOT),
    ("/etc/periodic/15min", "quarter-hourly cron job", Some(Severity::High), ROOT),
    ("/etc/periodic/hourly", "hourly cron job", Some(Severity::High), ROOT),
    ("/etc/periodic/daily", "daily cron job", Some(Severity::High), ROOT),
    ("/etc/periodic/weekly", "weekly cron job", Some(Severity::High), ROOT),
    ("/etc/periodic/monthly", "monthly cron job", Some(Severity::High), ROOT),
    ("/var/spool/cron/crontabs", "crontab of", Some(Severity::High), "it is run without anybody's doing"),
    ("/var/spool/cron", "crontab of", Some(Severity::High), "it is run without anybody's doing"),
    ("/etc/crontabs", "crontab of", Some(Severity::High), "it is run without anybody's doing"),
    ("/var/spool/cron/atjobs", "at job", Some(Severity::High), "it is run without anybody's doing"),
    ("/var/spool/at", "at job", Some(Severity::High), "it is run without anybody's doing"),
    ("/etc/ld.so.conf.d", "loader path file", Some(Severity::High), "its libraries can take the place of the system's"),
    ("/etc/profile.d", "login script", Some(Severity::High), LOGIN),
    ("/etc/update-motd.d", "login banner script", Some(Severity::High), "it is run as root at every login"),
    ("/etc/init.d", "init script", Some(Severity::High), ROOT),
    ("/etc/rc.d/init.d", "init script", Some(Severity::High), ROOT),
    ("/etc/local.d", "boot script", Some(Severity::High), ROOT),
    ("/etc/network/if-up.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/network/if-pre-up.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/network/if-down.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/network/if-post-down.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/NetworkManager/dispatcher.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/dhcp/dhclient-enter-hooks.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/dhcp/dhclient-exit-hooks.d", "network hook", Some(Severity::High), ROOT),
    ("/etc/systemd/system-generators", "unit generator", Some(Severity::High), ROOT),
    ("/usr/lib/systemd/system-generators", "unit generator", Some(Severity::High), ROOT),
    ("/lib/systemd/system-generators", "unit generator", Some(Severity::High), ROOT),
    ("/usr/lib/systemd/system-sleep", "sleep hook", Some(Severity::High), ROOT),
    ("/usr/lib/systemd/system-shutdown", "shutdown hook", Some(Severity::High), ROOT),
    (
        "/etc/systemd/system-preset",
        "unit preset",
        None,
        "presets decide which units are enabled when they are installed",
    ),
    (
        "/usr/lib/systemd/system-preset",
        "unit preset",
        None,
        "presets decide which units are enabled when they are installed",
    ),
    ("/etc/udev/rules.d", "udev rules", Some(Severity::Medium), "a rule of udev may run programs as root"),
    ("/etc/sudoers.d", "sudo rules", Some(Severity::High), "they decide who may act as root"),
    ("/etc/polkit-1/rules.d", "polkit rules", Some(Severity::High), "they decide who may act as root"),
    ("/etc/pam.d", "PAM service", Some(Severity::High), "it decides who is let in"),
    ("/etc/ssh/sshd_config.d", "sshd settings", Some(Severity::High), "they decide who is let in"),
    ("/etc/apt/trusted.gpg.d", "package signing key", Some(Severity::High), SIGNED),
    ("/etc/apt/keyrings", "package signing key", Some(Severity::High), SIGNED),
    ("/etc/pki/rpm-gpg", "package signing key", Some(Severity::High), SIGNED),
    ("/etc/apk/keys", "package signing key", Some(Severity::High), SIGNED),
    ("/etc/apt/sources.list.d", "apt source list", Some(Severity::High), "packages of its sources are run as root"),
    ("/etc/yum.repos.d", "repository list", Some(Severity::High), "packages of its sources are run as root"),
    ("/etc/zypp/repos.d", "repository list", Some(Severity::High), "packages of its sources are run as root"),
    (
        "/etc/apt/apt.conf.d",
        "apt settings",
        Some(Severity::Medium),
        "apt's settings may name programs that it runs as root",
    ),
    ("/etc/apt/preferences.d", "apt preferences", None, "they decide which version of a package is installed"),
    (
        "/etc/dpkg/dpkg.cfg.d",
        "dpkg settings",
        Some(Severity::Medium),
        "dpkg's settings may name programs that it runs as root",
    ),
    ("/usr/local/share/ca-certificates", "CA certificate file", Some(Severity::High), PEER),
    ("/etc/pki/ca-trust/source/anchors", "CA certificate file", Some(Severity::High), PEER),
    ("/etc/ca-certificates/trust-source/anchors", "CA certificate file", Some(Severity::High), PEER),
    ("/etc/pki/trust/anchors", "CA certificate file", Some(Severity::High), PEER),
    (
        "/etc/modprobe.d",
        "kernel module settings",
        Some(Severity::Medium),
        "modprobe's settings may name programs that it runs as root",
    ),
    ("/etc/modules-load.d", "list of kernel modules", Some(Severity::Medium), "the modules are loaded at boot"),
    ("/etc/sysctl.d", "kernel settings", Some(Severity::Medium), "they are set at boot"),
    ("/etc/binfmt.d", "binary format", Some(Severity::High), "programs of that format are started by another one"),
    ("/etc/xdg/autostart", "autostart entry", Some(Severity::Medium), LOGIN),
    ("/etc/kernel/postinst.d", "kernel hook", Some(Severity::High), "it is run as root when a kernel is installed"),
    (
        "/etc/initramfs-tools/hooks",
        "initramfs hook",
        Some(Severity::High),
        "it is run as root when the initial file system is built",
    ),
    (
        "/etc/initramfs-tools/scripts/init-top",
        "initramfs script",
        Some(Severity::High),
        "it is run before the system starts",
    ),
];

/// Path, what it is, its least severity, why.
const FILES: &[(&str, &str, Option<Severity>, &str)] = &[
    (
        "/etc/ld.so.preload",
        "libraries that every program loads",
        Some(Severity::Critical),
        "the loader puts them into every program, those of root included",
    ),
    ("/etc/ld.so.conf", "loader paths", Some(Severity::High), "their libraries can take the place of the system's"),
    ("/etc/rc.local", "boot script", Some(Severity::High), ROOT),
    ("/etc/rc.d/rc.local", "boot script", Some(Severity::High), ROOT),
    ("/etc/profile", "login script", Some(Severity::High), LOGIN),
    ("/etc/bash.bashrc", "shell script", Some(Severity::High), LOGIN),
    ("/etc/bashrc", "shell script", Some(Severity::High), LOGIN),
    ("/etc/ssh/sshrc", "login script", Some(Severity::High), LOGIN),
    ("/etc/hosts.equiv", "hosts that log in without a password", Some(Severity::High), "whoever is on them is let in"),
    ("/etc/shosts.equiv", "hosts that log in without a password", Some(Severity::High), "whoever is on them is let in"),
    ("/etc/nologin", "sign that only root may log in", None, "somebody closed this host to its users"),
    ("/forcefsck", "order to check file systems", None, "it is carried out at the next boot"),
    ("/.autofsck", "order to check file systems", None, "it is carried out at the next boot"),
    ("/.autorelabel", "order to relabel all files", None, "it is carried out at the next boot"),
    ("/.unconfigured", "order to configure the system anew", None, "it is carried out at the next boot"),
    (
        "/etc/cloud/cloud-init.disabled",
        "sign that cloud-init does not run",
        None,
        "what it sets up at boot is not set up any more",
    ),
    ("/etc/cron.allow", "list of who may use cron", Some(Severity::Medium), "it decides who may have jobs run"),
    ("/etc/cron.deny", "list of who may not use cron", Some(Severity::Medium), "it decides who may have jobs run"),
    ("/etc/at.allow", "list of who may use at", Some(Severity::Medium), "it decides who may have jobs run"),
    ("/etc/at.deny", "list of who may not use at", Some(Severity::Medium), "it decides who may have jobs run"),
    ("/etc/initramfs-tools/initramfs.conf", "settings of the initial file system", None, "it is built by them"),
    ("/boot/grub/grub.cfg", "boot loader's settings", Some(Severity::High), "they decide which kernel starts, and how"),
    (
        "/boot/grub2/grub.cfg",
        "boot loader's settings",
        Some(Severity::High),
        "they decide which kernel starts, and how",
    ),
    (
        "/boot/loader/loader.conf",
        "boot loader's settings",
        Some(Severity::High),
        "they decide which kernel starts, and how",
    ),
];

/// Names of files in anybody's home, what they are, why.
const HOMES: &[(&str, &str, &str)] = &[
    (".ssh/authorized_keys2", "further file of login keys", "sshd reads it beside authorized_keys"),
    (".ssh/rc", "script of ssh logins", LOGIN),
    (".ssh/environment", "environment of ssh logins", "it can name libraries and programs"),
    (".rhosts", "hosts that log in without a password", "whoever is on them is let in"),
    (".shosts", "hosts that log in without a password", "whoever is on them is let in"),
];

/// Beginnings of names in `/boot`.
const BOOT: &[(&str, &str)] = &[
    ("vmlinuz", "kernel"),
    ("vmlinux", "kernel"),
    ("initrd", "initial file system"),
    ("initramfs", "initial file system"),
    ("System.map", "kernel's symbols"),
    ("config-", "kernel's build settings"),
];

pub(super) fn named(place: &Place<'_>) -> Option<Named> {
    let happened = place.happened()?;
    if place.is(Kind::Directory) {
        return None;
    }
    let build = |title: String, severity: Option<Severity>, why| {
        let named = Named::new(title);
        // What is gone runs no more.
        if place.change == Change::Removed {
            return named;
        }
        Named { severity, ..named.because(why) }
    };
    let end = match (place.code, Place::target(place.after)) {
        (Code::FileAdded | Code::TargetChanged, Some(to)) => format!(" -> {}", shown(to, 24)),
        _ => String::new(),
    };
    let name = shown(place.base, 40);
    if let Some((_, what, severity, why)) = FILES.iter().find(|row| row.0.as_bytes() == place.path) {
        return Some(build(format!("{} {happened}{end}: {what}", shown(place.path, 45)), *severity, why));
    }
    if let Some((_, what, severity, why)) = FOLDERS.iter().find(|row| row.0.as_bytes() == place.folder) {
        return Some(build(format!("{what} {name} {happened}{end}"), *severity, why));
    }
    let at_home = |name: &str| {
        let head = place.path.strip_suffix(name.as_bytes()).and_then(|head| head.strip_suffix(b"/"));
        head.filter(|home| *home == b"/root" || home.starts_with(b"/home/") || home.starts_with(b"/var/"))
    };
    if let Some((home, row)) = HOMES.iter().find_map(|row| Some((at_home(row.0)?, row))) {
        let title = format!("{}/{} {happened}{end}: {}", shown(home, 25), row.0, row.1);
        return Some(build(title, Some(Severity::High), row.2));
    }
    let boot = BOOT.iter().find(|row| place.base.starts_with(row.0.as_bytes()));
    let (_, what) = boot.filter(|_| place.folder == b"/boot" || place.folder.starts_with(b"/boot/"))?;
    Some(build(format!("{what} {name} {happened}{end}"), None, "it is what the machine starts"))
}
