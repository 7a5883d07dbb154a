//! Keys and agents.
//!
//! *Invariant:* see the parent.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::server::{KeyAgent, PASSPHRASE, keygen};
use super::*;
use crate::model::Reason;
use crate::transport::{KeyFault, RouteError};

#[test]
fn each_type_of_key_logs_in() {
    let server = Server::start_with_rsa("");
    for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
        let mut client = Client::of(&server);
        client.settings.identities = vec![server.user_key(name)];
        let connection = client.dial(&host_at(server.port)).unwrap();
        assert!(connection.key_used().unwrap().ends_with(&format!("/{name})")), "{name}");
    }
    // SHA-1 was not used for RSA.
    assert!(!server.log().contains("ssh-rsa signature"), "{}", server.log());
}

#[test]
fn keys_in_the_old_format_log_in() {
    let server = Server::start("");
    let client = Client::new();
    let plain = keygen(&client.path(".ssh"), "pem", "rsa", "", &["-b", "2048", "-m", "PEM"]);
    let sealed = keygen(&client.path(".ssh"), "pem_sealed", "rsa", PASSPHRASE, &["-b", "2048", "-m", "PEM"]);
    let pkcs8 = keygen(&client.path(".ssh"), "pkcs8_sealed", "ecdsa", PASSPHRASE, &["-m", "PKCS8"]);
    let mut authorized = String::new();
    for file in [&plain, &sealed, &pkcs8] {
        authorized += &std::fs::read_to_string(format!("{}.pub", file.display())).unwrap();
    }
    std::fs::write(server.path("authorized_keys"), authorized).unwrap();
    for (file, passphrase) in [(&plain, None), (&sealed, Some(PASSPHRASE)), (&pkcs8, Some(PASSPHRASE))] {
        let mut client = Client::of(&server);
        client.settings.identities = vec![file.clone()];
        client.passphrase = passphrase.map(str::to_owned);
        client.dial(&host_at(server.port)).unwrap();
        assert_eq!(client.asked.load(Ordering::Relaxed), usize::from(passphrase.is_some()));
    }
}

