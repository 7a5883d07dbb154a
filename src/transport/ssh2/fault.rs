//! What libssh2's error codes mean to a person, given what the watchdog knows and what the server said.
//!
//! *Invariant:* a cut by the watchdog is told as what it is, never as the broken connection that libssh2 saw.

use libssh2_sys as raw;
use ssh2::{Error, ErrorCode, Session};

use super::watchdog::{Breach, Guard};
use crate::model::text::escape;
use crate::transport::{Phase, TransportError};

/// How much of a server's words is shown.
const WORDS_SHOWN: usize = 80;

/// Translates an error of libssh2.
pub(super) fn explain(session: &Session, guard: &Guard, phase: Phase, error: &Error) -> TransportError {
    if let Some(breach) = guard.breach() {
        return breached(breach, phase);
    }
    let ErrorCode::Session(code) = error.code() else {
        return TransportError::Protocol { phase, detail: error.message().to_owned() };
    };
    match code {
        raw::LIBSSH2_ERROR_TIMEOUT | raw::LIBSSH2_ERROR_SOCKET_TIMEOUT => {
            TransportError::Timeout { phase, detail: "nothing came any more".to_owned() }
        }
        raw::LIBSSH2_ERROR_SOCKET_RECV | raw::LIBSSH2_ERROR_SOCKET_DISCONNECT | raw::LIBSSH2_ERROR_SOCKET_SEND => {
            match phase {
                Phase::Resolve | Phase::Connect | Phase::Handshake => turned_away(session),
                Phase::Auth | Phase::Command => {
                    TransportError::Closed { phase, detail: "the server closed the connection".to_owned() }
                }
            }
        }
        // libssh2 says the same of no algorithm in common and of a connection that ended before the server named any.
        raw::LIBSSH2_ERROR_KEX_FAILURE if guard.has_ended() => turned_away(session),
        raw::LIBSSH2_ERROR_CHANNEL_FAILURE
        | raw::LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED
        | raw::LIBSSH2_ERROR_REQUEST_DENIED => {
            TransportError::ExecRefused { detail: "it denied the request".to_owned() }
        }
        raw::LIBSSH2_ERROR_CHANNEL_CLOSED | raw::LIBSSH2_ERROR_CHANNEL_EOF_SENT => {
            TransportError::Closed { phase, detail: "its input was ended already".to_owned() }
        }
        code => TransportError::Protocol { phase, detail: words(code, error.message()) },
    }
}

/// Tells a cut.
pub(super) fn breached(breach: Breach, phase: Phase) -> TransportError {
    match breach {
        Breach::Deadline => TransportError::Timeout { phase, detail: "its deadline passed".to_owned() },
        Breach::Budget { received, budget } => TransportError::Limit { phase, received, budget },
        Breach::GivenUp => TransportError::Closed { phase, detail: "it was given up on this side".to_owned() },
        Breach::Uncounted => TransportError::Here {
            action: "counting a connection's bytes (TCP_INFO)",
            detail: "this kernel does not tell them; Linux 4.1 or later is needed".to_owned(),
        },
    }
}

/// A connection that ended before the session was set up. libssh2 keeps the last line that was no SSH banner.
fn turned_away(session: &Session) -> TransportError {
    let detail = match session.banner_bytes().map(shown) {
        None => "it closed the connection before its banner".to_owned(),
        Some(banner) if banner.starts_with("SSH-") => "it closed the connection during the key exchange".to_owned(),
        Some(said) if is_throttling(&said) => format!("it said \"{said}\""),
        Some(said) => {
            let detail = format!("what answers there does not speak SSH: it said \"{said}\"");
            return TransportError::Protocol { phase: Phase::Handshake, detail };
        }
    };
    TransportError::TurnedAway { attempts: 1, detail }
}

/// sshd(8) writes these in the banner's place: over `MaxStartups`, and for an address under `PerSourcePenalties`.
fn is_throttling(said: &str) -> bool {
    ["Exceeded MaxStartups", "Not allowed at this time"].iter().any(|words| said.starts_with(words))
}

fn shown(bytes: &[u8]) -> String {
    escape(bytes.get(..WORDS_SHOWN).unwrap_or(bytes))
}

fn words(code: i32, message: &str) -> String {
    let meaning = match code {
        raw::LIBSSH2_ERROR_BANNER_RECV => "what came in place of a banner is none",
        raw::LIBSSH2_ERROR_KEX_FAILURE => "no algorithm in common: the server offers only old or unknown ones, or none",
        raw::LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE => "the key exchange did not work out",
        raw::LIBSSH2_ERROR_HOSTKEY_INIT => "the host key can't be read",
        raw::LIBSSH2_ERROR_HOSTKEY_SIGN => "the host could not prove that it holds its host key",
        raw::LIBSSH2_ERROR_INVALID_MAC | raw::LIBSSH2_ERROR_DECRYPT => "a packet was damaged or forged",
        raw::LIBSSH2_ERROR_PROTO | raw::LIBSSH2_ERROR_OUT_OF_BOUNDARY => "a packet breaks the protocol",
        raw::LIBSSH2_ERROR_ALLOC => "a packet asks for more memory than it may",
        _ => return format!("{} (libssh2 {code})", escape(message.as_bytes())),
    };
    format!("{meaning} (libssh2 {code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_known_by_its_words() {
        assert!(is_throttling("Exceeded MaxStartups"));
        assert!(is_throttling("Not allowed at this time"));
        assert!(!is_throttling("HTTP/1.1 400 Bad Request"));
    }

    #[test]
    fn a_servers_words_are_cut_and_escaped() {
        assert_eq!(shown(b"\x1b[2J"), "\\x1b[2J");
        assert_eq!(shown(&[b'a'; 500]).len(), WORDS_SHOWN);
    }
}
