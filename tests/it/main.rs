//! The integration tests: the real binary against real OpenSSH servers on loopback, each host a folder of its own.
//!
//! *Invariant:* nothing here is skipped. What a test needs and does not find makes it fail with what to install; what only
//! root can set up is narrowed to what an ordinary user can, never passed over in silence.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod lab;

mod attacker;
mod baseline;
mod bootstrap;
mod broken_answers;
mod budget;
mod census;
mod corpus;
mod doctor;
mod drift;
mod faults;
mod floors;
mod host_keys;

mod host_values;
mod hosts_file;
mod installed;
mod jump;
mod killed;
mod lab_itself;
mod limits;
mod login;
mod mounts;
mod odd_names;
mod openssh;
mod package_bounds;
mod package_causes;
mod package_proofs;
mod package_systems;
mod packages;
mod plan;
mod plan_scripts;
mod plan_status;
mod policy;
mod racing;
mod read_only;
mod resume;
mod running;
mod secrets;
mod sh_fallback;
mod siblings;
mod simulated_fleet;
mod state;
mod story;
mod unreadable;
mod verdicts;
mod version_order;
mod versions;
mod waivers;
