//! What ssh's last words mean to a person.
//!
//! *Invariant:* pure; words that are not known lead to the phase they fell in, never to a better verdict; the key that a host
//! showed is ssh's own account of it.

use std::process::ExitStatus;
use std::time::Duration;

use super::client::Client;
use super::log::Log;
use super::route::Route;
use crate::model::text::escape;
use crate::transport::known_hosts::{self, Trust};
use crate::transport::{HostKeyFault, Phase, TransportError};

/// How much of ssh's words is shown.
const WORDS_SHOWN: usize = 200;

/// How ssh ended before the login.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) phase: Phase,
    pub(super) status: ExitStatus,
    pub(super) patience: Duration,
}

/// Explains an ssh that ended before the login.
pub(super) fn explain(route: &Route, client: &Client, end: &End) -> TransportError {
    of_words(route, &client.log, client.said(), end)
}

fn of_words(route: &Route, log: &Log, said: &[u8], end: &End) -> TransportError {
    let has = |text: &str| log.words.iter().find(|line| line.contains(text));
    if has("Host key verification failed").is_some() {
        return host_key(route, log);
    }
    if let Some(detail) = has("Could not resolve hostname") {
        let (host, detail) =
            after(detail, "Could not resolve hostname ").split_once(": ").unwrap_or((&route.host, detail));
        return TransportError::Resolve { host: host.to_owned(), detail: detail.to_lowercase() };
    }
    if has("connect to host").is_some() {
        return unreachable(route, log, end);
    }
    if let Some(line) = has("Permission denied (").or_else(|| has("Too many authentication failures")) {
        let methods = line.split_once("Permission denied (").and_then(|(_, rest)| rest.split_once(')'));
        return TransportError::Auth {
            user: route.user.clone(),
            tried: log.offered.clone(),
            notes: notes(route, log),
            methods: methods.map(|(methods, _)| methods.to_owned()),
        };
    }
    if let Some(line) = has("Unable to negotiate") {
        let detail = line.split_once(": ").map_or(line.as_str(), |(_, detail)| detail);
        return TransportError::Protocol { phase: Phase::Handshake, detail: shown(detail) };
    }
    let silent = ["timed out during banner exchange", "timed out", "Timeout, server"]
        .into_iter()
        .any(|text| has(text).is_some());
    if silent {
        let detail = format!("not within {} s", end.patience.as_secs_f32());
        return TransportError::Timeout { phase: end.phase.max(Phase::Connect), detail };
    }
    let closed =
        ["Connection closed by", "Connection reset by", "Connection closed", "Broken pipe", "Disconnected from"];
    if let Some(line) = closed.into_iter().find_map(has) {
        return cut(route, log, said, end, line);
    }
    if let Some(line) = has("KnownHostsCommand") {
        let fault = HostKeyFault::Unknowable {
            name: route.lookup.as_str().to_owned(),
            source_text: "KnownHostsCommand of ssh_config".to_owned(),
            detail: format!("gives no answer: {}", shown(line)),
        };
        return Box::new(fault).into();
    }
    let last = log.words.iter().rev().find(|line| !line.contains("Connection to "));
    let last = last.or(log.words.last()).map(|line| shown(line));
    let detail =
        last.or_else(|| first_words(said)).unwrap_or_else(|| format!("ssh ended without a word ({})", end.status));
    let of_ours =
        ["Bad configuration option", "bad configuration", "Couldn't open logfile", "Bad owner or permissions"];
    if end.status.code() != Some(255) || of_ours.iter().any(|text| detail.contains(text) || has(text).is_some()) {
        return TransportError::Here { action: "running ssh", detail };
    }
    TransportError::Protocol { phase: end.phase.max(Phase::Handshake), detail }
}

/// No address took the connection.
fn unreachable(route: &Route, log: &Log, end: &End) -> TransportError {
    let each: Vec<&str> = log.words.iter().filter_map(|line| line.strip_prefix("connect to address ")).collect();
    let whys: Vec<&str> = each.iter().filter_map(|line| line.rsplit_once(": ").map(|(_, why)| why)).collect();
    if !whys.is_empty() && whys.iter().all(|why| why.contains("timed out")) {
        let detail = format!("no answer from {} within {} s", route.endpoint, end.patience.as_secs_f32());
        return TransportError::Timeout { phase: Phase::Connect, detail };
    }
    let detail = match (each.as_slice(), whys.as_slice()) {
        ([_], [why]) => why.to_lowercase(),
        ([], _) => {
            let line = log.words.iter().find(|line| line.contains("connect to host"));
            line.and_then(|line| line.rsplit_once(": ")).map_or_else(String::new, |(_, why)| why.to_lowercase())
        }
        _ => each.join("; ").to_lowercase(),
    };
    TransportError::Unreachable { address: route.endpoint.clone(), detail }
}

