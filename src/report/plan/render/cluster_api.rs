//! Cluster API: a Machine that its health check remediates, so that its owner makes a new one.
//!
//! *Invariant:* a Machine that no check watches, or whose check acts on none now, stops the script before it is
//! annotated.

use super::identity::Identity;
use super::platform::{Call, DRAIN, Part, Platform, call, drain, handle, reference};
use super::word::{self, Word};
use crate::plan::{Actuator, Group, Item};

/// The annotation `cluster.x-k8s.io/remediate-machine`.
pub(super) struct ClusterApi;

/// `HOST NAMESPACE MACHINE`.
fn named(item: &Item) -> Vec<String> {
    let machine = handle(item, "machine");
    let (namespace, name) = machine.split_once('/').unwrap_or_default();
    vec![item.host.clone(), namespace.to_owned(), name.to_owned()]
}

impl Platform for ClusterApi {
    fn actuator(&self) -> Actuator {
        Actuator::ClusterApi
    }

    fn about(&self) -> &'static str {
        "a script that has Cluster API Machines remediated by the MachineHealthCheck that watches them"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["kubectl"]
    }

    fn functions(&self) -> &'static [&'static str] {
        &[include_str!("sh/identity.sh"), include_str!("sh/machines.sh"), include_str!("sh/cluster_api.sh")]
    }

    fn handles(&self) -> &'static [Word] {
        &[Word { key: "machine", example: "default/web-abc12", why: "which names the Machine", fits: word::namespaced }]
    }

    fn refs(&self) -> &'static [Word] {
        &[Word { key: "context", example: "management", why: "the management cluster", fits: word::name }, DRAIN]
    }

    fn settings(&self, group: &Group) -> Vec<(&'static str, String)> {
        vec![("CONTEXT", reference(group, "context")), ("DRAIN", drain(group))]
    }

    fn verify(&self, item: &Item, identity: &Identity<'_>) -> Vec<Call> {
        vec![call("machine_same", named(item).into_iter().chain(identity.all_words()))]
    }

    fn replace(&self, part: &Part<'_>) -> Vec<Call> {
        part.each(self, |item| vec![call("machine_remediate", named(item))])
    }
}
