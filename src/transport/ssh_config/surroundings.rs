//! What this machine and this login bring along: home, user, agent, ssh client.
//!
//! *Invariant:* read once, at the start; a test makes its own instead of changing the process.

use std::path::{Path, PathBuf};

/// The surroundings of the run.
#[derive(Debug, Clone)]
pub(in crate::transport) struct Surroundings {
    /// `HOME`, else the one of passwd.
    pub(in crate::transport) home: PathBuf,
    /// The home that ssh(1) takes, which never looks at `HOME`.
    home_of_ssh: Option<PathBuf>,
    /// Login name.
    pub(in crate::transport) user: Option<String>,
    /// `SSH_AUTH_SOCK`.
    pub(in crate::transport) agent: Option<PathBuf>,
    /// The ssh client.
    pub(in crate::transport) ssh: Option<PathBuf>,
    /// `/etc/ssh/ssh_config`.
    pub(in crate::transport) system_config: PathBuf,
    /// `-F` for ssh(1) where it would look in another home.
    config: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub(in crate::transport) fn of_this_process() -> Self {
        let full = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let (login, passwd_home) = own_passwd_line();
        let home =
            full("HOME").map(PathBuf::from).or_else(|| passwd_home.clone()).unwrap_or_else(|| PathBuf::from("/"));
        let ssh = full("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join("ssh"))
                .find(|file| file.is_absolute() && file.is_file())
        });
        let named = ["LOGNAME", "USER"].into_iter().find_map(|name| full(name)?.into_string().ok());
        let mut own = Self::at(home, passwd_home, ssh);
        own.user = login.or(named);
        own.agent = full("SSH_AUTH_SOCK").map(PathBuf::from);
        own
    }

    /// With a home, ssh's idea of it, and a client.
    pub(in crate::transport) fn at(home: PathBuf, home_of_ssh: Option<PathBuf>, ssh: Option<PathBuf>) -> Self {
        let system_config = PathBuf::from("/etc/ssh/ssh_config");
        let config = home_of_ssh.as_ref().filter(|other| **other != home).map(|_| {
            let own = home.join(".ssh/config");
            if own.is_file() { own } else { system_config.clone() }
        });
        Self { home, home_of_ssh, user: None, agent: None, ssh, system_config, config }
    }

    /// The file to give to `ssh -F`, where its own choice would be another home's.
    pub(super) fn config_of_home(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// A path that ssh(1) put in its idea of home, put in ours.
    pub(super) fn in_own_home(&self, path: &str) -> String {
        let other = self.home_of_ssh.as_deref().filter(|other| *other != self.home && *other != Path::new("/"));
        match other.and_then(|other| Path::new(path).strip_prefix(other).ok()) {
            Some(rest) => self.home.join(rest).to_str().unwrap_or(path).to_owned(),
            None => path.to_owned(),
        }
    }

    /// The home that ssh(1) takes.
    #[cfg(test)]
    pub(in crate::transport) fn home_of_ssh(&self) -> Option<PathBuf> {
        self.home_of_ssh.clone()
    }
}

/// Replaces a leading `~/`.
pub(in crate::transport) fn expand_home(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(path),
    }
}

/// Name and home of this user in `/etc/passwd`. Users of a directory service are found by the environment instead.
fn own_passwd_line() -> (Option<String>, Option<PathBuf>) {
    let own = rustix::process::getuid().as_raw();
    let table = std::fs::read("/etc/passwd").unwrap_or_default();
    for line in table.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let fields: Vec<&str> = line.split(':').collect();
        if let [name, _, uid, _, _, home, ..] = fields.as_slice()
            && uid.parse() == Ok(own)
        {
            return (Some((*name).to_owned()), Some(PathBuf::from(home)));
        }
    }
    (None, None)
}
