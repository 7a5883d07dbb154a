//! The login: keys in their order, a bounded number of them, and an error that says what was tried.
//!
//! Every signature is made on this side, by the agent or from memory, and libssh2 carries it: it would sign with SHA-1 where a
//! server does not say what it takes, and can't use the certificates and security keys of an agent.
//!
//! *Invariant:* called only after the host key was accepted; never asks for or sends a password; never signs over SHA-1.

use std::time::{Instant, SystemTime};

use libssh2_sys as raw;
use ssh2::Session;

use super::credentials::{Credential, Signer};
use super::encoding::Reader;
use super::fault;
use super::route::Route;
use super::watchdog::Guard;
use crate::model::text::escape;
use crate::sys;
use crate::transport::{Phase, TransportError};

/// sshd closes the connection after six failures (`MaxAuthTries`).
const MOST_TRIES: usize = 5;

/// How a try ended that did not log in.
enum Refusal {
    /// The key was not wanted.
    Key,
    /// The key was wanted, and its signature was not enough.
    Signature,
    /// The host takes RSA over SHA-1 only.
    Sha1,
    /// This side could not sign.
    Here(String),
    /// The host closed the connection.
    Closed,
    /// Anything else, by libssh2's code.
    Other(i32),
}

/// Logs in; returns the key that did it, as `SHA256:... (where it came from)`.
pub(super) fn log_in(
    session: &Session,
    guard: &Guard,
    route: &Route,
    deadline: Instant,
) -> Result<String, TransportError> {
    let mut told = Told::new(route);
    for credential in route.credentials.iter().take(MOST_TRIES) {
        let refusal = match offer(session, guard, route, credential, deadline) {
            Ok(()) => return Ok(credential.label.clone()),
            Err(refusal) => refusal,
        };
        if let Some(breach) = guard.breach() {
            return Err(fault::breached(breach, Phase::Auth));
        }
        if told.add(route, credential, &refusal) {
            return Err(told.into_error(route, None));
        }
    }
    // The question counts as a try, and one too many closes the connection.
    let methods = if told.tried.len() < MOST_TRIES { sys::auth_methods(session, &route.user) } else { None };
    let methods = methods.map(|list| escape(list.get(..200).unwrap_or(&list)));
    if let Some(breach) = guard.breach() {
        return Err(fault::breached(breach, Phase::Auth));
    }
    Err(told.into_error(route, methods))
}

/// Offers one key, and signs where the host wants it.
fn offer(
    session: &Session,
    guard: &Guard,
    route: &Route,
    credential: &Credential,
    deadline: Instant,
) -> Result<(), Refusal> {
    let mut here: Option<Refusal> = None;
    let mut signed = false;
    let mut sign = |message: &[u8]| match signature(&route.user, credential, message, deadline) {
        Ok(bytes) => {
            signed = true;
            Some(bytes)
        }
        Err(refusal) => {
            here = Some(refusal);
            None
        }
    };
    let code = match sys::log_in_signed(session, &route.user, &credential.blob, &mut sign) {
        Ok(()) if session.authenticated() => return Ok(()),
        Ok(()) => raw::LIBSSH2_ERROR_PROTO,
        Err(code) => code,
    };
    if let Some(refusal) = here {
        return Err(refusal);
    }
    // libssh2 tells a connection that ended while it waited for the answer as a signature that was refused.
    let waiting =
        ssh2::Error::last_session_error(session).is_some_and(|error| error.message().starts_with("Waiting for"));
    if waiting || guard.has_ended() {
        return Err(Refusal::Closed);
    }
    Err(match code {
        raw::LIBSSH2_ERROR_AUTHENTICATION_FAILED => Refusal::Key,
        raw::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED if signed => Refusal::Signature,
        raw::LIBSSH2_ERROR_METHOD_NONE | raw::LIBSSH2_ERROR_ALGO_UNSUPPORTED => Refusal::Sha1,
        raw::LIBSSH2_ERROR_SOCKET_DISCONNECT | raw::LIBSSH2_ERROR_SOCKET_RECV | raw::LIBSSH2_ERROR_SOCKET_SEND => {
            Refusal::Closed
        }
        code => Refusal::Other(code),
    })
}

