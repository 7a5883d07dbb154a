//! The SSH servers of the demonstration: one on a free loopback port for each host.
//!
//! *Invariant:* only the demonstration's own key gets in, and only from this machine.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::net::{TcpListener, TcpStream};

use crate::command;

/// Starts a host that speaks SSH, and returns its port.
pub(crate) async fn listen(host_key: PrivateKey, admitted: PublicKey) -> io::Result<u16> {
    let (listener, port) = bind().await?;
    let config = Arc::new(Config {
        keys: vec![host_key],
        methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
        auth_rejection_time: std::time::Duration::ZERO,
        nodelay: true,
        ..Config::default()
    });
    let admitted = Arc::new(admitted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(Arc::clone(&config), stream, Arc::clone(&admitted)));
        }
    });
    Ok(port)
}

/// Starts a host that accepts connections, keeps them, and never says a word; returns its port.
pub(crate) async fn listen_and_hang() -> io::Result<u16> {
    let (listener, port) = bind().await?;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Ok(port)
}

async fn bind() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

async fn serve(config: Arc<Config>, stream: TcpStream, admitted: Arc<PublicKey>) {
    let visitor = Visitor { admitted, channels: HashMap::new() };
    // Small answers must not wait for Nagle. That a client hung up, or gave up on the host key, is its own affair:
    // the verdicts at the end tell whether a scan went wrong.
    if stream.set_nodelay(true).is_ok()
        && let Ok(session) = run_stream(config, stream, visitor).await
    {
        session.await.ok();
    }
}

/// One connection.
struct Visitor {
    admitted: Arc<PublicKey>,
    /// Channels that are open and have no command yet.
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Handler for Visitor {
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
        tokio::spawn(command::run(line.to_vec(), channel, session.handle()));
        Ok(())
    }
}
