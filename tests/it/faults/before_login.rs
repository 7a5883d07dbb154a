//! F01 to F08 and F11: connecting, and servers that never let anybody in.

use super::sweep::each;
use crate::lab::{Options, Scene};

#[test]
fn f01_a_closed_port_and_a_name_that_is_none() {
    let scene = Scene::new();
    scene.host("good");
    scene.line("127.0.0.1:1 name=closed");
    scene.line("no-such-host.invalid name=nameless");
    // A network for documentation, to which no machine has a route that leads anywhere but out of it.
    scene.line("[100::1]:22 name=routeless");
    let run = scene.scan(&["--connect-timeout", "3s"]).run().exits(3).says("good", "clean");
    let run = run.unverifiable("closed", "unreachable").unverifiable("nameless", "unreachable");
    // Where this machine has a route for everything, nobody answers there.
    let reasons = run.reasons("routeless");
    assert!(reasons.contains("unreachable") || reasons.contains("timeout"), "{run}");
}

#[test]
fn f03_silence_at_every_step() {
    each(|sweep| {
        for name in [
            "silence",
            "banner-then-silence",
            "kex-then-silence",
            "login-stalls",
            "channel-unanswered",
            "exec-unanswered",
        ] {
            sweep.must(name, &["timeout"]);
        }
    });
}

#[test]
fn f04_a_trickle() {
    each(|sweep| sweep.must("trickle", &["timeout"]));
}

#[test]
fn f05_newlines_and_lines_before_the_banner_without_end() {
    each(|sweep| {
        for name in ["newlines", "lines", "endless-line"] {
            // libssh2 reads a banner byte by byte: among many floods on few processors the time may be over first. That
            // it is a limit where nothing else runs is seen in `memory`.
            sweep.must(name, &["limit", "timeout"]);
        }
    });
}

#[test]
fn f06_packets_that_nobody_asked_for_without_end() {
    each(|sweep| {
        for name in [
            "unknown-packets",
            "small-packets",
            "channel-packets",
            "ignore-packets",
            "debug-packets",
            "kexinit-packets",
        ] {
            sweep.must(name, &["limit", "protocol"]);
        }
    });
}

#[test]
fn f08_lengths_and_counts_beyond_their_packet() {
    each(|sweep| {
        sweep.must("huge-packet", &["protocol", "limit"]);
        for name in ["empty-packet", "long-padding", "kex-garbage"] {
            sweep.must(name, &["protocol"]);
        }
        sweep.must("extension-count", &["protocol", "timeout"]);
    });
}

#[test]
fn f08_compression_and_old_algorithms_are_never_agreed_to() {
    each(|sweep| {
        for name in ["compression-only", "old-algorithms"] {
            sweep.must(name, &["protocol"]);
        }
    });
}

#[test]
fn f08_other_protocols() {
    each(|sweep| {
        sweep.must("http", &["protocol"]);
        sweep.must("old-protocol", &["protocol", "timeout", "throttled"]);
        sweep.must("disconnect", &["protocol", "throttled"]);
    });
}

#[test]
fn f10_a_login_that_is_denied() {
    each(|sweep| sweep.must("login-refused", &["auth"]));
}

#[test]
fn f11_closing_at_once_is_throttling() {
    each(|sweep| {
        sweep.must("close", &["throttled"]);
        sweep.must("throttled", &["throttled"]);
        // Again and again, and not for ever.
        let attempts = sweep.run.host("close")["wire"]["attempts"].as_u64().unwrap();
        assert!((2..=10).contains(&attempts), "{attempts}");
    });
}

#[test]
fn f11_throttling_by_a_real_server_is_waited_out() {
    let scene = Scene::with(&Options::configured(&["MaxStartups 2:100:2"]), |_| ());
    for number in 0..6 {
        scene.host(&format!("web-{number}"));
    }
    let run = scene.run();
    for number in 0..6 {
        let name = format!("web-{number}");
        let verdict = run.verdict(&name);
        assert!(verdict == "clean" || run.reasons(&name).contains("throttled"), "{name}\n{run}");
    }
    assert!((0..6).filter(|number| run.verdict(&format!("web-{number}")) == "clean").count() >= 3, "{run}");
}
