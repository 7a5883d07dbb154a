//! ssh's own log, which comes over a pipe that neither the host nor a proxy can write to.
//!
//! Only messages of chosen functions are asked for beside errors (`LogVerbose`), so that no text of the server's choosing is
//! in it before the host key is verified, and none before the login but what ends it. Each chosen message carries the
//! function and ssh's process id; the texts are those of OpenSSH 8.7 to 10.
//!
//! *Invariant:* pure; what is not understood is kept as words and means nothing, so that a newer ssh tells less, never wrong.

use std::net::SocketAddr;

use crate::model::text::escape;

/// The functions whose messages are asked for, as `LogVerbose` takes them.
pub(super) const VERBOSE: &str = "*:ssh_connect_direct():*,*:kex_exchange_identification():*,*:verify_host_key():*,\
    *:check_host_key():*,*:input_userauth_service_accept():*,*:userauth_pubkey():*,*:input_userauth_pk_ok():*,\
    *:sign_and_send_pubkey():*,*:ssh_userauth2():*";
/// How many messages are kept, and how much of each.
const MOST_LINES: usize = 64;
const LONGEST_LINE: usize = 1_024;

/// What a message brought to light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// It dials this address.
    Connecting(SocketAddr),
    /// TCP is connected.
    Connected,
    /// The host showed this key, which is being verified.
    KeyShown,
    /// The login begins.
    KeyAccepted,
    /// The login is through.
    LoggedIn,
}

/// What ssh told so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// ssh's process id.
    id: u32,
    partial: Vec<u8>,
    address: Option<SocketAddr>,
    /// Type and fingerprint of the key the host showed first.
    pub(super) host_key: Option<(String, String)>,
    /// What vouches for it.
    pub(super) vouched: Option<String>,
    /// Keys that were offered, for people.
    pub(super) offered: Vec<String>,
    accepted: Option<(String, String)>,
    trying: Option<String>,
    method: Option<String>,
    /// What stood where the server's banner should.
    pub(super) before_banner: Vec<String>,
    /// Everything that is no message of a chosen function, escaped: errors, mostly.
    pub(super) words: Vec<String>,
}

impl Log {
    /// Of an ssh with this process id.
    pub(super) fn of(id: u32) -> Self {
        Self { id, ..Self::default() }
    }

    /// The address that was dialled last.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The key that logged in as `SHA256:... (where it came from)`, or the method where it was none.
    pub(super) fn key_used(&self) -> Option<String> {
        match self.method.as_deref() {
            Some("publickey") => {
                let (fingerprint, source) = self.accepted.as_ref()?;
                Some(format!("{fingerprint} ({source})"))
            }
            method => method.map(str::to_owned),
        }
    }

