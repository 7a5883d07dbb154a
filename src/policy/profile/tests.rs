//! What the shipped profiles make of well-known paths.

use super::super::{Policy, PolicyFile, RuleText, Treatment, witness};
use super::Profile;
use crate::protocol::record::RecordWriter;
use crate::protocol::rule::Facts;
use crate::protocol::{Attr, Kind, Mask, RecordRef, RuleSet};

fn debian() -> Policy {
    PolicyFile::default().for_system("debian", &[])
}

/// The treatment of a path, and of a kind and mode beside it; a capability is had where `capable` says so.
fn ruling(policy: &Policy, rules: &RuleSet, path: &str, facts: Facts, capable: bool) -> &'static str {
    let (number, mask) = rules.decide(&rules.all(), path.as_bytes(), facts, &mut || capable);
    let treatment = policy.rule_of(number).and_then(|rule| rule.treatment).expect("a rule decides every path");
    assert_eq!(treatment.mask(), mask, "{path}");
    treatment.word()
}

const FILE: Facts = Facts { kind: Kind::File, mode: 0o644 };
const PROGRAM: Facts = Facts { kind: Kind::File, mode: 0o755 };
const SETUID: Facts = Facts { kind: Kind::File, mode: 0o4755 };
const FOLDER: Facts = Facts { kind: Kind::Directory, mode: 0o755 };
const LINK: Facts = Facts { kind: Kind::Symlink, mode: 0o777 };