/// What stands behind the algorithm's name in the signature of a login.
fn signature(user: &str, credential: &Credential, message: &[u8], deadline: Instant) -> Result<Vec<u8>, Refusal> {
    let odd =
        || Refusal::Here("was not signed with: libssh2 asked for another signature than one to log in".to_owned());
    let algorithm = asked_algorithm(message, user, &credential.blob).ok_or_else(odd)?;
    let algorithm = match algorithm.strip_suffix("-cert-v01@openssh.com") {
        Some(kind) if kind.starts_with("sk-") => format!("{kind}@openssh.com"),
        Some(kind) => kind.to_owned(),
        None => algorithm.to_owned(),
    };
    if algorithm == "ssh-rsa" {
        return Err(Refusal::Sha1);
    }
    match &credential.signer {
        Signer::File(key) => key
            .private
            .sign(&algorithm, message)
            .map_err(|why| Refusal::Here(format!("could not sign: {}", escape(why.as_bytes())))),
        Signer::Agent { agent, key } => {
            let whole = agent.sign(key, message, &algorithm, deadline).map_err(Refusal::Here)?;
            bare(&whole, &algorithm).ok_or_else(|| {
                let made = Reader::new(&whole).string().unwrap_or_default();
                let made = escape(made.get(..60).unwrap_or(made));
                Refusal::Here(format!("could not be used: the agent signs by {made} where {algorithm} was asked for"))
            })
        }
    }
}

/// The algorithm of the message to sign (RFC 4252, section 7), where it is a login of this user with this key.
fn asked_algorithm<'a>(message: &'a [u8], user: &str, blob: &[u8]) -> Option<&'a str> {
    const USERAUTH_REQUEST: u8 = 50;
    let mut reader = Reader::new(message);
    let _session = reader.string()?;
    let sound = reader.byte()? == USERAUTH_REQUEST
        && reader.text()? == user
        && reader.text()? == "ssh-connection"
        && reader.text()? == "publickey"
        && reader.byte()? == 1;
    let algorithm = reader.text()?;
    (sound && reader.string()? == blob && reader.is_empty()).then_some(algorithm)
}

/// A signature without the algorithm's name; of a security key with its flags and counter, as libssh2 sends it on.
fn bare(whole: &[u8], algorithm: &str) -> Option<Vec<u8>> {
    let mut reader = Reader::new(whole);
    if reader.text()? != algorithm {
        return None;
    }
    if algorithm.starts_with("sk-") {
        return Some(reader.rest().to_vec());
    }
    let bytes = reader.string()?.to_vec();
    reader.is_empty().then_some(bytes)
}

/// What is said where the login fails.
struct Told {
    tried: Vec<String>,
    notes: Vec<String>,
    half_way: bool,
}

impl Told {
    fn new(route: &Route) -> Self {
        Self { tried: Vec::new(), notes: route.notes.clone(), half_way: false }
    }

