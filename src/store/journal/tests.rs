//! Journals written, cut, changed and read back.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::report::samples::{any_host, mixed_fleet};
use proptest::prelude::*;

fn start_of(fleet: &FleetOutcome) -> Start {
    Start {
        run: fleet.run.clone(),
        started: fleet.started.clone(),
        selected: fleet.hosts.iter().map(|host| host.name.clone()).collect(),
        baselines: fleet.baselines.clone(),
        digests: fleet.digests.clone(),
        drift_at: fleet.drift_at,
        allow_outdated: fleet.allow_outdated,
        notes: vec!["a note".into()],
        resumed: fleet.resumed.clone(),
    }
}

/// The bytes of a journal whose hosts were done in the opposite order.
fn journal(fleet: &FleetOutcome) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = Journal::create(&path, &start_of(fleet)).unwrap();
    for host in fleet.hosts.iter().rev() {
        journal.append(host).unwrap();
    }
    journal.finish().unwrap();
    std::fs::read(&path).unwrap()
}

#[test]
fn what_was_journaled_is_read_in_the_order_of_the_fleet() {
    let mut fleet = mixed_fleet();
    fleet.digests.waivers = "45".repeat(32);
    let bytes = journal(&fleet);
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        assert!(serde_json::from_slice::<serde_json::Value>(line).unwrap()["sha256"].is_string());
    }
    let contents = Contents::parse(&bytes).unwrap();
    assert_eq!(contents.start, start_of(&fleet));
    assert_eq!(contents.hosts, fleet.hosts);
    assert!(!contents.torn && contents.corrupt.is_empty());
    // What was accepted is not known before a run's end, so a run that was killed accepts nothing.
    let told = contents.into_outcome();
    assert!(told.waivers.is_empty() && told.notes.iter().any(|note| note.starts_with("Waivers are applied")));
}

#[test]
fn a_cut_at_any_byte_loses_one_host_at_most() {
    let bytes = journal(&mixed_fleet());
    let first = bytes.iter().position(|b| *b == b'\n').unwrap();
    for cut in (first + 1..bytes.len()).step_by(7) {
        let contents = Contents::parse(&bytes[..cut]).unwrap();
        let feeds = bytes[..cut].split(|b| *b == b'\n').count() - 2;
        // A last line that lacks nothing but its line feed is whole.
        assert!(contents.hosts.len() == feeds || contents.hosts.len() == feeds + 1, "{cut}");
        assert_eq!(contents.torn, contents.hosts.len() == feeds && bytes[cut - 1] != b'\n', "{cut}");
        assert!(contents.corrupt.is_empty());
    }
    for cut in 0..first {
        assert_eq!(Contents::parse(&bytes[..cut]).unwrap_err().line, 1);
    }
}

#[test]
fn a_changed_line_costs_its_host_and_is_named() {
    let fleet = mixed_fleet();
    let text = String::from_utf8(journal(&fleet)).unwrap();
    // The second line is the last host's.
    let changed = text.replacen("\"name\":\"edge-01\"", "\"name\":\"web-01x\"", 1).replacen("web-01x", "edge-02", 1);
    let contents = Contents::parse(changed.as_bytes()).unwrap();
    assert_eq!(
        contents.corrupt,
        [Corrupt { line: 2, why: "its digest does not hold: it was cut off or changed".into() }]
    );
    assert_eq!(contents.hosts, fleet.hosts[..11]);
    let outcome = contents.into_outcome();
    assert_eq!((outcome.selected, outcome.hosts.len(), outcome.status()), (12, 11, 137));
    assert_eq!(outcome.notes.len(), 3);
    assert!(outcome.notes[2].starts_with("journal.jsonl, line 2: its digest"), "{:?}", outcome.notes);
}

#[test]
fn a_host_that_was_not_selected_is_refused() {
    let fleet = mixed_fleet();
    let mut stranger = fleet.hosts[0].clone();
    stranger.name = "stranger\x1b".into();
    let line = [b"\"after_ms\":1,\"host\":", &*host_line(&stranger), b"}"].concat();
    let bytes = [journal(&fleet), guarded(&line), b"\n".to_vec()].concat();
    let contents = Contents::parse(&bytes).unwrap();
    assert_eq!(contents.corrupt, [Corrupt { line: 14, why: "host stranger\\x1b was not selected".into() }]);
}

#[test]
fn the_later_answer_of_a_host_counts() {
    let fleet = mixed_fleet();
    let mut again = fleet.hosts[0].clone();
    again.address = "later".into();
    let line = [b"\"after_ms\":123456,\"host\":", &*host_line(&again), b"}"].concat();
    let bytes = [journal(&fleet), guarded(&line), b"\n".to_vec()].concat();
    let contents = Contents::parse(&bytes).unwrap();
    assert_eq!(contents.hosts[0], again);
    assert_eq!((contents.hosts.len(), contents.millis), (12, 123_456));
}

#[test]
fn another_schema_is_refused() {
    let start = serde_json::to_string(&shaped(&start_of(&mixed_fleet()))).unwrap().replace("journal/v1", "journal/v2");
    let bytes = guarded(format!("\"start\":{start}}}").as_bytes());
    assert!(Contents::parse(&bytes).unwrap_err().why.contains("driftscan.journal/v2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn noise_never_panics(bytes: Vec<u8>, host in any_host(), at: prop::sample::Index, byte: u8) {
        prop_assert!(Contents::parse(&bytes).is_err());
        let mut fleet = mixed_fleet();
        fleet.hosts = vec![host];
        let mut bytes = journal(&fleet);
        prop_assert_eq!(&Contents::parse(&bytes).unwrap().hosts, &fleet.hosts);
        let at = at.index(bytes.len());
        let before = std::mem::replace(&mut bytes[at], byte);
        if let Ok(contents) = Contents::parse(&bytes) {
            // A changed byte never yields another host.
            prop_assert!(contents.hosts.is_empty() || contents.hosts == fleet.hosts);
            prop_assert!(before == byte || at == bytes.len() - 1 || contents.torn || !contents.corrupt.is_empty());
        }
    }
}
