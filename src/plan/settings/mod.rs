//! What the people who run a fleet declare for its replacement: `plan.toml`, schema `driftscan.plan-settings/v1`.
//!
//! ```toml
//! schema  = "driftscan.plan-settings/v1"
//! expires = "24h"
//!
//! [guards]
//! max_group_drift  = "30%"     # a group of which more is drifted is refused
//! require_two_runs = false
//!
//! [default]                    # for what a group does not say
//! max_unavailable = "10%"
//! bake = "30m"
//!
//! [group.web]
//! actuator = "aws-asg"
//! ref      = { asg = "web-prod", region = "eu-west-1" }
//! floor    = 36                # or "90%"
//! windows  = [{ cron = "0 2 * * 1-5", duration = "3h", tz = "UTC" }]
//! ```
//!
//! *Invariant:* takes text and values and returns values; without a file the defaults hold, which replace the least.

mod cron;
mod read;
mod words;

use super::document::{Actuator, Budget, Guards, Window};
use crate::policy::Mistakes;
use std::collections::BTreeMap;

/// The `schema` of a settings' file.
pub const SCHEMA: &str = "driftscan.plan-settings/v1";

/// What is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Seconds after its run in which a plan is good.
    pub expires_seconds: u64,
    /// What holds for every group.
    pub guards: Guards,
    /// For groups that are not named.
    default: Rules,
    /// Of groups that are named, with what the defaults add.
    groups: BTreeMap<String, Rules>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            expires_seconds: 24 * 3600,
            guards: Guards { max_group_drift_percent: 30, require_two_runs: false },
            default: Rules::default(),
            groups: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Reads the text of a settings' file; `name` is the file as messages call it, `groups` those of the fleet.
    ///
    /// # Errors
    /// Every mistake of the file at once, each with its place.
    pub fn parse<'a>(name: &str, text: &str, groups: impl IntoIterator<Item = &'a str>) -> Result<Self, Mistakes> {
        read::settings(name, text, &groups.into_iter().collect())
    }

    /// Settings of values, for tests that make very many.
    #[cfg(test)]
    pub(super) fn of_rules(guards: Guards, groups: BTreeMap<String, Rules>) -> Self {
        Self { guards, groups, ..Self::default() }
    }

    /// What holds for a group.
    #[must_use]
    pub fn of(&self, group: &str) -> &Rules {
        self.groups.get(group).unwrap_or(&self.default)
    }
}

/// What is declared for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What replaces its machines.
    pub actuator: Option<Actuator>,
    /// What names the group to the platform, in the order of the keys.
    pub refs: Vec<(String, String)>,
    /// The least hosts that must serve at any time.
    pub floor: Option<Budget>,
    /// The most hosts of a wave.
    pub max_unavailable: Option<Budget>,
    /// New machines that come before old ones go.
    pub surge: u32,
    /// When waves may begin; empty for any time.
    pub windows: Vec<Window>,
    /// A command that must succeed for a host after its replacement.
    pub health: Option<String>,
    /// Seconds that a new machine may take to be ready.
    pub ready_seconds: u64,
    /// Seconds that a wave must stand before the next begins.
    pub bake_seconds: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            actuator: None,
            refs: Vec::new(),
            floor: None,
            max_unavailable: None,
            surge: 0,
            windows: Vec::new(),
            health: None,
            ready_seconds: 15 * 60,
            bake_seconds: 30 * 60,
        }
    }
}

#[cfg(test)]
mod tests;
