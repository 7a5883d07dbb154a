//! I4: what one hostile host costs in memory, each flood alone beside one honest host.
//!
//! *Invariant:* measured at the process's highest, and against a run without the hostile host.

use super::peer::Peer;
use super::transport::Transport;
use crate::lab::{Answer, Options, Scene, account};

/// Runs a scan of an honest host and perhaps another; the highest resident memory in kB.
fn peak(scene: &Scene, transport: Transport, other: Option<(&str, &str)>, right: &[&str]) -> u64 {
    let root = scene.golden.path().display();
    let honest = format!("{}@127.0.0.1:{} name=honest root={root}", account(), scene.sshd.port);
    let lines: Vec<_> = ["[web] template=web", &honest].into_iter().chain(other.map(|(_, line)| line)).collect();
    scene.lab.hosts_file(&lines);
    let run = scene.scan(&["--timeout", "10s"]).args(transport.args()).run().says("honest", "clean");
    let Some((name, _)) = other else { return run.exits(0).peak };
    if transport.absorbs(name) && run.verdict("hostile") == "clean" {
        return run.peak;
    }
    let run = run.exits(3).says("hostile", "unverifiable");
    assert!(transport.fits(&run.reasons("hostile"), right), "not {right:?}\n{run}");
    run.peak
}

/// Fails unless each of these costs less than so many MiB.
fn cost(names: &[&str], right: &[&str], most: u64) {
    let scene = Scene::new();
    let peer = Peer::start(&scene.lab, names);
    for transport in Transport::ALL {
        let base = peak(&scene, *transport, None, &[]);
        for (name, port) in &peer.served {
            let line = format!("127.0.0.1:{port} name=hostile root={}", scene.golden.path().display());
            let grown = peak(&scene, *transport, Some((name, &line)), right).saturating_sub(base);
            assert!(grown < most << 10, "{name} over {transport:?}: {grown} kB above {base}");
        }
    }
}

#[test]
fn i4_before_login_a_hostile_host_costs_8_mib_at_most() {
    cost(
        &[
            "newlines",
            "lines",
            "endless-line",
            "unknown-packets",
            "small-packets",
            "channel-packets",
            "ignore-packets",
            "debug-packets",
            "kexinit-packets",
            "huge-packet",
        ],
        &["limit", "protocol"],
        8,
    );
}

#[test]
fn i4_after_login_a_hostile_host_costs_32_mib_at_most() {
    cost(
        &[
            "debug-at-login",
            "debug",
            "global-requests",
            "channel-requests",
            "channel-opens",
            "stray-data",
            "stdout",
            "stderr",
        ],
        &["limit", "protocol", "timeout"],
        32,
    );
}

#[test]
fn i4_a_lying_probe_costs_32_mib_at_most() {
    let scene = Scene::new();
    let drifted = scene.lab.clone_root(&scene.golden, "drifted");
    drifted.change_unseen("/usr/bin/ls");
    let lies = [
        "entries-without-end",
        "long-names-without-end",
        "frames-without-end",
        "symbols-without-end",
        "oversized-frame",
        "much-noise",
    ];
    for transport in Transport::ALL {
        let base = peak(&scene, *transport, None, &[]);
        for name in lies {
            let text = format!("exec {} --as-probe {name}", Peer::program().display());
            let liar = scene.lab.sshd(&format!("{name}-{transport:?}"), &Options::answering(Answer::shell(&text)));
            let grown = peak(&scene, *transport, Some((name, &liar.line("hostile", &drifted))), &["limit", "protocol"])
                .saturating_sub(base);
            assert!(grown < 32 << 10, "{name} over {transport:?}: {grown} kB above {base}");
        }
    }
}
