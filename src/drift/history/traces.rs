//! Traces of configuration management: programs that change servers in place leave state behind.
//!
//! *Invariant:* one finding a program and host, of no weight for the verdict; what the golden machine has as well is no
//! trace.

use super::Story;
use super::lines::cut;
use crate::drift::describe::{attributes, fingerprint, key};
use crate::drift::inquiry::Answers;
use crate::drift::reference::Reference;
use crate::model::text::escape;
use crate::model::{Change, Code, Finding, Told};
use crate::policy::Policy;
use crate::protocol::record::RecordWriter;
use crate::protocol::reply::TextState;
use crate::protocol::request::Want;
use crate::protocol::rule::Facts;
use crate::protocol::{Attr, Kind, Mask, Record};
use std::collections::BTreeMap;

/// What each program leaves behind when it ran. Its own files, which a template may ship, are no trace.
const PLACES: [(&str, &str); 22] = [
    ("ansible", "/etc/ansible/facts.d"),
    ("ansible", "/root/.ansible"),
    ("ansible", "/root/.ansible/tmp"),
    ("ansible", "/root/.ansible_async"),
    ("cfengine", "/var/cfengine/promise_summary.log"),
    ("cfengine", "/var/cfengine/state/last_seen"),
    ("cfengine", "/var/lib/cfengine3/promise_summary.log"),
    ("chef", "/etc/chef/client.pem"),
    ("chef", "/var/chef/cache"),
    ("chef", "/var/chef/cache/chef-stacktrace.out"),
    ("chef", "/var/lib/chef/chef-client-running.pid"),
    ("chef", "/var/log/chef/client.log"),
    ("puppet", "/opt/puppetlabs/puppet/cache/state/last_run_summary.yaml"),
    ("puppet", "/opt/puppetlabs/puppet/public/last_run_summary.yaml"),
    ("puppet", "/var/cache/puppet/state/last_run_summary.yaml"),
    ("puppet", "/var/lib/puppet/state/last_run_summary.yaml"),
    ("puppet", "/var/lib/puppet/state/state.yaml"),
    ("salt", "/var/cache/salt/minion/extmods"),
    ("salt", "/var/cache/salt/minion/highstate.cache.p"),
    ("salt", "/var/cache/salt/minion/proc"),
    ("salt", "/var/cache/salt/minion/sls.p"),
    ("salt", "/var/tmp/.root_salt"),
];

/// What is asked of a host that differs.
pub(in crate::drift) fn asked() -> impl Iterator<Item = (Vec<u8>, Want)> {
    PLACES.iter().map(|(_, path)| (path.as_bytes().to_vec(), Want::Stat))
}

/// One finding for each program that was at work on the host.
pub(in crate::drift) fn find(story: &Story, answers: &Answers, selected: &Reference, policy: &Policy) -> Vec<Finding> {
    let rules = policy.compile();
    let all = rules.all();
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (program, path) in PLACES {
        let text = answers.texts.get(&(path.as_bytes().to_vec(), Want::Stat));
        if text.is_none_or(|text| text.state != TextState::Whole) || golden_has(selected, path) {
            continue;
        }
        let facts = Facts { kind: Kind::File, mode: 0o644 };
        let walked = rules.decide(&all, path.as_bytes(), facts, &mut || false).1 != Mask::NONE;
        let whether = if walked { "" } else { " (the policy leaves it out, so the golden machine may have it too)" };
        found.entry(program).or_default().push(format!("there is {path}{whether}"));
    }
    // Ansible becomes root by a shell that says so.
    let by_ansible = |command: &[u8]| {
        [&b"BECOME-SUCCESS-"[..], b"AnsiballZ_", b"/.ansible/tmp/"].iter().any(|word| cut(command, word).is_some())
    };
    if let Some(sudo) = story.people.sudo.iter().rev().find(|sudo| by_ansible(&sudo.command)) {
        let user = escape(super::short(&sudo.user));
        found.entry("ansible").or_default().push(format!("{} ran as root for {user}, by the log of sudo", sudo.time));
    }
    found.into_iter().filter_map(|(program, evidence)| finding(program, evidence, policy)).collect()
}

fn golden_has(selected: &Reference, path: &str) -> bool {
    let subject = [b"fs:", path.as_bytes()].concat();
    selected.set.set.records.binary_search_by(|record| record.subject().cmp(&subject)).is_ok()
}

/// The same for every host on which the program was at work, so that one waiver is enough.
fn finding(program: &str, evidence: Vec<String>, policy: &Policy) -> Option<Finding> {
    let code = Code::ConfigurationManagement;
    let subject = format!("fact:configuration-management.{program}").into_bytes();
    let mut encoded = Vec::new();
    RecordWriter::new(&mut encoded, &subject).present(Attr::Text, b"at work");
    let record = Record::parse(&encoded).ok()?;
    let after = Some(record.view());
    Some(Finding {
        code,
        change: Change::Added,
        severity: policy.severity(code, Change::Added, &subject, None, after),
        fingerprint: fingerprint(code, &subject, None, after, &[Attr::Text]),
        key: key(code, &subject),
        before: attributes(None, &[Attr::Text]),
        after: attributes(after, &[Attr::Text]),
        told: Told {
            title: Some(format!("{program} changes this server in place")),
            explanation: vec![
                "A change made in place is in no template: it is lost with the server, and no other server has it."
                    .to_owned(),
            ],
            evidence,
            ..Told::default()
        },
        cause: None,
        waiver: None,
        subject,
    })
}
