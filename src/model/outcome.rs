//! What came of a host, and of the run.
//!
//! *Invariant:* every text that came from a host is already escaped when it is stored here; exact bytes are kept only in
//! [`super::Finding::subject`].

use super::finding::{Cause, Finding};
use super::fleet::{CommonAt, CommonDrift, History, Snowflake, StateAtRisk};
use super::verdict::{Decision, Reason, Verdict, closed_words};
use crate::protocol::{Digest, System};

closed_words! {
    /// What collected on the host.
    Collector {
        /// A probe that was uploaded.
        Stream = "stream",
        /// A probe that is part of the image.
        Installed = "installed",
        /// The POSIX fallback.
        Sh = "sh",
        /// A probe run on this machine.
        Local = "local",
    }
}

/// Why a host is unverifiable: one reason with what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// From the closed list.
    pub reason: Reason,
    /// What happened, in one or more lines; escaped.
    pub text: String,
    /// What to do about it, as something that can be typed or done.
    pub remedy: Option<String>,
}

/// One thing not read, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubleShown {
    /// Escaped path or the name of a source.
    pub path: String,
    /// Why, from the closed list.
    pub reason: Reason,
    /// What part: `entries`, `entry`, `content`, `xattrs`, `source`.
    pub part: &'static str,
    /// Whether the policy excuses it by name.
    pub excused: bool,
}

/// What was asked, read and left out on one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostCoverage {
    /// Whether everything asked was read.
    pub complete: bool,
    /// Entries the walk saw.
    pub walked: u64,
    /// Records compared, packages, facts and mounts included.
    pub compared: u64,
    /// Bytes of files hashed.
    pub hashed_bytes: u64,
    /// Files above the size cap.
    pub oversize: u64,
    /// Packages found; `None` where the host has no database.
    pub packages: Option<u64>,
    /// Which package systems they are of.
    pub systems: Vec<System>,
    /// Whether kernel and mounts were compared.
    pub live: bool,
    /// Entries whose file system does not tell immutable and append-only flags.
    pub flags_untold: u64,
    /// Entries each rule left out: the rule's pattern and the count.
    pub ignored: Vec<(String, u64)>,
    /// Folders left out whole, not counted: pattern and path, escaped.
    pub pruned: Vec<(String, String)>,
    /// Mounts not walked: mount point and type, escaped.
    pub skipped_mounts: Vec<(String, String)>,
    /// What was not read, in detail; see `troubles_total`.
    pub troubles: Vec<TroubleShown>,
    /// How many things were not read.
    pub troubles_total: u64,
    /// Milliseconds the walk took on the host.
    pub millis: u64,
}

/// What is true of this machine alone; shown, never compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Digest of the machine id.
    pub machine_id: Option<String>,
    /// RFC 3339.
    pub boot: Option<String>,
    /// Seconds the host's clock is ahead of ours.
    pub clock_skew: Option<i64>,
    /// Addresses it says it has.
    pub addresses: Vec<String>,
    /// Its name for itself.
    pub hostname: Option<String>,
    /// User id the probe ran as.
    pub uid: Option<u32>,
    /// What no other host may have: kind and digest, ascending. Kinds are `machine-id`, `ssh-host-key.TYPE`, `random-seed`,
    /// `initiator`, `hostnqn`, `hostid`.
    pub identities: Vec<(String, String)>,
    /// The image that it says it was made from.
    pub image: super::Image,
}

/// What the host cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wire {
    /// Bytes sent, SSH's own included where the transport tells.
    pub sent: u64,
    /// Bytes received, likewise.
    pub received: u64,
    /// Wall time from dial to verdict, milliseconds.
    pub millis: u64,
    /// Connection attempts.
    pub attempts: u32,
}

