//! Amazon EC2 Auto Scaling: one instance at a time, with the desired capacity kept.
//!
//! *Invariant:* no instance refresh, which passes over the drifted where it skips matching ones; the flag that keeps the
//! capacity always stands in the command.

use super::identity::Identity;
use super::platform::{Call, Part, Platform, call, handle, reference};
use super::word::{self, Word};
use crate::plan::{Actuator, Group, Item};

/// `aws autoscaling terminate-instance-in-auto-scaling-group`.
pub(super) struct AwsAsg;

impl Platform for AwsAsg {
    fn actuator(&self) -> Actuator {
        Actuator::AwsAsg
    }

    fn about(&self) -> &'static str {
        "a script that ends instances of an EC2 Auto Scaling group one by one; the group launches new ones"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["aws"]
    }

    fn functions(&self) -> &'static [&'static str] {
        &[include_str!("sh/identity.sh"), include_str!("sh/aws_asg.sh")]
    }

    fn handles(&self) -> &'static [Word] {
        &[Word {
            key: "instance",
            example: "i-0123456789abcdef0",
            why: "which names the instance",
            fits: word::instance,
        }]
    }

    fn refs(&self) -> &'static [Word] {
        &[
            Word { key: "asg", example: "web-prod", why: "the auto scaling group", fits: word::name },
            Word { key: "region", example: "eu-west-1", why: "which the command would guess", fits: word::region },
        ]
    }

    fn settings(&self, group: &Group) -> Vec<(&'static str, String)> {
        vec![("ASG", reference(group, "asg")), ("REGION", reference(group, "region"))]
    }

    /// An instance id is never given to another machine.
    fn provable(&self, _: &Item, _: &Identity<'_>) -> bool {
        true
    }

    fn verify(&self, item: &Item, identity: &Identity<'_>) -> Vec<Call> {
        let named = [item.host.clone(), handle(item, "instance")];
        vec![call("asg_same", named.into_iter().chain(identity.key_words()))]
    }

    fn replace(&self, part: &Part<'_>) -> Vec<Call> {
        let mut calls = vec![call("asg_ready", [""; 0])];
        calls.extend(part.each(self, |item| vec![call("asg_terminate", [handle(item, "instance")])]));
        calls.push(call("asg_settled", part.items.iter().map(|(item, _)| handle(item, "instance"))));
        calls
    }
}
