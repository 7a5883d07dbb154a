//! Why the disk does not do what was asked, with what to do about it.
//!
//! *Invariant:* every text is printable, whatever the file it speaks of holds.

use crate::model::RunId;
use crate::model::text::escape;
use crate::report::json::ReadError;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The disk, the file system or the permissions.
    Disk,
    /// Another run is at work.
    Locked,
    /// No such run, or more than one.
    Selection,
    /// A file that is not what it should be.
    Corrupt,
}

/// Why a report, a journal or a lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder for reports cannot be made or written.
    #[error("reports folder `{}` cannot be written: {source}", shown(path))]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Every user of this machine could exchange what is in the folder.
    #[error("reports folder `{}` can be written by every user of this machine", shown(path))]
    OpenToOthers {
        /// The folder.
        path: PathBuf,
    },
    /// Any other failure of the file system.
    #[error("`{}` cannot be {what}: {source}", shown(path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a participle.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Another run holds the lock.
    #[error("another driftscan run{} holds `{}`", holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default(), shown(path))]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// What the holder wrote about itself, `pid 12, since ...`; for a person only.
        holder: Option<String>,
    },
    /// No run of that name.
    #[error("no run `{word}` in `{}`", shown(path))]
    NoRun {
        /// The reports folder.
        path: PathBuf,
        /// What was asked for, escaped.
        word: String,
    },
    /// More than one run begins so.
    #[error("`{word}` is the beginning of {} runs: {}", runs.len(), runs.iter().take(5).map(RunId::as_str).collect::<Vec<_>>().join(" "))]
    Ambiguous {
        /// What was asked for, escaped.
        word: String,
        /// The runs, oldest first.
        runs: Vec<RunId>,
    },
    /// A file larger than any that driftscan writes.
    #[error("`{}` is larger than {cap} bytes", shown(path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        cap: u64,
    },
    /// A report that is none.
    #[error("`{}` is not a report: {source}", shown(path))]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// A plan that is none.
    #[error("`{}` is not a plan: {source}", shown(path))]
    Plan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: crate::report::plan::json::ReadError,
    },
    /// A journal whose beginning is unusable, so that no host of it can be.
    #[error("journal `{}`, line {line}: {why}", shown(path))]
    Journal {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it, escaped.
        why: String,
    },
}

impl StoreError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unwritable { .. } | Self::OpenToOthers { .. } | Self::Io { .. } => Kind::Disk,
            Self::Locked { .. } => Kind::Locked,
            Self::NoRun { .. } | Self::Ambiguous { .. } => Kind::Selection,
            Self::TooLarge { .. } | Self::Report { .. } | Self::Plan { .. } | Self::Journal { .. } => Kind::Corrupt,
        }
    }

    /// Whether the same call may succeed later without anyone's doing.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        self.kind() == Kind::Locked
    }

    /// What to do about it, as something that can be typed or done.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unwritable { path, source } => Some(match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some space there; a finished report is never touched".to_owned()
                }
                io::ErrorKind::ReadOnlyFilesystem => "run driftscan where a reports folder can be written".to_owned(),
                io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                    format!("something else is called that: move `{}` away", shown(path))
                }
                _ => format!("as its owner: mkdir -p -m 0700 '{0}' && chmod u+rwx '{0}'", shown(path)),
            }),
            Self::OpenToOthers { path } => Some(format!("chmod o-w '{}'", shown(path))),
            Self::Io { source, .. } => (source.kind() == io::ErrorKind::StorageFull)
                .then(|| "free some space there; a finished report is never touched".to_owned()),
            Self::Locked { .. } => {
                Some("wait for it to end; the lock goes with its process, so there is nothing to remove".to_owned())
            }
            Self::NoRun { .. } => Some("use `latest`, `previous` or the name of a folder in it".to_owned()),
            Self::Ambiguous { .. } => Some("write more of the name".to_owned()),
            Self::TooLarge { .. } => None,
            Self::Report { path, .. } => Some(format!(
                "what was scanned stands in journal.jsonl beside it: move `{}` away to have it rebuilt from there",
                shown(path)
            )),
            Self::Plan { path, .. } => Some(format!("move `{}` away, and plan again", shown(path))),
            Self::Journal { .. } => Some("nothing of that run can be told; scan again".to_owned()),
        }
    }

    pub(super) fn io(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), what, source }
    }
}

/// A path as printable text.
fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}
