//! Where servers keep what no image can give back: databases, queues, homes, mail, jobs, volumes.
//!
//! *Invariant:* a table and nothing else; a row says how much a place holds that nobody has used yet, so that a freshly
//! built host has nothing at risk.

use crate::model::StateKind;

/// How a place is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// As one.
    Whole,
    /// Each folder in it by itself.
    Each,
    /// Each folder in it by itself, but for these, which one has that nobody has used yet; its own files are the server's.
    Beside(&'static [&'static str]),
}

/// One place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) kind: StateKind,
    pub(super) grain: Grain,
    /// Bytes that it may hold before anybody used it. Of databases and queues this holds only where the template has the
    /// folder: where somebody installed one on the host, all of it is somebody's.
    pub(super) unused: u64,
    /// Names of what does not count, directly below what is told.
    pub(super) leave_out: &'static [&'static str],
}

const fn place(kind: StateKind, path: &'static str, unused: u64) -> Place {
    Place { path, kind, grain: Grain::Whole, unused, leave_out: &[] }
}

impl Place {
    const fn told(self, grain: Grain) -> Self {
        Self { grain, ..self }
    }

    const fn without(self, leave_out: &'static [&'static str]) -> Self {
        Self { leave_out, ..self }
    }
}

use StateKind::{ContainerVolume, Cron, Database, Home, Mail, Queue, Service};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What a new account is given, and what a login and a shell leave behind.
pub(super) const SKELETON: &[&str] = &[
    ".ICEauthority",
    ".Xauthority",
    ".ansible",
    ".bash_aliases",
    ".bash_history",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".cache",
    ".cloud-locale-test.skip",
    ".cshrc",
    ".dbus",
    ".emacs",
    ".hushlogin",
    ".inputrc",
    ".kshrc",
    ".lesshst",
    ".login",
    ".logout",
    ".mkshrc",
    ".motd_shown",
    ".mysql_history",
    ".pam_environment",
    ".profile",
    ".psql_history",
    ".python_history",
    ".rnd",
    ".selected_editor",
    ".ssh",
    ".sudo_as_admin_successful",
    ".tcshrc",
    ".viminfo",
    ".wget-hsts",
    ".xsession-errors",
    ".zcompdump",
    ".zlogin",
    ".zlogout",
    ".zprofile",
    ".zsh_history",
    ".zshenv",
    ".zshrc",
    "anaconda-ks.cfg",
    "original-ks.cfg",
];

const MYSQL: &[&str] =
    &["#innodb_redo", "#innodb_temp", "#rocksdb", "lost+found", "mysql", "performance_schema", "sys"];

const CASSANDRA: &[&str] = &[
    "system",
    "system_auth",
    "system_distributed",
    "system_distributed_everywhere",
    "system_replicated_keys",
    "system_schema",
    "system_traces",
    "system_views",
    "system_virtual_schema",
];

