//! Which hosts are to be replaced, in which order, and why the others are not: a proposal that a person approves.
//!
//! *Invariant:* pure. Every drifted or outdated host is planned, deferred or refused, exactly once and with a reason;
//! the same input gives the same plan. Nothing here repairs, and nothing here reaches a platform.

pub mod document;
pub mod planner;
pub mod settings;
pub mod status;

pub use document::{
    Actuator, BasedOn, Budget, Change, Deferred, Group, Guards, Handle, Item, Member, Order, Plan, Refused, Surge,
    Wave, Why, WhyRefused, Window,
};
pub use planner::{Input, Unplannable, plan};
pub use settings::Settings;
