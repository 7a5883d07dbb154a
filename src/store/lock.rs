//! The lock that keeps two runs apart.
//!
//! `flock(2)` goes with the process, so no lock is ever stale. The file stays; what it says is for a person.
//!
//! *Invariant:* the text in the file decides nothing.

use super::error::StoreError;
use super::files::flags;
use crate::model::text::escape;
use rustix::fs::{FlockOperation, OFlags, flock};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The name of the lock in a reports folder.
pub(super) const NAME: &str = ".lock";
/// What is read of a holder's words.
const WORDS: u64 = 200;

/// A reports folder that no other run writes; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of a reports folder without waiting; `since` is the time to tell others, RFC 3339.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another run holds it, else what the file system says.
    pub fn acquire(folder: &Path, since: &str) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let open = options.custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK)).open(&path);
        let mut file = open.map_err(StoreError::io(&path, "opened"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut words = Vec::new();
                let read = file.take(WORDS).read_to_end(&mut words);
                let holder = read.ok().map(|_| escape(words.trim_ascii())).filter(|words| !words.is_empty());
                return Err(StoreError::Locked { path, holder });
            }
            Err(errno) => return Err(StoreError::io(&path, "locked")(io::Error::from(errno))),
        }
        let words = format!("pid {}, since {}\n", std::process::id(), escape(since.as_bytes()));
        // Without these words the lock holds all the same, so a full disk must not stop here.
        let _ = file.set_len(0).and_then(|()| file.write_all(words.as_bytes()));
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing gives the lock back; the words of one who is gone would only mislead.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::acquire(folder.path(), "2026-11-21T02:30:04Z").unwrap();
        let error = Lock::acquire(folder.path(), "later").unwrap_err();
        assert!(error.is_retriable());
        let path = folder.path().join(".lock").display().to_string();
        let pid = std::process::id();
        assert_eq!(
            error.to_string(),
            format!("another driftscan run (pid {pid}, since 2026-11-21T02:30:04Z) holds `{path}`")
        );
        drop(first);
        Lock::acquire(folder.path(), "later").unwrap();
    }

    #[test]
    fn a_file_left_by_a_dead_run_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".lock"), "pid 1, since ever\x1b[2J").unwrap();
        let held = Lock::acquire(folder.path(), "now").unwrap();
        let text = std::fs::read_to_string(folder.path().join(".lock")).unwrap();
        assert_eq!(text, format!("pid {}, since now\n", std::process::id()));
        drop(held);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("precious");
        std::fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join(".lock")).unwrap();
        assert!(matches!(Lock::acquire(folder.path(), "now"), Err(StoreError::Io { .. })));
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
    }
}
