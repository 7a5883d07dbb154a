//! SSH servers that misbehave during or after login.
//!
//! *Invariant:* the key exchange is honest, so that the client has every reason to go on.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, ChannelOpenFailure, Disconnect, Limits, MethodKind, MethodSet, SshId};
use tokio::runtime::Runtime;

use crate::session;
use crate::stream::{Breakable, Fuse};
use crate::trick::Trick;

/// How much is sent at once by a flood; it comes again with each packet of data from the client.
const FLOOD: usize = 12 << 20;

/// Who the servers are and whom they let in.
pub(crate) struct Keys {
    host: PrivateKey,
    /// Nobody else: a client's commands are run for real.
    authorized: Arc<Vec<PublicKey>>,
}

impl Keys {
    pub(crate) fn read(host: Option<&Path>, authorized: Option<&Path>) -> io::Result<Self> {
        let about =
            |path: &Path, problem: &dyn std::fmt::Display| io::Error::other(format!("{}: {problem}", path.display()));
        let host = match host {
            Some(path) => PrivateKey::read_openssh_file(path).map_err(|problem| about(path, &problem))?,
            None => PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(io::Error::other)?,
        };
        let mut keys = Vec::new();
        let files = authorized.map_or_else(own_public_keys, |path| vec![path.to_owned()]);
        for path in &files {
            let text = std::fs::read_to_string(path).map_err(|problem| about(path, &problem))?;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                keys.push(PublicKey::from_openssh(line).map_err(|problem| about(path, &problem))?);
            }
        }
        Ok(Self { host, authorized: Arc::new(keys) })
    }

    /// Whether anybody may log in at all.
    pub(crate) fn admit_somebody(&self) -> bool {
        !self.authorized.is_empty()
    }

    /// The `known_hosts` line of a server on this port.
    pub(crate) fn line(&self, port: u16) -> String {
        let key = self.host.public_key().to_openssh().unwrap_or_default();
        let key: Vec<_> = key.split(' ').take(2).collect();
        format!("[127.0.0.1]:{port} {}", key.join(" "))
    }
}

/// The public keys of who starts this.
fn own_public_keys() -> Vec<PathBuf> {
    let folder = std::env::home_dir().unwrap_or_default().join(".ssh");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "pub")).collect()
}

/// Serves every connection, until the program ends.
pub(crate) fn start(
    runtime: &Runtime,
    listener: std::net::TcpListener,
    keys: &Keys,
    trick: Trick,
    number: u64,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut config = Config {
        server_id: SshId::Standard("SSH-2.0-OpenSSH_9.2p1 Debian-2".into()),
        keys: vec![keys.host.clone()],
        methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
        auth_rejection_time: Duration::ZERO,
        ..Config::default()
    };
    match trick {
        Trick::NoWindow => config.window_size = 0,
        Trick::Rekeys => config.limits = Limits::new(4 << 10, 4 << 10, Duration::from_secs(3600)),
        _ => {}
    }
    let (config, authorized) = (Arc::new(config), Arc::clone(&keys.authorized));
    runtime.spawn(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        while let Ok((stream, _)) = listener.accept().await {
            let fuse = Fuse::new();
            let guest = Guest {
                trick,
                number,
                authorized: Arc::clone(&authorized),
                fuse: fuse.clone(),
                channels: HashMap::new(),
            };
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                // That the client hung up is its good right.
                if let Ok(stream) = Breakable::new(stream, fuse)
                    && let Ok(session) = run_stream(config, stream, guest).await
                {
                    session.await.ok();
                }
            });
        }
    });
    Ok(())
}

/// One connection.
struct Guest {
    trick: Trick,
    number: u64,
    authorized: Arc<Vec<PublicKey>>,
    fuse: Fuse,
    /// Channels that are open and have no command yet.
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Guest {
    /// A burst of what this trick floods with.
    fn flood(&self, id: Option<ChannelId>, session: &mut Session) -> Result<(), russh::Error> {
        match (self.trick, id) {
            (Trick::Debug | Trick::DebugAtLogin, _) => {
                let text = "x".repeat(8 << 10);
                for _ in 0..FLOOD / text.len() {
                    session.debug(false, &text, "")?;
                }
            }
            (Trick::GlobalRequests, _) => {
                for _ in 0..FLOOD / 64 {
                    session.keepalive_request()?;
                }
            }
            (Trick::ChannelRequests, Some(id)) => {
                for _ in 0..FLOOD / 64 {
                    session.xon_xoff_request(id, true)?;
                }
            }
            (Trick::ChannelOpens, _) => {
                for _ in 0..FLOOD / 128 {
                    session.channel_open_agent()?;
                }
            }
            (Trick::StrayData, Some(id)) => {
                for _ in 0..FLOOD / (32 << 10) {
                    session.extended_data(id, 77, vec![b'x'; 32 << 10])?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok((self.trick == Trick::LongBanner).then(|| "\u{1b}]0;owned\u{7}Authorised use only.\n".repeat(8 << 10)))
    }

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        if self.trick == Trick::LoginStalls {
            std::future::pending::<()>().await;
        }
        let ours = self.authorized.iter().any(|ours| ours.key_data() == key.public_key.key_data());
        Ok(if ours && self.trick != Trick::LoginRefused { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        match self.trick {
            Trick::ResetAt => self.fuse.set(self.number.max(1)),
            Trick::DebugAtLogin => self.flood(None, session)?,
            _ => {}
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.trick {
            Trick::ChannelUnanswered => std::future::pending::<()>().await,
            Trick::ChannelRefused => reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await,
            _ => {
                self.channels.insert(channel.id(), channel);
                reply.accept().await;
            }
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn data(&mut self, id: ChannelId, _data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        if self.trick == Trick::DebugAtLogin { Ok(()) } else { self.flood(Some(id), session) }
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        // A second command on one channel is refused (RFC 4254, section 6.5).
        let Some(channel) = self.channels.remove(&id) else { return session.channel_failure(id) };
        match self.trick {
            Trick::ExecRefused => return session.channel_failure(id),
            Trick::ExecUnanswered => {
                self.channels.insert(id, channel);
                return Ok(());
            }
            Trick::Disconnects => return session.disconnect(Disconnect::ByApplication, "\u{1b}[2Jgone", ""),
            _ => session.channel_success(id)?,
        }
        if self.trick != Trick::DebugAtLogin {
            self.flood(Some(id), session)?;
        }
        tokio::spawn(session::run(self.trick, line.to_vec(), channel, session.handle()));
        Ok(())
    }
}
