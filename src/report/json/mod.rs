//! The JSON report `driftscan.report/v1`, written and read.
//!
//! One object, each host on a line of its own, and a line feed; equal outcomes give equal bytes, and what is read equals what was written. A
//! subject or path is escaped text (see [`crate::model::text`]), and where its bytes are not UTF-8 they stand beside
//! it in standard base64.
//!
//! *Invariant:* the file's shape lives in `v1` alone; nothing outside this folder sees those types.

mod decode;
mod encode;
pub mod held;
mod rows;
mod unescape;
mod v1;

use crate::model::text::escape;
use crate::model::{FleetOutcome, HostOutcome};
use std::io::{self, BufWriter, Write};

/// The `schema` of a report.
pub const SCHEMA: &str = "driftscan.report/v1";
/// The `version` of a report.
pub const VERSION: u32 = 1;

/// Why bytes are not a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not the shape of a report.
    #[error("line {line}, column {column}: {why}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser said, escaped.
        why: String,
    },
    /// Another kind of document, or a later version of this one.
    #[error("it is of schema `{found}`, and this driftscan reads `{SCHEMA}`")]
    Schema {
        /// What it calls itself, escaped.
        found: String,
    },
    /// A word that is not in its closed list.
    #[error("{place}: `{found}` is no {what}")]
    Word {
        /// The host or the field.
        place: String,
        /// Which list.
        what: &'static str,
        /// The word, escaped.
        found: String,
    },
    /// Two places that must agree do not.
    #[error("{place}: {what}")]
    Inconsistent {
        /// The host or the field.
        place: String,
        /// What disagrees.
        what: &'static str,
    },
}

impl ReadError {
    fn of_json(error: &serde_json::Error) -> Self {
        // The parser's message repeats words of the file.
        Self::Shape { line: error.line(), column: error.column(), why: escape(error.to_string().as_bytes()) }
    }
}

/// Writes the report of a run: JSON, a host a line.
///
/// # Errors
/// When the writer fails.
pub fn write(outcome: &FleetOutcome, w: &mut dyn Write) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(64 * 1024, w);
    encode::report(outcome).write(&mut serde_json::Serializer::with_formatter(&mut buffered, rows::Rows::default()))?;
    buffered.write_all(b"\n")?;
    buffered.flush()
}

/// Reads the report of a run.
///
/// # Errors
/// When the bytes are not a whole report of this schema, or contradict themselves.
pub fn read(bytes: &[u8]) -> Result<FleetOutcome, ReadError> {
    match serde_json::from_slice::<v1::Report>(bytes) {
        Ok(report) => decode::report(report),
        Err(error) => Err(match serde_json::from_slice::<v1::Head>(bytes) {
            // A document of another schema deserves a better answer than its first unknown field.
            Ok(head) if head.schema != SCHEMA => ReadError::Schema { found: escape(head.schema.as_bytes()) },
            Ok(_) | Err(_) => ReadError::of_json(&error),
        }),
    }
}

/// The host object of a report as one line without its line feed, for the journal.
#[must_use]
pub fn host_line(host: &HostOutcome) -> Vec<u8> {
    // Strings, numbers and maps with text keys always serialise.
    serde_json::to_vec(&encode::host(host)).unwrap_or_default()
}

