//! SSH against real OpenSSH servers on loopback, and against servers that mean harm.
//!
//! *Invariant:* every server has its own folder, keys and port; no test reads this login's keys, agent or configuration.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod agents;
mod certificates;
mod commands;
mod hostile;
mod logins;
mod server;
mod soft_agent;
mod trust;
mod trust_sources;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::*;
use crate::inventory::host::{Host, Place, Reach};
use crate::transport::{Connection as _, TransportError};
use server::Server;

fn host_at(port: u16) -> Host {
    Host {
        name: "web-01".to_owned(),
        group: String::new(),
        reach: Reach::Ssh { host: "127.0.0.1".to_owned(), port: Some(port), user: None },
        template: None,
        root: None,
        sudo: None,
        identity: None,
        host_key: None,
        jump: None,
        transport: None,
        probe: None,
        tags: Vec::new(),
        place: Place { file: "hosts.txt".to_owned(), line: 3 },
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// A home with an empty `.ssh`, where this user logs in as itself.
struct Client {
    folder: tempfile::TempDir,
    surroundings: Surroundings,
    settings: SshSettings,
    passphrase: Option<String>,
    asked: Arc<AtomicUsize>,
}

impl Client {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".ssh")).unwrap();
        let mut surroundings = Surroundings::at(folder.path().to_owned(), None, None);
        surroundings.user = Surroundings::of_this_process().user;
        surroundings.system_config = folder.path().join("no-system-config");
        let known_hosts = folder.path().join(".ssh/known_hosts");
        std::fs::write(&known_hosts, "").unwrap();
        Self { folder, surroundings, settings: SshSettings::default(), passphrase: None, asked: Arc::default() }
    }

    /// That knows a server and has the key it accepts.
    fn of(server: &Server) -> Self {
        let mut client = Self::new();
        client.know(&server.known_line());
        client.settings.identities = vec![server.user_key("id_ed25519")];
        client
    }

    /// Lets the installed ssh client read the configuration.
    fn ask_ssh(&mut self) {
        let (user, system) = (self.surroundings.user.take(), self.surroundings.system_config.clone());
        let home_of_ssh = Surroundings::of_this_process().home_of_ssh();
        let home = self.folder.path().to_owned();
        let agent = self.surroundings.agent.take();
        self.surroundings = Surroundings::at(home, home_of_ssh, Some(PathBuf::from("/usr/bin/ssh")));
        (self.surroundings.user, self.surroundings.system_config) = (user, system);
        self.surroundings.agent = agent;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn know(&self, lines: &str) {
        std::fs::write(self.path(".ssh/known_hosts"), lines).unwrap();
    }

    fn known_hosts(&self) -> String {
        std::fs::read_to_string(self.path(".ssh/known_hosts")).unwrap()
    }

    fn dialer(&self) -> Dialer {
        self.try_dialer().unwrap()
    }

    fn try_dialer(&self) -> Result<Dialer, SetupError> {
        let (passphrase, asked) = (self.passphrase.clone(), Arc::clone(&self.asked));
        let ask: AskPassphrase = Box::new(move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            passphrase.clone().map(Zeroizing::new)
        });
        Dialer::with(self.settings.clone(), ask, self.surroundings.clone())
    }

    fn dial(&self, host: &Host) -> Result<SshConnection, TransportError> {
        let dialer = self.dialer();
        let route = dialer.route(host).unwrap();
        dialer.dial(&route, soon(), &mut |_| {})
    }
}

#[test]
fn only_a_sound_libssh2_is_used() {
    assert!(is_safe(&sys::libssh2_linked_version()));
    assert!(is_safe("1.11.2_DEV") && is_safe("1.12.0") && is_safe("2.0.0"));
    assert!(!is_safe("1.11.1") && !is_safe("1.9.0_DEV") && !is_safe("1.11") && !is_safe(""));
}

