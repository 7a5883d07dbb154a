//! The folder of reports and the runs in it.
//!
//! *Invariant:* a report under its name is whole; a run without one is told from its journal and called cut off.

use super::audit::Audit;
use super::error::StoreError;
use super::files;
use super::journal::{Contents, Journal, Start};
use super::lock::Lock;
use crate::model::text::escape;
use crate::model::{FleetOutcome, RunId};
use crate::report::json;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The report's name in a run's folder.
pub const REPORT: &str = "report.json";
/// The journal's name in a run's folder.
pub const JOURNAL: &str = "journal.jsonl";
/// The audit trail's name in a run's folder.
pub const AUDIT: &str = "audit.jsonl";

/// A folder of reports.
#[derive(Debug, Clone)]
pub struct Runs {
    path: PathBuf,
}

impl Runs {
    /// Opens the folder for a run, makes it where it is missing, and proves that files can be written in it: a scan of
    /// an hour must not find that out at its end.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] or [`StoreError::OpenToOthers`], each with a hint.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let unwritable = |source| StoreError::Unwritable { path: path.to_owned(), source };
        files::create_folders(path).map_err(unwritable)?;
        let mode = path.metadata().map_err(unwritable)?.permissions().mode();
        // With the sticky bit, as /tmp has it, nobody can exchange what another owns.
        if mode & 0o1002 == 0o002 {
            return Err(StoreError::OpenToOthers { path: path.to_owned() });
        }
        let trial = || -> io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".trial.").tempfile_in(path)?;
            file.write_all(&[0; 4096])?;
            file.as_file().sync_data()
        };
        trial().map_err(unwritable)?;
        Ok(Self::at(path))
    }

    /// The folder for reading alone; nothing is made and nothing is tried.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other runs away until the lock is dropped; `since` is the time to tell them, RFC 3339.
    ///
    /// # Errors
    /// See [`Lock::acquire`].
    pub fn lock(&self, since: &str) -> Result<Lock, StoreError> {
        Lock::acquire(&self.path, since)
    }

    /// Makes the folder of a new run.
    ///
    /// # Errors
    /// When it is there already, or the file system refuses.
    pub fn create(&self, run: &RunId) -> Result<RunFolder, StoreError> {
        let path = self.path.join(run.as_str());
        files::create_folder(&path).map_err(StoreError::io(&path, "created"))?;
        Ok(RunFolder { run: run.clone(), path })
    }

    /// Runs that left a report or a journal, oldest first; none where the folder is not there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<RunId>, StoreError> {
        let error = || StoreError::io(&self.path, "read");
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(other) => return Err(error()(other)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(error())?.file_name();
            let Some(run) = name.to_str().and_then(RunId::parse) else { continue };
            let folder = self.path.join(run.as_str());
            if folder.join(REPORT).is_file() || folder.join(JOURNAL).is_file() {
                runs.push(run);
            }
        }
        runs.sort_unstable();
        Ok(runs)
    }

    /// The run that a word means: `latest`, `previous`, an id, or a beginning that only one id has.
    ///
    /// # Errors
    /// [`StoreError::NoRun`] or [`StoreError::Ambiguous`].
    pub fn resolve(&self, word: &str) -> Result<RunId, StoreError> {
        let mut runs = self.list()?;
        let found = match word {
            "latest" => runs.pop(),
            "previous" => runs.iter().nth_back(1).cloned(),
            "" => None,
            start => {
                runs.retain(|run| run.as_str().starts_with(start));
                if runs.len() > 1 {
                    return Err(StoreError::Ambiguous { word: escape(start.as_bytes()), runs });
                }
                runs.pop()
            }
        };
        found.ok_or_else(|| StoreError::NoRun { path: self.path.clone(), word: escape(word.as_bytes()) })
    }

    /// Where a run's report is, or would be.
    #[must_use]
    pub fn report_path(&self, run: &RunId) -> PathBuf {
        self.path.join(run.as_str()).join(REPORT)
    }

    /// What came of a run: from its report, else from its journal, and then as a run that was cut off.
    ///
    /// # Errors
    /// When neither is there, or what is there cannot be read or is not what was written.
    pub fn load(&self, run: &RunId) -> Result<FleetOutcome, StoreError> {
        let path = self.report_path(run);
        let corrupt = |source| StoreError::Report { path: path.clone(), source };
        let outcome = match files::read(&path) {
            Ok(bytes) => json::read(&bytes).map_err(corrupt)?,
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                self.journal(run)?.into_outcome()
            }
            Err(error) => return Err(error),
        };
        if outcome.run == *run {
            Ok(outcome)
        } else {
            let place = "run".to_owned();
            Err(corrupt(json::ReadError::Inconsistent { place, what: "it is the report of another run" }))
        }
    }

    /// What a run's journal holds.
    ///
    /// # Errors
    /// When it is not there, or its first line is unusable.
    pub fn journal(&self, run: &RunId) -> Result<Contents, StoreError> {
        let path = self.path.join(run.as_str()).join(JOURNAL);
        let bytes = match files::read(&path) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoRun { path: self.path.clone(), word: run.to_string() });
            }
            other => other?,
        };
        Contents::parse(&bytes).map_err(|corrupt| StoreError::Journal { path, line: corrupt.line, why: corrupt.why })
    }
}