/// What came of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOutcome {
    /// The host's name in the fleet.
    pub name: String,
    /// Its group; empty for hosts before the first group line and for targets.
    pub group: String,
    /// `[user@]host[:port]`, or the target as it was typed.
    pub address: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What to do.
    pub decision: Decision,
    /// `NAME@VERSION` of the baseline that findings are against.
    pub reference: Option<String>,
    /// How many versions behind the selected one that is, where it is an older one: the host equals it, or is nearest to it.
    pub versions_behind: Option<u32>,
    /// Why it is unverifiable, or what was not verified beside the drift; empty where coverage is complete.
    pub reasons: Vec<Obstacle>,
    /// Sorted by severity (worst first), subject and code.
    pub findings: Vec<Finding>,
    /// What explains several of them.
    pub causes: Vec<Cause>,
    /// What was read; `None` where no observation was made.
    pub coverage: Option<HostCoverage>,
    /// What ran on the host; `None` where nothing ran.
    pub collector: Option<Collector>,
    /// Host key that was verified, `SHA256:...` with its type.
    pub host_key: Option<String>,
    /// What is true of this machine alone.
    pub evidence: Evidence,
    /// How alone it stands with its drift; `None` where nothing differs or nobody else was compared.
    pub snowflake: Option<Snowflake>,
    /// What a replacement would lose; `None` where nobody looked.
    pub state: Option<StateAtRisk>,
    /// What it cost.
    pub wire: Wire,
}

/// One baseline that hosts of this run were compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineUse {
    /// `NAME@VERSION`.
    pub label: String,
    /// SHA-256 of its stored bytes, hexadecimal.
    pub digest: String,
    /// Group of hosts it stands for.
    pub group: String,
    /// Why it was chosen, where nobody named it.
    pub note: Option<String>,
}

/// Digests of everything that decided the result, hexadecimal SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digests {
    /// `driftscan VERSION` and, where it could be read, of the running program.
    pub tool: String,
    /// Of the embedded probe.
    pub probe: String,
    /// Of the effective policy: profile, rules, severities, thresholds.
    pub policy: String,
    /// Of the fleet as it was selected.
    pub inventory: String,
    /// Of how its hosts are reached and read, and of what revokes trust in them; empty where that was not kept.
    pub ways: String,
    /// Of the waivers' file; empty where there was none.
    pub waivers: String,
}

/// What a run took over from one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The run that was taken up.
    pub run: super::RunId,
    /// RFC 3339, UTC: when the oldest of the runs began whose outcomes stand here.
    pub since: String,
    /// How many hosts were taken over.
    pub hosts: usize,
}

/// What came of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetOutcome {
    /// The run's id.
    pub run: super::RunId,
    /// RFC 3339, UTC.
    pub started: String,
    /// Milliseconds from start to end.
    pub millis: u64,
    /// What was taken over from an earlier run.
    pub resumed: Option<Resumed>,
    /// The signal that cut the run off, if one did.
    pub interrupted: Option<i32>,
    /// Hosts that were selected; more than `hosts` has where the run was cut off.
    pub selected: usize,
    /// In the order of the fleet.
    pub hosts: Vec<HostOutcome>,
    /// One a group and version.
    pub baselines: Vec<BaselineUse>,
    /// Digests of what decided.
    pub digests: Digests,
    /// Lowest severity that makes a host drifted.
    pub drift_at: super::Severity,
    /// Whether outdated hosts leave the exit status 0.
    pub allow_outdated: bool,
    /// From when on drift is common.
    pub common_at: CommonAt,
    /// Drift that most hosts of a group share, in the order of the groups, the gravest first.
    pub common: Vec<CommonDrift>,
    /// What earlier runs tell; `None` where there is none.
    pub history: Option<History>,
    /// What became of each waiver, in the order of their file.
    pub waivers: Vec<super::WaiverState>,
    /// Things said once for the run, each in one or more lines.
    pub notes: Vec<String>,
}

impl FleetOutcome {
    /// The exit status of a scan: 0 clean, 2 drifted or outdated, 3 unverifiable, 128 + signal when cut off.
    #[must_use]
    pub fn status(&self) -> u8 {
        if let Some(signal) = self.interrupted {
            return 128u8.wrapping_add(u8::try_from(signal).unwrap_or(0));
        }
        let has = |verdict| self.hosts.iter().any(|host| host.verdict == verdict);
        if has(Verdict::Drifted) || has(Verdict::Outdated) && !self.allow_outdated {
            2
        } else if has(Verdict::Unverifiable) || self.hosts.len() < self.selected || self.hosts.is_empty() {
            3
        } else {
            0
        }
    }

    /// How many hosts have a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.hosts.iter().filter(|host| host.verdict == verdict).count()
    }
}

/// Lower-case hexadecimal of a digest.
#[must_use]
pub fn hex(digest: &Digest) -> String {
    super::text::hex(digest)
}
