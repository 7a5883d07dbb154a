//! The plan as a value: what `driftscan.plan/v1` says, and what every renderer lays out.
//!
//! *Invariant:* every text is escaped or checked when it is stored; what a renderer puts into a shell goes through its
//! one quoter all the same.

use crate::model::verdict::closed_words;
use crate::model::{BaselineUse, RunId, Severity, Verdict};

closed_words! {
    /// What replaces the machines of a group. A platform's words are its renderer's; here it is only known what kind
    /// of handle it takes and in which order it works.
    Actuator {
        /// `terraform plan -replace=ADDRESS`.
        Terraform = "terraform",
        /// One instance of an auto scaling group at a time.
        AwsAsg = "aws-asg",
        /// Cordon, drain, delete, and the machine behind the node.
        Kubectl = "kubectl",
        /// A Machine that its health check remediates.
        ClusterApi = "cluster-api",
        /// A Machine that its `MachineSet` makes anew.
        Openshift = "openshift",
        /// A second group is built, proven, and switched to.
        BlueGreen = "blue-green",
    }
}

/// In which order a platform works, as far as that is the platform's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The old machine goes, then the new one comes: nothing that is declared changes it.
    TerminatesFirst,
    /// All new machines are there before an old one goes.
    BuildsFirst,
    /// The group's own configuration says; its surge is declared in the settings.
    AsDeclared,
}

impl Actuator {
    /// In which order it works.
    #[must_use]
    pub fn order(self) -> Order {
        match self {
            // create_before_destroy stands in the configuration.
            Self::Terraform => Order::AsDeclared,
            // terminate-instance-in-auto-scaling-group launches once the instance goes; a drained node, a remediated and a
            // deleted Machine are made anew by what counts their replicas.
            Self::AwsAsg | Self::Kubectl | Self::ClusterApi | Self::Openshift => Order::TerminatesFirst,
            Self::BlueGreen => Order::BuildsFirst,
        }
    }
}

/// What names a machine to the platform that replaces it: `instance=`, `tf=`, `machine=`, `node=` and so on of the hosts
/// file, by key in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handle(pub Vec<(String, String)>);

impl Handle {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }
}

/// Whether new machines come before old ones go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surge {
    /// Old machines go first: a wave lowers the capacity by its size.
    TerminateFirst,
    /// So many new machines at most come first.
    ReplaceFirst(u32),
}

/// A number of hosts, or a share of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// So many.
    Hosts(u32),
    /// Percent, rounded down.
    Percent(u8),
}

/// When waves of a group may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Five fields of crontab(5).
    pub cron: String,
    /// `3h`.
    pub duration: String,
    /// `UTC`.
    pub tz: String,
}

/// What holds for every group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// A group of which more than this share is drifted is refused: its baseline is suspect.
    pub max_group_drift_percent: u8,
    /// Drift must have been seen in an earlier run as well, at least an hour before.
    pub require_two_runs: bool,
}

/// A group as it is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What replaces its machines, where the settings say.
    pub actuator: Option<Actuator>,
    /// What names the group to the platform (`asg`, `region`, `cluster`, `namespace`, `target`, `rollback_to` ...), in the
    /// order of the keys.
    pub refs: Vec<(String, String)>,
    /// Hosts of the fleet.
    pub size: usize,
    /// Of them: clean, outdated or drifted, and therefore taken for serving.
    pub healthy: usize,
    /// Of them: unverifiable or not scanned, in the order of the fleet. They are never planned.
    pub unhealthy: Vec<String>,
    /// The least hosts that must serve at any time.
    pub floor: usize,
    /// The most hosts that a wave may take away at once.
    pub max_unavailable: usize,
    /// Whether floor or budget were declared; else they are the defaults.
    pub declared: bool,
    /// Whether new machines come first.
    pub surge: Surge,
    /// When waves may begin; empty for any time.
    pub windows: Vec<Window>,
    /// A command of the operator's that must succeed for `HOST` after its replacement.
    pub health_command: Option<String>,
    /// Seconds that a new machine may take to be ready.
    pub ready_seconds: u64,
    /// Seconds that a wave must stand before the next begins.
    pub bake_seconds: u64,
    /// Names of all its hosts in the fleet with what told their machines apart at the time of the report.
    pub members: Vec<Member>,
}

/// A host of a group as the report knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub host: String,
    /// Digest of its machine id.
    pub machine_id: Option<String>,
    /// Its host key, with the type before it.
    pub host_key: Option<String>,
    /// What names it to the platform.
    pub handle: Handle,
}

