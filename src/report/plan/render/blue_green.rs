//! Blue and green: a second group is built, proven, and switched to; the first stays for the way back.
//!
//! *Invariant:* nothing is switched to that driftscan did not find clean to the last host, and no machine is ended.

use super::identity::Identity;
use super::platform::{Call, Part, Platform, call, reference};
use super::word::{self, Word};
use crate::plan::{Actuator, Group, Item};

/// Build, prove, switch, keep.
pub(super) struct BlueGreen;

const NONE: [&str; 0] = [];

impl Platform for BlueGreen {
    fn actuator(&self) -> Actuator {
        Actuator::BlueGreen
    }

    fn about(&self) -> &'static str {
        "a script that builds a second group, proves all of it clean, switches to it, and keeps the first"
    }

    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn functions(&self) -> &'static [&'static str] {
        &[include_str!("sh/blue_green.sh")]
    }

    /// Hosts are not replaced one by one: none has to be named.
    fn handles(&self) -> &'static [Word] {
        &[]
    }

    fn refs(&self) -> &'static [Word] {
        &[
            Word { key: "green", example: "green-hosts.txt", why: "the hosts file of the new group", fits: word::path },
            Word { key: "build", example: "./build-green", why: "which builds the new group", fits: word::command },
            Word { key: "switch", example: "./to-green", why: "which moves the traffic", fits: word::command },
            Word { key: "rollback", example: "./to-blue", why: "which moves it back", fits: word::command },
            Word { key: "target", example: "ami-0123", why: "", fits: word::path },
        ]
    }

    fn settings(&self, group: &Group) -> Vec<(&'static str, String)> {
        vec![
            ("GREEN_FLEET", reference(group, "green")),
            ("LEAST", group.floor.max(1).to_string()),
            ("BUILD", reference(group, "build")),
            ("SWITCH", reference(group, "switch")),
            ("ROLLBACK", reference(group, "rollback")),
            ("TARGET", reference(group, "target")),
        ]
    }

    /// No machine is ended, so that none can be the wrong one.
    fn provable(&self, _: &Item, _: &Identity<'_>) -> bool {
        true
    }

    fn verify(&self, _: &Item, _: &Identity<'_>) -> Vec<Call> {
        Vec::new()
    }

    /// The first wave of a group moves all of it; the others have nothing left.
    fn replace(&self, part: &Part<'_>) -> Vec<Call> {
        if part.wave.number == part.first {
            vec![call("green_build", NONE), call("green_switch", NONE)]
        } else {
            Vec::new()
        }
    }

    fn gate(&self, part: &Part<'_>) -> Vec<Call> {
        if part.wave.number == part.first {
            vec![call("green_stands", NONE)]
        } else {
            vec![call("green_already", [part.first.to_string()])]
        }
    }

    fn back(&self, part: &Part<'_>) -> Vec<Call> {
        if part.wave.number == part.first { vec![call("green_rollback", NONE)] } else { Vec::new() }
    }
}
