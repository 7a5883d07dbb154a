//! A Kubernetes node and the machine behind it: cordon, drain, end the machine, delete the node.
//!
//! *Invariant:* a group that does not say how its machines are ended is refused: deleting a Node leaves its machine
//! running, with the drift that it has.

use super::identity::Identity;
use super::platform::{Call, DRAIN, Part, Platform, call, drain, handle, reference};
use super::word::{self, Word};
use crate::plan::{Actuator, Group, Item};

/// `kubectl drain`, and the operator's command for the machine.
pub(super) struct Kubectl;

impl Platform for Kubectl {
    fn actuator(&self) -> Actuator {
        Actuator::Kubectl
    }

    fn about(&self) -> &'static str {
        "a script that drains nodes and ends the machines behind them by a command of yours"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["kubectl"]
    }

    fn functions(&self) -> &'static [&'static str] {
        &[include_str!("sh/identity.sh"), include_str!("sh/kube.sh"), include_str!("sh/kubectl.sh")]
    }

    fn handles(&self) -> &'static [Word] {
        &[
            Word { key: "node", example: "ip-10-0-0-1.example", why: "which names the node", fits: word::object },
            Word { key: "instance", example: "i-0123456789abcdef0", why: "", fits: word::name },
        ]
    }

    fn refs(&self) -> &'static [Word] {
        &[
            Word { key: "context", example: "prod", why: "the cluster", fits: word::name },
            Word {
                key: "machine_command",
                example: "./end-machine \\\"$INSTANCE\\\"",
                why: "and `kubectl delete node` does not end the machine behind a node",
                fits: word::command,
            },
            DRAIN,
        ]
    }

    fn settings(&self, group: &Group) -> Vec<(&'static str, String)> {
        vec![
            ("CONTEXT", reference(group, "context")),
            ("MACHINE_COMMAND", reference(group, "machine_command")),
            ("DRAIN", drain(group)),
        ]
    }

    fn verify(&self, item: &Item, identity: &Identity<'_>) -> Vec<Call> {
        let named = [item.host.clone(), handle(item, "node")];
        vec![call("node_same", named.into_iter().chain(identity.all_words()))]
    }

    fn replace(&self, part: &Part<'_>) -> Vec<Call> {
        part.each(self, |item| {
            let instance = item.handle.get("instance").unwrap_or_default().to_owned();
            vec![call("node_replace", [item.host.clone(), handle(item, "node"), instance])]
        })
    }
}
