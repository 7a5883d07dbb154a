//! F07 and F12 to F16: servers that let one in and then misbehave, and commands that end badly.

use super::peer::Peer;
use super::sweep::{CUTS, each};
use super::transport::Transport;
use crate::lab::Scene;
use std::time::Duration;

#[test]
fn f07_floods_after_login() {
    each(|sweep| {
        for name in ["debug-at-login", "debug", "global-requests", "channel-requests"] {
            sweep.must(name, &["limit", "protocol"]);
        }
        sweep.must("stderr", &["limit", "timeout"]);
        // Each is refused, and the peer does not read the refusals.
        sweep.must("channel-opens", &["limit", "protocol", "timeout"]);
        // It uses up its window, which nobody opens again.
        sweep.must("stray-data", &["limit", "protocol", "timeout"]);
    });
}

/// A packet of ours stood half-sent when the host was given up, and libssh2 turned in a circle for ever.
#[test]
fn f07_a_flood_whose_answers_nobody_reads_ends_at_the_deadline() {
    let scene = Scene::new();
    let peer = Peer::one(&scene.lab, "channel-opens");
    scene.line(&format!("{} root={}", peer.line("flooding"), scene.golden.path().display()));
    scene.host("good");
    for transport in Transport::ALL {
        let run = scene.scan(&["--timeout", "3s"]).args(transport.args()).run().exits(3).says("good", "clean");
        assert!(run.elapsed < Duration::from_secs(3 + 2), "{run}");
        assert!(transport.fits(&run.reasons("flooding"), &["limit", "timeout"]), "{run}");
    }
}

#[test]
fn f12_a_reset_before_login() {
    each(|sweep| {
        sweep.must("reset", &["throttled"]);
        sweep.must("reset-after-kexinit", &["throttled", "protocol"]);
    });
}

#[test]
fn f12_a_reset_anywhere_after_login() {
    each(|sweep| {
        for at in CUTS {
            // The first bytes are the answer to the login itself.
            let right: &[&str] = if at < 64 { &["truncated", "auth"] } else { &["truncated"] };
            sweep.must(&format!("reset-at.{at}"), right);
        }
        sweep.must("disconnects", &["truncated", "protocol"]);
    });
}

#[test]
fn f13_an_end_without_a_trailer() {
    each(|sweep| {
        sweep.must("ends-at-once", &["truncated"]);
        sweep.must_both("no-trailer", &["truncated"]);
        sweep.must_both("stops-halfway", &["truncated"]);
        for name in ["wrong-trailer", "trailer-twice"] {
            sweep.must_both(name, &["protocol"]);
        }
        sweep.must("exec-refused", &["probe-unavailable"]);
        sweep.must("channel-refused", &["probe-unavailable", "protocol", "truncated"]);
    });
}

#[test]
fn f14_a_bad_end_after_a_whole_answer() {
    each(|sweep| {
        for name in ["signal", "status-137"] {
            sweep.must(name, &["probe-unavailable"]);
        }
        // libssh2 tells a status that never came as 0; what its trailer proves is true all the same.
        if sweep.run.verdict("no-status") == "clean" {
            sweep.is_true("no-status");
        } else {
            sweep.must("no-status", &["probe-unavailable"]);
        }
        for name in ["killed-after", "fails-after"] {
            sweep.must_both(name, &["probe-unavailable"]);
        }
    });
}

#[test]
fn f15_hosts_that_hang_after_login() {
    each(|sweep| {
        for name in ["no-window", "exec-silent", "never-closes", "no-end"] {
            sweep.must(name, &["timeout"]);
        }
        for name in ["stalls-halfway", "drips"] {
            sweep.must_both(name, &["timeout"]);
        }
    });
}

#[test]
fn f16_noise_around_the_answer() {
    each(|sweep| {
        for name in ["noise", "false-start"] {
            sweep.is_true_both(name);
        }
        for name in ["much-noise", "bytes-after"] {
            sweep.must_both(name, &["protocol"]);
        }
        sweep.must("stdout", &["protocol", "limit"]);
    });
}

#[test]
fn f16_what_is_odd_and_legal_is_no_fault() {
    each(|sweep| {
        sweep.is_true("honest");
        sweep.is_true("rekeys");
    });
}
