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
        "/etc/ld.so.preload /etc/hosts.deny /etc/hosts.allow /etc/cron.daily/x.swp /etc/profile /etc/bash.bashrc \
             /etc/csh.login /etc/timezone /etc/apt/trusted.gpg.d/x.gpg /etc/x.bak /etc/x.dpkg-old /etc/motd \
             /etc/.git/hooks/post-commit /etc/letsencrypt/renewal-hooks/deploy/x /etc/aliases /etc/login.defs \
             /usr/lib/systemd/system/x.service /usr/lib/sysctl.d/x.conf /usr/bin/x /usr/lib/x.so /usr/lib/python3/x.py \
             /usr/lib/modules/6.1.0/kernel/x.ko /boot/vmlinuz-6.1.0 /boot/System.map-6.1.0 /opt/app/x /srv/x \
             /usr/local/bin/x /.autorelabel /var/www/html/index.html /root/.bashrc /root/.profile /root/x \
             /home/anna/.bashrc /home/anna/.profile /home/anna/.zshrc /home/anna/.zshenv /home/anna/.tcshrc \
             /home/anna/.bash_profile /home/anna/.rhosts /home/anna/.config/autostart/x.desktop /home/anna/.ssh/rc \
             /var/lib/postgresql/.ssh/environment /var/lib/dpkg/info/bash.list \
             /var/lib/dpkg/info/bash.postinst /var/lib/dpkg/diversions /var/lib/dpkg/statoverride \
             /var/lib/systemd/linger/anna /var/lib/systemd/deb-systemd-helper-enabled/x.dsh-also \
             /var/lib/polkit-1/localauthority/50-local.d/x.pkla /var/lib/cloud/scripts/per-boot/x.sh /dev/x \
             /dev/.hidden/x /tmp/x.service /tmp/.x/y.timer /var/tmp/x.socket /var/cache/x/y.service /dev/shm/x.so \
             /dev/shm/x.service /var/tmp/lib/x.so.1 /tmp/etc/ld.so.preload /home/anna/ld.so.preload",
    ),
    (
        "host-value",
        FILE,
        "/etc/machine-id /etc/hostname /etc/hosts /etc/mailname /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_rsa_key.pub \
             /etc/netplan/50-cloud-init.yaml /etc/netplan/99-own.yaml /etc/network/interfaces.d/50-cloud-init \
             /etc/iscsi/initiatorname.iscsi /etc/nvme/hostnqn /etc/nvme/hostid /boot/grub/grub.cfg /boot/grub2/grub.cfg \
             /boot/loader/entries/0-6.1.conf /etc/initramfs-tools/conf.d/resume /etc/default/grub /etc/postfix/main.cf \
             /etc/systemd/network/10-lan.network",
    ),
    ("host-value", LINK, "/var/lib/dbus/machine-id"),
    (
        "semantic",
        FILE,
        "/etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/subuid /etc/subgid /etc/fstab /etc/resolv.conf /etc/adjtime \
             /var/lib/apt/extended_states /var/lib/dpkg/alternatives/editor /etc/ssh/sshd_config \
             /etc/ssh/sshd_config.d/50-cloud-init.conf /etc/sudoers /etc/sudoers.d/90-cloud-init-users /etc/pam.d/sshd \
             /etc/crontab /etc/cron.d/x.log /etc/systemd/system/x.service /etc/systemd/system/ssh.service.d/x.conf \
             /etc/apt/sources.list /etc/apt/sources.list.d/x.sources /etc/ssl/certs/ca-certificates.crt \
             /home/anna/.config/systemd/user/x.service /var/spool/cron/crontabs/anna /var/spool/cron/root \
             /root/.ssh/authorized_keys /home/anna/.ssh/authorized_keys /home/staff/anna/.ssh/authorized_keys2 \
             /var/lib/postgresql/.ssh/authorized_keys /etc/ssh/authorized_keys.d/anna /etc/sysctl.d/99-own.conf \
             /etc/modprobe.d/x.conf /etc/ld.so.conf /etc/ld.so.conf.d/x.conf /etc/security/limits.d/x.conf \
             /etc/environment",
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
             /var/lib/unbound/root.key /boot/grub/grubenv /swapfile \
             /etc/ssl/private/ssl-cert-snakeoil.key /etc/popularity-contest.conf /etc/hostid",
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
    (
        "strict",
        LINK,
        "/etc/alternatives/editor /var/run /bin /etc/localtime /etc/systemd/system/multi-user.target.wants/x.service",
    ),
    ("presence", LINK, "/etc/mtab"),
    (
        "ignore",
        FILE,
        "/var/log/syslog /var/log/syslog.1 /var/log/apt/history.log /var/log/journal/0f/system.journal /var/log/wtmp \
             /var/cache/apt/pkgcache.bin /var/cache/ldconfig/aux-cache /var/cache/man/index.db /var/lib/apt/lists/x_InRelease \
             /var/lib/apt/periodic/update-success-stamp /var/lib/dpkg/lock-frontend /var/lib/dpkg/status-old \
             /var/lib/dpkg/available /var/backups/dpkg.status.0 /var/lib/systemd/random-seed \
             /var/lib/systemd/timers/stamp-apt-daily.timer /etc/letsencrypt/live/x/cert.pem /var/lib/systemd/timesync/clock /var/lib/logrotate/status \
             /var/lib/sudo/lectured/anna /var/lib/dhcp/dhclient.eth0.leases /var/lib/chrony/drift /var/lib/plocate/plocate.db \
             /var/lib/cloud/instances/i-0/user-data.txt /var/.updated /etc/.updated /etc/.pwd.lock /var/spool/mail/anna \
             /var/mail/root /var/spool/anacron/cron.daily /var/spool/cron/atjobs/.SEQ /var/crash/x.crash \
             /root/.bash_history /root/.lesshst /root/.cache/motd.legal-displayed \
             /home/anna/.bash_history /home/anna/.zsh_history /home/anna/x /home/anna/x/y.service /home/anna/.ssh/known_hosts /tmp/x /var/tmp/x \
             /dev/shm/x /run/x /proc/1/status /sys/x /var/lib/postgresql/15/main/PG_VERSION /var/lib/mysql/ibdata1 \
             /var/lib/docker/overlay2/x /etc/.git/index",
    ),
    ("ignore", FOLDER, "/var/log/journal/0f /root/.cache /var/tmp/systemd-private-x /var/lib/cloud/instances/i-0"),
    ("ignore", LINK, "/var/lib/cloud/instance /dev/fd /tmp/x"),
    (
        "strict",
        PROGRAM,
        "/tmp/x /var/tmp/.x /dev/shm/x /var/log/x /var/cache/x /var/lib/app/x /var/lib/mysql/x /var/mail/x \
             /root/.cache/x /home/anna/x.sh /home/anna/bin/x /home/anna/.hidden/x /home/anna/.local/bin/x /etc/systemd/x \
             /tmp/deep/er/x",
    ),
    (
        "ignore",
        PROGRAM,
        "/home/anna/src/app/run /home/anna/src/app/.git/hooks/x /var/spool/postfix/active/0 /var/lib/cloud/instances/i-0/scripts/part-001",
    ),
    (
        "strict",
        FILE,
        "/etc/apt/apt.conf.d/01autoremove-kernels /etc/ipa/ca.crt /etc/salt/pki/minion/minion_master.pub /tmp/x.so \
             /tmp/.x/libx.so.1 /home/anna/.xprofile /home/anna/.xinitrc /home/anna/.xsession /home/anna/.xsessionrc \
             /home/anna/.pam_environment /home/anna/.local/lib/python3.11/site-packages/x.pth \
             /home/anna/.local/lib/python3.11/site-packages/usercustomize.py /root/.local/share/systemd/user/x.service \
             /root/.local/lib/python3.11/site-packages/x.pth /root/.xprofile /root/.vimrc /root/.gitconfig \
             /lib/apk/db/scripts.tar /usr/lib/apk/db/scripts.tar.gz /var/lib/pacman/local/bash-5/install \
             /var/lib/rancher/k3s/server/manifests/x.yaml /var/lib/tomcat10/webapps/ROOT/x.jsp \
             /var/lib/tomcat9/webapps/x.war /var/lib/tomcat9/webapps/x/WEB-INF/classes/a/B.class \
             /var/lib/tomcat9/webapps/x/WEB-INF/lib/y.jar /var/spool/incron/root",
    ),
    (
        "semantic",
        FILE,
        "/home/anna/.local/share/systemd/user/x.service /home/anna/.ssh/config /root/.ssh/config /var/lib/x/.ssh/config",
    ),
    (
        "strict",
        LINK,
        "/home/anna/.local/share/systemd/user/default.target.wants/x.service \
             /home/anna/.config/systemd/user/default.target.wants/x.service",
    ),
    ("strict", FOLDER, "/home/anna/.local/share/systemd/user/default.target.wants"),
    ("ignore", FOLDER, "/snap/x/12 /var/lib/snapd/snap/x/x1 /var/lib/docker/volumes"),
    (
        "ignore",
        FILE,
        "/run/x /var/lib/docker/x /home/anna/.xsession-errors /home/anna/.gitconfig /var/lib/cloud/instances/i-0/obj.pkl",
    ),
    // What is beside the layers and trees of containers is none of theirs.
    (
        "strict",
        PROGRAM,
        "/snap/x /snap/x/12 /snap/bin/x /var/lib/docker/x /var/lib/containerd/x /var/lib/containers/x /var/lib/machines/x \
             /var/lib/lxc/x /var/lib/incus/x /.snapshots/x /var/lib/snapd/snap/x/12",
    ),
    ("ignore", PROGRAM, "/var/lib/docker/volumes/x/_data/y /var/lib/lxc/x/y /run/x"),
    (
        "strict",
        SETUID,
        "/run/x /run/x/y /snap/x /snap/x/12 /snap/x/.y/z /.snapshots/x /.snapshots/1/x /var/lib/docker/x /var/lib/docker/x/y \
             /var/lib/docker/volumes/x/_data/y /var/lib/containerd/x /var/lib/containerd/x/y /var/lib/containers/x \
             /var/lib/containers/x/y /var/lib/machines/x /var/lib/kubelet/pods/x /var/lib/kubelet/pods/x/y /var/lib/lxc/x \
             /var/lib/lxc/x/y /var/lib/lxd/x /var/lib/incus/x/y /var/lib/rancher/k3s/agent/containerd/x \
             /var/lib/cloud/instances/x /var/lib/snapd/snap/x/12",
    ),
    ("strict", SETUID, "/home/anna/x /var/spool/postfix/x /var/lib/waagent/x /tmp/x /dev/shm/x /root/.cache/x"),
    (
        "ignore",
        SETUID,
        "/proc/x /sys/x /run/x/y/z /snap/core22/1380/usr/bin/sudo /snap/x/x1/y /.snapshots/1/snapshot/usr/bin/sudo \
             /var/lib/docker/overlay2/x /var/lib/docker/rootfs/overlayfs/x/y /var/lib/docker/vfs/dir/x/y \
             /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/x /var/lib/containers/storage/overlay/x/y \
             /var/lib/kubelet/pods/x/volumes/y /var/lib/lxc/x/rootfs/y /var/lib/lxd/storage-pools/x/y /var/lib/machines/x/y \
             /var/lib/rancher/k3s/agent/containerd/io.containerd.snapshotter.v1.overlayfs/x",
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
    assert_eq!(ruling(&policy, &rules, "/home/anna/src/a/x", PROGRAM, false), "ignore");
    assert_eq!(ruling(&policy, &rules, "/home/anna/src/a/x", PROGRAM, true), "strict");
    for path in ["/run/x", "/var/lib/docker/x/y", "/var/lib/docker/volumes/x/_data/y", "/var/lib/lxc/x/y"] {
        assert_eq!(ruling(&policy, &rules, path, PROGRAM, false), "ignore", "{path}");
        assert_eq!(ruling(&policy, &rules, path, PROGRAM, true), "strict", "{path}");
    }
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
        "/run/containerd/x",
        "/snap/core22/1380",
        "/.snapshots/1/snapshot",
        "/var/lib/docker/overlay2",
        "/var/lib/docker/rootfs",
        "/var/lib/docker/plugins/x/rootfs",
        "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
        "/var/lib/containers/storage",
        "/var/lib/incus/storage-pools",
        "/var/lib/kubelet/pods/x/volumes",
        "/var/lib/lxc/x/rootfs",
        "/var/lib/lxd/storage-pools",
        "/var/lib/machines/x",
        "/var/lib/rancher/k3s/agent/containerd/io.containerd.snapshotter.v1.overlayfs",
    ] {
        assert!(pruned(dir), "{dir}");
    }
    for dir in ["/run", "/snap/x", "/var/lib/docker", "/var/lib/docker/volumes/x/_data", "/var/lib/machines"] {
        assert!(!pruned(dir), "{dir}");
    }
    for dir in ["/tmp", "/dev", "/dev/shm", "/home", "/var/log", "/var/lib/mysql", "/var/spool/postfix", "/etc"] {
        assert!(!pruned(dir), "{dir}");
    }
}

