//! Host keys.
//!
//! *Invariant:* see the parent; wherever a key is not accepted, the server must never have seen a login.

use std::process::Command;

use super::server::keygen;
use super::*;
use crate::model::Reason;
use crate::transport::HostKeyFault;

fn fault(server: &Server, client: &Client, host: &Host) -> HostKeyFault {
    let error = client.dial(host).unwrap_err();
    assert_eq!(error.reason(), Reason::HostKey, "{error}");
    let log = server.log();
    assert!(!log.contains("userauth-request"), "a login was tried:\n{log}");
    match error {
        TransportError::HostKey(fault) => *fault,
        other => panic!("{other}"),
    }
}

fn other_key(client: &Client, kind: &str) -> String {
    let file = keygen(&client.path(""), &format!("other_{kind}"), kind, "", &[]);
    let text = std::fs::read_to_string(format!("{}.pub", file.display())).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_unknown_host_is_refused_and_its_fingerprint_is_shown() {
    let server = Server::start("");
    let client = Client::of(&server);
    client.know("");
    let fault = fault(&server, &client, &host_at(server.port));
    let fingerprint = server.fingerprint("ed25519");
    assert_eq!(
        fault.to_string(),
        format!("the host key of [127.0.0.1]:{} is not known: it shows ssh-ed25519 {fingerprint}", server.port)
    );
    assert!(fault.remedy().contains("--accept-new-host-keys") && fault.remedy().contains("console"));
}

#[test]
fn a_changed_key_is_refused_even_where_new_ones_are_accepted() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.accept_new_host_keys = true;
    let before = format!("# a comment\n{} {}\n", server.name(), other_key(&client, "ed25519"));
    client.know(&before);
    let fault = fault(&server, &client, &host_at(server.port));
    let HostKeyFault::Changed { fingerprint, known, .. } = &fault else { panic!("{fault}") };
    assert_eq!(*fingerprint, server.fingerprint("ed25519"));
    assert_eq!((known[0].line, known[0].file.clone()), (2, client.path(".ssh/known_hosts")));
    assert!(fault.to_string().contains(&known[0].fingerprint) && fault.to_string().contains("known_hosts:2"));
    assert!(!fault.remedy().contains("--accept-new-host-keys"));
    assert_eq!(client.known_hosts(), before);
}

#[test]
fn a_key_of_a_new_type_is_a_changed_key() {
    // The server has an ecdsa key, but not this one.
    let server = Server::start("");
    let client = Client::of(&server);
    client.know(&format!("{} {}\n", server.name(), other_key(&client, "ecdsa")));
    let HostKeyFault::Changed { kind, .. } = fault(&server, &client, &host_at(server.port)) else { panic!() };
    assert_eq!(kind, "ecdsa-sha2-nistp256");
}

#[test]
fn the_type_that_is_known_is_the_one_that_is_asked_for() {
    let server = Server::start_with_rsa("");
    for (kind, name) in [("rsa", "ssh-rsa"), ("ecdsa", "ecdsa-sha2-nistp256"), ("ed25519", "ssh-ed25519")] {
        let client = Client::of(&server);
        client.know(&format!("{} {}\n", server.name(), server.host_key(kind)));
        let connection = client.dial(&host_at(server.port)).unwrap();
        assert_eq!(connection.host_key().unwrap(), format!("{name} {}", server.fingerprint(kind)));
    }
}

#[test]
fn a_revoked_key_is_refused_even_where_it_is_known_and_pinned() {
    let server = Server::start("");
    let client = Client::of(&server);
    client.know(&format!("{}@revoked * {}\n", server.known_line(), server.host_key("ed25519")));
    let mut host = host_at(server.port);
    assert!(matches!(fault(&server, &client, &host), HostKeyFault::Revoked { line: 2, .. }));
    host.host_key = Some(server.fingerprint("ed25519"));
    assert!(matches!(fault(&server, &client, &host), HostKeyFault::Revoked { line: 2, .. }));
}

#[test]
fn an_authority_alone_is_not_enough() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.accept_new_host_keys = true;
    client.know(&format!("@cert-authority * {}\n", server.host_key("ed25519")));
    let fault = fault(&server, &client, &host_at(server.port));
    assert!(matches!(fault, HostKeyFault::AuthorityOnly { line: 1, .. }), "{fault}");
}

#[test]
fn hashed_names_patterns_and_lines_without_a_port_are_known() {
    let server = Server::start("");
    let client = Client::of(&server);
    for names in ["[127.0.0.*]:*".to_owned(), "127.0.0.1".to_owned(), format!("x,{}", server.name())] {
        client.know(&format!("{names} {}\n", server.host_key("ed25519")));
        client.dial(&host_at(server.port)).unwrap();
    }
    client.know(&format!("*,!{} {}\n", server.name(), server.host_key("ed25519")));
    client.dial(&host_at(server.port)).unwrap();
    client.know(&format!("*,!{},!127.0.0.1 {}\n", server.name(), server.host_key("ed25519")));
    assert!(client.dial(&host_at(server.port)).is_err());

    client.know(&server.known_line());
    let hash =
        Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(client.path(".ssh/known_hosts")).output().unwrap();
    assert!(hash.status.success() && client.known_hosts().starts_with("|1|"), "{}", client.known_hosts());
    client.dial(&host_at(server.port)).unwrap();
}