/// The places. Figures of unused ones are those of a first start, rounded up; where an engine's grows by itself or is large
/// from the beginning, what a small one in use holds is below it, and the row is the price of a report that is read.
pub(super) const PLACES: &[Place] = &[
    place(Database, "/opt/consul", MIB),
    place(Database, "/opt/oracle/oradata", 0),
    place(Database, "/opt/vault/data", MIB),
    place(Database, "/u01/app/oracle/oradata", 0),
    // A new cluster is 40 MiB, one segment of the log among them.
    place(Database, "/var/lib/pgsql", 48 * MIB),
    place(Database, "/var/lib/postgresql", 48 * MIB),
    place(Database, "/var/lib/mysql", KIB).told(Grain::Beside(MYSQL)),
    place(Database, "/var/lib/arangodb3", 64 * MIB),
    place(Database, "/var/lib/cassandra/data", KIB).told(Grain::Beside(CASSANDRA)),
    place(Database, "/var/lib/scylla/data", KIB).told(Grain::Beside(CASSANDRA)),
    place(Database, "/var/lib/clickhouse", 64 * MIB),
    place(Database, "/var/lib/cockroach", 64 * MIB),
    place(Database, "/var/lib/consul", MIB),
    place(Database, "/var/lib/couchdb", MIB),
    place(Database, "/var/lib/dirsrv", 64 * MIB),
    place(Database, "/var/lib/elasticsearch", 16 * MIB),
    // Two files of its log of 64 MB each.
    place(Database, "/var/lib/etcd", 136 * MIB),
    place(Database, "/var/lib/firebird", 16 * MIB),
    place(Database, "/var/lib/foundationdb", 256 * MIB),
    place(Database, "/var/lib/graphite", 16 * MIB),
    place(Database, "/var/lib/influxdb", MIB),
    place(Database, "/var/lib/krb5kdc", 256 * KIB),
    place(Database, "/var/lib/ldap", 256 * KIB),
    place(Database, "/var/lib/loki", 16 * MIB),
    // Three files of its log of 100 MB each.
    place(Database, "/var/lib/mongo", 304 * MIB),
    place(Database, "/var/lib/mongodb", 304 * MIB),
    place(Database, "/var/lib/neo4j/data", 640 * MIB),
    place(Database, "/var/lib/opensearch", 16 * MIB),
    place(Database, "/var/lib/prometheus", 64 * MIB),
    place(Database, "/var/lib/redis", 4 * KIB),
    place(Database, "/var/lib/rethinkdb", 16 * MIB),
    place(Database, "/var/lib/valkey", 4 * KIB),
    place(Database, "/var/lib/vault", MIB),
    place(Database, "/var/lib/victoria-metrics", 64 * MIB),
    place(Database, "/var/lib/zookeeper", 66 * MIB),
    place(Database, "/var/opt/mssql", 128 * MIB),
    place(Queue, "/var/lib/activemq", 36 * MIB),
    place(Queue, "/var/lib/artemis", 36 * MIB),
    place(Queue, "/var/lib/beanstalkd", 12 * MIB),
    place(Queue, "/var/lib/kafka", 64 * KIB),
    place(Queue, "/var/lib/mosquitto", 64 * KIB),
    place(Queue, "/var/lib/nats", MIB),
    place(Queue, "/var/lib/pulsar", 16 * MIB),
    place(Queue, "/var/lib/rabbitmq", 4 * MIB),
    place(Service, "/data", 0).without(&["lost+found"]),
    place(Service, "/export", 0).without(&["home", "lost+found"]),
    place(Service, "/srv", 0).without(&["lost+found"]),
    place(Service, "/var/lib/ceph", MIB),
    place(Service, "/var/lib/forgejo", 4 * MIB),
    place(Service, "/var/lib/gitea", 4 * MIB),
    place(Service, "/var/lib/grafana", 4 * MIB),
    place(Service, "/var/lib/jenkins", 16 * MIB),
    place(Service, "/var/lib/libvirt/images", 0),
    place(Service, "/var/lib/minio", MIB),
    place(Service, "/var/lib/nextcloud", MIB),
    // Services with a user of the moment keep theirs here, and a link where others have a folder.
    place(Service, "/var/lib/private", 16 * MIB).told(Grain::Each),
    place(Service, "/var/lib/samba", 16 * MIB),
    place(Service, "/var/opt/gitlab", 64 * MIB),
    place(Service, "/var/snap", 16 * MIB).told(Grain::Each),
    place(Service, "/var/www", 0).without(&["lost+found"]),
    place(Home, "/export/home", 0).told(Grain::Each).without(SKELETON),
    place(Home, "/home", 0).told(Grain::Each).without(SKELETON),
    place(Home, "/root", 0).without(SKELETON),
    place(Mail, "/var/mail", 0),
    place(Mail, "/var/spool/cyrus", MIB),
    place(Mail, "/var/spool/exim/input", 0),
    place(Mail, "/var/spool/exim4/input", 0),
    place(Mail, "/var/spool/imap", MIB),
    place(Mail, "/var/spool/mail", 0),
    place(Mail, "/var/spool/mqueue", 0),
    place(Mail, "/var/spool/postfix/active", 0),
    place(Mail, "/var/spool/postfix/deferred", 0),
    place(Mail, "/var/spool/postfix/hold", 0),
    place(Mail, "/var/spool/postfix/incoming", 0),
    place(Mail, "/var/spool/postfix/maildrop", 0),
    place(Mail, "/var/vmail", 0),
    place(Cron, "/var/spool/at", 0).without(&[".SEQ", "spool"]),
    place(Cron, "/var/spool/cron", 0).without(&["atjobs", "atspool", "crontabs", "lastrun", "tabs"]),
    place(Cron, "/var/spool/cron/atjobs", 0).without(&[".SEQ"]),
    place(Cron, "/var/spool/cron/crontabs", 0),
    place(Cron, "/var/spool/cron/tabs", 0),
    place(ContainerVolume, "/opt/local-path-provisioner", 0).told(Grain::Each),
    place(ContainerVolume, "/var/lib/containers/storage/volumes", 0).told(Grain::Each),
    place(ContainerVolume, "/var/lib/docker/volumes", 0)
        .told(Grain::Each)
        .without(&["backingFsBlockDev", "metadata.db"]),
    place(ContainerVolume, "/var/lib/incus/storage-pools", MIB),
    // Tokens and the like of every pod; a volume of its own is a mount.
    place(ContainerVolume, "/var/lib/kubelet/pods", 16 * MIB),
    place(ContainerVolume, "/var/lib/lxc", 0).told(Grain::Each),
    place(ContainerVolume, "/var/lib/lxd/storage-pools", MIB),
    place(ContainerVolume, "/var/lib/machines", 0).told(Grain::Each),
    place(ContainerVolume, "/var/lib/nerdctl", MIB),
    place(ContainerVolume, "/var/lib/rancher/k3s/storage", 0).told(Grain::Each),
];

