//! Where trust comes from besides plain lines: commands, lists of revoked keys, hashed names, damaged lines.
//!
//! *Invariant:* see the parent; wherever a key is not accepted, the server must never have seen a login.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::server::keygen;
use super::*;
use crate::model::Reason;
use crate::transport::HostKeyFault;

fn refused(server: &Server, client: &Client) -> HostKeyFault {
    let error = client.dial(&host_at(server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::HostKey, "{error}");
    assert!(!server.log().contains("userauth-request"), "a login was tried:\n{}", server.log());
    match error {
        TransportError::HostKey(fault) => *fault,
        other => panic!("{other}"),
    }
}

fn script(client: &Client, text: &str) -> PathBuf {
    let file = client.path("command");
    std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file
}

fn configure(client: &Client, text: &str) {
    std::fs::write(client.path(".ssh/config"), text).unwrap();
}

#[test]
fn a_known_hosts_command_vouches_and_is_told_what_it_is_asked_about() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.know("");
    let told = client.path("told");
    let command =
        script(&client, &format!("echo \"$*\" >>'{}'; echo \"$1 {}\"", told.display(), server.host_key("ed25519")));
    configure(&client, &format!("KnownHostsCommand {} %H %I %t %f '%h %p' %%\n", command.display()));
    client.dial(&host_at(server.port)).unwrap();
    let name = format!("[127.0.0.1]:{}", server.port);
    let expected = format!(
        "{name} ORDER NONE NONE 127.0.0.1 {port} %\n{name} HOSTNAME ssh-ed25519 {} 127.0.0.1 {port} %\n",
        server.fingerprint("ed25519"),
        port = server.port
    );
    assert_eq!(std::fs::read_to_string(&told).unwrap(), expected);
    // By the ssh client's own reading it is the same.
    client.ask_ssh();
    std::fs::remove_file(&told).unwrap();
    client.dial(&host_at(server.port)).unwrap();
    assert_eq!(std::fs::read_to_string(&told).unwrap(), expected);
}

#[test]
fn a_known_hosts_command_chooses_the_type_and_can_revoke() {
    let server = Server::start("");
    let client = Client::of(&server);
    client.know("");
    let command = script(&client, &format!("echo '* {}'", server.host_key("ecdsa")));
    configure(&client, &format!("KnownHostsCommand {}\n", command.display()));
    let connection = client.dial(&host_at(server.port)).unwrap();
    assert!(connection.host_key().unwrap().starts_with("ecdsa-sha2-nistp256 "));
    let server = Server::start("");
    let client = Client::of(&server);
    let command = script(&client, &format!("echo '@revoked * {}'", server.host_key("ed25519")));
    configure(&client, &format!("KnownHostsCommand {}\n", command.display()));
    assert!(matches!(refused(&server, &client), HostKeyFault::Revoked { .. }));
}