    /// Takes bytes in and tells what they bring to light.
    pub(super) fn feed(&mut self, bytes: &[u8], signs: &mut Vec<Sign>) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.partial);
                    let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
                    self.line(&line, signs);
                }
                _ if self.partial.len() < LONGEST_LINE => self.partial.push(*byte),
                _ => {}
            }
        }
    }

    /// Keeps words, up to a number.
    fn note(&mut self, words: &str) {
        if self.words.len() < MOST_LINES {
            self.words.push(escape(words.as_bytes()));
        }
    }

    /// Keeps a key that was offered, likewise.
    fn offer(&mut self, key: String) {
        if self.offered.len() < MOST_LINES {
            self.offered.push(key);
        }
    }

    fn line(&mut self, line: &str, signs: &mut Vec<Sign>) {
        match tagged(line, self.id) {
            Some((function, text)) => self.message(function, text, signs),
            None if !line.is_empty() => {
                if let Some(rest) = line.strip_prefix("Warning: Permanently added ") {
                    self.vouched = Some(format!("the list of known hosts, added now ({})", escape(rest.as_bytes())));
                }
                self.note(line);
            }
            None => {}
        }
    }

    fn message(&mut self, function: &str, text: &str, signs: &mut Vec<Sign>) {
        match function {
            "ssh_connect_direct" => {
                if let Some(address) = text.strip_prefix("Connecting to ").and_then(address) {
                    self.address = Some(address);
                    signs.push(Sign::Connecting(address));
                } else if text.starts_with("Connection established") {
                    signs.push(Sign::Connected);
                } else {
                    self.note(text);
                }
            }
            "kex_exchange_identification" => match text.strip_prefix("banner line ") {
                Some(line) if self.before_banner.len() < MOST_LINES => {
                    let said = line.split_once(": ").map_or(line, |(_, said)| said);
                    self.before_banner.push(escape(said.as_bytes()));
                }
                None if text.starts_with("Local version") || text.starts_with("Remote protocol version") => {}
                None => self.note(text),
                Some(_) => {}
            },
            "verify_host_key" => {
                let shown =
                    text.strip_prefix("Server host key: ").or_else(|| text.strip_prefix("Server host certificate: "));
                match shown.and_then(key) {
                    Some(key) if self.host_key.is_none() => {
                        self.host_key = Some(key);
                        signs.push(Sign::KeyShown);
                    }
                    _ => self.note(text),
                }
            }
            "check_host_key" => match text.strip_prefix("Found key in ").or(text.strip_prefix("Found CA key in ")) {
                Some(place) => self.vouched = Some(escape(place.as_bytes())),
                None => self.note(text),
            },
            "input_userauth_service_accept" => signs.push(Sign::KeyAccepted),
            "userauth_pubkey" => {
                if let Some(identity) = text.strip_prefix("Offering public key: ") {
                    let (fingerprint, source) = identity_of(identity);
                    self.offer(format!("{fingerprint} ({source}) was refused"));
                } else if let Some(path) = text.strip_prefix("Trying private key: ") {
                    self.trying = Some(escape(path.as_bytes()));
                }
            }
            "input_userauth_pk_ok" => {
                if let Some(identity) = text.strip_prefix("Server accepts key: ") {
                    self.accepted = Some(identity_of(identity));
                    self.trying = None;
                }
            }
            "sign_and_send_pubkey" => {
                let fingerprint = text.split_whitespace().find(|word| word.starts_with("SHA256:"));
                if let (Some(path), Some(fingerprint)) = (self.trying.take(), fingerprint) {
                    self.offer(format!("{fingerprint} ({path}) was refused"));
                    self.accepted = Some((fingerprint.to_owned(), path));
                } else if text.contains("refused") || text.contains("failed") {
                    self.offer(escape(text.as_bytes()));
                }
            }
            "ssh_userauth2" => {
                if let Some((_, method)) =
                    text.strip_prefix("Authenticated to ").and_then(|text| text.split_once(" using \""))
                {
                    self.method = Some(escape(method.trim_end_matches('.').trim_end_matches('"').as_bytes()));
                    signs.push(Sign::LoggedIn);
                }
            }
            _ => {}
        }
    }
}

/// The function and the text of a message, where it is one of this ssh: `debug1: FILE:FUNCTION():LINE (pid=ID): TEXT`.
fn tagged(line: &str, id: u32) -> Option<(&str, &str)> {
    let rest = match line.strip_prefix("debug") {
        Some(rest) => rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(": ")?,
        None => line,
    };
    let (file, rest) = rest.split_once(':')?;
    let (function, rest) = rest.split_once("():")?;
    let (number, rest) = rest.split_once(" (")?;
    let (mark, text) = rest.split_once("): ")?;
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let own = mark.rsplit_once("pid=").and_then(|(_, pid)| pid.parse().ok()) == Some(id);
    let sound = file.strip_suffix(".c").is_some_and(plain) && plain(function) && number.parse::<u32>().is_ok();
    (own && sound).then_some((function, text))
}

/// `NAME [ADDRESS] port PORT.`
fn address(text: &str) -> Option<SocketAddr> {
    let (_, rest) = text.rsplit_once(" [")?;
    let (address, port) = rest.split_once("] port ")?;
    // An address of a link has the link's name behind it.
    let address = address.split('%').next()?;
    Some(SocketAddr::new(address.parse().ok()?, port.trim_end_matches('.').parse().ok()?))
}

/// `TYPE SHA256:...`, and for a certificate more behind a comma.
fn key(text: &str) -> Option<(String, String)> {
    let mut words = text.split_whitespace();
    let kind = words.next()?;
    let fingerprint = words.next()?.trim_end_matches(',');
    let sound = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    let known = sound(kind) && sound(fingerprint) && fingerprint.starts_with("SHA256:");
    known.then(|| (kind.to_owned(), fingerprint.to_owned()))
}

/// `FILE TYPE SHA256:... [explicit] [token|authenticator] [agent]` as fingerprint and source. Without a fingerprint the file
/// stands in its place.
fn identity_of(text: &str) -> (String, String) {
    let Some((before, after)) = text.rsplit_once(" SHA256:") else {
        return (escape(text.as_bytes()), "key".to_owned());
    };
    let mut notes = after.split_whitespace();
    let fingerprint = format!("SHA256:{}", escape(notes.next().unwrap_or_default().as_bytes()));
    let notes: Vec<&str> = notes.collect();
    let file = before.rsplit_once(' ').map_or(before, |(file, _)| file);
    let source = if notes.contains(&"agent") { "agent".to_owned() } else { escape(file.as_bytes()) };
    (fingerprint, source)
}
