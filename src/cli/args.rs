//! What was typed.
//!
//! *Invariant:* a flag is here once, spelled one way, and does something; nothing that is not built is shown.

use super::duration;
use crate::inventory::{ProbeChoice, TransportChoice};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Finds servers that are no longer the servers you built, and names them as candidates for replacement.
#[derive(Debug, Parser)]
#[command(name = "driftscan", version, max_term_width = 80, args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Exit status:
  0  every host is clean          2  a host is drifted or outdated
  1  could not run                3  no drift seen, but a host is unverifiable
  130, 143  interrupted; a partial report was written

First scan:
  driftscan baseline capture web@2026.11.1 --from golden.example.net --sudo
  driftscan --fleet hosts.txt --sudo")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) scan: ScanArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan a fleet and report which hosts drifted (the default)
    Scan(Box<ScanArgs>),
    /// Capture, list and show baselines
    Baseline {
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// Check a policy, and explain how a path is compared
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Show the probe, or write it for an image to install
    Probe {
        #[command(subcommand)]
        command: ProbeCommand,
    },
    /// Show the report of an earlier run again
    Report(ReportArgs),
    /// Tell the whole story of a finding, what a code means, or what is known of a path on a host
    Explain(ExplainArgs),
    /// Accept a finding for a time: write a waiver
    Waive(WaiveArgs),
    /// Try the way to one host step by step and say what to do
    Doctor(Box<DoctorArgs>),
    /// Print the version and the digest of the probe
    Version(VersionArgs),
}

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    /// Hosts besides the fleet: `[user@]host[:port]`, `local`, or `root:DIR` for a mounted root
    #[arg(value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    /// The hosts file
    #[arg(short, long, value_name = "FILE")]
    pub(super) fleet: Option<PathBuf>,
    /// Only these hosts: names, globs, node sets, groups; `!` excludes
    #[arg(short, long, value_name = "PATTERN")]
    pub(super) limit: Vec<String>,
    /// The baseline of hosts whose line names no template
    #[arg(long, value_name = "NAME[@VERSION]")]
    pub(super) baseline: Option<String>,
    /// The policy; without it the profile of the baseline's system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(super) policy: Option<PathBuf>,
    /// Differences that are accepted for a time [default: waivers.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_WAIVERS")]
    pub(super) waivers: Option<PathBuf>,
    /// Hosts at once [default: all, at most 64]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// New connections a second; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) rate: u32,
    /// Hosts at once through one jump host; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) max_per_jump: u16,
    /// One hashing process a host
    #[arg(long)]
    pub(super) gentle: bool,
    /// Time for each host, from its turn to its verdict
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration::parse)]
    pub(super) timeout: Duration,
    /// Take up a run that was cut off less than an hour ago; a RUN that is named is also asked its unverifiable hosts again
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = super::resume::NEWEST)]
    pub(super) resume: Option<String>,
    /// Refuse to run where fewer hosts are selected
    #[arg(long, value_name = "N")]
    pub(super) min_hosts: Option<usize>,
    /// Wait a random time before the scan, this long at most
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(super) jitter: Option<Duration>,
    /// Wait this long for another run to end instead of refusing
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(super) wait_lock: Option<Duration>,
    /// Leave the exit status at 0 where hosts equal an older version of their template
    #[arg(long)]
    pub(super) allow_outdated: bool,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    #[command(flatten)]
    pub(super) places: Places,
    /// What to print: `table`, `json`, or either with `=FILE`; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(super) format: Vec<String>,
}

