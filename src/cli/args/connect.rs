//! How hosts are reached.
//!
//! *Invariant:* spelled the same wherever a host is reached.

use super::super::duration;
use crate::inventory::{ProbeChoice, TransportChoice};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// How hosts are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct ConnectArgs {
    /// A private key; without it the agent and the usual files
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) identity: Vec<PathBuf>,
    /// The account, where nothing else names one
    #[arg(short, long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// The port, where nothing else names one
    #[arg(short, long, value_name = "PORT")]
    pub(in crate::cli) port: Option<u16>,
    /// In place of the usual `ssh_config`; `none` reads none
    #[arg(short = 'F', long, value_name = "FILE")]
    pub(in crate::cli) ssh_config: Option<PathBuf>,
    /// In place of the usual `known_hosts`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) known_hosts: Option<PathBuf>,
    /// Trust and record the key of a host that is not known yet; never a changed one
    #[arg(long)]
    pub(in crate::cli) accept_new_host_keys: bool,
    /// What speaks SSH, where a host's line says nothing: `ssh2` is built in, `openssh` is the system's ssh
    #[arg(long, value_name = "NAME", env = "DRIFTSCAN_TRANSPORT", default_value = "ssh2")]
    pub(in crate::cli) transport: Transport,
    /// Time for TCP, and again for the handshake
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    pub(in crate::cli) connect_timeout: Duration,
    /// Run the probe under `sudo -n`, to read what the account may not
    #[arg(short = 'b', long)]
    pub(in crate::cli) sudo: bool,
    /// What collects on the host: `auto`, `stream`, `installed` or `sh`
    #[arg(long, value_name = "WAY", default_value = "auto", value_parser = ProbeWay::parse)]
    pub(in crate::cli) probe: ProbeWay,
    /// The key of keyed digests, for the policy's `[content] secret`; the first capture that needs it makes it
    /// [default: `~/.config/driftscan/secret.key`]
    #[arg(long, value_name = "FILE", env = "DRIFTSCAN_SECRET_KEY")]
    pub(in crate::cli) secret_key: Option<PathBuf>,
}

/// `--probe`, spelled as in a hosts file.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ProbeWay(pub(in crate::cli) ProbeChoice);

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
pub(in crate::cli) enum Transport {
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
