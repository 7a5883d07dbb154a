//! Baselines: their bytes, what is refused, and what today's policy sees of them.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod overlap_tests;
mod projection_tests;
mod refusal_tests;
mod stored_tests;
mod texts_tests;

use super::{Baseline, BaselineError, Header, Identity, Label};
use crate::model::Image;
use crate::protocol::{Mask, Record, RuleSet};
use crate::protocol_tests::{fact, file, folder, mount, package, rules, symlink};
use sha2::{Digest as _, Sha256};

/// The system of every baseline here.
fn debian() -> Identity {
    Identity { os: "debian".to_owned(), os_version: "12".to_owned(), arch: "x86_64".to_owned() }
}

/// A header that captured everything by these rules.
fn header(rules: RuleSet) -> Header {
    Header {
        label: Label::parse("web@1").unwrap(),
        serial: 1,
        identity: debian(),
        live: true,
        scopes: vec![b"/".to_vec()],
        rules,
        texts: None,
        key: None,
        noise: Vec::new(),
        image: Image::default(),
    }
}

/// A baseline of these records, all of them captured as they are.
fn baseline(records: Vec<Record>) -> Baseline {
    Baseline::new(header(rules(&[("/**", Mask::STRICT)])), records).unwrap()
}

/// A machine with one thing of each sort.
fn small() -> Baseline {
    baseline(vec![
        folder("/"),
        folder("/etc"),
        file("/etc/passwd", 1),
        symlink("/etc/mtab", "/proc/mounts"),
        package("bash", "5.2"),
        fact("os.id", "debian"),
        fact("kernel", "6.1"),
        mount("/", "ext4", ""),
    ])
}

/// These lines with a trailer that agrees.
fn sealed(lines: &str, records: usize) -> Vec<u8> {
    let digest = crate::model::text::hex(&Sha256::digest(lines));
    format!("{lines}{{\"records\":{records},\"sha256\":\"{digest}\"}}\n").into_bytes()
}

/// The small baseline's lines, changed, with a trailer that agrees.
fn changed(from: &str, to: &str) -> Result<Baseline, BaselineError> {
    let bytes = String::from_utf8(small().write()).unwrap();
    let lines = &bytes[..=bytes[..bytes.len() - 1].rfind('\n').unwrap()];
    assert!(lines.contains(from), "{from} is not in {lines}");
    let lines = lines.replacen(from, to, 1);
    Baseline::read(&sealed(&lines, lines.lines().count() - 1))
}

fn words_of(result: Result<Baseline, BaselineError>) -> String {
    result.unwrap_err().to_string()
}
