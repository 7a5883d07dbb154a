//! What `ssh_config(5)` says about a host: asked of `ssh -G` where the ssh client is installed, read by a tolerant parser
//! of our own where it is not or where it refuses the files.
//!
//! A process a host is spared where no file sets anything that is used here, which is the common case.
//!
//! *Invariant:* a stanza for other hosts never fails a run; nothing here opens a connection.

mod files;
mod options;
mod surroundings;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::PoisonError;

use files::ConfigFile;
use options::Options;

pub(super) use options::{AgentChoice, Resolved};
pub(super) use surroundings::{Surroundings, expand_home};

/// Every option that changes how or whether a host is dialled; anything else can stay unread.
const USED: &[&str] = &[
    "canonicaldomains",
    "canonicalizehostname",
    "certificatefile",
    "globalknownhostsfile",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "knownhostscommand",
    "port",
    "proxycommand",
    "proxyjump",
    "proxyusefdpass",
    "revokedhostkeys",
    "user",
    "userknownhostsfile",
];

/// The files, read once a run.
#[derive(Debug)]
pub(super) struct SshConfig {
    surroundings: Surroundings,
    /// `--ssh-config`; `none` is no file at all.
    named: Option<PathBuf>,
    /// In the order in which the first value wins.
    files: Vec<ConfigFile>,
    used: bool,
    warnings: Mutex<Vec<String>>,
}

/// The host as the hosts file and the flags name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) user: Option<&'a str>,
}

impl SshConfig {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// The file that was named can't be read; the usual ones may be absent.
    pub(super) fn read(surroundings: Surroundings, named: Option<&Path>) -> Result<Self, (PathBuf, std::io::Error)> {
        let folder = surroundings.home.join(".ssh");
        let mut files = Vec::new();
        let mut warnings = Vec::new();
        match named {
            Some(path) if path == Path::new("none") => {}
            Some(path) => {
                let content = std::fs::read(path).map_err(|error| (path.to_owned(), error))?;
                files.push(ConfigFile::parse(path, &content, &folder, &surroundings.home, &mut warnings));
            }
            None => {
                let system = surroundings.system_config.clone();
                let system_folder = system.parent().map(Path::to_owned).unwrap_or_default();
                for (path, base) in [(folder.join("config"), &folder), (system, &system_folder)] {
                    files.extend(ConfigFile::read(&path, base, &surroundings.home, &mut warnings));
                }
            }
        }
        let used = files.iter().any(|file| file.sets_any(USED));
        Ok(Self { surroundings, named: named.map(Path::to_owned), files, used, warnings: Mutex::new(warnings) })
    }

    /// What was noticed, each once.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ssh client and the file to give it with `-F`, where one is to be given.
    pub(super) fn client(&self) -> Option<(&Path, Option<&Path>)> {
        let ssh = self.surroundings.ssh.as_deref()?;
        Some((ssh, self.named.as_deref().or_else(|| self.surroundings.config_of_home())))
    }

    /// What holds for a host.
    pub(super) fn resolve(&self, asked: Asked<'_>) -> Resolved {
        Resolved::of(&self.options(asked), asked, &self.surroundings)
    }

    /// The file to give to `ssh -F`; `none` is none at all.
    pub(super) fn file_for_ssh(&self) -> Option<&Path> {
        self.named.as_deref().or_else(|| self.surroundings.config_of_home())
    }

    /// Whether ssh(1) takes another home than ours for its usual files.
    pub(super) fn is_of_another_home(&self) -> bool {
        self.surroundings.config_of_home().is_some()
    }

    /// Whether a file sets this option, for whatever host.
    pub(super) fn sets(&self, keyword: &str) -> bool {
        self.files.iter().any(|file| file.sets_any(&[keyword]))
    }

    fn options(&self, asked: Asked<'_>) -> Options {
        if !self.used {
            // What is left changes no dial (HashKnownHosts, which Debian sets for everybody): not worth a process a host.
            let mut options = Options::default();
            for file in &self.files {
                let _ = file.apply(asked.host, true, &mut options);
            }
            return options;
        }
        if let Some(ssh) = &self.surroundings.ssh {
            match self.ask_ssh(ssh, asked) {
                Ok(options) => return options,
                Err(why) => self.warn(format!("ssh -G: {why}; the files are read by driftscan itself")),
            }
        }
        let mut options = Options::default();
        for file in &self.files {
            for skipped in file.apply(asked.host, true, &mut options) {
                self.warn(format!("{skipped}: Match is skipped without the ssh client"));
            }
        }
        options
    }

    fn ask_ssh(&self, ssh: &Path, asked: Asked<'_>) -> Result<Options, String> {
        let mut command = Command::new(ssh);
        command.arg("-G").stdin(Stdio::null());
        if let Some(path) = self.file_for_ssh() {
            command.arg("-F").arg(path);
        }
        if let Some(port) = asked.port {
            command.arg("-p").arg(port.to_string());
        }
        if let Some(user) = asked.user {
            command.arg("-l").arg(user);
        }
        let output = command.arg("--").arg(asked.host).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            let words = crate::model::text::escape(output.stderr.trim_ascii());
            return Err(words.chars().take(300).collect());
        }
        let text = String::from_utf8(output.stdout).map_err(|_| "its answer is not UTF-8".to_owned())?;
        Ok(Options::of_answer(&text, &self.surroundings))
    }

    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

#[cfg(test)]
mod tests;