/// A treatment, what kind of entry, and paths.
const WELL_KNOWN: &[(&str, Facts, &str)] = &[
    (
        "strict",
        FILE,
        "/etc/ssh/sshd_config /etc/ssh/sshd_config.d/50-cloud-init.conf /etc/sudoers /etc/sudoers.d/90-cloud-init-users \
             /etc/pam.d/sshd /etc/ld.so.preload /etc/ld.so.conf /etc/hosts.deny /etc/hosts.allow /etc/crontab /etc/cron.d/x.log \
             /etc/cron.daily/x.swp /etc/profile /etc/bash.bashrc /etc/csh.login /etc/systemd/system/x.service /etc/timezone \
             /etc/apt/sources.list /etc/apt/sources.list.d/x.sources /etc/apt/trusted.gpg.d/x.gpg /etc/x.bak /etc/x.dpkg-old \
             /etc/default/grub /etc/motd /etc/ssl/certs/ca-certificates.crt /etc/.git/hooks/post-commit /etc/netplan/99-own.yaml \
             /usr/bin/x /usr/lib/x.so /usr/lib/python3/x.py /usr/lib/modules/6.1.0/kernel/x.ko /boot/vmlinuz-6.1.0 \
             /boot/System.map-6.1.0 /opt/app/x /srv/x /usr/local/bin/x /.autorelabel /var/www/html/index.html \
             /root/.bashrc /root/.profile /root/.ssh/authorized_keys /root/x /home/anna/.ssh/authorized_keys \
             /home/staff/anna/.ssh/authorized_keys2 /home/anna/.bashrc /home/anna/.profile /home/anna/.zshrc /home/anna/.zshenv \
             /home/anna/.bash_profile /home/anna/.rhosts /home/anna/.config/systemd/user/x.service /var/spool/cron/crontabs/anna \
             /var/spool/cron/root /var/lib/dpkg/info/bash.list /var/lib/dpkg/info/bash.postinst /var/lib/dpkg/diversions \
             /var/lib/dpkg/statoverride /var/lib/systemd/linger/anna /var/lib/systemd/deb-systemd-helper-enabled/x.dsh-also \
             /var/lib/polkit-1/localauthority/50-local.d/x.pkla /var/lib/cloud/scripts/per-boot/x.sh /dev/x /dev/.hidden/x",
    ),
    (
        "host-value",
        FILE,
        "/etc/machine-id /etc/hostname /etc/hosts /etc/mailname /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_rsa_key.pub \
             /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init /etc/iscsi/initiatorname.iscsi \
             /etc/nvme/hostnqn /etc/nvme/hostid /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/loader/entries/0-6.1.conf \
             /etc/initramfs-tools/conf.d/resume /etc/popularity-contest.conf",
    ),
    ("host-value", LINK, "/var/lib/dbus/machine-id"),
    (
        "semantic",
        FILE,
        "/etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/subuid /etc/subgid /etc/fstab /etc/resolv.conf /etc/adjtime \
             /var/lib/apt/extended_states /var/lib/dpkg/alternatives/editor",
    ),
    (
        "derived",
        FILE,
        "/var/lib/dpkg/status /var/lib/dpkg/triggers/File /etc/ld.so.cache /boot/initrd.img-6.1.0 \
             /usr/lib/modules/6.1.0/modules.dep /usr/lib/modules/6.1.0/modules.alias.bin /lib/modules/6.1.0/modules.builtin.bin \
             /usr/lib/python3/__pycache__/x.cpython-311.pyc /etc/udev/hwdb.bin /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache \
             /etc/aliases.db",
    ),
    (
        "metadata",
        FILE,
        "/etc/passwd- /etc/shadow- /etc/subuid- /etc/krb5.keytab /var/lib/dpkg/diversions-old /var/cache/debconf/config.dat \
             /var/lib/unbound/root.key /boot/grub/grubenv /swapfile",
    ),
    (
        "metadata",
        FOLDER,
        "/home/anna /var/log/apt /var/cache/apt /var/spool/postfix /var/lib/app /var/lib/app/sub /var/lib/docker",
    ),
    (
        "strict",
        FOLDER,
        "/ /etc /tmp /var/tmp /dev/shm /proc /sys /run /var/log /var/lib /home /root /var/spool/cron/crontabs",
    ),
    ("strict", LINK, "/etc/alternatives/editor /var/run /bin /etc/localtime"),
    ("presence", LINK, "/etc/mtab"),
    (
        "ignore",
        FILE,
        "/var/log/syslog /var/log/syslog.1 /var/log/apt/history.log /var/log/journal/0f/system.journal /var/log/wtmp \
             /var/cache/apt/pkgcache.bin /var/cache/ldconfig/aux-cache /var/cache/man/index.db /var/lib/apt/lists/x_InRelease \
             /var/lib/apt/periodic/update-success-stamp /var/lib/dpkg/lock-frontend /var/lib/dpkg/status-old \
             /var/lib/dpkg/available /var/backups/dpkg.status.0 /var/lib/systemd/random-seed \
             /var/lib/systemd/timers/stamp-apt-daily.timer /var/lib/systemd/timesync/clock /var/lib/logrotate/status \
             /var/lib/sudo/lectured/anna /var/lib/dhcp/dhclient.eth0.leases /var/lib/chrony/drift /var/lib/plocate/plocate.db \
             /var/lib/cloud/instances/i-0/user-data.txt /var/.updated /etc/.updated /etc/.pwd.lock /var/spool/mail/anna \
             /var/mail/root /var/spool/anacron/cron.daily /var/spool/cron/atjobs/.SEQ /var/crash/x.crash \
             /etc/apt/apt.conf.d/01autoremove-kernels /root/.bash_history /root/.lesshst /root/.cache/motd.legal-displayed \
             /home/anna/.bash_history /home/anna/.zsh_history /home/anna/x /home/anna/.ssh/known_hosts /tmp/x /var/tmp/x \
             /dev/shm/x /run/x /proc/1/status /sys/x /var/lib/postgresql/15/main/PG_VERSION /var/lib/mysql/ibdata1 \
             /var/lib/docker/overlay2/x /etc/.git/index",
    ),
    ("ignore", FOLDER, "/var/log/journal/0f /root/.cache /var/tmp/systemd-private-x /var/lib/cloud/instances/i-0"),
    ("ignore", LINK, "/var/lib/cloud/instance /dev/fd /tmp/x"),
    (
        "strict",
        PROGRAM,
        "/tmp/x /var/tmp/.x /dev/shm/x /var/log/x /var/cache/x /var/lib/app/x /var/lib/mysql/x /var/mail/x",
    ),
    ("ignore", PROGRAM, "/home/anna/x.sh /var/spool/postfix/active/0 /var/lib/cloud/instances/i-0/scripts/part-001"),
    ("strict", SETUID, "/home/anna/x /var/spool/postfix/x /var/lib/waagent/x /tmp/x /dev/shm/x /root/.cache/x"),
    (
        "ignore",
        SETUID,
        "/proc/x /run/x /sys/x /var/lib/docker/overlay2/x /var/lib/containerd/x /var/lib/containers/x \
             /var/lib/kubelet/pods/x /var/lib/lxc/x /var/lib/rancher/k3s/agent/containerd/x",
    ),
];

#[test]
fn well_known_paths_have_their_treatment() {
    let policy = debian();
    let rules = policy.compile();
    for (wanted, facts, paths) in WELL_KNOWN {
        for path in paths.split_whitespace() {
            assert_eq!(ruling(&policy, &rules, path, *facts, false), *wanted, "{path} {facts:?}");
        }
    }
}

#[test]
fn a_capability_is_found_under_ignored_trees() {
    let policy = debian();
    let rules = policy.compile();
    assert_eq!(ruling(&policy, &rules, "/home/anna/x", PROGRAM, false), "ignore");
    assert_eq!(ruling(&policy, &rules, "/home/anna/x", PROGRAM, true), "strict");
}