/// The folder of a run that is being made.
#[derive(Debug)]
pub struct RunFolder {
    run: RunId,
    path: PathBuf,
}

impl RunFolder {
    /// The run's id.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Where the report is, or will be.
    #[must_use]
    pub fn report_path(&self) -> PathBuf {
        self.path.join(REPORT)
    }

    /// Begins the journal.
    ///
    /// # Errors
    /// When it is there already, or the file system refuses.
    pub fn journal(&self, start: &Start) -> Result<Journal, StoreError> {
        Journal::create(&self.path.join(JOURNAL), start)
    }

    /// Begins the audit trail.
    ///
    /// # Errors
    /// When it is there already, or the file system refuses.
    pub fn audit(&self) -> Result<Audit, StoreError> {
        Audit::create(&self.path.join(AUDIT))
    }

    /// Writes the report, whole or not at all; an older one stays as it is where that fails.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write_report(&self, outcome: &FleetOutcome) -> Result<(), StoreError> {
        files::replace(&self.path, REPORT, |file| json::write(outcome, file))
            .map_err(StoreError::io(&self.report_path(), "written"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::report::samples::mixed_fleet;
    use crate::store::Kind;
    use std::fs;

    fn start(fleet: &FleetOutcome) -> Start {
        Start {
            run: fleet.run.clone(),
            started: fleet.started.clone(),
            selected: fleet.hosts.iter().map(|host| host.name.clone()).collect(),
            baselines: fleet.baselines.clone(),
            digests: fleet.digests.clone(),
            drift_at: fleet.drift_at,
            allow_outdated: fleet.allow_outdated,
            notes: vec![],
            resumed: None,
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(&folder.path().join("deep/reports")).unwrap();
        let fleet = mixed_fleet();
        let run = runs.create(&fleet.run).unwrap();
        run.write_report(&fleet).unwrap();
        run.write_report(&fleet).unwrap();
        assert_eq!(runs.load(&fleet.run).unwrap(), fleet);
        assert_eq!(fs::metadata(run.report_path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path().join("deep/reports")).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(runs.create(&fleet.run).is_err());
    }

    #[test]
    fn a_killed_run_is_told_from_its_journal() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path()).unwrap();
        let fleet = mixed_fleet();
        let run = runs.create(&fleet.run).unwrap();
        let journal = run.journal(&start(&fleet)).unwrap();
        for host in &fleet.hosts[..7] {
            journal.append(host).unwrap();
        }
        drop(journal);
        let path = folder.path().join(fleet.run.as_str()).join(JOURNAL);
        let mut torn = fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"sha256\":\"00");
        fs::write(&path, torn).unwrap();
        let outcome = runs.load(&runs.resolve("latest").unwrap()).unwrap();
        assert_eq!(outcome.hosts, fleet.hosts[..7]);
        assert_eq!((outcome.selected, outcome.interrupted, outcome.status()), (12, Some(9), 137));
        assert!(outcome.notes[0].contains("7 of 12 hosts"));
        assert!(outcome.notes[1].contains("cut off"));
        // What was rebuilt can be written as a report and read again.
        run.write_report(&outcome).unwrap();
        assert_eq!(runs.load(&fleet.run).unwrap(), outcome);
    }

    #[test]
    fn runs_are_found_by_word_id_and_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path()).unwrap();
        assert!(matches!(runs.resolve("latest"), Err(StoreError::NoRun { .. })));
        let mut fleet = mixed_fleet();
        let ids = [("20261120T000000Z", 1), ("20261121T000000Z", 2), ("20261121T000000Z", 0x23)];
        let ids = ids.map(|(time, n)| RunId::new(time, [0, n]));
        for id in &ids {
            fleet.run = id.clone();
            runs.create(id).unwrap().write_report(&fleet).unwrap();
        }
        // An empty folder, a stranger and the lock are no runs.
        runs.create(&RunId::new("20261122T000000Z", [0, 0])).unwrap();
        fs::create_dir(folder.path().join("notes")).unwrap();
        let _lock = runs.lock("now").unwrap();
        assert_eq!(runs.list().unwrap(), ids);
        assert_eq!(runs.resolve("latest").unwrap(), ids[2]);
        assert_eq!(runs.resolve("previous").unwrap(), ids[1]);
        assert_eq!(runs.resolve("20261120").unwrap(), ids[0]);
        assert_eq!(runs.resolve(ids[1].as_str()).unwrap(), ids[1]);
        let error = runs.resolve("20261121").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`20261121` is the beginning of 2 runs: 20261121T000000Z-0002 20261121T000000Z-0023"
        );
        for word in ["", "2027", "../etc", "la\x1btest"] {
            let error = runs.resolve(word).unwrap_err();
            assert_eq!(error.kind(), Kind::Selection);
            assert!(!error.to_string().contains('\x1b') && error.hint().is_some());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found_before_the_scan() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [file.clone(), file.join("reports"), PathBuf::from("/proc/driftscan")] {
            let error = Runs::open(&path).unwrap_err();
            assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
            assert!(error.hint().is_some());
        }
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let error = Runs::open(&open).unwrap_err();
        assert!(matches!(error, StoreError::OpenToOthers { .. }));
        assert_eq!(error.hint().unwrap(), format!("chmod o-w '{}'", open.display()));
        fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
        Runs::open(&open).unwrap();
        assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
    }

    #[test]
    fn corrupt_files_are_errors_with_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path()).unwrap();
        let fleet = mixed_fleet();
        let run = runs.create(&fleet.run).unwrap();
        fs::write(run.report_path(), b"{\"half\":").unwrap();
        let error = runs.load(&fleet.run).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.hint().unwrap().contains("journal.jsonl"));
        fs::remove_file(run.report_path()).unwrap();
        assert!(matches!(runs.load(&fleet.run), Err(StoreError::NoRun { .. })));
        fs::write(folder.path().join(fleet.run.as_str()).join(JOURNAL), b"").unwrap();
        assert!(matches!(runs.load(&fleet.run), Err(StoreError::Journal { line: 1, .. })));
        let mut other = fleet.clone();
        other.run = RunId::new("20261122T000000Z", [0, 0]);
        run.write_report(&other).unwrap();
        assert!(runs.load(&fleet.run).unwrap_err().to_string().contains("another run"));
    }
}