    /// Adds a try; returns whether it was the last that the host allows.
    fn add(&mut self, route: &Route, credential: &Credential, refusal: &Refusal) -> bool {
        let words = match refusal {
            Refusal::Key => "was refused".to_owned(),
            Refusal::Signature => {
                self.half_way = true;
                "was known to the host, but its signature was not enough".to_owned()
            }
            Refusal::Sha1 => {
                self.note("A host that takes RSA over SHA-1 alone is too old: give it an ed25519 key.".to_owned());
                "was not used: the host takes no RSA signature but over SHA-1, which is refused".to_owned()
            }
            Refusal::Here(why) => why.clone(),
            Refusal::Closed => {
                self.note(
                    "A host closes the connection after MaxAuthTries keys, or where it punishes this address: name the one \
                     key that it takes (identity=, or IdentitiesOnly in ssh_config)."
                        .to_owned(),
                );
                "was offered, and the host closed the connection".to_owned()
            }
            Refusal::Other(code) => format!("failed (libssh2 {code})"),
        };
        if let (Some(certificate), Refusal::Key | Refusal::Signature) = (&credential.certificate, refusal) {
            for suspicion in certificate.suspicions(&route.user, SystemTime::now()) {
                self.note(suspicion);
            }
        }
        self.tried.push(format!("{} {words}", credential.label));
        matches!(refusal, Refusal::Closed)
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn into_error(mut self, route: &Route, methods: Option<String>) -> TransportError {
        let more = route.credentials.len().saturating_sub(MOST_TRIES);
        if more > 0 {
            self.note(format!("{more} more keys were not tried: servers close the connection after six."));
        }
        let has = |name: &str| methods.as_deref().is_some_and(|list| list.split(',').any(|method| method == name));
        if self.half_way && methods.is_some() && !has("publickey") {
            self.note(
                "The host wants something else besides a key (AuthenticationMethods), which driftscan can't give: let this \
                 account log in with a key alone."
                    .to_owned(),
            );
        } else if has("publickey") && self.tried.iter().any(|tried| tried.ends_with(" was refused")) {
            self.note(
                "Hosts refuse all of these alike: a key that is not in authorized_keys, a user that does not exist, is locked \
                 or not allowed (AllowUsers), a type of key that is switched off (PubkeyAcceptedAlgorithms). The host's log \
                 tells them apart (journalctl -u ssh)."
                    .to_owned(),
            );
        }
        if has("gssapi-with-mic") && !has("publickey") {
            self.note("For Kerberos (GSSAPI) use --transport openssh.".to_owned());
        }
        TransportError::Auth { user: route.user.clone(), tried: self.tried, notes: self.notes, methods }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::transport::ssh2::encoding::put_string;
    use crate::transport::ssh2::key_file::Key;
    use crate::transport::ssh2::private_key::PrivateKey;
    use crate::transport::ssh2::signature::{encoded, is_valid};

    fn message(user: &str, algorithm: &str, blob: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_string(&mut out, b"session");
        out.push(50);
        for part in [user, "ssh-connection", "publickey"] {
            put_string(&mut out, part.as_bytes());
        }
        out.push(1);
        put_string(&mut out, algorithm.as_bytes());
        put_string(&mut out, blob);
        out
    }

    #[test]
    fn only_a_login_of_this_user_with_this_key_is_signed() {
        let login = message("audit", "rsa-sha2-512", b"key");
        assert_eq!(asked_algorithm(&login, "audit", b"key"), Some("rsa-sha2-512"));
        assert_eq!(asked_algorithm(&login, "root", b"key"), None);
        assert_eq!(asked_algorithm(&login, "audit", b"other"), None);
        assert_eq!(asked_algorithm(&[&login[..], b"x"].concat(), "audit", b"key"), None);
        for cut in 0..login.len() {
            assert_eq!(asked_algorithm(&login[..cut], "audit", b"key"), None);
        }
    }

    #[test]
    fn rsa_is_signed_over_sha2_whatever_the_key_is_shown_as_and_never_over_sha1() {
        let pem = openssl::rsa::Rsa::generate(2_048).unwrap().private_key_to_pem().unwrap();
        let private = PrivateKey::of_pem(&pem, None).unwrap();
        let blob = private.public_half().to_vec();
        let signer = Signer::File(Arc::new(Key { path: "key".into(), private }));
        let credential = Credential { blob: blob.clone(), signer, label: String::new(), certificate: None };
        let now = Instant::now();
        for algorithm in ["rsa-sha2-512", "rsa-sha2-256-cert-v01@openssh.com"] {
            let login = message("audit", algorithm, &blob);
            let bytes = signature("audit", &credential, &login, now).ok().unwrap();
            let plain = algorithm.trim_end_matches("-cert-v01@openssh.com");
            assert!(is_valid(&blob, &encoded(plain, &bytes), &login), "{algorithm}");
        }
        for algorithm in ["ssh-rsa", "ssh-rsa-cert-v01@openssh.com"] {
            let login = message("audit", algorithm, &blob);
            assert!(matches!(signature("audit", &credential, &login, now), Err(Refusal::Sha1)), "{algorithm}");
        }
    }

    #[test]
    fn a_signature_by_another_algorithm_is_not_sent() {
        let mut whole = Vec::new();
        put_string(&mut whole, b"ssh-rsa");
        put_string(&mut whole, b"bytes");
        assert_eq!(bare(&whole, "ssh-rsa"), Some(b"bytes".to_vec()));
        assert_eq!(bare(&whole, "rsa-sha2-512"), None);
        whole.push(0);
        assert_eq!(bare(&whole, "ssh-rsa"), None);
    }
}
