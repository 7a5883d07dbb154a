//! Agents: what they sign, and what it costs when they don't.
//!
//! *Invariant:* see the parent; security keys are software, and sshd verifies them as it verifies the real ones.

use std::os::unix::net::UnixListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{KeyAgent, keygen};
use super::soft_agent::{Manner, SoftAgent, SoftKey};
use super::*;
use crate::model::Reason;
use crate::transport::known_hosts::kind_of;
use crate::transport::ssh2::signature;

fn authorized_line(blob: &[u8]) -> String {
    format!("{} {}\n", kind_of(blob).unwrap(), STANDARD.encode(blob))
}

/// A client whose only way in is an agent.
fn client_of(server: &Server, agent: &SoftAgent) -> Client {
    let mut client = Client::of(server);
    client.settings.identities.clear();
    client.surroundings.agent = Some(agent.socket.clone());
    client
}

#[test]
fn a_security_key_logs_in_through_the_agent() {
    for key in [SoftKey::ed25519(), SoftKey::ecdsa()] {
        assert!(
            signature::is_valid(&key.blob, &key.sign(b"x"), b"x")
                && !signature::is_valid(&key.blob, &key.sign(b"x"), b"y")
        );
        let server = Server::start("");
        std::fs::write(server.path("authorized_keys"), authorized_line(&key.blob)).unwrap();
        let names = vec![key.blob.clone()];
        let agent = SoftAgent::with(key, names, Manner::Signs);
        let connection = client_of(&server, &agent).dial(&host_at(server.port)).unwrap();
        assert!(connection.key_used().unwrap().ends_with(" (agent)"));
        assert_eq!(agent.asked(), 1);
    }
}

#[test]
fn a_security_key_that_nobody_touched_is_told() {
    let key = SoftKey::ed25519();
    let server = Server::start("");
    std::fs::write(server.path("authorized_keys"), authorized_line(&key.blob)).unwrap();
    let names = vec![key.blob.clone()];
    let agent = SoftAgent::with(key, names, Manner::Refuses);
    let error = client_of(&server, &agent).dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth);
    assert!(error.to_string().contains("not touched"), "{error}");
}

#[test]
fn a_signature_by_another_algorithm_never_reaches_the_host() {
    let key = SoftKey::ed25519();
    let server = Server::start("");
    std::fs::write(server.path("authorized_keys"), authorized_line(&key.blob)).unwrap();
    let names = vec![key.blob.clone()];
    let agent = SoftAgent::with(key, names, Manner::ByAnotherName);
    let error = client_of(&server, &agent).dial(&host_at(server.port)).unwrap_err();
    assert!(
        error.to_string().contains("the agent signs by ssh-rsa where sk-ssh-ed25519@openssh.com was asked for"),
        "{error}"
    );
    assert!(!server.log().contains("signature"), "{}", server.log());
}

#[test]
fn f10_an_agent_that_is_silent_costs_seconds_once_and_not_a_host() {
    let server = Server::start("MaxStartups 100\n");
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let _listener = UnixListener::bind(&socket).unwrap();
    let mut client = Client::of(&server);
    client.surroundings.agent = Some(socket);
    let dialer = client.dialer();
    let start = Instant::now();
    let routes: Vec<Route> = (0..20).map(|_| dialer.route(&host_at(server.port)).unwrap()).collect();
    assert!((4_500..8_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    // Whoever has a key file does not need it.
    dialer.dial(&routes[0], soon(), &mut |_| {}).unwrap();
}

#[test]
fn f10_an_agent_that_hangs_while_signing_costs_seconds_once_and_not_a_host() {
    let server = Server::start("MaxStartups 100\n");
    let own = keygen(&server.path(""), "agents_own", "ed25519", "", &[]);
    let text = std::fs::read_to_string(format!("{}.pub", own.display())).unwrap();
    std::fs::write(server.path("authorized_keys"), &text).unwrap();
    let blob = STANDARD.decode(text.split_whitespace().nth(1).unwrap()).unwrap();
    let agent = SoftAgent::with(SoftKey::ed25519(), vec![blob], Manner::Hangs);
    let client = client_of(&server, &agent);
    let dialer = client.dialer();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let route = dialer.route(&host_at(server.port)).unwrap();
                let error = dialer.dial(&route, soon(), &mut |_| {}).unwrap_err();
                assert_eq!(error.reason(), Reason::Auth, "{error}");
                assert!(error.to_string().contains("does not answer"), "{error}");
            });
        }
    });
    assert!((9_000..15_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(agent.asked(), 1);
    // A short deadline ends it earlier, and says nothing about the agent.
    let dialer = client.dialer();
    let route = dialer.route(&host_at(server.port)).unwrap();
    let start = Instant::now();
    let error = dialer.dial(&route, start + Duration::from_secs(1), &mut |_| {}).unwrap_err();
    assert_eq!(error.reason(), Reason::Timeout, "{error}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn f10_an_agent_that_dies_mid_run_fails_only_the_hosts_that_need_it() {
    let server = Server::start("");
    let mut agent = KeyAgent::with(&[server.user_key("id_ecdsa")]);
    let mut client = Client::of(&server);
    client.settings.identities.clear();
    client.surroundings.agent = Some(agent.socket.clone());
    let dialer = client.dialer();
    let needs = dialer.route(&host_at(server.port)).unwrap();
    let mut host = host_at(server.port);
    host.identity = Some(server.user_key("id_ed25519"));
    let has_its_own = dialer.route(&host).unwrap();
    dialer.dial(&needs, soon(), &mut |_| {}).unwrap();
    agent.end();
    let error = dialer.dial(&needs, soon(), &mut |_| {}).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth);
    assert!(error.to_string().contains("the agent at "), "{error}");
    dialer.dial(&has_its_own, soon(), &mut |_| {}).unwrap();
}

#[test]
fn many_hosts_sign_through_one_agent_at_once() {
    let server = Server::start("MaxStartups 200\n");
    let agent = KeyAgent::with(&[server.user_key("id_ed25519")]);
    let mut client = Client::of(&server);
    client.settings.identities.clear();
    client.surroundings.agent = Some(agent.socket.clone());
    let dialer = client.dialer();
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let route = dialer.route(&host_at(server.port)).unwrap();
                dialer.dial(&route, Instant::now() + Duration::from_secs(60), &mut |_| {}).unwrap();
            });
        }
    });
}