/// How hosts are reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectArgs {
    /// A private key; without it the agent and the usual files
    #[arg(short, long, value_name = "FILE")]
    pub(super) identity: Vec<PathBuf>,
    /// The account, where nothing else names one
    #[arg(short, long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// The port, where nothing else names one
    #[arg(short, long, value_name = "PORT")]
    pub(super) port: Option<u16>,
    /// In place of the usual `ssh_config`; `none` reads none
    #[arg(short = 'F', long, value_name = "FILE")]
    pub(super) ssh_config: Option<PathBuf>,
    /// In place of the usual `known_hosts`
    #[arg(long, value_name = "FILE")]
    pub(super) known_hosts: Option<PathBuf>,
    /// Trust and record the key of a host that is not known yet; never a changed one
    #[arg(long)]
    pub(super) accept_new_host_keys: bool,
    /// What speaks SSH, where a host's line says nothing: `ssh2` is built in, `openssh` is the system's ssh
    #[arg(long, value_name = "NAME", env = "DRIFTSCAN_TRANSPORT", default_value = "ssh2")]
    pub(super) transport: Transport,
    /// Time for TCP, and again for the handshake
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    pub(super) connect_timeout: Duration,
    /// Run the probe under `sudo -n`, to read what the account may not
    #[arg(short = 'b', long)]
    pub(super) sudo: bool,
    /// What collects on the host: `auto`, `stream`, `installed` or `sh`
    #[arg(long, value_name = "WAY", default_value = "auto", value_parser = ProbeWay::parse)]
    pub(super) probe: ProbeWay,
    /// The key of keyed digests, for the policy's `[content] secret`; the first capture that needs it makes it
    /// [default: `~/.config/driftscan/secret.key`]
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_SECRET_KEY")]
    pub(super) secret_key: Option<PathBuf>,
}

/// `--probe`, spelled as in a hosts file.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeWay(pub(super) ProbeChoice);

impl ProbeWay {
    fn parse(text: &str) -> Result<Self, String> {
        let known = ProbeChoice::ALL;
        let words: Vec<&str> = known.iter().map(|choice| choice.word()).collect();
        let chosen = known.into_iter().find(|choice| choice.word() == text);
        chosen.map(Self).ok_or_else(|| format!("one of {}", words.join(", ")))
    }
}

/// What speaks SSH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Transport {
    /// libssh2.
    Ssh2,
    /// The system's ssh.
    Openssh,
}

impl From<Transport> for TransportChoice {
    fn from(typed: Transport) -> Self {
        match typed {
            Transport::Ssh2 => Self::Ssh2,
            Transport::Openssh => Self::OpenSsh,
        }
    }
}

/// Where things are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Places")]
pub(super) struct Places {
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(super) baselines: PathBuf,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(super) reports: PathBuf,
}

/// What is said, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Say nothing when all is clean
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Colour
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub(super) color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Sets it for everything that is printed.
    pub(super) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum BaselineCommand {
    /// Read a golden machine and store what it is made of
    Capture(Box<CaptureArgs>),
    /// List templates and their versions
    List(ListArgs),
    /// Show what a baseline says of itself
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(super) struct CaptureArgs {
    /// The new baseline: `web@2026.11.1`
    #[arg(value_name = "NAME@VERSION")]
    pub(super) label: String,
    /// The golden machine: `[user@]host[:port]`, `local`, or `root:DIR`
    #[arg(long, value_name = "SOURCE")]
    pub(super) from: String,
    /// Freshly built machines of the same template, to learn what differs by nature: `web-[01-03],root:/mnt/clone`; may be
    /// repeated
    #[arg(long, value_name = "TARGET,...")]
    pub(super) siblings: Vec<String>,
    /// Orders the versions [default: one more than the newest]
    #[arg(long, value_name = "N")]
    pub(super) serial: Option<u64>,
    /// A folder on the golden machine to read as if it were `/`
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<String>,
    /// The policy; without it the profile of the machine's own system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(super) policy: Option<PathBuf>,
    /// Time for the whole capture
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::parse)]
    pub(super) timeout: Duration,
    /// One hashing process
    #[arg(long)]
    pub(super) gentle: bool,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(super) baselines: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(super) baselines: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The baseline; without a version the newest
    #[arg(value_name = "NAME[@VERSION]")]
    pub(super) label: String,
    /// Print each rule that was learned from siblings, and from what
    #[arg(long)]
    pub(super) noise: bool,
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(super) baselines: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Read a policy, tell every mistake in it, and the rules that match nothing
    #[command(after_help = "\
Exit status: 0 the policy can be used; 1 it has mistakes, told with their lines.

A rule that matches nothing of the baseline is told, and is no mistake: it may
wait for what should never come. -v lists every rule with its reason.

  driftscan policy check --policy policy.toml --baseline web")]
    Check(PolicyCheckArgs),
    /// Tell which rule decides how a path is compared, and why
    #[command(after_help = "\
Rules are applied in order, and the last one that matches wins: first the
profiles of the baseline's system, then their guards, then the policy's own
rules, then [content] secret.

  driftscan policy explain /etc/ssh/sshd_config --baseline web")]
    Explain(PolicyExplainArgs),
}

