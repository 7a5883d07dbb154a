//! Terraform and `OpenTofu`: `plan -replace=ADDRESS -out=FILE`, judged, then applied.
//!
//! *Invariant:* what is applied is the file that was judged; nothing is narrowed by `-target`.

use super::identity::Identity;
use super::platform::{Call, Part, Platform, call, handle, reference};
use super::word::{self, Word};
use crate::plan::{Actuator, Group, Item, Surge};

/// `terraform plan -replace`.
pub(super) struct Terraform;

impl Platform for Terraform {
    fn actuator(&self) -> Actuator {
        Actuator::Terraform
    }

    fn about(&self) -> &'static str {
        "a script that has Terraform or OpenTofu replace resource instances, a plan file a wave"
    }

    /// The program itself is `TERRAFORM`, which may be `tofu`; its first call tells where it is missing.
    fn programs(&self) -> &'static [&'static str] {
        &["mktemp"]
    }

    fn functions(&self) -> &'static [&'static str] {
        &[include_str!("sh/identity.sh"), include_str!("sh/terraform.sh")]
    }

    fn handles(&self) -> &'static [Word] {
        &[
            Word {
                key: "tf",
                example: "aws_instance.web[\"a\"]",
                why: "which names the resource",
                fits: word::address,
            },
            Word { key: "instance", example: "i-0123456789abcdef0", why: "", fits: word::name },
        ]
    }

    fn refs(&self) -> &'static [Word] {
        &[
            Word { key: "dir", example: "infra/prod", why: "", fits: word::path },
            Word { key: "workspace", example: "default", why: "", fits: word::name },
        ]
    }

    fn settings(&self, group: &Group) -> Vec<(&'static str, String)> {
        let or = |key, default: &str| {
            let value = reference(group, key);
            if value.is_empty() { default.to_owned() } else { value }
        };
        vec![("DIR", or("dir", ".")), ("WORKSPACE", or("workspace", "default"))]
    }

    fn remedy(&self) -> &'static str {
        "add instance= in the hosts file, the id that the state has, or scan them directly so that the plan has a host key"
    }

    /// A machine id can't be asked for here.
    fn provable(&self, item: &Item, identity: &Identity<'_>) -> bool {
        identity.has_key() || item.handle.get("instance").is_some()
    }

    fn verify(&self, item: &Item, identity: &Identity<'_>) -> Vec<Call> {
        let mut calls = vec![call("terraform_same", [item.host.clone(), handle(item, "tf"), handle(item, "instance")])];
        if identity.has_key() {
            // The state's names for an address differ from provider to provider: the one of the scan is asked.
            let [port, kind, fingerprint] = identity.key_words();
            calls.push(call("same_key", [item.host.clone(), port, kind, fingerprint, identity.address.to_owned()]));
        }
        calls
    }

    fn replace(&self, part: &Part<'_>) -> Vec<Call> {
        let surge = match part.group.surge {
            Surge::TerminateFirst => "any",
            Surge::ReplaceFirst(_) => "first",
        };
        let addresses = part.items.iter().map(|(item, _)| handle(item, "tf"));
        vec![
            call("terraform_ready", [""; 0]),
            part.verify(),
            call("terraform_replace", std::iter::once(surge.to_owned()).chain(addresses)),
        ]
    }
}