#[test]
fn ways_that_can_not_be_taken_are_refused_with_their_place() {
    let client = Client::new();
    let config = "Host a\n ProxyJump bastion\nHost b\n KnownHostsCommand known-hosts %H\nHost c\n ProxyCommand nc %X\n";
    std::fs::write(client.path(".ssh/config"), config).unwrap();
    let dialer = client.dialer();
    let refusal = |name: &str| {
        let mut host = host_at(22);
        host.reach = Reach::Ssh { host: name.to_owned(), port: None, user: None };
        dialer.route(&host).unwrap_err().to_string()
    };
    // This client has no ssh.
    assert!(refusal("a").starts_with("hosts.txt:3: web-01: ProxyJump bastion: the ssh client"), "{}", refusal("a"));
    assert!(refusal("c").starts_with("hosts.txt:3: web-01: ProxyCommand nc %X: "), "{}", refusal("c"));
    let command = refusal("b");
    assert!(command.starts_with("hosts.txt:3: web-01: ssh_config: KnownHostsCommand known-hosts %H: "), "{command}");
}

#[test]
fn every_step_of_a_dial_is_told() {
    let server = Server::start("");
    let client = Client::of(&server);
    let dialer = client.dialer();
    let route = dialer.route(&host_at(server.port)).unwrap();
    assert!(route.address().ends_with(&format!("@127.0.0.1:{}", server.port)));
    let mut steps = Vec::new();
    let connection = dialer.dial(&route, soon(), &mut |step| steps.push(step)).unwrap();
    let words: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            Step::Resolved { .. } => "resolved",
            Step::Connected { .. } => "connected",
            Step::Through { .. } => "through",
            Step::HostKey { .. } => "host key",
            Step::LoggedIn { .. } => "logged in",
            Step::Retrying { .. } => "retrying",
        })
        .collect();
    assert_eq!(words, ["resolved", "connected", "host key", "logged in"]);
    assert_eq!(connection.host_key(), Some(format!("ssh-ed25519 {}", server.fingerprint("ed25519")).as_str()));
    assert!(connection.key_used().unwrap().starts_with("SHA256:"));
    assert_eq!(connection.attempts(), 1);
    let traffic = connection.traffic();
    assert!((1_000..20_000).contains(&traffic.received) && (1_000..20_000).contains(&traffic.sent), "{traffic:?}");
}

#[test]
fn many_threads_dial_at_once() {
    let server = Server::start("MaxStartups 200\n");
    let client = Client::of(&server);
    let dialer = client.dialer();
    let host = host_at(server.port);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..24)
            .map(|_| {
                scope.spawn(|| {
                    let route = dialer.route(&host).unwrap();
                    let deadline = Instant::now() + Duration::from_secs(60);
                    let mut connection = dialer.dial(&route, deadline, &mut |_| {}).unwrap();
                    connection.exec("echo here").unwrap().finish().unwrap().status
                })
            })
            .collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), Some(0));
        }
    });
}

#[test]
fn a_server_that_throttles_is_tried_again_and_then_told() {
    // One login at a time, and somebody holds the place.
    let server = Server::start("MaxStartups 1\nLoginGraceTime 20\n");
    let client = Client::of(&server);
    let holder = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let dialer = client.dialer();
    let route = dialer.route(&host_at(server.port)).unwrap();
    let mut retries = 0;
    let error = dialer
        .dial(&route, soon(), &mut |step| retries += usize::from(matches!(step, Step::Retrying { .. })))
        .unwrap_err();
    assert_eq!(error.reason(), crate::model::Reason::Throttled, "{error}");
    assert_eq!(retries, 3);
    assert!(error.to_string().contains("4 tries"), "{error}");
    // And once the place is free in time, nobody notices.
    let free = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        drop(holder);
    });
    assert!(dialer.dial(&route, soon(), &mut |_| {}).unwrap().attempts() > 1);
    free.join().unwrap();
}
