//! The Machine API of `OpenShift`: a Machine is deleted, and its `MachineSet` makes a new one.
//!
//! *Invariant:* a Machine of the control plane, or one that no `MachineSet` owns, is never deleted.

use super::identity::Identity;
use super::platform::{Call, DRAIN, Part, Platform, call, drain, handle, reference};
use super::word::{self, Word};
use crate::plan::{Actuator, Group, Item};

/// `oc delete machine`.
pub(super) struct Openshift;

/// The one namespace that the Machine API works in.
const NAMESPACE: &str = "openshift-machine-api/";

/// `NAME`, or `openshift-machine-api/NAME`.
fn machine(text: &str) -> bool {
    word::object(text.strip_prefix(NAMESPACE).unwrap_or(text))
}

/// `HOST MACHINE`.
fn named(item: &Item) -> [String; 2] {
    let machine = handle(item, "machine");
    [item.host.clone(), machine.strip_prefix(NAMESPACE).unwrap_or(&machine).to_owned()]
}

impl Platform for Openshift {
    fn actuator(&self) -> Actuator {
        Actuator::Openshift
    }

    fn about(&self) -> &'static str {
        "a script that deletes OpenShift Machines which their MachineSet makes anew"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["oc"]
    }

    fn functions(&self) -> &'static [&'static str] {
        &[
            include_str!("sh/identity.sh"),
            include_str!("sh/kube.sh"),
            include_str!("sh/machines.sh"),
            include_str!("sh/openshift.sh"),
        ]
    }

    fn handles(&self) -> &'static [Word] {
        &[Word {
            key: "machine",
            example: "prod-worker-eu-west-1a-abc12",
            why: "which names the Machine",
            fits: machine,
        }]
    }

    fn refs(&self) -> &'static [Word] {
        &[Word { key: "context", example: "prod", why: "the cluster", fits: word::name }, DRAIN]
    }

    fn settings(&self, group: &Group) -> Vec<(&'static str, String)> {
        vec![("CONTEXT", reference(group, "context")), ("DRAIN", drain(group))]
    }

    fn verify(&self, item: &Item, identity: &Identity<'_>) -> Vec<Call> {
        vec![call("machine_same", named(item).into_iter().chain(identity.all_words()))]
    }

    fn replace(&self, part: &Part<'_>) -> Vec<Call> {
        part.each(self, |item| vec![call("machine_delete", named(item))])
    }
}
