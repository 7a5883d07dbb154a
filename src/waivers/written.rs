//! A new waiver as text for the end of a `waivers.toml`.
//!
//! *Invariant:* what is written reads back as what was meant, whatever the texts hold.

use super::{Day, SCHEMA, read};
use crate::model::text::hex;
use crate::protocol::Digest;
use std::fmt::Write as _;

/// A waiver to be written.
#[derive(Debug, Clone)]
pub struct NewWaiver<'a> {
    /// Of this difference.
    pub fingerprint: &'a Digest,
    /// What it is, for whoever reads the file.
    pub title: &'a str,
    /// On which hosts it was, for the same.
    pub hosts: &'a str,
    /// Who answers for it.
    pub owner: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The last day.
    pub until: Day,
    /// The most hosts that it may cover.
    pub max_hosts: u64,
}

impl NewWaiver<'_> {
    /// The file with the waiver at its end; every byte that was there stays.
    #[must_use]
    pub fn appended_to(&self, file: &str) -> String {
        let mut out = file.to_owned();
        if out.is_empty() {
            out = format!("schema = \"{SCHEMA}\"\n");
        } else if !out.ends_with('\n') {
            out.push('\n');
        }
        let Self { fingerprint, title, hosts, owner, reason, until, max_hosts } = self;
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "\n# {} on {}\n[[waiver]]\nfingerprint = \"{}\"\nowner = {}\nreason = {}\nuntil = \"{until}\"\nmax_hosts = \
             {max_hosts}\n",
            one_line(title),
            one_line(hosts),
            hex(*fingerprint),
            quoted(owner),
            quoted(reason),
        );
        out
    }
}

/// Reads a day as it is typed: `2026-12-31`.
#[must_use]
pub fn day(text: &str) -> Option<Day> {
    read::day(text)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
