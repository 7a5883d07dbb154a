//! How it happened, as far as the host's own logs tell.
//!
//! *Invariant:* evidence is shown and never decides: a host could have written what it likes into its logs.

use super::inquiry::Answers;
use crate::model::{Cause, Finding};

/// Adds the stories of the host's logs to findings and causes.
pub(super) fn tell(findings: &mut [Finding], causes: &mut [Cause], answers: &Answers) {
    let _ = (findings, causes, answers);
}