/// A view, and files that are read by it, under the profile of a system.
const READ_BY: &[(&str, &str, &str)] = &[
    ("debian", "passwd", "/etc/passwd"),
    ("debian", "group", "/etc/group"),
    ("debian", "shadow", "/etc/shadow"),
    ("debian", "gshadow", "/etc/gshadow"),
    ("debian", "subid", "/etc/subuid /etc/subgid"),
    ("debian", "sudoers", "/etc/sudoers /etc/sudoers.d/90-x"),
    (
        "debian",
        "authorized-keys",
        "/root/.ssh/authorized_keys /home/a/.ssh/authorized_keys2 /etc/ssh/authorized_keys/a",
    ),
    (
        "debian",
        "sshd",
        "/etc/ssh/sshd_config /etc/ssh/sshd_config.d/x.conf /etc/ssh/ssh_config /etc/ssh/ssh_config.d/x.conf",
    ),
    ("debian", "pam", "/etc/pam.d/sshd /etc/pam.conf"),
    ("debian", "cron", "/etc/crontab /etc/cron.d/x /var/spool/cron/crontabs/a /var/spool/cron/a"),
    ("debian", "ini", "/etc/systemd/system/x.service /etc/systemd/journald.conf /home/a/.config/systemd/user/x.timer"),
    ("debian", "lines", "/etc/systemd/system-preset/x.preset /etc/ld.so.conf /etc/security/limits.conf"),
    ("debian", "sysctl", "/etc/sysctl.conf /etc/sysctl.d/x.conf"),
    ("debian", "modules", "/etc/modprobe.d/x.conf /etc/modules /etc/modules-load.d/x.conf"),
    ("debian", "fstab", "/etc/fstab /etc/crypttab"),
    ("debian", "hosts", "/etc/hosts"),
    ("debian", "resolv", "/etc/resolv.conf"),
    ("debian", "sources", "/etc/apt/sources.list /etc/apt/sources.list.d/x.sources"),
    ("debian", "certificates", "/etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
    ("debian", "alternatives", "/var/lib/dpkg/alternatives/editor"),
    ("debian", "stanzas", "/var/lib/apt/extended_states"),
    ("debian", "assignments", "/etc/default/locale /etc/locale.conf /etc/environment"),
    ("debian", "adjtime", "/etc/adjtime"),
    ("debian", "machine-id", "/etc/machine-id /var/lib/dbus/machine-id"),
    ("debian", "hostname", "/etc/hostname /etc/mailname"),
    ("debian", "host-key", "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_rsa_key.pub"),
    ("debian", "own-id", "/etc/iscsi/initiatorname.iscsi /etc/nvme/hostnqn /etc/nvme/hostid"),
    (
        "debian",
        "host-text",
        "/etc/netplan/x.yaml /etc/systemd/network/x.network /etc/NetworkManager/system-connections/x.nmconnection \
             /etc/sysconfig/network-scripts/ifcfg-eth0 /boot/grub/grub.cfg /boot/loader/entries/x.conf",
    ),
    ("rhel", "ini", "/etc/yum.repos.d/x.repo /etc/dnf/dnf.conf"),
    ("rhel", "alternatives", "/var/lib/alternatives/ld"),
    ("suse", "ini", "/etc/zypp/repos.d/x.repo"),
    ("suse", "cron", "/var/spool/cron/tabs/a"),
    ("suse", "host-text", "/etc/sysconfig/network/ifcfg-eth0"),
    ("alpine", "sources", "/etc/apk/repositories"),
    ("alpine", "line-set", "/etc/apk/world"),
    ("alpine", "cron", "/etc/crontabs/root"),
    ("arch", "ini", "/etc/pacman.conf"),
];

#[test]
fn files_are_read_by_their_views() {
    for (system, view, paths) in READ_BY {
        let policy = PolicyFile::default().for_system(system, &[]);
        for path in paths.split_whitespace() {
            let of = |kind: Kind| {
                let mut bytes = Vec::new();
                let mut writer = RecordWriter::new(&mut bytes, format!("fs:{path}").as_bytes());
                writer.present(Attr::Kind, &[kind as u8]);
                writer.present(Attr::Mode, &0o600u16.to_le_bytes());
                policy.view_of(RecordRef::parse(&bytes).expect("a record")).map(crate::protocol::View::word)
            };
            assert_eq!(of(Kind::File), Some(*view), "{system} {path}");
            assert_eq!(of(Kind::Symlink), None, "{system} {path}");
        }
    }
}

/// A system, a treatment, and plain files that have it there.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("ubuntu", "ignore", "/root/snap/x/common/y /var/lib/ubuntu-advantage/x /var/lib/apt/lists/x"),
    (
        "rhel",
        "derived",
        "/var/lib/rpm/rpmdb.sqlite /usr/lib/sysimage/rpm/rpmdb.sqlite /etc/pki/ca-trust/extracted/java/cacerts",
    ),
    ("rhel", "ignore", "/var/lib/dnf/history.sqlite /var/lib/rpm/.rpm.lock /var/cache/dnf/x /var/lib/rhsm/x"),
    ("rhel", "metadata", "/etc/pki/consumer/cert.pem /etc/sysconfig/rhn/systemid"),
    (
        "rhel",
        "strict",
        "/etc/crypto-policies/state/current /etc/crypto-policies/config /etc/pki/rpm-gpg/x /etc/dnf/vars/x",
    ),
    (
        "suse",
        "ignore",
        "/var/lib/zypp/AnonymousUniqueId /var/lib/wicked/lease-eth0.xml /.snapshots/1/snapshot/etc/passwd",
    ),
    (
        "alpine",
        "derived",
        "/lib/apk/db/installed /lib/apk/db/triggers /usr/lib/apk/db/installed /usr/lib/apk/db/triggers",
    ),
    ("alpine", "strict", "/lib/apk/db/scripts.tar /usr/lib/apk/db/scripts.tar"),
    ("arch", "strict", "/var/lib/pacman/local/bash-5/install"),
    ("alpine", "strict", "/etc/apk/keys/x.rsa.pub /etc/periodic/daily/x /etc/local.d/x.start /etc/runlevels/default/x"),
    ("arch", "derived", "/var/lib/pacman/local/bash-5/desc"),
    ("arch", "metadata", "/etc/pacman.d/gnupg/pubring.gpg"),
    ("arch", "strict", "/etc/pacman.d/hooks/x.hook /etc/pacman.d/gnupg/gpg.conf"),
    ("arch", "ignore", "/var/lib/pacman/sync/core.db /var/cache/pacman/pkg/x.pkg.tar.zst"),
];

