//! The lab is what it says: proven with the system's own ssh client and plain sockets, so that a test that fails elsewhere
//! speaks of driftscan.

use crate::faults::Peer;
use crate::lab::{Answer, Lab, Options, SshHost, descendants, generate, program, public_key};
use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Runs a command on a server of the lab.
fn ssh(lab: &Lab, server: &SshHost, command: &str) -> Output {
    Command::new(program("ssh"))
        .args([
            "-F",
            "none",
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "IdentitiesOnly=yes",
        ])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", lab.known_hosts().display()))
        .arg("-i")
        .arg(lab.key())
        .args(["-p", &server.port.to_string(), "127.0.0.1", command])
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_server_runs_commands_and_counts_logins() {
    let lab = Lab::new();
    let server = lab.sshd("first", &Options { host_keys: vec!["ecdsa", "rsa"], ..Options::default() });
    let output = ssh(&lab, &server, "echo well; exit 7");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(7), b"well\n".as_slice()), "{output:?}");
    assert_eq!(server.logins(), 1);
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.assert_no_authentication()));
    assert!(refused.is_err(), "a login is an authentication");
}

#[test]
fn a_client_that_refuses_the_host_key_never_authenticates() {
    let lab = Lab::new();
    let server = lab.sshd("first", &Options::default());
    lab.forget_hosts();
    let other = generate(&lab.path("keys/other"), "ed25519", None);
    lab.know(&format!("{} {}", server.known_name(), public_key(&other)));
    assert_eq!(ssh(&lab, &server, "true").status.code(), Some(255));
    server.assert_no_authentication();
}

#[test]
fn answers_are_cut_and_turned_where_they_should_be() {
    let lab = Lab::new();
    let cut = lab.sshd("cut", &Options::answering(Answer::cut(&lab.path("slots-1"), &[3, 5])));
    let turned = lab.sshd("turned", &Options::answering(Answer::flipped(&lab.path("slots-2"), &[2])));
    assert_eq!(ssh(&lab, &cut, "printf abcdefgh").stdout, b"abc");
    assert_eq!(ssh(&lab, &cut, "printf abcdefgh").stdout, b"abcde");
    assert_eq!(ssh(&lab, &turned, "printf abcdefgh").stdout, b"abbdefgh");
    let record = lab.path("record");
    let recorded = lab.sshd("recorded", &Options::answering(Answer::recorded(&record)));
    assert_eq!(ssh(&lab, &recorded, "printf abc").stdout, b"abc");
    let replayed = lab.sshd("replayed", &Options::answering(Answer::replayed(&record)));
    assert_eq!(ssh(&lab, &replayed, "printf xyz").stdout, b"abc");
    assert_eq!(
        ssh(&lab, &lab.sshd("ending", &Options::answering(Answer::then_exit(137))), "true").status.code(),
        Some(137)
    );
}

#[test]
fn a_killed_server_takes_its_sessions_with_it() {
    let lab = Lab::new();
    let mut server = lab.sshd("first", &Options::default());
    let mut client = Command::new(program("ssh"))
        .args(["-F", "none", "-T", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o"])
        .arg(format!("UserKnownHostsFile={}", lab.known_hosts().display()))
        .arg("-i")
        .arg(lab.key())
        .args(["-p", &server.port.to_string(), "127.0.0.1", "exec sleep 300"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while server.logins() == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(200));
    let session = descendants(server.pid());
    server.kill();
    assert_eq!(client.wait().unwrap().code(), Some(255));
    std::thread::sleep(Duration::from_millis(100));
    assert!(session.iter().all(|id| !std::path::Path::new(&format!("/proc/{id}/exe")).exists()), "{session:?}");
}

#[test]
fn hostile_servers_do_what_they_are_for() {
    let names = ["silence", "trickle", "newlines", "lines", "unknown-packets", "huge-packet", "close", "http"];
    let lab = Lab::new();
    let hostile = Peer::start(&lab, &names);
    let heard = |name: &str, enough: usize| {
        let (_, port) = hostile.served.iter().find(|(served, _)| served == name).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", *port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
        let mut bytes = vec![0; enough];
        let mut got = 0;
        while got < enough {
            match stream.read(&mut bytes[got..]) {
                Ok(0) | Err(_) => break,
                Ok(n) => got += n,
            }
        }
        bytes.truncate(got);
        bytes
    };
    assert!(heard("silence", 1).is_empty());
    let held = TcpStream::connect(("127.0.0.1", hostile.served[0].1)).unwrap();
    assert_eq!(hostile.guests(), 1);
    drop(held);
    assert_eq!(heard("trickle", 3), b"SSH");
    assert_eq!(heard("newlines", 1 << 20), b"\n".repeat(1 << 20));
    assert_eq!(heard("lines", 1 << 20).len(), 1 << 20);
    assert!(heard("unknown-packets", 1 << 20).starts_with(b"SSH-2.0-"));
    assert_eq!(heard("huge-packet", 1 << 20)[32..36], [0xff; 4]);
    assert!(heard("close", 1).is_empty());
    assert!(heard("http", 8).starts_with(b"HTTP/1.1"));
}

#[test]
fn a_clone_keeps_times_modes_and_links() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let clone = lab.clone_root(&golden, "clone");
    let (a, b) = (golden.at("/usr/bin/perl"), clone.at("/usr/bin/perl"));
    assert_eq!(fs::metadata(&a).unwrap().mtime(), fs::metadata(&b).unwrap().mtime());
    assert_eq!(fs::metadata(&b).unwrap().nlink(), 2);
    assert_eq!(fs::metadata(clone.at("/usr/bin/sudo")).unwrap().mode() & 0o7777, 0o4755);
}
