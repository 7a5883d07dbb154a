//! The audit trail of a run: what driftscan did on each host.
//!
//! One JSON object a line, each with `schema` and `version`, so that a line shipped elsewhere explains itself.
//!
//! *Invariant:* it records what was done, and decides nothing.

use super::error::StoreError;
use super::lines::Lines;
use super::{files, v1};
use std::path::{Path, PathBuf};

/// The `schema` of every line.
pub const SCHEMA: &str = "driftscan.audit/v1";

/// What was done on one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The host's name in the fleet.
    pub host: String,
    /// Where it was dialled: `user@host:port` with what the names resolved to, or the target.
    pub address: String,
    /// The host key that was verified, `SHA256:...` with its type.
    pub host_key: Option<String>,
    /// The key that logged in, `SHA256:...` or the agent's comment.
    pub key_used: Option<String>,
    /// Whether sudo was used.
    pub sudo: bool,
    /// SHA-256 of the command line, hexadecimal.
    pub command_digest: Option<String>,
    /// SHA-256 of the probe that was sent and ran, hexadecimal.
    pub probe_digest: Option<String>,
    /// The SHA-256 that an installed probe gave itself, hexadecimal: a claim of the host.
    pub installed_digest: Option<String>,
    /// SHA-256 of the request, hexadecimal.
    pub request_digest: Option<String>,
    /// Paths whose content came back, escaped.
    pub content_read: Vec<String>,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Exit status of the remote command; negative for a signal, `None` where nothing ran to its end.
    pub exit: Option<i32>,
    /// Connection attempts.
    pub attempts: u32,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub ended: String,
}

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The run begins.
    Begin {
        /// The run's id.
        run: String,
        /// RFC 3339, UTC.
        at: String,
        /// The tool and its digest.
        tool: String,
        /// Digest of the embedded probe, hexadecimal.
        probe: String,
        /// Digest of the fleet as it was selected, hexadecimal.
        inventory: String,
        /// Hosts selected.
        hosts: u64,
        /// The run that this one takes up; its hosts were contacted there.
        resumed: Option<String>,
    },
    /// A host is done, whatever came of it.
    Contact(Contact),
    /// The run ends.
    End {
        /// The run's id.
        run: String,
        /// RFC 3339, UTC.
        at: String,
        /// The exit status.
        status: u8,
    },
}

/// The trail of one run, open for appending from any thread.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    lines: Lines,
}

impl Audit {
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let file = files::create_file(path).map_err(StoreError::io(path, "created"))?;
        Ok(Self { path: path.to_owned(), lines: Lines::new(file) })
    }

    /// Appends an event.
    ///
    /// # Errors
    /// When the disk is full or fails; the trail then lacks the event and is whole otherwise.
    pub fn record(&self, event: &Event) -> Result<(), StoreError> {
        let line = v1::AuditLine { schema: SCHEMA, version: 1, event: shaped(event) };
        serde_json::to_vec(&line)
            .map_err(Into::into)
            .and_then(|line| self.lines.append(&line))
            .map_err(StoreError::io(&self.path, "written"))
    }

    /// Writes everything to the disk; the last call of a run.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn finish(&self) -> Result<(), StoreError> {
        self.lines.sync().map_err(StoreError::io(&self.path, "written"))
    }
}

fn shaped(event: &Event) -> v1::AuditEvent<'_> {
    match event {
        Event::Begin { run, at, tool, probe, inventory, hosts, resumed } => {
            let resumed = resumed.as_deref();
            v1::AuditEvent::Begin { run, at, tool, probe, inventory, hosts: *hosts, resumed }
        }
        Event::Contact(contact) => v1::AuditEvent::Contact(v1::Contact {
            host: &contact.host,
            address: &contact.address,
            host_key: contact.host_key.as_deref(),
            key_used: contact.key_used.as_deref(),
            sudo: contact.sudo,
            command_sha256: contact.command_digest.as_deref(),
            probe_sha256: contact.probe_digest.as_deref(),
            installed_probe_says_sha256: contact.installed_digest.as_deref(),
            request_sha256: contact.request_digest.as_deref(),
            content_read: &contact.content_read,
            sent: contact.sent,
            received: contact.received,
            exit: contact.exit,
            attempts: contact.attempts,
            started: &contact.started,
            ended: &contact.ended,
        }),
        Event::End { run, at, status } => v1::AuditEvent::End { run, at, status: *status },
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_line_explains_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit::create(&path).unwrap();
        let text = |s: &str| s.to_owned();
        let begin = Event::Begin {
            run: text("20261121T023004Z-7c1f"),
            at: text("2026-11-21T02:30:04Z"),
            tool: text("driftscan 0.1.0"),
            probe: text("cd"),
            inventory: text("ab"),
            resumed: None,
            hosts: 1,
        };
        let contact = Contact {
            host: text("web-01"),
            sudo: true,
            content_read: vec![text("/etc/a\\nb")],
            exit: Some(0),
            ..Contact::default()
        };
        audit.record(&begin).unwrap();
        audit.record(&Event::Contact(contact)).unwrap();
        audit.record(&Event::End { run: text("r"), at: text("t"), status: 2 }).unwrap();
        audit.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["schema"] == SCHEMA && line["version"] == 1));
        assert_eq!(lines.iter().map(|line| line["event"].clone()).collect::<Vec<_>>(), ["begin", "contact", "end"]);
        assert_eq!(lines[1]["host"], "web-01");
        assert_eq!(lines[1]["content_read"][0], "/etc/a\\nb");
        assert_eq!(lines[1]["host_key"], Value::Null);
        assert_eq!(lines[2]["status"], 2);
    }
}
