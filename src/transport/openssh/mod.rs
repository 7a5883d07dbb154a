//! SSH by the system's own `ssh`: one process a host, for what libssh2 lacks (FIDO keys, GSSAPI, `Match`, every algorithm).
//!
//! ssh logs in and waits; commands are started over its control connection, so that a host is reached, trusted and logged in to
//! before anything is asked of it, as over libssh2.
//!
//! *Invariant:* the host key and the login are ssh's to decide, under options that no file can loosen; what is told of them comes
//! from ssh's own log, never from bytes that the host chose.

mod arguments;
mod client;
mod connection;
mod control;
mod dial;
mod fault;
mod log;
mod route;

use std::collections::HashMap;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::known_hosts::KnownHostsFile;
use super::ssh_config::{SshConfig, Surroundings, expand_home};
use super::{SetupError, SshSettings};
use crate::model::text::escape;

pub use connection::OpenSshConnection;
pub use route::Route;

/// The first OpenSSH with every option that is needed: `LogVerbose` that names the process, `ForkAfterAuthentication`.
const OLDEST: (u32, u32) = (8, 7);
/// A socket's name has 108 bytes, of which ssh takes 17 for a name of its own and ends with a zero.
const LONGEST_FOLDER: usize = 70;

/// Dials hosts by ssh. One a run; many threads use it at once.
pub struct Dialer {
    settings: SshSettings,
    ssh: PathBuf,
    home: PathBuf,
    config: SshConfig,
    /// Where the control sockets are: ours alone.
    folder: Mutex<Option<TempDir>>,
    dialled: AtomicU64,
    known: Mutex<HashMap<PathBuf, Arc<KnownHostsFile>>>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Dialer {
    /// Looks for the ssh client and reads `ssh_config`.
    ///
    /// # Errors
    ///
    /// There is no ssh client, or one that is too old; a file that the settings name can't be used.
    pub fn new(settings: SshSettings) -> Result<Self, SetupError> {
        Self::with(settings, Surroundings::of_this_process())
    }

    fn with(mut settings: SshSettings, surroundings: Surroundings) -> Result<Self, SetupError> {
        let ssh = surroundings.ssh.clone().ok_or(SetupError::NoSshClient)?;
        fit(&ssh)?;
        let home = surroundings.home.clone();
        for path in settings.identities.iter_mut().chain(&mut settings.known_hosts).chain(&mut settings.ssh_config) {
            if let Some(text) = path.to_str() {
                *path = expand_home(text, &home);
            }
        }
        if let Some(path) = &mut settings.known_hosts {
            if let Err(error) = std::fs::File::open(&*path)
                && !(settings.accept_new_host_keys && error.kind() == io::ErrorKind::NotFound)
            {
                return Err(SetupError::KnownHosts { path: path.clone(), detail: error.to_string() });
            }
            *path = absolute(path);
        }
        for path in &mut settings.identities {
            route::look_at_key(path)?;
            *path = absolute(path);
        }
        let config = SshConfig::read(surroundings, settings.ssh_config.as_deref())
            .map_err(|(path, error)| SetupError::SshConfig { path, detail: error.to_string() })?;
        let folder =
            Mutex::new(Some(private_folder().map_err(|error| SetupError::Folder { detail: error.to_string() })?));
        let (dialled, known) = (AtomicU64::new(0), Mutex::default());
        Ok(Self { settings, ssh, home, config, folder, dialled, known })
    }

    /// What was noticed in `ssh_config` and `known_hosts` so far.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.config.warnings()
    }

    /// Removes the folder of the control sockets. Nobody can be dialled any more; who is connected stays so.
    pub fn close(&self) {
        drop(self.folder.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// A fresh name for a control socket; `None` when the dialer is closed.
    fn socket(&self) -> Option<PathBuf> {
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.dialled.fetch_add(1, Ordering::Relaxed);
        folder.as_ref().map(|folder| folder.path().join(number.to_string()))
    }

    /// `known_hosts` files, each read once.
    fn known(&self, paths: &[PathBuf]) -> Vec<Arc<KnownHostsFile>> {
        let mut files = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |path: &PathBuf| Arc::new(KnownHostsFile::read(path));
        paths.iter().map(|path| Arc::clone(files.entry(path.clone()).or_insert_with(|| read(path)))).collect()
    }
}

/// A path that means the same in every folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A folder that nobody else can enter, with a name that leaves room for a socket's.
fn private_folder() -> io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let short = if usual.as_os_str().len() <= LONGEST_FOLDER { usual } else { PathBuf::from("/tmp") };
    tempfile::Builder::new().prefix("driftscan-").permissions(Permissions::from_mode(0o700)).tempdir_in(short)
}

/// Whether an ssh client can be used.
fn fit(ssh: &Path) -> Result<(), SetupError> {
    let unfit = |found: String| SetupError::UnfitSshClient { path: ssh.to_owned(), found };
    let output = Command::new(ssh).arg("-V").stdin(Stdio::null()).output().map_err(|error| unfit(error.to_string()))?;
    let said = [output.stderr, output.stdout].concat();
    let said: String = escape(said.trim_ascii()).chars().take(100).collect();
    match version(&said) {
        Some(found) if found >= OLDEST => Ok(()),
        _ => Err(unfit(said)),
    }
}

/// `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19` as 9 and 2.
fn version(said: &str) -> Option<(u32, u32)> {
    let (_, rest) = said.split_once("OpenSSH_")?;
    let (major, rest) = rest.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
mod tests;
