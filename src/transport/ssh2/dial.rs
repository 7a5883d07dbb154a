//! One dial: addresses, TCP, handshake, host key, login; and again, a bounded number of times, where the server turned it away.
//!
//! *Invariant:* every wait ends at the deadline, the name lookup included; nothing but throttling is tried again.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ssh2::{MethodType, Session};

use super::connection::SshConnection;
use super::route::Route;
use super::watchdog::Guard;
use super::wire::Wire;
use super::{Dialer, Step, auth, fault, host_key};
use crate::transport::patience::patiently;
use crate::transport::proxy::{Link, Opened, Proxies, Through};
use crate::transport::{HostKeyFault, Phase, TransportError};

/// No group of SHA-1; post-quantum first. libssh2 adds strict key exchange itself.
const KEX: &str = "mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,\
    ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,\
    diffie-hellman-group18-sha512,diffie-hellman-group14-sha256";
const CIPHERS: &str = "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,\
    aes192-ctr,aes128-ctr";
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";
/// In sshd's log, so that its owner knows who was there.
const BANNER: &str = concat!("SSH-2.0-driftscan_", env!("CARGO_PKG_VERSION"));

impl Dialer {
    /// Connects, verifies the host key and logs in.
    ///
    /// The connection may then receive what is left of 1 MiB, until [`crate::transport::Connection::allow`] says otherwise.
    ///
    /// # Errors
    ///
    /// Why the host can't be reached, trusted or used; `deadline` bounds all of it.
    pub fn dial(
        &self,
        route: &Route,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<SshConnection, TransportError> {
        patiently(deadline, observer, |attempts, observer| self.try_types(route, deadline, attempts, observer))
    }

    /// Dials for the host keys that are known; a pin tells no type, so each type the host has is tried for it.
    fn try_types(
        &self,
        route: &Route,
        deadline: Instant,
        attempts: u32,
        observer: &mut dyn FnMut(Step),
    ) -> Result<SshConnection, TransportError> {
        let known = self.host_keys.known(route, None, deadline).map_err(Box::new)?;
        let mut methods = host_key::methods(route, &known);
        let mut first: Option<TransportError> = None;
        loop {
            let error = match self.attempt(route, &methods, deadline, attempts, observer) {
                Err(error) => error,
                Ok(connection) => return Ok(connection),
            };
            match &error {
                TransportError::HostKey(fault) if matches!(**fault, HostKeyFault::NotThePin { .. }) => {
                    if let HostKeyFault::NotThePin { kind, .. } = &**fault {
                        methods = host_key::without(&methods, kind);
                    }
                    let told = first.get_or_insert(error);
                    if methods.is_empty() {
                        return Err(std::mem::replace(told, internal("asking for a host key", "no type is left")));
                    }
                }
                TransportError::HostKey(fault) if matches!(**fault, HostKeyFault::Certificate { .. }) => {
                    // One of its plain keys may be known.
                    match host_key::without_certificates(&methods, route, &known) {
                        Some(plain) => methods = plain,
                        None => return Err(error),
                    }
                    first.get_or_insert(error);
                }
                // No key of the other types: what the host showed first is the answer.
                TransportError::HostKey(_) | TransportError::Protocol { .. } | TransportError::TurnedAway { .. } => {
                    return Err(first.unwrap_or(error));
                }
                _ => return Err(error),
            }
        }
    }

    fn attempt(
        &self,
        route: &Route,
        methods: &[&str],
        deadline: Instant,
        attempts: u32,
        observer: &mut dyn FnMut(Step),
    ) -> Result<SshConnection, TransportError> {
        let Reached { wire, address, patience, said } = match &route.through {
            None => self.reach(route, deadline, observer)?,
            Some(through) => self.reach_through(route, through, deadline, observer)?,
        };
        let watched = wire.try_clone().map_err(|error| internal("duplicating a socket", &error.to_string()))?;
        let guard = self.watchdog.watch(watched, deadline.min(Instant::now() + patience));
        let session =
            handshake(wire, methods, &guard).map_err(|error| explain(route, &guard, said, patience, error))?;
        let blob = session.host_key().map(|(blob, _)| blob.to_vec()).ok_or_else(|| TransportError::Protocol {
            phase: Phase::Handshake,
            detail: "the server showed no host key".to_owned(),
        })?;
        let accepted = match self.host_keys.verify(route, self.settings.accept_new_host_keys, &blob, deadline) {
            Ok(accepted) => accepted,
            Err(fault) => {
                guard.give_up();
                return Err(Box::new(fault).into());
            }
        };
        observer(Step::HostKey { key: accepted.key.clone(), by: accepted.by });
        guard.until(deadline);
        let key = auth::log_in(&session, &guard, route, deadline).inspect_err(|_| guard.give_up())?;
        guard.logged_in();
        observer(Step::LoggedIn { user: route.user.clone(), key: key.clone() });
        Ok(SshConnection::new(session, guard, accepted.key, key, address, attempts))
    }
}

/// A connection that nobody has spoken on yet.
struct Reached {
    wire: Wire,
    /// Where nothing stands between.
    address: Option<SocketAddr>,
    /// For the handshake.
    patience: Duration,
    /// What the bastion's master had said before.
    said: usize,
}

impl Dialer {
    fn reach(
        &self,
        route: &Route,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Reached, TransportError> {
        let patience = self.settings.connect_timeout;
        let addresses = resolve(&route.host, route.port, deadline.min(Instant::now() + patience))?;
        observer(Step::Resolved { addresses: addresses.iter().map(SocketAddr::ip).collect() });
        let (socket, address) = connect(route, &addresses, patience, deadline)?;
        observer(Step::Connected { address });
        Ok(Reached { wire: Wire::Tcp(socket), address: Some(address), patience, said: 0 })
    }

    fn reach_through(
        &self,
        route: &Route,
        through: &Through,
        deadline: Instant,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Reached, TransportError> {
        let Opened { link: Link { near, meter }, said } = self.proxies.open(through, &route.endpoint(), deadline)?;
        observer(Step::Through { by: through.label() });
        // Name, TCP and handshake all happen behind it, and only their end is seen here.
        let patience = self.settings.connect_timeout * 2;
        Ok(Reached { wire: Wire::Piped { near, meter }, address: None, patience, said })
    }
}

/// What a handshake that failed means, given the way.
fn explain(route: &Route, guard: &Guard, said: usize, patience: Duration, error: TransportError) -> TransportError {
    let within = format!("not within {} s", patience.as_secs_f32());
    match (&route.through, error) {
        (None, TransportError::Timeout { phase, .. }) => TransportError::Timeout { phase, detail: within },
        (Some(through), TransportError::Timeout { phase, .. }) => {
            let phase = if guard.traffic().received == 0 { Phase::Connect } else { phase };
            TransportError::Timeout { phase, detail: format!("{within}, through {}", through.label()) }
        }
        (Some(through), TransportError::TurnedAway { attempts, detail }) => guard
            .meter()
            .and_then(|meter| Proxies::explain(through, meter, said, &route.endpoint()))
            .unwrap_or(TransportError::TurnedAway { attempts, detail }),
        (_, other) => other,
    }
}

fn internal(action: &'static str, detail: &str) -> TransportError {
    TransportError::Here { action, detail: detail.to_owned() }
}

/// The addresses of a name. The resolver knows no deadline, so it runs in a thread that is left behind where it hangs.
fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, TransportError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (answer, answered) = mpsc::channel();
    let name = host.to_owned();
    std::thread::Builder::new()
        .name("resolver".to_owned())
        .stack_size(256 << 10)
        .spawn(move || {
            // Nobody listens any more where it took too long.
            let _ = answer.send((name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
        })
        .map_err(|error| internal("starting a thread", &error.to_string()))?;
    match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => {
            Err(TransportError::Resolve { host: host.to_owned(), detail: "the resolver names none".to_owned() })
        }
        Ok(Err(error)) => Err(TransportError::Resolve { host: host.to_owned(), detail: error.to_string() }),
        Err(_) => {
            Err(TransportError::Timeout { phase: Phase::Resolve, detail: "the resolver did not answer".to_owned() })
        }
    }
}

/// Connects to the first address that answers.
fn connect(
    route: &Route,
    addresses: &[SocketAddr],
    patience: Duration,
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), TransportError> {
    let mut failures = Vec::new();
    let mut silent = 0;
    for address in addresses {
        let left = deadline.saturating_duration_since(Instant::now()).min(patience);
        // The standard library refuses a timeout of nothing.
        match TcpStream::connect_timeout(address, left.max(Duration::from_millis(1))) {
            Ok(socket) => {
                // Half of a connection's latency is Nagle waiting for a delayed acknowledgement. Both are only hints.
                let _ = socket.set_nodelay(true);
                let _ = rustix::net::sockopt::set_tcp_quickack(socket.as_fd(), true);
                return Ok((socket, *address));
            }
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                return Err(internal("opening a socket", &error.to_string()));
            }
            Err(error) => {
                silent += usize::from(error.kind() == io::ErrorKind::TimedOut);
                failures.push(if addresses.len() == 1 {
                    plain(&error)
                } else {
                    format!("{}: {}", address.ip(), plain(&error))
                });
            }
        }
    }
    let detail = failures.join("; ");
    if silent == addresses.len() {
        let detail = format!("no answer from {} within {} s", route.endpoint(), patience.as_secs_f32());
        return Err(TransportError::Timeout { phase: Phase::Connect, detail });
    }
    Err(TransportError::Unreachable { address: route.endpoint(), detail })
}

/// A system error without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

fn handshake(wire: Wire, methods: &[&str], guard: &Guard) -> Result<Session, TransportError> {
    let mut session = Session::new().map_err(|error| internal("making an SSH session", error.message()))?;
    for (kind, list) in [
        (MethodType::Kex, KEX),
        (MethodType::HostKey, &methods.join(",")),
        (MethodType::CryptCs, CIPHERS),
        (MethodType::CryptSc, CIPHERS),
        (MethodType::MacCs, MACS),
        (MethodType::MacSc, MACS),
        (MethodType::SignAlgo, "rsa-sha2-512,rsa-sha2-256"),
    ] {
        session.method_pref(kind, list).map_err(|error| internal("choosing SSH algorithms", error.message()))?;
    }
    session.set_banner(BANNER).map_err(|error| internal("making an SSH session", error.message()))?;
    session.set_compress(false);
    // The watchdog alone holds the time: this one would be per blocking call.
    session.set_timeout(0);
    session.set_tcp_stream(wire);
    match session.handshake() {
        Ok(()) => Ok(session),
        Err(error) => {
            let told = fault::explain(&session, guard, Phase::Handshake, &error);
            guard.give_up();
            Err(told)
        }
    }
}
