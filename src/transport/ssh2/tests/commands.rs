//! Commands over a connection.
//!
//! *Invariant:* see the parent.

use std::io::{Read as _, Write as _};

use super::*;
use crate::model::Reason;
use crate::transport::STDERR_KEPT;

const MIB: u64 = 1 << 20;

fn connected(server: &Server) -> SshConnection {
    let mut connection = Client::of(server).dial(&host_at(server.port)).unwrap();
    connection.allow(64 * MIB, soon());
    connection
}

#[test]
fn a_mebibyte_goes_there_and_back() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let sent: Vec<u8> = (0..MIB).map(|n| (n % 251) as u8).collect();
    let mut exchange = connection.exec("cat").unwrap();
    exchange.write_all(&sent).unwrap();
    exchange.close_write().unwrap();
    let mut back = Vec::new();
    exchange.read_to_end(&mut back).unwrap();
    assert!(back == sent);
    assert_eq!(exchange.finish().unwrap(), crate::transport::Exit { status: Some(0), ..Default::default() });
    let traffic = connection.traffic();
    assert!(traffic.sent > MIB && traffic.received > MIB, "{traffic:?}");
}

#[test]
fn input_beyond_the_windows_does_not_lock_up() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let mut exchange = connection.exec("cat | wc -c").unwrap();
    exchange.write_all(&vec![0; 8 << 20]).unwrap();
    exchange.close_write().unwrap();
    let mut back = String::new();
    exchange.read_to_string(&mut back).unwrap();
    assert_eq!(back.trim(), (8 * MIB).to_string());
}

#[test]
fn statuses_signals_and_standard_error_are_told() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let exit = connection.exec("echo out; echo err >&2; exit 95").unwrap().finish().unwrap();
    assert_eq!((exit.status, exit.signal, exit.stderr), (Some(95), None, b"err\n".to_vec()));
    // The account's shell must not stand between.
    let exit = connection.exec("exec /bin/sh -c 'kill -KILL $$'").unwrap().finish().unwrap();
    assert_eq!((exit.status, exit.signal.as_deref()), (None, Some("KILL")));
    let exit = connection.exec("head -c 5000000 /dev/zero >&2; exit 1").unwrap().finish().unwrap();
    assert_eq!((exit.status, exit.stderr.len()), (Some(1), STDERR_KEPT));
}

#[test]
fn a_channel_after_a_channel_works() {
    let server = Server::start("");
    let mut connection = connected(&server);
    for n in 0..5 {
        assert_eq!(connection.exec(&format!("exit {n}")).unwrap().finish().unwrap().status, Some(n));
    }
}

#[test]
fn output_that_nobody_read_is_thrown_away_at_the_end() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let mut exchange = connection.exec("head -c 6000000 /dev/zero; exit 4").unwrap();
    exchange.read_exact(&mut [0; 10]).unwrap();
    assert_eq!(exchange.finish().unwrap().status, Some(4));
}

#[test]
fn the_deadline_ends_a_command_that_sleeps() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let start = Instant::now();
    connection.allow(MIB, start + Duration::from_millis(500));
    let error = connection.exec("sleep 60").unwrap().finish().unwrap_err();
    assert_eq!(error.reason(), Reason::Timeout, "{error}");
    drop(connection);
    assert!((450..2_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[test]
fn the_deadline_ends_a_command_that_reads_nothing() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let start = Instant::now();
    connection.allow(MIB, start + Duration::from_millis(700));
    let mut exchange = connection.exec("sleep 60").unwrap();
    let error = exchange.write_all(&vec![0; 16 << 20]).unwrap_err();
    assert_eq!(TransportError::from_io(error).reason(), Reason::Timeout);
    drop(exchange);
    drop(connection);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn the_budget_ends_a_command_that_floods() {
    let server = Server::start("");
    for command in ["cat /dev/zero", "cat /dev/zero >&2"] {
        let mut connection = connected(&server);
        connection.allow(8 * MIB, soon());
        let start = Instant::now();
        let mut exchange = connection.exec(command).unwrap();
        let mut buffer = vec![0; 64 << 10];
        let error = loop {
            match exchange.read(&mut buffer) {
                Ok(0) => panic!("{command} ended"),
                Ok(_) => {}
                Err(error) => break TransportError::from_io(error),
            }
        };
        assert_eq!(error.reason(), Reason::Limit, "{command}: {error}");
        drop(exchange);
        drop(connection);
        assert!(start.elapsed() < Duration::from_secs(5), "{command}: {:?}", start.elapsed());
    }
}

#[test]
fn a_command_that_is_given_up_costs_no_wait() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let start = Instant::now();
    drop(connection.exec("sleep 60").unwrap());
    assert!(connection.exec("true").is_err());
    drop(connection);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_ends_in_the_middle_truncates() {
    let server = Server::start("");
    let mut connection = connected(&server);
    // Kills its own sshd, which is the parent of the shell.
    let error = connection.exec("echo half; kill -KILL $PPID; sleep 5").unwrap().finish().unwrap_err();
    assert_eq!(error.reason(), Reason::Truncated, "{error}");
}

#[test]
fn an_account_that_may_run_nothing_is_told_apart() {
    let server = Server::start("MaxSessions 0\n");
    let mut connection = connected(&server);
    let error = connection.exec("true").map(|_| ()).unwrap_err();
    assert_eq!(error.reason(), Reason::ProbeUnavailable, "{error}");
}

#[test]
fn a_command_that_ended_reads_no_more_input() {
    let server = Server::start("");
    let mut connection = connected(&server);
    let mut exchange = connection.exec("echo driftscan-no-place; exit 95").unwrap();
    // However the writes end, the output and the status are still to be had.
    let _ = exchange.write_all(&vec![0; 16 << 20]);
    let mut output = String::new();
    exchange.read_to_string(&mut output).unwrap();
    assert_eq!(output, "driftscan-no-place\n");
    assert_eq!(exchange.finish().unwrap().status, Some(95));
}
