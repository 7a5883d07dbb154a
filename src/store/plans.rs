//! The plan that was made of a run, kept beside its report.
//!
//! ```text
//! reports/20261121T023004Z-7c1f/plan.json        the newest plan of that run; appears whole or not at all
//! ```
//!
//! *Invariant:* a plan says nothing that its report does not hold; what a file says is proven by its id and its shape.

use super::error::StoreError;
use super::files;
use super::runs::{REPORT, Runs};
use crate::model::text::hex;
use crate::model::{FleetOutcome, RunId};
use crate::plan::Plan;
use crate::report::json as report;
use crate::report::plan::json;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};

/// The plan's name in a run's folder.
pub const PLAN: &str = "plan.json";

impl Runs {
    /// Where the plan of a run is, or would be.
    #[must_use]
    pub fn plan_path(&self, run: &RunId) -> PathBuf {
        self.path().join(run.as_str()).join(PLAN)
    }

    /// What came of a run, and the SHA-256 of its report's bytes, hexadecimal. A run that left only a journal was cut off;
    /// the digest is then that of the report as it would be written.
    ///
    /// # Errors
    /// As [`Runs::load`].
    pub fn load_digested(&self, run: &RunId) -> Result<(FleetOutcome, String), StoreError> {
        // The journal is read where there is no report, and the report is proven to be of this run, in one place.
        let outcome = self.load(run)?;
        let path = self.path().join(run.as_str()).join(REPORT);
        let digest = match files::digest(&path) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Sha256::digest(written(&outcome)).into()
            }
            other => other?,
        };
        Ok((outcome, hex(&digest)))
    }

    /// The plan to compare with: an earlier one of the same run, else that of the newest run before it.
    ///
    /// # Errors
    /// When the folder or a plan cannot be read, or is none.
    pub fn plan_before(&self, run: &RunId) -> Result<Option<Plan>, StoreError> {
        for earlier in self.list()?.into_iter().rev().filter(|one| one <= run) {
            if let Some(plan) = self.load_plan(&earlier)? {
                return Ok(Some(plan));
            }
        }
        Ok(None)
    }

    /// The plan of a run; `None` where none was made.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn load_plan(&self, run: &RunId) -> Result<Option<Plan>, StoreError> {
        match read_plan(&self.plan_path(run)) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Writes the plan of a run, whole or not at all.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write_plan(&self, plan: &Plan) -> Result<PathBuf, StoreError> {
        let path = self.plan_path(&plan.based_on.run);
        let folder = self.path().join(plan.based_on.run.as_str());
        files::replace(&folder, PLAN, |file| json::write(plan, file)).map_err(StoreError::io(&path, "written"))?;
        Ok(path)
    }
}

/// Reads a plan wherever it is.
///
/// # Errors
/// When it cannot be read or is none.
pub fn read_plan(path: &Path) -> Result<Plan, StoreError> {
    let bytes = files::read(path)?;
    json::read(&bytes).map_err(|source| StoreError::Plan { path: path.to_owned(), source })
}

fn written(outcome: &FleetOutcome) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = report::write(outcome, &mut bytes);
    bytes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::report::plan::samples::{FLEET, SETTINGS, of, report as sample};
    use crate::store::Kind;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn plans_are_kept_by_run_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path()).unwrap();
        let ids = ["20261120T000000Z", "20261121T000000Z", "20261122T000000Z"].map(|time| RunId::new(time, [0, 1]));
        for id in &ids {
            let mut fleet = sample();
            fleet.run = id.clone();
            runs.create(id).unwrap().write_report(&fleet).unwrap();
        }
        assert_eq!(runs.plan_before(&ids[2]).unwrap(), None);
        let (fleet, digest) = runs.load_digested(&ids[1]).unwrap();
        assert_eq!(digest, hex(&Sha256::digest(fs::read(runs.report_path(&ids[1])).unwrap())));
        let plan = of(&fleet, FLEET, SETTINGS, None);
        let path = runs.write_plan(&plan).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(runs.plan_before(&ids[0]).unwrap(), None);
        assert_eq!(runs.plan_before(&ids[1]).unwrap().as_ref(), Some(&plan));
        assert_eq!(runs.plan_before(&ids[2]).unwrap(), Some(plan));
        fs::write(&path, b"{}").unwrap();
        let error = runs.plan_before(&ids[2]).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.to_string().contains("is not a plan") && error.hint().is_some(), "{error}");
    }
}