/// Trees that the rules leave out and where people put large files, with what in them is a machine's own.
pub(super) const TREES: &[(&str, &[&str])] = &[("/var/backups", &[]), ("/var/lib", MACHINES_OWN), ("/var/tmp", &[])];

/// What in `/var/lib` comes from packages, from mirrors, or from the machine itself, and is built again with it.
const MACHINES_OWN: &[&str] = &[
    "PackageKit",
    "aide",
    "amazon",
    "apk",
    "app-info",
    "apt",
    "clamav",
    "cloud",
    "command-not-found",
    "containerd",
    "containers",
    "dkms",
    "dnf",
    "docker",
    "dpkg",
    "flatpak",
    "fwupd",
    "google",
    "incus",
    "kubelet",
    "lxd",
    "mlocate",
    "pacman",
    "plocate",
    "rpm",
    "selinux",
    "snapd",
    "swcatalog",
    "systemd",
    "ubuntu-advantage",
    "update-notifier",
    "waagent",
    "yum",
    "zypp",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::usage::NAMES_MAX;

    #[test]
    fn no_place_is_there_twice_or_counted_with_another() {
        for (at, place) in PLACES.iter().enumerate() {
            for other in PLACES.iter().skip(at + 1) {
                assert_ne!(place.path, other.path);
            }
            for other in PLACES {
                let Some(rest) = other.path.strip_prefix(place.path).and_then(|rest| rest.strip_prefix('/')) else {
                    continue;
                };
                let name = rest.split('/').next().unwrap_or_default();
                assert!(place.leave_out.contains(&name), "{} is in {}", other.path, place.path);
            }
        }
    }

    #[test]
    fn names_are_few_and_in_order() {
        let lists = PLACES.iter().map(|place| place.leave_out).chain(TREES.iter().map(|(_, names)| *names));
        for names in lists.chain([SKELETON]) {
            assert!(names.len() <= NAMES_MAX && names.is_sorted(), "{names:?}");
        }
    }
}
