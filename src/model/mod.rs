//! The words of a run: verdicts, reasons, findings, coverage, outcomes.
//!
//! *Invariant:* plain values; nothing here knows a format, a clock or a connection.

pub mod finding;
pub mod fleet;
pub mod line;
pub mod outcome;
pub mod run_id;
pub mod text;
pub mod verdict;
pub mod waiver;

pub use finding::{Attributes, Cause, CauseKind, Change, Class, Code, Finding, Told, WaiverUse};
pub use fleet::{CommonAt, CommonDrift, History, Snowflake, StateAtRisk, StateItem, StateKind};
pub use line::Line;
pub use outcome::{
    BaselineUse, Collector, Digests, Evidence, FleetOutcome, HostCoverage, HostOutcome, Obstacle, Resumed,
    TroubleShown, Wire,
};
pub use run_id::RunId;
pub use verdict::{Decision, Reason, Severity, Verdict};
pub use waiver::{Standing, WaiverState};
