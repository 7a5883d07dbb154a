//! What a platform's script calls, and what stops it.
//!
//! *Invariant:* the calls are compared whole and in order; a stop is judged by what was not called.

use super::stage::{SHELLS, Stage};
use super::world::plan;
use driftscan::plan::Plan;

/// Runs all waves under every shell and compares the calls.
pub(super) fn assert_calls(renderer: &str, plan: &Plan, expected: &[&str]) {
    for shell in SHELLS {
        let ran = Stage::new(renderer, plan, shell).real().run(&["all"]);
        assert!(ran.ok && ran.err.is_empty(), "{shell:?} {} {}", ran.out, ran.err);
        assert_eq!(ran.calls, expected, "{shell:?}");
    }
}

/// Runs one wave with another answer and expects a stop before anything is changed.
pub(super) fn assert_stops(renderer: &str, name: &str, answer: &str, told: &str) {
    for shell in SHELLS {
        let ran = Stage::new(renderer, &plan(renderer), shell).real().answer(name, answer).run(&["all"]);
        assert!(!ran.ok && ran.err.contains(told), "{renderer} {shell:?} {answer}: {} {}", ran.out, ran.err);
        assert_eq!(ran.changes(), [""; 0], "{renderer} {answer}");
    }
}

/// The key that another machine shows.
pub(super) const OTHER_KEY: &str =
    "echo 'x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJa/KTLUvd/9WcAPo6LEKEQDx5RKni5A0CSZrSwIk8Ze'; exit 0";

fn gate(wave: usize) -> [String; 3] {
    let host = format!("healthy web-0{wave} web");
    [format!("driftscan plan status plan.json --fleet hosts.txt --wave {wave}"), host, "healthy web-03 web".into()]
}

/// The gate asks twice: when the machines are new, and after they stood.
pub(super) fn gates(calls: &mut Vec<String>, wave: usize) {
    for _ in 0..2 {
        calls.extend(gate(wave).into_iter().take(1 + wave));
    }
}

pub(super) fn expect(waves: [&[&str]; 2]) -> Vec<String> {
    let mut calls = Vec::new();
    for (wave, own) in (1..).zip(waves) {
        calls.extend(own.iter().map(|call| (*call).to_owned()));
        gates(&mut calls, wave);
    }
    calls
}

pub(super) fn refs(calls: &[String]) -> Vec<&str> {
    calls.iter().map(String::as_str).collect()
}
