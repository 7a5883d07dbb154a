//! The stage: a temporary folder with a root for each host, keys, `known_hosts` and the hosts file, and the servers.
//!
//! *Invariant:* everything lies in the one folder, and the folder is gone when the stage is dropped.

use std::fmt::Write as _;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use russh::Channel;
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::{LineEnding, Result as KeyResult};
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{Handle, Msg};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::cast::{CAST, GOLDEN, Part, Player};
use crate::command;
use crate::image::{self, Version};
use crate::server::{self, Door};

/// Files of the stage, as they are named on the command lines.
pub(crate) const HOSTS: &str = "hosts.txt";
pub(crate) const IDENTITY: &str = "id_ed25519";
pub(crate) const KNOWN_HOSTS: &str = "known_hosts";

/// The running demonstration fleet.
pub(crate) struct Stage {
    // Before the folder: the servers end first.
    servers: Runtime,
    folder: TempDir,
    identity: PublicKey,
    golden_port: u16,
}

impl Stage {
    /// Makes the folder, writes every host's root, and starts the fleet.
    pub(crate) fn build() -> io::Result<Self> {
        // Nobody else's: a staged root holds setuid programs.
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("driftscan-demo-").permissions(private).tempdir()?;
        let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let identity = new_key()?;
        let private = identity.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.path().join(IDENTITY))?;
        file.write_all(private.as_bytes())?;
        let mut stage = Self { servers, folder, identity: identity.public_key().clone(), golden_port: 0 };
        for player in CAST {
            player.tree().write(&stage.root(player.name))?;
        }
        stage.raise()?;
        Ok(stage)
    }

    /// The folder that everything lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Rebuilds the golden host from a version of the image, as a pipeline does.
    pub(crate) fn rebuild_golden(&self, version: Version) -> io::Result<()> {
        let mut tree = image::build(version);
        image::personalise(&mut tree, GOLDEN);
        tree.write(&self.golden_root())
    }

    /// The address of the golden host, as a person types it.
    pub(crate) fn golden_address(&self) -> String {
        format!("127.0.0.1:{}", self.golden_port)
    }

    /// The folder that is the golden host's root.
    pub(crate) fn golden_root(&self) -> PathBuf {
        self.root(GOLDEN)
    }

    fn root(&self, host: &str) -> PathBuf {
        self.folder.path().join("roots").join(host)
    }

    /// Starts every server, then writes down where they are.
    fn raise(&mut self) -> io::Result<()> {
        let mut known = String::new();
        let mut hosts =
            String::from("# The demonstration fleet. root= makes one machine play them all.\n[web]  template=web\n");
        // Sockets and tasks belong to the runtime.
        let inside = self.servers.enter();
        for player in CAST {
            let (port, key) = start(player, &self.identity)?;
            if player.name == GOLDEN {
                self.golden_port = port;
            }
            if let Some(key) = key {
                let key = key.to_openssh().map_err(io::Error::other)?;
                writeln!(known, "[127.0.0.1]:{port} {key}").map_err(io::Error::other)?;
            }
            let root = self.root(player.name);
            writeln!(hosts, "127.0.0.1:{port}  name={}  root={}", player.name, root.display())
                .map_err(io::Error::other)?;
        }
        drop(inside);
        std::fs::write(self.folder.path().join(KNOWN_HOSTS), known)?;
        std::fs::write(self.folder.path().join(HOSTS), hosts)
    }
}

/// Starts one host, inside the runtime; returns its port and the key that `known_hosts` is to hold for it.
fn start(player: Player, admitted: &PublicKey) -> io::Result<(u16, Option<PublicKey>)> {
    let listener = server::bind(Ipv4Addr::LOCALHOST, 0)?;
    let port = listener.local_addr()?.port();
    let host_key = new_key()?;
    let expected = match player.part {
        Part::Hangs => {
            tokio::spawn(hang(listener));
            return Ok((port, None));
        }
        Part::WrongHostKey => new_key()?.public_key().clone(),
        Part::Golden
        | Part::Untouched
        | Part::NotRolledForward
        | Part::Backdoor
        | Part::UpgradedInPlace
        | Part::EditedQuietly
        | Part::LinkRedirected
        | Part::DroppedInTmp => host_key.public_key().clone(),
    };
    let door = Door::new(host_key, admitted.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let door = door.clone();
            // Whether a scan went wrong is told by the verdicts at the end.
            tokio::spawn(async move {
                // Small answers must not wait for Nagle.
                stream.set_nodelay(true).ok();
                door.serve(stream, play).await;
            });
        }
    });
    Ok((port, Some(expected)))
}

fn play(line: Vec<u8>, channel: Channel<Msg>, session: Handle) {
    tokio::spawn(command::run(line, channel, session));
}

/// Accepts connections, keeps them, and never says a word.
async fn hang(listener: TcpListener) {
    let mut held = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        held.push(stream);
    }
}

fn new_key() -> io::Result<PrivateKey> {
    let key: KeyResult<PrivateKey> = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519);
    key.map_err(io::Error::other)
}
