//! The login: keys in their order, a bounded number of them, and an error that says what was tried.
//!
//! *Invariant:* called only after the host key was accepted; never asks for or sends a password.

use std::path::Path;

use libssh2_sys as raw;
use ssh2::{Agent, Error, ErrorCode, Session};

use super::fault;
use super::route::{Credential, Route};
use super::watchdog::Guard;
use crate::model::text::escape;
use crate::sys;
use crate::transport::{Phase, TransportError};

/// sshd closes the connection after six failures (`MaxAuthTries`).
const MOST_TRIES: usize = 5;

/// Logs in; returns the key that did it, as `SHA256:... (where it came from)`.
pub(super) fn log_in(session: &Session, guard: &Guard, route: &Route) -> Result<String, TransportError> {
    let mut tried = Vec::new();
    let mut agents: Vec<(&Path, Result<Agent, Error>)> = Vec::new();
    for credential in route.credentials.iter().take(MOST_TRIES) {
        let (label, result) = match credential {
            Credential::Agent { socket, blob, label } => {
                if !agents.iter().any(|(path, _)| *path == socket.as_path()) {
                    agents.push((socket, connect(session, socket)));
                }
                let agent = agents.iter().find(|(path, _)| *path == socket.as_path());
                (label.clone(), agent.map_or(Ok(false), |(_, agent)| by_agent(agent.as_ref(), route, blob)))
            }
            Credential::File(key) => {
                let result = session
                    .userauth_pubkey_memory(&route.user, None, &key.pem, Some(key.passphrase.as_str()))
                    .map(|()| true);
                (key.label(), result)
            }
        };
        match result {
            Ok(true) if session.authenticated() => return Ok(label),
            Ok(_) => tried.push(format!("{label} is not in the agent any more")),
            Err(error) => {
                if guard.breach().is_some() {
                    return Err(fault::explain(session, guard, Phase::Auth, &error));
                }
                let gone = is_gone(&error);
                tried.push(format!("{label} {}", refusal(&error)));
                if gone {
                    return Err(refused(route, tried, None));
                }
            }
        }
    }
    // The question counts as a try, and one too many closes the connection.
    let methods = if tried.len() < MOST_TRIES { sys::auth_methods(session, &route.user) } else { None };
    let methods = methods.map(|list| escape(list.get(..200).unwrap_or(&list)));
    if let Some(breach) = guard.breach() {
        return Err(fault::breached(breach, Phase::Auth));
    }
    Err(refused(route, tried, methods))
}

fn refused(route: &Route, tried: Vec<String>, methods: Option<String>) -> TransportError {
    let mut notes = route.notes.clone();
    let more = route.credentials.len().saturating_sub(MOST_TRIES);
    if more > 0 {
        notes.push(format!("{more} more keys were not tried: servers close the connection after six."));
    }
    TransportError::Auth { user: route.user.clone(), tried, notes, methods }
}

fn connect(session: &Session, socket: &Path) -> Result<Agent, Error> {
    let mut agent = session.agent()?;
    agent.set_identity_path(socket)?;
    agent.connect()?;
    agent.list_identities()?;
    Ok(agent)
}

/// Lets the agent sign; `false` where it holds the key no more.
fn by_agent(agent: Result<&Agent, &Error>, route: &Route, blob: &[u8]) -> Result<bool, Error> {
    let agent = agent.map_err(|error| Error::from_errno(error.code()))?;
    match agent.identities()?.iter().find(|held| held.blob() == blob) {
        Some(identity) => agent.userauth(&route.user, identity).map(|()| true),
        None => Ok(false),
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::Session(
            raw::LIBSSH2_ERROR_SOCKET_DISCONNECT | raw::LIBSSH2_ERROR_SOCKET_RECV | raw::LIBSSH2_ERROR_SOCKET_SEND
        )
    )
}

/// What a failed try means.
fn refusal(error: &Error) -> String {
    let ErrorCode::Session(code) = error.code() else { return "failed".to_owned() };
    match code {
        raw::LIBSSH2_ERROR_AUTHENTICATION_FAILED => "was refused".to_owned(),
        raw::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED => "was known to the host, but its signature was refused".to_owned(),
        raw::LIBSSH2_ERROR_KEYFILE_AUTH_FAILED => "has another passphrase than the one given".to_owned(),
        raw::LIBSSH2_ERROR_FILE => {
            "can't be used: a wrong passphrase, or a format that is not supported (ssh-keygen -p -f FILE rewrites it)"
                .to_owned()
        }
        raw::LIBSSH2_ERROR_AGENT_PROTOCOL => {
            "could not be used: the agent does not answer or refused to sign".to_owned()
        }
        raw::LIBSSH2_ERROR_METHOD_NONE | raw::LIBSSH2_ERROR_ALGO_UNSUPPORTED => {
            "was not offered: the host accepts no signature that this key can make".to_owned()
        }
        raw::LIBSSH2_ERROR_SOCKET_DISCONNECT | raw::LIBSSH2_ERROR_SOCKET_RECV | raw::LIBSSH2_ERROR_SOCKET_SEND => {
            "was offered, and the host closed the connection".to_owned()
        }
        code => format!("failed: {} (libssh2 {code})", escape(error.message().as_bytes())),
    }
}
