//! The plan as something to review and run: a script a platform, and a change ticket.
//!
//! A new platform is one new file that implements `platform::Platform`, with its shell functions beside it under `sh/`,
//! and one line in [`renderers`]. The skeleton of a script (`script`) and the quoter (`quote`) are shared.
//!
//! *Invariant:* the same plan gives the same bytes. Nothing of the plan stands in a script but through the one quoter;
//! what a platform would understand as something else is refused, not repaired.

mod aws_asg;
mod blue_green;
mod calendar;
mod cluster_api;
mod demand;
mod identity;
mod kubectl;
mod markdown;
mod openshift;
mod platform;
mod script;
mod terraform;
mod unrenderable;
mod word;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::io::Write;

use crate::plan::Plan;

pub use unrenderable::{Fault, Unrenderable};

/// A way to lay out a plan.
pub trait Renderer: Sync {
    /// The word of `--format`.
    fn name(&self) -> &'static str;

    /// What it gives, in a line.
    fn what(&self) -> &'static str;

    /// Writes it.
    ///
    /// # Errors
    /// Where the plan lacks what the platform must be told, holds what it would misunderstand, or the writer fails.
    fn render(&self, plan: &Plan, w: &mut dyn Write) -> Result<(), Unrenderable>;
}

/// Every renderer, in the order in which they are told.
#[must_use]
pub fn renderers() -> &'static [&'static dyn Renderer] {
    &[
        &terraform::Terraform,
        &aws_asg::AwsAsg,
        &kubectl::Kubectl,
        &cluster_api::ClusterApi,
        &openshift::Openshift,
        &blue_green::BlueGreen,
        &markdown::Markdown,
    ]
}