/// A connection that ended before the login.
fn cut(route: &Route, log: &Log, said: &[u8], end: &End, line: &str) -> TransportError {
    if end.phase >= Phase::Auth {
        return TransportError::Closed { phase: Phase::Auth, detail: shown(line) };
    }
    if let Some(through) = &route.through
        && log.host_key.is_none()
        && log.before_banner.is_empty()
        && let Some(words) = first_words(said)
    {
        return TransportError::Unreachable {
            address: route.endpoint.clone(),
            detail: format!("through {through}: {words}"),
        };
    }
    // sshd(8) writes these in the banner's place: over `MaxStartups`, and for an address under `PerSourcePenalties`.
    let throttled =
        |said: &&String| ["Exceeded MaxStartups", "Not allowed at this time"].iter().any(|text| said.starts_with(text));
    let detail = match (log.before_banner.iter().find(throttled), log.before_banner.first()) {
        (Some(said), _) => format!("it said \"{}\"", shown(said)),
        (None, Some(said)) => {
            let detail = format!(
                "what answers there does not speak SSH: it said \"{}\"",
                said.chars().take(80).collect::<String>()
            );
            return TransportError::Protocol { phase: Phase::Handshake, detail };
        }
        (None, None) => shown(line),
    };
    TransportError::TurnedAway { attempts: 1, detail }
}

/// The host key was refused; the files say why.
fn host_key(route: &Route, log: &Log) -> TransportError {
    let name = route.lookup.as_str().to_owned();
    let Some((kind, fingerprint)) = log.host_key.clone() else {
        let detail = "ssh refused the host key without showing it".to_owned();
        return TransportError::Protocol { phase: Phase::Handshake, detail };
    };
    let revoked = known_hosts::revoked_print(&route.known, &route.lookup, &fingerprint);
    let fault = match (revoked, &route.pin) {
        (Some(known), _) => HostKeyFault::Revoked { name, kind, fingerprint, file: known.file, line: known.line },
        (None, Some(pin)) => {
            let (pin, place) = (pin.clone(), route.place.to_string());
            HostKeyFault::NotThePin { name, kind, fingerprint, pin, place }
        }
        // No key is this one: only what else is known of the host is asked for.
        (None, None) => match known_hosts::ask(&route.known, &route.lookup, &[]) {
            Trust::Changed(known) => HostKeyFault::Changed { name, kind, fingerprint, known },
            Trust::AuthorityOnly(known) => {
                HostKeyFault::AuthorityOnly { name, kind, fingerprint, file: known.file, line: known.line }
            }
            Trust::Unknown | Trust::Known(_) | Trust::Revoked(_)
                if log.words.iter().any(|line| line.contains("host key is known for")) =>
            {
                HostKeyFault::Unknown { name, kind, fingerprint, files: route.known_files.clone() }
            }
            Trust::Unknown | Trust::Known(_) | Trust::Revoked(_) => {
                let told =
                    log.words.iter().filter(|line| !line.starts_with('@') && !line.contains("verification failed"));
                let detail = told.map(|line| shown(line)).collect::<Vec<_>>().join(" ").chars().take(400).collect();
                HostKeyFault::NotAccepted { name, kind, fingerprint, detail }
            }
        },
    };
    Box::new(fault).into()
}

/// Keys that could not be offered, and why.
fn notes(route: &Route, log: &Log) -> Vec<String> {
    let of_keys = ["Load key", "no such identity", "UNPROTECTED", "agent refused", "agent contains no"];
    let told = log.words.iter().filter(|line| of_keys.iter().any(|text| line.contains(text))).map(|line| shown(line));
    route.notes.iter().cloned().chain(told).collect()
}

/// The first line of a proxy's words that says something.
fn first_words(said: &[u8]) -> Option<String> {
    said.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty())
        .map(|line| shown(&escape(line)))
}

fn after<'a>(line: &'a str, text: &str) -> &'a str {
    line.split_once(text).map_or(line, |(_, rest)| rest)
}

fn shown(words: &str) -> String {
    words.chars().take(WORDS_SHOWN).collect()
}