#[test]
fn a_garbage_line_is_told_and_takes_nothing_with_it() {
    let server = Server::start("");
    let client = Client::of(&server);
    client.know(&format!("what is %%%\n{}", server.known_line()));
    let dialer = client.dialer();
    let route = dialer.route(&host_at(server.port)).unwrap();
    dialer.dial(&route, soon(), &mut |_| {}).unwrap();
    let warnings = dialer.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("known_hosts:1: the key is not base64"), "{warnings:?}");
}

#[test]
fn a_pin_wins_over_the_files_and_is_found_whatever_its_type() {
    let server = Server::start_with_rsa("");
    let client = Client::of(&server);
    client.know(&format!("{} {}\n", server.name(), other_key(&client, "ed25519")));
    let mut host = host_at(server.port);
    for kind in ["ed25519", "ecdsa", "rsa"] {
        host.host_key = Some(server.fingerprint(kind));
        let connection = client.dial(&host).unwrap();
        assert!(connection.host_key().unwrap().ends_with(&server.fingerprint(kind)));
    }
}

#[test]
fn another_key_than_the_pin_is_refused_with_both_and_the_place() {
    let server = Server::start("");
    let client = Client::of(&server);
    let mut host = host_at(server.port);
    let pin = format!("SHA256:{}", "A".repeat(43));
    host.host_key = Some(pin.clone());
    let fault = fault(&server, &client, &host).to_string();
    assert!(fault.contains(&pin) && fault.contains(&server.fingerprint("ed25519")), "{fault}");
    assert!(fault.contains("hosts.txt:3"), "{fault}");
}

#[test]
fn a_new_key_is_written_down_once_by_many_threads() {
    let server = Server::start("MaxStartups 100\n");
    let mut client = Client::of(&server);
    client.settings.accept_new_host_keys = true;
    // No line break at the end.
    client.know("other ssh-ed25519 AAAA");
    let dialer = client.dialer();
    let host = host_at(server.port);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let route = dialer.route(&host).unwrap();
                dialer.dial(&route, soon(), &mut |_| {}).unwrap();
            });
        }
    });
    assert_eq!(client.known_hosts(), format!("other ssh-ed25519 AAAA\n{}", server.known_line()));
    // From now on it is known without the flag.
    client.settings.accept_new_host_keys = false;
    client.dial(&host).unwrap();
}

#[test]
fn a_first_known_hosts_file_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start("");
    let mut client = Client::of(&server);
    std::fs::remove_dir_all(client.path(".ssh")).unwrap();
    client.settings.accept_new_host_keys = true;
    client.dial(&host_at(server.port)).unwrap();
    assert_eq!(client.known_hosts(), server.known_line());
    let mode = |name| std::fs::metadata(client.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".ssh"), mode(".ssh/known_hosts")), (0o700, 0o600));
}

#[test]
fn a_file_that_cannot_be_written_makes_the_host_unverifiable() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.accept_new_host_keys = true;
    std::fs::remove_dir_all(client.path(".ssh")).unwrap();
    std::fs::write(client.path(".ssh"), "").unwrap();
    let fault = fault(&server, &client, &host_at(server.port));
    assert!(matches!(fault, HostKeyFault::NotRecorded { .. }), "{fault}");
}

#[test]
fn a_named_file_stands_in_place_of_the_users() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    let named = client.path("fleet_hosts");
    std::fs::write(&named, "").unwrap();
    client.settings.known_hosts = Some(named.clone());
    assert!(matches!(fault(&server, &client, &host_at(server.port)), HostKeyFault::Unknown { .. }));
    std::fs::write(&named, server.known_line()).unwrap();
    client.dial(&host_at(server.port)).unwrap();
    client.settings.known_hosts = Some(client.path("absent"));
    assert!(matches!(client.try_dialer(), Err(SetupError::KnownHosts { .. })));
}

#[test]
fn an_alias_is_looked_up_in_place_of_the_host() {
    let server = Server::start("");
    let client = Client::of(&server);
    std::fs::write(client.path(".ssh/config"), "Host 127.0.0.1\n HostKeyAlias golden\n").unwrap();
    client.know(&format!("golden {}\n", server.host_key("ed25519")));
    client.dial(&host_at(server.port)).unwrap();
}

#[test]
fn a_server_with_a_certificate_shows_its_plain_key() {
    let folder = tempfile::tempdir().unwrap();
    let authority = keygen(folder.path(), "ca", "ed25519", "", &[]);
    let own = keygen(folder.path(), "own", "ed25519", "", &[]);
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-s"])
        .arg(&authority)
        .args(["-I", "web", "-h", "-n", "127.0.0.1"])
        .arg(format!("{}.pub", own.display()))
        .status()
        .unwrap();
    assert!(signed.success());
    let config = format!("HostKey {0}\nHostCertificate {0}-cert.pub\n", own.display());
    let server = Server::start(&config);
    let client = Client::of(&server);
    let text = std::fs::read_to_string(format!("{}.pub", own.display())).unwrap();
    client.know(&format!("{} {text}{}", server.name(), server.known_line()));
    client.dial(&host_at(server.port)).unwrap();
}

#[test]
fn a_server_of_sha1_alone_is_refused_and_told() {
    let server = Server::start_with_rsa("HostKeyAlgorithms ssh-rsa\n");
    let client = Client::of(&server);
    client.know(&format!("{} {}\n", server.name(), server.host_key("rsa")));
    let error = client.dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::Protocol, "{error}");
    assert!(error.to_string().contains("no algorithm in common"), "{error}");
    assert!(error.remedy().contains("SHA-1"));
}
