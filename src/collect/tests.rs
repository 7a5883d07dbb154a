//! Conversations with hosts in memory: honest ones, broken ones and forgers.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may")]

mod cut_tests;
mod exit_tests;
mod forged_tests;
mod frame_tests;
mod honest_tests;
mod host_tests;
mod noise_tests;

use super::{Ask, Bounds, Failure, Ran, observe};
use crate::drift::{Difference, Found, Observation, Reference, Salted, Versions};
use crate::manifest::{Baseline, Header, Identity, Label, ProjectedSet};
use crate::model::{Image, Reason};
use crate::protocol::request::Limits;
use crate::protocol::{Mask, Record, RuleSet};
use crate::protocol_tests::{file, folder, rules};
use crate::transport::Connection;
use host_tests::{Host, Wire};
use std::sync::{Arc, LazyLock};

const SALT: [u8; 16] = [4; 16];
const NONCE: [u8; 32] = [8; 32];

static RULES: LazyLock<RuleSet> = LazyLock::new(|| rules(&[("/**", Mask::STRICT)]));
static SCOPES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| vec![b"/".to_vec()]);

/// What is asked in these tests.
fn ask() -> Ask<'static> {
    Ask {
        policy: None,
        host: "web-1",
        root: "/",
        live: true,
        sudo: false,
        probe: crate::inventory::ProbeChoice::Stream,
        bounds: Bounds::CAPTURE,
        deadline: std::time::Instant::now() + std::time::Duration::from_secs(60),
        gentle: false,
        limits: Limits::default(),
        scopes: &SCOPES,
        rules: &RULES,
        key: None,
        salt: &SALT,
        nonce: NONCE,
    }
}

/// A machine of so many files, by subject.
fn machine(files: usize) -> Vec<Record> {
    drifted(files, 0)
}

/// That machine where so many files have other content.
fn drifted(files: usize, changed: usize) -> Vec<Record> {
    let file = |n| file(&format!("/f{n}"), if n < changed { 2 } else { 1 });
    let mut records: Vec<Record> = std::iter::once(folder("/")).chain((0..files).map(file)).collect();
    records.sort_by(|a, b| a.subject().cmp(b.subject()));
    records
}

fn debian() -> Identity {
    Identity { os: "debian".to_owned(), os_version: "12".to_owned(), arch: "x86_64".to_owned() }
}

/// A version with these records.
fn reference(serial: u64, records: &[Record]) -> Reference {
    let label = Label::parse(&format!("web@{serial}")).unwrap();
    let header = Header {
        label: label.clone(),
        serial,
        identity: debian(),
        live: true,
        scopes: SCOPES.clone(),
        rules: RULES.clone(),
        texts: None,
        key: None,
        noise: Vec::new(),
        image: Image::default(),
    };
    let baseline = Baseline::new(header, records.to_vec()).unwrap();
    let set = ProjectedSet::new(&baseline, &RULES, &SCOPES, true, None, &crate::policy::witness).unwrap();
    Reference {
        label,
        serial,
        identity: debian(),
        set: Arc::new(Salted::new(set, &SALT)),
        image: Image::default(),
        texts: Arc::default(),
    }
}

/// What one look at a host gives, compared with this machine.
fn look(connection: &mut dyn Connection, base: &[Record]) -> Result<Observation, Failure> {
    let references = Versions::new(vec![reference(1, base)]);
    observe(connection, &Ask { bounds: Bounds::of(&references), ..ask() }, &references, &mut Ran::default())
}

/// What was found out about a host.
fn found(host: &Host, base: &[Record]) -> Result<Found, Failure> {
    look(&mut Wire::to(host), base).map(|observation| observation.found)
}

/// Why nothing was found out: the reason and its words.
fn refused(host: &Host, base: &[Record]) -> (Reason, String) {
    let failure = found(host, base).unwrap_err();
    (failure.reason, failure.text)
}

/// What two machines do not share.
fn difference(before: &[Record], after: &[Record]) -> Difference {
    let only = |these: &[Record], those: &[Record]| {
        let mut only: Vec<Record> = these.iter().filter(|record| !those.contains(record)).cloned().collect();
        only.sort_by(|a, b| a.subject().cmp(b.subject()));
        only
    };
    Difference { removed: only(before, after), added: only(after, before) }
}