/// Which policy, and the baseline whose system chooses its profiles.
#[derive(Debug, Args)]
pub(super) struct PolicySource {
    /// The policy; without it the profile of the baseline's system
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(super) policy: Option<PathBuf>,
    /// The baseline whose system chooses the profiles [default: the only template there is]
    #[arg(long, value_name = "NAME[@VERSION]")]
    pub(super) baseline: Option<String>,
    /// The folder of baselines
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_BASELINES", default_value = "baselines")]
    pub(super) baselines: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PolicyCheckArgs {
    #[command(flatten)]
    pub(super) source: PolicySource,
}

#[derive(Debug, Args)]
pub(super) struct PolicyExplainArgs {
    /// The path, absolute, as on a host
    #[arg(value_name = "PATH")]
    pub(super) path: std::ffi::OsString,
    #[command(flatten)]
    pub(super) source: PolicySource,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(super) run: String,
    /// Show what was read, left out and not readable, instead of the findings
    #[arg(long)]
    pub(super) coverage: bool,
    /// Tell drift host by host, or each finding once with its hosts
    #[arg(long, value_name = "WHAT", default_value = "host", help_heading = "Output")]
    pub(super) by: By,
    /// What to print: `table`, `json`, or either with `=FILE`; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "table", help_heading = "Output")]
    pub(super) format: Vec<String>,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(super) reports: PathBuf,
}

/// How drift is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// Host by host.
    Host,
    /// Each finding once, with its hosts.
    Finding,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The beginning of a fingerprint, a code such as `sshd-changed`, or a host
    #[arg(value_name = "FINGERPRINT|CODE|HOST")]
    pub(super) what: String,
    /// With a host: a path on it
    #[arg(value_name = "PATH")]
    pub(super) path: Option<String>,
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(super) run: String,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(super) reports: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct WaiveArgs {
    /// The beginning of a finding's fingerprint; of a critical one all 64 digits
    #[arg(value_name = "FINGERPRINT")]
    pub(super) fingerprint: String,
    /// Why it is accepted
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    /// The last day on which it is accepted, UTC: `2026-12-31`, a year from now at most
    #[arg(long, value_name = "DATE")]
    pub(super) until: String,
    /// Who answers for it [default: you]
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub(super) owner: Option<String>,
    /// The most hosts that it may cover [default: those that have it now]
    #[arg(long, value_name = "N")]
    pub(super) max_hosts: Option<u64>,
    /// An id, the beginning of one, `latest` or `previous`
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(super) run: String,
    /// The file to write it to
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_WAIVERS", default_value = super::waivers::DEFAULT)]
    pub(super) waivers: PathBuf,
    /// The folder of reports
    #[arg(long, value_name = "DIR", env = "DRIFTSCAN_REPORTS", default_value = "reports")]
    pub(super) reports: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// A host of the fleet, or `[user@]host[:port]`
    #[arg(value_name = "HOST")]
    pub(super) host: String,
    /// The hosts file
    #[arg(short, long, value_name = "FILE", env = "DRIFTSCAN_FLEET")]
    pub(super) fleet: Option<PathBuf>,
    /// Print what would run on the host, and connect to nothing
    #[arg(long)]
    pub(super) show_remote: bool,
    /// The policy that says what must be readable
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_POLICY")]
    pub(super) policy: Option<PathBuf>,
    /// Time for everything
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration::parse)]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProbeCommand {
    /// Print version, size and digests of the probe, and the lines that let a host run it
    Show(ProbeShowArgs),
    /// Write the probe, its digest and these lines into a folder
    Export(ProbeExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct ProbeShowArgs {
    /// `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: VersionFormat,
}

#[derive(Debug, Args)]
pub(super) struct ProbeExportArgs {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
    /// The account that logs in
    #[arg(long, value_name = "NAME", default_value = "driftscan")]
    pub(super) user: String,
    /// The public key that is bound to the probe
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
    /// From where that key may log in, as in `from=` of `authorized_keys`
    #[arg(long, value_name = "LIST")]
    pub(super) from: Option<String>,
    /// For an account that reads what it may, and never becomes root
    #[arg(long)]
    pub(super) no_sudo: bool,
    /// Replace files of other content
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct VersionArgs {
    /// `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: VersionFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum VersionFormat {
    /// Lines.
    Text,
    /// One object.
    Json,
}
