//! Journal and audit trail of a run.
//!
//! *Invariant:* a host is in the journal before anything else happens with it; a full disk never stops the scan.

use super::report::stored;
use super::trouble::Outcome;
use crate::collect::probe_digest;
use crate::model::text::hex;
use crate::model::{FleetOutcome, HostOutcome};
use crate::scan::{Account, Event};
use crate::store::{self, Audit, Contact, Journal, RunFolder, Start, StoreError};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of the run while it goes on, and the first error in keeping it.
pub(super) struct Books {
    journal: Journal,
    audit: Audit,
    error: Option<StoreError>,
    /// Hosts whose installed probe is not the one of this program, by what it says it is; in the order of the names.
    skewed: BTreeMap<String, BTreeSet<String>>,
}

impl Books {
    /// Begins both; hosts that are taken over from an earlier run are the first in the journal.
    pub(super) fn open(folder: &RunFolder, start: &Start, kept: &[HostOutcome]) -> Outcome<Self> {
        let journal = folder.journal(start).map_err(|error| stored(&error))?;
        let audit = folder.audit().map_err(|error| stored(&error))?;
        let begin = store::Event::Begin {
            run: start.run.to_string(),
            at: start.started.clone(),
            tool: start.digests.tool.clone(),
            probe: start.digests.probe.clone(),
            inventory: start.digests.inventory.clone(),
            hosts: start.selected.len() as u64,
            resumed: start.resumed.as_ref().map(|resumed| resumed.run.to_string()),
        };
        audit.record(&begin).map_err(|error| stored(&error))?;
        for host in kept {
            journal.append(host).map_err(|error| stored(&error))?;
        }
        Ok(Self { journal, audit, error: None, skewed: BTreeMap::new() })
    }

    /// Takes down an event.
    pub(super) fn keep(&mut self, event: &Event) {
        if let Event::Finished { outcome, account, .. } = event {
            if let Some(said) = account.said_probe.as_deref().filter(|said| *said != probe_digest()) {
                self.skewed.entry(said.to_owned()).or_default().insert(outcome.name.clone());
            }
            let kept = self.journal.append(outcome).and_then(|()| self.audit.record(&contact(account)));
            // A full disk does not stop the scan: the report is still to be shown.
            if let Err(error) = kept {
                self.error.get_or_insert(error);
            }
        }
    }

    /// An installed probe of another build may be what the image was built with, and it may be anything: the verdicts of
    /// its hosts rest on it, so the report says so.
    pub(super) fn skew_note(&self) -> Option<String> {
        let lines = self.skewed.iter().map(|(said, names)| format!("  sha256:{said} on {}", short(names)));
        let lines: Vec<String> = lines.collect();
        let ours = probe_digest();
        (!lines.is_empty()).then(|| {
            format!(
                "Installed probes of another build than this driftscan's (sha256:{ours}), by their own word:\n{}\n  \
                 driftscan probe export writes this one for the next image",
                lines.join("\n")
            )
        })
    }

    /// Ends both and writes the report.
    pub(super) fn close(mut self, folder: &RunFolder, outcome: &FleetOutcome, status: u8) -> Result<(), StoreError> {
        let end = store::Event::End { run: outcome.run.to_string(), at: jiff::Timestamp::now().to_string(), status };
        let finished = self.journal.finish().and_then(|()| self.audit.record(&end)).and_then(|()| self.audit.finish());
        let written = folder.write_report(outcome);
        match self.error.take() {
            Some(error) => Err(error),
            None => finished.and(written),
        }
    }
}

/// The first names, and how many more.
fn short(names: &BTreeSet<String>) -> String {
    let shown = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(" ");
    if names.len() > 5 { format!("{shown} and {} more", names.len() - 5) } else { shown }
}

fn contact(account: &Account) -> store::Event {
    let digest = |text: &String| hex(&Sha256::digest(text));
    store::Event::Contact(Contact {
        host: account.host.clone(),
        address: account.address.clone(),
        host_key: account.host_key.clone(),
        key_used: account.key_used.clone(),
        sudo: account.sudo,
        command_digest: account.command.as_ref().map(digest),
        probe_digest: account.sent_probe.map(ToOwned::to_owned),
        installed_digest: account.said_probe.clone(),
        request_digest: account.request.clone(),
        // No content is ever asked for yet.
        content_read: Vec::new(),
        sent: account.sent,
        received: account.received,
        exit: (account.end == "ok").then_some(0),
        attempts: account.attempts,
        started: account.started.clone(),
        ended: account.ended.clone(),
    })
}