#[test]
fn mounts_are_compared_but_those_of_the_moment() {
    let policy = debian();
    let rules = policy.compile();
    let compared = |path: &str| {
        let mut bytes = Vec::new();
        RecordWriter::new(&mut bytes, format!("mount:{path}").as_bytes()).present(Attr::FsType, b"tmpfs");
        rules.mask_of(RecordRef::parse(&bytes).expect("a record")) == Mask::ALL
    };
    for path in
        ["/", "/tmp", "/home", "/var", "/var/log", "/boot/efi", "/dev/shm", "/proc", "/run", "/etc/ssh", "/srv/x"]
    {
        assert!(compared(path), "{path}");
    }
    for path in [
        "/run/user/1000",
        "/run/lock",
        "/dev/pts",
        "/dev/hugepages",
        "/proc/sys/fs/binfmt_misc",
        "/sys/fs/cgroup",
        "/var/lib/docker/overlay2/x/merged",
        "/var/lib/kubelet/pods/x/volumes/y",
        "/var/lib/nfs/rpc_pipefs",
    ] {
        assert!(!compared(path), "{path}");
    }
}

#[test]
fn what_is_excluded_whole_is_not_walked() {
    let rules = debian().compile();
    let pruned = |dir: &str| {
        let mut at = rules.all();
        let mut path = String::new();
        for part in dir.split('/').skip(1) {
            path = format!("{path}/{part}");
            at = rules.narrow(&at, path.as_bytes());
        }
        rules.prunes(&at).is_some()
    };
    for dir in [
        "/proc",
        "/sys",
        "/run",
        "/var/lib/docker",
        "/var/lib/containerd",
        "/var/lib/containers",
        "/var/lib/kubelet/pods",
        "/var/lib/lxc",
        "/var/lib/machines",
        "/var/lib/rancher/k3s/agent/containerd",
    ] {
        assert!(pruned(dir), "{dir}");
    }
    for dir in ["/tmp", "/dev", "/dev/shm", "/home", "/var/log", "/var/lib/mysql", "/var/spool/postfix", "/etc"] {
        assert!(!pruned(dir), "{dir}");
    }
}

#[test]
fn every_rule_decides_something() {
    let policy = debian();
    let rules = policy.compile();
    let entries: Vec<Facts> =
        Kind::ALL.into_iter().flat_map(|kind| [0o644, 0o755, 0o4755].map(|mode| Facts { kind, mode })).collect();
    for (number, rule) in rules.rules().iter().enumerate() {
        let path = witness(&rule.pattern);
        let decides = |facts: &Facts| {
            let (decided, _) = rules.decide(&rules.all(), &path, *facts, &mut || false);
            usize::from(decided) == number
        };
        assert!(entries.iter().any(decides), "{} is hidden by later rules", rule.pattern.text().escape_ascii());
    }
}

#[test]
fn weak_rules_have_a_reason_and_none_weakens_by_extension_outside_logs() {
    for profile in Profile::ALL {
        let shipped = profile.rules();
        for rule in shipped.rules.iter().chain(&shipped.guards) {
            let RuleText { pattern, treatment, reason, .. } = rule;
            let weak = treatment.is_some_and(|treatment| treatment != Treatment::Strict);
            assert_eq!(weak, reason.is_some(), "{}", rule.path());
            let ignored = *treatment == Some(Treatment::Ignore);
            assert!(!ignored || !pattern.text().windows(3).any(|w| w == b"/*."), "{}", rule.path());
        }
    }
}

#[test]
fn the_rules_fit_into_eight_kilobytes() {
    let mut bytes = Vec::new();
    debian().compile().encode(&mut bytes);
    assert!(bytes.len() < 8_000, "{}", bytes.len());
    let mut reader = crate::protocol::Reader::new(&bytes);
    assert_eq!(RuleSet::decode(&mut reader), Ok(debian().compile()));
}

#[test]
fn the_profile_follows_the_baselines_system() {
    let profiles = |id: &str, like: &[&str]| PolicyFile::default().for_system(id, like).profiles().to_vec();
    assert_eq!(profiles("debian", &[]), [Profile::Linux, Profile::Debian]);
    assert_eq!(profiles("ubuntu", &["debian"]), [Profile::Linux, Profile::Debian]);
    assert_eq!(profiles("linuxmint", &["ubuntu", "debian"]), [Profile::Linux, Profile::Debian]);
    assert_eq!(profiles("fedora", &[]), [Profile::Linux]);
    assert_eq!(profiles("", &[]), [Profile::Linux]);
}