#[test]
fn other_systems_keep_their_state_elsewhere() {
    for (system, wanted, paths) in ELSEWHERE {
        let policy = PolicyFile::default().for_system(system, &[]);
        let rules = policy.compile();
        for path in paths.split_whitespace() {
            assert_eq!(ruling(&policy, &rules, path, FILE, false), *wanted, "{system} {path}");
        }
    }
}

#[test]
fn texts_of_secrets_are_never_shown_and_those_of_usual_configs_are() {
    for profile in Profile::ALL {
        let policy = PolicyFile::default().for_system(profile.name(), &[]);
        for path in "/etc/ssh/sshd_config /etc/nginx/conf.d/x.conf /etc/systemd/system/x.service /etc/sudoers.d/x \
            /etc/hosts /etc/fstab /etc/default/ssh /etc/pam.d/sshd /etc/cron.d/x /etc/sysctl.d/x.conf"
            .split_whitespace()
        {
            assert!(policy.shows(path.as_bytes()), "{path}");
        }
        for path in
            "/etc/shadow /etc/shadow- /etc/gshadow /etc/ssh/ssh_host_rsa_key /etc/krb5.keytab /etc/ssl/private/x.key \
            /root/.ssh/id_rsa /etc/NetworkManager/system-connections/x /etc/netplan/x.yaml /root/.bash_history \
            /home/anna/x /etc/wireguard/wg0.conf /etc/security/opasswd /var/lib/x"
                .split_whitespace()
        {
            assert!(!policy.shows(path.as_bytes()), "{path}");
        }
    }
}

