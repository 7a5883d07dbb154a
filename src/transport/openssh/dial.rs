//! One dial by ssh: start it, follow its log to the login, take its control connection; and again, a bounded number of times,
//! where the server turned it away.
//!
//! *Invariant:* every wait ends at the deadline or at the limit of its phase; only a control connection of a running ssh, which
//! there is after the login alone, makes a dial succeed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::arguments::types_without;
use super::client::Client;
use super::connection::OpenSshConnection;
use super::control::Control;
use super::fault::{self, End};
use super::log::{Log, Sign};
use super::route::Route;
use super::{Dialer, arguments};
use crate::transport::known_hosts::{damage, revoked_print};
use crate::transport::patience::patiently;
use crate::transport::pipes::here;
use crate::transport::{HostKeyFault, Phase, Step, TransportError};

/// How often the process is looked after while it says nothing.
const TICK: Duration = Duration::from_millis(50);
/// How often the control socket is looked for once the login is through.
const SOON: Duration = Duration::from_millis(1);
/// ssh ends a wait of its own first, and has better words for it.
const GRACE: Duration = Duration::from_millis(700);

impl Dialer {
    /// Connects, verifies the host key and logs in.
    ///
    /// # Errors
    ///
    /// Why the host can't be reached, trusted or used; `deadline` bounds all of it.
    pub fn dial(
        &self,
        route: &Route,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<OpenSshConnection, TransportError> {
        if let Some(pin) = &route.pin
            && let Some(known) = revoked_print(&route.known, &route.lookup, pin)
        {
            // With a pin no file is given to ssh; a key that a file revokes is refused all the same.
            let (name, fingerprint) = (route.lookup.as_str().to_owned(), pin.clone());
            let (kind, file, line) = (known.kind, known.file, known.line);
            return Err(Box::new(HostKeyFault::Revoked { name, kind, fingerprint, file, line }).into());
        }
        if let Some((file, line, why)) = damage(&route.known, &route.lookup) {
            // ssh skips a line that it can't read; a key that it may have revoked is not to be trusted.
            let fault = HostKeyFault::Unknowable {
                name: route.lookup.as_str().to_owned(),
                source_text: format!("{}:{line}", file.display()),
                detail: format!("may have revoked it and can't be read: {why}"),
            };
            return Err(Box::new(fault).into());
        }
        patiently(deadline, observer, |_, observer| self.try_types(route, deadline, observer))
    }

    /// Dials for any host key; a pin tells no type, so each type the host has is tried for it.
    fn try_types(
        &self,
        route: &Route,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<OpenSshConnection, TransportError> {
        if route.pin.is_none() {
            return self.attempt(route, None, deadline, observer);
        }
        let mut ruled_out = Vec::new();
        let mut first: Option<TransportError> = None;
        while let Some(types) = types_without(&ruled_out) {
            let error = match self.attempt(route, Some(&types), deadline, observer) {
                Err(error) => error,
                Ok(connection) => return Ok(connection),
            };
            match &error {
                TransportError::HostKey(fault) => {
                    let HostKeyFault::NotThePin { kind, .. } = &**fault else { return Err(error) };
                    if ruled_out.contains(kind) {
                        return Err(error);
                    }
                    ruled_out.push(kind.clone());
                    first.get_or_insert(error);
                }
                // No key of the other types: what the host showed first is the answer.
                TransportError::Protocol { .. } | TransportError::TurnedAway { .. } => {
                    return Err(first.unwrap_or(error));
                }
                _ => return Err(error),
            }
        }
        let none = std::io::Error::other("no type is left");
        Err(first.unwrap_or_else(|| here("asking for a host key", &none)))
    }

    fn attempt(
        &self,
        route: &Route,
        types: Option<&str>,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<OpenSshConnection, TransportError> {
        const NAMING: &str = "naming a control socket";
        let socket = self.socket().ok_or_else(|| here(NAMING, &std::io::Error::other("the run is over")))?;
        let name = arguments::plain(&socket).ok_or_else(|| here(NAMING, &std::io::Error::other("TMPDIR is odd")))?;
        let words = |command: &mut std::process::Command, log: &std::path::Path| {
            command.args(route.arguments.words(log, &name, types, &route.host));
        };
        let client = Client::start(&self.ssh, words, Log::of)?;
        let now = Instant::now();
        let patience = self.settings.connect_timeout;
        let phase = Phase::Resolve;
        let mut attempt = Attempt { route, client, socket, patience, phase, since: now, deadline, told: false };
        let result = attempt.follow(observer);
        let control = match result {
            Ok(control) => control,
            Err(error) => {
                attempt.client.kill();
                let _ = std::fs::remove_file(&attempt.socket);
                return Err(error);
            }
        };
        let log = &attempt.client.log;
        let key = log.key_used();
        let host_key = log.host_key.as_ref().map(|(kind, fingerprint)| format!("{kind} {fingerprint}"));
        attempt.tell_host_key(observer);
        observer(Step::LoggedIn {
            user: route.user.clone(),
            key: key.clone().unwrap_or_else(|| "a key that this ssh does not name".to_owned()),
        });
        Ok(OpenSshConnection::new(attempt.client, control, attempt.socket, host_key, key, deadline))
    }
}

/// A dial under way.
struct Attempt<'a> {
    route: &'a Route,
    client: Client,
    socket: PathBuf,
    patience: Duration,
    phase: Phase,
    /// When the phase began.
    since: Instant,
    deadline: Instant,
    /// The host key was told.
    told: bool,
}

impl Attempt<'_> {
    /// Follows ssh until it is logged in.
    fn follow(&mut self, observer: &mut dyn FnMut(Step)) -> Result<Control, TransportError> {
        let mut logged_in = false;
        loop {
            let most = if logged_in { SOON } else { TICK };
            let limit = self.limit();
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.too_late());
            }
            for sign in self.client.listen(left.min(most))? {
                self.heed(&sign, observer);
                logged_in |= sign == Sign::LoggedIn;
            }
            if logged_in || self.phase >= Phase::Auth {
                let opened = Control::open(&self.socket, self.limit()).map_err(|error| match error.kind() {
                    std::io::ErrorKind::TimedOut => self.too_late(),
                    _ => here("speaking with ssh", &error),
                })?;
                if let Some(control) = opened {
                    // Whatever the log says of it is there by now.
                    for sign in self.client.take_in()? {
                        self.heed(&sign, observer);
                    }
                    return Ok(control);
                }
            }
            if let Some(status) = self.client.ended()? {
                for sign in self.client.take_in()? {
                    self.heed(&sign, observer);
                }
                let end = End { phase: self.phase, status, patience: self.patience };
                return Err(fault::explain(self.route, &self.client, &end));
            }
        }
    }

    fn heed(&mut self, sign: &Sign, observer: &mut dyn FnMut(Step)) {
        let phase = match sign {
            Sign::Connecting(address) => {
                observer(Step::Resolved { addresses: vec![address.ip()] });
                self.since = Instant::now();
                Phase::Connect
            }
            Sign::Connected => {
                if let Some(address) = self.client.log.address() {
                    observer(Step::Connected { address });
                }
                Phase::Handshake
            }
            Sign::KeyShown => Phase::Handshake,
            Sign::KeyAccepted => {
                self.tell_host_key(observer);
                Phase::Auth
            }
            Sign::LoggedIn => Phase::Auth,
        };
        if phase > self.phase {
            self.phase = phase;
            self.since = Instant::now();
        }
    }

    fn tell_host_key(&mut self, observer: &mut dyn FnMut(Step)) {
        let log = &self.client.log;
        if let (Some((kind, fingerprint)), false) = (&log.host_key, self.told) {
            self.told = true;
            let by = match (&self.route.pin, &log.vouched) {
                (Some(_), _) => format!("host-key= at {}", self.route.place),
                (None, Some(place)) => place.clone(),
                (None, None) => "ssh".to_owned(),
            };
            observer(Step::HostKey { key: format!("{kind} {fingerprint}"), by });
        }
    }

    /// When the phase has to be over.
    fn limit(&self) -> Instant {
        let patience = match self.phase {
            // Through a proxy there is no sign between the start and the host key: it gets the time of three.
            Phase::Resolve if self.route.through.is_some() => self.patience * 3,
            Phase::Resolve | Phase::Connect | Phase::Handshake => self.patience,
            Phase::Auth | Phase::Command => return self.deadline,
        };
        self.deadline.min(self.since + patience + GRACE)
    }

    fn too_late(&self) -> TransportError {
        let detail = if Instant::now() >= self.deadline {
            "its deadline passed".to_owned()
        } else {
            format!("not within {} s", self.patience.as_secs_f32())
        };
        TransportError::Timeout { phase: self.phase, detail }
    }
}