/// Reads what [`host_line`] wrote.
///
/// # Errors
/// When the bytes are not one host object, or it contradicts itself.
pub fn parse_host_line(line: &[u8]) -> Result<HostOutcome, ReadError> {
    let host: v1::Host = serde_json::from_slice(line).map_err(|error| ReadError::of_json(&error))?;
    decode::host(&host)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::report::samples::{any_fleet, any_host, mixed_fleet};
    use proptest::prelude::*;
    use serde_json::Value;

    fn written(outcome: &FleetOutcome) -> Vec<u8> {
        let mut out = Vec::new();
        write(outcome, &mut out).unwrap();
        out
    }

    /// The lines behind the one that begins the hosts: each is a host and what divides it from the next.
    fn host_lines(bytes: &[u8]) -> usize {
        let mut lines = bytes.split(|b| *b == b'\n').skip_while(|line| !line.ends_with(b"\"hosts\":["));
        lines.next();
        let hosts: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
        for line in &hosts {
            let host = line.strip_suffix(b",").or(line.strip_suffix(b"]}")).unwrap();
            assert!(parse_host_line(host).is_ok());
        }
        hosts.len()
    }

    #[test]
    fn the_promised_fields_are_there() {
        let bytes = written(&mixed_fleet());
        assert!(bytes.ends_with(b"}\n"));
        assert_eq!(host_lines(&bytes), 12);
        let report: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(report["schema"], "driftscan.report/v1");
        assert_eq!(report["version"], 1);
        assert_eq!(report["run"], "20261121T023004Z-7c1f");
        for digest in ["tool", "probe", "policy", "inventory", "baselines"] {
            assert!(!report["digests"][digest].is_null(), "{digest}");
        }
        assert_eq!(report["digests"]["baselines"][0]["label"], "web@2026.11.3");
        assert_eq!(report["summary"]["status"], 2);
        assert_eq!(report["summary"]["verdicts"]["clean"], 8);
        assert_eq!(report["summary"]["decisions"]["replace"], 3);
        assert_eq!(report["summary"]["decisions"]["fix-template"], 0);
        let host = &report["hosts"][3];
        for field in ["name", "verdict", "decision", "reasons", "coverage", "collector", "findings"] {
            assert!(host.get(field).is_some(), "{field}");
        }
        let package = report["hosts"][7]["findings"][1].as_object().unwrap();
        assert_eq!(package["subject"], "pkg:nginx:amd64");
        assert_eq!(package["path"], Value::Null);
        assert!(!package.contains_key("path_b64") && !package.contains_key("subject_b64"));
        insta::assert_snapshot!(serde_json::to_string_pretty(&host["findings"][1]).unwrap(), @r#"
        {
          "after": {
            "mode": "0666"
          },
          "before": {
            "mode": "0600"
          },
          "code": "mode-changed",
          "fingerprint": "ef243d794a6dd0e485832d785b8ee7d968edcfd9defb2f36e86b50b6dbcdbc1e",
          "key": "2ca2fb310d147be395d609e121bbeb617b439e5fd04dc01434ff338519823363",
          "kind": "changed",
          "path": "/etc/ssh/sshd_config",
          "severity": "high",
          "subject": "fs:/etc/ssh/sshd_config"
        }
        "#);
    }

    #[test]
    fn a_path_that_is_not_utf8_keeps_its_bytes() {
        let mut fleet = mixed_fleet();
        fleet.hosts[3].findings[0].subject = b"fs:/tmp/\xff\n\\x".to_vec();
        let bytes = written(&fleet);
        let report: Value = serde_json::from_slice(&bytes).unwrap();
        let finding = &report["hosts"][3]["findings"][0];
        assert_eq!(finding["path"], "/tmp/\\xff\\n\\\\x");
        assert_eq!(finding["path_b64"], "L3RtcC//Clx4");
        assert_eq!(finding["subject"], "fs:/tmp/\\xff\\n\\\\x");
        assert!(finding["subject_b64"].is_string());
        assert_eq!(read(&bytes).unwrap(), fleet);
    }

    #[test]
    fn another_schema_is_named() {
        let error = read(br#"{"schema":"driftscan.plan/v1","version":1,"waves":[]}"#).unwrap_err();
        assert_eq!(error, ReadError::Schema { found: "driftscan.plan/v1".into() });
        let later = String::from_utf8(written(&mixed_fleet())).unwrap().replace("report/v1", "report/v2");
        assert_eq!(read(later.as_bytes()).unwrap_err(), ReadError::Schema { found: "driftscan.report/v2".into() });
    }

    #[test]
    fn an_edited_report_is_refused() {
        let text = String::from_utf8(written(&mixed_fleet())).unwrap();
        for (from, to) in [
            (r#""verdict":"drifted""#, r#""verdict":"fine""#),
            (r#""verdict":"drifted""#, r#""verdict":"clean""#),
            (r#""path":"/etc/nginx/nginx.conf""#, r#""path":"/etc/other""#),
            (r#""millis":4"#, r#""extra":1,"millis":4"#),
            (r#""run":"20261121T023004Z-7c1f""#, r#""run":"../../etc""#),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(read(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn the_parsers_message_is_escaped() {
        let error = read(b"{\"\x1b]0;owned\x07\": 1}").unwrap_err();
        assert!(!error.to_string().contains('\x1b'));
        let error = read("{\"schema\":\"driftscan.report/v1\",\"version\":1,\"\u{9b}31m\":2}".as_bytes()).unwrap_err();
        assert!(!error.to_string().contains('\u{9b}'), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn reading_gives_what_was_written(fleet in any_fleet()) {
            let bytes = written(&fleet);
            prop_assert_eq!(host_lines(&bytes), fleet.hosts.len());
            prop_assert_eq!(&read(&bytes).unwrap(), &fleet);
            prop_assert_eq!(written(&read(&bytes).unwrap()), bytes);
        }

        #[test]
        fn a_host_is_one_line(host in any_host()) {
            let line = host_line(&host);
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(parse_host_line(&line).unwrap(), host);
        }

        #[test]
        fn no_damage_panics_and_no_cut_is_read(fleet in any_fleet(), at: prop::sample::Index, byte: u8) {
            let mut bytes = written(&fleet);
            let cut = at.index(bytes.len() - 1);
            prop_assert!(read(&bytes[..cut]).is_err());
            bytes[cut] = byte;
            let _ = read(&bytes);
        }

        #[test]
        fn noise_never_panics(bytes: Vec<u8>, text in r#"[\[\]{}":,0-9a-z\\]{0,200}"#) {
            prop_assert!(read(&bytes).is_err());
            prop_assert!(parse_host_line(text.as_bytes()).is_err());
        }
    }
}