#[test]
fn a_wrong_passphrase_is_found_when_it_is_asked_for_whatever_the_format() {
    let mut client = Client::new();
    let folder = client.path(".ssh");
    for (name, kind, more) in [
        ("openssh", "ed25519", &["-a", "2"][..]),
        ("pem", "rsa", &["-b", "2048", "-m", "PEM"]),
        ("pem_ecdsa", "ecdsa", &["-m", "PEM"]),
        ("pkcs8", "ecdsa", &["-m", "PKCS8"]),
        ("pkcs8_rsa", "rsa", &["-b", "2048", "-m", "PKCS8"]),
    ] {
        let key = keygen(&folder, name, kind, PASSPHRASE, more);
        let mut host = host_at(22);
        host.identity = Some(key.clone());
        client.passphrase = Some("wrong".to_owned());
        client.asked.store(0, Ordering::Relaxed);
        match client.dialer().route(&host).unwrap_err() {
            RouteError::Key { fault, .. } => assert_eq!(fault, KeyFault::WrongPassphrase { path: key }, "{name}"),
            other => panic!("{name}: {other}"),
        }
        // As ssh(1) does, and then no more.
        assert_eq!(client.asked.load(Ordering::Relaxed), 3, "{name}");
        client.passphrase = Some(PASSPHRASE.to_owned());
        let dialer = client.dialer();
        dialer.route(&host).unwrap();
        dialer.route(&host).unwrap();
        assert_eq!(client.asked.load(Ordering::Relaxed), 4, "{name}");
        client.passphrase = None;
        match client.dialer().route(&host).unwrap_err() {
            RouteError::Key { fault: KeyFault::Locked { .. }, .. } => {}
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn an_encrypted_key_is_asked_for_once_a_run() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.identities = vec![server.user_key("id_sealed")];
    client.passphrase = Some(PASSPHRASE.to_owned());
    let dialer = client.dialer();
    for _ in 0..3 {
        let route = dialer.route(&host_at(server.port)).unwrap();
        dialer.dial(&route, soon(), &mut |_| {}).unwrap();
    }
    assert_eq!(client.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn key_files_that_cannot_be_used_say_why() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    let key = client.path("key");
    let fault = |client: &Client, path: &Path| {
        let mut host = host_at(server.port);
        host.identity = Some(path.to_owned());
        match client.dialer().route(&host).unwrap_err() {
            RouteError::Key { fault, .. } => fault,
            other => panic!("{other}"),
        }
    };
    assert_eq!(fault(&client, &key), KeyFault::Absent { path: key.clone() });

    let sealed = server.user_key("id_sealed");
    assert_eq!(fault(&client, &sealed), KeyFault::Locked { path: sealed.clone() });
    client.passphrase = Some("wrong".to_owned());
    let wrong = fault(&client, &sealed);
    assert_eq!(wrong, KeyFault::WrongPassphrase { path: sealed.clone() });
    assert_eq!(wrong.to_string(), format!("wrong passphrase for the key {}", sealed.display()));

    std::fs::copy(server.user_key("id_ed25519"), &key).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(fault(&client, &key), KeyFault::TooOpen { path: key.clone(), mode: 0o644 });

    let public = server.path("id_ed25519.pub");
    assert_eq!(fault(&client, &public), KeyFault::Public { path: public.clone() });

    std::fs::write(&key, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(fault(&client, &key), KeyFault::Format { .. }));

    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    assert!(matches!(fault(&client, &key), KeyFault::Unreadable { .. }));
    // One of the command line is told before anything else.
    client.settings.identities = vec![client.path("absent")];
    assert!(matches!(client.try_dialer(), Err(SetupError::Key(KeyFault::Absent { .. }))));
}

#[test]
fn the_usual_keys_are_found_where_none_is_named() {
    let server = Server::start_with_rsa("");
    let mut client = Client::of(&server);
    client.settings.identities.clear();
    std::fs::copy(server.user_key("id_rsa"), client.path(".ssh/id_rsa")).unwrap();
    let connection = client.dial(&host_at(server.port)).unwrap();
    assert!(connection.key_used().unwrap().ends_with("/.ssh/id_rsa)"));
}

#[test]
fn an_agent_logs_in_with_each_type_of_key() {
    let server = Server::start_with_rsa("");
    for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
        let agent = KeyAgent::with(&[server.user_key(name)]);
        let mut client = Client::of(&server);
        client.settings.identities.clear();
        client.surroundings.agent = Some(agent.socket.clone());
        let connection = client.dial(&host_at(server.port)).unwrap();
        assert!(connection.key_used().unwrap().ends_with(" (agent)"), "{name}");
    }
}

#[test]
fn a_named_key_that_the_agent_holds_needs_no_passphrase() {
    let server = Server::start("");
    // The agent gets it decrypted; the file stays encrypted.
    let open = server.path("open");
    std::fs::copy(server.user_key("id_sealed"), &open).unwrap();
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", PASSPHRASE, "-N", "", "-f"])
        .arg(&open)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let agent = KeyAgent::with(&[open]);
    let mut client = Client::of(&server);
    client.settings.identities = vec![server.user_key("id_sealed")];
    client.surroundings.agent = Some(agent.socket.clone());
    client.dial(&host_at(server.port)).unwrap();
    assert_eq!(client.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn an_agent_that_ends_during_the_run_fails_one_login_clearly() {
    let server = Server::start("");
    let mut agent = KeyAgent::with(&[server.user_key("id_ed25519")]);
    let mut client = Client::of(&server);
    client.settings.identities.clear();
    client.surroundings.agent = Some(agent.socket.clone());
    let dialer = client.dialer();
    let route = dialer.route(&host_at(server.port)).unwrap();
    agent.end();
    let error = dialer.dial(&route, soon(), &mut |_| {}).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth);
    assert!(error.to_string().contains("agent"), "{error}");
}

#[test]
fn a_refused_login_says_what_was_tried_and_what_would_be_taken() {
    let server = Server::start("PasswordAuthentication yes\n");
    let client = Client::new();
    client.know(&server.known_line());
    keygen(&client.path(".ssh"), "id_ed25519", "ed25519", "", &[]);
    let error = client.dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth);
    assert!(error.to_string().contains(".ssh/id_ed25519) was refused"), "{error}");
    let remedy = error.remedy();
    assert!(remedy.contains("no SSH agent is set"), "{remedy}");
    assert!(remedy.contains("The host accepts publickey"), "{remedy}");
}

#[test]
fn no_more_keys_are_offered_than_a_server_bears() {
    let server = Server::start("");
    let client = Client::new();
    client.know(&server.known_line());
    let keys: Vec<PathBuf> = (0..8).map(|n| keygen(&client.path(""), &format!("k{n}"), "ed25519", "", &[])).collect();
    let agent = KeyAgent::with(&keys);
    let mut client = client;
    client.surroundings.agent = Some(agent.socket.clone());
    let error = client.dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.to_string().matches("was refused").count(), 5, "{error}");
    assert!(error.remedy().contains("3 more keys were not tried"), "{}", error.remedy());
    assert!(!server.log().contains("Too many authentication failures"), "{}", server.log());
}

#[test]
fn a_server_that_takes_fewer_keys_than_are_offered_is_told() {
    let server = Server::start("MaxAuthTries 1\n");
    let mut client = Client::of(&server);
    client.settings.identities =
        vec![keygen(&client.path(""), "other", "ed25519", "", &[]), server.user_key("id_ed25519")];
    let error = client.dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth, "{error}");
    assert!(error.to_string().contains("the host closed the connection"), "{error}");
    assert!(error.remedy().contains("MaxAuthTries"), "{}", error.remedy());
}

#[test]
fn a_server_that_wants_more_than_a_key_is_told() {
    let server = Server::start("AuthenticationMethods publickey,password\nPasswordAuthentication yes\n");
    let error = Client::of(&server).dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth, "{error}");
    assert!(error.remedy().contains("The host wants something else besides a key"), "{error}\n{}", error.remedy());
}

#[test]
fn a_server_that_takes_no_keys_is_told() {
    let server = Server::start("PubkeyAuthentication no\nPasswordAuthentication yes\n");
    let error = Client::of(&server).dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::Auth, "{error}");
    assert!(error.remedy().contains("The host accepts password, and not a key."), "{}", error.remedy());
}

#[test]
fn a_passphrase_that_nobody_gives_is_asked_for_once_a_run() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.identities = vec![server.user_key("id_sealed")];
    let dialer = client.dialer();
    for _ in 0..3 {
        assert!(dialer.route(&host_at(server.port)).is_err());
    }
    assert_eq!(client.asked.load(Ordering::Relaxed), 1);
}
