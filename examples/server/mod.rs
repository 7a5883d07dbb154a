//! A small SSH server: who gets in, and what becomes of the commands. The demonstration and the simulated fleet share it.
//!
//! *Invariant:* one key gets in, over loopback alone, and nothing but one command a channel is played.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted, where many come at once; the kernel has a cap of its own.
const BACKLOG: u32 = 4_096;

/// Listens on this address of loopback, a free port where it is 0. On `0.0.0.0` it answers at every address of
/// `127.0.0.0/8`: the socket is tied to the loopback interface, so that no packet from outside reaches it.
pub(crate) fn bind(address: Ipv4Addr, port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    if !address.is_loopback() {
        socket.bind_device(Some(b"lo"))?;
    }
    socket.bind(SocketAddr::from((address, port)))?;
    socket.listen(BACKLOG)
}

/// The host key that a server shows, and the key that it admits.
#[derive(Clone)]
pub(crate) struct Door {
    config: Arc<Config>,
    admitted: Arc<PublicKey>,
}

impl Door {
    /// A server of this host key that admits the owner of `admitted`, whatever the account.
    pub(crate) fn new(host_key: PrivateKey, admitted: PublicKey) -> Self {
        let config = Config {
            keys: vec![host_key],
            methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
            auth_rejection_time: Duration::ZERO,
            ..Config::default()
        };
        Self { config: Arc::new(config), admitted: Arc::new(admitted) }
    }

    /// Speaks SSH on a connection until it ends, and gives each command to `play`. Small answers wait for nobody only
    /// where the caller turned Nagle's algorithm off.
    pub(crate) async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        play: impl Fn(Vec<u8>, Channel<Msg>, russh::server::Handle) + Send + 'static,
    ) {
        let visitor = Visitor { admitted: Arc::clone(&self.admitted), channels: HashMap::new(), play };
        // That a client hung up, or gave up on the host key, is its own affair.
        if let Ok(session) = run_stream(Arc::clone(&self.config), stream, visitor).await {
            session.await.ok();
        }
    }
}

/// One connection.
struct Visitor<P> {
    admitted: Arc<PublicKey>,
    /// Channels that are open and have no command yet.
    channels: HashMap<ChannelId, Channel<Msg>>,
    play: P,
}

impl<P: Fn(Vec<u8>, Channel<Msg>, russh::server::Handle) + Send> Handler for Visitor<P> {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let is_ours = key.public_key.key_data() == self.admitted.key_data();
        Ok(if is_ours { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        // A second command on one channel is refused (RFC 4254, section 6.5).
        let Some(channel) = self.channels.remove(&id) else { return session.channel_failure(id) };
        session.channel_success(id)?;
        (self.play)(line.to_vec(), channel, session.handle());
        Ok(())
    }
}
