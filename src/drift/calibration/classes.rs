//! What is known to differ among machines made from one image, by path, and the least that a rule must weaken there.
//!
//! *Invariant:* no pattern here is about what can be run, what lets somebody in, or what decides what runs; those are in
//! [`super::never`], which is asked first.

use crate::manifest::NoiseClass;
use crate::policy::Treatment;
use crate::protocol::Pattern;
use crate::protocol::view::View;
use std::sync::LazyLock;

/// One known place.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) pattern: Pattern,
    pub(super) class: NoiseClass,
    /// For a file that is on every machine and whose content differs.
    pub(super) treatment: Treatment,
    pub(super) view: Option<View>,
    /// Whether it may be on one machine and not on another.
    pub(super) comes_and_goes: bool,
    /// Whether two machines that have the same one are a mistake.
    pub(super) unique: bool,
    pub(super) reason: &'static str,
}

type Row = (&'static str, Treatment, Option<View>, u8, &'static str);

const COMES: u8 = 1;
const UNIQUE: u8 = 2;

use Treatment::{Derived, HostValue, Metadata, Semantic};

const IDENTITY: &[Row] = &[
    ("/etc/machine-id", HostValue, Some(View::MachineId), UNIQUE, "made at the first boot"),
    ("/var/lib/dbus/machine-id", HostValue, Some(View::MachineId), UNIQUE | COMES, "made at the first boot"),
    ("/etc/ssh/ssh_host_*", HostValue, Some(View::HostKey), UNIQUE, "host keys are made for each host"),
    ("/etc/dropbear/dropbear_*_host_key", Metadata, None, UNIQUE, "host keys are made for each host"),
    ("/etc/hostname", HostValue, Some(View::Hostname), 0, "this host's name"),
    ("/etc/HOSTNAME", HostValue, Some(View::Hostname), 0, "this host's name"),
    ("/etc/mailname", HostValue, Some(View::Hostname), 0, "follows from this host's name"),
    ("/etc/machine-info", HostValue, Some(View::HostText), COMES, "may hold this host's pretty name"),
    ("/etc/hosts", HostValue, Some(View::Hosts), 0, "may hold this host's name and address"),
    ("/etc/hostid", HostValue, Some(View::OwnId), UNIQUE, "made for each host"),
    ("/etc/iscsi/initiatorname.iscsi", HostValue, Some(View::OwnId), UNIQUE, "this host's name towards storage"),
    ("/etc/nvme/hostnqn", HostValue, Some(View::OwnId), UNIQUE, "this host's name towards storage"),
    ("/etc/nvme/hostid", HostValue, Some(View::OwnId), UNIQUE, "this host's name towards storage"),
    ("/etc/kernel/entry-token", HostValue, Some(View::HostText), 0, "may be the machine id"),
    ("/var/lib/systemd/random-seed", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/var/lib/urandom/random-seed", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/var/lib/random-seed", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/var/lib/seedrng/*", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/etc/random-seed", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/etc/random.seed", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/boot/**/loader/random-seed", Metadata, None, UNIQUE | COMES, "entropy carried over boots"),
    ("/root/.gnupg/random_seed", Metadata, None, COMES, "entropy of a program"),
    ("/root/.rnd", Metadata, None, COMES, "entropy of a program"),
    ("/var/lib/systemd/credential.secret", Metadata, None, UNIQUE | COMES, "key of this host, made on demand"),
    ("/etc/krb5.keytab", Metadata, None, UNIQUE, "this host's place in a domain"),
    ("/etc/pki/consumer/*", Metadata, None, UNIQUE, "this host's subscription"),
    ("/etc/pki/entitlement/*", Metadata, None, COMES, "this host's subscription"),
    ("/etc/sysconfig/rhn/systemid", Metadata, None, UNIQUE, "this host's subscription"),
    ("/var/lib/yum/uuid", Metadata, None, UNIQUE | COMES, "this host's subscription"),
    ("/etc/ssl/private/ssl-cert-snakeoil.key", Metadata, None, UNIQUE, "self-signed for each host"),
    ("/etc/ssl/certs/ssl-cert-snakeoil.pem", Metadata, None, UNIQUE, "self-signed for each host"),
    ("/etc/pki/tls/private/localhost.key", Metadata, None, UNIQUE, "self-signed for each host"),
    ("/etc/pki/tls/certs/localhost.crt", Metadata, None, UNIQUE, "self-signed for each host"),
    ("/etc/lvm/devices/system.devices", HostValue, Some(View::HostText), 0, "names this host's disks"),
];

const PROVISIONING: &[Row] = &[
    ("/etc/fstab", HostValue, Some(View::Fstab), 0, "names this host's disks"),
    ("/etc/crypttab", HostValue, Some(View::Fstab), 0, "names this host's disks"),
    ("/etc/default/grub", HostValue, Some(View::HostText), 0, "may name the root disk by its id"),
    ("/etc/kernel/cmdline", HostValue, Some(View::HostText), 0, "names the root disk by its id"),
    ("/boot/grub*/grub.cfg", HostValue, Some(View::HostText), 0, "names this host's disks"),
    ("/boot/grub*/device.map", HostValue, Some(View::HostText), COMES, "names this host's disks"),
    ("/boot/grub*/grubenv", Metadata, None, 0, "the boot loader notes each boot"),
    ("/boot/loader/entries/*", HostValue, Some(View::HostText), COMES, "named by the machine id and the root disk"),
    ("/etc/netplan/50-cloud-init.yaml", HostValue, Some(View::HostText), 0, "network of this instance"),
    ("/etc/network/interfaces.d/50-cloud-init*", HostValue, Some(View::HostText), 0, "network of this instance"),
    ("/etc/systemd/network/10-cloud-init-*", HostValue, Some(View::HostText), COMES, "network of this instance"),
    (
        "/etc/NetworkManager/system-connections/*",
        HostValue,
        Some(View::HostText),
        COMES,
        "names this host's network cards",
    ),
    ("/etc/sysconfig/network", HostValue, Some(View::HostText), 0, "may hold this host's name"),
    (
        "/etc/sysconfig/network-scripts/ifcfg-*",
        HostValue,
        Some(View::HostText),
        COMES,
        "names this host's network cards",
    ),
    (
        "/etc/udev/rules.d/70-persistent-net.rules",
        HostValue,
        Some(View::HostText),
        COMES,
        "names this host's network cards",
    ),
    ("/etc/resolv.conf", HostValue, Some(View::Resolv), 0, "written by the network"),
    ("/var/lib/cloud/**", Metadata, None, COMES, "kept by cloud-init under this instance's id"),
    ("/root/anaconda-ks.cfg", Metadata, None, COMES, "record of the installer"),
    ("/root/original-ks.cfg", Metadata, None, COMES, "record of the installer"),
    ("/root/install.log*", Metadata, None, COMES, "record of the installer"),
];

const PACKAGE_STATE: &[Row] = &[
    ("/var/lib/dpkg/status*", Derived, None, COMES, "the packages themselves are compared"),
    ("/var/lib/dpkg/available*", Derived, None, COMES, "the packages themselves are compared"),
    ("/var/lib/dpkg/lock*", Metadata, None, COMES, "lock of the package manager"),
    ("/var/lib/dpkg/triggers/*", Metadata, None, COMES, "state of the package manager"),
    ("/var/lib/apt/lists/**", Metadata, None, COMES, "what the mirrors said when it was last asked"),
    ("/var/lib/apt/periodic/*", Metadata, None, COMES, "times of the package manager"),
    ("/var/lib/apt/daily_lock", Metadata, None, COMES, "lock of the package manager"),
    ("/var/lib/apt/extended_states", Semantic, Some(View::Stanzas), COMES, "order and times of installation"),
    ("/var/lib/command-not-found/*", Derived, None, COMES, "index made from package lists"),
    ("/var/lib/update-notifier/*", Metadata, None, COMES, "state of the package manager"),
    ("/var/lib/ubuntu-release-upgrader/*", Metadata, None, COMES, "state of the package manager"),
    ("/var/lib/PackageKit/*", Metadata, None, COMES, "state of the package manager"),
    ("/var/backups/*", Metadata, None, COMES, "rotated copies of package state"),
    ("/var/cache/debconf/*", Metadata, None, COMES, "answers, in an order of their own"),
    ("/var/lib/rpm/*", Derived, None, COMES, "the packages themselves are compared"),
    ("/usr/lib/sysimage/rpm/*", Derived, None, COMES, "the packages themselves are compared"),
    ("/var/lib/dnf/**", Metadata, None, COMES, "history of the package manager"),
    ("/usr/lib/sysimage/libdnf5/**", Metadata, None, COMES, "history of the package manager"),
    ("/var/lib/yum/**", Metadata, None, COMES, "history of the package manager"),
    ("/var/lib/zypp/**", Metadata, None, COMES, "history of the package manager"),
    ("/lib/apk/db/installed", Derived, None, 0, "the packages themselves are compared"),
    ("/lib/apk/db/scripts.tar*", Derived, None, 0, "an archive whose times differ"),
    ("/lib/apk/db/lock", Metadata, None, COMES, "lock of the package manager"),
    ("/var/lib/pacman/sync/*", Metadata, None, COMES, "what the mirrors said when they were last asked"),
    ("/var/lib/pacman/local/*/desc", Derived, None, 0, "holds the time of installation"),
    ("/var/lib/snapd/state.json", Metadata, None, COMES, "state of the package manager"),
];

const DERIVED_CACHE: &[Row] = &[
    ("/etc/ld.so.cache", Derived, None, COMES, "index of libraries, which are compared"),
    ("/etc/aliases.db", Derived, None, COMES, "compiled from aliases"),
    ("/etc/postfix/*.db", Derived, None, COMES, "compiled from tables"),
    ("/etc/udev/hwdb.bin", Derived, None, COMES, "compiled hardware table"),
    ("/var/lib/systemd/catalog/database", Derived, None, COMES, "compiled message catalogue"),
    ("/etc/pki/ca-trust/extracted/**", Derived, None, 0, "bundles made from the trusted certificates, with times"),
    ("/etc/ssl/certs/java/cacerts", Derived, None, COMES, "store made from the trusted certificates, with times"),
    ("/etc/selinux/*/policy/policy.*", Derived, None, 0, "compiled from modules"),
    ("/lib/modules/*/modules.*", Derived, None, 0, "tables made from the modules, which are compared"),
    ("/usr/lib/modules/*/modules.*", Derived, None, 0, "tables made from the modules, which are compared"),
    ("/boot/initr*", Derived, None, 0, "built for this host, with the time of the build"),
    ("/usr/**/gconv-modules.cache", Derived, None, COMES, "index of character sets"),
    ("/usr/**/__pycache__/*.pyc", Derived, None, COMES, "compiled from a script, with its time"),
    ("/opt/**/__pycache__/*.pyc", Derived, None, COMES, "compiled from a script, with its time"),
    ("/usr/share/**/icon-theme.cache", Derived, None, COMES, "index of icons"),
    ("/usr/share/mime/mime.cache", Derived, None, COMES, "index of file types"),
    ("/usr/share/info/dir", Derived, None, COMES, "index of manuals"),
    ("/usr/share/applications/mimeinfo.cache", Derived, None, COMES, "index of applications"),
    ("/usr/share/glib-2.0/schemas/gschemas.compiled", Derived, None, COMES, "compiled from schemas"),
    ("/var/cache/**", Metadata, None, COMES, "cache"),
    ("/root/.cache/**", Metadata, None, COMES, "cache"),
    ("/var/lib/mlocate/*", Metadata, None, COMES, "index of files"),
    ("/var/lib/plocate/*", Metadata, None, COMES, "index of files"),
    ("/etc/lvm/cache/*", Metadata, None, COMES, "cache of devices seen"),
    ("/etc/blkid*", Metadata, None, COMES, "cache of devices seen"),
];

const RUNTIME_STATE: &[Row] = &[
    ("/run/**", Metadata, None, COMES, "state of this boot"),
    ("/tmp/**", Metadata, None, COMES, "temporary files"),
    ("/var/tmp/**", Metadata, None, COMES, "temporary files"),
    ("/var/log/**", Metadata, None, COMES, "logs grow and are rotated"),
    ("/var/account/*", Metadata, None, COMES, "accounting of processes"),
    ("/var/crash/**", Metadata, None, COMES, "records of crashes"),
    ("/var/lib/logrotate/*", Metadata, None, COMES, "when logs were rotated"),
    ("/var/lib/logrotate.status", Metadata, None, COMES, "when logs were rotated"),
    ("/etc/adjtime", Semantic, Some(View::Adjtime), COMES, "drift of the hardware clock"),
    ("/etc/.pwd.lock", Metadata, None, COMES, "lock of the user tools"),
    ("/etc/.updated", Metadata, None, COMES, "time stamp of a boot"),
    ("/var/.updated", Metadata, None, COMES, "time stamp of a boot"),
    ("/var/lib/dhcp/*", Metadata, None, COMES, "leases of addresses"),
    ("/var/lib/dhclient/*", Metadata, None, COMES, "leases of addresses"),
    ("/var/lib/dhcpcd/*", Metadata, None, COMES, "leases of addresses"),
    ("/var/lib/NetworkManager/*", Metadata, None, COMES, "leases and times of connections"),
    ("/var/lib/ntp/*", Metadata, None, COMES, "calibration of the clock"),
    ("/var/lib/chrony/*", Metadata, None, COMES, "calibration of the clock"),
    ("/var/lib/systemd/timesync/clock", Metadata, None, COMES, "time of the last synchronisation"),
    ("/var/lib/private/systemd/timesync/clock", Metadata, None, COMES, "time of the last synchronisation"),
    ("/var/lib/systemd/timers/*", Metadata, None, COMES, "when timers last ran"),
    ("/var/lib/systemd/rfkill/*", Metadata, None, COMES, "state of radios"),
    ("/var/lib/systemd/backlight/*", Metadata, None, COMES, "state of screens"),
    ("/var/lib/systemd/coredump/*", Metadata, None, COMES, "records of crashes"),
    ("/var/lib/systemd/linger/*", Metadata, None, 0, "who may linger"),
    ("/var/lib/sudo/**", Metadata, None, COMES, "time stamps of sudo"),
    ("/var/lib/snmp/*", Metadata, None, COMES, "state of a daemon"),
    ("/var/lib/postfix/*", Metadata, None, COMES, "state of a daemon"),
    ("/var/lib/fail2ban/*", Metadata, None, COMES, "state of a daemon"),
    ("/var/lib/sss/**", Metadata, None, COMES, "cache of a directory"),
    ("/var/lib/nfs/**", Metadata, None, COMES, "state of a daemon"),
    ("/var/lib/misc/*", Metadata, None, COMES, "state of daemons"),
    ("/var/spool/anacron/*", Metadata, None, COMES, "when jobs last ran"),
    ("/var/spool/postfix/**", Metadata, None, COMES, "a queue"),
    ("/var/spool/exim4/**", Metadata, None, COMES, "a queue"),
    ("/var/mail/*", Metadata, None, COMES, "mail"),
    ("/var/spool/mail/*", Metadata, None, COMES, "mail"),
    ("/root/.*_history", Metadata, None, COMES, "what was typed"),
    ("/root/.lesshst", Metadata, None, COMES, "what was searched"),
    ("/root/.viminfo", Metadata, None, COMES, "what was edited"),
    ("/etc/lvm/archive/*", Metadata, None, COMES, "numbered copies of volume metadata"),
    ("/etc/lvm/backup/*", Metadata, None, COMES, "copies of volume metadata"),
];

/// Folders whose very name is part of what differs: below them one class holds whatever the depth.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let tables = [
        (NoiseClass::Identity, IDENTITY),
        (NoiseClass::Provisioning, PROVISIONING),
        (NoiseClass::PackageState, PACKAGE_STATE),
        (NoiseClass::DerivedCache, DERIVED_CACHE),
        (NoiseClass::RuntimeState, RUNTIME_STATE),
    ];
    let rows = tables.into_iter().flat_map(|(class, rows)| rows.iter().map(move |row| (class, *row)));
    rows.map(|(class, (path, treatment, view, flags, reason))| Known {
        pattern: Pattern::new(path.as_bytes()).expect("the table is part of the program, and a test reads it"),
        class,
        treatment,
        view,
        comes_and_goes: flags & COMES != 0,
        unique: flags & UNIQUE != 0,
        reason,
    })
    .collect()
});

/// The first place that a path is in.
pub(super) fn of(path: &[u8]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.pattern.matches(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one_and_none_is_there_twice() {
        let texts: Vec<&[u8]> = KNOWN.iter().map(|known| known.pattern.text()).collect();
        for (at, text) in texts.iter().enumerate() {
            assert!(!texts[at + 1..].contains(text), "{}", String::from_utf8_lossy(text));
        }
        assert!(texts.len() > 120);
    }

    #[test]
    fn a_view_is_there_exactly_where_a_treatment_reads_by_one() {
        for known in KNOWN.iter() {
            assert_eq!(known.view.is_some(), known.treatment.view().is_some(), "{known:?}");
        }
    }

    #[test]
    fn no_class_is_about_what_must_never_be_learned() {
        for known in KNOWN.iter() {
            let sample = crate::policy::witness(&known.pattern);
            let name = String::from_utf8_lossy(&sample);
            assert!(super::super::never::by_path(&sample).is_none(), "{name}");
        }
    }
}
