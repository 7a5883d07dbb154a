//! One host of the fleet, as the hosts file and the flags describe it.
//!
//! *Invariant:* every field that could reach a command was checked when it was read.

use std::path::PathBuf;

use super::mistake::{Mistake, Refusal};
use super::spelling::{TEMPLATE, VERSION};

pub use super::way::{JumpHost, ProbeChoice, TransportChoice, is_plain_host, is_plain_user};

/// Where a word was written, for messages: `hosts.txt:12`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file as it was named, or `command line`.
    pub file: String,
    /// Line, from 1; 0 for the command line.
    pub line: usize,
}

impl Place {
    /// The place of everything typed as an argument.
    #[must_use]
    pub fn command_line() -> Self {
        Self { file: "command line".to_owned(), line: 0 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 { write!(f, "{}", self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// A template, with or without a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateRef {
    /// `web`.
    pub name: String,
    /// `2026.11.1`; `None` is the newest.
    pub version: Option<String>,
}

impl TemplateRef {
    /// Reads `NAME` or `NAME@VERSION`, both fit to be names of files.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(VERSION.admit(version)?.to_owned())),
            None => (text, None),
        };
        Ok(Self { name: TEMPLATE.admit(name)?.to_owned(), version })
    }
}

impl std::str::FromStr for TemplateRef {
    type Err = Mistake;

    /// Reads `NAME` or `NAME@VERSION` as typed on the command line.
    fn from_str(text: &str) -> Result<Self, Mistake> {
        Self::read(text).map_err(|refusal| refusal.at(&Place::command_line()))
    }
}

impl std::fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Over SSH.
    Ssh {
        /// Name or address to dial, without brackets.
        host: String,
        /// As written; `None` leaves it to `ssh_config`, then 22.
        port: Option<u16>,
        /// As written; `None` leaves it to the flags, `ssh_config`, then the local user.
        user: Option<String>,
    },
    /// This machine.
    Local,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host {
    /// Unique in the fleet: `name=`, else the host as written (with the port when it was written).
    pub name: String,
    /// The group line it stands under; empty before the first.
    pub group: String,
    /// How to get there.
    pub reach: Reach,
    /// `template=`.
    pub template: Option<TemplateRef>,
    /// `root=`: the folder to scan as if it were `/`; `None` is the running system.
    pub root: Option<String>,
    /// `sudo=yes|no`; `None` leaves it to `--sudo`.
    pub sudo: Option<bool>,
    /// `identity=`: a private key file; `~/` is expanded by the caller.
    pub identity: Option<PathBuf>,
    /// `host-key=`: `SHA256:...` that the host's key must have.
    pub host_key: Option<String>,
    /// `jump=`: the machines to go through, the nearest first; empty for `none`, `None` leaves it to `ssh_config`.
    pub jump: Option<Vec<JumpHost>>,
    /// `transport=`; `None` leaves it to `--transport`.
    pub transport: Option<TransportChoice>,
    /// `probe=`; `None` leaves it to `--probe`.
    pub probe: Option<ProbeChoice>,
    /// Every other `key=value`, for later use, in the order of the keys.
    pub tags: Vec<(String, String)>,
    /// Where it was written.
    pub place: Place,
}
