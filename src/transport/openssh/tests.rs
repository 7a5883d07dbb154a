//! What ssh's words are taken for. The texts are those of OpenSSH's sources, of 8.7 to 10.
//!
//! *Invariant:* no server is needed; the whole way is tried with real ones in the integration tests.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::log::{Log, Sign};
use super::*;

const LOGIN: &str = "\
debug1: sshconnect.c:ssh_connect_direct():485 (pid=7): Connecting to web-01 [192.0.2.1] port 22.\r
debug1: sshconnect.c:ssh_connect_direct():522 (pid=7): Connection established.\r
debug1: kex.c:kex_exchange_identification():1262 (pid=7): Local version string SSH-2.0-OpenSSH_9.2p1\r
debug1: sshconnect.c:verify_host_key():1470 (pid=7): Server host key: ssh-ed25519 SHA256:host\r
debug1: sshconnect.c:check_host_key():1051 (pid=7): Host 'web-01' is known and matches the ED25519 host key.\r
debug1: sshconnect.c:check_host_key():1053 (pid=7): Found key in /home/a b/known_hosts:3\r
debug1: sshconnect2.c:input_userauth_service_accept():600 (pid=7): SSH2_MSG_SERVICE_ACCEPT received\r
debug1: sshconnect2.c:userauth_pubkey():1913 (pid=7): Offering public key: /home/a b/id RSA SHA256:first explicit\r
debug1: sshconnect2.c:userauth_pubkey():1913 (pid=7): Offering public key: work ED25519 SHA256:second agent\r
debug1: sshconnect2.c:input_userauth_pk_ok():763 (pid=7): Server accepts key: work ED25519 SHA256:second agent\r
debug3: sshconnect2.c:sign_and_send_pubkey():1431 (pid=7): signing using ssh-ed25519 SHA256:second\r
sshconnect2.c:ssh_userauth2():500 (pid=7): Authenticated to web-01 ([192.0.2.1]:22) using \"publickey\".\r
";

fn read(text: &str, id: u32) -> (Log, Vec<Sign>) {
    let (mut log, mut signs) = (Log::of(id), Vec::new());
    // As it comes over a pipe: in pieces.
    for piece in text.as_bytes().chunks(7) {
        log.feed(piece, &mut signs);
    }
    (log, signs)
}

#[test]
fn a_login_is_followed() {
    let (log, signs) = read(LOGIN, 7);
    let address = "192.0.2.1:22".parse().unwrap();
    assert_eq!(signs, [Sign::Connecting(address), Sign::Connected, Sign::KeyShown, Sign::KeyAccepted, Sign::LoggedIn]);
    assert_eq!(log.host_key, Some(("ssh-ed25519".to_owned(), "SHA256:host".to_owned())));
    assert_eq!(log.vouched.as_deref(), Some("/home/a b/known_hosts:3"));
    assert_eq!(log.key_used().unwrap(), "SHA256:second (agent)");
    assert_eq!(log.offered[0], "SHA256:first (/home/a b/id) was refused");
}

#[test]
fn the_mark_of_openssh_10_is_read_too() {
    let (log, _) = read(&LOGIN.replace("(pid=7)", "(bin=ssh, pid=7)"), 7);
    assert_eq!(log.key_used().unwrap(), "SHA256:second (agent)");
    assert!(log.host_key.is_some());
}

#[test]
fn messages_of_another_process_are_words_and_no_evidence() {
    let (log, signs) = read(LOGIN, 8);
    assert!(signs.is_empty() && log.host_key.is_none() && log.key_used().is_none());
}

#[test]
fn a_lie_behind_the_truth_changes_no_host_key() {
    // A certificate's name is the server's to choose, and may hold a line break.
    let lie = "debug1: sshconnect.c:verify_host_key():1470 (pid=7): Server host certificate: \
        ssh-ed25519-cert-v01@openssh.com SHA256:true, serial 0 ID \"x\n\
        debug1: sshconnect.c:verify_host_key():1470 (pid=7): Server host key: ssh-ed25519 SHA256:forged\r\n";
    let (log, _) = read(lie, 7);
    assert_eq!(log.host_key.unwrap().1, "SHA256:true");
}

#[test]
fn a_log_without_end_fills_no_memory() {
    let (log, _) = read(&"word\n".repeat(10_000), 7);
    assert!(log.words.len() < 100);
    let (log, _) = read(&"x".repeat(100_000), 7);
    assert!(log.words.is_empty());
    let (log, _) = read(&"kex.c:kex_exchange_identification():1 (pid=7): banner line 0: x\n".repeat(1_000), 7);
    assert!(log.before_banner.len() < 100);
}

#[test]
fn versions_are_read() {
    assert_eq!(version("OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026"), Some((9, 2)));
    assert_eq!(version("OpenSSH_10.0p2, OpenSSL 3.5.1"), Some((10, 0)));
    assert_eq!(version("OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2"), None);
    assert_eq!(version("Dropbear v2022.83"), None);
}