/// One host to replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub host: String,
    /// Its group.
    pub group: String,
    /// Its address when it was scanned.
    pub address: String,
    /// Whether the hosts file reaches it through another host, so that its host key can't be asked for directly.
    pub jump: bool,
    /// What names it to the platform.
    pub handle: Handle,
    /// Digest of its machine id when it was scanned.
    pub machine_id: Option<String>,
    /// Its host key when it was scanned, with the type before it.
    pub host_key: Option<String>,
    /// Drifted or outdated.
    pub verdict: Verdict,
    /// `NAME@VERSION` that it was compared with.
    pub reference: Option<String>,
    /// `NAME@VERSION` that its replacement must equal.
    pub target: String,
    /// The gravest of its findings; `None` for an outdated host.
    pub severity: Option<Severity>,
    /// Codes of its findings, ascending, each once.
    pub codes: Vec<String>,
    /// What was found, a line each, the gravest first; shortened after some.
    pub evidence: Vec<String>,
    /// Fingerprints of what stands in `evidence`, hexadecimal.
    pub fingerprints: Vec<String>,
    /// RFC 3339: when the oldest of its findings was first seen.
    pub first_seen: Option<String>,
    /// 0 to 1,000.
    pub snowflake: Option<u16>,
    /// `zone=`.
    pub zone: Option<String>,
    /// `quorum=`.
    pub quorum: Option<String>,
}

/// Hosts that are replaced together, one zone and one member of a quorum at the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// From 1, over the whole plan: waves are run one after another.
    pub number: usize,
    /// The group.
    pub group: String,
    /// The zone that all its hosts are in, where they name one.
    pub zone: Option<String>,
    /// Whether it is the group's first, of one host.
    pub canary: bool,
    /// Names of its hosts.
    pub hosts: Vec<String>,
}

closed_words! {
    /// Why a host is not planned now.
    Why {
        /// The fleet has no host of its name, group and template.
        NotInFleet = "not-in-fleet",
        /// All that it has, most of its group has: the template is what is stale.
        CommonDrift = "common-drift",
        /// Not all of it was read, and what was, most of its group has: a person must look first.
        Investigate = "investigate",
        /// `pin=` says that it stays.
        Pinned = "pinned",
        /// The fleet has its machine under another name as well, or one that can't be told from it.
        TwoNames = "two-names",
        /// It holds what a replacement would lose.
        DrainFirst = "drain-first",
        /// Nobody looked at what it holds, or not everywhere.
        StateUnknown = "state-unknown",
        /// An address of its own, which the replacement would not have.
        PublicAddress = "public-address",
        /// Its drift was not yet seen by an earlier run.
        FirstRun = "first-run",
        /// Another member of its quorum does not serve, or is not known to.
        Quorum = "quorum",
        /// Too few others serve.
        Capacity = "capacity",
    }
}

closed_words! {
    /// Why nothing of a group is planned.
    WhyRefused {
        /// Too large a share of it drifted.
        MassDrift = "mass-drift",
        /// The same, and most of it shares one difference.
        BaselineSuspect = "baseline-suspect",
    }
}

/// A host that is not planned now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// Its name.
    pub host: String,
    /// Its group.
    pub group: String,
    /// A stable word, one of [`Why`].
    pub why: String,
    /// A sentence.
    pub reason: String,
    /// What would be lost, where that is why.
    pub at_risk: Vec<String>,
}

/// A group of which nothing is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The group.
    pub group: String,
    /// Its candidates, in the order of the fleet.
    pub hosts: Vec<String>,
    /// A stable word, one of [`WhyRefused`].
    pub why: String,
    /// A sentence.
    pub reason: String,
}

/// What the plan stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasedOn {
    /// The run.
    pub run: RunId,
    /// SHA-256 of its report's bytes, hexadecimal.
    pub report: String,
    /// The baselines of the report, with their digests.
    pub baselines: Vec<BaselineUse>,
    /// SHA-256 of the fleet as it was read for the plan, hexadecimal.
    pub inventory: String,
    /// SHA-256 of the settings' bytes, hexadecimal; empty where there are none.
    pub settings: String,
    /// `driftscan 1.0.0`.
    pub tool: String,
}

/// What is different from the plan before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Id of the plan before.
    pub previous: String,
    /// Hosts that are planned now and were not.
    pub added: Vec<String>,
    /// Hosts that were planned and are no more, with where they are now: `deferred: ...`, `clean`, `not in the fleet`.
    pub removed: Vec<(String, String)>,
    /// Hosts that are in another wave of their group, or there for another reason, with what changed.
    pub changed: Vec<(String, String)>,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// `sha256:...` of the document without this field; empty until the document is written for the first time.
    pub id: String,
    /// RFC 3339, UTC: when the run ended that it stands on, so that the same report gives the same plan.
    pub created: String,
    /// RFC 3339, UTC.
    pub expires: String,
    /// What it stands on.
    pub based_on: BasedOn,
    /// What held for every group.
    pub guards: Guards,
    /// In the order of the fleet; those that have no candidate are left out.
    pub groups: Vec<Group>,
    /// Planned hosts, in the order of their waves.
    pub items: Vec<Item>,
    /// In the order in which they run.
    pub waves: Vec<Wave>,
    /// In the order of the fleet; behind them those that are not in it.
    pub deferred: Vec<Deferred>,
    /// In the order of the groups.
    pub refused: Vec<Refused>,
    /// What is different from the plan before; `None` where there is none.
    pub change: Option<Change>,
}
