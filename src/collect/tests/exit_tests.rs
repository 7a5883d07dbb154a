//! How a command ended, in words: the statuses of bootstrap, probe, shell and sudo.

use super::host_tests::{Host, Wire};
use super::{Reason, ask, look, machine, refused};
use crate::collect::{Ask, Failure, NO_PLACE, Ran, observe};
use crate::drift::Versions;
use crate::transport::Exit;

fn exit(status: Option<i32>, stderr: &str) -> Exit {
    Exit { status, signal: None, stderr: stderr.as_bytes().to_vec() }
}

fn killed(signal: &str) -> Exit {
    Exit { status: None, signal: Some(signal.to_owned()), stderr: Vec::new() }
}

#[test]
fn each_status_has_its_reason() {
    for (exit, sudo, reason, words) in [
        (exit(Some(NO_PLACE), ""), false, Reason::ProbeUnavailable, "could not be started"),
        (
            exit(Some(126), "sh: Permission denied"),
            false,
            Reason::ProbeUnavailable,
            "refused to run the probe: sh: Permission",
        ),
        (exit(Some(127), ""), false, Reason::ProbeUnavailable, "refused to run the probe"),
        (exit(Some(64), ""), false, Reason::Protocol, "did not understand the request"),
        (exit(Some(71), ""), false, Reason::Limit, "refused memory"),
        (exit(Some(101), ""), false, Reason::Internal, "fault of its own"),
        (exit(Some(137), ""), false, Reason::ProbeUnavailable, "ended by signal 9"),
        (killed("KILL"), false, Reason::ProbeUnavailable, "ended by signal KILL"),
        (killed("\u{202e}\n"), false, Reason::ProbeUnavailable, "ended by signal \\u{202e}\\n"),
        (
            exit(Some(1), "sudo: a password is required"),
            true,
            Reason::Sudo,
            "sudo refused: sudo: a password is required",
        ),
        (exit(Some(1), "sudo: a password is required"), false, Reason::Truncated, "status 1"),
        (exit(Some(1), ""), true, Reason::Truncated, "status 1"),
        (exit(Some(0), ""), false, Reason::Truncated, "the answer ended early"),
        (exit(None, ""), false, Reason::Truncated, "the answer ended early"),
        (exit(Some(-1), ""), false, Reason::Truncated, "status -1"),
        (exit(Some(i32::MAX), ""), false, Reason::ProbeUnavailable, "ended by signal"),
        (exit(Some(i32::MIN), ""), false, Reason::Truncated, "no whole answer"),
    ] {
        let failure = Failure::of_exit(&exit, sudo, b"");
        assert_eq!(failure.reason, reason, "{exit:?}");
        assert!(failure.text.contains(words), "{exit:?}: {}", failure.text);
        assert!(!failure.is_retriable);
    }
}

/// A host that can't resolve its own name makes sudo say so each time, and each end was then sudo's fault.
#[test]
fn a_warning_of_sudo_is_no_refusal() {
    let warning = "sudo: unable to resolve host web-1: Name or service not known";
    for (status, reason) in [
        (Some(0), Reason::Truncated),
        (Some(64), Reason::Protocol),
        (Some(71), Reason::Limit),
        (Some(101), Reason::Internal),
        (Some(137), Reason::ProbeUnavailable),
        (Some(NO_PLACE), Reason::ProbeUnavailable),
    ] {
        assert_eq!(Failure::of_exit(&exit(status, warning), true, b"").reason, reason, "{status:?}");
    }
}

#[test]
fn a_host_without_sudo_is_told_of_sudo() {
    for stderr in ["sh: 1: exec: sudo: not found", "bash: line 1: sudo: command not found"] {
        let failure = Failure::of_exit(&exit(Some(127), stderr), true, b"");
        assert_eq!((failure.reason, failure.text), (Reason::Sudo, format!("sudo refused: {stderr}")));
    }
    assert_eq!(Failure::of_exit(&exit(Some(127), "sh: not found"), true, b"").reason, Reason::ProbeUnavailable);
}

#[test]
fn the_first_line_that_says_something_is_told_escaped_and_cut() {
    let says = |stderr: &[u8], noise: &[u8]| {
        let exit = Exit { status: Some(3), signal: None, stderr: stderr.to_vec() };
        Failure::of_exit(&exit, false, noise).text
    };
    let head = "the command ended with status 3 and no whole answer";
    assert_eq!(says(b"\n \n\x1b[2Jfirst\nsecond", b"noise"), format!("{head}: \\x1b[2Jfirst"));
    assert_eq!(says(b"", b"\nnoise\n"), format!("{head}: noise"));
    assert_eq!(says(b"", b""), head);
    assert_eq!(says(&[b'a'; 900], b"").len(), head.len() + 2 + 200);
}

/// "The command ended with status 1 and no whole answer", it said.
#[test]
fn a_whole_answer_with_a_bad_end_is_no_observation() {
    for (end, words) in [
        (exit(Some(1), "x"), "status 1: x"),
        (exit(Some(137), ""), "status 137"),
        (exit(Some(64), ""), "status 64"),
        (exit(None, ""), "no status"),
        (killed("KILL"), "signal KILL"),
        (killed("\n"), "signal \\n"),
        (Exit { status: Some(0), ..killed("TERM") }, "signal TERM"),
    ] {
        let host = Host { exit: end, ..Host::of(machine(5)) };
        let text = format!("the answer was whole, but its command ended with {words}");
        assert_eq!(refused(&host, &machine(5)), (Reason::ProbeUnavailable, text));
    }
}

#[test]
fn a_bootstrap_that_found_no_place_says_so() {
    let mut tape = Wire::Tape(b"driftscan-no-place\n", 4, exit(Some(NO_PLACE), ""));
    assert_eq!(look(&mut tape, &machine(5)).unwrap_err().reason, Reason::ProbeUnavailable);
    let mut tape = Wire::Tape(b"", 4, exit(Some(1), "sudo: sorry, you must have a tty to run sudo"));
    let sudo = Ask { sudo: true, ..ask() };
    assert_eq!(observe(&mut tape, &sudo, &Versions::default(), &mut Ran::default()).unwrap_err().reason, Reason::Sudo);
}
