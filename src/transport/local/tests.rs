//! Commands on this machine.
//!
//! *Invariant:* each ends by itself or is ended, and leaves no process.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::model::Reason;
use crate::transport::STDERR_KEPT;

fn far() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn a_mebibyte_goes_there_and_back() {
    let mut here = LocalConnection::new();
    here.allow(4 << 20, far());
    let mut exchange = here.exec("wc -c; echo oops >&2; exit 3").unwrap();
    exchange.write_all(&vec![b'x'; 1 << 20]).unwrap();
    exchange.close_write().unwrap();
    let mut answer = String::new();
    exchange.read_to_string(&mut answer).unwrap();
    assert_eq!(answer.trim(), "1048576");
    let exit = exchange.finish().unwrap();
    assert_eq!(exit, Exit { status: Some(3), signal: None, stderr: b"oops\n".to_vec() });
    assert_eq!(here.traffic().sent, 1 << 20);
}

#[test]
fn what_comes_back_while_input_is_written_is_kept() {
    let mut here = LocalConnection::new();
    here.allow(4 << 20, far());
    let sent: Vec<u8> = (0..1 << 20).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let mut exchange = here.exec("cat").unwrap();
    exchange.write_all(&sent).unwrap();
    exchange.close_write().unwrap();
    let mut back = Vec::new();
    exchange.read_to_end(&mut back).unwrap();
    assert!(back == sent);
    assert_eq!(exchange.finish().unwrap().status, Some(0));
}

#[test]
fn a_signal_is_told_by_name() {
    let mut here = LocalConnection::new();
    let exit = here.exec("kill -KILL $$").unwrap().finish().unwrap();
    assert_eq!((exit.status, exit.signal.as_deref()), (None, Some("KILL")));
}

#[test]
fn the_deadline_ends_a_sleeping_child_and_its_children() {
    let mut here = LocalConnection::new();
    here.allow(1 << 20, Instant::now() + Duration::from_millis(200));
    let start = Instant::now();
    let mut exchange = here.exec("sleep 60 & echo $!; wait").unwrap();
    let mut pid = [0; 16];
    let count = exchange.read(&mut pid).unwrap();
    let sleeper = std::str::from_utf8(&pid[..count]).unwrap().trim().to_owned();
    let error = exchange.finish().unwrap_err();
    assert_eq!(error.reason(), Reason::Timeout);
    assert!(start.elapsed() < Duration::from_secs(5));
    // Gone, or a zombie that its new parent has not taken yet.
    std::thread::sleep(Duration::from_millis(50));
    let state = std::fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn the_budget_ends_a_flood_on_either_stream() {
    for command in ["cat /dev/zero", "cat /dev/zero >&2"] {
        let mut here = LocalConnection::new();
        here.allow(1 << 20, far());
        let error = here.exec(command).unwrap().finish().unwrap_err();
        assert_eq!(error.reason(), Reason::Limit, "{command}");
        assert!(here.traffic().received < 2 << 20);
    }
}

#[test]
fn a_chatty_standard_error_blocks_nothing_and_is_cut() {
    let mut here = LocalConnection::new();
    here.allow(4 << 20, far());
    let exit = here.exec("head -c 1000000 /dev/zero >&2; echo done").unwrap().finish().unwrap();
    assert_eq!((exit.status, exit.stderr.len()), (Some(0), STDERR_KEPT));
}

#[test]
fn writing_to_a_command_that_ended_is_an_error_not_a_wait() {
    let mut here = LocalConnection::new();
    here.allow(1 << 20, far());
    let mut exchange = here.exec("exit 7").unwrap();
    let error = exchange.write_all(&vec![0; 1 << 20]).unwrap_err();
    assert_eq!(TransportError::from_io(error).reason(), Reason::Truncated);
    assert_eq!(exchange.finish().unwrap().status, Some(7));
}