#[test]
fn f09_a_known_hosts_command_that_fails_makes_the_host_unverifiable() {
    let server = Server::start("");
    let client = Client::of(&server);
    for (text, words) in [
        ("echo 'the directory is down' >&2; exit 3", "ended with exit status: 3: the directory is down"),
        ("yes", "printed more than 1 MiB"),
        ("kill -KILL $$", "ended with signal: 9"),
    ] {
        configure(&client, &format!("KnownHostsCommand {}\n", script(&client, text).display()));
        let fault = refused(&server, &client).to_string();
        assert!(fault.contains("KnownHostsCommand") && fault.contains(words), "{fault}");
    }
    configure(&client, "KnownHostsCommand /nonexistent/command\n");
    assert!(refused(&server, &client).to_string().contains("can't be run"));
    configure(&client, "KnownHostsCommand /bin/echo %q\n");
    assert!(refused(&server, &client).to_string().contains("the token %q"));
    configure(&client, &format!("KnownHostsCommand {}\n", script(&client, "sleep 60").display()));
    let dialer = client.dialer();
    let route = dialer.route(&host_at(server.port)).unwrap();
    let start = Instant::now();
    let error = dialer.dial(&route, start + Duration::from_millis(500), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("did not end in time"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

/// Makes a key revocation list of keys and certificates.
fn krl(list: &Path, of: &[&Path]) {
    let status = Command::new("ssh-keygen").args(["-q", "-k", "-f"]).arg(list).args(of).status().unwrap();
    assert!(status.success());
}

#[test]
fn f09_revoked_host_keys_are_refused_as_a_list_and_as_a_krl() {
    let server = Server::start("");
    let client = Client::of(&server);
    let list = client.path("revoked");
    configure(&client, &format!("RevokedHostKeys {}\n", list.display()));
    let host = server.path("host_ed25519.pub");
    let other = keygen(&client.path(""), "other", "ed25519", "", &[]);
    let other = PathBuf::from(format!("{}.pub", other.display()));
    std::fs::write(&list, format!("# stolen\n\n{}\n", server.host_key("ed25519"))).unwrap();
    assert!(matches!(refused(&server, &client), HostKeyFault::RevokedByList { .. }));
    krl(&list, &[&host]);
    assert!(matches!(refused(&server, &client), HostKeyFault::RevokedByList { .. }));
    // A list that can't be read revokes everything.
    std::fs::write(&list, "what is this\n").unwrap();
    assert!(matches!(refused(&server, &client), HostKeyFault::Unknowable { .. }));
    std::fs::write(&list, b"SSHKRL\n\0torn").unwrap();
    assert!(matches!(refused(&server, &client), HostKeyFault::Unknowable { .. }));
    std::fs::remove_file(&list).unwrap();
    let fault = refused(&server, &client);
    assert!(matches!(fault, HostKeyFault::Unknowable { .. }), "{fault}");
    // One that is about another key is no obstacle.
    std::fs::copy(&other, &list).unwrap();
    client.dial(&host_at(server.port)).unwrap();
    krl(&list, &[&other]);
    client.dial(&host_at(server.port)).unwrap();
}

#[test]
fn an_added_name_is_hashed_where_ssh_config_says_so() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.accept_new_host_keys = true;
    for by_client in [false, true] {
        client.know("");
        // An option that is used beside it, or the client would not be asked.
        configure(&client, "HashKnownHosts yes\nIdentitiesOnly no\n");
        if by_client {
            client.ask_ssh();
        }
        client.dial(&host_at(server.port)).unwrap();
        let known = client.known_hosts();
        assert!(known.starts_with("|1|") && known.contains(&server.host_key("ed25519")), "{known}");
        let found =
            Command::new("ssh-keygen").args(["-F", &server.name(), "-f"]).arg(client.path(".ssh/known_hosts")).output();
        assert!(found.unwrap().status.success(), "ssh does not find it: {known}");
        client.dial(&host_at(server.port)).unwrap();
        assert_eq!(client.known_hosts(), known);
    }
}

#[test]
fn f09_a_damaged_revocation_trusts_nobody_it_may_be_about() {
    let server = Server::start("");
    let mut client = Client::of(&server);
    client.settings.accept_new_host_keys = true;
    for damaged in ["@revoked * ssh-ed25519 AAAA%", "@revoked", "@revokd 127.0.0.1 ssh-ed25519 AAAA"] {
        client.know(&format!("{}{damaged}\n", server.known_line()));
        let fault = refused(&server, &client);
        assert!(
            matches!(fault, HostKeyFault::Unknowable { .. }) && fault.to_string().contains("known_hosts:2"),
            "{fault}"
        );
        // Not even where the key is pinned.
        let mut host = host_at(server.port);
        host.host_key = Some(server.fingerprint("ed25519"));
        assert_eq!(client.dial(&host).unwrap_err().reason(), Reason::HostKey);
    }
    client.know(&format!("{}@revoked db-01 ssh-ed25519 AAAA%\n", server.known_line()));
    client.dial(&host_at(server.port)).unwrap();
}