#[test]
fn every_rule_decides_something() {
    let entries: Vec<Facts> =
        Kind::ALL.into_iter().flat_map(|kind| [0o644, 0o755, 0o4755].map(|mode| Facts { kind, mode })).collect();
    for profile in Profile::ALL {
        let rules = PolicyFile::default().for_system(profile.name(), &[]).compile();
        for (number, rule) in rules.rules().iter().enumerate() {
            let path = witness(&rule.pattern);
            let decides = |facts: &Facts| {
                let (decided, _) = rules.decide(&rules.all(), &path, *facts, &mut || false);
                usize::from(decided) == number
            };
            let rule = rule.pattern.text().escape_ascii();
            assert!(entries.iter().any(decides), "{rule} is hidden by later rules of {}", profile.name());
        }
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
    for profile in Profile::ALL {
        let rules = PolicyFile::default().for_system(profile.name(), &[]).compile();
        let mut bytes = Vec::new();
        rules.encode(&mut bytes);
        assert!(bytes.len() < 8_192, "{} {}", profile.name(), bytes.len());
        let mut reader = crate::protocol::Reader::new(&bytes);
        assert_eq!(RuleSet::decode(&mut reader), Ok(rules));
    }
}

#[test]
fn the_profile_follows_the_baselines_system() {
    let profiles = |id: &str, like: &[&str]| PolicyFile::default().for_system(id, like).profiles().to_vec();
    let names = |id: &str, like: &[&str]| profiles(id, like).iter().map(|p| p.name()).collect::<Vec<_>>().join(" ");
    for (id, like, wanted) in [
        ("debian", &[][..], "linux debian"),
        ("raspbian", &["debian"], "linux debian"),
        ("ubuntu", &["debian"], "linux debian ubuntu"),
        ("linuxmint", &["ubuntu", "debian"], "linux debian ubuntu"),
        ("fedora", &[], "linux rhel"),
        ("rocky", &["rhel", "centos", "fedora"], "linux rhel"),
        ("amzn", &["centos", "rhel", "fedora"], "linux rhel"),
        ("ol", &["fedora"], "linux rhel"),
        ("nobody-knows", &["rhel", "fedora"], "linux rhel"),
        ("opensuse-leap", &["suse", "opensuse"], "linux suse"),
        ("sles", &["suse"], "linux suse"),
        ("alpine", &[], "linux alpine"),
        ("endeavouros", &["arch"], "linux arch"),
        ("void", &[], "linux"),
        ("", &[], "linux"),
    ] {
        assert_eq!(names(id, like), wanted, "{id}");
    }
}
