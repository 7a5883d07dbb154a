//! What a scan may cost the host: memory of the probe, all its processes together.

use crate::lab::{Options, Scene, probes};
use std::fs;

/// The proportional share of memory of a process, in kilobytes: what forked workers share counts once in all.
fn share(id: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn thirty_thousand_entries_take_the_probe_less_than_32_mib() {
    let scene = Scene::with(&Options::default(), |golden| {
        for folder in 0..30 {
            for number in 0..1_000 {
                golden.write(format!("/usr/share/package-{folder}/libsomething-{number}.so.1"), "");
            }
        }
        // Something that keeps the workers busy while they are measured.
        golden.sparse("/usr/lib/large.bin", 512 << 20);
    });
    let root = scene.golden.clone();
    scene.line(&scene.sshd.line("web-01", &root));
    let running = scene.scan(&[]).spawn();
    let mut peak = 0;
    let mut seen = false;
    while !seen || !probes(scene.sshd.pid()).is_empty() {
        let total: u64 = probes(scene.sshd.pid()).into_iter().map(share).sum();
        seen |= total > 0;
        peak = peak.max(total);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.wait().succeeds();
    assert!(peak > 500 && peak < 32 * 1024, "{peak} kB");
}
