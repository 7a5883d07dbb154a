//! What stays on the controller's disk: a folder a run with its report, its journal and its audit trail.
//!
//! ```text
//! reports/.lock                                  held while a run scans
//! reports/20261121T023004Z-7c1f/report.json      the truth; appears whole or not at all
//! reports/20261121T023004Z-7c1f/journal.jsonl    each host the moment it is done
//! reports/20261121T023004Z-7c1f/audit.jsonl      what was done on each host
//! reports/20261121T023004Z-7c1f/plan.json        which hosts are to be replaced, where that was asked
//! ```
//!
//! *Invariant:* folders are 0700 and files 0600 from the moment they exist; what a file says is never trusted.

pub mod audit;
pub mod baselines;
pub mod capture_v1;
pub mod error;
pub mod export;
mod files;
pub mod journal;
mod lines;
pub mod lock;
pub mod plans;
pub mod runs;
mod saved;
mod v1;

pub use audit::{Audit, Contact, Event};
pub use baselines::{Baselines, BaselinesError};
pub use error::{Kind, StoreError};
pub use export::{Export, export};
pub use journal::{Contents, Corrupt, Journal, Start};
pub use lock::Lock;
pub use plans::read_plan;
pub use runs::{RunFolder, Runs};
